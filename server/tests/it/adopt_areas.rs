//! A policy that has areas elsewhere, met by who sees a part of the city: pictures close in words, calls follow, and every feed
//! says which policy the hall goes by, to who was away as well.

use std::time::Duration;

use domain::command::Command;
use domain::grant::Grant;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::policy::Policy;
use domain::role::Role;
use domain::scope::Scope;
use domain::whistle::{WhistleCall, WhistleLevel};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use server::access::{Doer, NewToken};
use tokio_tungstenite::tungstenite::Message;

use crate::adopt::{by, from_the_first_event, open, policy, settled, sound, start};
use crate::adopt_doors::post;
use crate::city::{self, DEPARTMENTS, TestClock, send};
use crate::http::{Served, served};
use crate::sockets::{Socket, socket};

const PATIENCE: Duration = Duration::from_secs(20);
/// The policy a hall begins with, as its file.
const FILE: &str = include_str!("../../../config/policy.toml");

/// The example with a street in this district.
fn street_in(district: &str) -> String {
    let street = "[[areas]]\ncode = \"530103001\"\nlevel = \"street\"";
    format!("{FILE}\n{street}\nparent = \"{district}\"\nname = {{ zh = \"拓东街道\", en = \"Tuodong\" }}\n")
}

async fn adopt(hall: &Served, text: String) {
    let done = post(hall, &hall.token, "application/toml", "", text).await;
    assert_eq!(done.status, 200, "{}", done.text);
}

/// Whoever sees Panlong alone.
async fn reader(hall: &Served) -> (&'static str, String) {
    let scope = Scope::area("530103".parse().unwrap());
    let may = Some(Grant::MODEST.into());
    let new = NewToken { scope, may, ..NewToken::wide("panlong", Role::Machine) };
    let doer = Doer { by: "test", now: UtcMillis(1_795_226_400_000) };
    let token = hall.running.hall.access.make_token_noted(doer, new, false).await.unwrap();
    ("authorization", format!("Bearer {}", token.expose()))
}

pub async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The first message in which `find` finds something.
pub async fn hear<T>(socket: &mut Socket, what: &str, find: impl Fn(&Value) -> Option<T>) -> T {
    let heard = async {
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            if let Some(found) = find(&serde_json::from_str(&text).unwrap()) {
                return found;
            }
        }
        panic!("the socket ended before {what}")
    };
    tokio::time::timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("never heard {what}"))
}

/// Method: a camera hangs in a street; its picture is open when a policy alone has the street in another district. Nobody dials
/// anew, signs in anew or adopts a list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_picture_closes_in_words_when_a_policy_has_its_camera_where_nobody_here_sees() {
    let hall = served().await;
    adopt(&hall, street_in("530103")).await;
    let list = "code,name,lat,lon,area,main\nCAM-1,东门,25.04,102.71,530103001,rtsp://127.0.0.1:9/x\n";
    let bearer = format!("Bearer {}", hall.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    let listed = hall.ask("POST", "/api/v1/cameras/adopt", &headers, Some(list.to_owned())).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let reader = reader(&hall).await;
    let mut page = socket(&hall, "/api/v1/video", std::slice::from_ref(&reader)).await;
    say(&mut page, json!({ "hello": { "version": 1, "mode": "webcodecs", "h265": false } })).await;
    let open =
        |tile: u16| json!({ "open": { "tile": tile, "camera": "CAM-1", "profile": "main", "height": 100 } });
    say(&mut page, open(1)).await;
    let state =
        |tile: u16| move |said: &Value| Some(said["state"].clone()).filter(|state| state["tile"] == tile);
    assert_ne!(hear(&mut page, "a state", state(1)).await["state"], "gone", "it is seen so far");
    adopt(&hall, street_in("530102")).await;
    let gone = |said: &Value| state(1)(said).filter(|state| state["state"] == "gone");
    let gone = hear(&mut page, "that it is gone", gone).await;
    let words = "the camera no longer hangs where this account sees";
    assert_eq!((&gone["cause"], &gone["reason"]), (&"unknown_camera".into(), &words.into()));
    say(&mut page, open(2)).await;
    let refused = hear(&mut page, "a refusal", state(2)).await;
    assert_eq!((&refused["state"], &refused["reason"]), (&"gone".into(), &"no camera has this code".into()));
    let asked = [(reader.0, reader.1.as_str())];
    for path in ["/api/v1/cameras/CAM-1", "/api/v1/cameras/CAM-1/snapshot.jpg"] {
        assert_eq!(hall.ask("GET", path, &asked, None).await.status, 404, "{path}");
    }
    // And back again, where it hangs in sight.
    adopt(&hall, street_in("530103")).await;
    let back = |said: &Value| state(1)(said).filter(|state| state["state"] != "gone");
    hear(&mut page, "that it is back", back).await;
    hall.running.stop().await.unwrap();
}

/// Method: no line of an adoption comes to who sees a part; whoever was away missed it. The heartbeat and the catalogue name the
/// same version all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_heartbeat_says_which_policy_the_hall_goes_by_and_the_catalogue_is_of_that_one() {
    let hall = served().await;
    let reader = reader(&hall).await;
    let beat = |said: &Value| said["heartbeat"]["policy"].as_u64();
    let mut open = Vec::new();
    for headers in [vec![reader.clone()], vec![("authorization", format!("Bearer {}", hall.token))]] {
        let mut feed = socket(&hall, "/live?format=json", &headers).await;
        say(&mut feed, json!({ "hello": { "protocol": domain::wire::PROTOCOL } })).await;
        assert_eq!(hear(&mut feed, "a heartbeat", beat).await, 0);
        open.push(feed);
    }
    adopt(&hall, street_in("530103")).await;
    adopt(&hall, street_in("530102")).await;
    let newest = |said: &Value| beat(said).filter(|version| *version == 2);
    for feed in &mut open {
        hear(feed, "the second version", newest).await;
    }
    let asked = [(reader.0, reader.1.as_str())];
    let catalogue = hall.ask("GET", "/api/v1/catalogue", &asked, None).await.json();
    assert_eq!(catalogue["version"], 2);
    let mut late = socket(&hall, "/live?format=json", std::slice::from_ref(&reader)).await;
    assert_eq!(hear(&mut late, "a heartbeat", beat).await, 2, "whoever was away hears it first thing");
    hall.running.stop().await.unwrap();
    // Nor does a restart forget it.
    let again = crate::http::start(hall.dir.path()).await;
    let again = Served { running: again, token: hall.token, dir: tempfile::tempdir().unwrap() };
    let mut late = socket(&again, "/live?format=json", std::slice::from_ref(&reader)).await;
    assert_eq!(hear(&mut late, "a heartbeat", beat).await, 2);
    again.running.stop().await.unwrap();
}

/// A policy with a second district, in which the first street lies.
fn drawn_anew() -> Policy {
    let mut policy = policy();
    let mut district = policy.areas[1].clone();
    district.code = "530111".parse().unwrap();
    policy.areas.insert(2, district);
    policy.areas[3].parent = Some("530111".parse().unwrap());
    policy.check().unwrap();
    policy
}

/// Method: more calls than one command moves, some of them late and some answered; then everything is counted anew from the log,
/// by SQL that shares no code with the deltas.
#[test]
fn open_calls_follow_a_street_that_another_policy_has_in_another_district() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, _) = start(dir.path(), &clock, Box::new(()));
    let called = DEPARTMENTS[..2].iter().map(|department| department.parse().unwrap()).collect();
    let area = city::AREAS[2].parse().unwrap();
    let call =
        WhistleCall {
            level: WhistleLevel::Street, area, title: "夜市占道".to_owned(), case: None, called
        };
    for at in 0..510 {
        let whistle = send(&writer, Command::RaiseWhistle { call: call.clone() }).unwrap().whistle.unwrap();
        if at % 5 == 0 {
            let department = DEPARTMENTS[0].parse().unwrap();
            send(&writer, Command::RespondToWhistle { whistle, department }).unwrap();
        }
        if at % 7 == 0 {
            send(&writer, Command::CloseWhistle { whistle, note: String::new() }).unwrap();
        }
        if at == 255 {
            clock.pass(31 * MINUTE_MS);
            send(&writer, Command::PassDeadlines).unwrap();
        }
    }
    let adoption = writer.adopt_blocking(by(), drawn_anew(), None).unwrap();
    assert!(adoption.to_replan.whistles > 400, "{adoption:?}");
    settled(&writer, &drawn_anew());
    clock.pass(31 * MINUTE_MS);
    while send(&writer, Command::PassDeadlines).is_ok_and(|answer| answer.last_seq >= answer.first_seq) {}
    writer.stop();
    let (store, state) = open(dir.path(), &policy());
    drop(store);
    assert!(state.whistles.len() > 400);
    for whistle in state.whistles.values() {
        let path: Vec<&str> = whistle.area_path.iter().map(|code| code.as_str()).collect();
        assert_eq!(path, ["530103001", "530111", "5301"], "call {}", whistle.id);
    }
    assert_eq!(from_the_first_event(dir.path()), state);
    sound(dir.path());
}
