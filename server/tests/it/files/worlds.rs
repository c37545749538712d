//! Files in the past and in drills: read there as they stood, written in a drill's own room, and nothing crosses.

use super::*;

async fn director(hall: &Served) -> Sender {
    Sender::person(hall, "director", &[Role::Supervisor], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_has_a_room_of_its_own() {
    let hall = served().await;
    let director = director(&hall).await;
    let (_, base) = director.drill(&hall, "附件演练", &[]).await;
    director.pace(&hall, &base, 1_000).await;
    let report = json!({ "command": report("530102") });
    let case = director.post(&hall, &format!("{base}/api/v1/commands"), &report).await.json()["case"].clone();
    let path = format!("{base}/api/v1/cases/{case}/files");
    let sent = hall.send(&director.0, &format!("{path}?kind=document&name=a.pdf"), pdf("drill")).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let hash = sent.json()["hash"].as_str().unwrap().to_owned();
    assert_eq!(director.ask(&hall, "GET", &format!("{path}/{hash}")).await.status, 200);
    nothing_is_left(hall.dir.path());
    let of_drill = hall.dir.path().join("worlds").join(base.strip_prefix("/world/").unwrap());
    assert_eq!(lying(&of_drill).len(), 1);
    // The city's case of the same number has none.
    assert_eq!(hall.reported().await, case.as_u64().unwrap());
    assert_eq!(hall.files(case.as_u64().unwrap()).await, [] as [Value; 0]);
    assert_eq!(hall.bytes(&format!("/api/v1/cases/{case}/files/{hash}")).await.0, 404);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_shows_the_files_it_had_and_takes_none() {
    let hall = served().await;
    let director = director(&hall).await;
    let case = hall.reported().await;
    let line = hall.attach(case, "document", "a.pdf", pdf("first")).await.json();
    let (hash, at) = (line["hash"].as_str().unwrap(), line["at"].as_i64().unwrap());
    // The next file comes at a later millisecond.
    while hall.running.hall.clock.now().0 <= at {
        tokio::task::yield_now().await;
    }
    let later = hall.attach(case, "document", "b.pdf", pdf("second")).await.json();
    let to = later["at"].as_i64().unwrap();
    while hall.running.hall.clock.now().0 <= to {
        tokio::task::yield_now().await;
    }
    let order = json!({ "from": at, "to": to, "at": at });
    let replay = director.post(&hall, "/api/v1/replays", &order).await;
    assert!(replay.status < 300, "{}", replay.text);
    let base = replay.json()["base"].as_str().unwrap().to_owned();
    let path = format!("{base}/api/v1/cases/{case}/files");
    let shown = director.ask(&hall, "GET", &path).await.json();
    assert_eq!(shown["items"], json!([line]), "what came later has not happened");
    assert_eq!(director.ask(&hall, "GET", &format!("{path}/{hash}")).await.status, 200);
    let unknown = format!("{path}/{}", later["hash"].as_str().unwrap());
    assert_eq!(director.ask(&hall, "GET", &unknown).await.status, 404);
    let refused = hall.send(&director.0, &format!("{path}?kind=document&name=c.pdf"), pdf("third")).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "past_is_read_only"), "{}", refused.text);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_case_takes_none_and_shows_what_it_has() {
    let hall = served().await;
    let case = hall.reported().await;
    let line = hall.attach(case, "document", "a.pdf", pdf("a")).await.json();
    for command in [
        json!({ "accept_case": { "case": case } }),
        json!({ "file_case": { "case": case } }),
        json!({ "dispatch_case": { "case": case, "department": "urban" } }),
        json!({ "finish_disposal": { "case": case } }),
        json!({ "give_feedback": { "case": case } }),
        json!({ "pass_check": { "case": case } }),
        json!({ "close_case": { "case": case } }),
    ] {
        let answer = hall.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let refused = hall.attach(case, "document", "b.pdf", pdf("b")).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "unknown_case"), "{}", refused.text);
    assert_eq!(hall.files(case).await, [line]);
    assert_eq!(lying(hall.dir.path()).len(), 1);
    hall.running.stop().await.unwrap();
}
