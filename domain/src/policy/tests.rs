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
