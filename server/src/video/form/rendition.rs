//! Streams in another form than the camera's, for pages that cannot play it: who needs which, and how many may run.
//!
//! What should not be here: the tasks that make them (`follower.rs`).

use super::follower::Follower;
use crate::video::meters;
use crate::video::origin::registry::Registered;
use crate::video::relay::feed::{Viewer, Wake};
use crate::video::relay::feeds::Held;
use crate::video::relay::frame::{Codec, Configuration};
use crate::video::relay::status::{Cause, Status};
use crate::video::relay::stream::{Key, Profile, Rendition};
use crate::video::switchboard::Switchboard;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// How a page plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    WebCodecs,
    Mse,
    Still,
}

/// The form in which a page that plays by `mode`, and perhaps `h265`, can show these pictures.
#[must_use]
pub fn needed(configuration: &Configuration, mode: Mode, h265: bool) -> Rendition {
    match (configuration.codec, mode) {
        (Codec::Jpeg, _) => Rendition::Source,
        (Codec::H264 | Codec::H265, Mode::Still) => Rendition::Stills,
        (Codec::H264, Mode::WebCodecs | Mode::Mse) => Rendition::Source,
        (Codec::H265, Mode::WebCodecs | Mode::Mse) if h265 => Rendition::Source,
        (Codec::H265, Mode::WebCodecs | Mode::Mse) => Rendition::H264,
    }
}

/// Whether another transcode may start.
#[must_use]
pub fn transcode_is_free(switchboard: &Switchboard) -> bool {
    cfg!(feature = "ffmpeg") && switchboard.transcodes.available_permits() > 0
}

/// Watches a stream in the given form, or as stills when the budget for it is used.
#[must_use]
pub fn watch(
    switchboard: &Arc<Switchboard>,
    camera: &Arc<Registered>,
    profile: Profile,
    wanted: Rendition,
    wake: Arc<Wake>,
    slot: u8,
) -> (Rendition, Viewer) {
    let (feeds, reader) = (&switchboard.feeds, switchboard.reader(wake, slot));
    let key = |rendition| Key { code: camera.camera.code.clone(), profile, rendition };
    if wanted == Rendition::H264 {
        let key = key(Rendition::H264);
        if let Some(viewer) = feeds.join(&key, &reader) {
            return (Rendition::H264, viewer);
        }
        if let Ok(permit) = Arc::clone(&switchboard.transcodes).try_acquire_owned() {
            let viewer = feeds.watch(key, reader, |held| start(switchboard, camera, held, Some(permit)));
            return (Rendition::H264, viewer);
        }
        meters::transcodes_denied();
    }
    let viewer = feeds.watch(key(Rendition::Stills), reader, |held| start(switchboard, camera, held, None));
    (Rendition::Stills, viewer)
}

fn start(
    switchboard: &Arc<Switchboard>,
    camera: &Arc<Registered>,
    held: Held,
    permit: Option<OwnedSemaphorePermit>,
) {
    if cfg!(not(feature = "ffmpeg")) {
        let reason = "this server was built without a decoder";
        held.feed().set_status(Status::caused(Cause::NoDecoder, reason, switchboard.clock.now().0));
        // Nobody can be helped by the feed: the next viewer gets a new one.
        return;
    }
    let follower = Follower::new(switchboard, camera, held).with_permit(permit);
    switchboard.tasks.spawn(follower.run());
}
