//! Limits on dialling: how many dials a second in all, how many sessions and dials at a time with one host.
//!
//! What should not be here: what a session is and how it ends (`source.rs`), who may hand its own on (`lease.rs`).

use super::lease::{Lease, Leases};
use crate::clock::Instant;
use crate::lock::lock;
use crate::video::config::Config;
use governor::clock::{Clock, QuantaClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use retina::client::SessionGroup;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a dial may wait for its turn at a busy host before the stream is told so.
const TURN_TIMEOUT: Duration = Duration::from_secs(4);
/// How long shutdown waits for cameras to confirm that their sessions are closed.
const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Who may dial when.
#[derive(Debug)]
pub struct Dialer {
    pace: Pace,
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
    leases: Leases,
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
    lease: Arc<Lease>,
    /// Held until the camera plays.
    pub dial: Option<OwnedSemaphorePermit>,
    _session: OwnedSemaphorePermit,
}

impl Admission {
    /// Says since when nobody watches the stream, if nobody does: its session may be asked for meanwhile.
    pub fn set_idle(&self, since: Option<Instant>) {
        self.lease.set_idle(since);
        self.host.leases.changed();
    }

    /// Resolves when a stream that is watched needs this session, which nobody watches.
    pub async fn wanted(&self) {
        self.lease.wanted().await;
    }

    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.lease.is_wanted()
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.host.leases.remove(&self.lease);
    }
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
            pace: Pace::new(config.dials_per_second, config.dials_burst),
            hosts: Mutex::new(HashMap::new()),
            sessions_per_host: per_host(config.sessions_per_host),
            dials_per_host: per_host(config.dials_per_host),
            turn_timeout: TURN_TIMEOUT,
        }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host {
            sessions: Arc::new(Semaphore::new(self.sessions_per_host)),
            dials: Arc::new(Semaphore::new(self.dials_per_host)),
            group: Arc::new(SessionGroup::default().named(name.to_owned())),
            leases: Leases::default(),
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
            let session = host.session().await.ok_or_else(full)?;
            let dial = Arc::clone(&host.dials).acquire_owned().await.map_err(|_| full())?;
            Ok((session, dial))
        };
        let (session, dial) = tokio::time::timeout(self.turn_timeout, turn).await.map_err(|_| full())??;
        self.pace.turn().await;
        let lease = host.leases.add();
        Ok(Admission { lease, dial: Some(dial), _session: session, host })
    }

    /// Waits until every host has been told that our sessions are over, or the time is up.
    pub async fn teardown(&self) {
        let hosts: Vec<Arc<Host>> = {
            let hosts = lock(&self.hosts);
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

impl Host {
    /// A session, if need be that of the stream nobody has watched for longest.
    async fn session(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(free) = Arc::clone(&self.sessions).try_acquire_owned() {
            return Some(free);
        }
        let mut free = pin!(Arc::clone(&self.sessions).acquire_owned());
        let mut asked: Option<Arc<Lease>> = None;
        loop {
            let mut changed = pin!(self.leases.heard());
            changed.as_mut().enable();
            // One is asked for each who waits, and another one if somebody watches that one again.
            if asked.as_ref().is_none_or(|lease| !lease.is_wanted()) {
                asked = self.leases.ask_longest_idle();
            }
            tokio::select! {
                free = &mut free => return free.ok(),
                () = changed => {}
            }
        }
    }
}

/// Turns at a steady rate after a burst. Who waits is served in order.
#[derive(Debug)]
struct Pace {
    limiter: DefaultDirectRateLimiter,
    clock: QuantaClock,
    line: tokio::sync::Mutex<()>,
}

impl Pace {
    fn new(per_second: u32, burst: u32) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        Self {
            limiter: RateLimiter::direct(quota),
            clock: QuantaClock::default(),
            line: tokio::sync::Mutex::default(),
        }
    }

    async fn turn(&self) {
        let _first = self.line.lock().await;
        while let Err(early) = self.limiter.check() {
            tokio::time::sleep(early.wait_time_from(self.clock.now())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const HOST: &str = "10.0.0.1:554";

    fn dialer(sessions_per_host: u32) -> Dialer {
        let mut dialer = Dialer::new(&Config { sessions_per_host, ..Config::default() });
        dialer.turn_timeout = Duration::from_millis(50);
        dialer
    }

    #[tokio::test]
    async fn dials_come_at_the_configured_rate_after_a_burst() {
        let pace = Pace::new(100, 20);
        let start = clock::instant();
        for _ in 0..20 {
            pace.turn().await;
        }
        assert!(start.elapsed() < Duration::from_millis(50), "twenty at once: {:?}", start.elapsed());
        for _ in 0..10 {
            pace.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(90), "then one each 10 ms: {:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_host_gives_no_more_sessions_than_it_has_and_gives_them_again() {
        let dialer = dialer(1);
        let first = dialer.admit(HOST).await.unwrap();
        assert_eq!(dialer.admit(HOST).await.unwrap_err(), HostFull { sessions: 1 });
        dialer.admit("10.0.0.2:554").await.unwrap();
        drop(first);
        dialer.admit(HOST).await.unwrap();
    }

    /// Method: of three sessions two are idle. Each who comes then gets that of the one idle for longest; the watched one
    /// is left alone, and one that is watched again in time keeps its own.
    #[tokio::test]
    async fn the_session_that_was_idle_for_longest_is_handed_on_and_no_watched_one() {
        let dialer = dialer(3);
        let (watched, older, newer) = (
            dialer.admit(HOST).await.unwrap(),
            dialer.admit(HOST).await.unwrap(),
            dialer.admit(HOST).await.unwrap(),
        );
        let began = clock::instant();
        newer.set_idle(Some(began + Duration::from_secs(5)));
        older.set_idle(Some(began));
        let gives_up = async |admission: Admission| {
            admission.wanted().await;
            drop(admission);
        };
        let (fourth, ()) = tokio::join!(dialer.admit(HOST), gives_up(older));
        assert!(!watched.is_wanted() && !newer.is_wanted());
        let comes_back = async {
            newer.wanted().await;
            newer.set_idle(None);
            assert!(!newer.is_wanted());
        };
        let (fifth, ()) = tokio::join!(dialer.admit(HOST), comes_back);
        assert_eq!(fifth.unwrap_err(), HostFull { sessions: 3 });
        drop(fourth.unwrap());
    }

    /// A stream that becomes idle while another already waits is asked at once.
    #[tokio::test]
    async fn who_becomes_idle_while_another_waits_is_asked() {
        let dialer = dialer(1);
        let only = dialer.admit(HOST).await.unwrap();
        let leaves = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            only.set_idle(Some(clock::instant()));
            only.wanted().await;
            drop(only);
        };
        let (second, ()) = tokio::join!(dialer.admit(HOST), leaves);
        second.unwrap();
    }
}
