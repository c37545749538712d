//! Names of stages, levels, units and events.

use domain::calendar::LimitUnit;
use domain::case::Stage;
use domain::whistle::WhistleLevel;

use crate::words::{Language, say};

pub fn stage_name(language: Language, stage: Stage) -> String {
    match stage {
        Stage::Accept => say!(language, common.stage_accept),
        Stage::File => say!(language, common.stage_file),
        Stage::Dispatch => say!(language, common.stage_dispatch),
        Stage::Dispose => say!(language, common.stage_dispose),
        Stage::Feedback => say!(language, common.stage_feedback),
        Stage::Check => say!(language, common.stage_check),
        Stage::Close => say!(language, common.stage_close),
    }
}

pub fn level_name(language: Language, level: WhistleLevel) -> String {
    match level {
        WhistleLevel::District => say!(language, common.level_district),
        WhistleLevel::Street => say!(language, common.level_street),
        WhistleLevel::Community => say!(language, common.level_community),
    }
}

pub fn unit_name(language: Language, unit: LimitUnit) -> &'static str {
    unit.words(language)
}

/// `超` or `剩`: the word before a countdown.
pub fn phase_note(language: Language, late: bool) -> String {
    if late { say!(language, common.over) } else { say!(language, common.left) }
}

/// An event of the feed as one word; a name this programme does not know stays readable.
pub fn event_name(language: Language, name: &str) -> String {
    match name {
        "case_reported" => say!(language, event.case_reported),
        "case_taken_over" => say!(language, event.case_taken_over),
        "case_accepted" => say!(language, event.case_accepted),
        "case_filed" => say!(language, event.case_filed),
        "case_dispatched" => say!(language, event.case_dispatched),
        "disposal_finished" => say!(language, event.disposal_finished),
        "feedback_given" => say!(language, event.feedback_given),
        "check_passed" => say!(language, event.check_passed),
        "case_closed" => say!(language, event.case_closed),
        "case_claimed" => say!(language, event.case_claimed),
        "case_noted" => say!(language, event.case_noted),
        "whistle_raised" => say!(language, event.whistle_raised),
        "whistle_answered" => say!(language, event.whistle_answered),
        "whistle_closed" => say!(language, event.whistle_closed),
        "catalogue_defined" => say!(language, event.catalogue_defined),
        "deadline_nearing" => say!(language, event.deadline_nearing),
        "deadline_passed" => say!(language, event.deadline_passed),
        "day_turned" => say!(language, event.day_turned),
        other => other.replace('_', " "),
    }
}
