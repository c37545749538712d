//! Refusals speak one language at a time.

use super::*;
use crate::adoption::Took;
use crate::case::request::Unfit;
use crate::catalogue::AreaLevel;
use crate::text::TextError;

fn all() -> Vec<Rejection> {
    let (case, whistle) = (CaseId(7), WhistleId(3));
    let times = [
        TimeProblem::NotPossible,
        TimeProblem::InTheFuture,
        TimeProblem::TooLongAgo,
        TimeProblem::BeforeOpening,
        TimeProblem::BeforeTheStepBefore,
    ];
    let texts = [
        TextError::Empty,
        TextError::TooLong { bytes: 2, most: 1 },
        TextError::Control('\u{1b}'),
        TextError::Direction('\u{202E}'),
        TextError::Invisible,
    ];
    let mut ranges = vec![
        RangeProblem::Missing,
        RangeProblem::OutsideBounds,
        RangeProblem::Limit,
        RangeProblem::NoDue,
        RangeProblem::BaseCount,
        RangeProblem::CalledNumber,
        RangeProblem::CalledTwice,
        RangeProblem::EntriesInOne,
        RangeProblem::EntriesInAll,
        RangeProblem::Milestones,
        RangeProblem::StepToCome,
        RangeProblem::Level { level: AreaLevel::City, above: AreaLevel::Grid },
    ];
    let policies = [
        PolicyProblem::Unsound("1".to_owned()),
        PolicyProblem::Offset { is: 480, wanted: 60 },
        PolicyProblem::Codes,
        PolicyProblem::Parent { area: "1".to_owned(), parent: "2".to_owned() },
        PolicyProblem::Level {
            area: "1".to_owned(),
            level: AreaLevel::City,
            parent: "2".to_owned(),
            above: AreaLevel::Grid,
        },
    ];
    ranges.extend(texts.map(RangeProblem::Text));
    let moved = MovedOn {
        case,
        number: "20261121-00042".to_owned(),
        seen: 5,
        is: 9,
        stage: Stage::Dispose,
        step: Step::DISPATCH,
        by: "7".to_owned(),
        at: UtcMillis(1_795_226_400_000),
        offset: UtcOffset(480),
    };
    let mut all = vec![
        Rejection::UnknownCase { case },
        Rejection::UnknownWhistle { whistle },
        Rejection::UnknownCode { field: "1".to_owned(), code: "2".to_owned() },
        Rejection::RetiredCode { field: "1".to_owned(), code: "2".to_owned() },
        Rejection::MovedOn(Box::new(moved)),
        Rejection::WrongStage { case, is: Stage::File, needs: Step::CHECK.from },
        Rejection::NotCalled { whistle, department: "1".to_owned() },
        Rejection::AlreadyResponded { whistle, department: "1".to_owned() },
        Rejection::NotesFull { case, most: 500 },
        Rejection::TakenOften { case, act: Step::RETURN.act, most: 3 },
        Rejection::FilesFull { case, most: 50 },
        Rejection::KeyReused,
        Rejection::OtherDepartment { own: "1".to_owned(), other: Some("2".to_owned()) },
        Rejection::OtherDepartment { own: "1".to_owned(), other: None },
        Rejection::NoDepartment,
        Rejection::OutOfScope { field: None },
        Rejection::OwnDispatch { case: CaseId(7) },
        Rejection::PowersApart,
        Rejection::ClockOff,
    ];
    for what in [Adoptable::Policy, Adoptable::Cameras] {
        let took = Took { by: "7".to_owned(), at: UtcMillis(1_795_226_400_000) };
        for took in [Some(took), None] {
            let since = AdoptedSince { what, upon: 5, is: 9, took, offset: UtcOffset(480) };
            all.push(Rejection::AdoptedSince(Box::new(since)));
        }
    }
    all.extend(Unfit::ALL.map(|why| Rejection::Unfit { case, act: Step::RESUME.act, why }));
    let commands = Step::all().map(|step| step.take(case));
    all.extend(commands.map(|command| Rejection::NotAllowed { command: command.name(), act: command.act() }));
    all.extend(times.map(|problem| Rejection::ImpossibleTime { field: "1".to_owned(), problem }));
    all.extend(ranges.into_iter().map(|problem| Rejection::OutOfRange { field: "1".to_owned(), problem }));
    all.extend(policies.map(|problem| Rejection::PolicyRefused { problem }));
    all
}

/// Fields and codes are figures here, so that every letter is a word of the sentence.
#[test]
fn a_refusal_in_chinese_has_no_english_word_in_it_and_the_other_way_round() {
    for rejection in all() {
        let (zh, en) = (rejection.words(Language::Zh), rejection.words(Language::En));
        let zh = zh.replace("U+", "");
        assert!(zh.split(|c: char| !c.is_ascii_alphabetic()).all(|word| word.len() < 2), "{zh}");
        assert!(zh.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c)), "{zh}");
        assert!(!en.chars().any(|c| ('\u{3000}'..'\u{9fff}').contains(&c)), "{en}");
        assert!(en.len() > 10, "{en}");
    }
}

#[test]
fn whoever_comes_too_late_is_told_what_happened_who_did_it_and_when() {
    let moved = all().into_iter().find(|rejection| matches!(rejection, Rejection::MovedOn(_))).unwrap();
    let (zh, en) = (moved.words(Language::Zh), moved.words(Language::En));
    for words in ["20261121-00042", "7已于 10:00", "派遣", "处置环节"] {
        assert!(zh.contains(words), "{zh}");
    }
    for words in ["20261121-00042", "7 took the step “Sent” at 10:00", "“Dispose”"] {
        assert!(en.contains(words), "{en}");
    }
}
