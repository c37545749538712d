//! What a drill refuses, in words, with nothing lost or changed.

use domain::drill::{INJECTS_MAX, OPEN_MAX};
use domain::role::Role;
use serde_json::{Value, json};

use super::{case_at, city, rows};
use crate::http::{Served, report, served};
use crate::roles::Sender;

async fn refusal(sender: &Sender, hall: &Served, path: &str, body: &Value) -> (u16, String, String) {
    let reply = sender.post(hall, path, body).await;
    let told = reply.json();
    let text = |field: &str| told[field].as_str().unwrap_or("").to_owned();
    (reply.status, text("code"), text("field"))
}

fn of(status: u16, code: &str, field: &str) -> (u16, String, String) {
    (status, code.to_owned(), field.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_prepared_is_refused_with_its_field() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let before = rows(hall.dir.path());
    let with = |injects: Vec<Value>| json!({ "title": "演练", "injects": injects });
    let changed = |field: &str, value: Value| {
        let mut inject = case_at(0);
        inject["what"]["case"][field] = value;
        with(vec![case_at(0), inject])
    };
    let whistle = |call: Value| with(vec![json!({ "after_s": 0, "what": { "whistle": call } })]);
    let call = |case: Value, called: Value| {
        whistle(
            json!({ "level": "street", "area": "530103", "title": "抽排", "case": case, "called": called }),
        )
    };
    for (body, expected) in [
        (json!({ "title": "" }), of(422, "drill_title", "title")),
        (json!({ "title": "防汛\u{1b}[31m" }), of(422, "drill_title", "title")),
        (json!({ "title": "演练\n第二行" }), of(422, "drill_title", "title")),
        (json!({ "title": "x".repeat(301) }), of(422, "drill_title", "title")),
        (json!({ "title": "演练", "pace": 8 }), of(400, "malformed_json", "pace")),
        (with(vec![case_at(0); INJECTS_MAX + 1]), of(422, "too_many_injects", "injects")),
        (with(vec![case_at(86_401)]), of(422, "inject_too_late", "injects[0].after_s")),
        (
            with(vec![json!({ "after_s": -1, "what": case_at(0)["what"] })]),
            of(400, "malformed_json", "injects[0].after_s"),
        ),
        (changed("area", json!("999999")), of(422, "inject_refused", "injects[1].what.area")),
        (changed("class", json!("Z99")), of(422, "inject_refused", "injects[1].what.class")),
        (changed("address", json!("路\u{0}")), of(422, "inject_refused", "injects[1].what.address")),
        (changed("reporter", json!("王某")), of(422, "of_real_people", "injects[1].what.reporter")),
        (call(json!(1), json!(["urban"])), of(422, "inject_names_case", "injects[0].what.case")),
        (call(Value::Null, json!(["nobody"])), of(422, "inject_refused", "injects[0].what.called")),
    ] {
        assert_eq!(refusal(&director, &hall, "/api/v1/drills", &body).await, expected, "{body}");
    }
    assert_eq!(director.ask(&hall, "GET", "/api/v1/drills").await.json()["items"], json!([]));
    assert!(!hall.dir.path().join("worlds").exists(), "nothing was left behind");
    assert_eq!(rows(hall.dir.path()), before);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_obeys_its_director_alone_and_within_its_bounds() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let other = Sender::person(&hall, "周敏", &[Role::Dispatcher], None).await;
    let viewer = Sender::person(&hall, "观摩", &[Role::Viewer], None).await;
    let street = Sender::seeing(&hall, "街道", &[Role::Dispatcher], &["530102"]).await;
    let (id, base) = director.drill(&hall, "演练", &[case_at(60)]).await;
    let (clock, stop, enter) = (
        format!("{base}/api/v1/world/clock"),
        format!("/api/v1/drills/{id}/stop"),
        format!("/api/v1/drills/{id}/enter"),
    );
    let entered = json!({ "what": case_at(0)["what"] });
    for (path, body) in
        [(&clock, json!({ "pace_milli": 1_000 })), (&stop, json!({})), (&enter, entered.clone())]
    {
        assert_eq!(refusal(&other, &hall, path, &body).await, of(403, "not_its_director", ""), "{path}");
        let (status, ..) = refusal(&viewer, &hall, path, &body).await;
        assert_eq!(status, 403, "{path}");
    }
    for sender in [&viewer, &street] {
        let (status, ..) = refusal(sender, &hall, "/api/v1/drills", &json!({ "title": "演练" })).await;
        assert_eq!(status, 403);
    }
    for pace in [1, 999, 8_001, 60_000] {
        assert_eq!(
            refusal(&director, &hall, &clock, &json!({ "pace_milli": pace })).await,
            of(422, "drill_pace", "pace_milli")
        );
    }
    for (body, expected) in [
        (json!({ "at": 0 }), of(400, "bad_request", "at")),
        (json!({}), of(400, "bad_request", "pace_milli")),
        (json!({ "pace_milli": -1 }), of(400, "malformed_json", "pace_milli")),
    ] {
        assert_eq!(refusal(&director, &hall, &clock, &body).await, expected, "{body}");
    }
    let mut real = entered.clone();
    real["what"]["case"]["reporter"] = json!("王某");
    assert_eq!(refusal(&director, &hall, &enter, &real).await, of(422, "of_real_people", "reporter"));
    let mut unknown = entered.clone();
    unknown["what"]["case"]["area"] = json!("999999");
    assert_eq!(refusal(&director, &hall, &enter, &unknown).await, of(422, "unknown_code", "area"));
    for id in ["drill-00000000", "drill-1", "replay-00000000", "..%2f..", "x"] {
        let (status, code, _) =
            refusal(&director, &hall, &format!("/api/v1/drills/{id}/stop"), &json!({})).await;
        assert_eq!((status, code.as_str()), (404, "not_found"), "{id}");
    }
    // What happens by hand under one key happens once.
    let keyed = json!({ "key": "0190a0b0-0000-7000-8000-000000000009", "what": case_at(0)["what"] });
    for replayed in [false, true] {
        let answer = director.post(&hall, &enter, &keyed).await.json();
        assert_eq!((&answer["case"], &answer["replayed"]), (&json!(1), &json!(replayed)));
    }
    assert_eq!(city(&hall, &director, &base, "open").await, 1);
    // Nothing of the city is done below a drill's address.
    for (path, body) in [
        ("/api/v1/tokens", json!({ "name": "x", "role": "viewer" })),
        ("/api/v1/drills", json!({ "title": "演练中的演练" })),
        ("/api/v1/cameras/adopt", json!({})),
    ] {
        let admin = Sender::person(&hall, "管理", &[Role::Admin, Role::Supervisor], None).await;
        let reply = admin.post(&hall, &format!("{base}{path}"), &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (409, "not_in_a_drill"), "{path}: {}", reply.text);
    }
    assert_eq!(director.post(&hall, &stop, &json!({})).await.status, 200);
    for (path, body) in [(&stop, json!({})), (&enter, entered)] {
        assert_eq!(refusal(&director, &hall, path, &body).await, of(409, "drill_stopped", ""), "{path}");
    }
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_drills_are_open_as_may_be_and_a_place_is_given_back() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let mut last = String::new();
    for _ in 0..OPEN_MAX {
        last = director.drill(&hall, "演练", &[]).await.0;
    }
    let one_more = json!({ "title": "又一场" });
    assert_eq!(refusal(&director, &hall, "/api/v1/drills", &one_more).await, of(409, "too_many_drills", ""));
    assert_eq!(director.post(&hall, &format!("/api/v1/drills/{last}/stop"), &json!({})).await.status, 200);
    director.drill(&hall, "又一场", &[]).await;
    // The city goes on meanwhile.
    assert_eq!(hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await.status, 200);
    hall.running.stop().await.unwrap();
}

/// A director who knows of a real case that waits may end the drill; of one that came since they must hear first.
#[tokio::test(flavor = "multi_thread")]
async fn ending_a_drill_over_a_real_case_needs_a_second_word_about_that_case() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let (id, _) = director.drill(&hall, "演练", &[]).await;
    let stop = format!("/api/v1/drills/{id}/stop");
    let mut cases = Vec::new();
    for area in ["530102", "530103"] {
        let real =
            hall.post("/api/v1/commands", &json!({ "command": super::first_level(area) })).await.json();
        cases.push(real["case"].clone());
        let known = json!({ "leaving": cases[..cases.len() - 1] });
        assert_eq!(
            refusal(&director, &hall, &stop, &known).await,
            of(409, "real_case_unanswered", "leaving")
        );
    }
    assert_eq!(director.told(&hall, &id).await["stage"], "prepared");
    let stopped = director.post(&hall, &stop, &json!({ "leaving": cases })).await;
    assert_eq!(stopped.status, 200, "{}", stopped.text);
    let record =
        std::fs::read_to_string(hall.dir.path().join("worlds").join(&id).join("drill.jsonl")).unwrap();
    assert!(record.lines().last().unwrap().contains(r#""leaving":[1,2]"#), "{record}");
    hall.running.stop().await.unwrap();
}
