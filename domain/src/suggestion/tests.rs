//! Whom a case might go to, from planted lists and planted pasts.

use super::*;
use crate::case::{Step, Taken};
use crate::code::CaseId;
use crate::command::Command;
use crate::state::tests::{Desk, START, report};

fn code<C: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> C {
    text.parse().unwrap()
}

/// An open case of a street, which nobody has.
fn case(class: &str) -> Case {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102001", class), at: None }).unwrap();
    desk.last_case
}

/// Cases that were sent to a department some days ago, kept or returned.
fn sent(class: &str, department: &str, days_ago: i64, kept: usize, returned: usize) -> Vec<Case> {
    let taken = |step: Step, at: UtcMillis| Taken {
        step,
        at,
        by: "周敏".to_owned(),
        department: Some(code(department)),
        late: false,
        round: 1,
        seq: 1,
    };
    let at = START.plus(-days_ago * DAY_MS);
    let one = |is_returned: bool| {
        let mut one = case(class);
        one.id = CaseId(7);
        one.steps = vec![taken(Step::DISPATCH, at)];
        one.steps.extend(is_returned.then(|| taken(Step::RETURN, at.plus(1))));
        one.department = (!is_returned).then(|| code(department));
        one
    };
    std::iter::repeat_n(false, kept).chain(std::iter::repeat_n(true, returned)).map(one).collect()
}

fn entry(class: &str, area: &str, department: &str) -> Responsibility {
    Responsibility { class: code(class), area: code(area), department: code(department) }
}

/// Three departments more than the desk has.
fn catalogue() -> Catalogue {
    let mut catalogue = Desk::new().policy.catalogue();
    let one = catalogue.departments.values().next().unwrap().clone();
    for name in ["water", "garden", "street", "power", "market"] {
        let more = crate::catalogue::Department { code: code(name), ..one.clone() };
        catalogue.departments.insert(more.code.clone(), more);
    }
    catalogue
}

fn suggested(responsibilities: &[Responsibility], open: &[Case], past: &[Case]) -> Vec<Suggestion> {
    let (case, catalogue) = (case("E01"), catalogue());
    let asked = Asked { case: &case, responsibilities, catalogue: &catalogue, now: START };
    suggest(asked, open.iter(), past.iter())
}

fn names(suggestions: &[Suggestion]) -> Vec<&str> {
    suggestions.iter().map(|one| one.department.as_str()).collect()
}

#[test]
fn the_list_comes_first_and_a_finer_area_before_a_coarser() {
    let list = [
        entry("E01", "5301", "fire"),
        entry("E01", "530102", "urban"),
        entry("E01", "530103", "water"),
        entry("P01", "530102001", "garden"),
    ];
    let past = sent("E01", "street", 3, 40, 0);
    let suggestions = suggested(&list, &[], &past);
    assert_eq!(
        names(&suggestions),
        ["urban", "fire", "street"],
        "another district's and another class's are not asked"
    );
    let listed = Reason::Listed { class: code("E01"), area: code("530102") };
    assert_eq!(suggestions[0].reasons, [listed, Reason::Load { open: 0 }]);
    assert!(matches!(
        suggestions[2].reasons[..],
        [Reason::Load { .. }, Reason::Past { to_it: 40, kept: 40, all: 40, .. }]
    ));
}

/// Method: shares that differ by one case, departments with the same share and different loads, and one that returned everything.
#[test]
fn the_past_is_weighed_by_what_was_kept_and_then_by_load() {
    let past = [
        sent("E01", "fire", 10, 9, 1),
        sent("E01", "urban", 10, 10, 0),
        sent("E01", "water", 10, 4, 0),
        sent("E01", "garden", 10, 0, 8),
        sent("P01", "street", 10, 50, 0),
    ]
    .concat();
    let mut open = [sent("P01", "urban", 1, 3, 0), sent("P01", "water", 1, 2, 0)].concat();
    open.iter_mut().for_each(|case| case.stage = Stage::Dispose);
    // What has been reported back waits for the centre, and is nobody's load.
    open.extend(sent("P01", "water", 1, 9, 0).into_iter().map(|case| Case { stage: Stage::Check, ..case }));
    let suggestions = suggested(&[], &open, &past);
    assert_eq!(names(&suggestions), ["water", "urban", "fire"]);
    let since = START.plus(-i64::from(LOOKED_BACK_DAYS) * DAY_MS);
    assert_eq!(
        suggestions[2].reasons,
        [
            Reason::Load { open: 0 },
            Reason::Past { area: code("530102001"), since, all: 32, to_it: 10, kept: 9 }
        ]
    );
    let listed = suggested(&[entry("E01", "5301", "garden")], &open, &past);
    assert_eq!(names(&listed)[0], "garden", "the list is the list, and its reasons say what became of it");
    assert!(listed[0].reasons.iter().any(|reason| matches!(reason, Reason::Past { to_it: 8, kept: 0, .. })));
}

#[test]
fn ninety_days_and_enough_of_an_area_are_looked_at() {
    assert_eq!(names(&suggested(&[], &[], &sent("E01", "fire", 91, 20, 0))), [""; 0], "too long ago");
    // Nine in the street are too few: the district around it speaks, where another department has them.
    let mut past = sent("E01", "fire", 5, 9, 0);
    let elsewhere = sent("E01", "urban", 5, 20, 0);
    past.extend(elsewhere.into_iter().map(|mut one| {
        one.area_path.remove(0);
        one
    }));
    let suggestions = suggested(&[], &[], &past);
    assert_eq!(names(&suggestions).len(), 2);
    let area = suggestions[0].reasons.iter().find_map(|reason| match reason {
        Reason::Past { area, .. } => Some(area.as_str()),
        Reason::Listed { .. } | Reason::Load { .. } => None,
    });
    assert_eq!(area, Some("530102"));
}

#[test]
fn at_most_five_are_suggested_and_none_that_is_retired_or_unknown() {
    let all = ["fire", "urban", "water", "garden", "street", "power", "market", "gone"];
    let past: Vec<Case> = all.iter().flat_map(|department| sent("E01", department, 5, 3, 0)).collect();
    let suggestions = suggested(&[], &[], &past);
    assert_eq!(suggestions.len(), SUGGESTED_MAX);
    assert!(!names(&suggestions).contains(&"gone"));
    let (case, mut catalogue) = (case("E01"), catalogue());
    catalogue.departments.values_mut().for_each(|department| department.retired = true);
    let list = [entry("E01", "5301", "fire")];
    let asked = Asked { case: &case, responsibilities: &list, catalogue: &catalogue, now: START };
    assert_eq!(suggest(asked, [].iter(), past.iter()), []);
}

/// A case that was returned and sent on counts for both: one dispatch each, the second kept.
#[test]
fn a_case_that_went_round_counts_once_for_each_department() {
    let mut one = sent("E01", "fire", 5, 0, 1).remove(0);
    one.steps.extend(sent("E01", "urban", 4, 1, 0).remove(0).steps);
    let past: Vec<Case> = std::iter::repeat_n(one, 10).collect();
    let suggestions = suggested(&[], &[], &past);
    assert_eq!(names(&suggestions), ["urban"]);
    assert!(matches!(suggestions[0].reasons[1], Reason::Past { all: 20, to_it: 10, kept: 10, .. }));
}
