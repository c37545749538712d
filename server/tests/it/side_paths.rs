//! The side paths of the loop as their users meet them: who may ask and who may grant, what is said, and what is found afterwards.

use domain::role::Role;
use serde_json::{Value, json};

use crate::http::{report, served};
use crate::roles::Sender;

/// Method: a department asks for time, is granted it by somebody else, gives the case back after all, and it is made void; what the API says of it
/// then is how it ended, and the list behind the number of returned ones has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_extended_returned_and_void_and_says_so() {
    let hall = served().await;
    let machine = async |command: Value| {
        let reply = hall.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["case"].clone()
    };
    let case = machine(report("530102")).await;
    machine(json!({ "accept_case": { "case": case } })).await;
    machine(json!({ "file_case": { "case": case } })).await;
    machine(json!({ "dispatch_case": { "case": case, "department": "urban" } })).await;
    let urban = Sender::person(&hall, "urban", &[Role::Department], Some("urban")).await;
    let lin = Sender::person(&hall, "lin", &[Role::Supervisor], None).await;
    let reasoned = |command: &str| json!({ command: { "case": case, "note": "等配件" } });
    let granted = json!({ "grant_extension": { "case": case } });
    for (sender, command, status, code) in [
        (&lin, reasoned("ask_extension"), 403, "not_allowed"),
        (&lin, granted.clone(), 409, "not_asked"),
        (&urban, reasoned("ask_extension"), 200, ""),
        (&urban, reasoned("ask_suspension"), 409, "asked_already"),
        (&urban, granted.clone(), 403, "not_allowed"),
        (&lin, granted.clone(), 200, ""),
        (&urban, json!({ "return_case": { "case": case } }), 422, "out_of_range"),
        (&urban, reasoned("return_case"), 200, ""),
    ] {
        let reply = sender.send(&hall, "en", &command).await;
        let said = if reply.status == 200 { String::new() } else { reply.code() };
        assert_eq!((reply.status, said.as_str()), (status, code), "{command}: {}", reply.text);
    }
    let path = format!("/api/v1/cases/{case}");
    let shown = lin.ask(&hall, "GET", &path).await.json();
    let clocks = shown["case"]["clocks"].as_array().unwrap();
    let disposal = clocks.iter().find(|clock| clock["of"] == "disposal").unwrap();
    assert_eq!((&disposal["extended"], &shown["closing"]), (&json!(1), &Value::Null));
    let refused = lin.send(&hall, "zh-CN", &reasoned("grant_suspension")).await.json();
    assert!(refused["title"].as_str().unwrap().contains("派遣环节"), "{refused}");
    assert_eq!(lin.send(&hall, "en", &reasoned("void_case")).await.status, 200);
    let shown = lin.ask(&hall, "GET", &path).await.json();
    assert_eq!(shown["closing"], "void");
    let number = shown["case"]["number"].as_str().unwrap();
    let month = format!("{}-{}", &number[..4], &number[4..6]);
    for (measure, listed) in [("returned", 1), ("extended", 1), ("voided", 1), ("closed", 0)] {
        let list = lin.ask(&hall, "GET", &format!("/api/v1/cases?counted={measure}&on={month}")).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), listed, "{measure}: {list}");
    }
    hall.running.stop().await.unwrap();
}
