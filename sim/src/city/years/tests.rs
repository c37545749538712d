//! Years follow the volume and the calendar, repeat themselves, and let nothing happen before what it follows from.

use std::collections::BTreeMap;

use super::*;

/// 2026-11-21 15:00 in Shanghai.
const UNTIL: UtcMillis = UtcMillis(1_795_244_400_000);

fn span(cases: u64, days: u32) -> Span {
    Span { seed: 1, cases, days, until: UNTIL, offset: UtcOffset(480) }
}

fn lived(city: &Schematic, span: Span) -> Vec<Deed> {
    Years::new(city, span, |filed: UtcMillis| filed.plus(4 * HOUR_MS)).collect()
}

#[test]
fn the_same_seed_lives_the_same_years_and_another_one_others() {
    let city = Schematic::build().unwrap();
    let first = lived(&city, span(500, 10));
    assert_eq!(first, lived(&city, span(500, 10)));
    assert_ne!(first, lived(&city, Span { seed: 2, ..span(500, 10) }));
}

/// Method: 36,000 cases over three years; each month's reports lie within a fifth of an even share, with fewer on days
/// of rest, more in summer, and growth from year to year.
#[test]
fn every_month_has_its_share_and_the_total_is_exact() {
    let city = Schematic::build().unwrap();
    let deeds = lived(&city, span(36_000, 1_096));
    let mut months: BTreeMap<String, f64> = BTreeMap::new();
    let mut weekdays = [0.0; 7];
    for deed in deeds.iter().filter(|deed| matches!(deed.act, Act::Report(_))) {
        let date = deed.at.local(UtcOffset(480)).date;
        *months.entry(date.to_string()[..7].to_owned()).or_default() += 1.0;
        weekdays[usize::from(date.weekday())] += 1.0;
    }
    assert_eq!(months.values().sum::<f64>(), 36_000.0);
    assert_eq!(months.len(), 37, "{months:?}");
    // The first and the last month are parts of one.
    for (month, count) in months.iter().skip(1).take(35) {
        assert!((800.0..1_200.0).contains(count), "{month}: {count}");
    }
    let of_year = |year: &str| -> f64 {
        months.iter().filter(|(month, _)| month.starts_with(year)).map(|(_, count)| count).sum()
    };
    assert!(of_year("2025") > of_year("2024") * 1.02, "{months:?}");
    let [rest, work] = [weekdays[5] + weekdays[6], weekdays[..5].iter().sum::<f64>()];
    assert!((0.68..0.82).contains(&(rest / 2.0 / (work / 5.0))), "{weekdays:?}");
}

/// Method: a fiftieth of the volume over a year; at the full volume, open cases would be fifty times as many.
#[test]
fn a_city_of_this_volume_has_about_five_thousand_cases_open_and_nine_deeds_a_case() {
    let city = Schematic::build().unwrap();
    let deeds = lived(&city, span(53_300, 365));
    let closed = deeds.iter().filter(|deed| matches!(deed.act, Act::Leave(_, Stage::Close, _))).count();
    let open = (53_300 - closed) as f64 * 50.0;
    assert!((3_500.0..7_000.0).contains(&open), "{open} would be open");
    let each = deeds.len() as f64 / 53_300.0;
    assert!((8.4..9.2).contains(&each), "{each} deeds a case");
}

#[test]
fn time_never_goes_back_and_every_case_goes_its_way_in_order() {
    let city = Schematic::build().unwrap();
    let mut stands: BTreeMap<CaseId, usize> = BTreeMap::new();
    let mut last = UtcMillis(0);
    for deed in lived(&city, span(3_000, 30)) {
        assert!(deed.at >= last && deed.at <= UNTIL, "{:?} after {last:?}", deed.at);
        last = deed.at;
        match deed.act {
            Act::Report(_) => {
                let number = CaseId(stands.len() as u64 + 1);
                stands.insert(number, 0);
            }
            Act::Leave(case, stage, _) => {
                let stand = stands.get_mut(&case).unwrap();
                assert_eq!(*stand, stage as usize, "{case:?}");
                *stand += 1;
            }
            Act::Claim(case) => assert_eq!(stands[&case], Stage::Dispatch as usize, "{case:?}"),
            Act::Note(case, _) => assert_eq!(stands[&case], Stage::Dispose as usize, "{case:?}"),
            Act::Call(_) | Act::Respond(..) | Act::EndCall(_) => {}
        }
    }
    assert_eq!(stands.len(), 3_000);
}
