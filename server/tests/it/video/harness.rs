//! A server with simulated cameras on loopback, and a page that checks every message against the protocol.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use server::clock::Clock;
use server::video::origin::adopted::InMemory;
use server::video::origin::list;
use server::video::{Config, Registry, Video, router};
use sim::camera::{CameraSpec, Simulator};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A server with the cameras of one simulator.
pub struct Hall {
    pub cameras: Simulator,
    pub video: Video,
    pub addr: SocketAddr,
}

impl Hall {
    pub async fn start(specs: Vec<CameraSpec>) -> Self {
        Self::start_with(Config::default(), specs).await
    }

    pub async fn start_with(config: Config, specs: Vec<CameraSpec>) -> Self {
        let cameras = Simulator::start("127.0.0.1:0".parse().unwrap(), specs).await.unwrap();
        // Drawn and coded before anybody dials: on a busy machine that takes longer than a camera may take to answer.
        cameras.prepare().await.unwrap();
        let list = sim::camera::registry::to_toml(&cameras).unwrap();
        let (registry, refusals) = list::from_toml(&list).unwrap();
        assert!(refusals.is_empty(), "{refusals:?}");
        let (video, addr) = serve(config, registry).await;
        Self { cameras, video, addr }
    }

    pub async fn page(&self, mode: &str, h265: bool) -> Page {
        Page::connect(self.addr, mode, h265).await
    }
}

/// Serves `registry` on a free port.
pub async fn serve(config: Config, registry: Registry) -> (Video, SocketAddr) {
    config.check().unwrap();
    let video = Video::start(config, registry, Arc::<InMemory>::default(), Clock::machine());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = router(video.clone()).layer(axum::Extension(server::access::Sight::everything()));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (video, addr)
}

/// One message from the server.
#[derive(Debug, Clone)]
pub enum Said {
    Text(Value),
    Media(Media),
}

/// A binary message taken apart.
#[derive(Debug, Clone)]
pub struct Media {
    pub kind: u8,
    pub tile: u16,
    pub seq: u32,
    pub pts_us: i64,
    pub ingest_us: i64,
    pub flags: u8,
    pub payload: Vec<u8>,
}

impl Media {
    pub fn key(&self) -> bool {
        self.flags & 1 != 0
    }

    pub fn catch_up(&self) -> bool {
        self.flags & 2 != 0
    }

    pub fn discontinuity(&self) -> bool {
        self.flags & 4 != 0
    }

    /// Codec string, width and height of a configuration message.
    pub fn configuration(&self) -> (String, u16, u16) {
        let length = usize::from(self.payload[0]);
        let codec = String::from_utf8(self.payload[1..=length].to_vec()).unwrap();
        let number = |at: usize| u16::from_le_bytes(self.payload[at..at + 2].try_into().unwrap());
        (codec, number(length + 1), number(length + 3))
    }
}

#[derive(Default)]
struct Track {
    configured: bool,
    next_seq: Option<u32>,
    dropped: bool,
}

/// A page's end of the video socket. Every media message is held against the rules of `docs/video-protocol.md`.
pub struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    tracks: HashMap<u16, Track>,
}

impl Page {
    pub async fn connect(addr: SocketAddr, mode: &str, h265: bool) -> Self {
        let mut page = Self::connect_silent(addr).await;
        page.say(json!({"hello": {"version": 1, "mode": mode, "h265": h265}})).await;
        let Said::Text(welcome) = page.hear(Duration::from_secs(5)).await.expect("a welcome") else {
            panic!("media before the welcome");
        };
        assert_eq!(welcome["welcome"]["version"], 1, "{welcome}");
        page
    }

    /// Connects without a hello.
    pub async fn connect_silent(addr: SocketAddr) -> Self {
        let url = format!("ws://{addr}/api/v1/video");
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self { socket, tracks: HashMap::new() }
    }

    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub async fn open(&mut self, tile: u16, camera: &str, profile: &str, height: u16) {
        self.say(json!({"open": {"tile": tile, "camera": camera, "profile": profile, "height": height}}))
            .await;
    }

    /// The next message, or none when the time is up or the server has closed.
    pub async fn hear(&mut self, within: Duration) -> Option<Said> {
        self.hear_by(Instant::now() + within).await
    }

    async fn hear_by(&mut self, by: Instant) -> Option<Said> {
        loop {
            match timeout_at(by, self.socket.next()).await.ok()?? {
                Ok(Message::Text(text)) => {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if let Some(tile) = value["dropped"]["tile"].as_u64() {
                        self.tracks.entry(u16::try_from(tile).unwrap()).or_default().dropped = true;
                    }
                    return Some(Said::Text(value));
                }
                Ok(Message::Binary(bytes)) => {
                    let media = take_apart(&bytes);
                    self.check(&media);
                    return Some(Said::Media(media));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code and reason the server closes with.
    pub async fn closed_with(&mut self) -> Option<u16> {
        let by = Instant::now() + Duration::from_secs(5);
        loop {
            match timeout_at(by, self.socket.next()).await.ok()?? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    fn check(&mut self, media: &Media) {
        let track = self.tracks.entry(media.tile).or_default();
        match media.kind {
            1 | 4 => *track = Track { configured: true, ..Track::default() },
            2 | 5 => {
                assert!(track.configured, "a frame before its configuration");
                match track.next_seq {
                    None => assert!(media.key() && media.seq == 0, "first after a configuration: {media:?}"),
                    Some(expected) => assert_eq!(media.seq, expected, "a gap in seq"),
                }
                if std::mem::take(&mut track.dropped) || media.discontinuity() {
                    assert!(media.key(), "a delta after a gap");
                }
                track.next_seq = Some(media.seq + 1);
            }
            3 => assert!(media.payload.starts_with(&[0xff, 0xd8]), "a still is a JPEG"),
            other => panic!("kind {other}"),
        }
    }

    /// Hears until `found` says so; panics with what was heard otherwise.
    pub async fn until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut found: impl FnMut(&Said) -> Option<T>,
    ) -> T {
        let by = Instant::now() + within;
        let mut heard = Vec::new();
        while let Some(said) = self.hear_by(by).await {
            if let Some(result) = found(&said) {
                return result;
            }
            heard.push(match said {
                Said::Text(value) => value.to_string(),
                Said::Media(media) => format!("kind {} seq {} flags {}", media.kind, media.seq, media.flags),
            });
        }
        let last = heard.len().saturating_sub(12);
        panic!("{what}: not within {within:?}; {} messages, last: {:#?}", heard.len(), &heard[last..]);
    }

    /// Waits for the tile to be in `state`; returns the message.
    pub async fn until_state(&mut self, tile: u16, state: &str, within: Duration) -> Value {
        self.until(&format!("state {state}"), within, |said| match said {
            Said::Text(value) if value["state"]["tile"] == tile && value["state"]["state"] == state => {
                Some(value["state"].clone())
            }
            Said::Text(_) | Said::Media(_) => None,
        })
        .await
    }

    /// Waits for `count` media messages of `kind` for the tile.
    pub async fn until_media(&mut self, tile: u16, kind: u8, count: usize, within: Duration) -> Vec<Media> {
        let mut media = Vec::new();
        self.until(&format!("{count} messages of kind {kind}"), within, |said| {
            if let Said::Media(heard) = said
                && heard.tile == tile
                && heard.kind == kind
            {
                media.push(heard.clone());
            }
            (media.len() >= count).then_some(())
        })
        .await;
        media
    }
}

fn take_apart(bytes: &[u8]) -> Media {
    assert!(bytes.len() > 24, "a message of {} bytes", bytes.len());
    Media {
        kind: bytes[0],
        tile: u16::from_le_bytes(bytes[1..3].try_into().unwrap()),
        seq: u32::from_le_bytes(bytes[3..7].try_into().unwrap()),
        pts_us: i64::from_le_bytes(bytes[7..15].try_into().unwrap()),
        ingest_us: i64::from_le_bytes(bytes[15..23].try_into().unwrap()),
        flags: bytes[23],
        payload: bytes[24..].to_vec(),
    }
}

/// Answer of a GET as status, content type and body.
pub async fn get(addr: SocketAddr, path: &str) -> (u16, String, Vec<u8>) {
    let url = format!("http://{addr}{path}");
    tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.get(&url).call().unwrap();
        let kind = answer.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
        (answer.status().as_u16(), kind.unwrap_or_default(), answer.body_mut().read_to_vec().unwrap())
    })
    .await
    .unwrap()
}

pub async fn get_json(addr: SocketAddr, path: &str) -> (u16, Value) {
    let (status, _, body) = get(addr, path).await;
    (status, serde_json::from_slice(&body).unwrap())
}
