//! What is known of a case's words without asking: those of a screen's own rows and of the log's newest lines. Pure.

use domain::code::CaseId;
use domain::feed::Held;
use domain::moment::UtcMillis;
use domain::wire::EventLine;

/// Number and address of a case, where some row or line brought them.
pub fn words_of(held: &Held, id: CaseId) -> Option<(&str, &str)> {
    let row = held.overdue.get(id.0).map(|row| (row.number.as_str(), row.address.as_str()));
    row.or_else(|| {
        let lines = held.events.iter().rev().filter_map(|event| event.case.as_ref());
        lines.into_iter().find(|line| line.id == id).map(|line| (line.number.as_str(), line.address.as_str()))
    })
}

/// When the limit ran out that the event is about; none for every other event. It counts then, whenever it was recorded:
/// after a server was down for hours the limits of those hours are no alarms of this minute.
pub fn alarm(event: &EventLine) -> Option<UtcMillis> {
    (event.name == "deadline_passed").then(|| event.due.unwrap_or(event.at))
}

/// When limits ran out since `from`, as far as the events reach back.
pub fn alarms_since(held: &Held, from: UtcMillis) -> impl Iterator<Item = UtcMillis> + '_ {
    alarms(held.events.iter(), from)
}

fn alarms<'a>(
    events: impl Iterator<Item = &'a EventLine>,
    from: UtcMillis,
) -> impl Iterator<Item = UtcMillis> {
    events.filter_map(alarm).filter(move |at| *at >= from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::ClockOf;

    /// Six hours down, then up again: what ran out meanwhile is recorded now.
    #[test]
    fn an_alarm_counts_when_its_limit_ran_out() {
        let passed = |seq: u64, due: i64| EventLine {
            seq,
            at: UtcMillis(21_600_000),
            actor: "system".to_owned(),
            name: "deadline_passed".to_owned(),
            case: None,
            whistle: None,
            department: None,
            note: String::new(),
            of: Some(ClockOf::Dispatch),
            due: Some(UtcMillis(due)),
            was: None,
        };
        let events = [passed(1, 60_000), passed(2, 9_000_000), passed(3, 21_500_000)];
        let since = UtcMillis(21_600_000 - 600_000);
        assert_eq!(alarms(events.iter(), since).collect::<Vec<_>>(), [UtcMillis(21_500_000)]);
    }
}
