//! Any command that a city might give, right or wrong.

use domain::case::Step;
use domain::command::Command;
use domain::whistle::{WhistleCall, WhistleLevel};
use proptest::prelude::*;

use crate::city;

pub fn command() -> impl Strategy<Value = Command> {
    use domain::code::{CaseId, WhistleId};
    let case = (1u64..12).prop_map(CaseId);
    let department = (0usize..3).prop_map(|index| city::DEPARTMENTS[index].parse().unwrap());
    let whistle = (1u64..4).prop_map(WhistleId);
    let report = (0usize..5, 0usize..3, 0usize..2).prop_map(|(area, class, source)| Command::ReportCase {
        report: city::report(city::AREAS[area], city::CLASSES[class], city::SOURCES[source]),
        at: None,
    });
    let raise = (0usize..5, 1usize..3).prop_map(|(area, count)| Command::RaiseWhistle {
        call: WhistleCall {
            level: WhistleLevel::Street,
            area: city::AREAS[area].parse().unwrap(),
            title: "积水".to_owned(),
            case: None,
            called: city::DEPARTMENTS[..count].iter().map(|code| code.parse().unwrap()).collect(),
        },
    });
    prop_oneof![
        4 => report,
        1 => raise,
        2 => case.clone().prop_map(|case| Step::ACCEPT.take(case)),
        3 => case.clone().prop_map(|case| Step::FILE.take(case)),
        2 => (case.clone(), department.clone())
            .prop_map(|(case, department)| Step::DISPATCH.take_for(case, department)),
        1 => case.clone().prop_map(|case| Command::ClaimCase { case }),
        1 => case.prop_map(|case| Command::NoteCase { case, text: "在路上".to_owned() }),
        1 => (whistle.clone(), department)
            .prop_map(|(whistle, department)| Command::RespondToWhistle { whistle, department }),
        1 => whistle.prop_map(|whistle| Command::CloseWhistle { whistle, note: String::new() }),
        2 => Just(Command::PassDeadlines),
    ]
}
