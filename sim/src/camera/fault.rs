//! The faults a simulated camera can show, their names on the command line, and the set in force.
//!
//! What should be here: the closed list and its parsing. What should not: how a fault is acted out; that
//! is beside the thing it breaks (`session`, `playback`, `live`, `plan`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One way for a camera to misbehave. Several may be in force at once.
///
/// Faults of the *source* (`BFrames`, `Audio`, `LongGop`, `CraOnly`, `NoParameterSets`) show at the next
/// DESCRIBE; all others act at once, also on sessions that are already playing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Fault {
    /// PLAY starts right after a key frame: the viewer gets a whole group of deltas first.
    LateKeyFrame,
    /// The SDP carries no parameter sets; they come in band, before each key frame.
    NoParameterSets,
    /// Every four seconds the picture size, and so the parameter sets, changes mid-stream.
    ParameterChange,
    /// No more media, though RTSP requests are still answered.
    Stall,
    /// Neither reads nor writes any more, and sends no FIN. Lifting it closes those connections.
    HalfOpen,
    /// Every request that needs credentials gets 401, whatever it carries.
    RefuseCredentials,
    /// At most this many sessions on the camera; the next SETUP gets 453.
    SessionLimit(u16),
    /// RTP timestamps leap one minute ahead and back again, every four seconds.
    TimestampJump,
    /// Two B-frames between references: decode order differs from presentation order.
    BFrames,
    /// An AAC track beside the video.
    Audio,
    /// Key frames five seconds apart.
    LongGop,
    /// DESCRIBE is answered with bytes that are not RTSP.
    Garbage,
    /// RTP-Info names another SSRC than the one sent, and the one sent changes every four seconds.
    WrongSsrc,
    /// Answers drip out, one byte each 100 ms.
    SlowLoris,
    /// An access unit without a picture (SEI and filler) stands before each key frame.
    SeiOnly,
    /// H.265 whose random access points are all CRA pictures, never IDR.
    CraOnly,
    /// TEARDOWN gets no answer and no effect, and the session's slot stays taken for a while.
    TeardownIgnored,
    /// Bytes inside every third picture are wrong, key frames too.
    Damaged,
    /// Every picture's slice header is wrong: it looks like a picture, and no decoder makes one of it.
    Undecodable,
    /// The camera has no power: its connections are cut, new ones are closed without an answer.
    PoweredOff,
}

impl Fault {
    /// Every fault, for help texts and for tests that go through all of them.
    pub const ALL: [Self; 20] = [
        Self::LateKeyFrame,
        Self::NoParameterSets,
        Self::ParameterChange,
        Self::Stall,
        Self::HalfOpen,
        Self::RefuseCredentials,
        Self::SessionLimit(1),
        Self::TimestampJump,
        Self::BFrames,
        Self::Audio,
        Self::LongGop,
        Self::Garbage,
        Self::WrongSsrc,
        Self::SlowLoris,
        Self::SeiOnly,
        Self::CraOnly,
        Self::TeardownIgnored,
        Self::Damaged,
        Self::Undecodable,
        Self::PoweredOff,
    ];

    /// Name on the command line and the control port, without a parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LateKeyFrame => "late-key-frame",
            Self::NoParameterSets => "no-parameter-sets",
            Self::ParameterChange => "parameter-change",
            Self::Stall => "stall",
            Self::HalfOpen => "half-open",
            Self::RefuseCredentials => "refuse-credentials",
            Self::SessionLimit(_) => "session-limit",
            Self::TimestampJump => "timestamp-jump",
            Self::BFrames => "b-frames",
            Self::Audio => "audio",
            Self::LongGop => "long-gop",
            Self::Garbage => "garbage",
            Self::WrongSsrc => "wrong-ssrc",
            Self::SlowLoris => "slow-loris",
            Self::SeiOnly => "sei-only",
            Self::CraOnly => "cra-only",
            Self::TeardownIgnored => "teardown-ignored",
            Self::Damaged => "damaged",
            Self::Undecodable => "undecodable",
            Self::PoweredOff => "powered-off",
        }
    }

    const fn bit(self) -> u32 {
        1 << match self {
            Self::LateKeyFrame => 0,
            Self::NoParameterSets => 1,
            Self::ParameterChange => 2,
            Self::Stall => 3,
            Self::HalfOpen => 4,
            Self::RefuseCredentials => 5,
            Self::SessionLimit(_) => 6,
            Self::TimestampJump => 7,
            Self::BFrames => 8,
            Self::Audio => 9,
            Self::LongGop => 10,
            Self::Garbage => 11,
            Self::WrongSsrc => 12,
            Self::SlowLoris => 13,
            Self::SeiOnly => 14,
            Self::CraOnly => 15,
            Self::TeardownIgnored => 16,
            Self::PoweredOff => 17,
            Self::Damaged => 18,
            Self::Undecodable => 19,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Self::SessionLimit(limit) = self { write!(f, ":{limit}") } else { Ok(()) }
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}

/// A word that names no fault.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no fault; known are {known}", known = known_names())]
pub struct UnknownFault(String);

fn known_names() -> String {
    Fault::ALL.map(Fault::name).join(", ")
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, parameter) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
        let fault = Self::ALL.into_iter().find(|fault| fault.name() == name);
        match (fault, parameter) {
            (Some(Self::SessionLimit(_)), Some(limit)) => {
                limit.parse().map(Self::SessionLimit).map_err(|_| UnknownFault(text.to_owned()))
            }
            (Some(fault), None) => Ok(fault),
            (Some(_), Some(_)) | (None, _) => Err(UnknownFault(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Fault {
    type Error = UnknownFault;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The faults in force on one camera.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultSet {
    bits: u32,
    /// Sessions allowed while `SessionLimit` is in force.
    session_limit: u16,
}

impl FaultSet {
    pub fn set(&mut self, fault: Fault) {
        self.bits |= fault.bit();
        if let Fault::SessionLimit(limit) = fault {
            self.session_limit = limit;
        }
    }

    pub fn clear(&mut self, fault: Fault) {
        self.bits &= !fault.bit();
    }

    /// Whether the fault is in force; the parameter of `SessionLimit` is not compared.
    pub fn has(self, fault: Fault) -> bool {
        self.bits & fault.bit() != 0
    }

    /// Sessions allowed at once, when limited.
    pub fn session_limit(self) -> Option<u16> {
        self.has(Fault::SessionLimit(0)).then_some(self.session_limit)
    }

    pub fn list(self) -> Vec<Fault> {
        let in_force = Fault::ALL.into_iter().filter(|fault| self.has(*fault));
        in_force
            .map(|fault| {
                let limited = matches!(fault, Fault::SessionLimit(_));
                if limited { Fault::SessionLimit(self.session_limit) } else { fault }
            })
            .collect()
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        let mut set = Self::default();
        faults.into_iter().for_each(|fault| set.set(fault));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_back_from_its_own_words() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
            assert_eq!([fault].into_iter().collect::<FaultSet>().list(), [fault]);
        }
        assert_eq!("session-limit:7".parse::<Fault>().unwrap(), Fault::SessionLimit(7));
        for wrong in ["", "stal", "stall:3", "session-limit:x", "session-limit:70000"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn bits_do_not_collide() {
        let all: FaultSet = Fault::ALL.into_iter().collect();
        assert_eq!(all.list().len(), Fault::ALL.len());
        let mut none = all;
        Fault::ALL.into_iter().for_each(|fault| none.clear(fault));
        assert_eq!(none.list(), []);
    }
}
