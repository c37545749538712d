//! `GET /api/v1/video`: one WebSocket for all tiles of a page.
//!
//! One task a page. It never holds a queue of frames: it asks the rings for what comes next when the socket has taken
//! what came before, so a slow page costs its place in the rings and nothing else.

use super::message::{ErrorCode, FromPage, Hello, Open, TEXT_BYTES_MAX, ToPage, VERSION};
use super::share::{Share, Shares};
use super::tile::{Outgoing, Page, Tile};
use crate::access::{self, Pass, Sight};
use crate::clock::{self, Clock, Instant};
use crate::live::socket::{Framed, Socket};
use crate::video::form::rendition::Mode;
use crate::video::meters;
use crate::video::relay::frame::Stamp;
use crate::video::switchboard::Switchboard;
use domain::wire::CLOSE_SIGNED_OUT;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

mod close {
    pub const AWAY: u16 = 1001;
    pub const POLICY: u16 = 1008;
}
/// Slots are bits of one word.
const SLOTS: u8 = 64;
const TICK: Duration = Duration::from_secs(1);
const PING_EVERY: Duration = Duration::from_secs(15);
/// A page that has said nothing, not even a pong, for this long is gone.
const SILENT_MAX: Duration = Duration::from_secs(45);
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Control messages a page may send, on average and at once.
const MESSAGES_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();
const MESSAGES_BURST: NonZeroU32 = NonZeroU32::new(300).unwrap();

/// Why the conversation ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The page left, or the network did.
    Left,
    /// The page broke the protocol.
    Violation(String),
    /// The page takes nothing.
    Stalled,
    /// The page's session has ended or its token is revoked.
    SignedOut,
    ShuttingDown,
}

/// Who is at the other end of a page.
pub struct Guest {
    /// Whose share its cameras count in.
    pub actor: Arc<str>,
    /// None where nobody asks for one.
    pub pass: Option<Pass>,
    /// Which cameras they may see.
    pub sight: Sight,
}

/// Talks to one page until it leaves.
pub async fn converse(switchboard: Arc<Switchboard>, shares: Arc<Shares>, guest: Guest, socket: Socket) {
    meters::pages(1.0);
    let (closing, clock) = (switchboard.closing.clone(), switchboard.clock.clone());
    let mut line = Line { socket, stall: Duration::from_millis(switchboard.config.page_stall_ms) };
    let end = match greet(&mut line, &clock).await {
        Ok(hello) => {
            let page = Page { switchboard, wake: Arc::default(), hello, sight: guest.sight };
            let mut talk = Talk::new(page, line, shares, guest.actor);
            let end = tokio::select! {
                end = talk.run() => end,
                () = closing.cancelled() => End::ShuttingDown,
                () = access::lost(guest.pass.as_ref()) => End::SignedOut,
            };
            meters::tiles(-talk.tile_count());
            line = talk.line;
            end
        }
        Err(end) => end,
    };
    line.close(end).await;
    meters::pages(-1.0);
}

async fn greet(line: &mut Line, clock: &Clock) -> Result<Hello, End> {
    let first = timeout(HELLO_TIMEOUT, line.socket.recv()).await;
    let text = match first {
        Ok(Some(Ok(Message::Text(text)))) => text,
        Ok(Some(Ok(_))) | Err(_) => {
            return Err(line.refuse(None, ErrorCode::HelloFirst, "expected a hello").await);
        }
        Ok(Some(Err(_)) | None) => return Err(End::Left),
    };
    match parse(&text) {
        Ok(FromPage::Hello(hello)) if hello.version == VERSION => {
            let welcome = ToPage::Welcome { version: VERSION, server_time_us: clock.now_us() };
            line.text(&welcome).await?;
            Ok(hello)
        }
        Ok(FromPage::Hello(hello)) => {
            let words = format!("version {} is not spoken here; expected {VERSION}", hello.version);
            Err(line.refuse(None, ErrorCode::Version, &words).await)
        }
        Ok(_) => Err(line.refuse(None, ErrorCode::HelloFirst, "expected a hello before anything else").await),
        Err(words) => Err(line.refuse(None, ErrorCode::BadMessage, &words).await),
    }
}

fn parse(text: &str) -> Result<FromPage, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("message of {} bytes; at most {TEXT_BYTES_MAX} are read", text.len()));
    }
    serde_json::from_str(text).map_err(|error| error.to_string().chars().take(300).collect())
}

/// The way to the page.
struct Line {
    socket: Socket,
    stall: Duration,
}

impl Line {
    /// Each message goes to the kernel at once; what the kernel does not take is one message at most.
    async fn send(&mut self, message: &Framed) -> Result<(), End> {
        self.socket.queue(message);
        match timeout(self.stall, self.socket.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Left),
            Err(_) => Err(End::Stalled),
        }
    }

    async fn text(&mut self, message: &ToPage) -> Result<(), End> {
        self.send(&Framed::text(message.to_json())).await
    }

    /// Tells the page what was wrong; the end of the conversation when that was a violation.
    async fn refuse(&mut self, tile: Option<u16>, code: ErrorCode, words: &str) -> End {
        let sent = self.text(&ToPage::Error { tile, code, message: words.to_owned() }).await;
        match sent {
            Ok(()) => End::Violation(words.to_owned()),
            Err(end) => end,
        }
    }

    async fn close(mut self, end: End) {
        let (code, reason) = match end {
            End::Left => return,
            End::Stalled => {
                tracing::info!("video page disconnected: it takes no data");
                return;
            }
            End::Violation(words) => {
                meters::violations();
                tracing::warn!(reason = ?words, "video page disconnected: protocol violation");
                (close::POLICY, "protocol violation")
            }
            End::SignedOut => (CLOSE_SIGNED_OUT, "signed out"),
            End::ShuttingDown => (close::AWAY, "the server is stopping"),
        };
        // A page that does not take its farewell has left.
        let _late_or_gone = timeout(Duration::from_secs(1), self.socket.close(code, reason)).await;
    }
}

struct Talk {
    page: Page,
    line: Line,
    shares: Arc<Shares>,
    actor: Arc<str>,
    tiles: BTreeMap<u16, (Tile, Share)>,
    slots: [Option<u16>; SLOTS as usize],
    /// Slots that may have something to send.
    pending: u64,
    heard: Instant,
    pinged: Instant,
    allowance: DefaultDirectRateLimiter,
}

impl Talk {
    fn new(page: Page, line: Line, shares: Arc<Shares>, actor: Arc<str>) -> Self {
        let now = clock::instant();
        Self {
            page,
            line,
            shares,
            actor,
            tiles: BTreeMap::new(),
            slots: [None; SLOTS as usize],
            pending: 0,
            heard: now,
            pinged: now,
            allowance: RateLimiter::direct(
                Quota::per_second(MESSAGES_PER_SECOND).allow_burst(MESSAGES_BURST),
            ),
        }
    }

    fn tile_count(&self) -> f64 {
        f64::from(u32::try_from(self.tiles.len()).unwrap_or(0))
    }

    async fn run(&mut self) -> End {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let wake = Arc::clone(&self.page.wake);
        loop {
            let result = tokio::select! {
                biased;
                message = self.line.socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => Err(left_or_violation(&error)),
                    None => Err(End::Left),
                },
                _ = tick.tick() => self.tick().await,
                () = wake.heard(), if self.pending == 0 => {
                    self.pending |= wake.take();
                    Ok(())
                }
                // Nothing to wait for: go round and send.
                () = std::future::ready(()), if self.pending != 0 => self.send_round().await,
            };
            if let Err(end) = result {
                return end;
            }
        }
    }

    /// Sends at most one message of each tile that has news, so that no tile starves another.
    async fn send_round(&mut self) -> Result<(), End> {
        self.pending |= self.page.wake.take();
        for slot in 0..SLOTS {
            let bit = 1 << slot;
            if self.pending & bit == 0 {
                continue;
            }
            let tile = self.slots[usize::from(slot)].and_then(|id| self.tiles.get_mut(&id));
            match tile.and_then(|(tile, _)| tile.next(&self.page, Stamp::of(&self.page.switchboard.clock))) {
                Some(Outgoing::Text(message)) => self.line.text(&message).await?,
                Some(Outgoing::Media(message)) => self.line.send(&message).await?,
                None => self.pending &= !bit,
            }
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), End> {
        for (tile, _) in self.tiles.values_mut() {
            tile.tick(&self.page);
        }
        if self.heard.elapsed() > SILENT_MAX {
            return Err(End::Stalled);
        }
        if self.pinged.elapsed() >= PING_EVERY {
            self.pinged = clock::instant();
            self.line.send(&Framed::ping()).await?;
        }
        Ok(())
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard = clock::instant();
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Left),
            Message::Binary(_) | Message::Frame(_) => {
                return Err(self.line.refuse(None, ErrorCode::BadMessage, "expected text, not binary").await);
            }
        };
        if self.allowance.check().is_err() {
            let words = format!("more than {MESSAGES_PER_SECOND} messages a second");
            return Err(self.line.refuse(None, ErrorCode::TooManyMessages, &words).await);
        }
        match parse(&text) {
            Ok(message) => self.obey(message).await,
            Err(words) => Err(self.line.refuse(None, ErrorCode::BadMessage, &words).await),
        }
    }

    async fn obey(&mut self, message: FromPage) -> Result<(), End> {
        let id = match message {
            FromPage::Hello(_) => {
                return Err(self.line.refuse(None, ErrorCode::BadMessage, "a second hello").await);
            }
            FromPage::Open(open) => return self.open(open).await,
            FromPage::Close { tile } => {
                if let Some((closed, _share)) = self.tiles.remove(&tile) {
                    self.slots[usize::from(closed.slot())] = None;
                    meters::tiles(-1.0);
                }
                return Ok(());
            }
            FromPage::Resize { tile, .. }
            | FromPage::Pause { tile }
            | FromPage::Resume { tile }
            | FromPage::Stats { tile, .. } => tile,
        };
        let Some((tile, _)) = self.tiles.get_mut(&id) else {
            let words = "no such tile is open";
            let error =
                ToPage::Error { tile: Some(id), code: ErrorCode::UnknownTile, message: words.to_owned() };
            return self.line.text(&error).await;
        };
        match message {
            FromPage::Resize { height, .. } => tile.resize(&self.page, height),
            FromPage::Pause { .. } => tile.pause(),
            FromPage::Resume { .. } => tile.resume(&self.page),
            FromPage::Stats { latency_p95_ms, .. } => meters::painted(latency_p95_ms),
            FromPage::Hello(_) | FromPage::Open(_) | FromPage::Close { .. } => {}
        }
        Ok(())
    }

    async fn open(&mut self, open: Open) -> Result<(), End> {
        if let Some((replaced, share)) = self.tiles.remove(&open.tile) {
            // The same tile shows another camera; its old stream goes once the new one is watched.
            let slot = replaced.slot();
            self.put(open, slot, share);
            drop(replaced);
            meters::tiles(-1.0);
            return Ok(());
        }
        let limit = usize::from(self.page.switchboard.config.tiles_per_page);
        let free = (0..SLOTS).find(|slot| self.slots[usize::from(*slot)].is_none());
        let Some(slot) = free.filter(|_| self.tiles.len() < limit) else {
            return self.too_many(open.tile, format!("a page shows at most {limit} tiles")).await;
        };
        let Some(share) = self.shares.take(&self.actor) else {
            let words =
                format!("{} cameras are open on all pages of this account or wall", self.shares.each());
            return self.too_many(open.tile, words).await;
        };
        self.put(open, slot, share);
        Ok(())
    }

    async fn too_many(&mut self, tile: u16, message: String) -> Result<(), End> {
        let code = ErrorCode::TooManyTiles;
        self.line.text(&ToPage::Error { tile: Some(tile), code, message }).await
    }

    fn put(&mut self, open: Open, slot: u8, share: Share) {
        let tile = Tile::open(&self.page, open.tile, slot, &open.camera, open.profile, open.height);
        self.slots[usize::from(slot)] = Some(open.tile);
        self.tiles.insert(open.tile, (tile, share));
        meters::tiles(1.0);
        let (by, camera) = (self.page.sight.name(), printable(&open.camera));
        tracing::info!(by, %camera, mode = mode_name(self.page.hello.mode), "video opened");
    }
}

fn left_or_violation(error: &tungstenite::Error) -> End {
    if let tungstenite::Error::Capacity(_) | tungstenite::Error::Utf8(_) = error {
        return End::Violation(error.to_string());
    }
    // The network, or a page that closed in the middle of a word.
    End::Left
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::WebCodecs => "webcodecs",
        Mode::Mse => "mse",
        Mode::Still => "still",
    }
}
