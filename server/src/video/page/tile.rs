//! One tile of a page: which stream it shows, switching between streams without a gap, and the messages it causes.

use super::media::Media;
use super::message::{Choice, Hello, ToPage};
use crate::access::Sight;
use crate::clock::{self, Instant};
use crate::live::socket::Framed;
use crate::video::config::Config;
use crate::video::form::rendition::{self, Mode};
use crate::video::meters;
use crate::video::origin::registry::Registered;
use crate::video::relay::feed::{Viewer, Wake};
use crate::video::relay::frame::{Configuration, Stamp};
use crate::video::relay::ring::Next;
use crate::video::relay::status::{Cause, State, Status};
use crate::video::relay::stream::{Key, Profile, Rendition};
use crate::video::switchboard::Switchboard;
use std::sync::Arc;
use std::time::Duration;

/// A stream that does not come up for this long is no longer waited for; the tile stays with the one it has.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(12);
/// A slideshow asks this often whether a transcode has become free.
const UPGRADE_EVERY: Duration = Duration::from_secs(5);

/// A tile that shows the other stream, because the camera has no session for the one it wants, asks again so often.
const WANTED_AGAIN_EVERY: Duration = Duration::from_secs(30);

/// What one tile shows and wants.
pub struct Tile {
    id: u16,
    slot: u8,
    code: String,
    camera: Option<Arc<Registered>>,
    /// Of the list of cameras it was last looked up in.
    revision: u64,
    choice: Choice,
    height: u16,
    paused: bool,
    shown: Option<Watched>,
    /// Being opened to take over from `shown` once it has a picture.
    coming: Option<Watched>,
    media: Media,
    said: Option<(Profile, Status)>,
}

/// One stream a tile watches.
struct Watched {
    profile: Profile,
    rendition: Rendition,
    viewer: Viewer,
    since: Instant,
}

/// What every tile of a page shares.
pub struct Page {
    pub switchboard: Arc<Switchboard>,
    pub wake: Arc<Wake>,
    pub hello: Hello,
    /// Whose page it is, and which cameras they may see.
    pub sight: Sight,
}

impl Page {
    /// The camera of this code, where the page may see it.
    fn camera(&self, code: &str) -> Option<Arc<Registered>> {
        let registry = self.switchboard.registry();
        registry.get(code).filter(|one| self.sight.admits(one.camera.area.as_ref())).cloned()
    }
}

/// A message for the page.
#[derive(Debug)]
pub enum Outgoing {
    Text(ToPage),
    /// Media: the pictures themselves are shared by all pages.
    Media(Framed),
}

impl Tile {
    /// Opens `code` in the tile; an unknown camera gives a tile that says so.
    #[must_use]
    pub fn open(page: &Page, id: u16, slot: u8, code: &str, choice: Choice, height: u16) -> Self {
        let revision = page.switchboard.revision();
        let mut tile = Self {
            id,
            slot,
            code: code.to_owned(),
            camera: page.camera(code),
            revision,
            choice,
            height,
            paused: false,
            shown: None,
            coming: None,
            media: Media::new(id),
            said: None,
        };
        tile.shown = tile.watched(page, tile.wanted(&page.switchboard.config, None));
        if let Some(line) = &tile.shown {
            // Only for who is waiting to retry now; a wish kept for later would cut short a pause not yet begun.
            line.viewer.feed().again.notify_waiters();
        }
        page.wake.ring(slot);
        tile
    }

    #[must_use]
    pub fn slot(&self) -> u8 {
        self.slot
    }

    /// The stream that fits the tile; `present` decides within the hysteresis.
    fn wanted(&self, config: &Config, present: Option<Profile>) -> Profile {
        let has_sub = self.camera.as_ref().is_some_and(|camera| camera.origin.has_sub());
        match self.choice {
            Choice::Main => Profile::Main,
            Choice::Sub | Choice::Auto if !has_sub => Profile::Main,
            Choice::Sub => Profile::Sub,
            Choice::Auto => fitting(config, self.height, present),
        }
    }

    fn watched(&self, page: &Page, profile: Profile) -> Option<Watched> {
        let camera = self.camera.as_ref()?;
        let viewer = page.switchboard.watch(camera, profile, Arc::clone(&page.wake), self.slot);
        Some(Watched { profile, rendition: Rendition::Source, viewer, since: clock::instant() })
    }

    /// Looks its camera up again where another list has been adopted: it may be gone, be back, or have another address.
    fn renew(&mut self, page: &Page) {
        if self.revision != page.switchboard.revision() {
            self.look_up(page);
        }
    }

    /// The camera as it is there for the page now: another list may have been adopted, or its area lie elsewhere.
    fn look_up(&mut self, page: &Page) {
        self.revision = page.switchboard.revision();
        let before = self.camera.take();
        self.camera = page.camera(&self.code);
        let origin = |camera: &Option<Arc<Registered>>| camera.as_ref().map(|camera| camera.origin.clone());
        if origin(&before) == origin(&self.camera) {
            return;
        }
        self.coming = None;
        let wanted = self.wanted(&page.switchboard.config, None);
        self.shown = if self.paused { None } else { self.watched(page, wanted) };
        page.wake.ring(self.slot);
    }

    /// The tile's size changed.
    pub fn resize(&mut self, page: &Page, height: u16) {
        self.height = height;
        let Some(shown) = &self.shown else { return };
        let present = self.coming.as_ref().map_or(shown.profile, |coming| coming.profile);
        let wanted = self.wanted(&page.switchboard.config, Some(present));
        if wanted == shown.profile {
            self.coming = None;
        } else if wanted != present {
            self.coming = self.watched(page, wanted);
        }
    }

    /// Stops watching while nobody looks; the last picture stays on the page.
    pub fn pause(&mut self) {
        self.paused = true;
        self.shown = None;
        self.coming = None;
    }

    /// Goes on with the newest group of pictures.
    pub fn resume(&mut self, page: &Page) {
        if !std::mem::take(&mut self.paused) {
            return;
        }
        let present = self.said.as_ref().map(|(profile, _)| *profile);
        self.shown = self.watched(page, self.wanted(&page.switchboard.config, present));
        page.wake.ring(self.slot);
    }

    /// The tile's next message, if there is one now.
    pub fn next(&mut self, page: &Page, now: Stamp) -> Option<Outgoing> {
        self.renew(page);
        if self.camera.is_none() {
            return self.gone(page, now.wall_us / 1_000);
        }
        if let Some(message) = self.switch(page, now.steady) {
            return Some(message);
        }
        let news = self.shown.as_mut()?.viewer.status_news();
        if news.as_ref().is_some_and(no_session_left) && self.make_do(page) {
            return None;
        }
        let shown = self.shown.as_mut()?;
        if let Some(mut status) = news {
            if status.state == State::KeyFrames && page.hello.mode != Mode::Still {
                status.cause = Some(Cause::TranscodeBudget);
                status.reason = Some("as many streams are transcoded as allowed".to_owned());
            }
            let news = (shown.profile, status);
            if self.said.as_ref() != Some(&news) {
                let (profile, status) = news.clone();
                self.said = Some(news);
                return Some(Outgoing::Text(ToPage::State { tile: self.id, profile, status }));
            }
        }
        match shown.viewer.next(now.steady) {
            Next::Configuration(configuration) => {
                match rendition::needed(&configuration, page.hello.mode, page.hello.h265) {
                    rendition if rendition == shown.rendition || shown.rendition != Rendition::Source => {
                        self.configure(page, &configuration)
                    }
                    rendition => {
                        self.change_rendition(page, rendition);
                        page.wake.ring(self.slot);
                        None
                    }
                }
            }
            Next::Frame { frame, catch_up, gap } => {
                let message = self.media.picture(page.hello.mode, &frame, catch_up, gap);
                Some(Outgoing::Media(message))
            }
            Next::Skipped(frames) => {
                meters::skipped(frames);
                Some(Outgoing::Text(ToPage::Dropped { tile: self.id, frames }))
            }
            Next::Wait => None,
        }
    }

    /// The camera has no session left for this stream, perhaps because we hold its only one ourselves for the other:
    /// shows that, if it plays.
    fn make_do(&mut self, page: &Page) -> bool {
        let (Some(camera), Some(shown)) = (&self.camera, &self.shown) else { return false };
        let other = shown.profile.other();
        let key = Key { code: camera.camera.code.clone(), profile: other, rendition: Rendition::Source };
        let plays = page.switchboard.feeds.find(&key).is_some_and(|feed| match feed.status().state {
            State::Live | State::Delayed => true,
            State::Connecting
            | State::Lost
            | State::Refused
            | State::Unsupported
            | State::KeyFrames
            | State::Gone => false,
        });
        if plays {
            self.shown = self.watched(page, other);
            page.wake.ring(self.slot);
        }
        plays
    }

    fn gone(&mut self, page: &Page, now_ms: i64) -> Option<Outgoing> {
        let reason = match &self.said {
            None => "no camera has this code",
            Some((_, said)) if said.state == State::Gone => return None,
            // Who has watched it knows that it is there.
            Some(_) if page.switchboard.registry().get(&self.code).is_some() => {
                "the camera no longer hangs where this account sees"
            }
            Some(_) => "the camera is no longer in the list",
        };
        let status = Status::caused(Cause::UnknownCamera, reason, now_ms);
        self.said = Some((Profile::Main, status.clone()));
        Some(Outgoing::Text(ToPage::State { tile: self.id, profile: Profile::Main, status }))
    }

    /// Moves to the coming stream as soon as it has a picture; gives it up when it does not come.
    fn switch(&mut self, page: &Page, now: Duration) -> Option<Outgoing> {
        let coming = self.coming.as_mut()?;
        let hopeless = match coming.viewer.feed().status().state {
            State::Refused | State::Unsupported | State::Gone => true,
            State::Connecting | State::Live | State::Delayed | State::Lost | State::KeyFrames => false,
        };
        if hopeless || coming.since.elapsed() > SWITCH_TIMEOUT {
            self.coming = None;
            return None;
        }
        let Next::Configuration(configuration) = coming.viewer.next(now) else { return None };
        let needed = rendition::needed(&configuration, page.hello.mode, page.hello.h265);
        if coming.rendition == Rendition::Source && needed != Rendition::Source {
            let (profile, since) = (coming.profile, coming.since);
            let line = self.rendition_watched(page, profile, needed);
            self.coming = line.map(|line| Watched { since, ..line });
            page.wake.ring(self.slot);
            return None;
        }
        self.shown = self.coming.take();
        page.wake.ring(self.slot);
        self.configure(page, &configuration)
    }

    fn change_rendition(&mut self, page: &Page, rendition: Rendition) {
        let Some(profile) = self.shown.as_ref().map(|line| line.profile) else { return };
        self.shown = self.rendition_watched(page, profile, rendition);
    }

    fn rendition_watched(&self, page: &Page, profile: Profile, rendition: Rendition) -> Option<Watched> {
        let camera = self.camera.as_ref()?;
        let (rendition, viewer) = rendition::watch(
            &page.switchboard,
            camera,
            profile,
            rendition,
            Arc::clone(&page.wake),
            self.slot,
        );
        Some(Watched { profile, rendition, viewer, since: clock::instant() })
    }

    /// To be called every second or so: closes what may be seen no more since areas lie elsewhere, gives up on streams that
    /// do not come, leaves a slideshow when it can.
    pub fn tick(&mut self, page: &Page) {
        self.look_up(page);
        if self.coming.as_ref().is_some_and(|coming| coming.since.elapsed() > SWITCH_TIMEOUT) {
            self.coming = None;
        }
        self.ask_again(page);
        let Some(shown) = &mut self.shown else { return };
        let slideshow = shown.rendition == Rendition::Stills && page.hello.mode != Mode::Still;
        if slideshow && self.coming.is_none() && shown.since.elapsed() > UPGRADE_EVERY {
            shown.since = clock::instant();
            let profile = shown.profile;
            if rendition::transcode_is_free(&page.switchboard) {
                self.coming = self
                    .rendition_watched(page, profile, Rendition::H264)
                    .filter(|line| line.rendition == Rendition::H264);
            }
        }
    }

    /// Tries for the wanted stream again while the tile makes do with the other.
    fn ask_again(&mut self, page: &Page) {
        let Some(shown) = &self.shown else { return };
        let present = shown.profile;
        if self.coming.is_some() || shown.since.elapsed() < WANTED_AGAIN_EVERY {
            return;
        }
        let wanted = self.wanted(&page.switchboard.config, Some(present));
        if wanted != present {
            self.coming = self.watched(page, wanted);
            if let Some(shown) = &mut self.shown {
                shown.since = clock::instant();
            }
        }
    }

    fn configure(&mut self, page: &Page, configuration: &Configuration) -> Option<Outgoing> {
        let message = self.media.configuration(page.hello.mode, configuration);
        if message.is_none() {
            // Stills need no configuration; there may be frames at once.
            page.wake.ring(self.slot);
        }
        message.map(Outgoing::Media)
    }
}

fn no_session_left(status: &Status) -> bool {
    matches!(status.cause, Some(Cause::SessionLimit | Cause::HostLimit))
}

/// The stream for a tile of `height` device pixels that shows `present`.
fn fitting(config: &Config, height: u16, present: Option<Profile>) -> Profile {
    let (limit, margin) = (u32::from(config.sub_height_max), u32::from(config.switch_hysteresis_percent));
    let sub_up_to = match present {
        None => limit,
        Some(Profile::Sub) => limit * (100 + margin) / 100,
        Some(Profile::Main) => limit * (100 - margin.min(100)) / 100,
    };
    if u32::from(height) <= sub_up_to { Profile::Sub } else { Profile::Main }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_keeps_its_stream_while_it_hovers_around_the_limit() {
        let config = Config::default();
        let fit = |height, present| fitting(&config, height, present);
        assert_eq!([fit(480, None), fit(481, None)], [Profile::Sub, Profile::Main]);
        assert_eq!(
            [fit(576, Some(Profile::Sub)), fit(577, Some(Profile::Sub))],
            [Profile::Sub, Profile::Main]
        );
        assert_eq!(
            [fit(385, Some(Profile::Main)), fit(384, Some(Profile::Main))],
            [Profile::Main, Profile::Sub]
        );
    }
}
