//! The city follows its figures and repeats itself.

use std::collections::BTreeMap;

use domain::moment::UtcOffset;

use super::*;

const EXTENT: Extent = Extent { cases_a_day: figures::CASES_PER_DAY, weeks: 0, every_day: false };

#[test]
fn the_same_seed_makes_the_same_cases_and_another_seed_others() {
    let city = Schematic::build().unwrap();
    let first: Vec<Planned> = some(&city, 7);
    assert_eq!(first, some(&city, 7));
    assert_ne!(first, some(&city, 8));
}

fn some(city: &Schematic, seed: u64) -> Vec<Planned> {
    let mut planner = Planner::new(city, seed);
    (0..200).map(|_| planner.next_case()).collect()
}

/// Method: 20,000 planned cases; each share lies within one point of the bulletin's.
#[test]
fn shares_follow_the_bulletin() {
    let city = Schematic::build().unwrap();
    let mut planner = Planner::new(&city, 1);
    let mut sources: BTreeMap<String, f64> = BTreeMap::new();
    let mut classes: BTreeMap<String, f64> = BTreeMap::new();
    let mut late = 0.0;
    for _ in 0..20_000 {
        let case = planner.next_case();
        *sources.entry(case.report.source.to_string()).or_default() += 1.0 / 200.0;
        *classes.entry(case.report.class.to_string()).or_default() += 1.0 / 200.0;
        late += f64::from(u8::from(case.late)) / 200.0;
    }
    let near = |value: f64, expected: f64| (value - expected).abs() < 1.0;
    assert!(near(sources["city_inspector"], 19.34), "{sources:?}");
    assert!(near(sources["district_inspector"], 79.82), "{sources:?}");
    assert!(near(classes["E01-10"], 12.87 * 0.92), "{classes:?}");
    assert!(near(late, 5.0), "{late}");
}

#[test]
fn yesterday_and_today_leave_cases_in_every_stage() {
    let city = Schematic::build().unwrap();
    let mut planner = Planner::new(&city, 3);
    let rules = Rules {
        offset: UtcOffset(480),
        dispatch_limit: domain::clock::Limit::new(4, domain::clock::LimitKind::URGENT_HOUR),
        calendar: domain::clock::WorkCalendar::default(),
    };
    // 14:32 in Shanghai.
    let past = past::before(&mut planner, &rules, UtcMillis(1_617_172_320_000), EXTENT);
    for stage in Stage::ALL {
        assert!(past.iter().any(|case| case.stage == Some(stage)), "nothing waits in {stage:?}");
    }
    let closed = past.iter().filter(|case| case.stage.is_none()).count();
    assert!(closed * 10 > past.len() * 7, "{closed} of {}", past.len());
}
