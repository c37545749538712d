//! The doors of the hall as a stranger, a browser and a machine meet them, on a real server.

use std::path::Path;

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::Config;
use server::serve::{self, Running};

/// A server on a free port with its own folder.
pub struct Served {
    pub running: Running,
    /// Of a machine.
    pub token: String,
    pub dir: tempfile::TempDir,
}

pub async fn served() -> Served {
    served_with(|_| {}).await
}

/// As [`served`], with settings of its own.
pub async fn served_with(set: impl FnOnce(&mut Config)) -> Served {
    served_on(tempfile::tempdir().unwrap(), set).await
}

/// As [`served_with`], on a folder that may hold a store already.
pub async fn served_on(dir: tempfile::TempDir, set: impl FnOnce(&mut Config)) -> Served {
    let running = start_with(dir.path(), set).await;
    let token = running.hall.access.make_token("city-platform", Role::Machine, UtcMillis(0)).await.unwrap();
    Served { running, token: token.expose().to_owned(), dir }
}

pub async fn start(dir: &Path) -> Running {
    start_with(dir, |_| {}).await
}

pub async fn start_with(dir: &Path, set: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::default();
    set(&mut config);
    config.store.dir = dir.to_owned();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    serve::start(config).await.unwrap()
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }
}

impl Served {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    /// Sends with headers; blocking work leaves the runtime free.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default()).unwrap();
        tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent =
                ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
            let mut answer = agent.run(request).unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Reply {
                status,
                headers,
                text: String::from_utf8_lossy(&answer.body_mut().read_to_vec().unwrap()).into_owned(),
            }
        })
        .await
        .unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, body.to_string()).await
    }

    async fn post_text(&self, path: &str, body: String) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.ask("POST", path, &[headers[0], headers[1], ("accept-language", "en")], Some(body)).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[("authorization", &format!("Bearer {}", self.token))], None).await
    }
}

impl Served {
    /// Newest positions, once the next tick has taken them over.
    pub async fn newest(&self) -> Vec<Value> {
        for _ in 0..100 {
            let items = self.get("/api/v1/positions").await.json()["items"].as_array().unwrap().clone();
            if !items.is_empty() {
                return items;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Vec::new()
    }
}

impl Served {
    /// How many problems of each code the server has counted. All tests of a process share the counters.
    async fn problems(&self) -> std::collections::BTreeMap<String, u64> {
        let text = self.get("/metrics").await.text;
        let lines = text.lines().filter_map(|line| line.strip_prefix("gridhall_http_problems_total{code=\""));
        lines
            .map(|line| {
                let (code, count) = line.split_once("\"} ").unwrap();
                (code.to_owned(), count.parse().unwrap())
            })
            .collect()
    }
}

pub fn report(area: &str) -> Value {
    json!({ "report_case": { "report": { "source": "hotline", "class": "E01-10", "area": area, "address": "北京路" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_asked_who_he_is_at_every_door() {
    let hall = served().await;
    for path in [
        "/api/v1/cases",
        "/api/v1/tally",
        "/api/v1/catalogue",
        "/api/v1/cameras",
        "/api/v1/positions",
        "/api/v1/live/snapshot?topic=tally",
        "/api/openapi.json",
        "/api/docs/",
        "/metrics",
        "/live",
        "/api/v1/video",
    ] {
        let reply = hall.ask("GET", path, &[], None).await;
        assert_eq!(reply.status, 401, "{path}: {}", reply.text);
        let reply = hall.ask("GET", path, &[("authorization", "Bearer wrong")], None).await;
        assert_eq!(reply.status, 401, "{path} with a wrong token");
    }
    assert_eq!(hall.ask("GET", "/healthz", &[], None).await.status, 200);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_once_and_again_in_the_same_words() {
    let hall = served().await;
    let row = json!({ "key": "0190a0b0-0000-7000-8000-000000000001", "command": report("530102") });
    let first = hall.post("/api/v1/commands", &row).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.json()["case"], 1);
    let again = hall.post("/api/v1/commands", &row).await.json();
    assert_eq!((&again["case"], &again["replayed"]), (&json!(1), &json!(true)));
    let other = json!({ "key": "0190a0b0-0000-7000-8000-000000000001", "command": report("530103") });
    let reused = hall.post("/api/v1/commands", &other).await;
    assert_eq!((reused.status, reused.code().as_str()), (409, "key_reused"));
    let case = hall.get("/api/v1/cases/1").await.json();
    assert_eq!(case["case"]["report"]["address"], "北京路");
    assert_eq!(case["timeline"].as_array().unwrap().len(), 1);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_named_and_the_good_ones_go_on() {
    let hall = served().await;
    let rows = json!({ "commands": [
        { "command": report("530102") },
        { "command": report("999999") },
        { "command": { "report_case": { "report": { "source": "hotline" } } } },
        { "command": { "dance": {} } },
        { "command": { "close_case": { "case": 1 } } },
        { "key": "not a uuid", "command": report("530102") },
        { "command": { "accept_case": { "case": 1 } }, "extra": 1 },
        { "command": "pass_deadlines" },
        { "command": report("530103") },
    ]});
    let reply = hall.post("/api/v1/commands", &rows).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let results = reply.json()["results"].as_array().unwrap().clone();
    let codes: Vec<&str> =
        results.iter().map(|row| row["refused"]["code"].as_str().unwrap_or("taken")).collect();
    let expected = [
        "taken",
        "unknown_code",
        "malformed_command",
        "malformed_command",
        "wrong_stage",
        "malformed_command",
        "malformed_command",
        "not_allowed",
        "taken",
    ];
    assert_eq!(codes, expected, "{results:#?}");
    assert!(results[2]["refused"]["title"].as_str().unwrap().contains("class"), "{:?}", results[2]);
    let fields: Vec<&str> =
        results.iter().map(|row| row["refused"]["field"].as_str().unwrap_or("")).collect();
    let expected = [
        "",
        "commands[1].area",
        "commands[2].command.report_case.report",
        "commands[3].command",
        "commands[4].case",
        "commands[5].key",
        "commands[6].extra",
        "commands[7]",
        "",
    ];
    assert_eq!(fields, expected);
    let counted = hall.problems().await;
    let count = |code: &str| counted.get(code).copied().unwrap_or(0);
    assert!(count("malformed_command") >= 4 && count("wrong_stage") >= 1, "{counted:?}");
    assert_eq!(hall.get("/api/v1/cases?open=true").await.json()["items"].as_array().unwrap().len(), 2);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_times_circles_and_floods_leave_the_hall_running() {
    let hall = served().await;
    let past = |field: &str, at: i64| {
        let mut history = json!({ "opened": 0, "stage": "dispatch", "due": null });
        history[field] = json!(at);
        let report = report("530102")["report_case"]["report"].clone();
        json!({ "command": { "take_over_case": { "report": report, "history": history } } })
    };
    for field in ["opened", "closed", "due"] {
        for at in [i64::MIN, -1_000_000_000_000_000, -62_167_219_200_000, i64::MAX] {
            let refused = hall.post("/api/v1/commands", &past(field, at)).await;
            assert_eq!((refused.status, refused.code().as_str()), (422, "impossible_time"), "{field} {at}");
            assert_eq!(refused.json()["field"], field);
        }
    }
    let define = |code: &str, level: &str, parent: &str| {
        let name = json!({ "zh": code });
        let area = json!({ "area": { "code": code, "level": level, "parent": parent, "name": name } });
        json!({ "command": { "define_catalogue": { "entries": [area] } } })
    };
    assert_eq!(hall.post("/api/v1/commands", &define("X1", "street", "530102")).await.status, 200);
    assert_eq!(hall.post("/api/v1/commands", &define("X2", "community", "X1")).await.status, 200);
    let circle = hall.post("/api/v1/commands", &define("X1", "street", "X2")).await;
    assert_eq!((circle.status, circle.code().as_str()), (422, "out_of_range"), "{}", circle.text);
    let mut flood = report("X2");
    flood["report_case"]["report"]["external"] = json!({ "system": "nyc", "id": "x".repeat(3_900_000) });
    let flood = hall.post("/api/v1/commands", &json!({ "command": flood })).await;
    assert_eq!((flood.status, flood.json()["field"].as_str()), (422, Some("external.id")));
    assert_eq!(hall.post("/api/v1/commands", &json!({ "command": report("X2") })).await.status, 200);
    let tally = hall.get("/api/v1/tally?measure=open&dimension=area:X1").await.json();
    assert_eq!(tally["cells"]["open|area:X1|now"], 1, "{tally}");
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_with_a_reason() {
    let hall = served().await;
    let broken = hall.post_text("/api/v1/commands", "{\"command\": ".into()).await;
    assert_eq!((broken.status, broken.code().as_str()), (400, "malformed_json"));
    assert_eq!(hall.post("/api/v1/commands", &json!([1])).await.status, 400);
    assert_eq!(hall.post("/api/v1/commands", &json!({ "commands": [] })).await.status, 400);
    let huge = "x".repeat(5 << 20);
    assert_eq!(hall.post_text("/api/v1/commands", format!("\"{huge}\"")).await.status, 413);
    assert_eq!(hall.get("/api/v1/cases?colour=red").await.status, 400);
    assert_eq!(hall.get("/api/v1/cases?limit=0").await.status, 400);
    assert_eq!(hall.get("/api/v1/cases?cursor=zzz").await.status, 400);
    assert_eq!(hall.get("/api/v1/cases?filed=yesterday").await.status, 400);
    assert_eq!(hall.get("/api/v1/cases/abc").await.status, 400);
    assert_eq!(hall.get("/api/v1/cases/77").await.status, 404);
    assert_eq!(hall.get("/api/v1/nothing").await.status, 404);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_taken_row_by_row_and_read_back() {
    let hall = served().await;
    let now = Clock::machine().now().0;
    let fix = |inspector: &str, lat: f64, fixed: i64| json!({ "inspector": inspector, "place": { "lat": lat, "lon": 102.7 }, "fixed": fixed });
    let batch = json!({ "fixes": [
        fix("J0001", 25.04, now), fix("J0002", 95.0, now), fix("J0003", 25.0, now + 3_600_000), { "inspector": "J4" },
    ]});
    let reply = hall.post("/api/v1/positions", &batch).await.json();
    assert_eq!(reply["taken"], 1);
    let refused: Vec<&str> =
        reply["refused"].as_array().unwrap().iter().map(|row| row["field"].as_str().unwrap()).collect();
    assert_eq!(refused.len(), 3, "{reply:#}");
    assert_eq!(refused, ["fixes[1].place", "fixes[3]", "fixes[2]"]);
    assert!(hall.problems().await.get("malformed_fix").is_some_and(|count| *count >= 2));
    let newest = hall.newest().await;
    assert_eq!(newest[0]["inspector"], "J0001");
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_reports_with_its_token_and_a_stranger_does_not() {
    let hall = served().await;
    let secret = hall.running.hall.access.make_token("J0007", Role::Inspector, UtcMillis(0)).await.unwrap();
    let seconds = Clock::machine().now().0 / 1_000;
    let form =
        |id: &str| format!("/osmand?id={id}&lat=25.04&lon=102.71&timestamp={seconds}&speed=2.0&bearing=90");
    assert_eq!(hall.ask("POST", &form(secret.expose()), &[], None).await.status, 200);
    assert_eq!(hall.ask("GET", &form("J0008"), &[], None).await.status, 401);
    for time in [i64::MIN, i64::MIN + 1, -1_000_000_000_000_000, i64::MAX] {
        let impossible = format!("/osmand?id={}&lat=25.04&lon=102.71&timestamp={time}", secret.expose());
        let reply = hall.ask("POST", &impossible, &[], None).await;
        assert_eq!((reply.status, reply.json()["taken"].as_bool()), (200, Some(false)), "{time}");
        assert!(reply.json()["dropped"]["code"].is_string(), "{}", reply.text);
    }
    let bad = format!("/osmand?id={}&lat=abc&lon=102.71", secret.expose());
    let reply = hall.ask("GET", &bad, &[], None).await;
    assert_eq!((reply.status, reply.json()["dropped"]["field"].as_str()), (200, Some("lat")));
    let nowhere = format!("/osmand?id={}&lon=102.71", secret.expose());
    assert_eq!(hall.ask("GET", &nowhere, &[], None).await.status, 400);
    let newest = hall.newest().await;
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0]["inspector"], "J0007");
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_needs_its_cookie_its_origin_and_its_csrf_token() {
    let hall = served().await;
    hall.running
        .hall
        .access
        .put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, UtcMillis(0))
        .await
        .unwrap();
    let origin = hall.url("");
    let form = json!({ "name": "周敏", "password": "correct horse battery" }).to_string();
    let json_type = ("content-type", "application/json");
    let foreign = [json_type, ("origin", "http://evil.example")];
    let refused = hall.ask("POST", "/api/v1/sign-in", &foreign, Some(form.clone())).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "foreign_origin"));
    let own = [json_type, ("origin", origin.as_str())];
    let signed = hall.ask("POST", "/api/v1/sign-in", &own, Some(form)).await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    let cookie = signed.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let csrf = signed.json()["csrf"].as_str().unwrap().to_owned();
    let row = json!({ "command": report("530102") }).to_string();
    let without = [json_type, ("origin", origin.as_str()), ("cookie", cookie)];
    let refused = hall.ask("POST", "/api/v1/commands", &without, Some(row.clone())).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "csrf"));
    let with = [json_type, ("origin", origin.as_str()), ("cookie", cookie), ("x-csrf-token", csrf.as_str())];
    assert_eq!(hall.ask("POST", "/api/v1/commands", &with, Some(row)).await.status, 200);
    // Supervision is another power: a dispatcher does not file.
    let accept = json!({ "command": { "accept_case": { "case": 1 } } }).to_string();
    let refused = hall.ask("POST", "/api/v1/commands", &with, Some(accept)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "not_allowed"));
    let socket = [
        ("cookie", cookie),
        ("origin", "http://evil.example"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let refused = hall.ask("GET", "/live", &socket, None).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "foreign_origin"));
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_what_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path()).await;
    let token =
        running.hall.access.make_token("m", Role::Machine, UtcMillis(0)).await.unwrap().expose().to_owned();
    let hall = Served { running, token: token.clone(), dir: tempfile::tempdir().unwrap() };
    hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
    let epoch = hall.get("/api/v1/tally").await.json()["epoch"].clone();
    hall.running.stop().await.unwrap();
    let hall = Served { running: start(dir.path()).await, token, dir: tempfile::tempdir().unwrap() };
    let tally = hall.get("/api/v1/tally?measure=open&dimension=city").await.json();
    assert_eq!((&tally["epoch"], &tally["cells"]["open|city|now"]), (&epoch, &json!(1)));
    hall.running.stop().await.unwrap();
}

/// What is restored is a data folder of its own: who could come in before can, everyone is where they were, and who reported
/// is known still.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_served_as_the_hall_it_was_taken_of() {
    let hall = served().await;
    let mut report = report("530102");
    report["report_case"]["report"]["reporter"] = json!("张三 13800000000");
    hall.post("/api/v1/commands", &json!({ "command": report })).await;
    let fix = json!({ "inspector": "J0001", "place": { "lat": 25.04, "lon": 102.7 }, "fixed": Clock::machine().now().0 });
    assert_eq!(hall.post("/api/v1/positions", &json!({ "fixes": [fix] })).await.status, 200);
    hall.newest().await;
    hall.running.stop().await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (from, backup) = (hall.dir.path().to_owned(), elsewhere.path().join("backup"));
    let to = elsewhere.path().join("data");
    let made = tokio::task::spawn_blocking(move || {
        server::log::backup::backup(&from, &backup, Clock::machine().now().0).unwrap();
        server::log::restore::restore(&backup, &to).unwrap()
    });
    let made = made.await.unwrap();
    let restored = start(&made.folder).await;
    let copy = Served { running: restored, token: hall.token.clone(), dir: elsewhere };
    let case = copy.get("/api/v1/cases/1").await.json()["case"].clone();
    assert_eq!(case["report"]["address"], "北京路");
    assert_eq!(case["report"]["reporter"], "张三 13800000000");
    assert_eq!(copy.newest().await[0]["inspector"], "J0001");
    copy.running.stop().await.unwrap();
}

/// The published description is complete enough that every path and every named type resolves.
#[test]
fn the_api_description_has_no_dangling_reference() {
    let text = server::http::openapi::description();
    let api: Value = serde_json::from_str(&text).unwrap();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("\"#/components/schemas/") {
        rest = &rest[at + 22..];
        let name = &rest[..rest.find('"').unwrap()];
        assert!(api["components"]["schemas"].get(name).is_some(), "`{name}` is not described");
    }
    for path in [
        "/api/v1/commands",
        "/api/v1/cases",
        "/api/v1/tally",
        "/api/v1/overdue",
        "/api/v1/whistles",
        "/api/v1/positions",
        "/api/v1/cameras",
        "/api/v1/cameras/{code}/health",
        "/osmand",
    ] {
        assert!(api["paths"].get(path).is_some(), "{path} is not described");
    }
}
