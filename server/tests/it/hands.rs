//! Powers in two hands, on accounts and on each case, and hands that reach no further than the eyes.

use std::time::Duration;

use domain::role::Role;
use serde_json::{Value, json};

use crate::http::{report, served};
use crate::roles::Sender;

/// Method: somebody dispatches a case, is then given supervision instead of disposal, and would judge what came of it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_judges_what_they_have_dispatched() {
    let hall = served().await;
    let machine = async |command: Value| {
        hall.post("/api/v1/commands", &json!({ "command": command })).await.json()["case"].clone()
    };
    let case = machine(report("530102")).await;
    machine(json!({ "accept_case": { "case": case } })).await;
    machine(json!({ "file_case": { "case": case } })).await;
    let zhou = Sender::person(&hall, "zhou", &[Role::Dispatcher], None).await;
    let dispatch = json!({ "dispatch_case": { "case": case, "department": "urban" } });
    assert_eq!(zhou.send(&hall, "en", &dispatch).await.status, 200);
    machine(json!({ "finish_disposal": { "case": case } })).await;
    machine(json!({ "give_feedback": { "case": case } })).await;
    let zhou = Sender::person(&hall, "zhou", &[Role::Supervisor], None).await;
    let pass = json!({ "pass_check": { "case": case } });
    let refused = zhou.send(&hall, "zh-CN", &pass).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "own_dispatch"), "{}", refused.text);
    assert!(refused.json()["title"].as_str().unwrap().contains("监管分离"));
    let lin = Sender::person(&hall, "lin", &[Role::Supervisor], None).await;
    assert_eq!(lin.send(&hall, "en", &pass).await.status, 200);
    let refused = zhou.send(&hall, "en", &json!({ "close_case": { "case": case } })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "own_dispatch"));
    assert_eq!(lin.send(&hall, "en", &json!({ "close_case": { "case": case } })).await.status, 200);
    hall.running.stop().await.unwrap();
}

/// Method: an account of an earlier version, which holds both powers, sends one command of each.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_both_powers_is_told_why_it_may_use_neither() {
    let hall = served().await;
    let zhou = Sender::person(&hall, "zhou", &[Role::Supervisor], None).await;
    let file = rusqlite::Connection::open(hall.running.hall.config.store.dir.join("access.db")).unwrap();
    file.execute("UPDATE account SET roles = 'supervisor,dispatcher' WHERE name = 'zhou'", []).unwrap();
    // Anything asked of the file shows what another process has done.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let session = zhou.ask(&hall, "GET", "/api/v1/session").await.json();
    assert_eq!((&session["roles"], &session["powers_withheld"]), (&json!(["viewer"]), &json!(true)));
    for command in [json!({ "accept_case": { "case": 1 } }), json!({ "claim_case": { "case": 1 } })] {
        let refused = zhou.send(&hall, "en", &command).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "powers_apart"), "{}", refused.text);
    }
    hall.running.stop().await.unwrap();
}

/// A street acts within its street: what lies elsewhere is not there for it, and nothing is brought in there.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_on_what_they_may_not_see() {
    let hall = served().await;
    let there =
        hall.post("/api/v1/commands", &json!({ "command": report("530103") })).await.json()["case"].clone();
    let here =
        hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await.json()["case"].clone();
    let street = Sender::seeing(&hall, "street", &[Role::Supervisor], &["530102"]).await;
    assert_eq!(street.send(&hall, "en", &json!({ "accept_case": { "case": here } })).await.status, 200);
    let refused = street.send(&hall, "en", &json!({ "accept_case": { "case": there } })).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "unknown_case"), "{}", refused.text);
    assert_eq!(street.send(&hall, "en", &report("530102")).await.status, 200);
    let refused = street.send(&hall, "en", &report("530103")).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "out_of_scope"));
    assert_eq!(refused.json()["field"], "area");
    hall.running.stop().await.unwrap();
}
