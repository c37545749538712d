//! What is heard at the two sockets.

use std::collections::BTreeSet;

use domain::role::Role;
use serde_json::{Value, json};

use super::world::{Hold, Mark, topics, world};
use super::{AREAS, scopes, sender};
use crate::http::Served;
use crate::roles::Sender;

/// What a socket says to these messages, until it has been quiet for a while.
async fn said(hall: &Served, sender: &Sender, path: &str, messages: &[Value]) -> Result<String, u16> {
    let headers: Vec<(&str, String)> =
        sender.0.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let mut socket = crate::sockets::try_socket(hall, path, &headers).await?;
    for message in messages {
        let text = tokio_tungstenite::tungstenite::Message::text(message.to_string());
        futures_util::SinkExt::send(&mut socket, text).await.unwrap();
    }
    let mut all = String::new();
    let quiet = std::time::Duration::from_millis(400);
    let began = std::time::Instant::now();
    let over = |text: &str| {
        // Heartbeats never end, and one may come before what was asked for.
        let beat = text.starts_with("{\"heartbeat\"") && began.elapsed() > quiet;
        beat || began.elapsed() > 8 * quiet
    };
    while let Ok(Some(Ok(message))) =
        tokio::time::timeout(quiet, futures_util::StreamExt::next(&mut socket)).await
    {
        all.push_str(message.to_text().unwrap_or(""));
        if over(message.to_text().unwrap_or("")) {
            break;
        }
    }
    Ok(all)
}

/// Method: at both sockets everything is asked for: every topic, every camera. Who may not come in is refused before the
/// socket opens; who may hears of nothing beyond the scope, and of a camera beyond it what it hears of one that is not
/// there.
#[tokio::test(flavor = "multi_thread")]
async fn every_role_with_every_scope_hears_at_the_sockets_what_is_its_own() {
    let world = world().await;
    let hello = json!({ "hello": { "protocol": domain::wire::PROTOCOL } });
    let subscribe = topics().map(|topic| json!({ "subscribe": { "topic": topic } }));
    let live: Vec<Value> = std::iter::once(hello).chain(subscribe).collect();
    let open = |camera: &str| {
        let tile = json!({ "open": { "tile": 1, "camera": camera, "profile": "main", "height": 100 } });
        [json!({ "hello": { "version": 1, "mode": "webcodecs", "h265": false } }), tile]
    };
    let mut wrong = Vec::new();
    let mut heard_of = BTreeSet::new();
    for role in Role::ALL {
        for (name, scope) in scopes() {
            let who = format!("{role:?} who sees {name}");
            let sender = sender(&world.hall, role, name, &scope).await;
            let closed = role == Role::Inspector;
            let heard = match said(&world.hall, &sender, "/live?format=json", &live).await {
                Ok(heard) => heard,
                Err(status) => {
                    assert!(closed && status == 403, "{who}: {status}");
                    continue;
                }
            };
            assert!(!closed, "{who} is let in");
            assert!(scope.is_all() || heard.contains("out_of_scope"), "{who}: {heard}");
            // What is theirs comes by itself: no reporter does, and of a camera the feed says nothing.
            let fed = |mark: &&Mark| mark.hold != Hold::Reporter && !mark.text.starts_with("CAM-");
            for mark in world.marks.iter().filter(fed) {
                // A case's line says where it is; lines of before the feed began are read from the log.
                let due = world.may_show(mark, role, &scope) && mark.text.starts_with(['哨', 'J']);
                if due && !heard.contains(&mark.text) {
                    wrong.push(format!("{who} hears nothing of {}", mark.text));
                }
            }
            for mark in &world.marks {
                if heard.contains(&mark.text) && !world.may_show(mark, role, &scope) {
                    wrong.push(format!("{who} hears of {}", mark.text));
                }
                if heard.contains(&mark.text) {
                    heard_of.insert(mark.text.clone());
                }
            }
            let nothing = said(&world.hall, &sender, "/api/v1/video", &open("CAM-NONE")).await.unwrap();
            let unknown = |said: &str| said.contains("unknown_camera");
            assert!(unknown(&nothing), "{nothing}");
            for area in AREAS {
                let camera =
                    said(&world.hall, &sender, "/api/v1/video", &open(&format!("CAM-{area}"))).await.unwrap();
                let known = !unknown(&camera);
                let seen = scope.admits_area(&[area.parse().unwrap(), "530100".parse().unwrap()]);
                if known != seen {
                    wrong.push(format!("{who}: CAM-{area} {camera} beside {nothing}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        heard_of.iter().any(|mark| mark.starts_with("哨"))
            && heard_of.iter().any(|mark| mark.starts_with("备注"))
            && heard_of.iter().any(|mark| mark.starts_with("经手"))
            && heard_of.iter().any(|mark| mark.starts_with("J-")),
        "{heard_of:?}"
    );
    world.hall.running.stop().await.unwrap();
}
