//! Commands keep the JSON they have always had, steps among them.

use super::*;

fn read(text: &str) -> Result<Command, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_step_is_a_command_like_any_other() {
    let case = CaseId(7);
    let limit = r#""limit":{"amount":15,"unit":"minute","counts":"through"}"#;
    let mut dispatch = Step::DISPATCH.take_for(case, "urban".parse().unwrap());
    if let Command::Step(take) = &mut dispatch {
        let kind = crate::clock::LimitKind {
            unit: crate::clock::Unit::Minute,
            counts: crate::clock::Counts::Through,
        };
        take.limit = Some(Limit::new(15, kind));
    }
    for (command, text) in [
        (Step::ACCEPT.take(case), r#"{"accept_case":{"case":7}}"#.to_owned()),
        (Step::FILE.take(case), r#"{"file_case":{"case":7}}"#.to_owned()),
        (dispatch, format!(r#"{{"dispatch_case":{{"case":7,"department":"urban",{limit}}}}}"#)),
        (Step::DISPOSE.take_with(case, "清"), r#"{"finish_disposal":{"case":7,"note":"清"}}"#.to_owned()),
        (Command::ClaimCase { case }, r#"{"claim_case":{"case":7}}"#.to_owned()),
        (Command::PassDeadlines, r#""pass_deadlines""#.to_owned()),
    ] {
        assert_eq!(serde_json::to_string(&command).unwrap(), text);
        assert_eq!(read(&text), Ok(command));
    }
    assert_eq!(read(r#"{"pass_check":{"case":7}}"#), Ok(Step::CHECK.take(case)));
    let old = read(
        r#"{"dispatch_case":{"case":7,"department":"urban","limit":{"amount":3,"unit":"urgent_hour"}}}"#,
    );
    assert!(old.is_ok(), "{old:?}");
}

#[test]
fn what_a_step_does_not_ask_for_is_refused_by_its_name() {
    for (text, words) in [
        (r#"{"accept_case":{"case":7,"note":"x"}}"#, "unknown field `note`"),
        (r#"{"give_feedback":{"case":7,"department":"urban"}}"#, "unknown field `department`"),
        (r#"{"dispatch_case":{"case":7}}"#, "missing field `department`"),
        (r#"{"dispatch_case":{"case":7,"department":"urban","remark":"x"}}"#, "unknown field `remark`"),
        (r#"{"lose_case":{"case":7}}"#, "unknown variant `lose_case`"),
        (r#"{"claim_case":{"case":7,"why":1}}"#, "unknown field `why`"),
    ] {
        let refused = read(text).unwrap_err();
        assert!(refused.contains(words), "{text}: {refused}");
    }
    assert!(read(r#"{"lose_case":{}}"#).unwrap_err().contains("`file_case`"), "the names are told");
}

/// Every command that is no step is in the list of names that are read.
#[test]
fn the_list_of_plain_names_is_whole() {
    for name in PLAIN {
        let refused = read(&format!(r#"{{"{name}":17}}"#)).unwrap_err();
        assert!(!refused.contains("unknown variant"), "{name}: {refused}");
    }
}
