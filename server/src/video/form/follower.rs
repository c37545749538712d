//! The task behind a rendition: reads a camera's feed, makes other pictures of it, and says how that goes.
//!
//! What should not be here: who needs a rendition and how many may run (`rendition.rs`), and codecs (`transcode.rs`).

#[cfg(feature = "ffmpeg")]
mod slideshow;
#[cfg(feature = "ffmpeg")]
mod transcoding;

use crate::clock::{self, Instant};
use crate::video::origin::registry::Registered;
use crate::video::relay::feed::{Viewer, Wake};
use crate::video::relay::feeds::Held;
use crate::video::relay::status::{State, Status};
use crate::video::relay::stream::Rendition;
use crate::video::switchboard::Switchboard;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A task that reads one feed and writes another.
#[cfg_attr(not(feature = "ffmpeg"), expect(dead_code, reason = "without a decoder it only waits"))]
pub(super) struct Follower {
    switchboard: Arc<Switchboard>,
    camera: Arc<Registered>,
    /// The camera's own stream.
    upstream: Viewer,
    wake: Arc<Wake>,
    /// The feed it fills.
    held: Held,
    idle_until: Option<Instant>,
    /// How the camera is, as last heard.
    heard: Status,
    /// Pictures come out; until then a live camera is no live rendition.
    gives: bool,
    /// Why none come out.
    failure: Option<Status>,
    /// The place among those who may transcode, held while there is a codec at work.
    permit: Option<OwnedSemaphorePermit>,
}

impl Follower {
    pub fn new(switchboard: &Arc<Switchboard>, camera: &Arc<Registered>, held: Held) -> Self {
        let wake = Arc::<Wake>::default();
        let upstream = switchboard.watch(camera, held.key().profile, Arc::clone(&wake), 0);
        Self {
            heard: upstream.feed().status(),
            upstream,
            wake,
            held,
            switchboard: Arc::clone(switchboard),
            camera: Arc::clone(camera),
            idle_until: None,
            gives: false,
            failure: None,
            permit: None,
        }
    }

    pub fn with_permit(self, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { permit, ..self }
    }

    /// Runs until nobody watches or everything closes; a failing codec does not end it.
    #[cfg(feature = "ffmpeg")]
    pub async fn run(self) {
        match self.held.key().rendition {
            Rendition::H264 => self.transcode(transcoding::run).await,
            Rendition::Stills | Rendition::Source => self.stills().await,
        }
    }

    #[cfg(not(feature = "ffmpeg"))]
    pub async fn run(mut self) {
        while self.news().await {}
    }

    /// Waits for news from upstream; false when the task should end. Cancelling it loses nothing.
    async fn news(&mut self) -> bool {
        loop {
            let linger = Duration::from_millis(self.switchboard.config.transcode_linger_ms);
            let idle_until =
                self.idle_until.unwrap_or_else(|| clock::instant() + linger + Duration::from_secs(1));
            // What is made for nobody needs no session with the camera.
            self.upstream.set_idle(self.idle_until.is_some());
            tokio::select! {
                biased;
                () = self.switchboard.closing.cancelled() => return false,
                () = self.held.feed().ended() => return false,
                () = self.upstream.feed().ended() => {
                    if self.held.retire() {
                        return false;
                    }
                    tokio::time::sleep(Duration::from_millis(self.switchboard.config.retry_min_ms)).await;
                    self.watch_again();
                }
                () = self.held.feed().demand.notified() => {
                    let watched = self.held.feed().viewers() > 0;
                    self.idle_until = if watched { None } else { Some(clock::instant() + linger) };
                }
                () = idle_until.reached(), if self.idle_until.is_some() => {
                    if self.held.retire() {
                        return false;
                    }
                    self.idle_until = None;
                }
                () = self.wake.heard() => {
                    self.wake.take();
                    self.hear_camera();
                    return true;
                }
            }
        }
    }

    /// A new viewer begins with the newest group of pictures.
    fn watch_again(&mut self) {
        let (profile, wake) = (self.held.key().profile, Arc::clone(&self.wake));
        self.upstream = self.switchboard.watch(&self.camera, profile, wake, 0);
    }

    fn hear_camera(&mut self) {
        let Some(status) = self.upstream.status_news() else { return };
        self.heard = status;
        match self.heard.state {
            State::Live | State::Delayed => {}
            State::Connecting
            | State::Lost
            | State::Refused
            | State::Unsupported
            | State::KeyFrames
            | State::Gone => {
                self.held.feed().clear();
                self.gives = false;
                self.failure = None;
            }
        }
        self.say();
    }

    /// What is true of the camera is true of its renditions, once they have pictures of their own; live pictures become
    /// key frames where only those are made.
    fn say(&self) {
        let mut status = self.heard.clone();
        match status.state {
            State::Live | State::Delayed if !self.gives => {
                status = match &self.failure {
                    Some(failure) => failure.clone(),
                    None => Status::new(State::Connecting, status.since_ms),
                };
            }
            State::Live | State::Delayed if self.held.key().rendition == Rendition::Stills => {
                status.state = State::KeyFrames;
            }
            State::Live
            | State::Delayed
            | State::Connecting
            | State::Lost
            | State::Refused
            | State::Unsupported
            | State::KeyFrames
            | State::Gone => {}
        }
        self.held.feed().set_status(status);
    }

    /// A picture has come out.
    #[cfg(feature = "ffmpeg")]
    fn succeed(&mut self) {
        if !self.gives || self.failure.is_some() {
            self.gives = true;
            self.failure = None;
            self.say();
        }
    }

    /// No picture comes out, and why.
    #[cfg(feature = "ffmpeg")]
    fn fail(&mut self, failure: Status) {
        self.gives = false;
        self.failure = Some(failure);
        self.held.feed().clear();
        self.say();
    }
}

#[cfg(all(test, feature = "ffmpeg"))]
mod tests;
