//! The actor behind one camera stream: dials while somebody watches, keeps the feed filled, says how it is, tries again.
//!
//! Idle (no actor) → connecting → live → lingering → gone, or → waiting to retry → connecting.

use super::backoff;
use super::dial::{Admission, Dialer};
use super::item::{Failure, Item};
use super::registry::Registered;
use super::upstream::Upstream;
use crate::clock::{self, Clock, Instant};
use crate::video::config::Config;
use crate::video::meters::SourceMeters;
use crate::video::relay::feed::{Feed, Figures};
use crate::video::relay::feeds::Held;
use crate::video::relay::ring::Picture;
use crate::video::relay::status::{Cause, State, Status};
use crate::video::relay::stream::Profile;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// An operator who opens a refused camera again gets a new attempt, but not more often than this.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// The end of the last session is given this long before the camera is dialled again.
const TEARDOWN_GRACE: Duration = Duration::from_secs(1);
/// How often rates are counted.
const FIGURES_EVERY: Duration = Duration::from_secs(2);

/// What one actor works with.
pub struct Source {
    pub camera: Arc<Registered>,
    /// The feed it fills.
    pub held: Held,
    pub dialer: Arc<Dialer>,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub closing: CancellationToken,
}

enum End {
    Closing,
    /// The camera is no longer in the list, or is another one now; that has been said.
    Withdrawn,
    Unwatched,
    Failed(Failure),
}

/// What outlives a session.
struct History {
    meters: SourceMeters,
    /// Failures since the stream last lived long enough.
    failures: u32,
    /// Sessions since the actor began, less the first.
    reconnects: u32,
}

impl Source {
    /// Runs until nobody watches or everything closes.
    pub async fn run(self) {
        let Some(host) = self.camera.origin.host(self.profile()) else {
            self.say(Status::caused(Cause::NotFound, "the camera has no sub stream", self.clock.now().0));
            return;
        };
        let meters = SourceMeters::new(self.profile());
        let mut history = History { meters, failures: 0, reconnects: 0 };
        loop {
            let (start, sessions) = (clock::instant(), history.reconnects);
            let end = tokio::select! {
                biased;
                () = self.closing.cancelled() => End::Closing,
                () = self.feed().ended() => End::Withdrawn,
                end = self.session(&host, &mut history) => end,
            };
            self.feed().clear();
            match end {
                End::Closing => {
                    self.say(Status::caused(
                        Cause::ShuttingDown,
                        "the server is stopping",
                        self.clock.now().0,
                    ));
                    break;
                }
                End::Withdrawn => break,
                End::Unwatched if self.held.retire() => break,
                End::Unwatched => {}
                End::Failed(failure) => {
                    let played = history.reconnects != sessions;
                    if !self.wait_to_retry(&failure, start, played, &mut history, &host).await {
                        break;
                    }
                }
            }
        }
        tracing::debug!(camera = %self.camera.camera.code, profile = self.profile().name(), "camera stream closed");
    }

    fn feed(&self) -> &Feed {
        self.held.feed()
    }

    fn profile(&self) -> Profile {
        self.held.key().profile
    }

    fn say(&self, status: Status) {
        self.feed().set_status(status);
    }

    /// One session from dial to end. Returns `Failed` for every end the camera or the network caused.
    async fn session(&self, host: &str, history: &mut History) -> End {
        let start = clock::instant();
        let mut admission = match self.dialer.admit(host).await {
            Ok(admission) => admission,
            Err(full) => {
                let reason = format!("all {} sessions with this host are in use", full.sessions);
                return End::Failed(Failure::new(Cause::HostLimit, reason));
            }
        };
        let origin = &self.camera.origin;
        let mut upstream = match origin.open(self.profile(), &mut admission, &self.config, &self.clock).await
        {
            Ok(upstream) => upstream,
            Err(failure) => return End::Failed(failure),
        };
        let live = Live::new(self, start, history.reconnects);
        let end = live.run(&mut upstream, &admission, &mut history.meters).await;
        history.reconnects += 1;
        if admission.is_wanted() {
            // Whoever waits for this session gets it when the host knows that it is free.
            drop(upstream);
            self.teardown(host).await;
        }
        end
    }

    /// Says why, waits for the time of the next attempt, and says whether there should be one.
    async fn wait_to_retry(
        &self,
        failure: &Failure,
        start: Instant,
        played: bool,
        history: &mut History,
        host: &str,
    ) -> bool {
        if start.elapsed() >= Duration::from_millis(self.config.retry_reset_ms) {
            history.failures = 0;
        }
        history.failures = history.failures.saturating_add(1);
        history.meters.failed(failure.cause);
        let watched = self.feed().viewers() > 0;
        let jitter = rand::random_range(-1.0..=1.0);
        let mut pause = backoff::pause(&self.config, history.failures, failure.cause, watched, jitter);
        if !played {
            pause = backoff::after_dial(&self.config, pause, start.elapsed());
        }
        let now_ms = self.clock.now().0;
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let mut status = Status::caused(failure.cause, failure.reason.clone(), now_ms);
        status.retry_at_ms = Some(now_ms.saturating_add(pause_ms));
        history.meters.set_state(Some(status.state));
        tracing::info!(
            camera = %self.camera.camera.code, profile = self.profile().name(), host = %host,
            cause = ?failure.cause, reason = %failure.reason, pause_ms, failures = history.failures,
            "camera stream lost"
        );
        self.say(status.clone());
        // A camera with one session slot would refuse us while the old session lives.
        let (again, ()) = tokio::join!(self.pause(start, pause, failure.cause), self.teardown(host));
        if !again || (self.feed().viewers() == 0 && self.held.retire()) {
            return false;
        }
        status.retry_at_ms = None;
        self.say(status);
        true
    }

    /// Waits until the host has been told that our old sessions are over, or a moment.
    async fn teardown(&self, host: &str) {
        let group = self.dialer.group(host);
        let _ended_or_late = tokio::time::timeout(TEARDOWN_GRACE, group.await_teardown()).await;
    }

    /// Waits `pause`, less when somebody asks for the stream; false when everything closes.
    async fn pause(&self, start: Instant, pause: Duration, cause: Cause) -> bool {
        let mut until = clock::instant() + pause;
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return false,
                () = self.feed().ended() => return false,
                () = until.reached() => return true,
                () = self.feed().again.notified() => {
                    if backoff::is_final(cause) {
                        until = until.min(start + AGAIN_AFTER);
                    }
                }
                () = self.feed().demand.notified() => {
                    if self.feed().viewers() > 0 && !backoff::is_final(cause) {
                        let soon = Duration::from_millis(self.config.retry_watched_max_ms);
                        until = until.min(clock::instant() + soon);
                    }
                }
            }
        }
    }
}

/// A session that plays.
struct Live<'a> {
    source: &'a Source,
    start: Instant,
    played: Instant,
    last_picture: Option<Instant>,
    last_key: Option<Instant>,
    /// Nobody has been watching since; the session is kept a while for who comes back.
    idle_since: Option<Instant>,
    state: State,
    window: Instant,
    window_frames: u32,
    window_bytes: u64,
    lost_packets: u64,
    figures: Figures,
}

impl<'a> Live<'a> {
    fn new(source: &'a Source, start: Instant, reconnects: u32) -> Self {
        let now = clock::instant();
        Self {
            source,
            start,
            played: now,
            last_picture: None,
            last_key: None,
            idle_since: None,
            state: State::Connecting,
            window: now,
            window_frames: 0,
            window_bytes: 0,
            lost_packets: 0,
            figures: Figures { reconnects, ..Figures::default() },
        }
    }

    async fn run(mut self, upstream: &mut Upstream, admission: &Admission, meters: &mut SourceMeters) -> End {
        admission.set_idle(self.note_demand());
        loop {
            let check = self.next_check(upstream.interval());
            tokio::select! {
                biased;
                () = self.source.feed().demand.notified() => admission.set_idle(self.note_demand()),
                () = admission.wanted() => return End::Unwatched,
                // Before the camera: one that floods must not keep the clock from being looked at.
                () = check.reached() => {
                    if self.idle_since.is_some_and(|since| since.elapsed() >= self.source.config.linger()) {
                        return End::Unwatched;
                    }
                    if let Some(failure) = self.late(upstream.interval(), meters) {
                        return End::Failed(failure);
                    }
                }
                item = upstream.next() => match item {
                    Ok(Item::Picture(picture)) => {
                        self.count_lost(upstream.lost_packets(), meters);
                        self.picture(picture, meters);
                    }
                    Ok(Item::Withheld) => {
                        self.count_lost(upstream.lost_packets(), meters);
                        self.last_picture = Some(clock::instant());
                        if let Some(failure) = self.without_key() {
                            return End::Failed(failure);
                        }
                    }
                    Ok(Item::Other) => {}
                    Err(failure) => return End::Failed(failure),
                },
            }
        }
    }

    /// Since when nobody watches.
    fn note_demand(&mut self) -> Option<Instant> {
        let watched = self.source.feed().viewers() > 0;
        self.idle_since = if watched { None } else { self.idle_since.or_else(|| Some(clock::instant())) };
        self.idle_since
    }

    /// When something has to be looked at if nothing arrives.
    fn next_check(&self, interval: Duration) -> Instant {
        let check = match (self.last_picture, self.state) {
            (None, _) => self.played + Duration::from_millis(self.source.config.first_frame_timeout_ms),
            (Some(last), State::Live) => last + self.delay_after(interval),
            (Some(last), _) => last + self.stall_after(interval),
        };
        self.idle_since.map_or(check, |since| check.min(since + self.source.config.linger()))
    }

    fn delay_after(&self, interval: Duration) -> Duration {
        (self.stall_after(interval) / 2).max(interval * 2)
    }

    fn stall_after(&self, interval: Duration) -> Duration {
        self.source.config.stall().max(interval * 5)
    }

    fn picture(&mut self, picture: Picture, meters: &mut SourceMeters) {
        let now = clock::instant();
        self.last_picture = Some(now);
        if picture.key {
            if let Some(before) = self.last_key.replace(now) {
                let interval = now - before;
                self.figures.key_interval_ms = u32::try_from(interval.as_millis()).ok();
                meters.key_interval(interval);
            } else {
                let first = self.start.elapsed();
                self.figures.first_frame_ms = u32::try_from(first.as_millis()).ok();
                meters.first_frame(first);
            }
        }
        let bytes = picture.payload.len();
        meters.picture(bytes);
        self.window_frames += 1;
        self.window_bytes += u64::try_from(bytes).unwrap_or(0);
        self.source.feed().push(picture);
        if self.state != State::Live {
            self.state = State::Live;
            meters.set_state(Some(State::Live));
            self.source.say(Status::new(State::Live, self.source.clock.now().0));
        }
        let window = now - self.window;
        if window >= FIGURES_EVERY || self.figures.fps == 0.0 {
            self.count_rates(now, window);
        }
    }

    fn count_rates(&mut self, now: Instant, window: Duration) {
        if window >= FIGURES_EVERY {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people needs three digits")]
            let (frames, bits) = (self.window_frames as f32, self.window_bytes as f32 * 8.0);
            self.figures.fps = frames / window.as_secs_f32();
            self.figures.kbps = bits / 1_000.0 / window.as_secs_f32();
            (self.window, self.window_frames, self.window_bytes) = (now, 0, 0);
        }
        self.source.feed().set_figures(self.figures);
    }

    fn count_lost(&mut self, lost_packets: u64, meters: &SourceMeters) {
        if lost_packets > self.lost_packets {
            meters.lost(lost_packets - self.lost_packets);
            self.lost_packets = lost_packets;
            self.figures.lost_packets = lost_packets;
        }
    }

    /// Pictures come, but none to start with.
    fn without_key(&self) -> Option<Failure> {
        let limit = Duration::from_millis(self.source.config.key_frame_timeout_ms);
        let since = self.last_key.unwrap_or(self.played);
        (self.last_key.is_none() && since.elapsed() > limit)
            .then(|| Failure::new(Cause::NoKeyFrame, format!("no key frame for {} s", limit.as_secs())))
    }

    /// Nothing came in time: first it is late, then it is lost.
    fn late(&mut self, interval: Duration, meters: &mut SourceMeters) -> Option<Failure> {
        let Some(last) = self.last_picture else {
            let limit = Duration::from_millis(self.source.config.first_frame_timeout_ms);
            return (self.played.elapsed() >= limit).then(|| {
                Failure::new(Cause::Stalled, format!("playing, but no picture for {} s", limit.as_secs()))
            });
        };
        let silent = last.elapsed();
        if silent >= self.stall_after(interval) {
            return Some(Failure::new(
                Cause::Stalled,
                format!("no picture for {:.1} s", silent.as_secs_f32()),
            ));
        }
        if self.state == State::Live && silent >= self.delay_after(interval) {
            self.state = State::Delayed;
            meters.set_state(Some(State::Delayed));
            let since_ms = self.source.clock.now().0 - i64::try_from(silent.as_millis()).unwrap_or(0);
            self.source.say(Status::new(State::Delayed, since_ms));
        }
        None
    }
}
