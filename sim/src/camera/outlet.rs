//! Samples into the bytes of one session: its RTP streams, sender reports, and the faults of packets.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::clip::{Clip, ClipStore};
use super::fault::{Fault, FaultSet};
use super::live::CHANGE_EVERY;
use super::nal::no_picture;
use super::plan::{Pictures, Plan, other_loop};
use super::playback::{Playback, Sample};
use super::rtp::RtpStream;
use super::sdp::{self, AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE};
use super::simulator::Camera;
use super::spec::Profile;
use super::spoil;

/// Between two sender reports.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Leap of `TimestampJump`, seconds.
const JUMP_SECONDS: u32 = 60;

/// Which track of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    Video,
    Audio,
}

/// One track being sent.
struct Line {
    rtp: RtpStream,
    /// Ticks a second.
    rate: u32,
    /// RTP timestamp of media time zero.
    offset: u32,
    reported: Option<Instant>,
}

impl Line {
    fn new(channel: u8, payload_type: u8, rate: u32) -> Self {
        let rtp = RtpStream::new(channel, rand::random(), payload_type, rand::random());
        Self { rtp, rate, offset: rand::random(), reported: None }
    }

    fn report_if_due(&mut self, out: &mut Vec<u8>, wall: std::time::SystemTime, timestamp: u32) {
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            self.rtp.sender_report(out, wall, timestamp);
            self.reported = Some(Instant::now());
        }
    }
}

/// The outgoing side of one session.
#[derive(Default)]
pub struct Outlet {
    video: Option<Line>,
    audio: Option<Line>,
    /// Bytes of the sample at hand; kept to save allocations.
    out: Vec<u8>,
    /// Pictures sent.
    pictures: u64,
    /// When a fault that acts again and again last did.
    tricked: Option<Instant>,
    jumped: bool,
    /// The loops `ParameterChange` swaps: the next one first.
    change: Option<(Arc<Clip>, Arc<Clip>)>,
}

impl Outlet {
    /// Opens a track on the channel asked for, or the next free one. Gives channel and SSRC.
    pub fn set_up(&mut self, track: Track, wanted: Option<u8>, audio_rate: u32) -> (u8, u32) {
        let (place, channel, payload_type, rate) = match track {
            Track::Video => (&mut self.video, 0, VIDEO_PAYLOAD_TYPE, 90_000),
            Track::Audio => (&mut self.audio, 2, AUDIO_PAYLOAD_TYPE, audio_rate),
        };
        let line = place.insert(Line::new(wanted.unwrap_or(channel), payload_type, rate));
        (line.rtp.channel, line.rtp.ssrc)
    }

    pub fn has_audio(&self) -> bool {
        self.audio.is_some()
    }

    /// RTP-Info of the answer to PLAY: where each track starts.
    pub fn rtp_info(&self, url: &str, start_90k: i64, faults: FaultSet) -> String {
        let base = url.trim_end_matches('/');
        let tracks = [(&self.video, sdp::VIDEO_TRACK, start_90k), (&self.audio, sdp::AUDIO_TRACK, 0)];
        let infos = tracks.into_iter().filter_map(|(line, name, start)| {
            let line = line.as_ref()?;
            let time = line.offset.wrapping_add(start as u32);
            let wrong = faults.has(Fault::WrongSsrc).then(|| format!(";ssrc={:08X}", !line.rtp.ssrc));
            let wrong = wrong.unwrap_or_default();
            Some(format!("url={base}/{name};seq={};rtptime={time}{wrong}", line.rtp.sequence))
        });
        infos.collect::<Vec<_>>().join(",")
    }

    /// Makes the other loop ready for `ParameterChange`. A live camera changes by itself.
    pub async fn prepare_change(
        &mut self,
        camera: &Camera,
        profile: Profile,
        plan: &Plan,
        clips: &ClipStore,
    ) {
        let Pictures::Loop(this) = &plan.pictures else { return };
        if self.change.is_some() {
            return;
        }
        let key = other_loop(&camera.spec, profile, plan.parameters.codec, camera.faults());
        match clips.clip(&key).await {
            Ok(other) => self.change = Some((other, Arc::clone(this))),
            Err(error) => tracing::error!(error = %crate::chain(&error), "no second loop to change to"),
        }
    }

    /// The interleaved packets of one sample.
    pub fn packets(&mut self, sample: &Sample, faults: FaultSet, playback: &mut Playback) -> &[u8] {
        self.out.clear();
        match sample {
            Sample::Video { pts_90k, unit, wall } => {
                self.trick(faults, playback);
                let Some(line) = &mut self.video else { return &self.out };
                // Timestamps run modulo 2^32 by definition.
                let timestamp = line.offset.wrapping_add(*pts_90k as u32);
                line.report_if_due(&mut self.out, *wall, timestamp);
                let codec = unit.parameters.codec;
                if unit.key && faults.has(Fault::SeiOnly) {
                    let nals = no_picture(codec);
                    line.rtp.video(&mut self.out, codec, timestamp.wrapping_sub(900), nals.iter());
                }
                let sets = unit.parameters.nals().filter(|_| unit.key);
                self.pictures += 1;
                let spoiled = spoil::nals(unit, faults, self.pictures);
                line.rtp.video(&mut self.out, codec, timestamp, sets.chain(spoiled.as_ref()));
            }
            Sample::Audio { timestamp, frame, wall } => {
                let Some(line) = &mut self.audio else { return &self.out };
                let timestamp = line.offset.wrapping_add(*timestamp as u32);
                line.report_if_due(&mut self.out, *wall, timestamp);
                line.rtp.aac(&mut self.out, timestamp, frame);
            }
        }
        &self.out
    }

    /// Faults that act every few seconds, the first time so long after the start.
    fn trick(&mut self, faults: FaultSet, playback: &mut Playback) {
        let tricked = *self.tricked.get_or_insert_with(Instant::now);
        if tricked.elapsed() < CHANGE_EVERY {
            return;
        }
        let mut acted = false;
        if faults.has(Fault::TimestampJump) {
            self.jumped = !self.jumped;
            for line in [&mut self.video, &mut self.audio].into_iter().flatten() {
                let leap = JUMP_SECONDS * line.rate;
                line.offset =
                    if self.jumped { line.offset.wrapping_add(leap) } else { line.offset.wrapping_sub(leap) };
            }
            acted = true;
        }
        if faults.has(Fault::WrongSsrc) {
            for line in [&mut self.video, &mut self.audio].into_iter().flatten() {
                line.rtp.ssrc = rand::random();
            }
            acted = true;
        }
        if faults.has(Fault::ParameterChange)
            && let Some((next, after)) = self.change.take()
        {
            let switched = playback.switch(&next);
            self.change = Some(if switched { (after, next) } else { (next, after) });
            acted |= switched;
        }
        if acted {
            self.tricked = Some(Instant::now());
        }
    }
}
