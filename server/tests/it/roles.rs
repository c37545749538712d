//! Powers: every role against every command, one department against another, and accounts that lose theirs.

use std::io::Write;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use domain::code::DepartmentCode;
use domain::command::Command;
use domain::moment::UtcMillis;
use domain::role::Role;
use domain::scope::Scope;
use serde_json::{Value, json};
use server::clock::Clock;

use crate::http::{Reply, Served, report, served};

/// One of each command somebody can write, with numbers nobody has: what is allowed is answered `unknown`, 404, or taken.
fn commands() -> Vec<Value> {
    let case = json!({ "case": 4_000_000 });
    let reasoned = json!({ "case": 4_000_000, "note": "理由" });
    let history = json!({ "opened": 1_790_000_000_000i64, "stage": "accept" });
    let report_of = |area| report(area)["report_case"]["report"].clone();
    vec![
        report("530102"),
        json!({ "take_over_case": { "report": report_of("530102"), "history": history } }),
        json!({ "accept_case": case }),
        json!({ "file_case": case }),
        json!({ "dispatch_case": { "case": 4_000_000, "department": "urban" } }),
        json!({ "finish_disposal": case }),
        json!({ "give_feedback": case }),
        json!({ "pass_check": case }),
        json!({ "close_case": case }),
        json!({ "return_case": reasoned }),
        json!({ "fail_check": reasoned }),
        json!({ "refuse_case": reasoned }),
        json!({ "decline_filing": reasoned }),
        json!({ "void_case": reasoned }),
        json!({ "force_closing": reasoned }),
        json!({ "close_specially": reasoned }),
        json!({ "close_as_faulty": reasoned }),
        json!({ "ask_extension": reasoned }),
        json!({ "grant_extension": case }),
        json!({ "refuse_extension": reasoned }),
        json!({ "ask_suspension": reasoned }),
        json!({ "grant_suspension": case }),
        json!({ "refuse_suspension": reasoned }),
        json!({ "resume_disposal": case }),
        json!({ "claim_case": case }),
        json!({ "note_case": { "case": 4_000_000, "text": "看过" } }),
        json!({ "raise_whistle": { "call": { "level": "street", "area": "530102", "title": "油烟", "called": ["urban"] } } }),
        json!({ "respond_to_whistle": { "whistle": 4_000_000, "department": "urban" } }),
        json!({ "close_whistle": { "whistle": 4_000_000 } }),
        json!({ "define_catalogue": { "entries": [] } }),
        json!("pass_deadlines"),
    ]
}

/// Somebody's headers: a session with everything a browser sends, or a token.
pub struct Sender(pub Vec<(String, String)>);

impl Sender {
    pub async fn person(hall: &Served, name: &str, roles: &[Role], department: Option<&str>) -> Self {
        Self::account(hall, name, roles, department, None).await
    }

    /// Somebody who sees these areas alone.
    pub async fn seeing(hall: &Served, name: &str, roles: &[Role], areas: &[&str]) -> Self {
        let areas = areas.iter().map(|code| code.parse().unwrap()).collect();
        Self::account(hall, name, roles, None, Scope::of(areas, Default::default())).await
    }

    pub async fn account(
        hall: &Served,
        name: &str,
        roles: &[Role],
        department: Option<&str>,
        scope: Option<Scope>,
    ) -> Self {
        let access = &hall.running.hall.access;
        let new = server::access::NewAccount {
            name: name.to_owned(),
            password: "correct horse battery".to_owned(),
            roles: roles.to_vec(),
            department: department.map(|code| DepartmentCode::new(code).unwrap()),
            scope,
        };
        access.set_account(new, UtcMillis(0)).await.unwrap();
        let now = Clock::machine().now();
        let cookie = access.redeem(access.one_time(name, now).expose(), now).await.unwrap().unwrap();
        let csrf = match access.by_cookie(cookie.expose(), now).unwrap().by {
            server::access::Proof::Session { csrf } => csrf,
            server::access::Proof::Token => panic!("a person has a session"),
        };
        let cookie = format!("{}={}", server::http::door::COOKIE, cookie.expose());
        Self(vec![("cookie".into(), cookie), ("x-csrf-token".into(), csrf), ("origin".into(), hall.url(""))])
    }

    async fn token(hall: &Served, role: Role) -> Self {
        let secret =
            hall.running.hall.access.make_token(&format!("t-{role:?}"), role, UtcMillis(0)).await.unwrap();
        Self(vec![("authorization".into(), format!("Bearer {}", secret.expose()))])
    }

    async fn of(hall: &Served, role: Role) -> Self {
        match role {
            Role::Kiosk | Role::Inspector | Role::Machine => Self::token(hall, role).await,
            Role::Department => Self::person(hall, "department", &[role], Some("urban")).await,
            Role::Admin | Role::Supervisor | Role::Dispatcher | Role::Viewer => {
                Self::person(hall, &format!("{role:?}"), &[role], None).await
            }
        }
    }

    pub async fn ask(&self, hall: &Served, method: &str, path: &str) -> Reply {
        self.with(hall, method, path, None).await
    }

    /// As [`Sender::ask`], with a body of JSON.
    pub async fn with(&self, hall: &Served, method: &str, path: &str, body: Option<String>) -> Reply {
        let mut headers: Vec<(&str, &str)> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        hall.ask(method, path, &headers, body).await
    }

    pub async fn send(&self, hall: &Served, language: &str, command: &Value) -> Reply {
        let mut headers = vec![("content-type", "application/json"), ("accept-language", language)];
        headers.extend(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let body = json!({ "command": command }).to_string();
        hall.ask("POST", "/api/v1/commands", &headers, Some(body)).await
    }
}

/// Columns: admin, supervisor, dispatcher, department, viewer, kiosk, inspector, machine.
const POWERS: &str = "
report_case         .  +  +  +  .  .  .  +
take_over_case      +  .  .  .  .  .  .  +
accept_case         .  +  .  .  .  .  .  +
file_case           .  +  .  .  .  .  .  +
dispatch_case       .  .  +  .  .  .  .  +
finish_disposal     .  .  +  +  .  .  .  +
give_feedback       .  .  +  +  .  .  .  +
pass_check          .  +  .  .  .  .  .  +
close_case          .  +  .  .  .  .  .  +
return_case         .  .  +  +  .  .  .  +
fail_check          .  +  .  .  .  .  .  +
refuse_case         .  +  .  .  .  .  .  +
decline_filing      .  +  .  .  .  .  .  +
void_case           .  +  .  .  .  .  .  +
force_closing       .  +  .  .  .  .  .  +
close_specially     .  +  .  .  .  .  .  +
close_as_faulty     .  +  .  .  .  .  .  +
ask_extension       .  .  +  +  .  .  .  +
grant_extension     .  +  .  .  .  .  .  +
refuse_extension    .  +  .  .  .  .  .  +
ask_suspension      .  .  +  +  .  .  .  +
grant_suspension    .  +  .  .  .  .  .  +
refuse_suspension   .  +  .  .  .  .  .  +
resume_disposal     .  .  +  +  .  .  .  +
claim_case          .  +  +  +  .  .  .  +
note_case           .  +  +  +  .  .  .  +
raise_whistle       .  .  +  .  .  .  .  +
respond_to_whistle  .  .  +  +  .  .  .  +
close_whistle       .  .  +  .  .  .  .  +
define_catalogue    +  .  .  .  .  .  .  +
pass_deadlines      .  .  .  .  .  .  .  .
";

/// Method: one of each is sent over HTTP by one of each; what comes back is written as a table and held against the one
/// above. Supervision (accept, file, check, close) and disposal (dispatch, dispose, feedback, whistles) share no column.
#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_send_what_is_its_own_and_is_told_of_the_rest() {
    let hall = served().await;
    let mut senders = Vec::new();
    for role in Role::ALL {
        senders.push(Sender::of(&hall, role).await);
    }
    let mut table = String::from("\n");
    for command in commands() {
        let parsed: Command = serde_json::from_value(command.clone()).unwrap();
        let mut row = format!("{:<18}", parsed.name());
        for (role, sender) in Role::ALL.into_iter().zip(&senders) {
            let reply = sender.send(&hall, "en", &command).await;
            if reply.status != 403 {
                assert!(
                    [200, 404].contains(&reply.status),
                    "{role:?} {command}: {} {}",
                    reply.status,
                    reply.text
                );
                row.push_str("  +");
                continue;
            }
            row.push_str("  .");
            assert_eq!(reply.code(), "not_allowed", "{role:?} {command}");
            let words = match role {
                Role::Kiosk => "a wall kiosk only reads what a wall shows".to_owned(),
                Role::Inspector => "an inspector's phone only reports positions".to_owned(),
                Role::Admin
                | Role::Supervisor
                | Role::Dispatcher
                | Role::Department
                | Role::Viewer
                | Role::Machine => {
                    format!("this account may not send {}", parsed.name())
                }
            };
            assert_eq!(reply.json()["title"], words, "{role:?}");
        }
        table.push_str(&row);
        table.push('\n');
    }
    assert_eq!(table, POWERS);
    assert_eq!(POWERS.lines().count() - 1, commands().len());
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_acts_for_itself_alone() {
    let hall = served().await;
    let machine = |command: Value| {
        let body = json!({ "command": command });
        let hall = &hall;
        async move {
            let reply = hall.post("/api/v1/commands", &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json()
        }
    };
    let mut cases = Vec::new();
    for department in ["urban", "water"] {
        let case = machine(report("530102")).await["case"].clone();
        machine(json!({ "accept_case": { "case": case } })).await;
        machine(json!({ "file_case": { "case": case } })).await;
        machine(json!({ "dispatch_case": { "case": case, "department": department } })).await;
        cases.push(case);
    }
    let waiting = machine(report("530102")).await["case"].clone();
    let call = json!({ "level": "street", "area": "530102", "title": "油烟", "called": ["urban", "water"] });
    let whistle = machine(json!({ "raise_whistle": { "call": call } })).await["whistle"].clone();
    let respond =
        |department: &str| json!({ "respond_to_whistle": { "whistle": whistle, "department": department } });

    // What it does not see is not there for it.
    let own = Sender::person(&hall, "城管甲", &[Role::Department], Some("urban")).await;
    for case in [&cases[1], &waiting] {
        let unseen = own.send(&hall, "en", &json!({ "note_case": { "case": case, "text": "x" } })).await;
        assert_eq!((unseen.status, unseen.code().as_str()), (404, "unknown_case"));
    }
    let all = Some(Scope::All);
    let urban = Sender::account(&hall, "城管", &[Role::Department], Some("urban"), all).await;
    let refused = urban.send(&hall, "zh-CN", &respond("water")).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "other_department"));
    assert_eq!(refused.json()["title"], "当前账号属于“urban”，不能代“water”办理");
    for command in ["finish_disposal", "claim_case"] {
        let other = urban.send(&hall, "en", &json!({ command: { "case": cases[1] } })).await;
        assert_eq!((other.status, other.code().as_str()), (403, "other_department"), "{command}");
        assert_eq!(other.json()["title"], "this account acts for `urban`, not for `water`");
    }
    let early = urban.send(&hall, "en", &json!({ "note_case": { "case": waiting, "text": "x" } })).await;
    assert_eq!(early.json()["title"], "the case is not dispatched yet; this account acts for `urban` alone");
    assert_eq!(urban.send(&hall, "en", &respond("urban")).await.status, 200);
    let done = urban.send(&hall, "en", &json!({ "finish_disposal": { "case": cases[0] } })).await;
    assert_eq!(done.status, 200, "{}", done.text);

    // Another role of the same account may do it for all.
    let both = Sender::person(&hall, "两职", &[Role::Department, Role::Dispatcher], Some("urban")).await;
    assert_eq!(both.send(&hall, "en", &respond("water")).await.status, 200);
    hall.running.stop().await.unwrap();
}

fn gridhall(hall: &Served, words: &[&str], input: &str) -> (bool, String) {
    let mut child = Process::new(env!("CARGO_BIN_EXE_gridhall"))
        .arg("--data-dir")
        .arg(&hall.running.hall.config.store.dir)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Method: the command line as an administrator types it, beside a running server; an open feed and a session are watched.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_disabled_unlocked_and_removed_beside_a_running_server() {
    let hall = served().await;
    let run = |words: &[&str]| gridhall(&hall, words, "correct horse battery\n");
    let (ok, said) = run(&["account", "add", "zhou", "--role", "department"]);
    assert!(!ok && said.contains("belongs to one department"), "{said}");
    let (ok, said) = run(&["account", "add", "zhou", "--role", "department", "--department", "circus"]);
    assert!(
        !ok && said.contains("`circus` is not in the policy; expected one of urban, sanitation"),
        "{said}"
    );
    let (ok, said) = run(&["account", "add", "zhou", "--role", "viewer", "--department", "urban"]);
    assert!(!ok && said.contains("only an account with the role department"), "{said}");
    assert!(run(&["account", "add", "zhou", "--role", "department", "--department", "urban"]).0);

    for (act, words) in [("disable", "disabled since"), ("remove", "")] {
        let zhou = Sender::person(&hall, "zhou", &[Role::Department], Some("urban")).await;
        let headers: Vec<(&str, String)> =
            zhou.0.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let mut feed = crate::sockets::socket(&hall, "/live?format=json", &headers[..]).await;
        let hello = json!({ "hello": { "protocol": domain::wire::PROTOCOL } }).to_string();
        futures_util::SinkExt::send(&mut feed, hello.into()).await.unwrap();
        assert_eq!(zhou.send(&hall, "en", &report("530102")).await.status, 200);
        let (ok, said) = run(&["account", act, "zhou"]);
        assert!(ok, "{said}");
        let since = Instant::now();
        assert_eq!(crate::sockets::close_code(feed).await, 4001);
        let took = since.elapsed();
        // Four seconds, and what a loaded machine adds.
        assert!(took < Duration::from_secs(8), "{act}: {took:?}");
        eprintln!("{act}: the open feed ended after {took:?}");
        assert_eq!(zhou.send(&hall, "en", &report("530102")).await.status, 401);
        let list = run(&["account", "list"]).1;
        let line = list.lines().find(|line| line.starts_with("zhou\t"));
        assert_eq!(line.is_some(), act == "disable", "{list}");
        assert!(line.is_none_or(|line| line.contains(words) && line.contains("department urban")), "{list}");
        assert_eq!(sign_in(&hall).await, 401, "after {act}");
        if act == "disable" {
            let department = ["--role", "department", "--department", "urban"];
            let (ok, said) = run(&[["account", "add", "zhou"].as_slice(), &department].concat());
            assert!(ok && said.contains("still disabled"), "{said}");
            assert_eq!(sign_in(&hall).await, 401, "a new password enables nobody");
            assert!(run(&["account", "enable", "zhou"]).0);
            assert_eq!(sign_in(&hall).await, 200);
        }
    }
    let (ok, said) = run(&["account", "disable", "admin"]);
    assert!(!ok && said.contains("only administrator"), "{said}");
    let (ok, said) = run(&["account", "disable", "nobody"]);
    assert!(!ok && said.contains("no account `nobody`"), "{said}");

    assert!(run(&["account", "add", "zhou", "--role", "viewer"]).0);
    unlock(&hall, run).await;
    let history = run(&["account", "history"]).1;
    let acts: Vec<&str> = history.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    let expected = [
        "account set",
        "account disabled",
        "account set",
        "account enabled",
        "account removed",
        "account set",
        "account unlocked",
        "account set",
    ];
    assert_eq!(acts, expected, "{history}");
    hall.running.stop().await.unwrap();
}

/// Five wrong passwords lock; the command line, another process than the server, unlocks at once.
async fn unlock(hall: &Served, run: impl Fn(&[&str]) -> (bool, String)) {
    // Four: the sign-in after the removal was a wrong one too.
    for _ in 0..4 {
        assert_eq!(sign_in_with(hall, "wrong").await, 401);
    }
    assert_eq!(sign_in(hall).await, 429);
    let list = run(&["account", "list"]).1;
    assert!(list.lines().any(|line| line.starts_with("zhou\t") && line.contains("locked until")), "{list}");
    assert!(run(&["account", "unlock", "zhou"]).0);
    assert!(!run(&["account", "list"]).1.contains("locked"));
    assert_eq!(sign_in(hall).await, 200);
    // A new password ends a lock as well.
    for _ in 0..5 {
        assert_eq!(sign_in_with(hall, "wrong").await, 401);
    }
    assert_eq!(sign_in(hall).await, 429);
    assert!(run(&["account", "add", "zhou", "--role", "viewer"]).0);
    assert_eq!(sign_in(hall).await, 200);
}

async fn sign_in(hall: &Served) -> u16 {
    sign_in_with(hall, "correct horse battery").await
}

async fn sign_in_with(hall: &Served, password: &str) -> u16 {
    let form = json!({ "name": "zhou", "password": password }).to_string();
    let origin = hall.url("");
    let headers = [("content-type", "application/json"), ("origin", origin.as_str())];
    hall.ask("POST", "/api/v1/sign-in", &headers, Some(form)).await.status
}
