//! `gridhall import cases`: New York's table and broken ones, through the door an operator uses.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use domain::policy::Policy;
use server::import::{ImportError, Summary, Target, cases};
use server::lists::CaseFilter;
use server::writer::store::Store;

use crate::city;
use crate::http::served;
use crate::random::cells;

const HEADER: &str = "Unique Key,Created Date,Closed Date,Complaint Type,Descriptor,Location Type,Incident Address,City,Status,Due Date,Resolution Description,Community Board,Borough,Open Data Channel Type,Latitude,Longitude";

/// The policy that holds without a file: it states no bounds, so another city's table can be imported.
fn policy() -> Policy {
    toml::from_str(include_str!("../../../config/policy.toml")).unwrap()
}

fn row(id: &str, created: &str, closed: &str, status: &str) -> String {
    format!(
        "{id},{created},{closed},Street Condition,\"Pothole, deep\",Street,1 MAIN STREET,BRONX,{status},,,03 BRONX,BRONX,PHONE,40.82,-73.9"
    )
}

fn import(dir: &Path, file: &Path, map: Option<&Path>) -> Result<Summary, ImportError> {
    cases(file, map, &Target::Store { dir, policy: &policy() })
}

struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, content: &[u8]) -> Result<Summary, ImportError> {
        import(&self.store(), &self.file("cases.csv", content), None)
    }

    /// Line, field and code of each refusal.
    fn refusals(&self, content: &[u8]) -> (Summary, Vec<(u64, String, String)>) {
        let summary = self.import(content).unwrap();
        let refusals = summary
            .refusals
            .iter()
            .map(|refused| (refused.line, refused.field.clone(), refused.code.clone()));
        let refusals = refusals.collect();
        (summary, refusals)
    }
}

fn counts(summary: &Summary) -> (u64, u64, u64, u64) {
    (summary.rows, summary.taken, summary.refused, summary.unchanged)
}

fn refusal(line: u64, field: &str, code: &str) -> (u64, String, String) {
    (line, field.to_owned(), code.to_owned())
}

const JUNE: &str = "06/26/2018 10:58:54 AM";
const JULY: &str = "07/01/2018 01:00:00 PM";

/// The real table stands beside a checkout; `GRIDHALL_DATA` names another place.
fn nyc311() -> Option<PathBuf> {
    let given = std::env::var_os("GRIDHALL_DATA").map(|data| PathBuf::from(data).join("cases/nyc311.csv"));
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data/cases/nyc311.csv"))
        .find(|path| path.exists());
    given.or(beside)
}

/// Method: the file is read a second time by the csv crate alone and counted by its own words.
#[test]
fn every_row_of_new_york_is_answered_and_a_second_run_changes_nothing() {
    let Some(file) = nyc311() else {
        std::io::stderr().write_all(b"nyc311.csv is not here; the other import tests stand alone\n").unwrap();
        return;
    };
    let folder = Folder::new();
    let first = import(&folder.store(), &file, None).unwrap();
    let mut rows: Vec<BTreeMap<String, String>> = Vec::new();
    for row in csv::Reader::from_path(&file).unwrap().deserialize() {
        rows.push(row.unwrap());
    }
    let time = |text: &str| jiff::civil::DateTime::strptime("%m/%d/%Y %I:%M:%S %p", text).ok();
    let backwards = |row: &BTreeMap<String, String>| {
        time(&row["Closed Date"]).is_some_and(|closed| closed < time(&row["Created Date"]).unwrap())
    };
    let impossible = rows.iter().filter(|row| backwards(row)).count() as u64;
    assert_eq!(counts(&first), (1_000, 1_000 - impossible, impossible, 0), "{}", first.table());
    assert_eq!(impossible, 10);
    assert!(
        first
            .refusals
            .iter()
            .all(|refused| refused.field == "Closed Date" && refused.code == "impossible_time")
    );
    let second = import(&folder.store(), &file, None).unwrap();
    assert_eq!(counts(&second), (1_000, 0, impossible, 990));

    let (store, state) = Store::open(&folder.store(), &policy()).unwrap();
    assert_eq!(store.reader().recount().unwrap().cells, cells(&state));
    let taken: Vec<_> = rows.iter().filter(|row| !backwards(row)).collect();
    let ever = |key: String| state.tally.get(&key.parse().unwrap()).cases;
    assert_eq!(ever("reported|city|ever".into()), taken.len() as i64);
    let closed = taken.iter().filter(|row| !row["Closed Date"].is_empty()).count() as i64;
    assert_eq!(ever("closed|city|ever".into()), closed);
    assert_eq!(ever("open|city|now".into()), taken.len() as i64 - closed);
    let mut boroughs: BTreeMap<String, i64> = BTreeMap::new();
    let mut classes: BTreeMap<String, i64> = BTreeMap::new();
    for row in &taken {
        *boroughs.entry(row["Borough"].clone()).or_default() += 1;
        *classes.entry(row["Complaint Type"].to_lowercase()).or_default() += 1;
    }
    for (borough, count) in boroughs.iter().filter(|(borough, _)| *borough != "Unspecified") {
        let code = borough.to_lowercase().replace(' ', "-");
        assert_eq!(ever(format!("reported|area:NYC-{code}|ever")), *count, "{borough}");
    }
    assert_eq!(ever("reported|class:nyc-noise-residential|ever".into()), classes["noise - residential"]);
    assert_eq!(ever("reported|class:nyc-electric|ever".into()), classes["electric"]);
    let without_place = taken.iter().filter(|row| row["Latitude"].is_empty()).count() as u64;
    let filter = CaseFilter { has_place: Some(false), ..CaseFilter::default() };
    drop(store);
    assert_eq!(city::counted(&folder.store(), &policy(), &filter), Some(without_place));
}

#[test]
fn broken_quoting_costs_its_own_line_only() {
    let folder = Folder::new();
    let good = |id: &str| row(id, JUNE, JULY, "Closed");
    let unclosed = good("2").replace("deep\"", "deep");
    let after = good("4").replace("deep\"", "deep\"x");
    let content = [HEADER, &good("1"), &unclosed, &good("3"), &after, &good("5"), ""].join("\r\n");
    let (summary, refusals) = folder.refusals(content.as_bytes());
    assert_eq!(counts(&summary), (5, 3, 2, 0), "{}", summary.table());
    assert_eq!(refusals, [refusal(3, "", "broken_quoting"), refusal(5, "", "broken_quoting")]);
}

#[test]
fn field_over_several_lines_keeps_the_count_of_lines() {
    let folder = Folder::new();
    let long = row("1", JUNE, JULY, "Closed").replace("deep", "deep\nand\n\"\"wide\"\"");
    let content = [HEADER, &long, "2,not enough", &row("3", JULY, JUNE, "Closed")].join("\n");
    let (summary, refusals) = folder.refusals(content.as_bytes());
    assert_eq!(counts(&summary), (3, 1, 2, 0));
    assert_eq!(refusals, [refusal(5, "", "missing_columns"), refusal(6, "Closed Date", "impossible_time")]);
}

#[test]
fn each_wrong_value_names_its_column() {
    let folder = Folder::new();
    let rows = [
        row("1", JUNE, JULY, "Closed"),
        row("", JUNE, JULY, "Closed"),
        row("3", "26.06.2018", JULY, "Closed"),
        row("4", "02/30/2018 10:00:00 AM", "", "Open"),
        row("5", "", "", "Open"),
        row("6", JUNE, "", "Closed"),
        row("7", JUNE, JULY, "Lost"),
        row("8", JUNE, "", "Open").replace("40.82", "north"),
        row("9", JUNE, "", "Open").replace("40.82", "140.82"),
        row("10", JUNE, "", "Open").replace("40.82", ""),
        row("11", JUNE, "", "Open").replace("1 MAIN STREET", &"x".repeat(5_000)),
        row("12", "06/26/2099 10:58:54 AM", "", "Open"),
        row("13", JUNE, "", "Open").replace(",40.82,-73.9", ",,"),
        row("1", JUNE, "", "Open"),
    ];
    let content = format!("{HEADER}\n{}\n", rows.join("\n"));
    let (summary, refusals) = folder.refusals(content.as_bytes());
    assert_eq!(counts(&summary), (14, 2, 12, 0), "{}", summary.table());
    let sorted = |mut list: Vec<(u64, String, String)>| {
        list.sort();
        list
    };
    assert_eq!(
        sorted(refusals),
        [
            refusal(3, "Unique Key", "out_of_range"),
            refusal(4, "Created Date", "impossible_time"),
            refusal(5, "Created Date", "impossible_time"),
            refusal(6, "Created Date", "impossible_time"),
            refusal(7, "Closed Date", "impossible_time"),
            refusal(8, "Status", "unknown_status"),
            refusal(9, "Latitude", "out_of_range"),
            refusal(10, "Latitude", "out_of_range"),
            refusal(11, "Latitude", "out_of_range"),
            refusal(12, "Incident Address", "out_of_range"),
            refusal(13, "Created Date", "impossible_time"),
            refusal(15, "Unique Key", "key_reused"),
        ]
    );
}

#[test]
fn encodings_are_told_apart() {
    let folder = Folder::new();
    let good = row("1", JUNE, JULY, "Closed");
    let with_mark = format!("\u{feff}{HEADER}\n{good}\n");
    assert_eq!(counts(&folder.import(with_mark.as_bytes()).unwrap()), (1, 1, 0, 0));
    let gbk: &[u8] = &[0xC0, 0xA5, 0xC3, 0xF7]; // 昆明
    let (before, after) = row("2", JUNE, JULY, "Closed")
        .split_once("1 MAIN STREET")
        .map(|(before, after)| (before.to_owned(), after.to_owned()))
        .unwrap();
    let mut content = format!("{HEADER}\n{good}\n{before}").into_bytes();
    content.extend_from_slice(gbk);
    content.extend_from_slice(format!("{after}\n{}\n", row("3", JUNE, JULY, "Closed")).as_bytes());
    let chinese = row("4", JUNE, JULY, "Closed").replace("1 MAIN STREET", "昆明");
    let mixed =
        [format!("{HEADER}\n{chinese}\n").into_bytes(), content[HEADER.len() + 1..].to_vec()].concat();
    let (summary, refusals) = folder.refusals(&mixed);
    assert_eq!(counts(&summary), (4, 2, 1, 1));
    assert_eq!(refusals, [refusal(4, "", "wrong_encoding")]);
    assert!(summary.refusals[0].reason.contains("field 7 is not UTF-8; it looks like GBK"), "{summary:?}");
    let (summary, refusals) = folder.refusals(&content);
    assert_eq!((counts(&summary), refusals), ((3, 1, 0, 2), vec![]), "all of it in GBK, as Excel saves it");
    let utf16: Vec<u8> =
        [0xFEFF].into_iter().chain(HEADER.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let error = folder.import(&utf16).unwrap_err().to_string();
    assert!(error.contains("UTF-16"), "{error}");
}

#[test]
fn header_and_mapping_that_do_not_fit_are_refused_before_any_row() {
    let folder = Folder::new();
    let shipped = server::import::mapping::SHIPPED[0].1;
    let map = folder.file("map.toml", shipped.as_bytes());
    let lacking = HEADER.replace("Due Date", "Deadline");
    let file = folder.file("cases.csv", format!("{lacking}\n").as_bytes());
    let error = import(&folder.store(), &file, Some(&map)).unwrap_err().to_string();
    assert!(error.contains("\"Due Date\"") && error.contains("lacks"), "{error}");
    let error = import(&folder.store(), &file, None).unwrap_err();
    assert!(matches!(error, ImportError::NoMapping), "{error}");
    let twice = folder.file("twice.csv", format!("{HEADER},City\n").as_bytes());
    let error = import(&folder.store(), &twice, Some(&map)).unwrap_err().to_string();
    assert!(error.contains("twice") && error.contains("City"), "{error}");
    let misspelt = shipped.replace("closed_by", "closed_bye");
    let map = folder.file("map.toml", misspelt.as_bytes());
    let error = import(&folder.store(), &file, Some(&map)).unwrap_err().to_string();
    assert!(error.contains("closed_bye"), "{error}");
    let nowhere = shipped.replace("America/New_York", "America/New_Amsterdam");
    let map = folder.file("map.toml", nowhere.as_bytes());
    let error = import(&folder.store(), &file, Some(&map)).unwrap_err().to_string();
    assert!(error.contains("time.zone") && error.contains("New_Amsterdam"), "{error}");
    for format in ["%Q", "%Y-%m-%d %Q", "%Y-%m-%dT%H:%M:%S%z", "%H:%M", "%Y-%m-%d %", "%s"] {
        let unreadable = shipped.replace("%m/%d/%Y %I:%M:%S %p", format);
        let map = folder.file("map.toml", unreadable.as_bytes());
        let error = import(&folder.store(), &file, Some(&map)).unwrap_err().to_string();
        assert!(error.contains("time.formats") && error.contains(format), "{error}");
    }
    let level = shipped.replace("level = \"street\"", "level = \"district\"");
    let map = folder.file("map.toml", level.as_bytes());
    let error = import(&folder.store(), &file, Some(&map)).unwrap_err().to_string();
    assert!(error.contains("area.levels") && error.contains("Community Board"), "{error}");
    assert!(!folder.store().exists(), "nothing was opened");
}

/// A city of ours: semicolons, Chinese columns, codes of the policy, Mars coordinates, decimal commas.
pub const OWN_MAP: &str = r#"
name = "市平台"
system = "ncity"
delimiter = ";"
[columns]
id = "编号"
opened = "上报时间"
class = "小类"
status = "环节"
lat = "纬度"
lon = "经度"
address = ["地址"]
[time]
zone = "Asia/Shanghai"
formats = ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M"]
[place]
crs = "gcj02"
decimal = "comma"
[class]
create = false
table = { "暴露垃圾" = "E01-10" }
[source]
default = "hotline"
[area]
root = { code = "5301", level = "city", name = { zh = "昆明市" } }
levels = [{ column = "社区", level = "community" }]
table = { "尚义社区" = "530103001001" }
create = false
[stage]
closed_by = "status"
default = "accept"
table = { "派遣" = "dispatch" }
"#;

#[test]
fn table_of_a_chinese_city_is_read_by_its_own_mapping() {
    let folder = Folder::new();
    let map = folder.file("map.toml", OWN_MAP.as_bytes());
    let content = "编号;上报时间;小类;环节;纬度;经度;地址;社区\n\
        A-1;2024-11-20 09:30:00;暴露垃圾;派遣;25,040000;102,720000;拓东路;尚义社区\n\
        A-2;2024/11/20 09:30;E02-03;;;;;\n\
        A-3;2024/11/20 09:30;无此类;;;;;\n";
    let file = folder.file("cases.csv", content.as_bytes());
    let target = Target::Store { dir: &folder.store(), policy: &city::policy() };
    let summary = cases(&file, Some(&map), &target).unwrap();
    assert_eq!(counts(&summary), (3, 2, 1, 0), "{}", summary.table());
    assert_eq!((summary.refusals[0].line, summary.refusals[0].field.as_str()), (4, "小类"));
    assert_eq!(summary.refusals[0].code, "unknown_code");
    let (store, _) = Store::open(&folder.store(), &city::policy()).unwrap();
    let case = store.reader().case(domain::code::CaseId(1)).unwrap().unwrap();
    assert_eq!(case.reported.0, 1_732_066_200_000, "09:30 in Shanghai is 01:30 UTC");
    assert_eq!(case.area_path.first().unwrap().as_str(), "530103001001");
    let place = case.report.place.unwrap();
    let shift = place.distance_m(domain::place::Point::from_degrees(25.04, 102.72).unwrap());
    assert!((100.0..800.0).contains(&shift), "moved from Mars by {shift} m");
}

/// A server that answers one batch as `POST /api/v1/commands` does, after being busy once.
fn answering(listener: std::net::TcpListener) -> Vec<String> {
    let mut bodies = Vec::new();
    for answer in [None, Some(0), Some(1), Some(2)] {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = Vec::new();
        let mut chunk = [0; 4_096];
        let body = loop {
            let read = stream.read(&mut chunk).unwrap();
            text.extend_from_slice(&chunk[..read]);
            let said = String::from_utf8_lossy(&text).into_owned();
            let Some((head, body)) = said.split_once("\r\n\r\n") else { continue };
            assert!(head.to_lowercase().contains("authorization: bearer secret"), "{head}");
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap());
            match length.map(|length| length.trim().parse::<usize>().unwrap()) {
                Some(length) if body.len() >= length => break body.to_owned(),
                Some(_) => {}
                None if body.ends_with("0\r\n\r\n") || answer.is_none() => break body.to_owned(),
                None => {}
            }
        };
        let taken =
            r#"{"taken":{"first_seq":1,"last_seq":1,"replayed":false,"case":1,"whistle":null,"number":"1"}}"#;
        let (status, said) = match answer {
            // First it is asked what keys of rows are made with.
            None => ("200 OK", format!(r#"{{"namespace":"{}"}}"#, uuid::Uuid::NAMESPACE_DNS)),
            Some(0) => ("503 Service Unavailable", "{}".to_owned()),
            Some(1) => ("200 OK", format!(r#"{{"results":[{taken}]}}"#)),
            _ => {
                let refused = r#"{"refused":{"status":422,"code":"impossible_time","title":"closed: no","field":"closed"}}"#;
                let unchanged = taken.replace("false", "true");
                ("200 OK", format!(r#"{{"results":[{taken},{refused},{unchanged}]}}"#))
            }
        };
        let reply = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
            said.len()
        );
        stream.write_all(reply.as_bytes()).unwrap();
        bodies.extend(answer.map(|_| body));
    }
    bodies
}

#[test]
fn running_server_is_sent_batches_and_its_answers_are_told_row_by_row() {
    let folder = Folder::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || answering(listener));
    let rows = ["1", "2", "3"].map(|id| row(id, JUNE, JULY, "Closed")).join("\n");
    let file = folder.file("cases.csv", format!("{HEADER}\n{rows}\n").as_bytes());
    let summary = cases(&file, None, &Target::Server { url: &url, token: "secret" }).unwrap();
    assert_eq!(counts(&summary), (3, 1, 1, 1));
    assert_eq!((summary.refusals[0].line, summary.refusals[0].field.as_str()), (3, "Closed Date"));
    let bodies = server.join().unwrap();
    assert!(bodies[1].contains("define_catalogue") && bodies[1] == bodies[0], "sent again with the same key");
    assert!(bodies[2].contains("take_over_case"));
}

/// Against a server that other people use meanwhile: everything is taken once, also when the first run was cut off.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_hall_takes_a_table_over_and_a_second_run_changes_nothing() {
    let hall = served().await;
    let folder = Folder::new();
    let rows: Vec<String> = (0..1_500).map(|id| row(&id.to_string(), JUNE, JULY, "Closed")).collect();
    let whole = folder.file("whole.csv", format!("{HEADER}\n{}\n", rows.join("\n")).as_bytes());
    let part = folder.file("part.csv", format!("{HEADER}\n{}\n", rows[..400].join("\n")).as_bytes());
    let (url, token) = (hall.url(""), hall.token.clone());
    let summaries = tokio::task::spawn_blocking(move || {
        let target = Target::Server { url: &url, token: &token };
        let stranger = cases(&whole, None, &Target::Server { url: &url, token: "wrong" });
        assert!(stranger.is_err_and(|error| error.to_string().contains("401")), "a wrong token is named");
        [&part, &whole, &whole].map(|file| counts(&cases(file, None, &target).unwrap()))
    });
    assert_eq!(summaries.await.unwrap(), [(400, 400, 0, 0), (1_500, 1_100, 0, 400), (1_500, 0, 0, 1_500)]);
    hall.running.stop().await.unwrap();
}
