//! A stage tells what it will take before it begins, that it still goes on while it lasts, and what it took.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Result;

/// How often a stage that lasts says so: what compiles tells of itself, what is made small is silent for minutes.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// One stage, in words.
pub struct Stage {
    pub what: &'static str,
    /// How long it takes the first time, from nothing.
    pub first: &'static str,
    /// How long it takes when it was done before.
    pub again: &'static str,
    /// Whether it seems to have been done before.
    pub was_done: bool,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (takes, why) =
            if self.was_done { (self.again, "done before") } else { (self.first, "for the first time") };
        write!(f, "{} ({why}: about {takes})", self.what)
    }
}

/// Does the work of a stage and tells of it.
pub fn tell(number: usize, stage: &Stage, work: &dyn Fn() -> Result<()>) -> Result<()> {
    println!("demo: {number}. {stage}");
    let began = Instant::now();
    let (done, is_done) = channel::<()>();
    let worked = std::thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
                println!("demo: {number}. still at it, {}", words(began.elapsed()));
            }
        });
        let worked = work();
        drop(done);
        worked
    });
    if worked.is_ok() {
        println!("demo: {number}. took {}", words(began.elapsed()));
    }
    worked
}

fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_says_what_it_takes_the_first_time_and_later() {
        let stage = |was_done| Stage { what: "x", first: "an hour", again: "a second", was_done };
        assert_eq!(stage(false).to_string(), "x (for the first time: about an hour)");
        assert_eq!(stage(true).to_string(), "x (done before: about a second)");
        assert_eq!(words(Duration::from_millis(1_640)), "1.6 s");
        assert_eq!(words(Duration::from_secs(754)), "12 min 34 s");
    }

    #[test]
    fn a_stage_that_fails_fails() {
        let stage = Stage { what: "x", first: "", again: "", was_done: true };
        assert!(tell(1, &stage, &|| anyhow::bail!("no")).is_err());
        assert!(tell(1, &stage, &|| Ok(())).is_ok());
    }
}
