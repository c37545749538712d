//! Lists of the past over views: what was closed since stands in the runs of today, and shows in no list of then.

use domain::command::Command;
use domain::moment::{MINUTE_MS, SECOND_MS};
use domain::scope::Scope;
use server::events::Reader;
use server::lists::{CaseFilter, Lists, WhistleFilter};
use server::views::steps::Flow;

use super::{Day, minute};
use crate::city::{self, Listing, TestClock, laid_out, lists};

/// Every page of a question, four rows a page, and the count.
fn pages(lists: &Lists, filter: &CaseFilter) -> (Vec<(u64, u64)>, Option<u64>) {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = lists.cases(&Scope::All, filter, cursor.as_ref(), 4).unwrap();
        rows.extend(page.items.iter().map(|case| (case.id.0, case.version)));
        cursor = page.next;
        if cursor.is_none() {
            return (rows, lists.count(&Scope::All, filter).unwrap());
        }
    }
}

type Answers = (Vec<(Vec<(u64, u64)>, Option<u64>)>, Vec<Vec<u64>>, Vec<Option<u64>>);

fn answers(lists: &Lists) -> Answers {
    let plain = CaseFilter::default;
    let today = "2026-11-21".parse().unwrap();
    let filters = [
        plain(),
        CaseFilter { open: Some(false), ..plain() },
        CaseFilter { open: Some(true), ..plain() },
        CaseFilter { closed: Some(today), ..plain() },
        CaseFilter { text: Some("拓东".to_owned()), ..plain() },
        CaseFilter { text: Some("1121-0002".to_owned()), ..plain() },
        CaseFilter { class: Some("E01-10".parse().unwrap()), open: Some(false), ..plain() },
        CaseFilter { counted: Some((Flow::named("filed").unwrap(), today)), ..plain() },
    ];
    let cases = filters.iter().map(|filter| pages(lists, filter)).collect();
    let calls = [None, Some(true), Some(false)].map(|open| {
        let filter = WhistleFilter { open, ..WhistleFilter::default() };
        let page = lists.whistles(&Scope::All, &filter, None, 1_000).unwrap();
        page.items.iter().map(|whistle| whistle.id.0).collect()
    });
    // One by one, beyond the last as well.
    let single = (1..200).map(|id| {
        let case = lists.case(&Scope::All, domain::code::CaseId(id)).unwrap();
        let call = lists.whistle(&Scope::All, domain::code::WhistleId(id)).unwrap();
        case.map(|case| case.version).or(call.map(|call| call.id.0))
    });
    (cases, calls.to_vec(), single.collect())
}

#[test]
fn what_was_closed_since_is_in_no_list_of_then() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let live = lists();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(Listing(live.clone())));
    live.present().change(|stand| stand.whole = true);
    let (mut day, mut kept) = (Day::new(99), Vec::new());
    let (mut reported, mut raised) = (0, 0);
    for turn in 1..=1_600 {
        if let Ok(answer) = city::send(&writer, day.command(reported, raised)) {
            reported = reported.max(answer.case.map_or(0, |case| case.0));
            raised = raised.max(answer.whistle.map_or(0, |whistle| whistle.0));
        }
        if turn % 8 == 0 {
            day.through(reported).into_iter().for_each(|step| drop(city::send(&writer, step)));
        }
        clock.pass(10 * SECOND_MS);
        if turn % 80 == 0 {
            // Whatever is due by now is in the log: the timer finds nothing more while the clock stands.
            city::send(&writer, Command::PassDeadlines).unwrap();
            kept.push((reader.head().unwrap(), clock.now(), answers(&live)));
            clock.pass(MINUTE_MS);
        }
    }
    writer.stop();
    assert!(kept.last().unwrap().2.0[1].0.len() > 40, "many were closed");
    let now = laid_out(dir.path(), &city::policy());
    assert!(now.present().load().runs.len() > 1, "runs of today, not memory");
    let log = Reader::new(dir.path(), city::policy().utc_offset_minutes);
    for (seq, at, then) in kept {
        assert_eq!(log.last_at(at).unwrap(), seq, "{at:?}");
        let (state, newest) = log.state_at(seq, 10).unwrap();
        assert_eq!((state.seq, newest.map(|newest| newest.events.len())), (seq, Some(10)));
        let past = Lists::of_past(&now, &state);
        past.start(&state);
        let told = answers(&past);
        assert_eq!(told.1, then.1, "calls after event {seq}");
        assert_eq!(told.2, then.2, "one by one after event {seq}");
        for (index, (told, then)) in told.0.iter().zip(&then.0).enumerate() {
            assert_eq!(told.0, then.0, "question {index} after event {seq}");
            // On a machine that is busy a count is given up at its deadline, and said as not known.
            assert!(
                told.1.is_none() || told.1 == then.1,
                "count of question {index} after event {seq}: {:?}",
                told.1
            );
        }
    }
    let before = log.last_at(minute(-1)).unwrap();
    assert_eq!(before, 0, "before everything");
}
