//! What a replay refuses, in words: writing, what is no stretch, what cannot be read, what is gone.

use axum::http::Method;
use domain::moment::{DAY_MS, MINUTE_MS, UtcMillis};
use domain::place::Point;
use domain::role::Role;
use serde_json::{Value, json};
use server::http::routes::Reach;

use super::{Past, minute, policy, token};
use crate::city;

/// A hall with some cases over two hours.
async fn two_hours() -> Past {
    let past = Past::new().await;
    for _ in 0..12 {
        past.pass(10 * MINUTE_MS).await;
        past.send(city::report_case()).await.unwrap();
    }
    past.pass(MINUTE_MS).await;
    past
}

async fn base_at(past: &Past, at: UtcMillis) -> String {
    let (status, opened) = past.order(minute(11), past.clock.now(), Some(at)).await;
    assert_eq!(status, 201, "{opened}");
    opened["base"].as_str().unwrap().to_owned()
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_changed_in_the_past() {
    let past = two_hours().await;
    let base = base_at(&past, minute(60)).await;
    let machine = token(&past.hall, "m", Role::Machine).await;
    let before = super::everything(past.dir.path());
    let (_, table) = server::http::routes(&past.hall);
    let mut tried = 0;
    for route in table.iter().filter(|route| route.method != Method::GET) {
        let Reach::Of(roles) = route.reach else { continue };
        if matches!(route.path, "/api/v1/sign-out" | "/api/v1/world/clock") {
            continue;
        }
        let sender = if roles.contains(&Role::Supervisor) { &past.admin } else { &machine };
        let path = route.path.replace(['{', '}'], "");
        let body = Some(json!({ "command": "pass_deadlines" }));
        let (status, answer) = past.ask(sender, route.method.as_str(), &format!("{base}{path}"), body).await;
        assert_eq!((status, code(&answer)), (409, "past_is_read_only"), "{} {path}: {answer}", route.method);
        assert!(answer["title"].as_str().unwrap().contains("复盘中不办理"), "{answer}");
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
    for path in ["/api/v1/video", "/api/v1/cameras/x/snapshot.jpg"] {
        let (status, answer) = past.ask(&past.admin, "GET", &format!("{base}{path}"), None).await;
        assert_eq!((status, code(&answer)), (409, "past_not_kept"), "{path}: {answer}");
    }
    assert_eq!(super::everything(past.dir.path()), before);
    past.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_beyond_the_log_or_none_at_all_is_refused_in_words() {
    let empty = Past::new().await;
    let (status, answer) = empty.order(minute(-10), minute(-5), None).await;
    assert_eq!((status, code(&answer)), (422, "before_log"), "{answer}");
    empty.stop().await;
    let past = two_hours().await;
    let now = past.clock.now();
    for (from, to, at, said) in [
        (minute(-60), now, None, "before_log"),
        (minute(11), now.plus(1), None, "after_now"),
        (now, minute(11), None, "wrong_order"),
        (now, now, None, "wrong_order"),
        (UtcMillis(i64::MIN), UtcMillis(i64::MAX), None, "wrong_order"),
        (now.plus(-40 * DAY_MS), now, None, "too_long"),
        (minute(11), minute(20), Some(minute(21)), "bad_request"),
    ] {
        let (status, answer) = past.order(from, to, at).await;
        assert!((400..500).contains(&status) && code(&answer) == said, "{from:?} {to:?}: {status} {answer}");
    }
    let (status, _) = past.ask(&past.admin, "POST", "/api/v1/replays", Some(json!({ "from": "x" }))).await;
    assert_eq!(status, 400);
    let base = base_at(&past, minute(60)).await;
    for (wish, said) in [
        (json!({ "at": minute(-1) }), "bad_request"),
        (json!({ "at": now.plus(1) }), "bad_request"),
        (json!({ "pace_milli": 1 }), "bad_request"),
        (json!({ "pace_milli": 600_001 }), "bad_request"),
    ] {
        let (status, answer) = past.drive(&base, wish.clone()).await;
        assert_eq!((status, code(&answer)), (400, said), "{wish}: {answer}");
    }
    past.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_watch_one_replay_and_only_whose_it_is_drives_and_closes_it() {
    let past = two_hours().await;
    let (viewer, mine) =
        (token(&past.hall, "viewer", Role::Viewer).await, token(&past.hall, "mine", Role::Dispatcher).await);
    let order = json!({ "from": minute(11), "to": minute(100), "at": minute(50) });
    let (status, opened) = past.ask(&mine, "POST", "/api/v1/replays", Some(order.clone())).await;
    assert_eq!((status, &opened["by"]), (201, &json!("mine")), "{opened}");
    let (status, joined) = past.ask(&viewer, "POST", "/api/v1/replays", Some(order)).await;
    assert_eq!((status, &joined["id"]), (200, &opened["id"]), "the same address is the same replay");
    let (base, id) = (opened["base"].as_str().unwrap(), opened["id"].as_str().unwrap());
    let (clock, row) = (format!("{base}/api/v1/world/clock"), format!("/api/v1/replays/{id}"));
    let wish = Some(json!({ "pace_milli": 0 }));
    assert_eq!(past.ask(&viewer, "POST", &clock, wish.clone()).await.0, 403);
    assert_eq!(past.ask(&mine, "POST", &clock, wish.clone()).await.0, 200);
    assert_eq!(past.ask(&past.admin, "POST", &clock, wish).await.0, 200, "a leader may");
    assert_eq!(past.ask(&viewer, "DELETE", &row, None).await.0, 403);
    let listed = past.get("/api/v1/replays").await;
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(base_at(&past, minute(60)).await.len(), base.len(), "another one has room");
    let (status, full) = past.order(minute(12), minute(13), None).await;
    assert_eq!((status, code(&full)), (409, "too_many_worlds"), "{full}");
    assert_eq!(past.ask(&mine, "DELETE", &row, None).await.0, 204);
    let (status, gone) = past.ask(&mine, "DELETE", &row, None).await;
    assert_eq!((status, code(&gone)), (410, "world_gone"), "{gone}");
    let (status, gone) = past.ask(&mine, "GET", &format!("{base}/api/v1/tally"), None).await;
    assert_eq!((status, code(&gone)), (410, "world_gone"), "{gone}");
    assert_eq!(past.order(minute(12), minute(13), None).await.0, 201, "its place is free again");
    past.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_across_two_policies_goes_by_the_one_that_was_in_force() {
    let past = two_hours().await;
    let mut other = policy();
    other.centre.zh = "另一中心".to_owned();
    let by = domain::event::By::named("leader");
    let (middle, adopted) = (past.clock.now(), minute(150));
    past.pass(adopted.since(middle)).await;
    past.hall.writer.adopt(by, other, 0).await.unwrap();
    past.pass(10 * MINUTE_MS).await;
    past.send(city::report_case()).await.unwrap();
    past.pass(MINUTE_MS).await;
    let (status, opened) = past.order(minute(11), past.clock.now(), Some(minute(60))).await;
    assert_eq!((status, &opened["policy_changes"]), (201, &json!([{ "at": adopted }])), "{opened}");
    // Whoever comes later learns the same of the stretch, however it was opened.
    let listed = past.get("/api/v1/replays").await;
    assert_eq!(listed[0]["policy_changes"], opened["policy_changes"], "{listed}");
    let density: Vec<i64> = serde_json::from_value(opened["density"].clone()).unwrap();
    assert_eq!((density.len(), &listed[0]["density"]), (120, &opened["density"]));
    let log = rusqlite::Connection::open(past.dir.path().join("gridhall.db")).unwrap();
    let sql = "SELECT count(*) FROM events WHERE at > ?1 AND at <= ?2";
    let within: i64 = log.query_row(sql, [minute(11).0, past.clock.now().0], |row| row.get(0)).unwrap();
    assert_eq!(density.iter().sum::<i64>(), within, "every event is in one slice");
    assert!(density.last() > Some(&0), "the last of them has just happened: {density:?}");
    let base = opened["base"].as_str().unwrap();
    let version = async || past.get(&format!("{base}/api/v1/catalogue")).await["version"].clone();
    assert_eq!(version().await, json!(0));
    assert_eq!(past.drive(base, json!({ "at": adopted })).await.0, 200);
    assert_eq!(version().await, json!(1), "from its own instant on");
    assert_eq!(past.drive(base, json!({ "at": adopted.plus(-1) })).await.0, 200);
    assert_eq!(version().await, json!(0));
    // Driven across it.
    assert_eq!(past.drive(base, json!({ "pace_milli": 600_000 })).await.0, 200);
    for _ in 0..1_200 {
        if version().await == json!(1) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(version().await, json!(1));
    past.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_log_is_said_and_shows_nothing() {
    let past = two_hours().await;
    past.until("everything is on the disk", || past.hall.reader.head().unwrap() > 10).await;
    let file = rusqlite::Connection::open(past.dir.path().join("gridhall.db")).unwrap();
    file.execute("UPDATE events SET body = body || ' ' WHERE seq = 6", []).unwrap();
    let at = file.query_row("SELECT at FROM events WHERE seq = 6", [], |row| row.get::<_, i64>(0)).unwrap();
    // Before it nothing is amiss; it stands still there, and says why.
    let (status, opened) = past.order(minute(11), past.clock.now(), Some(UtcMillis(at - 1))).await;
    let (stood, told) = match status {
        201 => {
            let base = opened["base"].as_str().unwrap().to_owned();
            assert_eq!(past.drive(&base, json!({ "pace_milli": 600_000 })).await.0, 200);
            let mut told = Value::Null;
            for _ in 0..1_200 {
                told = past.get(&format!("{base}/api/v1/world")).await;
                if told["state"] == "ended" {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            assert_eq!(told["state"], "ended", "{told}");
            past.drive(&base, json!({ "pace_milli": 1_000 })).await
        }
        _ => (status, opened),
    };
    assert_eq!((stood, code(&told)), (422, "log_unreadable"), "{told}");
    assert!(told["title"].as_str().unwrap().contains("无法读取"), "{told}");
    file.execute("DELETE FROM events WHERE seq = 6", []).unwrap();
    // Also where what comes before it could be shown.
    for at in [minute(12), minute(100)] {
        let (status, answer) = past.order(minute(11), past.clock.now(), Some(at)).await;
        assert_eq!((status, code(&answer)), (422, "log_unreadable"), "{answer}");
    }
    past.stop().await;
}

/// Who walked where, as then: also while time passes, and on a track.
#[tokio::test(flavor = "multi_thread")]
async fn people_stand_where_they_stood() {
    let past = two_hours().await;
    let place = |step: i64| Point::from_degrees(25.04 + step as f64 / 1_000.0, 102.72).unwrap();
    let began = past.clock.now();
    for step in 0..20 {
        let fixed = past.clock.now();
        let fix = json!({ "inspector": "J0001", "place": place(step), "fixed": fixed });
        let fix: server::position::Fix = serde_json::from_value(fix).unwrap();
        assert_eq!(past.hall.positions.report(&[fix]), [Ok(())]);
        past.pass(MINUTE_MS).await;
    }
    let (status, opened) = past.order(minute(11), past.clock.now(), Some(began.plus(5 * MINUTE_MS))).await;
    assert_eq!(status, 201, "{opened}");
    let base = opened["base"].as_str().unwrap();
    let stands = async |step: i64| {
        for _ in 0..1_200 {
            let newest = past.get(&format!("{base}/api/v1/positions")).await;
            if newest["items"][0]["place"] == json!(place(step)) {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        false
    };
    assert!(stands(5).await);
    let (from, to) = (began.0, began.plus(DAY_MS).0);
    let track = past.get(&format!("{base}/api/v1/positions/J0001/track?from={from}&to={to}")).await;
    assert_eq!(track.as_array().map_or(0, Vec::len), 6, "nothing later than the instant: {track}");
    assert_eq!(past.drive(base, json!({ "pace_milli": 600_000 })).await.0, 200);
    assert!(stands(19).await);
    assert_eq!(past.drive(base, json!({ "at": began, "pace_milli": 0 })).await.0, 200);
    assert!(stands(0).await);
    past.stop().await;
}
