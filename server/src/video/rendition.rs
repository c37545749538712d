//! Streams in another form than the camera's, for pages that cannot play it.

use super::feed::{Viewer, Wake};
use super::frame::{Codec, Configuration};
use super::message::{Hello, Mode};
use super::registry::{Entry, Profile};
use super::status::{Cause, Status};
use super::switchboard::{Key, Rendition, Switchboard};
use crate::clock;
use std::sync::Arc;

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
pub fn transcode_is_free(_board: &Switchboard) -> bool {
    false
}

/// Watches a stream in the given form, or in the next best one.
#[must_use]
pub fn watch(
    board: &Arc<Switchboard>,
    entry: &Arc<Entry>,
    profile: Profile,
    rendition: Rendition,
    wake: Arc<Wake>,
    slot: u8,
) -> (Rendition, Viewer) {
    let key = Key { code: entry.camera.code.clone(), profile, rendition };
    let viewer = board.open(key, wake, slot, |feed, _| {
        let reason = "this server was built without a decoder";
        feed.set_status(Status::caused(Cause::NoDecoder, reason, clock::now().0));
    });
    (rendition, viewer)
}
