//! The simulated city beside cases that somebody brought: nothing of its own happens, or all of it does.

use std::path::Path;
use std::time::Duration;

use server::serve::Running;
use sim::city::{Options, Past, Summary};
use sim::client::Client;

use crate::http::{Served, report, served_with};

async fn demo() -> Served {
    served_with(|config| {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
        config.policy.overlays = vec![demo.join("policy.toml"), demo.join("areas.toml")];
    })
    .await
}

async fn live(hall: &Served, cases: bool, past: Past) -> Summary {
    let client = Client::new(&hall.url(""), &hall.token);
    let lasts = Some(Duration::from_secs(1));
    let options = Options {
        seed: 1,
        cases_a_day: sim::city::figures::CASES_PER_DAY,
        inspectors: 20,
        cases,
        past,
        weeks: 0,
        every_day: false,
        flood: true,
        pace: None,
        lasts,
    };
    let lived = tokio::task::spawn_blocking(move || sim::city::run(&client, options, &|| false));
    lived.await.unwrap().unwrap()
}

async fn filed(running: &Running) -> i64 {
    running.hall.reader.recount().unwrap().cells.values().map(|count| count.cases).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brings_cases_sees_them_alone_or_with_the_citys_own_past() {
    let hall = demo().await;
    let body = serde_json::json!({ "command": report("530102") });
    assert_eq!(hall.post("/api/v1/commands", &body).await.status, 200);
    let alone = live(&hall, false, Past::IfEmpty).await;
    assert_eq!((alone.taken, alone.refused), (0, 0), "{alone:?}");
    assert!(alone.fixes > 0, "inspectors walk: {alone:?}");
    assert_eq!(filed(&hall.running).await, 1);
    // The store is not empty, so that the past is not taken over by itself …
    let unasked = live(&hall, true, Past::IfEmpty).await;
    assert!(unasked.taken < 100, "{unasked:?}");
    // … but when it is asked for.
    let asked = live(&hall, true, Past::Always).await;
    assert!(asked.taken > 5_000 && asked.refused == 0, "{asked:?}");
    hall.running.stop().await.unwrap();
}
