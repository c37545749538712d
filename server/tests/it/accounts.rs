//! The account file held by somebody else: sign-ins wait, nothing else does.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use domain::moment::UtcMillis;
use domain::role::Role;
use futures_util::StreamExt;
use serde_json::json;
use server::clock::Clock;

use crate::http::{Served, report, served};
use crate::sockets::socket;

/// How long the file is held: longer than any wait for it.
const HELD: Duration = Duration::from_secs(8);

/// The longest pause between two messages of the feed while `until` is not over.
async fn longest_gap(hall: &Served, until: Instant) -> Duration {
    let bearer = [("authorization", format!("Bearer {}", hall.token))];
    let mut live = socket(hall, "/live?format=json", &bearer).await;
    let hello = tokio_tungstenite::tungstenite::Message::text(
        json!({ "hello": { "protocol": domain::wire::PROTOCOL } }).to_string(),
    );
    futures_util::SinkExt::send(&mut live, hello).await.unwrap();
    live.next().await.unwrap().unwrap();
    let (mut longest, mut last) = (Duration::ZERO, Instant::now());
    while Instant::now() < until {
        tokio::time::timeout(Duration::from_secs(10), live.next())
            .await
            .expect("the feed stops")
            .unwrap()
            .unwrap();
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    longest
}

/// Method: another connection takes the lock of the file for eight seconds, longer than anybody waits for it. Meanwhile
/// an administrator revokes a token, somebody tries to sign in, and feed, health and commands are timed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_file_that_is_held_stops_neither_feed_nor_health_nor_commands() {
    let hall = served().await;
    let access = &hall.running.hall.access;
    let phone = access.make_token("J0001", Role::Inspector, UtcMillis(0)).await.unwrap();
    access.put_account("root", "correct horse battery", &[Role::Admin], None, UtcMillis(0)).await.unwrap();
    let now = Clock::machine().now();
    let cookie = access.redeem(access.one_time("root", now).expose(), now).await.unwrap().unwrap();
    let csrf = match access.by_cookie(cookie.expose(), now).unwrap().by {
        server::access::Proof::Session { csrf } => csrf,
        server::access::Proof::Token => panic!("a person has a session"),
    };
    let file = rusqlite::Connection::open(hall.running.hall.config.store.dir.join("access.db")).unwrap();
    file.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let until = Instant::now() + HELD;
    let gap = longest_gap(&hall, until);
    let rest = async {
        let form = json!({ "name": "root", "password": "correct horse battery" }).to_string();
        let origin = hall.url("");
        let sign_in = [("content-type", "application/json"), ("origin", origin.as_str())];
        let signing_in = hall.ask("POST", "/api/v1/sign-in", &sign_in, Some(form));
        let session = format!("{}={}", server::http::door::COOKIE, cookie.expose());
        let own =
            [("cookie", session.as_str()), ("origin", origin.as_str()), ("x-csrf-token", csrf.as_str())];
        let revoking = hall.ask("DELETE", "/api/v1/tokens/J0001", &own, None);
        let serving = async {
            let (mut slowest, mut unready) = (Duration::ZERO, false);
            while Instant::now() < until {
                let asked = Instant::now();
                assert_eq!(hall.ask("GET", "/healthz", &[], None).await.status, 200);
                assert_eq!(hall.get("/api/v1/session").await.status, 200);
                let taken = hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
                assert_eq!(taken.status, 200, "{}", taken.text);
                slowest = slowest.max(asked.elapsed());
                let ready = hall.ask("GET", "/readyz", &[], None).await;
                unready |= ready.status == 503 && ready.text.contains("account file");
                // Refused at once, although the file still knows it.
                if until - Instant::now() < HELD - Duration::from_millis(500) {
                    assert!(access.by_token(phone.expose()).is_none());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            (slowest, unready)
        };
        tokio::join!(signing_in, revoking, serving)
    };
    let (gap, (signed_in, revoked, (slowest, unready))) = tokio::join!(gap, rest);
    assert!(gap < Duration::from_secs(3), "the feed paused for {gap:?}");
    assert!(slowest < Duration::from_secs(2), "health, session and a command took {slowest:?}");
    assert!(unready, "/readyz says so");
    assert_eq!(revoked.status, 202, "{}", revoked.text);
    // Into memory, or not at all; never without an answer.
    assert!(matches!(signed_in.status, 200 | 503), "{}", signed_in.text);
    drop(file);
    let began = Instant::now();
    while hall.ask("GET", "/readyz", &[], None).await.status != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "it is ready again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let file = rusqlite::Connection::open(hall.running.hall.config.store.dir.join("access.db")).unwrap();
    let left: i64 =
        file.query_row("SELECT count(*) FROM token WHERE name = 'J0001'", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "written down");
    hall.running.stop().await.unwrap();
}

/// Runs `gridhall` on a data folder with something on its standard input; what it prints, or what it says when it fails.
fn gridhall(dir: &Path, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_gridhall"));
    process.args(arguments).arg("--data-dir").arg(dir);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [said, failed] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if output.status.success() { Ok(said) } else { Err(failed) }
}

/// The settings' file keeps the powers apart, as it did when the store began; a policy that was adopted since does not.
/// Method: the command line beside the running server, and on the folder of the stopped one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_goes_by_the_policy_in_force_and_not_by_the_file() {
    let hall = served().await;
    let dir = hall.dir.path().to_owned();
    let add = |name: &'static str| {
        let dir = dir.clone();
        let roles = ["account", "add", name, "--role", "supervisor", "--role", "dispatcher"];
        tokio::task::spawn_blocking(move || gridhall(&dir, &roles, "correct horse battery"))
    };
    let apart = add("zhou").await.unwrap().unwrap_err();
    assert!(apart.contains("separate powers"), "{apart}");
    let mut policy = server::config::Config::default().load_policy().unwrap();
    policy.powers_together = Some("编委批复〔2026〕1号".to_owned());
    let text = toml::to_string(&policy).unwrap();
    let adopted = crate::adopt_doors::post(&hall, &hall.token, "application/toml", "", text).await;
    assert_eq!(adopted.status, 200, "{}", adopted.text);
    let done = add("zhou").await.unwrap();
    assert!(done.is_ok(), "beside the server: {done:?}");
    let Served { running, dir: folder, .. } = hall;
    running.stop().await.unwrap();
    let done = add("wang").await.unwrap();
    assert!(done.is_ok(), "without one: {done:?}");
    let may = ["token", "add", "both", "--role", "machine", "--may", "supervise", "--may", "dispatch"];
    let listed = tokio::task::spawn_blocking({
        let dir = folder.path().to_owned();
        move || gridhall(&dir, &may, "").and_then(|_| gridhall(&dir, &["account", "list"], ""))
    });
    let listed = listed.await.unwrap().unwrap();
    assert!(listed.contains("as the policy's `powers_together` lets it"), "{listed}");
    assert!(!listed.contains("may use neither"), "{listed}");
}
