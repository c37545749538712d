//! Streams in another form than the camera's, for pages that cannot play it: who needs which, how many may run, and the
//! tasks that make them.

use super::feed::{Feed, Viewer, Wake};
#[cfg(feature = "ffmpeg")]
use super::frame::Frame;
use super::frame::{Codec, Configuration};
use super::message::{Hello, Mode};
use super::meters;
use super::registry::{Entry, Profile};
#[cfg(feature = "ffmpeg")]
use super::ring::{Next, Picture};
use super::status::{Cause, State, Status};
use super::switchboard::{Key, Leaving, Rendition, Switchboard};
use crate::clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
#[cfg(feature = "ffmpeg")]
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Frames waiting for a transcoder; when they do not fit it goes on at the next key frame.
#[cfg(feature = "ffmpeg")]
const TRANSCODER_QUEUE: usize = 32;

/// The form in which a page that said `hello` can show these pictures.
#[must_use]
pub fn needed(configuration: &Configuration, hello: Hello) -> Rendition {
    match (configuration.codec, hello.mode) {
        (Codec::Jpeg, _) => Rendition::Source,
        (Codec::H264 | Codec::H265, Mode::Still) => Rendition::Stills,
        (Codec::H264, Mode::WebCodecs | Mode::Mse) => Rendition::Source,
        (Codec::H265, Mode::WebCodecs | Mode::Mse) if hello.h265 => Rendition::Source,
        (Codec::H265, Mode::WebCodecs | Mode::Mse) => Rendition::H264,
    }
}

/// Whether another transcode may start.
#[must_use]
pub fn transcode_is_free(board: &Switchboard) -> bool {
    cfg!(feature = "ffmpeg") && board.transcodes.available_permits() > 0
}

/// Watches a stream in the given form, or as stills when the budget for it is used.
#[must_use]
pub fn watch(
    board: &Arc<Switchboard>,
    entry: &Arc<Entry>,
    profile: Profile,
    wanted: Rendition,
    wake: Arc<Wake>,
    slot: u8,
) -> (Rendition, Viewer) {
    let key = Key { code: entry.camera.code.clone(), profile, rendition: wanted };
    if wanted == Rendition::H264 {
        if let Some(viewer) = board.join(&key, &wake, slot) {
            return (Rendition::H264, viewer);
        }
        if let Ok(permit) = Arc::clone(&board.transcodes).try_acquire_owned() {
            let viewer =
                board.open(key, wake, slot, |feed, key| start(board, entry, key, feed, Some(permit)));
            return (Rendition::H264, viewer);
        }
        meters::transcodes_denied();
    }
    let key = Key { code: entry.camera.code.clone(), profile, rendition: Rendition::Stills };
    let viewer = board.open(key, wake, slot, |feed, key| start(board, entry, key, feed, None));
    (Rendition::Stills, viewer)
}

fn start(
    board: &Arc<Switchboard>,
    entry: &Arc<Entry>,
    key: Key,
    feed: Arc<Feed>,
    permit: Option<OwnedSemaphorePermit>,
) {
    let leaving = Leaving { board: Arc::clone(board), key: key.clone(), feed: Arc::clone(&feed) };
    if cfg!(not(feature = "ffmpeg")) {
        let reason = "this server was built without a decoder";
        feed.set_status(Status::caused(Cause::NoDecoder, reason, clock::now().0));
        // Nobody can be helped by the feed: the next viewer gets a new one.
        return;
    }
    let wake = Arc::<Wake>::default();
    let follower = Follower {
        upstream: board.watch(entry, key.profile, Arc::clone(&wake), 0),
        wake,
        retire: board.retire_when_unwatched(key.clone(), &feed),
        feed,
        board: Arc::clone(board),
        rendition: key.rendition,
        idle_until: None,
    };
    board.tasks.spawn(async move {
        match follower.rendition {
            Rendition::H264 => follower.transcode().await,
            Rendition::Stills | Rendition::Source => follower.stills().await,
        }
        drop((leaving, permit));
    });
}

/// A task that reads one feed and writes another.
struct Follower {
    board: Arc<Switchboard>,
    upstream: Viewer,
    wake: Arc<Wake>,
    feed: Arc<Feed>,
    retire: Box<dyn Fn() -> bool + Send + Sync>,
    rendition: Rendition,
    idle_until: Option<Instant>,
}

impl Follower {
    /// Waits for news from upstream; false when the task should end.
    async fn news(&mut self) -> bool {
        loop {
            let linger = Duration::from_millis(self.board.config.transcode_linger_ms);
            let idle_until =
                self.idle_until.unwrap_or_else(|| Instant::now() + linger + Duration::from_secs(1));
            tokio::select! {
                biased;
                () = self.board.closing.cancelled() => return false,
                () = self.feed.demand.notified() => {
                    let watched = self.feed.viewers() > 0;
                    self.idle_until = if watched { None } else { Some(Instant::now() + linger) };
                }
                () = sleep_until(idle_until), if self.idle_until.is_some() => {
                    if (self.retire)() {
                        return false;
                    }
                    self.idle_until = None;
                }
                () = self.wake.heard() => {
                    self.wake.take();
                    self.pass_status();
                    return true;
                }
            }
        }
    }

    /// What is true of the camera is true of its renditions; live pictures become key frames where only those are made.
    fn pass_status(&mut self) {
        let Some(mut status) = self.upstream.status_news() else { return };
        match status.state {
            State::Live | State::Delayed => {
                if self.rendition == Rendition::Stills {
                    status.state = State::KeyFrames;
                }
            }
            State::Connecting
            | State::Lost
            | State::Refused
            | State::Unsupported
            | State::KeyFrames
            | State::Gone => {
                self.feed.clear();
            }
        }
        self.feed.set_status(status);
    }
}

#[cfg(not(feature = "ffmpeg"))]
impl Follower {
    async fn transcode(mut self) {
        while self.news().await {}
    }

    async fn stills(mut self) {
        while self.news().await {}
    }
}

#[cfg(feature = "ffmpeg")]
impl Follower {
    /// Feeds a thread that decodes and encodes; ends it by ending the queue.
    async fn transcode(mut self) {
        meters::transcodes(1.0);
        let (frames, queue) = mpsc::channel::<Arc<Frame>>(TRANSCODER_QUEUE);
        let (feed, height_max) = (Arc::clone(&self.feed), u32::from(self.board.config.transcode_height_max));
        let worker = tokio::task::spawn_blocking(move || run_transcoder(queue, &feed, height_max));
        let mut needs_key = false;
        while self.news().await {
            loop {
                match self.upstream.next(clock::now_us()) {
                    Next::Frame { frame, .. } => {
                        needs_key = (needs_key && !frame.key) || frames.try_send(frame).is_err();
                    }
                    Next::Configuration(_) | Next::Skipped(_) => {}
                    Next::Wait => break,
                }
            }
            if frames.is_closed() {
                break;
            }
        }
        drop(frames);
        let _ended_or_panicked = worker.await;
        meters::transcodes(-1.0);
    }

    /// Makes a picture of the newest key frame, not more often than configured.
    async fn stills(mut self) {
        let between = Duration::from_millis(self.board.config.still_interval_ms);
        let width_max = u32::from(self.board.config.still_width_max);
        let configuration = Arc::new(Configuration {
            id: Configuration::next_id(),
            codec: Codec::Jpeg,
            codec_string: String::new(),
            width: self.board.config.still_width_max,
            height: 0,
            record: bytes::Bytes::new(),
            parameter_sets: bytes::Bytes::new(),
        });
        let mut last: Option<Instant> = None;
        while self.news().await {
            let mut newest = None;
            loop {
                match self.upstream.next(clock::now_us()) {
                    Next::Frame { frame, .. } if frame.key => newest = Some(frame),
                    Next::Frame { .. } | Next::Configuration(_) | Next::Skipped(_) => {}
                    Next::Wait => break,
                }
            }
            let Some(frame) = newest.filter(|_| last.is_none_or(|last| last.elapsed() >= between)) else {
                continue;
            };
            last = Some(Instant::now());
            let Ok(_place) = self.board.decoding.acquire().await else { return };
            let source = Arc::clone(&frame);
            let made = tokio::task::spawn_blocking(move || super::transcode::jpeg(&source, width_max)).await;
            match made {
                Ok(Ok(payload)) => self.feed.push(Picture {
                    configuration: Arc::clone(&configuration),
                    pts_us: frame.pts_us,
                    dts_us: frame.dts_us,
                    duration_us: frame.duration_us,
                    ingest_us: frame.ingest_us,
                    key: true,
                    discontinuity: false,
                    payload,
                }),
                Ok(Err(error)) => tracing::debug!(%error, "no still from a key frame"),
                Err(error) => tracing::error!(%error, "making a still panicked"),
            }
        }
    }
}

/// Decodes and encodes until the queue ends. A failure of the codec itself is said and ends it.
#[cfg(feature = "ffmpeg")]
fn run_transcoder(mut queue: mpsc::Receiver<Arc<Frame>>, feed: &Feed, height_max: u32) {
    use super::transcode::{CodecError, Transcoder};
    let mut transcoder: Option<(u64, Transcoder)> = None;
    let mut last_pts_us = None;
    while let Some(frame) = queue.blocking_recv() {
        let id = frame.configuration.id;
        let result: Result<Vec<_>, CodecError> = (|| {
            if transcoder.as_ref().is_none_or(|(known, _)| *known != id) {
                if !frame.key {
                    return Ok(Vec::new());
                }
                transcoder = Some((id, Transcoder::new(&frame.configuration, height_max)?));
                last_pts_us = None;
            }
            transcoder.as_mut().map_or(Ok(Vec::new()), |(_, transcoder)| transcoder.take(&frame))
        })();
        match result {
            Ok(coded) => {
                for coded in coded {
                    let step =
                        coded.pts_us - last_pts_us.replace(coded.pts_us).unwrap_or(coded.pts_us - 40_000);
                    feed.push(Picture {
                        configuration: coded.configuration,
                        pts_us: coded.pts_us,
                        dts_us: coded.pts_us,
                        duration_us: u32::try_from(step.clamp(1_000, 10_000_000)).unwrap_or(40_000),
                        ingest_us: coded.ingest_us,
                        key: coded.key,
                        discontinuity: false,
                        payload: coded.payload,
                    });
                }
            }
            Err(error) => {
                tracing::warn!(error = crate::problem::chain(&error), "transcoding ended");
                feed.set_status(Status::caused(Cause::NoDecoder, error.to_string(), clock::now().0));
                return;
            }
        }
    }
}
