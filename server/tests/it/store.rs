//! Store and writer together: answers, keys, restarts, lists.

use domain::command::Command;
use domain::rejection::Rejection;
use server::writer::WriteError;

use crate::city::{self, TestClock, envelope, report_case, send, start};

#[test]
fn answered_case_is_there_after_a_restart_and_its_key_answers_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    let first = envelope(report_case());
    let answer = writer.send_many_blocking(vec![first.clone()]).pop().unwrap().unwrap();
    assert!(!answer.replayed);
    assert_eq!(answer.number.as_deref(), Some("20261121-00001"));
    let id = answer.case.unwrap();
    send(&writer, Command::AcceptCase { case: id }).unwrap();
    assert_eq!(reader.timeline(id).unwrap().len(), 2);
    let before = reader.case(id).unwrap().unwrap();
    writer.stop();
    assert_eq!(send(&writer, report_case()), Err(WriteError::Stopped));

    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    assert_eq!(reader.case(id).unwrap().unwrap(), before);
    let again = writer.send_many_blocking(vec![first.clone()]).pop().unwrap().unwrap();
    assert!(again.replayed);
    assert_eq!(
        (again.first_seq, again.last_seq, again.case, &again.number),
        (answer.first_seq, answer.last_seq, answer.case, &answer.number)
    );
    let other = server::writer::Envelope { command: Command::ClaimCase { case: id }, ..first };
    let refused = writer.send_many_blocking(vec![other]).pop().unwrap();
    assert_eq!(refused, Err(WriteError::Refused(Rejection::KeyReused)));
    let recount = reader.recount().unwrap();
    writer.stop();
    let (_, state) = server::store::Store::open(dir.path(), &city::policy()).unwrap();
    let cells: std::collections::BTreeMap<_, _> =
        state.tally.iter().map(|(key, value)| (key.clone(), value)).collect();
    assert_eq!(recount.cells, cells);
}
