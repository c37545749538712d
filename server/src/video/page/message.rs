//! The control messages of the video socket as JSON; `docs/video-protocol.md` is the contract.

use crate::video::form::rendition::Mode;
use crate::video::relay::status::Status;
use crate::video::relay::stream::Profile;
use serde::{Deserialize, Serialize};

pub const VERSION: u32 = 1;
/// Longest control message accepted, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// What a page may say.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FromPage {
    Hello(Hello),
    Open(Open),
    Resize { tile: u16, height: u16 },
    Pause { tile: u16 },
    Resume { tile: u16 },
    Close { tile: u16 },
    Stats { tile: u16, painted: u32, dropped: u32, latency_p50_ms: f32, latency_p95_ms: f32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    pub version: u32,
    pub mode: Mode,
    pub h265: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    pub tile: u16,
    pub camera: String,
    pub profile: Choice,
    pub height: u16,
}

/// Which stream a tile asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Auto,
    Main,
    Sub,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToPage {
    Welcome {
        version: u32,
        server_time_us: i64,
    },
    State {
        tile: u16,
        profile: Profile,
        #[serde(flatten)]
        status: Status,
    },
    Dropped {
        tile: u16,
        frames: u32,
    },
    Error {
        tile: Option<u16>,
        code: ErrorCode,
        message: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a message of the protocol.
    BadMessage,
    /// The first message has to be a hello.
    HelloFirst,
    /// A protocol version this server does not speak.
    Version,
    TooManyTiles,
    TooManyMessages,
    UnknownTile,
}

impl ToPage {
    /// The message as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("these messages hold nothing JSON cannot say")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::relay::status::{Cause, State};

    #[test]
    fn messages_read_as_the_protocol_page_writes_them() {
        let cases = [
            (
                r#"{"hello":{"version":1,"mode":"webcodecs","h265":false}}"#,
                FromPage::Hello(Hello { version: 1, mode: Mode::WebCodecs, h265: false }),
            ),
            (
                r#"{"open":{"tile":3,"camera":"PD-1","profile":"auto","height":360}}"#,
                FromPage::Open(Open { tile: 3, camera: "PD-1".into(), profile: Choice::Auto, height: 360 }),
            ),
            (r#"{"resize":{"tile":3,"height":720}}"#, FromPage::Resize { tile: 3, height: 720 }),
            (r#"{"pause":{"tile":3}}"#, FromPage::Pause { tile: 3 }),
        ];
        for (text, expected) in cases {
            assert_eq!(serde_json::from_str::<FromPage>(text).unwrap(), expected);
        }
        for bad in [
            r#"{"hello":{"version":1,"mode":"flash","h265":false}}"#,
            r#"{"pause":{"tile":3,"for":1}}"#,
            r#"{"pause":{"tile":70000}}"#,
            r#"{"dance":{}}"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<FromPage>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_state_is_one_flat_object() {
        let mut status = Status::caused(Cause::Stalled, "no picture for 2.0 s", 5);
        status.retry_at_ms = Some(9);
        let message = ToPage::State { tile: 1, profile: Profile::Sub, status };
        assert_eq!(
            message.to_json(),
            r#"{"state":{"tile":1,"profile":"sub","state":"lost","since_ms":5,"retry_at_ms":9,"cause":"stalled","reason":"no picture for 2.0 s"}}"#
        );
        let live =
            ToPage::State { tile: 1, profile: Profile::Main, status: Status::new(State::KeyFrames, 5) };
        assert!(
            live.to_json().contains(r#""state":"key_frames","since_ms":5,"retry_at_ms":null,"cause":null"#)
        );
    }
}
