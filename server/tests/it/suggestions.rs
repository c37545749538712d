//! Departments suggested for a case, asked of a running server after its policy has a responsibility list.

use domain::policy::Policy;
use domain::role::Role;
use serde_json::{Value, json};

use crate::http::{Served, report, served};
use crate::roles::Sender;

impl Served {
    async fn obeyed(&self, command: Value) -> Value {
        let reply = self.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// A case that waits for its dispatch.
    async fn to_be_dispatched(&self, area: &str) -> u64 {
        let id = self.obeyed(report(area)).await["case"].as_u64().unwrap();
        for step in ["accept_case", "file_case"] {
            self.obeyed(json!({ step: { "case": id } })).await;
        }
        id
    }

    async fn suggested(&self, case: u64) -> Value {
        let reply = self.get(&format!("/api/v1/cases/{case}/suggestions")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }
}

fn departments(answer: &Value) -> Vec<&str> {
    let all = answer["suggestions"].as_array().unwrap();
    all.iter().map(|one| one["department"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_the_load_and_the_past_suggest_with_their_reasons_and_nothing_is_sent() {
    let hall = served().await;
    for (department, count) in [("sanitation", 2), ("street", 1)] {
        for _ in 0..count {
            let id = hall.to_be_dispatched("530102").await;
            hall.obeyed(json!({ "dispatch_case": { "case": id, "department": department } })).await;
        }
    }
    let case = hall.to_be_dispatched("530102").await;
    let before = hall.suggested(case).await;
    assert_eq!(departments(&before), ["street", "sanitation"], "as much kept, less on its hands");
    assert_eq!(
        (before["policy"].as_u64(), before["looked_at"].as_u64(), before["whole"].as_bool()),
        (Some(0), Some(3), Some(true))
    );

    let mut policy: Policy = toml::from_str(include_str!("../../../config/policy.toml")).unwrap();
    let entry = |area: &str, department: &str| domain::policy::Responsibility {
        class: "E01-10".parse().unwrap(),
        area: area.parse().unwrap(),
        department: department.parse().unwrap(),
    };
    policy.responsibilities = vec![entry("530100", "urban"), entry("530103", "water")];
    let bearer = format!("Bearer {}", hall.token);
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("accept-language", "en")];
    let body = serde_json::to_string(&policy).unwrap();
    let dry = hall.ask("POST", "/api/v1/policy?dry_run=true", &headers, Some(body.clone())).await.json();
    let said = dry["said"]["en"].as_str().unwrap();
    assert!(said.contains("2 entries of the responsibility list are new"), "{said}");
    let adopted = hall.ask("POST", "/api/v1/policy", &headers, Some(body)).await;
    assert_eq!(adopted.status, 200, "{}", adopted.text);

    let after = hall.suggested(case).await;
    assert_eq!(
        (departments(&after), after["policy"].as_u64()),
        (vec!["urban", "street", "sanitation"], Some(1))
    );
    let reasons = &after["suggestions"][0]["reasons"];
    assert_eq!(
        *reasons,
        json!([{ "kind": "listed", "class": "E01-10", "area": "530100" }, { "kind": "load", "open": 0 }])
    );
    let past = &after["suggestions"][2]["reasons"][1];
    assert_eq!(
        (&past["kind"], &past["all"], &past["to_it"], &past["kept"]),
        (&json!("past"), &json!(3), &json!(2), &json!(2))
    );
    let stage = hall.get(&format!("/api/v1/cases/{case}")).await.json()["case"]["stage"].clone();
    assert_eq!(stage, "dispatch", "nothing is sent by asking");

    let elsewhere = hall.to_be_dispatched("530103").await;
    assert_eq!(departments(&hall.suggested(elsewhere).await)[..2], ["water", "urban"]);
    // Who sees another district alone is told of no case here, and of no load and no past of it.
    let other = Sender::seeing(&hall, "li", &[Role::Dispatcher], &["530103"]).await;
    let path = |case| format!("/api/v1/cases/{case}/suggestions");
    assert_eq!(other.ask(&hall, "GET", &path(case)).await.status, 404);
    let theirs = other.ask(&hall, "GET", &path(elsewhere)).await.json();
    assert_eq!((departments(&theirs), theirs["looked_at"].as_u64()), (vec!["water", "urban"], Some(0)));
    hall.running.stop().await.unwrap();
}
