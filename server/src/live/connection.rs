//! One socket of the live feed: reads what the client says, sends what lies between its cursors and the wave.
//!
//! What should be here: sending, waiting, closing. What should not: what a message means (`subscriber`), what a delta
//! holds (`frames`).

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::audience::Audience;
use domain::scope::Scope;
use domain::wire::{CLIENT_MESSAGE_BYTES_MAX, CLOSE_SIGNED_OUT, ClientMessage, ResyncReason, ServerMessage};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::{self, Message};

use super::Doors;
use super::beginning::{AskedFormat, unavailable};
use super::frames::{self, Format, Next};
use super::outgoing::Outgoing;
use super::pacer::{Counted, Wave};
use super::place::Place;
use super::sets::Set;
use super::socket::{self, Framed, Socket};
use super::subscriber::{HELLO_SECONDS, Reply, Subscriber};
use crate::access::{self, Pass};
use crate::drill::breaking::Heard;
use crate::http::extract::Query;
use crate::problem::Problem;

/// Bytes handed to the socket between two looks at whether it takes them.
const BATCH_BYTES: usize = 64 * 1024;
/// Longest words sent back about an unreadable message.
const WORDS_BYTES_MAX: usize = 300;

mod close {
    pub const POLICY: u16 = 1008;
    pub const TOO_BIG: u16 = 1009;
    pub const REPLACED: u16 = 1012; // something else is shown here from now on: come again
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
    State(live): State<Doors>,
    Query(asked): Query<Asked>,
    pass: Option<Extension<Pass>>,
    scope: Option<Extension<Scope>>,
    audience: Option<Extension<Audience>>,
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
        let breaking = live.hub.breaking();
        // Whoever came without one sees nothing.
        let scope = Arc::new(scope.map_or_else(Scope::nothing, |Extension(scope)| scope));
        let mut connection = Connection {
            live,
            format,
            scope,
            audience: super::beginning::audience_of(audience),
            subscriber: Subscriber::default(),
            set: None,
            settled: None,
            heard_ms: 0,
            beat: 0,
            breaking,
            waves,
            socket,
        };
        let pass = pass.as_ref().map(|Extension(pass)| pass);
        connection.run(pass).await;
        drop(place);
    })
}

/// Why a connection ends.
enum End {
    /// The client has gone.
    Gone,
    /// The client is told why.
    Close(u16, &'static str),
}

struct Connection {
    live: Doors,
    format: Format,
    scope: Arc<Scope>,
    audience: Audience,
    subscriber: Subscriber,
    /// What it follows, for its heartbeats; none after it has changed.
    set: Option<Arc<Set>>,
    /// Where the wave stood up to which the client has everything; none while something is put off or was asked for since.
    settled: Option<[u64; 3]>,
    /// When the client was last heard, or seen to take what it is sent, in milliseconds of the hub's life.
    heard_ms: u64,
    /// Last heartbeat sent.
    beat: u64,
    /// In a drill, the city's cases of the first level.
    breaking: Option<Heard>,
    waves: watch::Receiver<Wave>,
    socket: Socket,
}

impl Connection {
    async fn run(&mut self, pass: Option<&Pass>) {
        let first = self.waves.borrow_and_update().clone();
        (self.heard_ms, self.beat) = (first.ms, first.beat.as_ref().map_or(0, |beat| beat.number));
        let opened_ms = first.ms;
        let welcome = self.live.hub.welcome(first.seq);
        let end = match self.send(vec![self.encode(&welcome)]).await {
            Ok(()) => {
                let _taking = Counted::up(&self.live.hub.0.pace, |pace| &pace.taking);
                tokio::select! {
                    end = self.serve(opened_ms) => end,
                    () = access::lost(pass) => End::Close(CLOSE_SIGNED_OUT, "signed out"),
                }
            }
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
        if let Err(end) = self.tell_breaking().await {
            return end;
        }
        loop {
            // Neither comes always first: a client that is always behind is heard too, one that always talks is served.
            let outcome = tokio::select! {
                changed = self.waves.changed() => match changed {
                    Ok(()) => self.wave(opened_ms).await,
                    Err(_) => return End::Gone,
                },
                () = self.live.hub.0.replaced.cancelled() => return End::Close(close::REPLACED, "come again"),
                received = self.socket.recv() => match received {
                    None => return End::Gone,
                    Some(Err(error)) => return unreadable(&error),
                    Some(Ok(message)) => self.hear(message).await,
                },
                () = Heard::next(&mut self.breaking) => self.tell_breaking().await,
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// In a drill: which real cases wait for an answer, as far as the reader sees, and who has answered.
    async fn tell_breaking(&mut self) -> Result<(), End> {
        let Some(heard) = &mut self.breaking else { return Ok(()) };
        let rows = heard.take().rows(&self.scope, self.audience.names());
        self.send(vec![self.encode(&ServerMessage::Breaking(rows))]).await
    }

    /// A new wave: sends what is new, and the heartbeat when there is one.
    async fn wave(&mut self, opened_ms: u64) -> Result<(), End> {
        let wave = self.waves.borrow_and_update().clone();
        let (hub, scope) = (&self.live.hub, &self.scope);
        let gone = self.subscriber.let_go(hub.areas(), |topic| hub.admits(scope, topic));
        self.set = self.set.take().filter(|_| gone.is_empty());
        let mut batch: Vec<Framed> = gone.iter().map(|message| self.encode(message)).collect();
        // A quiet hall has a wave for each heartbeat, and its screens follow a dozen topics: they are not gone through for that.
        if self.settled != Some(wave.stands()) {
            batch.extend(self.pump(&wave).await?);
        }
        if let Some(beat) = wave.beat.as_ref().filter(|beat| beat.number != self.beat) {
            self.beat = beat.number;
            self.subscriber.second();
            let silent_ms = wave.ms.saturating_sub(self.heard_ms);
            if silent_ms >= u64::from(self.live.hub.0.limits.stall_ms) {
                return Err(End::Close(close::STALLED, "no answer to pings"));
            }
            if !self.subscriber.greeted() && wave.ms.saturating_sub(opened_ms) > HELLO_SECONDS * 1_000 {
                return Err(End::Close(close::POLICY, "no hello"));
            }
            let (sets, subscriber) = (&self.live.hub.0.sets, &self.subscriber);
            let set = self.set.get_or_insert_with(|| sets.of(subscriber.followed()));
            batch.push(set.heartbeat(beat, self.format));
            if beat.ping {
                batch.push(Framed::ping());
            }
        }
        let sent = self.send(batch).await;
        wave.sent();
        sent
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
            Ok(said) => {
                self.set = None;
                let said = said.as_read_by(&self.scope, self.audience);
                self.subscriber.take(said, |topic| self.live.hub.stands(topic, &self.scope))
            }
            Err(words) => self.subscriber.unreadable(shortened(words)),
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

    /// Sends what lies between the cursors and the wave; returns the last part, which the caller sends. What is new in
    /// several topics goes as one message.
    async fn pump(&mut self, wave: &Wave) -> Result<Vec<Framed>, End> {
        let mut out = Outgoing::new(self.format, self.live.hub.epoch());
        let mut at = 0;
        self.settled = Some(wave.stands());
        while let Some(subscription) = self.subscriber.subscriptions.get_mut(at) {
            at += 1;
            let upto = wave.upto(subscription.topic.kind);
            let head = subscription.head.as_ref().map_or(upto, |head| head.get());
            if !subscription.owed && subscription.cursor >= head.min(upto) {
                continue;
            }
            if !subscription.may_send(wave.ms) {
                self.live.hub.0.pace.later.notify_one();
                self.settled = None;
                continue;
            }
            loop {
                let subscription = &self.subscriber.subscriptions[at - 1];
                let next = self.live.hub.next(subscription, self.format, upto);
                let next = if let Next::Log = next {
                    let (told, cursor) = (subscription.told, subscription.cursor);
                    self.live.catchup.next(&subscription.topic, self.format, told, cursor).await
                } else {
                    next
                };
                let subscription = &mut self.subscriber.subscriptions[at - 1];
                match next {
                    Next::Idle if subscription.owed => {
                        subscription.owed = false;
                        let to = upto.max(subscription.cursor);
                        if let Next::Delta { to, delta } =
                            self.live.hub.nothing(subscription, self.format, to)
                        {
                            (subscription.told, subscription.cursor) = (to, to);
                            out.delta(delta);
                        }
                        break;
                    }
                    Next::Idle => {
                        subscription.cursor = upto.max(subscription.cursor);
                        break;
                    }
                    Next::Delta { to, delta } => {
                        subscription.went_to(to, upto);
                        out.delta(delta);
                    }
                    Next::Packed { to, frames } => {
                        subscription.went_to(to, upto);
                        out.packed(frames);
                    }
                    Next::Log | Next::TooFarBehind => {
                        at -= 1;
                        let topic = subscription.topic.clone();
                        let reply = self.subscriber.resync(topic, ResyncReason::TooFarBehind);
                        self.set = None;
                        if let Reply::GoOn(Some(message)) | Reply::Close(message) = reply {
                            out.message(frames::encode(self.format, &message));
                        }
                        break;
                    }
                }
                if out.bytes >= BATCH_BYTES {
                    let full = out.take();
                    self.send(full).await?;
                }
            }
        }
        Ok(out.take())
    }

    /// Hands messages to the socket and waits until it has taken them. A slow client may take long; one that takes
    /// nothing for as long as a stall may last is left.
    async fn send(&mut self, batch: Vec<Framed>) -> Result<(), End> {
        if batch.is_empty() {
            return Ok(());
        }
        let bytes: usize = batch.iter().map(Framed::len).sum();
        self.format.count_sent(batch.len() as u64, bytes as u64);
        let stall_ms = u64::from(self.live.hub.0.limits.stall_ms);
        batch.iter().for_each(|message| self.socket.queue(message));
        drop(batch);
        let mut moved_ms = self.waves.borrow().ms;
        // Others do not wait for one that does not take what it is sent.
        let mut stuck = None;
        loop {
            tokio::select! {
                biased;
                sent = self.socket.flush() => {
                    sent.map_err(|_| End::Gone)?;
                    break;
                }
                changed = self.waves.changed() => {
                    stuck.get_or_insert_with(|| Counted::up(&self.live.hub.0.pace, |pace| &pace.stuck));
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
        if stuck.is_some() {
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
