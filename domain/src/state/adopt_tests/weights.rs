//! 基本案件数: the weight a policy gives a class counts from then on, and leaves what was counted as it was.

use super::super::tests::recount;
use super::*;
use crate::case::Report;
use crate::tally::{Count, Dimension, Measure};

fn open(desk: &Desk) -> Count {
    let now = desk.state.tally.iter().find(|(key, _)| {
        key.measure == Measure::Open && key.dimension == Dimension::City && key.period == Period::Now
    });
    now.map(|(_, count)| count).unwrap_or_default()
}

#[test]
fn a_case_counts_by_the_weight_its_class_had_when_it_was_reported() {
    let mut desk = Desk::new();
    let send = |desk: &mut Desk, base_count| {
        let report = Report { base_count, ..report("530102001", "E01") };
        desk.send(Command::ReportCase { report, at: None }).unwrap();
    };
    send(&mut desk, 2);
    assert_eq!(open(&desk), Count { cases: 1, base: 2 });
    let mut heavier = desk.policy.clone();
    let class = heavier.classes.iter_mut().find(|class| class.code.as_str() == "E01").unwrap();
    class.base_weight = Some(4);
    desk.adopt(&heavier).unwrap();
    assert_eq!(open(&desk), Count { cases: 1, base: 2 }, "what was counted stays");
    send(&mut desk, 2);
    assert_eq!(open(&desk), Count { cases: 2, base: 10 });
    send(&mut desk, u16::MAX);
    assert_eq!(open(&desk).base, 10 + i64::from(u16::MAX), "as many as a case can count for");
    assert_eq!(recount(&desk.state, desk.now)["open"], open(&desk));
    holds(&desk);
    let mut nothing = heavier.clone();
    nothing.classes[0].base_weight = Some(0);
    assert!(nothing.check().unwrap_err().contains("base_weight"));
}
