//! Positions of phones and machines on a disk that has no room for them.

use std::time::{Duration, Instant};

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::json;
use server::clock::Clock;

use super::http::{Reply, Served, served};

/// Asks again until an answer has this status.
async fn until(hall: &Served, status: u16, method: &str, path: &str) -> Reply {
    let began = Instant::now();
    loop {
        let reply = hall.ask(method, path, &[], None).await;
        if reply.status == status {
            return reply;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{path}: {} {}", reply.status, reply.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Method: the table of the tracks takes nothing, as on a full disk, while the log has room. Each phone's position is answered as
/// taken once at most before the hall knows; whatever was is in the track in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_cannot_be_written_stays_with_its_sender() {
    let hall = served().await;
    let secret = hall.running.hall.access.make_token("J0007", Role::Inspector, UtcMillis(0)).await.unwrap();
    let now = Clock::machine().now().0 / 1_000 * 1_000;
    let phone = |ms: i64| format!("/osmand?id={}&lat=25.04&lon=102.71&timestamp={ms}", secret.expose());
    let disk = rusqlite::Connection::open(hall.dir.path().join("positions.db")).unwrap();
    disk.busy_timeout(Duration::from_secs(5)).unwrap();
    disk.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON flushes BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .unwrap();
    let first = hall.ask("POST", &phone(now - 60_000), &[], None).await;
    assert_eq!((first.status, first.json()["taken"].as_bool()), (200, Some(true)), "nobody knows yet");
    let refused = until(&hall, 507, "POST", &phone(now - 50_000)).await;
    assert_eq!(refused.code(), "not_stored", "{}", refused.text);
    let ready = hall.ask("GET", "/readyz", &[], None).await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.text.contains("positions cannot be written") && ready.text.contains("no room"),
        "{}",
        ready.text
    );
    // What can never be taken is still acknowledged, and screens still move.
    let outside = phone(now).replacen("lat=25.04", "lat=abc", 1);
    assert_eq!(hall.ask("POST", &outside, &[], None).await.status, 200);
    assert_eq!(hall.newest().await.len(), 1);
    let bearer = format!("Bearer {}", secret.expose());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let place = json!({ "lat": 25.04, "lon": 102.71 });
    let batch =
        json!({ "fixes": [{ "inspector": "J0007", "place": place, "fixed": now - 40_000 }] }).to_string();
    let of_batch = hall.ask("POST", "/api/v1/positions", &headers, Some(batch.clone())).await;
    assert_eq!((of_batch.status, of_batch.code().as_str()), (507, "not_stored"), "{}", of_batch.text);

    disk.execute_batch("DROP TRIGGER full").unwrap();
    until(&hall, 200, "GET", "/readyz").await;
    until(&hall, 200, "POST", &phone(now - 50_000)).await;
    let of_batch = hall.ask("POST", "/api/v1/positions", &headers, Some(batch)).await;
    assert_eq!((of_batch.status, of_batch.json()["taken"].as_u64()), (200, Some(1)), "{}", of_batch.text);
    let dir = hall.dir;
    hall.running.stop().await.unwrap();
    let track = server::position::track::sealed;
    let code = "J0007".parse().unwrap();
    let began = Instant::now();
    loop {
        let points =
            track(&dir.path().join("positions.db"), &code, UtcMillis(0), UtcMillis(now), 100).unwrap();
        let ago: Vec<i64> = points.iter().map(|point| (now - point.fixed.0) / 1_000).collect();
        // The thread seals when the last handle is gone.
        if ago == [60, 50, 40] {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{ago:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
