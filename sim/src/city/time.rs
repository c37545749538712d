//! The hall's time, as the city goes by it: asked once, then heard from the live feed, and carried on in between.
//!
//! What should not be here: how often the city does something, and how long it waits for an answer. That is the machine's time:
//! a server is no faster because its hall's clock is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::feed::Course;
use domain::moment::UtcMillis;
use domain::wire::{ClientMessage, Incoming, PROTOCOL, ServerMessage};
use domain::world::WorldAnswer;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;

/// Wait before the feed is dialled again.
const AGAIN: Duration = Duration::from_secs(1);

/// The hall's clock, as heard.
pub struct Time {
    course: Arc<Mutex<Course>>,
    began: Instant,
}

impl Time {
    /// Asks the hall, and hears from then on whenever its clock goes at another pace.
    pub fn of_hall(client: &Client) -> anyhow::Result<Self> {
        let began = Instant::now();
        let world: WorldAnswer = client.get("/api/v1/world").context("cannot ask the hall for its time")?;
        let course = Arc::new(Mutex::new(Course::new(world.now, world.pace_milli, own_ms(began))));
        let (heard, client) = (Arc::downgrade(&course), client.clone());
        std::thread::Builder::new()
            .name("hall-time".to_owned())
            .spawn(move || follow(&heard, &client, began))
            .context("cannot start a thread")?;
        Ok(Self { course, began })
    }

    pub fn now(&self) -> UtcMillis {
        held(&self.course).at(own_ms(self.began))
    }

    /// How many times faster than real the hall's clock goes; 0 while it stands still.
    pub fn pace(&self) -> f64 {
        f64::from(held(&self.course).pace_milli()) / f64::from(domain::world::PACE_REAL)
    }
}

fn held(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

fn own_ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

/// Until nobody goes by it any more.
fn follow(course: &Weak<Mutex<Course>>, client: &Client, began: Instant) {
    let mut is_told = false;
    while course.strong_count() > 0 {
        let Err(error) = hear(course, client, began) else { return };
        if !is_told && course.strong_count() > 0 {
            let error = format!("{error:#}");
            tracing::warn!(
                error,
                "the hall's time is not heard; it is carried on as it went, and asked for again"
            );
        }
        is_told = true;
        std::thread::sleep(AGAIN);
    }
}

/// Hears the feed's heartbeats until it ends.
fn hear(course: &Weak<Mutex<Course>>, client: &Client, began: Instant) -> anyhow::Result<()> {
    let mut feed = client.feed()?;
    let hello = ClientMessage::Hello { protocol: PROTOCOL, build: String::new() };
    feed.send(Message::binary(hello.to_bytes())).context("cannot greet the feed")?;
    loop {
        let message = feed.read().context("the feed ended")?;
        let Some(course) = course.upgrade() else { return Ok(()) };
        let Message::Binary(bytes) = message else { continue };
        match Incoming::from_bytes(&bytes)? {
            Incoming::Message(
                ServerMessage::Welcome { server_ms, pace_milli, .. }
                | ServerMessage::Heartbeat { server_ms, pace_milli, .. },
            ) => {
                let mut course = held(&course);
                *course = course.heard(server_ms, pace_milli, own_ms(began));
            }
            Incoming::Message(ServerMessage::Refused { words, .. }) => {
                anyhow::bail!("the feed says: {words}")
            }
            Incoming::Message(
                ServerMessage::Deltas { .. } | ServerMessage::Resync { .. } | ServerMessage::Breaking(_),
            )
            | Incoming::Positions(_) => {}
        }
    }
}
