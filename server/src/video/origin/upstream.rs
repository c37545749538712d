//! The kinds of origin a camera's pictures can come from, behind one question: what comes next?
//!
//! A further kind is a variant of both enums here and a file beside `rtsp.rs`; what asks (`source.rs`) and what is given on
//! (`relay/`) know of none.

use super::dial::Admission;
use super::item::{Failure, Item};
use super::rtsp;
use crate::clock::Clock;
use crate::video::config::Config;
use crate::video::relay::stream::Profile;
use std::time::Duration;

/// Where a camera's pictures come from. Debug shows no address and no account.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The camera itself, or a recorder, asked over the network.
    Rtsp(rtsp::Channel),
}

impl Origin {
    /// Whether there is a smaller second stream.
    #[must_use]
    pub fn has_sub(&self) -> bool {
        self.host(Profile::Sub).is_some()
    }

    /// Who answers for a stream: what limits are counted by and what logs may show. None when there is no such stream.
    #[must_use]
    pub fn host(&self, profile: Profile) -> Option<String> {
        match self {
            Self::Rtsp(channel) => channel.endpoint(profile).map(super::address::Endpoint::host),
        }
    }

    /// Makes a stream play.
    pub async fn open(
        &self,
        profile: Profile,
        admission: &mut Admission,
        config: &Config,
        clock: &Clock,
    ) -> Result<Upstream, Failure> {
        match self {
            Self::Rtsp(channel) => {
                let playing = rtsp::Playing::open(channel, profile, admission, config, clock).await?;
                Ok(Upstream::Rtsp(Box::new(playing)))
            }
        }
    }
}

/// A stream that plays.
pub enum Upstream {
    Rtsp(Box<rtsp::Playing>),
}

impl Upstream {
    /// Waits for what comes next. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Result<Item, Failure> {
        match self {
            Self::Rtsp(playing) => playing.next().await,
        }
    }

    /// The usual time between two pictures.
    #[must_use]
    pub fn interval(&self) -> Duration {
        match self {
            Self::Rtsp(playing) => playing.interval(),
        }
    }

    /// Packets that were missed since it began to play.
    #[must_use]
    pub fn lost_packets(&self) -> u64 {
        match self {
            Self::Rtsp(playing) => playing.lost_packets(),
        }
    }
}
