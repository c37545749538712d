//! What definitions say of themselves.

use super::*;
use crate::policy::Policy;

fn figures() -> PolicyFigures {
    let policy = serde_json::json!({
        "stated_source": "test", "centre": { "zh": "中心", "en": "Centre" },
        "dispatch_limit": { "amount": 4, "unit": "work_hour" },
        "disposal_limit": { "amount": 7, "unit": "work_day" },
        "whistle_response_minutes": 25, "forecast_minutes": 45, "lamp_yellow_percent": 70,
        "position_stale_seconds": 90, "clock_skew_seconds": 60, "backdate_days": 400,
    });
    PolicyFigures::of(&serde_json::from_value::<Policy>(policy).unwrap())
}

#[test]
fn every_definition_speaks_both_languages_and_has_an_id_of_its_own() {
    let all = all(&figures());
    for definition in &all {
        let Definition { id, name, formula, source, .. } = definition;
        for text in [name, formula, source] {
            assert!(!text.zh.is_empty() && !text.en.is_empty(), "{id}");
        }
        assert_eq!(all.iter().filter(|other| other.id == *id).count(), 1, "{id}");
        assert_eq!(one(id, &figures()).as_ref(), Some(definition));
    }
    assert_eq!(one(CLOCK, &figures()), Some(clock(&figures())));
}

#[test]
fn definitions_state_the_figures_of_the_policy_in_force() {
    let said = |id: &str| one(id, &figures()).unwrap().in_force.unwrap();
    assert_eq!(said("overdue_dispatch").zh, "派遣时限 4 工作时");
    assert_eq!(said("nearing_dispatch").en, "forecast window 45 min; dispatch limit 4 work h");
    assert_eq!(said("whistle_late").zh, "报到时限 25 分钟");
    assert_eq!(said(LAMP).en, "from 70 % of the limit");
    assert_eq!(said(ONLINE).zh, "陈旧时限 90 秒");
    assert_eq!(one("filed", &figures()).unwrap().in_force, None);
}
