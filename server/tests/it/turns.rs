//! Readers that ask for everything in a loop, beside people who look at one case.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;
use server::turn::{LONG_MAX, Reading};

use crate::http::{report, served};

/// Method: as many reads of the log as may last are made to last, and more stretches of it are asked for than there are
/// places; a case and its page are opened meanwhile, and a case is reported.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_log_on_and_on_keeps_no_desk_waiting() {
    let hall = served().await;
    let case =
        hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await.json()["case"].clone();
    let reader = hall.running.hall.reader.clone();
    let (let_go, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..LONG_MAX {
        let (reader, held) = (reader.clone(), held.clone());
        slow.spawn(async move {
            let lasting = move |_: &server::events::Reader| Ok(held.lock().unwrap().recv().is_ok());
            reader.run(Reading::Long, lasting).await.unwrap()
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    let stretch = hall.get("/api/v1/events?limit=500");
    let desk = async {
        let page = hall.get(&format!("/api/v1/cases/{case}")).await;
        let list = hall.get("/api/v1/cases?open=true").await;
        let taken = hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
        (page.status, list.status, taken.status, began.elapsed())
    };
    let (stretch, desk) = tokio::join!(stretch, desk);
    assert_eq!((desk.0, desk.1, desk.2), (200, 200, 200));
    // Whoever reads on waited for its turn in vain, and is told when to come back.
    assert_eq!(
        (stretch.status, stretch.headers.contains_key("retry-after")),
        (503, true),
        "{}",
        stretch.text
    );
    assert!(desk.3 < began.elapsed(), "the desk was answered first");
    (0..LONG_MAX).for_each(|_| let_go.send(()).unwrap());
    while slow.join_next().await.is_some() {}
    assert_eq!(hall.get("/api/v1/events?limit=500").await.status, 200);
    hall.running.stop().await.unwrap();
}
