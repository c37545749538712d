//! Another policy through the doors of a running hall and of a stopped one: who may, what is said, what holds afterwards.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command as Process;

use domain::grant::Grant;
use domain::moment::UtcMillis;
use domain::role::Role;
use domain::scope::Scope;
use serde_json::{Value, json};
use server::access::{Doer, NewToken};

use crate::http::{Reply, Served, report, served};

const NOW: UtcMillis = UtcMillis(1_795_226_400_000);

/// The policy a hall begins with, as its file.
const FILE: &str = include_str!("../../../config/policy.toml");

/// The example with one class retired, one added and two days of New Year.
pub fn next() -> String {
    let retired = "code = \"E01-10\"\n";
    assert!(FILE.contains(retired));
    let text = FILE.replacen(retired, "code = \"E01-10\"\nretired = true\n", 1);
    let days =
        "work_day_minutes = 480\nexceptions = { \"2027-01-01\" = \"off\", \"2027-01-04\" = \"off\" }\n";
    let text = text.replacen("work_day_minutes = 480\n", days, 1);
    format!(
        "{text}\n[[classes]]\ncode = \"E99-01\"\nkind = \"event\"\nname = {{ zh = \"试验小类\", en = \"Trial\" }}\n"
    )
}

pub async fn post(hall: &Served, secret: &str, kind: &str, query: &str, body: String) -> Reply {
    let bearer = format!("Bearer {secret}");
    let headers = [("authorization", bearer.as_str()), ("content-type", kind), ("accept-language", "en")];
    hall.ask("POST", &format!("/api/v1/policy{query}"), &headers, Some(body)).await
}

async fn token(hall: &Served, new: NewToken) -> String {
    let doer = Doer { by: "test", now: NOW };
    hall.running.hall.access.make_token_noted(doer, new, false).await.unwrap().expose().to_owned()
}

/// A case waiting for dispatch, of the class that is retired.
async fn open_case(hall: &Served) {
    for command in [report("530102"), json!({"accept_case": {"case": 1}}), json!({"file_case": {"case": 1}})]
    {
        let done = hall.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(done.status, 200, "{}", done.text);
    }
}

/// A case of that class that another system has closed already.
async fn close_case(hall: &Served) {
    let opened = 1_700_000_000_000_i64;
    let history = json!({"opened": opened, "stage": "close", "closed": opened + 1});
    let report = &report("530102")["report_case"]["report"];
    let command = json!({"take_over_case": {"report": report, "history": history}});
    let done = hall.post("/api/v1/commands", &json!({ "command": command })).await;
    assert_eq!(done.status, 200, "{}", done.text);
    // Counted where closed cases are laid out.
    while !hall.running.hall.lists.reaches_all() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn events(hall: &Served) -> Vec<Value> {
    hall.get("/api/v1/events?limit=500").await.json()["items"].as_array().unwrap().clone()
}

/// Everything the log holds, as its file has it once it is closed.
fn log_of(dir: &Path) -> Vec<(i64, Vec<u8>)> {
    let db = rusqlite::Connection::open(dir.join(server::folder::DATABASE)).unwrap();
    let mut rows = Vec::new();
    for table in ["events", "blobs"] {
        let count: i64 =
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        rows.push((count, table.into()));
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_define_for_the_whole_city_adopts_a_policy() {
    let hall = served().await;
    let kiosk = token(&hall, NewToken::wide("wall", Role::Kiosk)).await;
    let modest = NewToken { may: Some(Grant::MODEST.into()), ..NewToken::wide("modest", Role::Machine) };
    let modest = token(&hall, modest).await;
    let area = Scope::Within { areas: ["530102".parse().unwrap()].into(), departments: [].into() };
    let define = Some([Grant::Define].into());
    let local =
        token(&hall, NewToken { scope: area, may: define, ..NewToken::wide("local", Role::Machine) }).await;
    for secret in [&kiosk, &modest, &local] {
        assert_eq!(post(&hall, secret, "application/toml", "?dry_run=true", next()).await.status, 403);
        let bearer = format!("Bearer {secret}");
        assert_eq!(hall.ask("GET", "/api/v1/policy", &[("authorization", &bearer)], None).await.status, 403);
    }
    assert_eq!(post(&hall, &hall.token, "text/csv", "", next()).await.status, 415);
    assert_eq!(post(&hall, &hall.token, "application/toml", "?dry_runn=true", next()).await.status, 400);
    let large = "#".repeat((4 << 20) + 1);
    assert_eq!(post(&hall, &hall.token, "application/toml", "", large).await.status, 413);
    assert_eq!(hall.get("/api/v1/policy").await.json()["version"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_what_changes_and_changes_nothing() {
    let hall = served().await;
    open_case(&hall).await;
    close_case(&hall).await;
    let before = events(&hall).await;
    let dry = post(&hall, &hall.token, "application/toml", "?dry_run=true", next()).await;
    assert_eq!(dry.status, 200, "{}", dry.text);
    let answer = dry.json();
    assert_eq!((&answer["adopted"], &answer["version"]), (&json!(false), &json!(0)));
    let said = answer["said"]["en"].as_str().unwrap();
    assert!(said.contains("1 class is retired and stays readable on 2 cases (E01-10)"), "{said}");
    let classes = &answer["change"]["codes"][0];
    assert_eq!((&classes["retired_on"], &classes["retired_on_closed"]), (&json!(1), &json!(1)), "{answer}");
    assert!(said.contains("1 class is new (E99-01)"), "{said}");
    assert!(said.contains("2 holidays and make-up days are added"), "{said}");
    assert!(answer["said"]["zh"].as_str().unwrap().contains("1 个小类停用，2 件案件上仍可查看"));
    assert_eq!(events(&hall).await, before);
    assert_eq!(hall.get("/api/v1/policy").await.json()["version"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_come_into_force_is_refused_with_its_line_and_field() {
    let hall = served().await;
    open_case(&hall).await;
    let refused = async |text: String| post(&hall, &hall.token, "application/toml", "", text).await;
    let slip = refused(FILE.replacen("backdate_days = 30", "backdate_days = \"thirty\"", 1)).await;
    assert_eq!((slip.status, slip.code().as_str()), (400, "malformed_policy"), "{}", slip.text);
    let title = slip.json()["title"].as_str().unwrap().to_owned();
    assert!(title.starts_with("line ") && title.contains("backdate_days"), "{title}");
    let ring = FILE.replacen("level = \"city\"\n", "level = \"city\"\nparent = \"530102\"\n", 1);
    let ring = refused(ring).await;
    assert_eq!(ring.status, 422, "{}", ring.text);
    assert!(ring.text.contains("form a ring") && ring.json()["field"] == "areas", "{}", ring.text);
    let offset = refused(FILE.replacen("utc_offset_minutes = 480", "utc_offset_minutes = 540", 1)).await;
    assert_eq!(offset.status, 422, "{}", offset.text);
    assert!(offset.text.contains("480 never becomes 540"), "{}", offset.text);
    let gone = refused(FILE.replacen("code = \"E01-10\"", "code = \"E01-77\"", 1)).await;
    assert_eq!(gone.status, 422, "{}", gone.text);
    assert!(
        gone.text.contains("1 open case has it") && gone.text.contains("retired = true"),
        "{}",
        gone.text
    );
    let dry = FILE.replacen("code = \"E01-10\"", "code = \"E01-77\"", 1);
    let dry = post(&hall, &hall.token, "application/toml", "?dry_run=true", dry).await.json();
    assert_eq!(dry["refused"][0]["field"], "classes", "{dry}");
    assert_eq!(hall.get("/api/v1/policy").await.json()["version"], 0, "nothing came of any of them");
}

/// Method: a hall running, adopted over the API and by the command, then started again with the old file on its disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adopted_policy_holds_at_once_and_after_a_restart_with_the_old_file() {
    let hall = served().await;
    open_case(&hall).await;
    let done = post(&hall, &hall.token, "application/toml", "", next()).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!((&done.json()["adopted"], &done.json()["version"]), (&json!(true), &json!(1)));
    let new = hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
    assert_eq!((new.status, new.code().as_str()), (422, "retired_code"), "{}", new.text);
    assert_eq!(hall.get("/api/v1/cases/1").await.json()["case"]["report"]["class"], "E01-10");
    let mut trial = report("530102");
    trial["report_case"]["report"]["class"] = "E99-01".into();
    assert_eq!(hall.post("/api/v1/commands", &json!({ "command": trial })).await.status, 200);
    let adopted: Vec<Value> = events(&hall)
        .await
        .into_iter()
        .filter(|event| event.to_string().contains("policy_adopted"))
        .collect();
    assert_eq!(adopted.len(), 1);
    assert!(adopted[0].to_string().contains("city-platform"), "the log says who did it: {}", adopted[0]);
    // The same again, and what it would change now: nothing.
    let again = post(&hall, &hall.token, "application/toml", "", next()).await.json();
    assert_eq!(
        (&again["version"], &again["said"]["en"]),
        (&json!(1), &json!("nothing changes: it is the policy in force"))
    );

    let (file, secret) = (hall.dir.path().join("next.toml"), hall.dir.path().join("token"));
    std::fs::write(&file, next().replacen("forecast_minutes = 30", "forecast_minutes = 45", 1)).unwrap();
    std::fs::write(&secret, &hall.token).unwrap();
    let url = hall.url("");
    let server = ["--server".as_ref(), url.as_ref(), "--token-file".as_ref(), secret.as_os_str()];
    let adopt = [&["policy".as_ref(), "adopt".as_ref(), file.as_os_str()], &server[..]].concat();
    let said = command(&[&adopt[..], &["--dry-run".as_ref()]].concat()).await.unwrap();
    assert_eq!(
        said,
        format!("forecast_minutes: 30 → 45\n{}\ndry run: nothing was changed\n", held_against(1))
    );
    let said = command(&adopt).await.unwrap();
    assert_eq!(said, "forecast_minutes: 30 → 45\nin force as version 2\n");
    let said = command(&[&["policy".as_ref(), "show".as_ref()], &server[..]].concat()).await.unwrap();
    assert!(said.starts_with("# version 2, ") && said.contains("\nforecast_minutes = 45\n"), "{said}");

    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    let again = crate::http::start(dir.path()).await;
    let in_force = again.hall.in_force();
    assert_eq!((in_force.version, in_force.policy.forecast_minutes), (2, 45));
    again.stop().await.unwrap();
}

/// Method: a dry run, another person's adoption, then the adoption that was held against the version before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_held_against_a_version_before_is_refused_and_says_who_adopted_what_when() {
    let hall = served().await;
    let toml = "application/toml";
    let slower = || next().replacen("forecast_minutes = 30", "forecast_minutes = 45", 1);
    let dry = post(&hall, &hall.token, toml, "?dry_run=true", slower()).await.json();
    assert_eq!(dry["version"], 0);
    assert_eq!(post(&hall, &hall.token, toml, "?upon=0", next()).await.status, 200);
    let late = post(&hall, &hall.token, toml, "?upon=0", slower()).await;
    assert_eq!((late.status, late.code().as_str()), (409, "adopted_since"), "{}", late.text);
    let (problem, told) = (late.json(), events(&hall).await);
    let time = UtcMillis(told.last().unwrap()["at"].as_i64().unwrap()).local(domain::moment::UtcOffset(480));
    let when = format!("{} {:02}:{:02}", time.date, time.hour(), time.minute());
    let said = format!(
        "this was held against version 0, and city-platform adopted version 1 of the policy on {when}; nothing was changed, make the dry run again first"
    );
    assert_eq!((problem["title"].as_str().unwrap(), &problem["field"]), (said.as_str(), &json!("upon")));
    assert_eq!(hall.get("/api/v1/policy").await.json()["version"], 1);
    // The one in force, sent again because its answer was lost, is no other; a version to come is none.
    assert_eq!(post(&hall, &hall.token, toml, "?upon=0", next()).await.status, 200);
    assert_eq!(post(&hall, &hall.token, toml, "?upon=7", slower()).await.status, 409);
    assert_eq!(post(&hall, &hall.token, toml, "?upon=soon", slower()).await.status, 400);

    let (file, secret) = (hall.dir.path().join("next.toml"), hall.dir.path().join("token"));
    std::fs::write(&file, slower()).unwrap();
    std::fs::write(&secret, &hall.token).unwrap();
    let url = hall.url("");
    let server = ["--server".as_ref(), url.as_ref(), "--token-file".as_ref(), secret.as_os_str()];
    let adopt = |upon: &'static str| {
        let words = ["policy".as_ref(), "adopt".as_ref(), file.as_os_str(), "--upon".as_ref(), upon.as_ref()];
        [&words[..], &server[..]].concat()
    };
    let late = command(&adopt("0")).await.unwrap_err();
    assert!(late.contains("city-platform") && late.contains("(409)"), "{late}");
    let asked = [&adopt("0")[..], &["--dry-run".as_ref()]].concat();
    let said = command(&asked).await.unwrap();
    assert!(said.contains("held against version 1: with --upon 1 "), "{said}");
    assert!(command(&adopt("1")).await.unwrap().ends_with("in force as version 2\n"));

    // Who did it is known after a restart too, and in the folder of a stopped hall.
    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    std::fs::write(&file, next()).unwrap();
    let folder = ["--data-dir".as_ref(), dir.path().as_os_str(), "--upon".as_ref(), "1".as_ref()];
    let late = [&["policy".as_ref(), "adopt".as_ref(), file.as_os_str()], &folder[..]].concat();
    let late = command(&late).await.unwrap_err();
    assert!(late.contains("and city-platform adopted version 2 of the policy on "), "{late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_adopted_in_the_data_folder_of_a_stopped_hall() {
    let hall = served().await;
    close_case(&hall).await;
    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    let file = dir.path().join("next.toml");
    std::fs::write(&file, next()).unwrap();
    let folder = ["--data-dir".as_ref(), dir.path().as_os_str()];
    let adopt = [&["policy".as_ref(), "adopt".as_ref(), file.as_os_str()], &folder[..]].concat();
    let before = log_of(dir.path());
    let said = command(&[&adopt[..], &["--dry-run".as_ref()]].concat()).await.unwrap();
    assert!(said.ends_with("dry run: nothing was changed\n"), "{said}");
    // From the views as the server left them; without them it says that it does not know.
    assert!(said.contains("stays readable on 1 case (E01-10)"), "{said}");
    let views = dir.path().join(server::views::file::name(server::views::sql::VERSION));
    std::fs::remove_file(&views).unwrap();
    let unknown = command(&[&adopt[..], &["--dry-run".as_ref()]].concat()).await.unwrap();
    assert!(unknown.contains("stays readable on 0 open cases and on closed ones (E01-10)"), "{unknown}");
    assert_eq!(log_of(dir.path()), before);
    assert!(command(&adopt).await.unwrap().ends_with("in force as version 1\n"));
    let slip = dir.path().join("slip.toml");
    std::fs::write(&slip, next().replacen("utc_offset_minutes = 480", "utc_offset_minutes = 540", 1))
        .unwrap();
    let slip = [&["policy".as_ref(), "adopt".as_ref(), slip.as_os_str()], &folder[..]].concat();
    let refused = command(&slip).await.unwrap_err();
    assert!(refused.contains("480 never becomes 540"), "{refused}");
    let running = crate::http::start(dir.path()).await;
    assert_eq!(running.hall.in_force().version, 1);
    // While it runs its folder is its own.
    let busy = command(&adopt).await.unwrap_err();
    assert!(busy.contains("gridhall.db") || busy.contains("another"), "{busy}");
    running.stop().await.unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    let none = [
        "policy".as_ref(),
        "adopt".as_ref(),
        file.as_os_str(),
        "--data-dir".as_ref(),
        nowhere.path().as_os_str(),
    ];
    assert!(command(&none).await.unwrap_err().contains("there is no store in"));
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "and none was made");
}

/// The line of a dry run that says how to adopt just that.
pub fn held_against(version: u64) -> String {
    format!(
        "held against version {version}: with --upon {version} it is refused when another one comes into force meanwhile"
    )
}

/// Runs the command line; what it prints, or what it says when it fails.
pub async fn command(arguments: &[&OsStr]) -> Result<String, String> {
    let mut process = Process::new(env!("CARGO_BIN_EXE_gridhall"));
    process.args(arguments);
    let output = tokio::task::spawn_blocking(move || process.output().unwrap()).await.unwrap();
    let [said, failed] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if output.status.success() { Ok(said) } else { Err(failed) }
}
