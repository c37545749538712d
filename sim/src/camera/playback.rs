//! A session's place in its pictures and sound: what comes next, and when.
//!
//! Nothing queues here: a loop is read where it stands, a live feed from its bounded ring. A viewer who fell
//! behind continues at a key frame.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, sleep_until};

use super::aac::{AudioTrack, FRAME_SAMPLES};
use super::clip::Clip;
use super::clock;
use super::live::LiveFeed;
use super::nal::AccessUnit;
use super::plan::{Pictures, Plan};

/// Further behind than this, a loop skips.
const LATE_MAX: Duration = Duration::from_secs(2);

/// The next thing to send.
pub enum Sample {
    Video { pts_90k: i64, unit: Arc<AccessUnit>, wall: SystemTime },
    Audio { timestamp: u64, frame: Bytes, wall: SystemTime },
}

/// The live encoder is gone.
#[derive(Debug, thiserror::Error)]
#[error("the live encoder stopped")]
pub struct Ended;

pub struct Playback {
    video: Video,
    audio: Option<Sound>,
    /// Times a late viewer was moved on to a key frame.
    pub skips: u64,
    /// Media time of the start, as RTP-Info tells it.
    pub start_90k: i64,
}

enum Video {
    Loop(Loop),
    Live(Live),
}

struct Loop {
    clip: Arc<Clip>,
    /// Next unit.
    index: usize,
    /// When this round of the loop began, and its first presentation time.
    started: Instant,
    started_90k: i64,
}

struct Live {
    feed: Arc<LiveFeed>,
    units: broadcast::Receiver<Arc<AccessUnit>>,
    wants: Wants,
}

/// What a live viewer waits for before he is served.
#[derive(PartialEq)]
enum Wants {
    Anything,
    Key,
    /// The unit after the next key frame: the late-key-frame fault.
    AfterKey,
}

struct Sound {
    track: Arc<AudioTrack>,
    started: Instant,
    /// Frames sent.
    count: u64,
}

impl Sound {
    fn due(&self) -> Instant {
        let samples = self.count * FRAME_SAMPLES as u64;
        self.started + Duration::from_micros(samples * 1_000_000 / u64::from(self.track.rate))
    }

    fn take(&mut self) -> Sample {
        let frame = self.track.frames[(self.count % self.track.frames.len() as u64) as usize].clone();
        let timestamp = self.count * FRAME_SAMPLES as u64;
        self.count += 1;
        Sample::Audio { timestamp, frame, wall: SystemTime::now() }
    }

    fn catch_up(&mut self) {
        let passed = self.started.elapsed().as_micros() as u64 * u64::from(self.track.rate) / 1_000_000;
        self.count = self.count.max(passed / FRAME_SAMPLES as u64);
    }
}

impl Loop {
    fn start(clip: Arc<Clip>, late_key: bool) -> Self {
        let keys: Vec<usize> =
            clip.units.iter().enumerate().filter(|(_, u)| u.1.key).map(|(n, _)| n).collect();
        let key = keys[rand::random_range(0..keys.len())];
        let index = if late_key { (key + 1) % clip.units.len() } else { key };
        let (offset, unit) = &clip.units[index];
        let (started, started_90k) = (Instant::now() - *offset, -unit.pts_90k);
        Self { clip, index, started, started_90k }
    }

    fn due(&self) -> Instant {
        self.started + self.clip.units[self.index].0
    }

    fn take(&mut self) -> Sample {
        let unit = Arc::clone(&self.clip.units[self.index].1);
        let pts_90k = self.started_90k + unit.pts_90k;
        self.index += 1;
        if self.index == self.clip.units.len() {
            self.index = 0;
            self.pass_rounds(1);
        }
        Sample::Video { pts_90k, unit, wall: SystemTime::now() }
    }

    fn pass_rounds(&mut self, rounds: u32) {
        self.started += self.clip.duration * rounds;
        self.started_90k += self.clip.duration.as_micros() as i64 * 9 / 100 * i64::from(rounds);
    }

    /// Moves on to the next key frame that is still to come.
    fn catch_up(&mut self) {
        let behind = self.started.elapsed();
        self.pass_rounds((behind.as_micros() / self.clip.duration.as_micros().max(1)) as u32);
        let now = self.started.elapsed();
        let next = self.clip.units.iter().position(|(at, unit)| unit.key && *at >= now);
        self.index = next.unwrap_or_else(|| {
            self.pass_rounds(1);
            0
        });
    }

    fn at_key(&self) -> bool {
        self.clip.units[self.index].1.key
    }
}

impl Live {
    async fn next(&mut self, skips: &mut u64) -> Result<Sample, Ended> {
        loop {
            let unit = match self.units.recv().await {
                Ok(unit) => unit,
                Err(RecvError::Lagged(_)) => {
                    *skips += 1;
                    self.wants = Wants::Key;
                    self.feed.want_key();
                    continue;
                }
                Err(RecvError::Closed) => return Err(Ended),
            };
            match self.wants {
                Wants::Key if !unit.key => continue,
                Wants::AfterKey => {
                    if unit.key {
                        self.wants = Wants::Anything;
                    }
                    continue;
                }
                Wants::Key | Wants::Anything => self.wants = Wants::Anything,
            }
            let wall = UNIX_EPOCH + Duration::from_micros(unit.pts_90k.max(0) as u64 * 100 / 9);
            return Ok(Sample::Video { pts_90k: unit.pts_90k, unit, wall });
        }
    }
}

impl Playback {
    /// Starts at a key frame, or right behind one when `late_key`.
    pub fn start(plan: &Plan, late_key: bool, with_audio: bool) -> Self {
        let video = match &plan.pictures {
            Pictures::Loop(clip) => Video::Loop(Loop::start(Arc::clone(clip), late_key)),
            Pictures::Live(feed) => {
                let units = feed.subscribe();
                feed.want_key();
                let wants = if late_key { Wants::AfterKey } else { Wants::Key };
                Video::Live(Live { feed: Arc::clone(feed), units, wants })
            }
        };
        let audio = plan.audio.clone().filter(|track| with_audio && !track.frames.is_empty());
        let audio = audio.map(|track| Sound { track, started: Instant::now(), count: 0 });
        let start_90k = match &video {
            Video::Loop(_) => 0,
            // A live camera's media time is the wall clock.
            Video::Live(_) => clock::unix_ms() as i64 * 90,
        };
        Self { video, audio, skips: 0, start_90k }
    }

    /// Waits until the next sample is due. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Sample, Ended> {
        let now = Instant::now();
        if let Some(audio) = self.audio.as_mut().filter(|audio| audio.due() + LATE_MAX < now) {
            audio.catch_up();
        }
        match &mut self.video {
            Video::Loop(video) => {
                if video.due() + LATE_MAX < now {
                    video.catch_up();
                    self.skips += 1;
                }
                match self.audio.as_mut().filter(|audio| audio.due() < video.due()) {
                    Some(audio) => {
                        sleep_until(audio.due()).await;
                        Ok(audio.take())
                    }
                    None => {
                        sleep_until(video.due()).await;
                        Ok(video.take())
                    }
                }
            }
            Video::Live(video) => match &mut self.audio {
                Some(audio) => tokio::select! {
                    () = sleep_until(audio.due()) => Ok(audio.take()),
                    sample = video.next(&mut self.skips) => sample,
                },
                None => video.next(&mut self.skips).await,
            },
        }
    }

    /// At a key frame of a loop, goes over to another loop without a break in time. Says whether it did.
    pub fn switch(&mut self, other: &Arc<Clip>) -> bool {
        match &mut self.video {
            Video::Loop(video) if video.at_key() => {
                let (due, unit) = (video.due(), &video.clip.units[video.index].1);
                let pts_90k = video.started_90k + unit.pts_90k;
                let started_90k = pts_90k - other.units[0].1.pts_90k;
                *video = Loop { clip: Arc::clone(other), index: 0, started: due, started_90k };
                true
            }
            Video::Loop(_) | Video::Live(_) => false,
        }
    }
}
