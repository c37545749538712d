//! Every condition, scope and page against the rows themselves.

use super::*;

#[test]
fn every_condition_finds_what_the_rows_say_page_by_page_and_counts_it() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(9_000);
    let mut layout = Layout::open(dir.path(), BELONGS, 1_000_000).unwrap().layout;
    lay_out(&mut layout, &history, 1_200);
    assert_eq!(layout.runs().len(), 8);
    every_condition_holds(&layout, &history);
    merge(&mut layout);
    assert_eq!(layout.runs().len(), 1);
    every_condition_holds(&layout, &history);
}

fn every_condition_holds(layout: &Layout, history: &[Arc<Case>]) {
    let pool = pool(layout);
    for (name, filter, scope) in questions() {
        let wanted = expected(history, &filter, &scope);
        let mut found = Vec::new();
        let mut below = u64::MAX;
        // The first pages, and then the rest at once.
        for limit in [7, 100, 100_000] {
            let (part, _) = page(layout, &pool, (&filter, &scope), below, limit).unwrap();
            assert_eq!(part.searched, None, "{name}");
            found.extend(part.cases.iter().map(|case| case.id));
            below = found.last().map_or(0, |id| id.0);
        }
        same(&found, &wanted, &name);
        let (total, _) = count(layout, &pool, (&filter, &scope)).unwrap();
        assert_eq!(total, Some(wanted.len() as u64), "{name}");
    }
}

#[test]
fn a_search_that_costs_too_much_says_how_far_it_came_and_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(30_000);
    let mut layout = Layout::open(dir.path(), BELONGS, 1_000_000).unwrap().layout;
    lay_out(&mut layout, &history, 6_000);
    let pool = pool(&layout);
    let filter = CaseFilter { claimed_by: Some("desk4".to_owned()), ..CaseFilter::default() };
    let (mut found, mut below, mut parts) = (Vec::new(), u64::MAX, 0);
    loop {
        let ask = |scan: &mut Scan<'_>| scan.newest(layout.runs(), 0..below, 1_000_000);
        let (part, _) = asked(&layout, &pool, (&filter, &Scope::All), 9_000, ask).unwrap();
        parts += 1;
        found.extend(part.cases.iter().map(|case| case.id));
        let Some(searched) = part.searched else { break };
        assert!(searched.below < below, "each part comes further");
        below = searched.below;
    }
    same(&found, &expected(&history, &filter, &Scope::All), "claimed by");
    assert!(parts > 2, "{parts} parts");
    // One code is counted by the dictionaries, two conditions are not.
    let filter = CaseFilter { has_place: Some(true), ..filter };
    let (total, _) =
        asked(&layout, &pool, (&filter, &Scope::All), 9_000, |scan| scan.count(layout.runs())).unwrap();
    assert_eq!(total, None, "no total rather than a wrong one");
}

#[test]
fn a_case_that_was_closed_again_stands_once_and_one_that_is_in_memory_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut cases = history(3_000);
    let mut layout = Layout::open(dir.path(), BELONGS, 1_000_000).unwrap().layout;
    lay_out(&mut layout, &cases, 1_000);
    let mut again = closed_case(700);
    again.version = 5_000;
    again.department = Some(DepartmentCode::new("AGAIN").unwrap());
    cases.retain(|case| case.id != again.id);
    cases.push(Arc::new(again.clone()));
    layout.append(&cases[cases.len() - 1..], &[], (3_000, 5_000)).unwrap();
    let pool = pool(&layout);
    let everything = CaseFilter::default();
    let (total, _) = count(&layout, &pool, (&everything, &Scope::All)).unwrap();
    assert_eq!(total, Some(2_999), "until it is in a run, memory has it");
    layout.seal(&[again.id], &BTreeSet::new(), None, &mut Pace::full()).unwrap();

    let belongs = |layout: &Layout| {
        for filter in
            [&everything, &CaseFilter { closed: Some("2026-01".parse().unwrap()), ..everything.clone() }]
        {
            let (found, _) = page(layout, &pool, (filter, &Scope::All), u64::MAX, 10_000).unwrap();
            let ids: Vec<CaseId> = found.cases.iter().map(|case| case.id).collect();
            same(&ids, &expected(&cases, filter, &Scope::All), "closed again");
            assert!(found.cases.contains(&again));
        }
    };
    belongs(&layout);
    // After a restart, and after its runs became one.
    drop(layout);
    let mut layout = Layout::open(dir.path(), BELONGS, 1_000_000).unwrap().layout;
    belongs(&layout);
    merge(&mut layout);
    belongs(&layout);

    let masked = [again.id.0];
    let question = Question {
        filter: &everything,
        scope: &Scope::All,
        offset: OFFSET,
        masked: &masked,
        last_case: u64::MAX,
    };
    pool.with(|conn| {
        let budget = Budget { bytes_max: BYTES_MAX, is_over: &|| false };
        let mut scan = Scan::new(conn, pool.path(), question, budget);
        assert_eq!(scan.count(layout.runs())?, Some(2_999));
        assert!(!scan.newest(layout.runs(), 0..u64::MAX, 10_000)?.cases.contains(&again));
        Ok(())
    })
    .unwrap();
}

/// A number counts every time a step was taken, so the list behind it must find a case by each of them.
#[test]
fn a_case_that_went_round_twice_stands_behind_both_days_numbers() {
    use domain::case::Taken;

    let mut case = closed_case(40);
    let (first, again) = (case.reported.plus(HOUR_MS), case.reported.plus(3 * DAY_MS));
    let department = |code: &str| Some(DepartmentCode::new(code).unwrap());
    let sent = |at, round, late, code| Taken {
        step: Step::DISPATCH,
        at,
        by: "desk".to_owned(),
        department: department(code),
        late,
        round,
        seq: case.version,
    };
    let sent = [sent(first, 1, true, "D01"), sent(again, 2, false, "D02")];
    case.steps.retain(|taken| taken.step != Step::DISPATCH);
    case.steps.extend(sent);
    case.department = department("D02");
    let dir = tempfile::tempdir().unwrap();
    let mut layout = Layout::open(dir.path(), BELONGS, 1_000_000).unwrap().layout;
    let cases = [Arc::new(case)];
    lay_out(&mut layout, &cases, 1);
    let pool = pool(&layout);
    let day = |at: UtcMillis| Some(Days::day(at.local(OFFSET).date));
    for (at, late, found) in [
        (first, None, 1),
        (first, Some(true), 1),
        (first, Some(false), 0),
        (again, None, 1),
        (again, Some(true), 0),
        (again, Some(false), 1),
        (again.plus(DAY_MS), None, 0),
    ] {
        let filter = CaseFilter { dispatched: day(at), dispatched_late: late, ..CaseFilter::default() };
        let (total, _) = count(&layout, &pool, (&filter, &Scope::All)).unwrap();
        assert_eq!(total, Some(found), "{filter:?}");
        assert_eq!(expected(&cases, &filter, &Scope::All).len() as u64, found, "in memory: {filter:?}");
    }
}
