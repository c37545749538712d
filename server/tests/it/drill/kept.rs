//! A drill over the end of its process: killed in the middle, and stopped as it should be.

use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use domain::drill::breaking::BreakingRows;
use domain::role::Role;
use serde_json::{Value, json};

use super::{PATIENCE, breaking, call_at, case_at, city, first_level, heard, names, screen, until};
use crate::http::{Served, served, start};
use crate::roles::Sender;

/// A server as a process of its own.
struct Gridhall {
    process: Child,
    address: String,
}

impl Gridhall {
    fn start(dir: &std::path::Path) -> Self {
        let ready = dir.join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let mut process = Process::new(env!("CARGO_BIN_EXE_gridhall"));
        process.arg("serve").arg("--data-dir").arg(dir).arg("--ready-file").arg(&ready);
        process.env("GRIDHALL__SERVER__LISTEN", "127.0.0.1:0").env("GRIDHALL_LOG", "warn");
        let process = process.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        let text = loop {
            match std::fs::read_to_string(&ready) {
                Ok(text) => break text,
                Err(_) => assert!(began.elapsed() < PATIENCE, "the server starts"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let address = serde_json::from_str::<Value>(&text).unwrap()["address"].as_str().unwrap().to_owned();
        Self { process, address }
    }

    /// As a browser that signed in before.
    fn ask(&self, sender: &Sender, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        for (name, value) in sender.0.iter().filter(|(name, _)| name != "origin") {
            request = request.header(name, value);
        }
        request = request.header("origin", &self.address).header("content-type", "application/json");
        let request = request.body(body.map_or_else(String::new, Value::to_string)).unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Method: the product's own process is killed between two things of the list.
#[tokio::test(flavor = "multi_thread")]
async fn a_drill_that_is_killed_comes_back_standing_says_so_and_goes_on() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    hall.running.stop().await.unwrap();
    let dir = hall.dir;
    let killed = tokio::task::spawn_blocking(move || {
        let first = Gridhall::start(dir.path());
        let asked = json!({ "title": "断电演练", "injects": [case_at(2), call_at(600)] });
        let (status, drill) = first.ask(&director, "POST", "/api/v1/drills", Some(&asked));
        assert_eq!(status, 201, "{drill}");
        let (id, base) = (drill["id"].as_str().unwrap(), drill["base"].as_str().unwrap().to_owned());
        let pace = |hall: &Gridhall, milli: u32| {
            let body = json!({ "pace_milli": milli });
            hall.ask(&director, "POST", &format!("{base}/api/v1/world/clock"), Some(&body))
        };
        let told = |hall: &Gridhall| hall.ask(&director, "GET", "/api/v1/drills", None).1["items"][0].clone();
        let wait = |hall: &Gridhall, what: &str, inject: usize| {
            let began = Instant::now();
            while told(hall)["injects"][inject]["became"] == "waiting" {
                assert!(began.elapsed() < PATIENCE, "{what}");
                std::thread::sleep(Duration::from_millis(50));
            }
        };
        assert_eq!(pace(&first, 8_000).0, 200);
        wait(&first, "the first happens", 0);
        assert_eq!(pace(&first, 1_000).0, 200);
        let now = |hall: &Gridhall| {
            let world = hall.ask(&director, "GET", &format!("{base}/api/v1/world"), None).1;
            world["now"].as_i64().unwrap()
        };
        // Nothing happens for a while, so that no event says where its clock was.
        let (paced, began) = (now(&first), Instant::now());
        while now(&first) < paced + 4_000 {
            assert!(began.elapsed() < PATIENCE, "it goes on");
            std::thread::sleep(Duration::from_millis(50));
        }
        let last = now(&first);
        first.kill();
        let bound = i64::try_from(crate::long::bound(Duration::from_secs(1)).as_millis()).unwrap();

        let second = Gridhall::start(dir.path());
        assert!((now(&second) - last).abs() <= bound, "{} after {last}", now(&second) - last);
        let back = told(&second);
        assert_eq!(
            (&back["stage"], &back["came_back"], &back["id"]),
            (&json!("paused"), &json!(true), &json!(id))
        );
        let stands = now(&second);
        assert!(stands >= back["started"].as_i64().unwrap() + 2_000, "what happened has its time behind it");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(now(&second), stands);
        let (status, _) = pace(&second, 8_000);
        assert_eq!((status, &told(&second)["came_back"]), (200, &json!(false)));
        // Ten minutes of the drill would be a minute and more here; it stands until the test ends.
        let path = format!("/api/v1/drills/{id}/enter");
        let (status, entered) =
            second.ask(&director, "POST", &path, Some(&json!({ "what": case_at(0)["what"] })));
        assert_eq!((status, &entered["case"]), (200, &json!(2)), "{entered}");
        second.kill();
        let of_people = names(&dir.path().join("worlds").join(id), 0);
        of_people.into_iter().filter(|(_, by)| by == "导演").map(|(name, _)| name).collect::<Vec<_>>()
    });
    assert_eq!(killed.await.unwrap(), ["case_reported", "case_reported"], "nothing happened twice");
}

impl Sender {
    /// The same browser at the address a hall has now.
    fn at(self, hall: &Served) -> Self {
        let origin = hall.url("");
        let signed_in = self.0.into_iter().map(|(name, value)| match name.as_str() {
            "origin" => (name, origin.clone()),
            _ => (name, value),
        });
        Self(signed_in.collect())
    }
}

/// The city's hall forgets with its process whom it has told of an answer; a drill does not, and one that comes later hears
/// nothing of what was over before it.
#[tokio::test(flavor = "multi_thread")]
async fn who_answered_a_real_case_is_told_after_a_restart_as_before() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let on_duty = Sender::person(&hall, "周敏", &[Role::Dispatcher], None).await;
    let (_, base) = director.drill(&hall, "演练", &[]).await;
    let real = hall.post("/api/v1/commands", &json!({ "command": first_level("530102") })).await.json();
    let claim = json!({ "claim_case": { "case": real["case"] } });
    assert_eq!(on_duty.send(&hall, "zh", &claim).await.status, 200);
    let answered = |message| breaking(message).filter(|told| told.unanswered == 0 && !told.rows.is_empty());
    let mut wall = screen(&hall, &director, &base).await;
    let (before, _) = heard(&mut wall, PATIENCE, answered).await.expect("the answer is heard");
    assert_eq!(before.rows[0].answered.as_ref().unwrap().by, "周敏");
    hall.running.stop().await.unwrap();

    let running = start(hall.dir.path()).await;
    let hall = Served { running, token: hall.token, dir: hall.dir };
    let director = director.at(&hall);
    let mut wall = screen(&hall, &director, &base).await;
    let (after, _) = heard(&mut wall, PATIENCE, breaking).await.expect("told at its opening");
    assert_eq!(after, before);
    let (_, later) = director.drill(&hall, "后来", &[]).await;
    let mut wall = screen(&hall, &director, &later).await;
    let (told, _) = heard(&mut wall, PATIENCE, breaking).await.expect("told at its opening");
    assert_eq!(told, BreakingRows::default());
    hall.running.stop().await.unwrap();
}

/// An ordered stop keeps a drill as well, one that has ended stays ended, and a folder that is no drill's holds nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn drills_are_there_again_after_a_restart_and_what_cannot_be_read_is_left_alone() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let (running, base) = director.drill(&hall, "进行", &[case_at(0)]).await;
    let (prepared, _) = director.drill(&hall, "待开始", &[]).await;
    let (ended, ended_base) = director.drill(&hall, "结束", &[]).await;
    assert_eq!(director.post(&hall, &format!("/api/v1/drills/{ended}/stop"), &json!({})).await.status, 200);
    assert_eq!(director.pace(&hall, &base, 1_000).await.status, 200);
    until("it happens", || async { city(&hall, &director, &base, "open").await == 1 }).await;
    hall.running.stop().await.unwrap();
    let worlds = hall.dir.path().join("worlds");
    for (name, text) in
        [("drill-00000001", Some("nonsense\n")), ("drill-00000002", None), ("notes", Some("x"))]
    {
        std::fs::create_dir(worlds.join(name)).unwrap();
        text.iter().for_each(|text| std::fs::write(worlds.join(name).join("drill.jsonl"), text).unwrap());
    }

    let again = start(hall.dir.path()).await;
    let hall = Served { running: again, token: hall.token, dir: hall.dir };
    let director = director.at(&hall);
    let items = director.ask(&hall, "GET", "/api/v1/drills").await.json()["items"].clone();
    let stages: Vec<(&str, &str, bool)> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["id"].as_str().unwrap(), one["stage"].as_str().unwrap(), one["came_back"] == json!(true))
        })
        .collect();
    assert_eq!(stages.len(), 3, "{items:#}");
    for expected in [
        (running.as_str(), "paused", true),
        (prepared.as_str(), "prepared", false),
        (ended.as_str(), "stopped", false),
    ] {
        assert!(stages.contains(&expected), "{stages:?}");
    }
    assert_eq!(city(&hall, &director, &base, "open").await, 1, "its numbers are there again");
    assert_eq!(director.ask(&hall, "GET", &format!("{ended_base}/api/v1/world")).await.status, 410);
    assert_eq!(std::fs::read_to_string(worlds.join("drill-00000001/drill.jsonl")).unwrap(), "nonsense\n");
    hall.running.stop().await.unwrap();
}

/// The process may end between an event of the drill's log and the line of its record that says so: what was entered is entered
/// once, and the record hears of it after all.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_happened_before_its_record_knew_does_not_happen_again() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let (id, base) = director.drill(&hall, "演练", &[case_at(0), call_at(86_400)]).await;
    assert_eq!(director.pace(&hall, &base, 1_000).await.status, 200);
    let became = async |hall: &Served, director: &Sender| {
        director.told(hall, &id).await["injects"][0]["became"]["entered"].clone()
    };
    until("it happens", || async { !became(&hall, &director).await.is_null() }).await;
    let number = became(&hall, &director).await;
    hall.running.stop().await.unwrap();
    let folder = hall.dir.path().join("worlds").join(&id);
    let record = std::fs::read_to_string(folder.join("drill.jsonl")).unwrap();
    let (told, others): (Vec<&str>, Vec<&str>) =
        record.lines().partition(|line| line.contains("\"injected\""));
    assert_eq!(told.len(), 1, "{record}");
    std::fs::write(folder.join("drill.jsonl"), others.join("\n") + "\n").unwrap();

    let running = start(hall.dir.path()).await;
    let hall = Served { running, token: hall.token, dir: hall.dir };
    let director = director.at(&hall);
    assert_eq!(became(&hall, &director).await, Value::Null);
    assert_eq!(director.pace(&hall, &base, 1_000).await.status, 200);
    until("the record hears of it", || async { became(&hall, &director).await == number }).await;
    assert_eq!(city(&hall, &director, &base, "open").await, 1);
    hall.running.stop().await.unwrap();
    let reported = names(&folder, 0).into_iter().filter(|(name, _)| name == "case_reported");
    assert_eq!(reported.count(), 1);
}

/// A drill's folder is no part of the city's store: the backup has nothing of it, the check says that it looked elsewhere, and a
/// drill that has ended can be checked alone.
#[tokio::test(flavor = "multi_thread")]
async fn backup_and_check_leave_drills_out_and_say_so() {
    let hall = served().await;
    let director = Sender::person(&hall, "导演", &[Role::Supervisor], None).await;
    let (id, base) = director.drill(&hall, "演练", &[case_at(0)]).await;
    assert_eq!(director.pace(&hall, &base, 1_000).await.status, 200);
    until("it happens", || async { city(&hall, &director, &base, "open").await == 1 }).await;
    assert_eq!(director.post(&hall, &format!("/api/v1/drills/{id}/stop"), &json!({})).await.status, 200);
    let (dir, to) = (hall.dir.path().to_owned(), tempfile::tempdir().unwrap());
    let folder = to.path().join("backup");
    let (backup, whole, alone) = tokio::task::spawn_blocking(move || {
        let run = |dir: &std::path::Path, arguments: &[&str]| {
            let mut process = Process::new(env!("CARGO_BIN_EXE_gridhall"));
            let output = process.args(arguments).arg("--data-dir").arg(dir).output().unwrap();
            let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
            assert!(output.status.success(), "{arguments:?}: {said}");
            said
        };
        let backup = run(&dir, &["backup", folder.to_str().unwrap()]);
        assert!(!folder.join("worlds").exists());
        (backup, run(&dir, &["check"]), run(&dir.join("worlds").join(id), &["check"]))
    })
    .await
    .unwrap();
    assert!(backup.contains("drills are no records of the city"), "{backup}");
    assert!(whole.contains("1 drills in worlds/") && whole.ends_with("sound\n"), "{whole}");
    assert!(alone.contains("cases 1 ") && alone.ends_with("sound\n"), "{alone}");
    hall.running.stop().await.unwrap();
}
