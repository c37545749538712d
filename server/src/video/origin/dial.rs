//! Limits on dialling: how many dials a second in all, how many sessions and dials at a time with one host.

use crate::video::config::Config;
use retina::client::SessionGroup;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long a dial may wait for its turn at a busy host before the stream is told so.
const TURN_TIMEOUT: Duration = Duration::from_secs(4);
/// How long shutdown waits for cameras to confirm that their sessions are closed.
const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Who may dial when.
#[derive(Debug)]
pub struct Dialer {
    pace: Mutex<Pace>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    sessions_per_host: usize,
    dials_per_host: usize,
    turn_timeout: Duration,
}

/// One camera or recorder by address.
pub struct Host {
    sessions: Arc<Semaphore>,
    dials: Arc<Semaphore>,
    /// The library's record of sessions that still have to be torn down.
    pub group: Arc<SessionGroup>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({} sessions free)", self.sessions.available_permits())
    }
}

/// The right to one session with a host, given back when dropped.
#[derive(Debug)]
pub struct Admission {
    pub host: Arc<Host>,
    _session: OwnedSemaphorePermit,
    /// Held until the camera plays.
    pub dial: Option<OwnedSemaphorePermit>,
}

/// Every session with the host is in use.
#[derive(Debug, PartialEq, Eq)]
pub struct HostFull {
    pub sessions: usize,
}

impl Dialer {
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let per_host = |n: u32| usize::try_from(n).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            pace: Mutex::new(Pace::new(config.dials_per_second)),
            hosts: Mutex::new(HashMap::new()),
            sessions_per_host: per_host(config.sessions_per_host),
            dials_per_host: per_host(config.dials_per_host),
            turn_timeout: TURN_TIMEOUT,
        }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().expect("no code panics while it holds the hosts");
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host {
            sessions: Arc::new(Semaphore::new(self.sessions_per_host)),
            dials: Arc::new(Semaphore::new(self.dials_per_host)),
            group: Arc::new(SessionGroup::default().named(name.to_owned())),
        });
        hosts.insert(name.to_owned(), Arc::clone(&host));
        host
    }

    /// The sessions with `host` that still have to be torn down.
    #[must_use]
    pub fn group(&self, host: &str) -> Arc<SessionGroup> {
        Arc::clone(&self.host(host).group)
    }

    /// Waits for a turn to dial `host`.
    pub async fn admit(&self, host: &str) -> Result<Admission, HostFull> {
        let host = self.host(host);
        let full = || HostFull { sessions: self.sessions_per_host };
        let turn = async {
            let session = Arc::clone(&host.sessions).acquire_owned().await.map_err(|_| full())?;
            let dial = Arc::clone(&host.dials).acquire_owned().await.map_err(|_| full())?;
            Ok((session, dial))
        };
        let (session, dial) = tokio::time::timeout(self.turn_timeout, turn).await.map_err(|_| full())??;
        let at = self.pace.lock().expect("no code panics while it holds the pace").reserve(Instant::now());
        tokio::time::sleep_until(at).await;
        Ok(Admission { host, _session: session, dial: Some(dial) })
    }

    /// Waits until every host has been told that our sessions are over, or the time is up.
    pub async fn teardown(&self) {
        let hosts: Vec<Arc<Host>> = {
            let hosts = self.hosts.lock().expect("no code panics while it holds the hosts");
            hosts.values().cloned().collect()
        };
        let all = futures_util::future::join_all(hosts.iter().map(|host| host.group.await_teardown()));
        match tokio::time::timeout(TEARDOWN_TIMEOUT, all).await {
            Ok(results) => {
                let failed = results.iter().filter(|result| result.is_err()).count();
                tracing::debug!(hosts = hosts.len(), failed, "camera sessions closed");
            }
            Err(_) => {
                tracing::warn!(hosts = hosts.len(), "some cameras did not confirm the end of a session")
            }
        }
    }
}

/// Turns at a steady rate, with a burst of a quarter of a second's turns.
#[derive(Debug)]
struct Pace {
    between: Duration,
    burst: Duration,
    next: Option<Instant>,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        let between = Duration::from_secs(1) / per_second.max(1);
        Self { between, burst: Duration::from_millis(250), next: None }
    }

    /// Takes the next free turn and says when it is.
    fn reserve(&mut self, now: Instant) -> Instant {
        let earliest = now.checked_sub(self.burst).unwrap_or(now);
        let turn = self.next.map_or(earliest, |next| next.max(earliest));
        self.next = Some(turn + self.between);
        turn.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dials_come_at_the_configured_rate_after_a_short_burst() {
        let mut pace = Pace::new(50);
        let start = Instant::now();
        let waits: Vec<u128> =
            (0..63).map(|_| pace.reserve(start).duration_since(start).as_millis()).collect();
        assert_eq!(waits[..13], [0; 13], "a quarter of a second's turns at once");
        assert_eq!(waits[13], 10);
        assert_eq!(waits[62], 990, "then one each 20 ms");
    }

    #[tokio::test]
    async fn a_host_gives_no_more_sessions_than_it_has_and_gives_them_again() {
        let mut dialer = Dialer::new(&Config { sessions_per_host: 1, ..Config::default() });
        dialer.turn_timeout = Duration::from_millis(20);
        let first = dialer.admit("10.0.0.1:554").await.unwrap();
        assert_eq!(dialer.admit("10.0.0.1:554").await.unwrap_err(), HostFull { sessions: 1 });
        dialer.admit("10.0.0.2:554").await.unwrap();
        drop(first);
        dialer.admit("10.0.0.1:554").await.unwrap();
    }
}
