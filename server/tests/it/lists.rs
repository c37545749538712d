//! Lists as their askers meet them: the same over a restart, by number, while older cases are laid out, under a crowd.

use domain::case::{Stage, Step};
use domain::code::CaseId;
use domain::command::Command;
use domain::moment::{HOUR_MS, MINUTE_MS};
use domain::scope::Scope;
use serde_json::{Value, json};
use server::lists::{CaseFilter, CaseSort, Cursor, ListError, Lists};

use crate::city::{self, Listing, TestClock};
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
    assert!(hall.dir.path().join("views-2.db").exists());
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
        for name in ["views-2.db", "views-2.db-wal", "views-2.db-shm"] {
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

/// Ids of all pages, three cases a page.
fn listed(lists: &Lists, filter: &CaseFilter) -> Vec<u64> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let page = lists.cases(&Scope::All, filter, cursor.as_ref(), 3).unwrap();
        ids.extend(page.items.iter().map(|case| case.id.0));
        assert!(page.items.len() <= 3);
        match page.next {
            Some(next) => cursor = Some(next),
            None => {
                let counted = lists.count(&Scope::All, filter).unwrap();
                assert_eq!(
                    counted,
                    (lists.reaches_all() || !filter.reaches_closed()).then_some(ids.len() as u64)
                );
                return ids;
            }
        }
    }
}

#[test]
fn lists_filter_sort_and_page() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let lists = city::lists();
    let (writer, _) = city::start(dir.path(), &clock, Box::new(Listing(lists.clone())));
    for index in 0..10u64 {
        let area = city::AREAS[if index % 2 == 0 { 4 } else { 3 }];
        let mut report = city::report(area, city::CLASSES[index as usize % 3], city::SOURCES[0]);
        report.address = format!("{index} 号_院");
        report.place = report.place.filter(|_| index != 7);
        city::send(&writer, Command::ReportCase { report, at: None }).unwrap();
    }
    for id in [5, 2, 9] {
        let case = CaseId(id);
        city::send(&writer, Step::ACCEPT.take(case)).unwrap();
        city::send(&writer, Step::FILE.take(case)).unwrap();
        clock.pass(MINUTE_MS);
    }
    city::send(&writer, Command::ClaimCase { case: CaseId(9) }).unwrap();
    let closed_long_ago = city::take_over(Stage::Close, city::START, Some(city::START.plus(HOUR_MS)));
    clock.pass(2 * HOUR_MS);
    city::send(&writer, closed_long_ago).unwrap();

    writer.stop();
    lists_are_right(&lists);
    // And after a start, with what is closed laid out.
    lists_are_right(&city::laid_out(dir.path(), &city::policy()));
}

fn lists_are_right(lists: &Lists) {
    let all = CaseFilter::default();
    assert_eq!(listed(lists, &all), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let by_due = CaseFilter { sort: CaseSort::Due, ..all.clone() };
    assert_eq!(listed(lists, &by_due), [5, 2, 9, 1, 3, 4, 6, 7, 8, 10]);
    let at_dispatch = CaseFilter { stage: Some(Stage::Dispatch), ..by_due.clone() };
    assert_eq!(listed(lists, &at_dispatch), [5, 2, 9]);
    let area = |code: &str| Some(code.parse().unwrap());
    let street = CaseFilter { area: area(city::AREAS[2]), ..all.clone() };
    assert_eq!(listed(lists, &street), [9, 7, 5, 3, 1], "cases of its communities count");
    let street_by_due = CaseFilter { sort: CaseSort::Due, ..street };
    assert_eq!(listed(lists, &street_by_due), [5, 9, 1, 3, 7]);
    let closed = CaseFilter { open: Some(false), ..all.clone() };
    assert_eq!(listed(lists, &closed), [11]);
    let closed_today = CaseFilter { closed: Some("2026-11-21".parse().unwrap()), ..all.clone() };
    assert_eq!(listed(lists, &closed_today), [11]);
    let closed_before = CaseFilter { closed: Some("2026-10".parse().unwrap()), ..all.clone() };
    assert_eq!(listed(lists, &closed_before), Vec::<u64>::new());
    let filed_this_month = CaseFilter { filed: Some("202611".parse().unwrap()), ..all.clone() };
    assert_eq!(listed(lists, &filed_this_month), [9, 5, 2], "when 11 was filed nobody knows");
    let without_place = CaseFilter { has_place: Some(false), ..all.clone() };
    assert_eq!(listed(lists, &without_place), [8]);
    let mine = CaseFilter { claimed_by: Some("tester".to_owned()), ..all.clone() };
    assert_eq!(listed(lists, &mine), [9]);
    let text = |text: &str| CaseFilter { text: Some(text.to_owned()), ..CaseFilter::default() };
    assert_eq!(listed(lists, &text("3 号")), [4]);
    assert_eq!(listed(lists, &text("号_")).len(), 10, "the underscore is a letter, not a pattern");
    assert_eq!(listed(lists, &text("%")), Vec::<u64>::new());
    assert_eq!(listed(lists, &text("-00002")), [2]);
    let wrong = lists.cases(&Scope::All, &all, Some(&Cursor("d1.2".to_owned())), 3).unwrap_err();
    assert!(matches!(wrong, ListError::Cursor(_)), "{wrong}");
}
