//! One socket of the live feed: reads what the client says, sends what lies between its cursors and the wave.
//!
//! What should be here: sending, waiting, closing. What should not: what a message means (`session`), what a frame
//! holds (`board`).

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::wire::{CLIENT_MESSAGE_BYTES_MAX, ClientMessage, ResyncReason, ServerMessage};
use serde::Deserialize;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::{self, Message};

use super::frames::{self, Format, Next};
use super::pacer::Wave;
use super::session::{HELLO_SECONDS, Reply, Session, Subscription};
use super::snapshot::{AskedFormat, unavailable};
use super::socket::{self, Framed, Socket};
use super::{Hub, Live};
use crate::access::{self, Pass};
use crate::problem::{Problem, Query};

/// Bytes handed to the socket between two looks at whether it takes them.
const BATCH_BYTES: usize = 64 * 1024;
/// Longest words sent back about an unreadable message.
const WORDS_BYTES_MAX: usize = 300;

mod close {
    pub const POLICY: u16 = 1008;
    pub const TOO_BIG: u16 = 1009;
    /// The session has ended or the token is revoked; private use.
    pub const SIGNED_OUT: u16 = 4001;
    /// The client takes nothing; private use.
    pub const STALLED: u16 = 4008;
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// By default binary.
    #[serde(default)]
    #[param(inline)]
    format: Option<AskedFormat>,
}

/// The live feed's socket; `docs/live-protocol.md` says what is spoken there.
#[utoipa::path(get, path = "/live", tag = "live", params(Asked), responses(
    (status = 101, description = "WebSocket from here on"), (status = 426, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn open(
    State(live): State<Live>,
    Query(asked): Query<Asked>,
    pass: Option<Extension<Pass>>,
    request: Request,
) -> Response {
    if !live.hub.started() {
        return unavailable("the store is still being read").into_response();
    }
    let Some(place) = Place::take(&live.hub) else {
        metrics::counter!("gridhall_live_refused_total", "code" => "too_many_connections").increment(1);
        return unavailable("too many screens are connected").into_response();
    };
    let format = Format::from(asked.format);
    socket::accept(request, CLIENT_MESSAGE_BYTES_MAX, move |socket| async move {
        live.catchup.warm().await;
        let waves = live.hub.0.waves.subscribe();
        let mut connection =
            Connection { live, format, session: Session::default(), heard_ms: 0, beat: 0, waves, socket };
        let pass = pass.as_ref().map(|Extension(pass)| pass);
        connection.run(pass).await;
        drop(place);
    })
}

/// A counted place among the open connections.
struct Place(Hub);

impl Place {
    fn take(hub: &Hub) -> Option<Self> {
        let open = hub.0.connections.fetch_add(1, Ordering::Relaxed);
        let place = Self(hub.clone());
        metrics::gauge!("gridhall_live_connections").increment(1.0);
        // Dropping the place gives it back.
        (open < hub.0.limits.connections_max).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("gridhall_live_connections").decrement(1.0);
    }
}

/// Why a connection ends.
enum End {
    /// The client has gone.
    Gone,
    /// The client is told why.
    Close(u16, &'static str),
}

struct Connection {
    live: Live,
    format: Format,
    session: Session,
    /// When the client was last heard, or seen to take what it is sent, in milliseconds of the hub's life.
    heard_ms: u64,
    /// Last heartbeat sent.
    beat: u64,
    waves: watch::Receiver<Wave>,
    socket: Socket,
}

impl Connection {
    async fn run(&mut self, pass: Option<&Pass>) {
        let first = self.waves.borrow_and_update().clone();
        (self.heard_ms, self.beat) = (first.ms, first.beat);
        let opened_ms = first.ms;
        let end = match self.send(vec![self.encode(&self.live.hub.welcome(crate::clock::now()))]).await {
            Ok(()) => tokio::select! {
                end = self.serve(opened_ms) => end,
                () = access::lost(pass) => End::Close(close::SIGNED_OUT, "signed out"),
            },
            Err(end) => end,
        };
        if let End::Close(code, reason) = end {
            metrics::counter!("gridhall_live_closed_total", "reason" => reason).increment(1);
            // One wave's time, of one still to come, is enough for a client that listens.
            self.waves.mark_unchanged();
            tokio::select! {
                biased;
                _ = self.socket.close(code, reason) => {}
                _ = self.waves.changed() => {}
            }
        }
    }

    async fn serve(&mut self, opened_ms: u64) -> End {
        loop {
            // Neither comes always first: a client that is always behind is heard too, one that always talks is served.
            let outcome = tokio::select! {
                changed = self.waves.changed() => match changed {
                    Ok(()) => self.wave(opened_ms).await,
                    Err(_) => return End::Gone,
                },
                received = self.socket.recv() => match received {
                    None => return End::Gone,
                    Some(Err(error)) => return unreadable(&error),
                    Some(Ok(message)) => self.hear(message).await,
                },
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// A new wave: sends what is new, and the heartbeat when there is one.
    async fn wave(&mut self, opened_ms: u64) -> Result<(), End> {
        let wave = self.waves.borrow_and_update().clone();
        let mut batch = self.pump(&wave).await?;
        if wave.beat != self.beat {
            self.beat = wave.beat;
            self.session.second();
            let silent_ms = wave.ms.saturating_sub(self.heard_ms);
            if silent_ms >= u64::from(self.live.hub.0.limits.stall_ms) {
                return Err(End::Close(close::STALLED, "no answer to pings"));
            }
            if !self.session.greeted() && wave.ms.saturating_sub(opened_ms) > HELLO_SECONDS * 1_000 {
                return Err(End::Close(close::POLICY, "no hello"));
            }
            if let Some(heartbeat) = &wave.heartbeat {
                batch.push(heartbeat.in_format(self.format));
                if heartbeat.ping {
                    batch.push(Framed::ping());
                }
            }
        }
        self.send(batch).await
    }

    /// A message from the client: answers, and sends what a new subscription is owed.
    async fn hear(&mut self, message: Message) -> Result<(), End> {
        let wave = self.waves.borrow().clone();
        self.heard_ms = wave.ms;
        let said = match (&message, self.format) {
            (Message::Ping(_) | Message::Pong(_) | Message::Frame(_), _) => return Ok(()),
            (Message::Close(_), _) => return Err(End::Gone),
            (Message::Binary(bytes), Format::Binary) => {
                ClientMessage::from_bytes(bytes).map_err(|error| error.to_string())
            }
            (Message::Text(text), Format::Json) => {
                serde_json::from_str(text).map_err(|error| error.to_string())
            }
            (Message::Binary(_), Format::Json) => Err("expected JSON text".to_owned()),
            (Message::Text(_), Format::Binary) => {
                Err("expected binary messages; JSON is spoken at /live?format=json".to_owned())
            }
        };
        let reply = match said {
            Ok(said) => self.session.take(said, |topic| self.live.hub.stands(topic)),
            Err(words) => self.session.unreadable(shortened(words)),
        };
        let mut batch: Vec<Framed> = Vec::new();
        match reply {
            Reply::GoOn(message) => batch.extend(message.map(|message| self.encode(&message))),
            Reply::Close(message) => {
                self.send(vec![self.encode(&message)]).await?;
                return Err(End::Close(close::POLICY, "protocol not kept"));
            }
        }
        batch.extend(self.pump(&wave).await?);
        self.send(batch).await
    }

    /// Sends what lies between the cursors and the wave; returns the last part, which the caller sends.
    async fn pump(&mut self, wave: &Wave) -> Result<Vec<Framed>, End> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut at = 0;
        while let Some(subscription) = self.session.subscriptions.get_mut(at) {
            at += 1;
            let behind = subscription.whole || subscription.cursor < wave.heads.of(&subscription.topic);
            if !behind {
                continue;
            }
            if !subscription.may_send(wave.ms) {
                self.live.hub.0.pace.later.notify_one();
                continue;
            }
            loop {
                let subscription = &self.session.subscriptions[at - 1];
                match step(&self.live, self.format, subscription, wave).await {
                    Next::Idle => break,
                    Next::Frames { to, messages } => {
                        let subscription = &mut self.session.subscriptions[at - 1];
                        (subscription.cursor, subscription.whole) = (to, false);
                        bytes += messages.iter().map(Framed::len).sum::<usize>();
                        batch.extend(messages);
                    }
                    Next::Store | Next::TooFarBehind => {
                        at -= 1;
                        let topic = self.session.subscriptions[at].topic.clone();
                        let reply = self.session.resync(topic, ResyncReason::TooFarBehind);
                        if let Reply::GoOn(Some(message)) | Reply::Close(message) = reply {
                            batch.push(self.encode(&message));
                        }
                        break;
                    }
                }
                if bytes >= BATCH_BYTES {
                    self.send(std::mem::take(&mut batch)).await?;
                    bytes = 0;
                }
            }
        }
        Ok(batch)
    }

    /// Hands messages to the socket and waits until it has taken them. A slow client may take long; one that takes
    /// nothing for as long as a stall may last is left.
    async fn send(&mut self, batch: Vec<Framed>) -> Result<(), End> {
        if batch.is_empty() {
            return Ok(());
        }
        let bytes: usize = batch.iter().map(Framed::len).sum();
        metrics::counter!("gridhall_live_frames_total", "format" => self.format.key())
            .increment(batch.len() as u64);
        metrics::counter!("gridhall_live_bytes_total", "format" => self.format.key()).increment(bytes as u64);
        let stall_ms = u64::from(self.live.hub.0.limits.stall_ms);
        batch.iter().for_each(|message| self.socket.queue(message));
        drop(batch);
        let mut moved_ms = self.waves.borrow().ms;
        let mut missed = false;
        loop {
            tokio::select! {
                biased;
                sent = self.socket.flush() => {
                    sent.map_err(|_| End::Gone)?;
                    break;
                }
                changed = self.waves.changed() => {
                    missed = true;
                    let now_ms = self.waves.borrow_and_update().ms;
                    if self.socket.was_relieved() {
                        moved_ms = now_ms;
                        self.heard_ms = now_ms;
                    }
                    if changed.is_err() || now_ms.saturating_sub(moved_ms) >= stall_ms {
                        metrics::counter!("gridhall_live_closed_total", "reason" => "stalled").increment(1);
                        return Err(End::Gone);
                    }
                }
            }
        }
        if self.socket.was_relieved() {
            self.heard_ms = self.waves.borrow().ms;
        }
        if missed {
            metrics::counter!("gridhall_live_lag_skips_total").increment(1);
            // The waves that passed meanwhile are looked at now, as one.
            self.waves.mark_changed();
        }
        Ok(())
    }

    fn encode(&self, message: &ServerMessage) -> Framed {
        frames::encode(self.format, message)
    }
}

/// The next frames of one subscription.
async fn step(live: &Live, format: Format, subscription: &Subscription, wave: &Wave) -> Next {
    let topic = &subscription.topic;
    if subscription.whole {
        return live.hub.whole(topic, format, &wave.heads);
    }
    match live.hub.next(topic, format, subscription.cursor, &wave.heads) {
        Next::Store => live.catchup.next(topic, format, subscription.cursor).await,
        next @ (Next::Idle | Next::Frames { .. } | Next::TooFarBehind) => next,
    }
}

fn unreadable(error: &tungstenite::Error) -> End {
    if matches!(error, tungstenite::Error::Capacity(_)) {
        metrics::counter!("gridhall_live_refused_total", "code" => "too_big").increment(1);
        return End::Close(close::TOO_BIG, "message too big");
    }
    End::Gone
}

fn shortened(mut words: String) -> String {
    if words.len() > WORDS_BYTES_MAX {
        let end = (0..=WORDS_BYTES_MAX).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
        words.truncate(end);
        words.push('…');
    }
    words
}
