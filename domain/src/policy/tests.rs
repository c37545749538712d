//! What `config check` refuses in a policy, by field.

use super::*;
use crate::catalogue::AreaLevel;
use crate::code::AreaCode;

fn policy() -> Policy {
    let area = |code: &str, level, parent: Option<&str>| Area {
        code: AreaCode::new(code).unwrap(),
        level,
        parent: parent.map(|code| AreaCode::new(code).unwrap()),
        name: Name { zh: code.into(), en: String::new() },
        short: None,
        retired: false,
    };
    let limit = Limit::new(4, crate::clock::LimitKind::URGENT_HOUR);
    Policy {
        stated_source: "tests".into(),
        centre: Name { zh: "中心".into(), en: String::new() },
        utc_offset_minutes: UtcOffset(480),
        dispatch_limit: limit,
        disposal_limit: limit,
        whistle_response_minutes: 30,
        powers_together: None,
        forecast_minutes: 30,
        lamp_yellow_percent: 80,
        position_stale_seconds: 120,
        clock_skew_seconds: 120,
        backdate_days: 30,
        notes_per_case: 3,
        side_paths: SidePaths::default(),
        files_per_case: 3,
        bounds: Some(Bounds { south: 24.0, west: 102.0, north: 26.0, east: 103.0 }),
        calendar: WorkCalendar::default(),
        areas: vec![
            area("city", AreaLevel::City, None),
            area("south", AreaLevel::District, Some("city")),
            area("river", AreaLevel::Street, Some("south")),
        ],
        classes: Vec::new(),
        sources: Vec::new(),
        departments: Vec::new(),
        conditions: Vec::new(),
        responsibilities: Vec::new(),
    }
}

fn refused(change: impl FnOnce(&mut Policy)) -> String {
    let mut policy = policy();
    change(&mut policy);
    policy.check().expect_err("must be refused")
}

#[test]
fn areas_in_a_circle_or_in_finer_ones_are_refused() {
    assert_eq!(policy().check(), Ok(()));
    let river = AreaCode::new("river").unwrap();
    let circle = refused(|policy| policy.areas[1].parent = Some(river.clone()));
    assert!(circle.contains("`south`"), "{circle}");
    let own = refused(|policy| policy.areas[2].parent = Some(river.clone()));
    assert!(own.contains("`river`"), "{own}");
    let alike = refused(|policy| policy.areas[2].level = AreaLevel::District);
    assert!(alike.contains("district"), "{alike}");
}

#[test]
fn bounds_that_hold_nothing_are_refused() {
    let bounds = |south, west, north, east| {
        refused(|policy| policy.bounds = Some(Bounds { south, west, north, east }))
    };
    assert!(bounds(f64::NAN, 102.0, 26.0, 103.0).starts_with("bounds: south"));
    assert!(bounds(24.0, 102.0, f64::INFINITY, 103.0).starts_with("bounds: north"));
    assert!(bounds(26.0, 102.0, 24.0, 103.0).starts_with("bounds: south"));
    assert!(bounds(24.0, 103.0, 26.0, 102.0).starts_with("bounds: west"));
    assert!(bounds(24.0, -181.0, 26.0, 102.0).starts_with("bounds: west"));
}

#[test]
fn names_that_nobody_can_read_are_refused() {
    assert!(refused(|policy| policy.centre.zh = "\u{200B}".into()).starts_with("centre"));
    assert!(refused(|policy| policy.areas[1].name.zh = "长".repeat(101)).contains("`south`"));
    assert!(refused(|policy| policy.areas[1].name.en = "a\u{202E}b".into()).contains("`south`"));
}

#[test]
fn a_case_without_room_for_a_single_note_is_refused() {
    assert!(refused(|policy| policy.notes_per_case = 0).starts_with("notes_per_case: 0"));
}

#[test]
fn a_side_path_that_nobody_may_take_is_refused() {
    assert_eq!(
        refused(|policy| policy.side_paths.returns = 0),
        "side_paths: returns: 0 is not within 1 to 65,535"
    );
    for days in [0, 367] {
        let words = refused(|policy| policy.side_paths.suspension_days = days);
        assert_eq!(words, format!("side_paths: suspension_days: {days} is not within 1 to 366"));
    }
    assert!(refused(|policy| policy.side_paths.reworks = 0).starts_with("side_paths: reworks: 0"));
}

#[test]
fn files_of_a_case_are_few_enough_to_be_listed_at_once() {
    assert!(refused(|policy| policy.files_per_case = 1_001).starts_with("files_per_case: 1001"));
}

#[test]
fn a_ring_of_areas_is_named_from_one_end_to_the_other() {
    let river = AreaCode::new("river").unwrap();
    let ring = refused(|policy| policy.areas[1].parent = Some(river.clone()));
    assert!(ring.starts_with("areas: `south` → `river` → `south` form a ring"), "{ring}");
    let own = refused(|policy| policy.areas[2].parent = Some(river.clone()));
    assert!(own.starts_with("areas: `river` → `river` form a ring"), "{own}");
    let unknown = refused(|policy| policy.areas[2].parent = AreaCode::new("nowhere").ok());
    assert!(unknown.contains("`river`: names the unknown parent `nowhere`"), "{unknown}");
}

#[test]
fn a_code_that_is_there_twice_is_refused_by_list_and_code() {
    let area = refused(|policy| policy.areas.push(policy.areas[1].clone()));
    assert!(area.starts_with("areas: `south` is there twice"), "{area}");
    let department = Department {
        code: "shuiwu".parse().unwrap(),
        name: Name { zh: "水务".into(), en: String::new() },
        short: None,
        retired: false,
    };
    let other = Department { retired: true, ..department.clone() };
    let twice = refused(|policy| policy.departments = vec![department, other]);
    assert!(twice.starts_with("departments: `shuiwu` is there twice"), "{twice}");
}

proptest::proptest! {
    /// Whatever areas a file or an old log names as parents, the way up ends, and a policy with a ring does not hold.
    #[test]
    fn the_way_up_ends_whatever_lies_in_what(links in proptest::collection::vec((0_usize..12, 0_usize..5), 1..12)) {
        let levels =
            [AreaLevel::City, AreaLevel::District, AreaLevel::Street, AreaLevel::Community, AreaLevel::Grid];
        let code = |at: usize| AreaCode::new(format!("a{at}")).unwrap();
        let mut hostile = policy();
        hostile.areas = links.iter().enumerate().map(|(at, (parent, level))| Area {
            code: code(at),
            level: levels[*level],
            parent: Some(code(*parent)),
            name: Name { zh: "区".into(), en: String::new() },
            short: None, retired: false,
        }).collect();
        let catalogue = hostile.catalogue();
        for at in 0..links.len() {
            let path = catalogue.path(&code(at));
            let each: std::collections::BTreeSet<_> = path.iter().collect();
            proptest::prop_assert_eq!(each.len(), path.len());
            proptest::prop_assert!(path.len() <= AreaLevel::COUNT);
        }
        // Every area has a parent: there is a ring, or one names a parent that is not there.
        proptest::prop_assert!(hostile.check().is_err());
    }
}
