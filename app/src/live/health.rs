//! What is said of the one connection: whether it is there, since when not, why not.
//!
//! What should be here: states that screens show. What should not: what brings them about (`live`).

use domain::drill::breaking::BreakingRows;
use domain::moment::UtcMillis;
use leptos::prelude::*;

use crate::words::{Language, say};

/// What can be said about the connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    /// The first connection is on its way.
    Connecting,
    /// It has not come for longer than anybody should wait without a word.
    Absent(Why),
    Live,
    /// Since when, on the hall's clock.
    Lost {
        since: UtcMillis,
    },
    /// The world this page is of was closed: what stands here stands since then.
    Gone {
        since: UtcMillis,
    },
    /// The server wants a sign-in.
    SignedOut,
}

/// Why there is no connection, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Unknown,
    /// The server was asked and did not answer.
    ServerAway,
    /// The server answers questions, but no socket opens to it: something between does not let it through.
    NoSocket,
    /// The server speaks otherwise than this page.
    OtherProtocol,
}

impl Why {
    /// What a screen says that never had a connection.
    pub fn words(self, language: Language) -> String {
        match self {
            Self::Unknown => say!(language, common.absent),
            Self::ServerAway => say!(language, common.server_away),
            Self::NoSocket => say!(language, common.no_socket),
            Self::OtherProtocol => say!(language, common.other_protocol),
        }
    }
}

/// The connection's health as screens show it.
#[derive(Clone, Copy)]
pub struct Health {
    pub link: RwSignal<Link>,
    /// How often the state here differed from the server's and was taken anew; none before they were first compared.
    pub divergences: RwSignal<Option<u32>>,
    /// Milliseconds since the server was last heard.
    pub age_ms: RwSignal<u32>,
    /// 0 normal; 1–3 positions are thinned out.
    pub degraded: RwSignal<u8>,
    /// In a drill, real cases of the first level.
    pub breaking: RwSignal<BreakingRows>,
}
