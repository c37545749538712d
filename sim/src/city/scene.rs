//! What a demonstration begins with besides its figures: a flooded underpass (下穿道积水) in sight of cameras, of the first level,
//! whose departments have just been called together.
//!
//! What should not be here: what happens on any day (`cases`), and when steps are taken (`city`).

use domain::case::{Priority, Report, Stage, Step};
use domain::code::{ClassCode, DepartmentCode, SourceCode};
use domain::command::{Command, History, KnownStep};
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::whistle::{WhistleCall, WhistleLevel};

use super::cases::{Planned, Planner};

/// 道路积水.
const CLASS: &str = "E05-06";
/// When it was reported and filed, in minutes before the demonstration begins.
const REPORTED: i64 = 9;
const FILED: i64 = 6;
/// How long each stage takes from then on, in minutes: it is dispatched before an audience's eyes, and closed within the day.
const STAYS: [i64; 7] = [1, 2, 14, 150, 12, 20, 6];
/// Whom the call calls.
const CALLED: [&str; 3] = ["water", "traffic", "urban"];

/// The case, when it was reported, and the command that enters it as it stands.
pub fn flood(planner: &Planner<'_>, now: UtcMillis) -> Option<(Planned, UtcMillis, Command)> {
    let (place, area, road) = planner.most_watched()?;
    let department = DepartmentCode::new(CALLED[0]).ok()?;
    let report = Report {
        source: SourceCode::new("city_inspector").ok()?,
        class: ClassCode::new(CLASS).ok()?,
        area,
        condition: None,
        address: format!("{road}下穿道"),
        description: "下穿道积水约 40 厘米，两车熄火，行人绕行".to_owned(),
        place: Some(place),
        priority: Priority::First,
        base_count: 5,
        reporter: Some("监督员017".to_owned()),
        external: None,
    };
    let ago = |minutes: i64| now.plus(-minutes * MINUTE_MS);
    let steps = vec![
        KnownStep { step: Step::ACCEPT, at: ago(REPORTED - 1) },
        KnownStep { step: Step::FILE, at: ago(FILED) },
    ];
    let history = History { steps, ..History::since(ago(REPORTED), Stage::Dispatch) };
    let stays_ms = STAYS.map(|minutes| minutes * MINUTE_MS);
    let planned = Planned { report: report.clone(), department, stays_ms, late: false };
    Some((planned, ago(REPORTED), Command::TakeOverCase { report, history }))
}

/// The call that goes with it.
pub fn call(planned: &Planned, case: domain::code::CaseId) -> WhistleCall {
    WhistleCall {
        level: WhistleLevel::Street,
        area: planned.report.area.clone(),
        title: "下穿道积水，需排水、封控、清障".to_owned(),
        case: Some(case),
        called: CALLED.into_iter().filter_map(|code| DepartmentCode::new(code).ok()).collect(),
    }
}
