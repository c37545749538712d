//! A trouble that lasts: told when it begins, while it lasts once a minute, and when it is over.
//!
//! What should be here: when a line is due, and for how many attempts it stands. What should not: its words, which whoever
//! tries has; what is done about it.

use std::time::Duration;

use crate::clock::Instant;

/// Between two lines about the same trouble, also where it ends and comes back meanwhile.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// One trouble of one thread, told by attempts that come again until they succeed.
#[derive(Debug, Default)]
pub(crate) struct Lasting {
    /// When a line last said that it is there.
    told: Option<Instant>,
    /// Attempts that failed since, or since the beginning.
    failed: u64,
    /// A line has said that it is there, and none that it is over.
    is_open: bool,
}

impl Lasting {
    /// An attempt has failed `now`: how many have since the last line, where another one is due.
    pub(crate) fn failed(&mut self, now: Instant) -> Option<u64> {
        self.failed += 1;
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < TELL_EVERY) {
            return None;
        }
        self.told = Some(now);
        self.is_open = true;
        Some(std::mem::take(&mut self.failed))
    }

    /// An attempt has succeeded: how many had failed since the last line, where that said that the trouble is there.
    pub(crate) fn over(&mut self) -> Option<u64> {
        std::mem::take(&mut self.is_open).then(|| std::mem::take(&mut self.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::instant;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_trouble_is_told_at_once_then_each_minute_with_its_attempts_and_when_it_is_over() {
        let (mut trouble, began) = (Lasting::default(), instant());
        assert_eq!(trouble.over(), None, "nothing was wrong");
        let told: Vec<(u32, u64)> =
            (0..150).filter_map(|at| Some((at, trouble.failed(began + at * SECOND)?))).collect();
        assert_eq!(told, [(0, 1), (60, 60), (120, 60)]);
        assert_eq!(trouble.over(), Some(29));
        assert_eq!(trouble.over(), None, "it is over once");
        assert_eq!(trouble.failed(began + 3_600 * SECOND), Some(1), "another one");
    }

    /// A disk on which now this fits and now that does not.
    #[test]
    fn a_trouble_that_comes_and_goes_is_told_no_oftener_and_no_attempt_is_left_out() {
        let (mut trouble, began) = (Lasting::default(), instant());
        let mut lines = Vec::new();
        for at in 0..130 {
            let line = if at % 2 == 0 { trouble.failed(began + at * SECOND) } else { trouble.over() };
            lines.extend(line.map(|failed| (at, failed)));
        }
        assert_eq!(lines, [(0, 1), (1, 0), (60, 30), (61, 0), (120, 30), (121, 0)]);
    }
}
