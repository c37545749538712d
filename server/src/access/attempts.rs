//! Failed sign-ins (登录失败) and the lock that follows them: counted by name, whether or not the account exists.
//!
//! An attempt holds a place before its password is looked at, so that sixty at once are not sixty guesses. The lock
//! is by name and not by sender: a guesser with many addresses gets no more guesses, and somebody on the network can
//! keep a name locked out; sessions that are open and one-time links go on.

use std::collections::HashMap;
use std::sync::Mutex;

use domain::moment::{MINUTE_MS, UtcMillis};

use super::lock;

/// Names whose failures are remembered at most; the oldest one that is not locked gives way.
const NAMES_MAX: usize = 10_000;
/// Names are remembered by so many characters; no account has more.
const NAME_CHARS_MAX: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Tries {
    failures: u32,
    /// Attempts under way.
    pending: u32,
    /// The newest failure or attempt.
    since: UtcMillis,
}

#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<String, Tries>>);

/// Why no attempt may be made now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAttempt {
    Locked {
        since: UtcMillis,
        until: UtcMillis,
    },
    /// As many are under way as may still fail.
    Pending,
}

/// What locks a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub failures: u32,
    pub minutes: u32,
}

/// An attempt under way. Dropped without [`Attempt::end`], it never happened.
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    name: String,
}

impl Attempts {
    pub fn begin(&self, name: &str, rule: Rule, now: UtcMillis) -> Result<Attempt<'_>, NoAttempt> {
        let name: String = name.chars().take(NAME_CHARS_MAX).collect();
        let mut names = lock(&self.0);
        let lasts_ms = i64::from(rule.minutes) * MINUTE_MS;
        if names.len() >= NAMES_MAX && !names.contains_key(&name) {
            make_room(&mut names, rule);
        }
        let tries = names.entry(name.clone()).or_insert(Tries { failures: 0, pending: 0, since: now });
        // A clock set back must not make a lock longer.
        tries.since = tries.since.min(now);
        let until = tries.since.plus(lasts_ms);
        if tries.failures >= rule.failures && until > now {
            return Err(NoAttempt::Locked { since: tries.since, until });
        }
        // After a lock one guess at a time, until one is right.
        if tries.pending >= rule.failures.saturating_sub(tries.failures).max(1) {
            return Err(NoAttempt::Pending);
        }
        tries.pending += 1;
        Ok(Attempt { attempts: self, name })
    }
}

impl Attempts {
    /// Forgets the failures under a name.
    pub fn forgive(&self, name: &str) {
        let name: String = name.chars().take(NAME_CHARS_MAX).collect();
        if let Some(tries) = lock(&self.0).get_mut(&name) {
            tries.failures = 0;
        }
    }
}

/// Forgets the oldest name that is not locked, or the oldest of all.
fn make_room(names: &mut HashMap<String, Tries>, rule: Rule) {
    let oldest = names
        .iter()
        .min_by_key(|(_, tries)| (tries.failures >= rule.failures || tries.pending > 0, tries.since))
        .map(|(name, _)| name.clone());
    if let Some(oldest) = oldest {
        names.remove(&oldest);
    }
}

impl Attempt<'_> {
    /// Says how it went. Until when the name is locked now.
    pub fn end(self, right: bool, rule: Rule, now: UtcMillis) -> Option<UtcMillis> {
        let mut names = lock(&self.attempts.0);
        if right {
            if let Some(tries) = names.get_mut(&self.name) {
                tries.failures = 0;
            }
            None
        } else {
            metrics::counter!("gridhall_sign_in_failures_total").increment(1);
            let fresh = Tries { failures: 0, pending: 1, since: now };
            let tries = names.entry(self.name.clone()).or_insert(fresh);
            tries.failures = tries.failures.saturating_add(1);
            tries.since = now;
            let locked = tries.failures >= rule.failures;
            locked.then(|| now.plus(i64::from(rule.minutes) * MINUTE_MS))
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut names = lock(&self.attempts.0);
        let Some(tries) = names.get_mut(&self.name) else { return };
        tries.pending = tries.pending.saturating_sub(1);
        if tries.pending == 0 && tries.failures == 0 {
            names.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { failures: 5, minutes: 5 };
    const NOW: UtcMillis = UtcMillis(1_700_000_000_000);

    #[test]
    fn attempts_at_one_time_are_no_more_than_may_fail() {
        let attempts = Attempts::default();
        let mut open: Vec<_> = (0..5).map(|_| attempts.begin("admin", RULE, NOW).ok().unwrap()).collect();
        assert_eq!(attempts.begin("admin", RULE, NOW).err(), Some(NoAttempt::Pending));
        drop(open.pop());
        let again = attempts.begin("admin", RULE, NOW).expect("an attempt given up leaves its place");
        open.push(again);
        let until = NOW.plus(5 * MINUTE_MS);
        let locks: Vec<_> = open.into_iter().map(|attempt| attempt.end(false, RULE, NOW)).collect();
        assert_eq!(locks, [None, None, None, None, Some(until)]);
        assert_eq!(attempts.begin("admin", RULE, NOW).err(), Some(NoAttempt::Locked { since: NOW, until }));
        let after = attempts.begin("admin", RULE, until).expect("the lock ends");
        assert_eq!(attempts.begin("admin", RULE, until).err(), Some(NoAttempt::Pending));
        assert_eq!(after.end(true, RULE, until), None);
        assert!(lock(&attempts.0).is_empty(), "a right password leaves nothing behind");
    }

    #[test]
    fn names_are_bounded_and_a_locked_one_stays_locked() {
        let attempts = Attempts::default();
        for _ in 0..5 {
            attempts.begin("admin", RULE, NOW).ok().unwrap().end(false, RULE, NOW);
        }
        for index in 0..NAMES_MAX + 10 {
            let later = NOW.plus(1 + index as i64);
            attempts.begin(&format!("n{index}"), RULE, later).ok().unwrap().end(false, RULE, later);
        }
        assert_eq!(lock(&attempts.0).len(), NAMES_MAX);
        assert!(matches!(attempts.begin("admin", RULE, NOW), Err(NoAttempt::Locked { .. })));
    }
}
