//! What every engine of the log must do, as one suite. An engine joins with a [`Harness`] and one test that runs [`all`].

use super::{Blob, CommandRow, EventRow, Group, Line, Log, LogError, PersonRow, Read, Stand, Subject};

/// How the suite gets at an engine.
pub(super) trait Harness {
    /// A log without rows, held by the returned handle.
    fn fresh(&mut self) -> Box<dyn Log>;
    /// Another holder of the same log, as a second process would open it; takes it over.
    fn again(&mut self) -> Box<dyn Log>;
}

/// Runs every rule on a log of its own.
pub(super) fn all(engine: &mut dyn Harness) {
    events_come_back_as_they_were_appended(engine);
    groups_are_whole_or_not_there(engine);
    a_holder_that_was_replaced_is_refused(engine);
    keys_belong_to_their_actor(engine);
    subjects_are_paged_from_the_newest(engine);
    everything_since_a_stand_is_found_once(engine);
    long_events_end_a_read_early(engine);
    blobs_go_by_their_hash(engine);
    erased_persons_lose_their_key_and_nothing_else(engine);
    keys_end_when_they_may(engine);
    rows_survive_another_holder(engine);
    what_was_believed_holds_until_a_time_is_believed(engine);
}

pub(super) fn event(seq: u64) -> EventRow {
    EventRow {
        seq,
        at: 1_795_226_400_000 + i64::try_from(seq).unwrap(),
        actor: "周".to_owned(),
        roles: "dispatcher".to_owned(),
        door: "desk".to_owned(),
        key: Vec::new(),
        name: "case_noted".to_owned(),
        form: 2,
        case: Some(seq.div_ceil(3)),
        whistle: seq.is_multiple_of(5).then_some(seq / 5),
        line: Some(Line {
            number: format!("20261121-{seq:05}"),
            class: "E01-10".to_owned(),
            areas: "|530103001|530103|5301|".to_owned(),
        }),
        body: format!("{{\"note\":\"第 {seq} 条\"}}"),
        crc: 0,
        chain: None,
    }
    .summed()
}

pub(super) fn command(key: u8, actor: &str, first: u64, last: u64) -> CommandRow {
    CommandRow {
        no: 0,
        at: 1_000 * i64::from(key),
        actor: actor.to_owned(),
        key: [key; 16],
        fingerprint: [key ^ 0xFF; 16],
        form: 2,
        first,
        last,
        answer: "{\"number\":\"20261121-00001\"}".to_owned(),
        lasting: false,
    }
}

fn person(case: u64) -> PersonRow {
    PersonRow { no: 0, case, sealed: vec![1, 2, 3], key: Some([9; 32]) }
}

fn events(seqs: std::ops::RangeInclusive<u64>) -> Group {
    Group { events: seqs.map(event).collect(), ..Group::default() }
}

/// Appends `count` events in groups of seven.
fn filled(log: &mut dyn Log, count: u64) {
    let mut next = 1;
    while next <= count {
        let last = count.min(next + 6);
        log.append(&events(next..=last)).unwrap();
        next = last + 1;
    }
}

fn events_come_back_as_they_were_appended(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    assert_eq!(log.head().unwrap(), Stand::default());
    assert!(log.read(0, 10).unwrap().is_empty());
    filled(&mut *log, 50);
    assert_eq!(log.head().unwrap().seq, 50);
    let all: Vec<EventRow> = (1..=50).map(event).collect();
    let other = log.reader().unwrap();
    for reader in [&*log as &dyn Read, &*other] {
        assert_eq!(reader.read(0, 1_000).unwrap(), all);
        assert_eq!(reader.read(47, 1_000).unwrap(), all[47..]);
        assert_eq!(reader.read(10, 3).unwrap(), all[10..13]);
        assert!(reader.read(50, 10).unwrap().is_empty() && reader.read(u64::MAX, 10).unwrap().is_empty());
        assert_eq!((reader.epoch(), reader.secret()), (log.epoch(), log.secret()));
    }
    let bare = EventRow {
        roles: String::new(),
        door: String::new(),
        key: vec![7; 16],
        case: None,
        whistle: None,
        line: None,
        ..event(51)
    };
    log.append(&Group { events: vec![bare.clone().summed()], ..Group::default() }).unwrap();
    assert_eq!(other.read(50, 1).unwrap(), [bare.summed()], "a reader sees what was appended since");
}

fn groups_are_whole_or_not_there(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let first = Group {
        events: vec![event(1)],
        commands: vec![command(1, "a", 1, 1)],
        persons: vec![person(1)],
        ..Group::default()
    };
    log.append(&first).unwrap();
    let stand = log.head().unwrap();
    assert_eq!(stand, Stand { seq: 1, command: 1, blob: 0, person: 1 });
    let beside = || vec![Blob::of(b"policy".to_vec())];
    let gap = Group { events: vec![event(2), event(4)], blobs: beside(), ..Group::default() };
    assert!(matches!(log.append(&gap), Err(LogError::OutOfOrder { expected: 3, is: 4, .. })));
    let again = Group { events: vec![event(1)], blobs: beside(), ..Group::default() };
    assert!(matches!(log.append(&again), Err(LogError::OutOfOrder { expected: 2, is: 1, .. })));
    let known_key = Group {
        events: vec![event(2)],
        blobs: beside(),
        commands: vec![command(2, "a", 2, 2), command(1, "a", 2, 2)],
        ..Group::default()
    };
    assert!(log.append(&known_key).is_err());
    let known_case = Group { events: vec![event(2)], persons: vec![person(1)], ..Group::default() };
    assert!(log.append(&known_case).is_err());
    assert_eq!(log.head().unwrap(), stand, "nothing of a refused group is there");
    assert_eq!(log.remembered("a", &[2; 16]).unwrap(), None);
    assert_eq!(log.blob(&beside()[0].hash).unwrap(), None);
    log.append(&events(2..=2)).expect("and the log goes on");
}

fn a_holder_that_was_replaced_is_refused(engine: &mut dyn Harness) {
    let mut first = engine.fresh();
    first.append(&events(1..=2)).unwrap();
    let mut second = engine.again();
    assert!(matches!(first.append(&events(3..=3)), Err(LogError::Stale { .. })));
    assert!(matches!(first.erase(1), Err(LogError::Stale { .. })));
    assert!(matches!(first.forget(i64::MAX, 10), Err(LogError::Stale { .. })));
    assert_eq!(first.read(0, 10).unwrap().len(), 2, "reading harms nobody");
    second.append(&events(3..=3)).expect("the new holder goes on");
    assert_eq!(second.head().unwrap().seq, 3);
}

fn keys_belong_to_their_actor(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let commands = vec![command(1, "热线", 1, 1), command(1, "手机", 2, 1)];
    log.append(&Group { events: vec![event(1)], commands, ..Group::default() }).unwrap();
    let found = log.remembered("热线", &[1; 16]).unwrap().unwrap();
    assert_eq!(found, CommandRow { no: 1, ..command(1, "热线", 1, 1) });
    assert_eq!(log.remembered("手机", &[1; 16]).unwrap().unwrap().last, 1);
    assert_eq!(log.remembered("别人", &[1; 16]).unwrap(), None, "nobody reads another's answer");
    assert_eq!(log.remembered("热线", &[2; 16]).unwrap(), None);
}

fn subjects_are_paged_from_the_newest(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    filled(&mut *log, 60);
    let seqs = |rows: Vec<EventRow>| rows.iter().map(|row| row.seq).collect::<Vec<_>>();
    assert_eq!(seqs(log.of(Subject::Case(4), u64::MAX, 10).unwrap()), [12, 11, 10]);
    assert_eq!(seqs(log.of(Subject::Case(4), u64::MAX, 2).unwrap()), [12, 11]);
    assert_eq!(seqs(log.of(Subject::Case(4), 11, 2).unwrap()), [10]);
    assert_eq!(seqs(log.of(Subject::Whistle(2), u64::MAX, 2).unwrap()), [10]);
    assert!(log.of(Subject::Case(99), u64::MAX, 2).unwrap().is_empty());
}

fn everything_since_a_stand_is_found_once(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    for seq in 1..=40 {
        let key = u8::try_from(seq).unwrap();
        let group = Group {
            events: vec![event(seq)],
            commands: vec![command(key, "a", seq, seq)],
            blobs: vec![Blob::of(vec![key % 4; 50])],
            persons: vec![person(seq)],
            believed: None,
        };
        log.append(&group).unwrap();
    }
    let (mut stand, mut all) = (Stand::default(), Group::default());
    loop {
        let group = log.since(stand, 7).unwrap();
        if group.is_empty() {
            break;
        }
        stand = stand.after(&group);
        all.events.extend(group.events);
        all.commands.extend(group.commands);
        all.blobs.extend(group.blobs);
        all.persons.extend(group.persons);
    }
    assert_eq!(stand, log.head().unwrap());
    assert_eq!(all.events, (1..=40).map(event).collect::<Vec<_>>());
    assert!(all.commands.iter().zip(1..).all(|(row, no)| row.no == no) && all.commands.len() == 40);
    assert_eq!(all.blobs.len(), 4, "the same bytes are kept once");
    assert!(all.persons.iter().zip(1..).all(|(row, case)| (row.no, row.case) == (case, case)));
}

fn long_events_end_a_read_early(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let long = |seq| EventRow { body: "长".repeat(1 << 20), ..event(seq) }.summed();
    for seq in 1..=6 {
        log.append(&Group { events: vec![long(seq)], ..Group::default() }).unwrap();
    }
    let page = log.read(0, 1_000).unwrap();
    assert!((1..6).contains(&page.len()), "{} of six events of 3 MiB in one read", page.len());
    let mut read = 0;
    super::each_event::<LogError>(&*log, 0, |_| {
        read += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(read, 6, "and the rest follows");
}

fn blobs_go_by_their_hash(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let blob = Blob::of("{\"dispatch_limit\":4}".as_bytes().to_vec());
    log.append(&Group { blobs: vec![blob.clone()], ..Group::default() }).unwrap();
    log.append(&Group { blobs: vec![blob.clone()], ..Group::default() }).expect("again is no harm");
    assert_eq!(log.blob(&blob.hash).unwrap().unwrap(), blob.bytes);
    assert_eq!(log.blob(&[0; 32]).unwrap(), None);
}

fn erased_persons_lose_their_key_and_nothing_else(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let group = Group { events: vec![event(1)], persons: vec![person(1), person(2)], ..Group::default() };
    log.append(&group).unwrap();
    assert!(log.erase(1).unwrap());
    assert!(!log.erase(1).unwrap(), "there is nothing left to erase");
    assert!(!log.erase(3).unwrap());
    assert_eq!(log.person(1).unwrap().unwrap(), PersonRow { no: 1, key: None, ..person(1) });
    assert_eq!(log.person(2).unwrap().unwrap(), PersonRow { no: 2, ..person(2) });
    assert_eq!(log.person(3).unwrap(), None);
    assert_eq!(log.read(0, 10).unwrap(), [event(1)]);
}

fn keys_end_when_they_may(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let imported = CommandRow { lasting: true, ..command(1, "import", 1, 1) };
    let mut commands = vec![imported];
    commands.extend((2..=6).map(|key| command(key, "周", 1, 0)));
    log.append(&Group { events: vec![event(1)], commands, ..Group::default() }).unwrap();
    assert_eq!(log.forget(5_000, 2).unwrap(), 2, "in bites");
    assert_eq!(log.forget(5_000, 2).unwrap(), 1);
    assert_eq!(log.forget(5_000, 2).unwrap(), 0);
    let left = |key: u8, actor: &str| log.remembered(actor, &[key; 16]).unwrap().is_some();
    assert!(left(1, "import"), "keys of imported rows do not end");
    assert!(!left(2, "周") && !left(4, "周") && left(5, "周") && left(6, "周"));
    assert_eq!(log.head().unwrap().command, 6);
    log.append(&Group { commands: vec![command(7, "周", 1, 0)], ..Group::default() }).unwrap();
    assert_eq!(log.remembered("周", &[7; 16]).unwrap().unwrap().no, 7, "numbers are not given again");
}

fn rows_survive_another_holder(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    let (epoch, secret) = (log.epoch(), log.secret());
    filled(&mut *log, 20);
    log.close().unwrap();
    let mut log = engine.again();
    assert_eq!((log.epoch(), log.secret()), (epoch, secret));
    assert_eq!(log.read(0, 100).unwrap(), (1..=20).map(event).collect::<Vec<_>>());
    assert!(log.has_room());
    log.append(&events(21..=21)).unwrap();
    assert_eq!(log.head().unwrap().seq, 21);
    log.reader().unwrap().tend().expect("tending is never refused");
}

/// The engine in memory.
struct InMemory(super::memory::Memory);

impl Harness for InMemory {
    fn fresh(&mut self) -> Box<dyn Log> {
        self.0 = super::memory::Memory::default();
        Box::new(self.0.hold())
    }

    fn again(&mut self) -> Box<dyn Log> {
        Box::new(self.0.hold())
    }
}

/// The engine in a file.
struct InFile(tempfile::TempDir);

impl InFile {
    fn open(&self) -> Box<dyn Log> {
        Box::new(super::sqlite::SqliteLog::open(self.0.path(), false, None).unwrap())
    }
}

impl Harness for InFile {
    fn fresh(&mut self) -> Box<dyn Log> {
        self.0 = tempfile::tempdir().unwrap();
        self.open()
    }

    fn again(&mut self) -> Box<dyn Log> {
        self.open()
    }
}

#[test]
fn the_engine_in_memory_conforms() {
    all(&mut InMemory(super::memory::Memory::default()));
}

#[test]
fn the_engine_in_a_file_conforms() {
    all(&mut InFile(tempfile::tempdir().unwrap()));
}

fn what_was_believed_holds_until_a_time_is_believed(engine: &mut dyn Harness) {
    let mut log = engine.fresh();
    log.append(&events(1..=1)).unwrap();
    assert_eq!(log.believed().unwrap(), None);
    log.append(&Group { believed: Some(-7), ..events(2..=2) }).unwrap();
    assert!(log.append(&events(9..=9)).is_err());
    let mut log = engine.again();
    assert_eq!(log.believed().unwrap(), Some(-7), "a refused group says nothing");
    assert_eq!(log.since(Stand::default(), 10).unwrap(), events(1..=2), "no backup carries it");
    log.append(&Group::default()).unwrap();
    assert_eq!((log.believed().unwrap(), log.head().unwrap().seq), (None, 2));
}
