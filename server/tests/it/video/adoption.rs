//! Another list of cameras for a running hall: who watches notices only what concerns them.

use super::harness::{Hall, Page, Said, get, get_json};
use crate::adopt_doors::held_against;
use crate::http::served;
use domain::event::By;
use domain::grant::Grant;
use domain::moment::UtcMillis;
use domain::role::Role;
use domain::scope::Scope;
use server::access::{Doer, NewToken};
use server::video::adoption::{Adoption, LIST_BYTES_MAX, NotAdopted, Wish};
use server::video::origin::file::{Format, ListFile};
use sim::camera::{CameraSpec, Simulator};
use std::process::Command as Process;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);
const NOW: UtcMillis = UtcMillis(1_795_226_400_000);

/// The simulator's cameras as a list, changed by `edit`; a camera for which it says no is left out.
fn list(cameras: &Simulator, mut edit: impl FnMut(&mut toml::Table) -> bool) -> ListFile {
    let text = sim::camera::registry::to_toml(cameras).unwrap();
    let mut table: toml::Table = text.parse().unwrap();
    let rows = table["camera"].as_array_mut().unwrap();
    rows.retain_mut(|row| edit(row.as_table_mut().unwrap()));
    ListFile { format: Format::Toml, bytes: toml::to_string(&table).unwrap().into_bytes() }
}

fn code(row: &toml::Table) -> &str {
    row["code"].as_str().unwrap()
}

/// As the server does it: files are not read and written on the runtime's own threads.
fn adopt(hall: &Hall, list: &ListFile, wish: Wish) -> Result<Adoption, NotAdopted> {
    tokio::task::block_in_place(|| hall.video.adopt(list, wish, &By::named("zhou")))
}

async fn shows(page: &mut Page, tile: u16) {
    page.until_media(tile, 2, 3, SOON).await;
}

fn hall_of(codes: [&str; 3]) -> Vec<CameraSpec> {
    codes.map(|code| CameraSpec::looped(code, 1)).to_vec()
}

/// Method: three tiles watch a camera that stays, one that goes and one that is not there yet. The harness checks each
/// message: a gap in the staying one's numbers would fail it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adopted_list_keeps_streams_retires_cameras_in_words_and_brings_new_ones() {
    let hall = Hall::start(hall_of(["stays", "goes", "comes"])).await;
    let all = list(&hall.cameras, |_| true);
    adopt(&hall, &list(&hall.cameras, |row| code(row) != "comes"), Wish::default()).unwrap();
    let mut page = hall.page("webcodecs", false).await;
    for (tile, camera) in [(1, "stays"), (2, "goes"), (3, "comes")] {
        page.open(tile, camera, "sub", 360).await;
    }
    let unknown = page.until_state(3, "gone", SOON).await;
    assert_eq!(unknown["reason"], "no camera has this code");
    shows(&mut page, 1).await;
    shows(&mut page, 2).await;

    let next = list(&hall.cameras, |row| {
        if code(row) == "stays" {
            row.insert("name".into(), "改名".into());
            row.insert("lat".into(), 25.1.into());
        }
        code(row) != "goes"
    });
    let adoption = adopt(&hall, &next, Wish::default()).unwrap();
    assert_eq!(
        adoption.said.en,
        "1 camera is gone, and its picture closes (goes); 1 camera is new (comes); 1 camera has another place, area or view, and its \
         picture goes on (stays); 1 camera has another name or owner, and its picture goes on (stays)"
    );
    let gone = page.until_state(2, "gone", SOON).await;
    assert_eq!(
        (&gone["cause"], &gone["reason"]),
        (&"unknown_camera".into(), &"the camera is no longer in the list".into())
    );
    shows(&mut page, 3).await;
    shows(&mut page, 1).await;
    assert_eq!(hall.cameras.camera("stays").unwrap().counts().described, 1, "its stream has gone on");
    assert_eq!(get_json(hall.addr, "/api/v1/cameras/stays").await.1["name"], "改名");
    assert_eq!(get(hall.addr, "/api/v1/cameras/goes").await.0, 404);
    for _ in 0..40 {
        if hall.cameras.camera("goes").unwrap().counts().sessions == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        hall.cameras.camera("goes").unwrap().counts().sessions,
        0,
        "it has been told that we are gone"
    );

    adopt(&hall, &all, Wish::default()).unwrap();
    page.until_state(2, "live", SOON).await;
    shows(&mut page, 2).await;
}

/// Method: the same code at two simulators; its picture's source is told by which of them is asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_with_another_address_is_found_there_by_who_watches_it() {
    let old = Hall::start(hall_of(["a", "b", "c"])).await;
    let new = Hall::start(hall_of(["a", "b", "c"])).await;
    let mut page = old.page("webcodecs", false).await;
    page.open(1, "a", "sub", 360).await;
    page.open(2, "b", "sub", 360).await;
    shows(&mut page, 1).await;
    shows(&mut page, 2).await;
    let there = list(&new.cameras, |row| code(row) == "a");
    let mut moved = list(&old.cameras, |row| code(row) != "a");
    moved.bytes.extend_from_slice(&there.bytes);
    let adoption = adopt(&old, &moved, Wish::default()).unwrap();
    let dialled = "1 camera has another address, account or rule, and is dialled anew (a)";
    assert_eq!(adoption.said.en, format!("{dialled}; 2 cameras stay as they are, and their pictures go on"));
    page.until_media(1, 1, 1, SOON).await;
    shows(&mut page, 1).await;
    assert_eq!(new.cameras.camera("a").unwrap().counts().described, 1);
    assert_eq!(old.cameras.camera("b").unwrap().counts().described, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_and_a_list_with_a_bad_row_change_nothing_and_say_what() {
    let hall = Hall::start(hall_of(["a", "b", "c"])).await;
    let fewer = list(&hall.cameras, |row| code(row) != "c");
    let dry = Wish { dry_run: true, ..Wish::default() };
    let adoption = adopt(&hall, &fewer, dry).unwrap();
    let gone =
        "1 camera is gone, and its picture closes (c); 2 cameras stay as they are, and their pictures go on";
    assert_eq!((adoption.adopted, adoption.said.en.as_str()), (false, gone));
    let slip = list(&hall.cameras, |row| {
        if code(row) == "b" {
            row.insert("main".into(), "http://user:hidden77@10.9.8.7/b".into());
        }
        true
    });
    let refused = adopt(&hall, &slip, Wish::default()).unwrap_err().to_string();
    assert!(
        refused.starts_with(&format!("{}; 1 row is refused: line ", gone.replace("(c)", "(b)"))),
        "{refused}"
    );
    assert!(
        refused.contains("main: expected") && !refused.contains("hidden77") && !refused.contains("10.9.8.7")
    );
    let empty = ListFile { format: Format::Csv, bytes: b"code,main\n".to_vec() };
    assert!(matches!(adopt(&hall, &empty, Wish::default()), Err(NotAdopted::Empty)));
    let no_list = ListFile { format: Format::Csv, bytes: b"name\n".to_vec() };
    assert!(matches!(adopt(&hall, &no_list, Wish::default()), Err(NotAdopted::Unreadable(_))));
    let long = ListFile { format: Format::Csv, bytes: vec![b'#'; LIST_BYTES_MAX + 1] };
    assert!(matches!(adopt(&hall, &long, dry), Err(NotAdopted::TooLarge { .. })));
    assert_eq!(hall.video.registry().len(), 3, "nothing has changed so far");
    let adoption = adopt(&hall, &slip, Wish { leave_out_refused: true, ..Wish::default() }).unwrap();
    assert_eq!((adoption.adopted, adoption.refused_count, hall.video.registry().len()), (true, 1, 2));
}

/// Tiles that open while lists change back and forth end where the last list says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_while_lists_change_leaves_no_stream_of_a_camera_that_is_gone() {
    let hall = Hall::start(hall_of(["a", "b", "c"])).await;
    let (all, fewer) = (list(&hall.cameras, |_| true), list(&hall.cameras, |row| code(row) != "a"));
    let mut page = hall.page("webcodecs", false).await;
    for n in 0..20u16 {
        page.open(n, "a", "sub", 360).await;
        adopt(&hall, if n % 2 == 0 { &fewer } else { &all }, Wish::default()).unwrap();
    }
    adopt(&hall, &fewer, Wish::default()).unwrap();
    let mut gone = std::collections::BTreeSet::new();
    page.until("all tiles know", SOON, |said| {
        if let Said::Text(value) = said
            && let Some(tile) = value["state"]["tile"].as_u64()
        {
            let is_gone = value["state"]["state"] == "gone";
            if is_gone {
                gone.insert(tile)
            } else {
                gone.remove(&tile)
            };
        }
        (gone.len() == 20).then_some(())
    })
    .await;
    for _ in 0..100 {
        if hall.video.open_streams() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} streams of a camera that is gone", hall.video.open_streams());
}

/// Method: a server with a data folder, asked over HTTP and by the command line; then the same folder opened again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adoption_over_http_and_by_command_holds_at_once_and_after_a_restart() {
    let hall = served().await;
    let access = hall.running.hall.access.clone();
    let token = async |role: Role| access.make_token(&format!("t-{role:?}"), role, NOW).await.unwrap();
    let (machine, kiosk) = (token(Role::Machine).await, token(Role::Kiosk).await);
    let modest = NewToken { may: Some(Grant::MODEST.into()), ..NewToken::wide("modest", Role::Machine) };
    let area = Scope::Within { areas: ["530102".parse().unwrap()].into(), departments: [].into() };
    let define = Some([Grant::Define].into());
    let local = NewToken { scope: area, may: define, ..NewToken::wide("local", Role::Machine) };
    let noted = async |new| access.make_token_noted(Doer { by: "test", now: NOW }, new, false).await.unwrap();
    let (modest, local) = (noted(modest).await, noted(local).await);
    let csv = |text: &str| format!("code,name,main,username,password\n{text}");
    let post = async |secret: &str, kind: &str, query: &str, body: String| {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        hall.ask("POST", &format!("/api/v1/cameras/adopt{query}"), &headers, Some(body)).await
    };
    let two = csv("K1,东门,rtsp://10.1.2.3/1,op,hidden77\nK2,西门,rtsp://10.1.2.3/2,op,hidden77\n");
    for refused in [&kiosk, &modest, &local] {
        assert_eq!(post(refused.expose(), "text/csv", "", two.clone()).await.status, 403);
    }
    assert_eq!(post(machine.expose(), "image/png", "", two.clone()).await.status, 415);
    let dry = post(machine.expose(), "text/csv", "?dry_run=true", two.clone()).await;
    assert_eq!(dry.status, 200, "{}", dry.text);
    assert!(hall.running.hall.video.registry().is_empty());
    let done = post(machine.expose(), "text/csv", "", two).await;
    let adoption: Adoption = serde_json::from_str(&done.text).unwrap();
    assert_eq!((adoption.adopted, adoption.said.en.as_str()), (true, "2 cameras are new (K1, K2)"));
    assert_eq!(adoption.said.zh, "2 路摄像机新增（K1、K2）");
    let bad = post(machine.expose(), "text/csv", "", csv("K1,x,http://op:hidden77@10.1.2.3/1,,\n")).await;
    assert_eq!(bad.status, 422, "{}", bad.text);
    assert!(bad.text.contains("未作任何变更") && bad.text.contains("line 2: main"), "{}", bad.text);
    for answer in [&dry, &done, &bad] {
        assert!(!answer.text.contains("10.1.2.3") && !answer.text.contains("hidden77"), "{}", answer.text);
    }

    let dir = tempfile::tempdir().unwrap();
    let (file, secret) = (dir.path().join("next.csv"), dir.path().join("token"));
    let other = csv("K2,西门,rtsp://10.1.2.3/2,op,hidden77\nK3,南门,rtsp://10.1.2.3/3,op,hidden77\n");
    std::fs::write(&file, other).unwrap();
    std::fs::write(&secret, machine.expose()).unwrap();
    let command = async |more: &[&std::ffi::OsStr]| {
        let mut process = Process::new(env!("CARGO_BIN_EXE_gridhall"));
        process.args(["cameras", "adopt"]).arg(&file).args(more).env("GRIDHALL_LOG", "debug");
        let output = tokio::task::spawn_blocking(move || process.output().unwrap()).await.unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{said:?}");
        assert!(!said.concat().contains("10.1.2.3") && !said.concat().contains("hidden77"), "{said:?}");
        said[0].clone()
    };
    let url = hall.url("");
    let server = ["--server".as_ref(), url.as_ref(), "--token-file".as_ref(), secret.as_os_str()];
    let said = command(&[&server[..], &["--dry-run".as_ref()]].concat()).await;
    let against = held_against(1);
    let change = "1 camera is gone, and its picture closes (K1)\n1 camera is new (K3)\n1 camera stays as it is, and its picture goes on\n";
    assert_eq!(said, format!("{change}{against}\ndry run: nothing was changed\n"));
    let said = command(&server).await;
    assert_eq!(said, format!("{change}in force as version 2\n"));
    let registry = hall.running.hall.video.registry();
    assert!(registry.get("K1").is_none() && registry.get("K3").is_some());

    // A folder of its own: the next server there has what was adopted.
    let data = dir.path().join("data");
    let folder = ["--data-dir".as_ref(), data.as_os_str()];
    let said = command(&folder).await;
    assert_eq!(said, "2 cameras are new (K2, K3)\nin force as version 1\n");
    assert_eq!(command(&folder).await.lines().next(), Some("nothing changes: it is the list in force"));
    let mut config = server::config::Config::default();
    config.store.dir = data;
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    let again = server::serve::start(config).await.unwrap();
    assert_eq!(again.hall.video.registry().len(), 2);
    again.stop().await.unwrap();
}
