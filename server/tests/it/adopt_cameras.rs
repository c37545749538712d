//! Adopted lists of cameras in the log: in force after a restart and after a restore, sealed wherever they lie, and said by whom.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use domain::adoption::CamerasAdopted;
use domain::event::{By, Door, Event, HallEvent, Recorded};
use serde_json::json;
use server::cameras::InLog;
use server::check::recounted;
use server::config::Config;
use server::folder::DATABASE;
use server::serve::Running;
use server::video::adoption::Adoption;
use server::video::origin::file::{Format, ListFile};
use server::writer::spawn_with;
use server::writer::store::Store;

use crate::adopt_doors::{command, held_against, next, post};
use crate::city::TestClock;
use crate::http::{Reply, Served, report, served_with, start_with};

mod former;

/// What must be read nowhere: a password, an account, a camera's address.
const HIDDEN: [&str; 3] = ["hidden77", "op-account", "10.1.2.3"];

fn csv(codes: &[&str]) -> String {
    let rows = codes.iter().map(|code| format!("{code},东门,rtsp://10.1.2.3/{code},op-account,hidden77\n"));
    format!("code,name,main,username,password\n{}", rows.collect::<String>())
}

fn list(codes: &[&str]) -> ListFile {
    ListFile { format: Format::Csv, bytes: csv(codes).into_bytes() }
}

async fn adopt(hall: &Served, query: &str, codes: &[&str]) -> Reply {
    let bearer = format!("Bearer {}", hall.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    hall.ask("POST", &format!("/api/v1/cameras/adopt{query}"), &headers, Some(csv(codes))).await
}

fn codes(running: &Running) -> Vec<String> {
    running.hall.video.registry().iter().map(|(code, _)| code.to_string()).collect()
}

/// Every adoption of a list in the log, with who did it.
fn adoptions(running: &Running) -> Vec<(By, CamerasAdopted)> {
    let events = running.hall.reader.events_after(0, 5_000).unwrap();
    let adopted = |recorded: Recorded| match recorded.event {
        Event::Hall(HallEvent::CamerasAdopted(adopted)) => Some((recorded.by, adopted)),
        Event::Hall(HallEvent::DayTurned { .. })
        | Event::Case(..)
        | Event::Deadline(_)
        | Event::Whistle(..)
        | Event::Policy(_) => None,
    };
    events.into_iter().filter_map(|(recorded, _)| adopted(recorded)).collect()
}

/// The files below a folder that hold something of a list in the clear.
fn in_the_clear(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(in_the_clear(&path));
            continue;
        }
        // What is gone by now, as a write-ahead log that is closed meanwhile, holds nothing.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let holds = |word: &&str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        if HIDDEN.iter().any(holds) {
            found.push(path);
        }
    }
    found
}

/// The list of the settings, and how a hall is told of it.
struct Settings {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Settings {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cameras.csv");
        std::fs::write(&file, csv(&["OLD"])).unwrap();
        Self { _folder: folder, file }
    }

    async fn start(&self, data: &Path) -> Running {
        start_with(data, |config: &mut Config| config.cameras.file = Some(self.file.clone())).await
    }
}

/// Method: a hall running, another policy and another list adopted over the API, then the same folder opened again with the old
/// files still in the settings, then its backup restored into another folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_adopted_is_in_force_after_a_restart_with_the_old_files_and_in_a_restored_folder() {
    let settings = Settings::new();
    let hall = served_with(|config| config.cameras.file = Some(settings.file.clone())).await;
    assert_eq!(codes(&hall.running), ["OLD"]);
    let done = post(&hall, &hall.token, "application/toml", "", next()).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let dry = adopt(&hall, "?dry_run=true", &["K1", "K2"]).await;
    assert_eq!((dry.status, adoptions(&hall.running).len()), (200, 0), "{}", dry.text);
    let done = adopt(&hall, "", &["K1", "K2"]).await;
    let adoption: Adoption = serde_json::from_str(&done.text).unwrap();
    assert_eq!(
        (adoption.adopted, adoption.said.en.as_str()),
        (true, "1 camera is gone, and its picture closes (OLD); 2 cameras are new (K1, K2)")
    );
    let again = adopt(&hall, "", &["K1", "K2"]).await;
    let adoption: Adoption = serde_json::from_str(&again.text).unwrap();
    assert_eq!((adoption.adopted, adoption.said.zh.as_str()), (true, "与现行名录一致，没有变更"));

    let all = adoptions(&hall.running);
    let [(by, adopted)] = &all[..] else { panic!("the same list is one adoption: {all:?}") };
    assert_eq!((by.name.as_str(), by.door, adopted.version), ("city-platform", Door::Api, 1));
    let counts = adopted.counts;
    assert_eq!((counts.cameras, counts.new, counts.gone, counts.moved), (2, 2, 1, 0));
    let told = hall.get("/api/v1/events?limit=500").await.text;
    assert!(told.contains("cameras_adopted") && told.contains("city-platform"), "{told}");
    let listed = hall.get("/api/v1/cameras").await.text;
    for text in [&dry.text, &done.text, &told, &listed] {
        assert!(HIDDEN.iter().all(|word| !text.contains(word)), "{text}");
    }
    assert_eq!(in_the_clear(hall.dir.path()), Vec::<PathBuf>::new(), "while the server runs");

    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    assert_eq!(in_the_clear(dir.path()), Vec::<PathBuf>::new());
    let again = settings.start(dir.path()).await;
    assert_eq!((codes(&again), adoptions(&again).len()), (vec!["K1".to_owned(), "K2".to_owned()], 1));
    assert_eq!(again.hall.in_force().version, 1);
    again.stop().await.unwrap();

    let (backup, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    server::log::backup::backup(dir.path(), backup.path(), 0).unwrap();
    assert_eq!(in_the_clear(backup.path()), Vec::<PathBuf>::new());
    server::log::restore::restore(backup.path(), restored.path()).unwrap();
    let policy = Config::default().load_policy().unwrap();
    for folder in [dir.path(), restored.path()] {
        let found = recounted(folder, &policy).unwrap();
        assert!(found.is_sound(), "{}", found.table());
    }
    let restored = settings.start(restored.path()).await;
    assert_eq!(codes(&restored), ["K1", "K2"]);
    let (by, _) = &adoptions(&restored)[0];
    assert_eq!(by.name, "city-platform", "the log says who did it, in the copy too");
    let in_force = restored.hall.in_force();
    assert_eq!(in_force.version, 1);
    let retired = |code: &str| in_force.policy.classes.iter().find(|class| class.code.as_str() == code);
    assert!(retired("E01-10").unwrap().retired && !retired("E99-01").unwrap().retired);
    restored.stop().await.unwrap();
}

/// Method: two dry runs of the same minute, of which one is adopted; then the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_was_held_against_a_list_before_is_refused_and_says_who_adopted_which_when() {
    let hall = served_with(|_| {}).await;
    for (seen, list) in [(0, ["K1"]), (1, ["K2"])] {
        let dry = adopt(&hall, "?dry_run=true", &list).await.json();
        assert_eq!(dry["version"], seen);
        let done = adopt(&hall, &format!("?upon={seen}"), &list).await;
        assert_eq!((done.status, &done.json()["version"]), (200, &json!(seen + 1)), "{}", done.text);
    }
    let late = adopt(&hall, "?upon=1", &["K3"]).await;
    assert_eq!((late.status, late.code().as_str()), (409, "adopted_since"), "{}", late.text);
    let title = late.json()["title"].as_str().unwrap().to_owned();
    let said = "试运行对照的是第 1 版，而city-platform已于 ";
    assert!(title.starts_with(said) && title.contains(" 启用摄像机名录第 2 版；未作任何变更"), "{title}");
    assert_eq!((codes(&hall.running), adoptions(&hall.running).len()), (vec!["K2".to_owned()], 2));
    // The one in force, sent again because its answer was lost, is no other.
    assert_eq!(adopt(&hall, "?upon=1", &["K2"]).await.status, 200);

    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    let file = dir.path().join("late.csv");
    std::fs::write(&file, csv(&["K3"])).unwrap();
    let asked = |end: &[&'static str]| -> Vec<OsString> {
        let [file, folder] = [file.as_os_str(), dir.path().as_os_str()];
        let words = ["cameras".as_ref(), "adopt".as_ref(), file, "--data-dir".as_ref(), folder];
        words.into_iter().map(OsString::from).chain(end.iter().map(OsString::from)).collect()
    };
    let run = async |end: &[&'static str]| {
        let words = asked(end);
        command(&words.iter().map(OsString::as_os_str).collect::<Vec<_>>()).await
    };
    let said = run(&["--dry-run"]).await.unwrap();
    assert!(said.contains("held against version 2: with --upon 2 "), "{said}");
    let late = run(&["--upon", "1"]).await.unwrap_err();
    assert!(late.contains("and city-platform adopted version 2 of the list of cameras on "), "{late}");
    run(&["--upon", "2"]).await.unwrap();
}

/// A body that is gone or damaged keeps no hall from starting, and `check` says it; the same list adopted again mends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_whose_body_is_lost_is_named_by_check_and_the_file_of_the_settings_holds() {
    let newest = "WHERE no = (SELECT max(no) FROM blobs)";
    without_body(&format!("DELETE FROM blobs {newest}"), "is not in the log").await;
    without_body(
        &format!("UPDATE blobs SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) {newest}"),
        "does not agree",
    )
    .await;
}

async fn without_body(harm: &str, named: &str) {
    let settings = Settings::new();
    let hall = served_with(|config| config.cameras.file = Some(settings.file.clone())).await;
    assert_eq!(adopt(&hall, "", &["K1"]).await.status, 200);
    let Served { running, dir, token } = hall;
    running.stop().await.unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    let gone = conn.execute(harm, []).unwrap();
    assert_eq!(gone, 1);
    conn.close().unwrap();
    let found = recounted(dir.path(), &Config::default().load_policy().unwrap()).unwrap();
    let said = found.problems.join("; ");
    assert!(said.contains(named), "{}", found.table());
    let again = settings.start(dir.path()).await;
    assert_eq!(codes(&again), ["OLD"]);
    let hall = Served { running: again, token, dir };
    assert_eq!(adopt(&hall, "", &["K1"]).await.status, 200);
    assert_eq!((codes(&hall.running), adoptions(&hall.running).len()), (vec!["K1".to_owned()], 1));
    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    let found = recounted(dir.path(), &Config::default().load_policy().unwrap()).unwrap();
    assert!(found.is_sound(), "{}", found.table());
    let mended = settings.start(dir.path()).await;
    assert_eq!(codes(&mended), ["K1"]);
    mended.stop().await.unwrap();
}

/// Method: the command line on the folder of a stopped hall; each refusal first, to see that it left nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_adopted_in_the_data_folder_of_a_stopped_hall_and_nothing_is_made_by_asking() {
    let settings = Settings::new();
    let (files, nowhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data = nowhere.path().join("data");
    let written = |name: &str, text: String| {
        let file = files.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let good = written("good.csv", csv(&["K1", "K3"]));
    let bad = written("bad.csv", csv(&["K1", "K3"]).replacen("rtsp://", "http://", 1));
    let on = |file: &PathBuf, more: &[&str]| {
        let mut all: Vec<OsString> = vec!["cameras".into(), "adopt".into(), file.into(), "--data-dir".into()];
        all.push(data.clone().into_os_string());
        all.extend(more.iter().map(OsString::from));
        all
    };
    let run = async |arguments: Vec<OsString>| {
        let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        let said = command(&arguments).await;
        let text = said.clone().unwrap_or_else(|failed| failed);
        assert!(HIDDEN.iter().all(|word| !text.contains(word)), "{text}");
        said
    };
    let dry = run(on(&good, &["--dry-run"])).await.unwrap();
    let new = "2 cameras are new (K1, K3)\n";
    assert_eq!(dry, format!("{new}{}\ndry run: nothing was changed\n", held_against(0)));
    let slip = run(on(&bad, &["--dry-run"])).await.unwrap();
    assert!(
        slip.contains("1 row is refused; without --leave-out-refused nothing is adopted\n  line 2: "),
        "{slip}"
    );
    assert!(run(on(&bad, &[])).await.unwrap_err().contains("1 row is refused"));
    assert!(!data.exists(), "no store is made by a question or a refused list");

    // Against the list that was kept before the log could hold it, which is taken over before this one.
    former::kept_before(&data, &[&["K1", "K2"]]);
    let dry = run(on(&good, &["--dry-run"])).await.unwrap();
    let change = "1 camera is gone, and its picture closes (K2)\n1 camera is new (K3)\n1 camera stays as it is, and its picture goes on\n";
    assert_eq!(dry, format!("{change}{}\ndry run: nothing was changed\n", held_against(1)));
    assert!(data.join("cameras").exists() && !data.join(DATABASE).exists());
    let done = run(on(&good, &[])).await.unwrap();
    assert_eq!(done, format!("{change}in force as version 2\n"));
    assert!(!data.join("cameras").exists());
    assert_eq!(
        run(on(&good, &[])).await.unwrap().lines().next(),
        Some("nothing changes: it is the list in force")
    );

    let running = settings.start(&data).await;
    assert_eq!(codes(&running), ["K1", "K3"]);
    let by: Vec<(String, Door)> = adoptions(&running).into_iter().map(|(by, _)| (by.name, by.door)).collect();
    assert_eq!((by.len(), &by[0]), (2, &("周敏".to_owned(), Door::Unknown)));
    assert_eq!(by[1].1, Door::Cli);
    let busy = run(on(&good, &[])).await.unwrap_err();
    assert!(busy.contains("--server URL"), "{busy}");
    running.stop().await.unwrap();
    assert_eq!(in_the_clear(&data), Vec::<PathBuf>::new());
}

/// Lists come into force in the order in which they were adopted, whatever else is written meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_commands_go_through_the_one_writer_and_each_list_is_a_version() {
    let settings = Settings::new();
    let hall = served_with(|config| config.cameras.file = Some(settings.file.clone())).await;
    let lists: [&[&str]; 4] = [&["K1"], &["K1", "K2"], &["K2"], &["K1"]];
    for one in lists {
        let command = json!({ "command": report("530102") });
        let (done, sent) = tokio::join!(adopt(&hall, "", one), hall.post("/api/v1/commands", &command));
        assert_eq!((done.status, sent.status), (200, 200), "{} {}", done.text, sent.text);
        assert_eq!(codes(&hall.running), one);
    }
    let adopted = adoptions(&hall.running);
    let versions: Vec<u64> = adopted.iter().map(|(_, adopted)| adopted.version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(adopted[0].1.hash, adopted[3].1.hash, "the same list is kept once");
    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    let blobs: i64 = conn.query_row("SELECT count(*) FROM blobs", [], |row| row.get(0)).unwrap();
    assert_eq!(blobs, 1 + 3, "the first policy, and three lists");
    let found = recounted(dir.path(), &Config::default().load_policy().unwrap()).unwrap();
    assert!(found.is_sound(), "{}", found.table());
}
