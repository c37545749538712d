//! Names of stages, levels, units and events.

use domain::case::{Stage, Step};
use domain::clock::LimitKind;
use domain::whistle::WhistleLevel;

use crate::words::{Language, say};

pub fn stage_name(language: Language, stage: Stage) -> String {
    stage.words(language).to_owned()
}

pub fn level_name(language: Language, level: WhistleLevel) -> String {
    match level {
        WhistleLevel::District => say!(language, common.level_district),
        WhistleLevel::Street => say!(language, common.level_street),
        WhistleLevel::Community => say!(language, common.level_community),
    }
}

pub fn unit_name(language: Language, unit: LimitKind) -> &'static str {
    unit.words(language)
}

/// `超` or `剩`: the word before a countdown.
pub fn phase_note(language: Language, late: bool) -> String {
    if late { say!(language, common.over) } else { say!(language, common.left) }
}

/// An event of the feed as one word; a name this programme does not know stays readable.
pub fn event_name(language: Language, name: &str) -> String {
    if let Some(step) = Step::of_event(name) {
        return step.happened(language).to_owned();
    }
    match name {
        "case_reported" => say!(language, event.case_reported),
        "case_taken_over" => say!(language, event.case_taken_over),
        "case_claimed" => say!(language, event.case_claimed),
        "case_noted" => say!(language, event.case_noted),
        "file_attached" => say!(language, event.file_attached),
        "case_replanned" => say!(language, event.case_replanned),
        "case_moved" => say!(language, event.case_moved),
        "policy_adopted" => say!(language, event.policy_adopted),
        "whistle_raised" => say!(language, event.whistle_raised),
        "whistle_answered" => say!(language, event.whistle_answered),
        "whistle_closed" => say!(language, event.whistle_closed),
        "whistle_moved" => say!(language, event.whistle_moved),
        "catalogue_defined" => say!(language, event.catalogue_defined),
        "deadline_nearing" => say!(language, event.deadline_nearing),
        "deadline_passed" => say!(language, event.deadline_passed),
        "day_turned" => say!(language, event.day_turned),
        "cameras_adopted" => say!(language, event.cameras_adopted),
        other => other.replace('_', " "),
    }
}
