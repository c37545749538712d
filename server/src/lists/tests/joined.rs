//! Memory, what was closed lately and runs as one list.

use super::*;
use crate::turn::WAITING_MAX;

#[test]
fn lists_are_the_same_wherever_cases_lie() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = City::new();
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    for n in 0..260 {
        city.one_more(n);
        if n % 60 == 59 {
            city.lists_are_right();
            while work.round().unwrap() {}
            city.lists_are_right();
        }
    }
    let stand = city.lists.present().load();
    assert!(!stand.runs.is_empty() && !stand.recent.is_empty() && !stand.open.is_empty());
    for (id, case) in &city.cases {
        assert_eq!(city.lists.case(&Scope::All, *id).unwrap().as_ref(), Some(case));
        let found = city.lists.case_of_number(&Scope::All, &case.number).unwrap();
        assert_eq!(found.as_ref(), Some(case));
        let seen = city.lists.case(&Scope::area(AreaCode::new("nowhere").unwrap()), *id).unwrap();
        assert_eq!(seen, None, "what is outside the scope is not there");
    }
}

#[test]
fn a_cursor_of_another_list_is_refused_in_words() {
    let city = City::new();
    let wrong = Cursor("d12.x".to_owned());
    let newest = city.lists.cases(&Scope::All, &CaseFilter::default(), Some(&wrong), 10).unwrap_err();
    assert!(newest.to_string().contains("start again without a cursor"), "{newest}");
    let due = CaseFilter { sort: CaseSort::Due, ..CaseFilter::default() };
    let due = city.lists.cases(&Scope::All, &due, Some(&Cursor("n12".to_owned())), 10).unwrap_err();
    assert!(matches!(due, ListError::Cursor(_)));
}

/// Four searches that take their whole time hold no desk's list up, and a crowd is told to come back.
#[tokio::test]
async fn searches_have_places_of_their_own_and_nobody_waits_for_ever() {
    let lists = Lists::new(UtcOffset(480));
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let mut searches = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (lists, held) = (lists.clone(), held.clone());
        searches.spawn(async move {
            let wait = move |_: &Lists| Ok(held.lock().unwrap().recv().is_ok());
            lists.run(Reading::Long, wait).await
        });
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let desk = tokio::time::timeout(Duration::from_secs(2), lists.run(Reading::Desk, |_| Ok(7))).await;
    assert_eq!(desk.unwrap().unwrap(), 7);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..WAITING_MAX + 8 {
        let lists = lists.clone();
        crowd.spawn(async move { lists.run(Reading::Long, |_| Ok(())).await });
    }
    let mut busy = 0;
    for _ in 0..8 {
        let turned_away = crowd.join_next().await.unwrap().unwrap();
        busy += usize::from(matches!(turned_away, Err(ListError::Busy)));
    }
    assert!(busy >= 8, "{busy} were told to come back");
    (0..4).for_each(|_| let_go.send(()).unwrap());
    while searches.join_next().await.is_some() {}
}
