//! Screens of the past: sockets that are told to come again, and a replay that nobody watches.

use std::time::Duration;

use domain::role::Role;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Past, minute, token};
use crate::city;
use crate::http::{Served, report, served};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A socket of a world's feed, and the epoch it was welcomed with.
async fn screen(hall: &Served, base: &str, token: &str) -> (Socket, String) {
    let address = format!("ws://{}{base}/live?format=json", hall.running.address);
    let mut request = address.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let welcome: Value =
        serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    let epoch = welcome["welcome"]["epoch"].as_str().unwrap().to_owned();
    (socket, epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_of_the_past_comes_again_when_the_past_is_another_and_the_city_s_does_not() {
    let hall = served().await;
    for _ in 0..3 {
        hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let events = hall.get("/api/v1/events?limit=500").await.json();
    let at = |line: usize| events["items"][line]["at"].clone();
    let last = events["items"].as_array().unwrap().len() - 1;
    let leader = token(&hall.running.hall, "leader", Role::Supervisor).await;
    let bearer = format!("Bearer {leader}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let order = json!({ "from": at(0), "to": at(last), "at": at(last - 1) }).to_string();
    let opened = hall.ask("POST", "/api/v1/replays", &headers, Some(order)).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let base = opened.json()["base"].as_str().unwrap().to_owned();
    let ((mut of_city, city), (mut socket, first)) =
        (screen(&hall, "", &leader).await, screen(&hall, &base, &leader).await);
    assert_ne!(city, first);
    let clock = format!("{base}/api/v1/world/clock");
    let mut epochs = vec![first];
    // The same instant again is another one all the same: nothing is taken over.
    for line in [0, last - 1, last - 1] {
        let wish = json!({ "at": at(line) }).to_string();
        assert_eq!(hall.ask("POST", &clock, &headers, Some(wish)).await.status, 200);
        let closed = async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        let code = tokio::time::timeout(Duration::from_secs(20), closed).await.expect("it is told");
        assert_eq!(code, Some(1012));
        let epoch;
        (socket, epoch) = screen(&hall, &base, &leader).await;
        assert!(!epochs.contains(&epoch), "{epoch} again");
        epochs.push(epoch);
    }
    let next = tokio::time::timeout(Duration::from_secs(20), of_city.next()).await.unwrap();
    assert!(matches!(next, Some(Ok(Message::Text(_)))), "the city's screen hears its heartbeat: {next:?}");
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_nobody_watches_ends() {
    let past = Past::with(|config| config.replay.idle_minutes = 0).await;
    past.pass(60_000).await;
    past.send(city::report_case()).await.unwrap();
    past.pass(60_000).await;
    let (status, opened) = past.order(minute(1), minute(2), None).await;
    assert_eq!(status, 201, "{opened}");
    let tally = format!("{}/api/v1/tally", opened["base"].as_str().unwrap());
    let mut status = 0;
    for _ in 0..400 {
        (status, _) = past.ask(&past.admin, "GET", &tally, None).await;
        if status == 410 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(status, 410);
    assert_eq!(past.get("/api/v1/replays").await, json!([]));
    past.stop().await;
}
