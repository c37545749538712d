//! H.265 into H.264 on a thread of its own; when the codec fails, or makes no picture, it is started anew.

use super::Follower;
use crate::clock::{self, Instant};
use crate::video::form::thread::{self, Outcome};
use crate::video::form::transcode::{CodecError, Transcoder};
use crate::video::meters;
use crate::video::origin::backoff;
use crate::video::relay::feed::{Feed, Wake};
use crate::video::relay::frame::Frame;
use crate::video::relay::ring::{Next, Picture};
use crate::video::relay::status::{Cause, Status};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Frames waiting for a transcoder; when they do not fit it goes on at the next key frame.
const QUEUE: usize = 32;
/// The slot of the follower's wake that the thread rings; the camera's feed rings slot 0.
const MADE: u8 = 1;

/// What runs on the thread. An argument, so that a test can put a codec there that fails.
pub(super) type Run = fn(mpsc::Receiver<Arc<Frame>>, &Output, u32) -> Result<(), CodecError>;

/// Where a thread puts its pictures.
pub(super) struct Output {
    feed: Arc<Feed>,
    wake: Arc<Wake>,
    made: AtomicU64,
}

impl Output {
    pub fn push(&self, picture: Picture) {
        self.feed.push(picture);
        self.made.fetch_add(1, Ordering::AcqRel);
        self.wake.ring(MADE);
    }
}

/// Why a transcode ended early, and its thread if that has not ended.
struct Failure {
    cause: Cause,
    reason: String,
    thread: Option<Outcome<Result<(), CodecError>>>,
}

impl Failure {
    fn of(ended: Result<Result<(), CodecError>, tokio::sync::oneshot::error::RecvError>) -> Self {
        let (cause, reason) = match ended {
            Ok(Ok(())) => (Cause::Undecodable, "the transcoder ended".to_owned()),
            Ok(Err(error @ CodecError::Missing(_))) => (Cause::NoDecoder, error.to_string()),
            Ok(Err(error)) => (Cause::Undecodable, crate::cause::chain(&error)),
            Err(_) => (Cause::Undecodable, "the transcoder panicked".to_owned()),
        };
        Self { cause, reason, thread: None }
    }
}

impl Follower {
    /// Transcodes until nobody watches; after a failure again, with a growing pause.
    pub(super) async fn transcode(mut self, run: Run) {
        let mut failures = 0u32;
        loop {
            let start = clock::instant();
            meters::transcodes(1.0);
            let ended = self.transcode_once(run).await;
            meters::transcodes(-1.0);
            let Err(failure) = ended else { return };
            if start.elapsed() >= Duration::from_millis(self.switchboard.config.retry_reset_ms) {
                failures = 0;
            }
            failures = failures.saturating_add(1);
            if !self.wait_to_retry(failure, failures).await {
                return;
            }
            self.watch_again();
        }
    }

    /// Feeds a thread that decodes and encodes. Ends well when nobody watches any more.
    async fn transcode_once(&mut self, run: Run) -> Result<(), Failure> {
        let (frames, queue) = mpsc::channel::<Arc<Frame>>(QUEUE);
        let output = Arc::new(Output {
            feed: Arc::clone(self.held.feed()),
            wake: Arc::clone(&self.wake),
            made: AtomicU64::new(0),
        });
        let (to, height_max) = (Arc::clone(&output), u32::from(self.switchboard.config.transcode_height_max));
        let mut thread = thread::run("transcode", move || run(queue, &to, height_max));
        let (mut made, mut needs_key) = (0, false);
        // Frames went in and no picture has come out since.
        let mut unanswered: Option<Instant> = None;
        loop {
            let by = unanswered.map(|since| since + self.patience());
            let news = tokio::select! {
                biased;
                ended = &mut thread => return Err(Failure::of(ended)),
                news = self.news() => Some(news),
                () = by.unwrap_or_else(clock::instant).reached(), if by.is_some() => None,
            };
            let now_made = output.made.load(Ordering::Acquire);
            if now_made != made {
                (made, unanswered) = (now_made, None);
                self.succeed();
            }
            match news {
                Some(true) => {}
                Some(false) => break,
                None if unanswered.is_some() => {
                    let seconds = self.patience().as_secs_f32();
                    let reason = format!("no picture could be decoded for {seconds:.0} s");
                    return Err(Failure { cause: Cause::Undecodable, reason, thread: Some(thread) });
                }
                None => {}
            }
            while let Some(frame) = self.next_frame() {
                if needs_key && !frame.key {
                    continue;
                }
                needs_key = frames.try_send(frame).is_err();
                unanswered.get_or_insert_with(clock::instant);
            }
        }
        drop(frames);
        let _ended_or_panicked = thread.await;
        Ok(())
    }

    fn next_frame(&mut self) -> Option<Arc<Frame>> {
        loop {
            match self.upstream.next(self.switchboard.clock.monotonic()) {
                Next::Frame { frame, .. } => return Some(frame),
                Next::Configuration(_) | Next::Skipped(_) => {}
                Next::Wait => return None,
            }
        }
    }

    /// Whether there is a place for another codec, which this one then has.
    fn takes_place(&mut self) -> bool {
        self.permit = Arc::clone(&self.switchboard.transcodes).try_acquire_owned().ok();
        self.permit.is_some()
    }

    /// How long frames may go in without a picture: a damaged key frame costs all until the next one.
    fn patience(&self) -> Duration {
        let key_interval = self.upstream.feed().figures().key_interval_ms.unwrap_or(0);
        let shortest = Duration::from_millis(self.switchboard.config.undecodable_ms);
        shortest.max(Duration::from_millis(u64::from(key_interval) * 3 / 2))
    }

    /// Says why, and waits for the time of the next attempt; false when there should be none. Meanwhile the place goes
    /// to a camera whose pictures can be decoded.
    async fn wait_to_retry(&mut self, failure: Failure, failures: u32) -> bool {
        meters::transcode_failed();
        let jitter = rand::random_range(-1.0..=1.0);
        let watched = self.held.feed().viewers() > 0;
        let pause = backoff::pause(&self.switchboard.config, failures, failure.cause, watched, jitter);
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            camera = %self.held.key().code, profile = self.held.key().profile.name(), cause = ?failure.cause,
            reason = %failure.reason, pause_ms, failures, "transcode failed"
        );
        let now_ms = self.switchboard.clock.now().0;
        let mut status = Status::caused(failure.cause, failure.reason, now_ms);
        status.retry_at_ms = Some(now_ms.saturating_add_unsigned(pause_ms));
        self.fail(status.clone());
        let mut until = clock::instant() + pause;
        // A codec that never returns keeps its thread and its place; it gets no second one.
        let mut thread = failure.thread;
        loop {
            if thread.is_none() {
                self.permit = None;
            }
            tokio::select! {
                biased;
                news = self.news() => if !news { return false },
                () = ended(&mut thread), if thread.is_some() => thread = None,
                () = until.reached() => {
                    if thread.is_none() && self.takes_place() {
                        break;
                    }
                    until = clock::instant() + pause;
                    status.retry_at_ms = Some(self.switchboard.clock.now().0.saturating_add_unsigned(pause_ms));
                    if self.failure.is_some() {
                        self.fail(status.clone());
                    }
                }
            }
        }
        if self.failure.is_some() {
            status.retry_at_ms = None;
            self.fail(status);
        }
        true
    }
}

async fn ended(thread: &mut Option<Outcome<Result<(), CodecError>>>) {
    if let Some(thread) = thread {
        let _why_it_failed_is_said = thread.await;
    }
}

/// Decodes and encodes until the queue ends, or the codec itself fails; a damaged picture costs itself.
pub(super) fn run(
    mut queue: mpsc::Receiver<Arc<Frame>>,
    output: &Output,
    height_max: u32,
) -> Result<(), CodecError> {
    let mut transcoder: Option<(u64, Transcoder)> = None;
    let mut last_pts_us = None;
    while let Some(frame) = queue.blocking_recv() {
        let id = frame.configuration.id;
        if transcoder.as_ref().is_none_or(|(known, _)| *known != id) {
            if !frame.key {
                continue;
            }
            transcoder = Some((id, Transcoder::new(&frame.configuration, height_max)?));
            last_pts_us = None;
        }
        let Some((_, transcoder)) = &mut transcoder else { continue };
        for coded in transcoder.take(&frame)? {
            let step = coded.pts_us - last_pts_us.replace(coded.pts_us).unwrap_or(coded.pts_us - 40_000);
            output.push(Picture {
                configuration: coded.configuration,
                pts_us: coded.pts_us,
                dts_us: coded.pts_us,
                duration_us: u32::try_from(step.clamp(1_000, 10_000_000)).unwrap_or(40_000),
                arrived: coded.arrived,
                key: coded.key,
                discontinuity: false,
                payload: coded.payload,
            });
        }
    }
    Ok(())
}
