//! A hall that is a demonstration: its clock may be speeded up, screens hear of it at once, and no data folder is ever both.

use std::time::{Duration, Instant};

use domain::moment::{HOUR_MS, UtcMillis};
use domain::role::Role;
use domain::world::{SetClock, WorldAnswer, WorldKind, WorldState};
use serde_json::{Value, json};
use server::access::Proof;
use server::clock::Clock;
use server::config::Config;
use server::serve::Demonstration;

use crate::adopt_areas::{hear, say};
use crate::http::{Reply, Served, report, served, served_with, start_with};
use crate::sockets::socket;

fn demonstration(config: &mut Config) {
    config.demonstration = Some(Demonstration::read(Some("2026-11-27T10:40"), 1.0).unwrap());
}

/// 2026-11-27 10:40 in China.
const BEGINS: UtcMillis = UtcMillis(1_795_747_200_000);

/// An administrator's session: the headers a page sends.
async fn administrator(hall: &Served) -> [(&'static str, String); 3] {
    let access = &hall.running.hall.access;
    access.put_account("root", "correct horse battery", &[Role::Admin], None, UtcMillis(0)).await.unwrap();
    let now = Clock::machine().now();
    let cookie = access.redeem(access.one_time("root", now).expose(), now).await.unwrap().unwrap();
    let Proof::Session { csrf } = access.by_cookie(cookie.expose(), now).unwrap().by else {
        panic!("a person has a session")
    };
    [
        ("cookie", format!("gridhall_session={}", cookie.expose())),
        ("x-csrf-token", csrf),
        ("origin", format!("http://{}", hall.running.address)),
    ]
}

async fn set(hall: &Served, headers: &[(&'static str, String)], body: &Value) -> Reply {
    let mut headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.push(("content-type", "application/json"));
    hall.ask("POST", "/api/v1/world/clock", &headers, Some(body.to_string())).await
}

async fn world(hall: &Served) -> WorldAnswer {
    serde_json::from_str(&hall.get("/api/v1/world").await.text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_drives_the_clock_of_a_live_hall() {
    let hall = served().await;
    let told = world(&hall).await;
    assert_eq!((told.kind, told.pace_milli, told.state), (WorldKind::Live, 1_000, WorldState::Running));
    assert!(told.now.since(Clock::machine().now()).abs() < 60_000);
    let admin = administrator(&hall).await;
    let refused = set(&hall, &admin, &json!({ "pace_milli": 60_000 })).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "clock_is_real"), "{}", refused.text);
    assert_eq!(world(&hall).await.pace_milli, 1_000);
    hall.running.stop().await.unwrap();
}

/// Method: an administrator who may be idle for five minutes speeds the hall up to hours a minute, and is still there hours later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demonstration_goes_faster_at_an_administrators_word_and_its_screens_hear_of_it_at_once() {
    let hall = served_with(|config| {
        demonstration(config);
        config.access.session_idle_minutes = 5;
        config.live.heartbeat_ms = 2_000;
    })
    .await;
    let told = world(&hall).await;
    assert_eq!((told.kind, told.pace_milli), (WorldKind::Demonstration, 1_000));
    assert!((0..60_000).contains(&told.now.since(BEGINS)), "{told:?}");
    let mut feed =
        socket(&hall, "/live?format=json", &[("authorization", format!("Bearer {}", hall.token))]).await;
    say(&mut feed, json!({ "hello": { "protocol": domain::wire::PROTOCOL } })).await;
    let beat = |said: &Value| said["heartbeat"]["pace_milli"].as_u64();
    assert_eq!(hear(&mut feed, "a heartbeat", beat).await, 1_000);
    let admin = administrator(&hall).await;
    let asked = Instant::now();
    let body = serde_json::to_value(SetClock { pace_milli: Some(600_000), at: None }).unwrap();
    let driven = set(&hall, &admin, &body).await;
    assert_eq!(
        (driven.status, driven.json()["pace_milli"].as_u64()),
        (200, Some(600_000)),
        "{}",
        driven.text
    );
    hear(&mut feed, "the new pace", |said| beat(said).filter(|pace| *pace == 600_000)).await;
    assert!(asked.elapsed() < Duration::from_secs(2), "that was the next heartbeat: {:?}", asked.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later = world(&hall).await;
    assert!(later.now.since(BEGINS) > HOUR_MS / 3, "{later:?}");
    let again = set(&hall, &admin, &json!({ "pace_milli": 1_000 })).await;
    assert_eq!(again.status, 200, "a session goes by the machine's time: {}", again.text);
    // A case is of the hall's time, and so is the day it counts in.
    let filed = hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
    assert_eq!(filed.json()["number"], "20261127-00001", "{}", filed.text);
    for (field, body) in [
        ("pace_milli", json!({ "pace_milli": 999 })),
        ("pace_milli", json!({ "pace_milli": 600_001 })),
        ("pace_milli", json!({})),
        ("at", json!({ "at": BEGINS })),
        ("pace", json!({ "pace": 60 })),
    ] {
        let refused = set(&hall, &admin, &body).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text);
        assert!(refused.text.contains(field), "{body}: {}", refused.text);
    }
    for role in [Role::Dispatcher, Role::Supervisor, Role::Viewer] {
        let token =
            hall.running.hall.access.make_token(&format!("as-{role:?}"), role, UtcMillis(0)).await.unwrap();
        let bearer = [("authorization", format!("Bearer {}", token.expose()))];
        let refused = set(&hall, &bearer, &json!({ "pace_milli": 60_000 })).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "not_allowed"), "{role:?}");
    }
    assert_eq!(world(&hall).await.pace_milli, 1_000, "nothing of it was taken");
    hall.running.stop().await.unwrap();
}

async fn refusal(dir: &std::path::Path, set: impl FnOnce(&mut Config)) -> String {
    let mut config = Config::default();
    config.store.dir = dir.to_owned();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    set(&mut config);
    match server::serve::start(config).await {
        Ok(_) => panic!("it was started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_is_a_live_halls_or_a_demonstrations_and_stays_so_in_its_backups() {
    let live = served().await;
    let served = live.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
    assert_eq!(served.status, 200);
    live.running.stop().await.unwrap();
    let words = refusal(live.dir.path(), demonstration).await;
    assert!(words.contains("live hall's data") && words.contains("--data-dir"), "{words}");
    let shown = served_with(demonstration).await;
    let key = "0190a0b0-0000-7000-8000-000000000001";
    let filed = shown.post("/api/v1/commands", &json!({ "key": key, "command": report("530102") })).await;
    assert_eq!(filed.status, 200);
    shown.running.stop().await.unwrap();
    let words = refusal(shown.dir.path(), |_| {}).await;
    assert!(words.contains("serve --demonstration"), "{words}");
    let copy = tempfile::tempdir().unwrap();
    let (backup, restored) = (copy.path().join("backup"), copy.path().join("restored"));
    server::log::backup::backup(shown.dir.path(), &backup, 0).unwrap();
    server::log::restore::restore(&backup, &restored).unwrap();
    let words = refusal(&restored, |_| {}).await;
    assert!(words.contains("serve --demonstration"), "{words}");
    // It goes on where it stopped, whatever it is told to begin at.
    let running = start_with(shown.dir.path(), |config| {
        config.demonstration = Some(Demonstration::read(Some("2026-01-05T10:40"), 1.0).unwrap());
    })
    .await;
    let shown = Served { running, ..shown };
    let now = world(&shown).await.now;
    assert!((0..600_000).contains(&now.since(BEGINS)), "{now:?}");
    shown.running.stop().await.unwrap();
}
