//! Streams in another form than the camera's, for pages that cannot play it: who needs which, and how many may run.
//!
//! What should not be here: the tasks that make them (`follower.rs`).

use super::feed::{Feed, Viewer, Wake};
use super::follower::Follower;
use super::frame::{Codec, Configuration};
use super::message::{Hello, Mode};
use super::meters;
use super::registry::{Entry, Profile};
use super::status::{Cause, Status};
use super::switchboard::{Key, Leaving, Rendition, Switchboard};
use crate::clock;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

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
    let follower = Follower::new(board, entry, key, feed).with_permit(permit);
    board.tasks.spawn(async move {
        follower.run().await;
        drop(leaving);
    });
}
