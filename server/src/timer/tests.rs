//! When the timer asks which day it is. Deadlines are tested with the writer.

use std::cell::RefCell;
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use domain::moment::UtcMillis;

use super::{Ring, Wake, run};
use crate::writer::{Answer, WriteError};

/// Nothing is due for a long time, and the clock stands: what was set back while the server was stopped is asked for all
/// the same, and once more after a refusal.
#[test]
fn which_day_it_is_is_asked_at_the_start_until_it_is_answered() {
    let (bell, rings) = sync_channel(1);
    let wake = Wake { at: AtomicI64::new(i64::MAX), bell: bell.clone() };
    let (asked, said) = sync_channel(2);
    let answer =
        Answer { first_seq: 1, last_seq: 0, replayed: false, case: None, whistle: None, number: None };
    let timer = std::thread::spawn(move || {
        let outcomes = RefCell::new(vec![Ok(answer), Err(WriteError::Busy)]);
        let send = |_| {
            asked.send(()).ok()?;
            outcomes.borrow_mut().pop()
        };
        let stands: Box<dyn Fn() -> UtcMillis + Send + Sync> = Box::new(|| UtcMillis(1_000_000));
        run(&send, &wake, &rings, &stands.into());
    });
    for time in ["at the start", "after the refusal"] {
        said.recv_timeout(Duration::from_secs(20))
            .unwrap_or_else(|error| panic!("not asked {time}: {error}"));
    }
    bell.send(Ring::Stop).unwrap();
    timer.join().unwrap();
}
