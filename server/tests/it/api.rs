//! The REST doors as programs meet them: phones of any age, the log in pages, refusals all in one form.

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::{Value, json};
use server::clock::Clock;

use crate::http::{Served, report, served, served_with};
use crate::roles::Sender;

impl Served {
    /// Sends one fix to the phones' door; status, and the field of a refusal.
    async fn phone(&self, method: &str, query: &str, kind: &str, body: &str) -> (u16, String) {
        let body = (method == "POST").then(|| body.to_owned());
        let headers = [("content-type", kind)];
        let headers = if method == "POST" { &headers[..] } else { &[] };
        let reply = self.ask(method, &format!("/osmand{query}"), headers, body).await;
        if reply.status == 200 {
            return (200, String::new());
        }
        (reply.status, reply.json()["field"].as_str().unwrap_or("").to_owned())
    }

    /// Where an inspector was last, once the next tick has taken it over.
    async fn seen_at(&self, lat: f64) -> bool {
        for _ in 0..100 {
            let items = self.get("/api/v1/positions").await.json()["items"].as_array().unwrap().clone();
            if items.iter().any(|row| row["place"]["lat"].as_f64().is_some_and(|at| (at - lat).abs() < 1e-5))
            {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_old_and_new_report_through_one_door() {
    let hall = served().await;
    let secret = hall.running.hall.access.make_token("J0007", Role::Inspector, UtcMillis(0)).await.unwrap();
    let secret = secret.expose();
    let now = Clock::machine().now().0;
    let form =
        |lat: &str, ms: i64| format!("id={secret}&lat={lat}&lon=102.71&timestamp={ms}&speed=2.0&bearing=90");
    // As Traccar Client sends it since version 9.
    let json = |device: &str, lat: Value, ms: i64| {
        let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
        let coords = json!({ "latitude": lat, "longitude": 102.71, "accuracy": 5, "speed": -1, "heading": -1,
            "altitude": 5, "floor": null });
        json!({ "device_id": device, "location": { "timestamp": timestamp, "coords": coords, "is_moving": false,
            "odometer": 0, "event": "motionchange", "battery": { "level": 1, "is_charging": false },
            "activity": { "type": "still" }, "extras": {} } })
        .to_string()
    };
    let (plain, coded) = ("application/json", "application/x-www-form-urlencoded");
    assert_eq!(hall.phone("GET", &format!("?{}", form("25.01", now)), coded, "").await.0, 200);
    assert!(hall.seen_at(25.01).await);
    assert_eq!(hall.phone("POST", "", coded, &form("25.02", now + 1)).await.0, 200);
    assert!(hall.seen_at(25.02).await);
    assert_eq!(hall.phone("POST", "", plain, &json(secret, json!(25.03), now + 2)).await.0, 200);
    assert!(hall.seen_at(25.03).await);
    for (kind, body, expected) in [
        (plain, json("someone", json!(25.0), now), (401, "id")),
        (plain, "{".to_owned(), (400, "")),
        (coded, "lat=25&lon=102".to_owned(), (400, "id")),
    ] {
        let (status, field) = hall.phone("POST", "", kind, &body).await;
        assert_eq!((status, field.as_str()), expected, "{body}");
    }
    hall.running.stop().await.unwrap();
}

/// A phone as the stock apps behave: oldest first; one that is not answered 200 is sent again before any other. What can
/// never be taken must not hold up what comes after it, in any form.
#[tokio::test(flavor = "multi_thread")]
async fn a_phones_queue_gets_past_what_can_never_be_taken() {
    let bounds = domain::place::Bounds { south: 24.3, west: 102.1, north: 26.6, east: 103.7 };
    let policy = tempfile::NamedTempFile::new().unwrap();
    let text = "bounds = { south = 24.3, west = 102.1, north = 26.6, east = 103.7 }\n";
    std::fs::write(policy.path(), text).unwrap();
    let hall = served_with(|config| config.policy.overlays.push(policy.path().to_owned())).await;
    assert_eq!(hall.running.hall.policy().bounds, Some(bounds));
    let now = Clock::machine().now().0;
    let week = 7 * domain::moment::DAY_MS;
    let never = [
        ("outside the bounds", json!(39.9042), json!(116.4074), now - 50_000),
        ("week rollover", json!(25.0407), json!(102.7124), now - 1024 * week),
        ("clock ahead", json!(25.0407), json!(102.7124), now + 3_600_000),
        ("before all time", json!(25.0407), json!(102.7124), i64::MIN / 2),
        ("off the globe", json!(95.0), json!(102.7124), now - 50_000),
        ("no number", json!("NaN"), json!(102.7124), now - 50_000),
        ("no fix", Value::Null, json!(102.7124), now - 50_000),
    ];
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (phone, form) in ["query", "form", "json"].into_iter().enumerate() {
        let name = format!("J100{phone}");
        let secret = hall.running.hall.access.make_token(&name, Role::Inspector, UtcMillis(0)).await.unwrap();
        let secret = secret.expose();
        let (first, last) = (25.1 + phone as f64 / 100.0, 25.2 + phone as f64 / 100.0);
        let mut queue = vec![("in the city", json!(first), json!(102.71), now - 60_000)];
        queue.extend(never.iter().cloned());
        queue.push(("back", json!(last), json!(102.72), now - 10_000));
        for (what, lat, lon, at) in queue {
            let words = format!("id={secret}&lat={}&lon={}&timestamp={at}", plain(&lat), plain(&lon));
            let json = json!({ "device_id": secret, "location": { "timestamp": at,
                "coords": { "latitude": lat, "longitude": lon } } });
            let (status, field) = match form {
                "query" => hall.phone("GET", &format!("?{words}"), "", "").await,
                "form" => hall.phone("POST", "", "application/x-www-form-urlencoded", &words).await,
                _ => hall.phone("POST", "", "application/json", &json.to_string()).await,
            };
            assert_eq!((status, field.as_str()), (200, ""), "{form}: {what}");
        }
        assert!(hall.seen_at(last).await, "{form}: the inspector is where he is");
    }
    let metrics = hall.get("/metrics").await.text;
    for outcome in ["outside_bounds", "too_old", "future", "unreadable"] {
        let line = format!("gridhall_position_fixes_total{{outcome=\"{outcome}\"}}");
        assert!(metrics.contains(&line), "{line} is not counted");
    }
    // What a person must mend stays a refusal.
    assert_eq!(hall.phone("GET", "?id=nobody&lat=25&lon=102", "", "").await, (401, "id".to_owned()));
    hall.running.stop().await.unwrap();
}

/// A day of somebody who reports each second is two answers and more, not one of any size.
#[tokio::test(flavor = "multi_thread")]
async fn a_track_is_read_in_pages_that_name_the_next() {
    let hall = served().await;
    let lin = Sender::account(&hall, "lin", &[Role::Supervisor], None, None).await;
    let from = Clock::machine().now().0 / 1_000 * 1_000 - 40_000_000;
    let fix = |second: i64| {
        let place = json!({ "lat": 25.0, "lon": 102.7 });
        json!({ "inspector": "J0042", "place": place, "fixed": from + second * 1_000 })
    };
    for batch in [0..9_000, 9_000..14_000] {
        let fixes: Vec<Value> = batch.map(fix).collect();
        let reply = hall.post("/api/v1/positions", &json!({ "fixes": fixes })).await.json();
        assert_eq!(reply["refused"], json!([]));
    }
    // What is on its way to the disk is read a moment later.
    for attempt in 0.. {
        let mut path = format!("/api/v1/positions/J0042/track?from={from}&to={}", from + 20_000_000);
        let (mut sizes, mut last) = (Vec::new(), i64::MIN);
        loop {
            let reply = lin.ask(&hall, "GET", &path).await;
            let points = reply.json();
            for point in points.as_array().unwrap() {
                assert!(point["fixed"].as_i64().unwrap() > last);
                last = point["fixed"].as_i64().unwrap();
            }
            sizes.push(points.as_array().unwrap().len());
            let Some(link) = reply.headers.get("link") else { break };
            let link = link.to_str().unwrap();
            path = link.strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
            assert!(link.ends_with("rel=\"next\""), "{link}");
        }
        assert!(sizes.iter().all(|size| *size <= 10_000), "{sizes:?}");
        if sizes == [10_000, 4_000] {
            break;
        }
        assert!(attempt < 200, "{sizes:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // What lies closer than a second says nothing new: acknowledged, not kept.
    let mut close = fix(14_000);
    let close: Vec<Value> = (0..50)
        .map(|step| {
            close["fixed"] = json!(from + 15_000_000 + step * 100);
            close.clone()
        })
        .collect();
    let reply = hall.post("/api/v1/positions", &json!({ "fixes": close })).await.json();
    assert_eq!(reply["taken"], 50);
    let track = |more: &str| {
        let (begin, end) = (from + 15_000_000, from + 16_000_000);
        format!("/api/v1/positions/J0042/track?from={begin}&to={end}{more}")
    };
    for attempt in 0.. {
        let points = lin.ask(&hall, "GET", &track("")).await.json().as_array().unwrap().len();
        if points == 5 {
            break;
        }
        assert!(points < 5 && attempt < 400, "{points}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(lin.ask(&hall, "GET", &track("&limit=0")).await.status, 400);
    hall.running.stop().await.unwrap();
}

/// Follows the log from `after` to its end; every line.
async fn read_on(hall: &Served, mut after: u64, filter: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for _ in 0..1_000 {
        let page = hall.get(&format!("/api/v1/events?after={after}&limit={limit}{filter}")).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        all.extend(items.iter().cloned());
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return all,
        }
    }
    panic!("the log does not end");
}

fn seqs(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_on_from_anywhere() {
    let hall = served().await;
    let command =
        |index: u32| json!({ "command": report(if index.is_multiple_of(3) { "530103" } else { "530102" }) });
    let commands: Vec<Value> = (0..30).map(command).collect();
    let reply = hall.post("/api/v1/commands", &json!({ "commands": commands })).await.json();
    let head = reply["results"][29]["taken"]["last_seq"].as_u64().unwrap();
    let all = read_on(&hall, 0, "", 7).await;
    assert_eq!(seqs(&all), (1..=head).collect::<Vec<_>>());
    assert_eq!(seqs(&read_on(&hall, 11, "", 500).await), (12..=head).collect::<Vec<_>>());
    let of_area: Vec<u64> = all
        .iter()
        .filter(|line| {
            line["case"]["area_path"].as_array().is_some_and(|path| path.contains(&json!("530103")))
        })
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    assert!(of_area.len() >= 10 && of_area.len() < all.len());
    assert_eq!(seqs(&read_on(&hall, 0, "&area=530103", 4).await), of_area);
    let case = hall.get("/api/v1/cases/4").await.json();
    let timeline = seqs(case["timeline"].as_array().unwrap());
    assert_eq!(seqs(&read_on(&hall, 0, "&case=4", 1).await), timeline);
    assert!(read_on(&hall, 0, "&case=4&area=530102", 9).await.is_empty());
    // Whoever is ahead of the log sees by head and epoch that it is not his.
    let ahead = hall.get("/api/v1/events?after=18446744073709551615").await.json();
    assert_eq!((&ahead["head"], &ahead["next"], &ahead["items"]), (&json!(head), &Value::Null, &json!([])));
    assert_eq!(ahead["epoch"], hall.get("/api/v1/tally").await.json()["epoch"]);
    for (query, word) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("after=-1", "after"),
        ("area=%20", "area"),
        ("seq=1", "seq"),
    ] {
        let refused = hall.get(&format!("/api/v1/events?{query}")).await;
        assert!(refused.status == 400 && refused.text.contains(word), "{query}: {}", refused.text);
    }
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_the_one_form() {
    let hall = served().await;
    for (path, status) in [
        ("/live", 426),
        ("/live?format=xml", 400),
        ("/api/v1/video", 426),
        ("/api/v1/live/snapshot", 400),
        ("/api/v1/live/snapshot?topic=weather", 400),
        ("/api/v1/live/snapshot?topic=tally&speed=1", 400),
        ("/api/v1/cameras/%FF", 400),
        ("/api/v1/cameras/none", 404),
        ("/api/v1/cases/%FF", 400),
        ("/api/v1/map/layers/first", 400),
        ("/tiles/1/2/%FF", 400),
        ("/api/v1/nothing", 404),
    ] {
        let reply = hall.get(path).await;
        let kind = reply.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        assert_eq!((reply.status, kind.as_deref()), (status, Some("application/problem+json")), "{path}");
        let problem = reply.json();
        assert_eq!(problem["status"], status, "{path}");
        assert!(["code", "title"].iter().all(|field| problem[field].is_string()), "{path}: {problem}");
    }
    hall.running.stop().await.unwrap();
}

/// Every operation states what the door and the layers around it may answer, and every error is a problem.
#[test]
fn the_description_states_every_refusal() {
    let api: Value = serde_json::from_str(&server::http::openapi::description()).unwrap();
    let mut seen = 0;
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            let open = operation.get("security").is_some();
            let mut expected = vec!["500"];
            expected.extend(if open { &[][..] } else { &["401", "403"] });
            expected.extend(if operation.get("requestBody").is_some() {
                &["400", "408", "413", "503"][..]
            } else {
                &[]
            });
            for status in expected {
                assert!(answers.contains_key(status), "{method} {path} does not state {status}");
            }
            for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} operations");
    for path in ["/live", "/api/v1/live/snapshot", "/api/v1/events", "/api/v1/video"] {
        assert!(api["paths"][path]["get"].is_object(), "{path} is not described");
    }
    let phone = &api["paths"]["/osmand"]["post"]["requestBody"]["content"];
    assert!(phone["application/json"].is_object() && phone["application/x-www-form-urlencoded"].is_object());
}

/// Two seats look at the same case; Enter at the second one, pressed for 派遣, must not finish the disposal.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_on_what_is_no_more_is_refused_with_what_happened() {
    let hall = served().await;
    let case =
        hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await.json()["case"].clone();
    for step in ["accept_case", "file_case"] {
        let sent = hall.post("/api/v1/commands", &json!({ "command": { step: { "case": case } } })).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
    }
    let path = format!("/api/v1/cases/{case}");
    let seen = hall.get(&path).await.json()["case"]["version"].clone();
    let department = hall.get("/api/v1/catalogue").await.json()["departments"][0]["code"].clone();
    let dispatch = json!({ "dispatch_case": { "case": case, "department": department } });
    let note = json!({ "note_case": { "case": case, "text": "催办" } });
    assert_eq!(hall.post("/api/v1/commands", &json!({ "command": note })).await.status, 200);
    let first = json!({ "seen": seen, "command": dispatch });
    assert_eq!(hall.post("/api/v1/commands", &first).await.status, 200, "a note is no step");
    let finish = json!({ "seen": seen, "command": { "finish_disposal": { "case": case } } });
    for late in [&finish, &first] {
        let refused = hall.post("/api/v1/commands", late).await;
        let problem = refused.json();
        assert_eq!((refused.status, &problem["code"]), (409, &json!("moved_on")), "{problem}");
        let words = problem["title"].as_str().unwrap();
        assert!(words.contains("“Sent”") && words.contains("“Dispose”"), "{words}");
    }
    let stands = hall.get(&path).await.json();
    assert_eq!(stands["case"]["stage"], "dispose");
    assert_eq!(stands["case"]["steps"].as_array().unwrap().len(), 3);
    let last = stands["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["by"]["door"], &last["by"]["name"]), (&json!("api"), &last["actor"]), "{last}");
    let again =
        json!({ "seen": stands["case"]["version"], "command": { "finish_disposal": { "case": case } } });
    assert_eq!(hall.post("/api/v1/commands", &again).await.status, 200);
    hall.running.stop().await.unwrap();
}
