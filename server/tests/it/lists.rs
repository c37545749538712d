//! Lists as their askers meet them: the same over a restart, by number, while older cases are laid out, under a crowd.

use serde_json::{Value, json};

use crate::http::{Served, report, served, start};

impl Served {
    /// Stops it and starts it again in the same folder.
    async fn restarted(self) -> Self {
        let Self { running, token, dir } = self;
        running.stop().await.unwrap();
        Self { running: start(dir.path()).await, token, dir }
    }

    async fn command(&self, command: Value) -> Value {
        let reply = self.post("/api/v1/commands", &json!({ "command": command })).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// A case with its whole way behind it.
    async fn closed_case(&self) -> Value {
        let case = self.command(report("530102")).await;
        let id = case["case"].clone();
        for step in ["accept_case", "file_case"] {
            self.command(json!({ step: { "case": id } })).await;
        }
        self.command(json!({ "dispatch_case": { "case": id, "department": "urban" } })).await;
        for step in ["finish_disposal", "give_feedback", "pass_check", "close_case"] {
            self.command(json!({ step: { "case": id, "note": "好" } })).await;
        }
        case
    }

    async fn ids(&self, query: &str) -> Vec<u64> {
        let reply = self.get(&format!("/api/v1/cases?{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["items"].as_array().unwrap().iter().map(|line| line["id"].as_u64().unwrap()).collect()
    }

    /// Until every closed case is laid out.
    async fn laid_out(&self) {
        for _ in 0..200 {
            if self.get("/readyz").await.text == "ready" {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("never laid out: {}", self.get("/readyz").await.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_say_the_same_before_and_after_a_restart() {
    let hall = served().await;
    let closed = hall.closed_case().await;
    let open = hall.command(report("530102")).await["case"].as_u64().unwrap();
    let number = closed["number"].as_str().unwrap().to_owned();
    let closed = closed["case"].as_u64().unwrap();
    let today = &number[..8];
    let questions = [
        (String::new(), vec![open, closed]),
        ("open=true".to_owned(), vec![open]),
        ("open=false&area=530102".to_owned(), vec![closed]),
        (format!("number={number}"), vec![closed]),
        (format!("number={number}&open=true"), vec![]),
        (format!("text={}", &number[4..]), vec![closed]),
        (format!("dispatched={today}"), vec![closed]),
        (format!("closed={today}&area=530102"), vec![closed]),
        (format!("closed={today}&area=530103"), vec![]),
    ];
    for (query, wanted) in &questions {
        assert_eq!(&hall.ids(query).await, wanted, "{query}");
    }
    let page = hall.get(&format!("/api/v1/cases/{closed}")).await.json();
    assert!(hall.dir.path().join("views-1.db").exists());
    let hall = hall.restarted().await;
    hall.laid_out().await;
    for (query, wanted) in &questions {
        assert_eq!(&hall.ids(query).await, wanted, "after a restart: {query}");
    }
    assert_eq!(hall.get(&format!("/api/v1/cases/{closed}")).await.json(), page);
    hall.running.stop().await.unwrap();
}

/// Views are derived: a hall whose views are gone lays them out from the log, and says so meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn views_that_are_gone_come_back_from_the_log() {
    let hall = served().await;
    let closed = hall.closed_case().await["case"].as_u64().unwrap();
    let dir = hall.dir.path().to_owned();
    let before = hall.get(&format!("/api/v1/cases/{closed}")).await.json();
    let hall = {
        hall.running.hall.lists.stop();
        for name in ["views-1.db", "views-1.db-wal", "views-1.db-shm"] {
            let _ = std::fs::remove_file(dir.join(name));
        }
        hall.restarted().await
    };
    assert_eq!(hall.get(&format!("/api/v1/cases/{closed}")).await.json(), before, "the log answers alone");
    hall.laid_out().await;
    assert_eq!(hall.ids("open=false").await, [closed]);
    let page = hall.get("/api/v1/cases?open=false&count=true").await.json();
    assert_eq!((page["total"].as_u64(), page.get("laid_out_percent")), (Some(1), None));
    hall.running.stop().await.unwrap();
}
