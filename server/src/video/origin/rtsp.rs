//! One RTSP session through the retina library: dial, choose the video, play, and hand out pictures.
//!
//! What should not be here: when to dial and what to do about failures (`source.rs`).

use super::address::{Credentials, Endpoint};
use super::dial::Admission;
use super::item::{Failure, Item};
use crate::clock::{self, Clock, Instant};
use crate::video::config::Config;
use crate::video::relay::frame::{Codec, Configuration, Stamp};
use crate::video::relay::nal::{self, Unit};
use crate::video::relay::ring::Picture;
use crate::video::relay::status::Cause;
use crate::video::relay::stream::Profile;
use crate::video::relay::timeline::Timeline;
use bytes::Bytes;
use futures_util::StreamExt;
use retina::client::{
    Demuxed, InitialTimestampPolicy, PlayOptions, Session, SessionIdPolicy, SessionOptions, SetupOptions,
    TeardownPolicy, Transport, UnassignedChannelDataPolicy,
};
use retina::codec::{
    CodecItem, FrameFormat, ParametersRef, VideoFrame, VideoParameters, VideoParametersCodec,
};
use std::sync::Arc;
use std::time::Duration;

/// One camera, or one channel of a recorder, with its two streams.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    pub main: Endpoint,
    pub sub: Option<Endpoint>,
    pub quirks: Quirks,
}

impl Channel {
    #[must_use]
    pub fn endpoint(&self, profile: Profile) -> Option<&Endpoint> {
        match profile {
            Profile::Main => Some(&self.main),
            Profile::Sub => self.sub.as_ref(),
        }
    }
}

/// Deviations from the protocol that this camera needs to be forgiven.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quirks {
    pub session_id: SessionIdPolicy,
    pub initial_timestamp: InitialTimestampPolicy,
    pub teardown: TeardownPolicy,
}

/// By their names, because the library's policies cannot be compared.
impl PartialEq for Quirks {
    fn eq(&self, other: &Self) -> bool {
        let names = |quirks: &Self| {
            [quirks.session_id.to_string(), quirks.initial_timestamp.to_string(), quirks.teardown.to_string()]
        };
        names(self) == names(other)
    }
}

fn from_library(endpoint: &Endpoint, doing: &str, error: &retina::Error) -> Failure {
    let said = endpoint.scrub(&error.to_string());
    let cause = match error.status_code() {
        Some(401 | 403) => Cause::Credentials,
        Some(404 | 410) => Cause::NotFound,
        Some(453 | 503) => Cause::SessionLimit,
        Some(415 | 461) => Cause::Codec,
        _ if said.contains("Connection refused") => Cause::ConnectionRefused,
        _ if said.starts_with("Unable to connect") => Cause::NoAnswer,
        // The library asks for an account with an error of its own when it has none.
        _ if said.contains("credentials") || said.contains("uthentication") => Cause::Credentials,
        _ if said.contains("EOF") || said.contains("eset by peer") || said.contains("roken pipe") => {
            Cause::Closed
        }
        _ => Cause::Protocol,
    };
    Failure::new(cause, format!("{doing}: {said}"))
}

/// A playing session.
pub struct Playing {
    clock: Clock,
    demuxed: Demuxed,
    stream: usize,
    codec: Codec,
    endpoint: Endpoint,
    timeline: Timeline,
    configuration: Option<Arc<Configuration>>,
    /// Deltas are withheld until a key frame.
    needs_key: bool,
    /// Something is missing before the next picture. Stays set after an H.265 key frame until an ordinary picture: the
    /// leading pictures of a CRA that decoding begins at refer to what nobody has.
    lost: bool,
    lost_packets: u64,
}

impl Playing {
    /// Dials one stream of a camera and plays its video.
    pub async fn open(
        channel: &Channel,
        profile: Profile,
        admission: &mut Admission,
        config: &Config,
        clock: &Clock,
    ) -> Result<Self, Failure> {
        let quirks = &channel.quirks;
        let no_such = || Failure::new(Cause::NotFound, "the camera has no sub stream");
        let endpoint = channel.endpoint(profile).ok_or_else(no_such)?;
        let start = clock::instant();
        let options = SessionOptions::default()
            .creds(endpoint.credentials().map(Credentials::reveal))
            .user_agent(format!("gridhall/{}", env!("CARGO_PKG_VERSION")))
            .session_group(Arc::clone(&admission.host.group))
            .teardown(quirks.teardown)
            .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore)
            .session_id(quirks.session_id);
        let describe_by = start + Duration::from_millis(config.describe_timeout_ms);
        let play_by = start + Duration::from_millis(config.play_timeout_ms).max(describe_by - start);
        let late = |doing: &str| Failure::new(Cause::NoAnswer, format!("{doing}: no answer in time"));
        let failed = |doing: &'static str| move |error: retina::Error| from_library(endpoint, doing, &error);

        let mut session = clock::by(describe_by, Session::describe(endpoint.reveal_url(), options))
            .await
            .ok_or_else(|| late("describe"))?
            .map_err(failed("describe"))?;
        let (stream, codec) = choose(&session)?;
        let setup = SetupOptions::default().transport(Transport::default()).frame_format(FrameFormat::MP4);
        clock::by(play_by, session.setup(stream, setup))
            .await
            .ok_or_else(|| late("setup"))?
            .map_err(failed("setup"))?;
        let play = PlayOptions::default().initial_timestamp(quirks.initial_timestamp);
        let demuxed = clock::by(play_by, session.play(play))
            .await
            .ok_or_else(|| late("play"))?
            .and_then(Session::demuxed)
            .map_err(failed("play"))?;
        admission.dial = None;
        Ok(Self {
            clock: clock.clone(),
            demuxed,
            stream,
            codec,
            endpoint: endpoint.clone(),
            timeline: Timeline::default(),
            configuration: None,
            needs_key: true,
            lost: true,
            lost_packets: 0,
        })
    }

    /// The usual time between two pictures.
    pub fn interval(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.timeline.interval_us()).unwrap_or(40_000))
    }

    pub fn lost_packets(&self) -> u64 {
        self.lost_packets
    }

    /// Waits for what comes next. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Result<Item, Failure> {
        match self.demuxed.next().await {
            Some(Ok(CodecItem::VideoFrame(frame))) => self.take(frame),
            Some(Ok(_)) => Ok(Item::Other),
            Some(Err(error)) => Err(from_library(&self.endpoint, "receive", &error)),
            None => Err(Failure::new(Cause::Closed, "the camera ended the session")),
        }
    }

    fn take(&mut self, frame: VideoFrame) -> Result<Item, Failure> {
        self.lost_packets += u64::from(frame.loss());
        self.learn_parameters(frame.has_new_parameters())?;
        let arrived = Stamp::of(&self.clock).before(Instant::from(frame.end_ctx().received()).elapsed());
        let unit = nal::classify(self.codec, frame.data());
        if frame.loss() > 0 || unit == Unit::Damaged {
            self.needs_key = true;
            self.lost = true;
        }
        let after_loss = self.needs_key;
        let key = match unit {
            Unit::Key => true,
            Unit::Delta if !after_loss => false,
            // Leading pictures of the CRA picture decoding began at.
            Unit::Skipped if !after_loss && !self.lost => false,
            Unit::Delta | Unit::Skipped | Unit::Damaged => return Ok(Item::Withheld),
            Unit::Empty => return Ok(Item::Other),
        };
        let Some(configuration) = self.configuration.clone() else { return Ok(Item::Withheld) };
        let camera_us = to_us(frame.timestamp());
        let times =
            self.timeline.next(camera_us, i64::try_from(arrived.steady.as_micros()).unwrap_or(i64::MAX));
        if times.jumped {
            tracing::info!(host = %self.endpoint.host(), "camera clock jumped");
        }
        let discontinuity = key && self.lost;
        // After a CRA its leading pictures stay unusable until the next ordinary picture.
        self.lost = key && self.lost && self.codec == Codec::H265;
        self.needs_key = false;
        Ok(Item::Picture(Picture {
            configuration,
            pts_us: times.pts_us,
            dts_us: times.dts_us,
            duration_us: times.duration_us,
            arrived,
            key,
            discontinuity,
            payload: Bytes::from(frame.into_data()),
        }))
    }

    fn learn_parameters(&mut self, new: bool) -> Result<(), Failure> {
        if !new && self.configuration.is_some() {
            return Ok(());
        }
        let Some(ParametersRef::Video(parameters)) = self.demuxed.streams()[self.stream].parameters() else {
            return Ok(());
        };
        let configuration = configuration(self.codec, parameters)
            .ok_or_else(|| Failure::new(Cause::Codec, "the picture is larger than 65,535 pixels"))?;
        let same = self.configuration.as_ref().is_some_and(|known| {
            known.record == configuration.record
                && (known.width, known.height) == (configuration.width, configuration.height)
        });
        if !same {
            // Times go on across the change; only the decoder starts anew.
            self.needs_key = true;
            self.configuration = Some(Arc::new(configuration));
        }
        Ok(())
    }
}

fn choose<S: retina::client::State>(session: &Session<S>) -> Result<(usize, Codec), Failure> {
    let mut other = None;
    for (index, stream) in session.streams().iter().enumerate().filter(|(_, s)| s.media() == "video") {
        match stream.encoding_name() {
            "h264" => return Ok((index, Codec::H264)),
            "h265" => return Ok((index, Codec::H265)),
            "jpeg" => return Ok((index, Codec::Jpeg)),
            name => {
                other = Some(name.chars().filter(char::is_ascii_alphanumeric).take(16).collect::<String>())
            }
        }
    }
    Err(match other {
        Some(name) => {
            Failure::new(Cause::Codec, format!("the camera sends {name}; expected h264, h265 or jpeg"))
        }
        None => Failure::new(Cause::NoVideo, "the camera offers no video"),
    })
}

fn configuration(codec: Codec, parameters: &VideoParameters) -> Option<Configuration> {
    let (width, height) = parameters.pixel_dimensions();
    let mut parameter_sets = Vec::new();
    let mut set = |nal: &[u8]| {
        parameter_sets.extend_from_slice(&[0, 0, 0, 1]);
        parameter_sets.extend_from_slice(nal);
    };
    // JPEG, and whatever a later version of the library adds, has none.
    if let VideoParametersCodec::H264 { sps, pps } = parameters.codec_params() {
        [sps, pps].into_iter().for_each(|nal| set(nal));
    } else if let VideoParametersCodec::H265 { vps, sps, pps } = parameters.codec_params() {
        [vps, sps, pps].into_iter().for_each(|nal| set(nal));
    }
    Some(Configuration {
        id: Configuration::next_id(),
        codec,
        codec_string: match codec {
            Codec::H264 | Codec::H265 => parameters.rfc6381_codec().to_owned(),
            Codec::Jpeg => String::new(),
        },
        width: u16::try_from(width).ok()?,
        height: u16::try_from(height).ok()?,
        record: match codec {
            Codec::H264 | Codec::H265 => Bytes::copy_from_slice(parameters.extra_data()),
            Codec::Jpeg => Bytes::new(),
        },
        parameter_sets: parameter_sets.into(),
    })
}

fn to_us(timestamp: retina::Timestamp) -> i64 {
    let scaled = i128::from(timestamp.elapsed()) * 1_000_000 / i128::from(timestamp.clock_rate().get());
    i64::try_from(scaled).unwrap_or(0)
}
