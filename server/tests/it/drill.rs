//! A drill from start to stop beside the city, as its director, those who play and those on duty meet it.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::moment::UtcMillis;
use domain::role::Role;
use domain::wire::{Kind, ServerMessage};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::http::{Reply, Served, report, served};
use crate::roles::Sender;
use crate::sockets::{Socket, socket, try_socket};

mod kept;
mod refused;

const PATIENCE: Duration = Duration::from_secs(30);

pub fn first_level(area: &str) -> Value {
    let mut command = report(area);
    command["report_case"]["report"]["priority"] = json!("first");
    command
}

fn case_at(after_s: u32) -> Value {
    let mut case = report("530103")["report_case"]["report"].clone();
    case["address"] = json!("演练：北京路下穿隧道");
    json!({ "after_s": after_s, "what": { "case": case } })
}

fn call_at(after_s: u32) -> Value {
    let call = json!({ "level": "street", "area": "530103", "title": "抽排", "called": ["urban"] });
    json!({ "after_s": after_s, "what": { "whistle": call } })
}

impl Sender {
    pub async fn post(&self, hall: &Served, path: &str, body: &Value) -> Reply {
        self.with(hall, "POST", path, Some(body.to_string())).await
    }

    /// Prepares a drill; its id and where it is.
    pub async fn drill(&self, hall: &Served, title: &str, injects: &[Value]) -> (String, String) {
        let body = json!({ "title": title, "injects": injects });
        let reply = self.post(hall, "/api/v1/drills", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let told = reply.json();
        (told["id"].as_str().unwrap().to_owned(), told["base"].as_str().unwrap().to_owned())
    }

    pub async fn pace(&self, hall: &Served, base: &str, pace_milli: u32) -> Reply {
        self.post(hall, &format!("{base}/api/v1/world/clock"), &json!({ "pace_milli": pace_milli })).await
    }

    /// The drill of an id, as they are told of it.
    pub async fn told(&self, hall: &Served, id: &str) -> Value {
        let items = self.ask(hall, "GET", "/api/v1/drills").await.json()["items"].clone();
        items.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone()
    }

    pub fn headers(&self) -> Vec<(&str, String)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
    }
}

/// A cell of the city's tallies in a hall.
pub async fn city(hall: &Served, sender: &Sender, base: &str, measure: &str) -> i64 {
    let asked = format!("{base}/api/v1/tally?measure={measure}&dimension=city");
    let reply = sender.ask(hall, "GET", &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["cells"][format!("{measure}|city|now")].as_i64().unwrap_or(0)
}

/// Asks until it is so.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let began = Instant::now();
    while !is().await {
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Every column of every event and command of a log, in its order.
pub fn rows(dir: &Path) -> Vec<String> {
    let log = rusqlite::Connection::open_with_flags(
        dir.join("gridhall.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    let mut all = Vec::new();
    for (table, order) in [("events", "seq"), ("commands", "no")] {
        let mut statement = log.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).unwrap();
        let columns = statement.column_count();
        let read = statement.query_map([], |row| {
            let values: Vec<String> = (0..columns)
                .map(|at| row.get_ref(at).map(|value| format!("{value:?}")))
                .collect::<Result<_, _>>()?;
            Ok(format!("{table}: {}", values.join(",")))
        });
        all.extend(read.unwrap().map(Result::unwrap));
    }
    all
}

/// Names of the events of a log after one of them, and who did them.
pub fn names(dir: &Path, after: i64) -> Vec<(String, String)> {
    let log = rusqlite::Connection::open(dir.join("gridhall.db")).unwrap();
    let mut statement = log.prepare("SELECT name, actor FROM events WHERE seq > ?1 ORDER BY seq").unwrap();
    let read = statement.query_map([after], |row| Ok((row.get(0)?, row.get(1)?)));
    read.unwrap().map(Result::unwrap).collect()
}

fn last_seq(dir: &Path) -> i64 {
    let log = rusqlite::Connection::open(dir.join("gridhall.db")).unwrap();
    log.query_row("SELECT max(seq) FROM events", [], |row| row.get(0)).unwrap()
}

/// A screen of a hall that follows its tallies, as a wall does.
pub async fn screen(hall: &Served, sender: &Sender, base: &str) -> Socket {
    let mut live = socket(hall, &format!("{base}/live?format=json"), &sender.headers()).await;
    for said in [
        json!({ "hello": { "protocol": domain::wire::PROTOCOL } }),
        json!({ "subscribe": { "topic": Kind::Tally.name() } }),
    ] {
        live.send(Message::text(said.to_string())).await.unwrap();
    }
    live
}

/// The next message that is one of these, within a time; how long it took.
pub async fn heard<T>(
    live: &mut Socket,
    within: Duration,
    find: impl Fn(ServerMessage) -> Option<T>,
) -> Option<(T, Duration)> {
    let began = Instant::now();
    let read = async {
        while let Some(Ok(message)) = live.next().await {
            if let Message::Text(text) = message
                && let Some(found) = find(serde_json::from_str(&text).unwrap())
            {
                return Some((found, began.elapsed()));
            }
        }
        None
    };
    tokio::time::timeout(within, read).await.ok().flatten()
}

fn breaking(message: ServerMessage) -> Option<domain::drill::breaking::BreakingRows> {
    match message {
        ServerMessage::Breaking(rows) => Some(rows),
        _ => None,
    }
}

/// What stood in the live log stands there still, byte for byte, and behind it the real case alone.
fn only_the_real_case_is_new(dir: &Path, before: &[String], seq: i64) {
    let after = rows(dir);
    assert_eq!(before.iter().filter(|row| !after.contains(row)).count(), 0);
    let real = [("case_reported", "city-platform"), ("case_claimed", "周敏")];
    assert_eq!(names(dir, seq), real.map(|(name, by)| (name.to_owned(), by.to_owned())));
}

/// The walk of the first drill. In the live log the real case's events follow what stood there, and none of the drill's do.
#[tokio::test(flavor = "multi_thread")]
async fn a_drill_runs_from_start_to_stop_while_a_real_case_breaks_through() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let player = Sender::person(&hall, "演员", &[Role::Viewer], None).await;
    let on_duty = Sender::person(&hall, "周敏", &[Role::Dispatcher], None).await;
    assert_eq!(on_duty.send(&hall, "zh", &report("530102")).await.status, 200);
    let (before, seq) = (rows(hall.dir.path()), last_seq(hall.dir.path()));

    // It is prepared, and stands; its list is its director's secret.
    let (id, base) = director.drill(&hall, "防汛演练", &[case_at(4), call_at(6)]).await;
    let world = player.ask(&hall, "GET", &format!("{base}/api/v1/world")).await.json();
    assert_eq!(
        (&world["kind"], &world["title"], &world["state"]),
        (&json!("drill"), &json!("防汛演练"), &json!("paused"))
    );
    assert_eq!(player.told(&hall, &id).await["injects"], json!([]));
    assert_eq!(director.told(&hall, &id).await["injects"][0]["became"], "waiting");
    let mut wall = screen(&hall, &player, &base).await;
    let mut city_wall = screen(&hall, &on_duty, "").await;

    // By hand and by the list; the city's numbers do not move.
    let started = director.pace(&hall, &base, 8_000).await;
    assert_eq!((started.status, &started.json()["state"]), (200, &json!("running")), "{}", started.text);
    let by_hand = json!({ "what": case_at(0)["what"] });
    let entered = director.post(&hall, &format!("/api/v1/drills/{id}/enter"), &by_hand).await;
    assert_eq!((entered.status, &entered.json()["case"]), (200, &json!(1)), "{}", entered.text);
    until("the list happens", || async {
        let injects = director.told(&hall, &id).await["injects"].clone();
        injects.as_array().unwrap().iter().all(|line| line["became"].get("entered").is_some())
    })
    .await;
    assert_eq!(city(&hall, &player, &base, "open").await, 2);
    assert_eq!(city(&hall, &player, &base, "whistle_open").await, 1);
    assert_eq!(city(&hall, &on_duty, "", "open").await, 1);
    assert_eq!(city(&hall, &on_duty, "", "whistle_open").await, 0);
    let moves = |message| matches!(message, ServerMessage::Deltas { .. }).then_some(());
    assert!(heard(&mut wall, PATIENCE, moves).await.is_some(), "the drill's wall moves");

    // A real case of the first level, by the live door.
    let real = hall.post("/api/v1/commands", &json!({ "command": first_level("530102") })).await.json();
    let (rows_told, took) =
        heard(&mut wall, PATIENCE, |message| breaking(message).filter(|told| told.unanswered > 0))
            .await
            .expect("it is heard in the drill");
    assert!(took < crate::long::bound(Duration::from_secs(1)), "{took:?}");
    assert_eq!(json!(rows_told.rows[0].case), real["case"]);
    assert_eq!(json!(rows_told.rows[0].number), real["number"]);
    assert_eq!(city(&hall, &player, &base, "open").await, 2, "it is not among the drill's");
    let stop = format!("/api/v1/drills/{id}/stop");
    let refused = director.post(&hall, &stop, &json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "real_case_unanswered"), "{}", refused.text);

    // Those in the drill who may answer, answer in the city: by their own rights there.
    let claim = json!({ "claim_case": { "case": real["case"] } });
    assert_eq!(player.send(&hall, "zh", &claim).await.status, 403);
    assert_eq!(on_duty.send(&hall, "zh", &claim).await.status, 200);
    let (told, _) =
        heard(&mut wall, PATIENCE, |message| breaking(message).filter(|told| told.unanswered == 0))
            .await
            .expect("the answer is heard in the drill");
    assert_eq!(told.rows[0].answered.as_ref().unwrap().by, "周敏");
    assert_eq!(director.told(&hall, &id).await["stage"], "running", "an answer ends no drill");
    let told_the_city = |message| breaking(message).map(|_| ());
    assert!(heard(&mut city_wall, Duration::from_millis(300), told_the_city).await.is_none());

    let stopped = director.post(&hall, &stop, &json!({})).await;
    assert_eq!((stopped.status, &stopped.json()["stage"]), (200, &json!("stopped")), "{}", stopped.text);
    let end = tokio::time::timeout(PATIENCE, async { while let Some(Ok(_)) = wall.next().await {} });
    assert!(end.await.is_ok(), "its screens hear that it is over");
    let gone = player.ask(&hall, "GET", &format!("{base}/api/v1/tally")).await;
    assert_eq!((gone.status, gone.code().as_str()), (410, "world_gone"));
    assert_eq!(try_socket(&hall, &format!("{base}/live"), &player.headers()).await.err(), Some(410));

    only_the_real_case_is_new(hall.dir.path(), &before, seq);
    let drills = names(&hall.dir.path().join("worlds").join(&id), 0);
    let of_people: Vec<&str> =
        drills.iter().filter(|(_, by)| by == "导演").map(|(name, _)| name.as_str()).collect();
    assert_eq!(of_people, ["case_reported", "case_reported", "whistle_raised"], "{drills:?}");
    hall.running.stop().await.unwrap();
}

/// A screen that comes while something waits is told at once, and nobody of what lies beyond their scope.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_of_a_drill_is_told_at_its_opening_of_what_lies_within_its_scope() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Dispatcher], None).await;
    let here = Sender::seeing(&hall, "盘龙", &[Role::Viewer], &["530103"]).await;
    hall.post("/api/v1/commands", &json!({ "command": first_level("530102") })).await;
    let (_, base) = director.drill(&hall, "演练", &[]).await;
    let mut wall = screen(&hall, &director, &base).await;
    let (told, _) = heard(&mut wall, PATIENCE, breaking).await.expect("told at its opening");
    assert_eq!((told.unanswered, told.rows.len()), (1, 1));
    let mut other = screen(&hall, &here, &base).await;
    hall.post("/api/v1/commands", &json!({ "command": first_level("530103") })).await;
    let (told, _) =
        heard(&mut other, PATIENCE, |message| breaking(message).filter(|told| told.unanswered > 0))
            .await
            .expect("what lies here is told");
    assert_eq!((told.unanswered, told.rows[0].area.as_str()), (1, "530103"));
    // A machine reads a drill too; a kiosk of the live wall stays there.
    let kiosk = hall.running.hall.access.make_token("wall-9", Role::Kiosk, UtcMillis(0)).await.unwrap();
    let kiosk = [("authorization", format!("Bearer {}", kiosk.expose()))];
    assert_eq!(try_socket(&hall, &format!("{base}/live"), &kiosk).await.err(), Some(403));
    hall.running.stop().await.unwrap();
}

/// A drill goes by its own clock: what is due comes when that says so, and nothing comes while it stands.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_happens_in_a_drill_that_stands() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let (id, base) = director.drill(&hall, "演练", &[case_at(3)]).await;
    assert_eq!(director.pace(&hall, &base, 1_000).await.status, 200);
    assert_eq!(director.pace(&hall, &base, 0).await.json()["state"], "paused");
    let world =
        || async { director.ask(&hall, "GET", &format!("{base}/api/v1/world")).await.json()["now"].as_i64() };
    let stands = world().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world().await, stands);
    assert_eq!(
        city(&hall, &director, &base, "open").await,
        0,
        "three seconds have passed for the city alone"
    );
    assert_eq!(director.pace(&hall, &base, 8_000).await.status, 200);
    until("it goes on", || async { city(&hall, &director, &base, "open").await == 1 }).await;
    assert_eq!(director.told(&hall, &id).await["stage"], "running");
    hall.running.stop().await.unwrap();
}
