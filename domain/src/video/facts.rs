//! What a page's scripts know of one tile. They gather and pass on; nothing here has an opinion.
//!
//! What should be here: the facts as they travel from script to programme. What should not: what follows from them.

use serde::de::{Deserializer, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::stream::{Cause, State};

/// All that is known of a tile. Instants are on the clock of the server's machine (Unix milliseconds), which need not be
/// the hall's: a demonstration's hall may run faster.
///
/// A script passes them on when something has changed that matters to a person, not with each picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The server's clock when these facts were put together.
    pub now_ms: i64,
    /// What plays the pictures of this page.
    pub engine: Engine,
    /// When the engine is started again, where it does not run.
    pub engine_retry_ms: Option<i64>,
    /// When the camera was asked for: the first time, and again after each interruption of the way.
    pub asked_ms: i64,
    /// Since when the server has not been reached; none while it is.
    pub down_since_ms: Option<i64>,
    /// When the server is dialled next; none while it is being dialled.
    pub redial_ms: Option<i64>,
    /// The page shows as many cameras as it may.
    pub full: bool,
    /// Why the server did not take the tile, in its English words.
    pub refusal: Option<String>,
    /// The codec this browser cannot play.
    pub unplayable: Option<String>,
    /// What the server said last of the stream since the camera was asked for.
    pub says: Option<Says>,
    /// When the server had taken in the newest picture; kept when there is none any more.
    pub picture_ms: Option<i64>,
    /// The newest picture has been painted and stands, or would if the tile were in sight.
    pub painted: bool,
    /// The newest picture is older than the tile's `Rule` allows, while it should be playing.
    pub standing: bool,
    /// From the server's taking a picture in to its painting, the last time it was looked at.
    pub delay_ms: Option<u32>,
    /// Between the last two stills.
    pub still_every_ms: Option<u32>,
    /// Pictures a second that the server had for this tile, over the last seconds.
    pub sent_per_s: Option<u32>,
    /// Of them, those that were painted.
    pub painted_per_s: Option<u32>,
    /// Of them, those that the server left out because the page did not take them in time.
    pub held_back_per_s: Option<u32>,
}

/// What plays the pictures of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// It runs, or is about to.
    #[default]
    Running,
    /// Its script has not come: the server was not reached.
    Missing,
    /// It has ended, or never said that it was ready; another is started.
    Failed,
}

/// The server's word on a stream (`docs/video-protocol.md`). A newer server's words are left out, not misread.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Says {
    /// None for a word this programme does not know.
    #[serde(deserialize_with = "known")]
    pub state: Option<State>,
    pub since_ms: i64,
    pub retry_at_ms: Option<i64>,
    #[serde(deserialize_with = "known")]
    pub cause: Option<Cause>,
    /// English detail for whoever looks into it.
    pub reason: Option<String>,
}

/// A word of a closed set, or none where it is not of it.
fn known<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.and_then(|word| {
        let read: Result<T, D::Error> = T::deserialize(word.into_deserializer());
        read.ok()
    }))
}
