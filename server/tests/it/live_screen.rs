//! A screen of the tests: the product's own client half over a real socket.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use domain::feed::{Act, Follower};
use domain::wire::{ClientMessage, Incoming, PROTOCOL, Payload, ServerMessage, Topic};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::live_hall::{Hall, PATIENCE};

/// The keyed topics of the whole city and its log, as a wall follows them.
pub const TOPICS: [Topic; 5] = [Topic::TALLY, Topic::OVERDUE, Topic::OPEN, Topic::WHISTLE, Topic::CASE];

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    json: bool,
}

impl Client {
    pub async fn open(address: SocketAddr, json: bool) -> Result<Self, tungstenite::Error> {
        let query = if json { "?format=json" } else { "" };
        let url = format!("ws://{address}/live{query}");
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Self { socket, json })
    }

    /// Connects and greets as somebody whose scope is one area.
    pub async fn open_as(address: SocketAddr, area: &str) -> Self {
        let (socket, _) =
            tokio_tungstenite::connect_async(format!("ws://{address}/{area}/live")).await.unwrap();
        let mut client = Self { socket, json: false };
        client.say(&ClientMessage::Hello { protocol: PROTOCOL, build: String::new() }).await;
        client
    }

    /// Connects and greets.
    pub async fn connect(address: SocketAddr, json: bool) -> Self {
        let mut client = Self::open(address, json).await.unwrap();
        assert!(matches!(client.next().await, Some(Incoming::Message(ServerMessage::Welcome { .. }))));
        client.say(&ClientMessage::Hello { protocol: PROTOCOL, build: String::new() }).await;
        client
    }

    pub async fn say(&mut self, message: &ClientMessage) {
        let message = match self.json {
            true => Message::text(serde_json::to_string(message).unwrap()),
            false => Message::binary(message.to_bytes()),
        };
        self.socket.send(message).await.unwrap();
    }

    /// Follows a topic from nothing.
    pub async fn subscribe(&mut self, topic: &Topic) {
        let topic = topic.clone();
        self.say(&ClientMessage::Subscribe { topic, epoch: None, from: None, max_hz: None }).await;
    }

    /// The next message of the protocol; none when the connection has ended.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message comes");
            match message?.ok()? {
                Message::Text(text) => {
                    return Some(Incoming::Message(serde_json::from_str(&text).unwrap()));
                }
                Message::Binary(bytes) => return Some(Incoming::from_bytes(&bytes).unwrap()),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Reads until the connection closes; the close code, if one came.
    pub async fn closed_with(&mut self) -> Option<CloseCode> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the connection ends") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

/// All topics as one screen holds them, and what it has seen of the log.
pub struct Screen {
    pub follower: Follower,
    /// Sequence numbers of the log as received.
    pub seqs: Vec<u64>,
    /// Topics whose hash was compared and agreed.
    pub agreed: BTreeSet<Topic>,
    pub snapshots: usize,
}

impl Screen {
    pub fn new() -> Self {
        Self::following(TOPICS)
    }

    pub fn following(topics: impl IntoIterator<Item = Topic>) -> Self {
        let follower = Follower::new(topics, "");
        Self { follower, seqs: Vec::new(), agreed: BTreeSet::new(), snapshots: 0 }
    }

    /// A new connection, without waiting for what it brings.
    pub async fn connect(&mut self, hall: &Hall, json: bool) -> Client {
        self.follower.lost();
        let mut client = Client::open(hall.address, json).await.unwrap();
        self.follower.connected(0);
        self.act(hall, &mut client).await;
        client
    }

    /// Does what the follower asks for.
    async fn act(&mut self, hall: &Hall, client: &mut Client) {
        while let Some(act) = self.follower.next_act() {
            match act {
                Act::Say(message) => client.say(&message).await,
                Act::Fetch(topic) => {
                    self.snapshots += 1;
                    let snapshot = hall.snapshot(&topic).await;
                    self.follower.fetched(&topic, Some(snapshot), 0, 0.5);
                }
                Act::Changed(_) | Act::Breaking(_) => {}
                Act::GiveUp | Act::Refused { .. } => panic!("{act:?}"),
            }
        }
    }

    /// Takes the next message; any divergence or gap is an error of the server.
    pub async fn step(&mut self, hall: &Hall, client: &mut Client) {
        match client.next().await.expect("the connection goes on") {
            Incoming::Message(message) => {
                self.look_at(&message);
                self.follower.hear(message, 0);
            }
            Incoming::Positions(_) => self.follower.heard_positions(0),
        }
        self.act(hall, client).await;
        let counts = self.follower.counts();
        assert_eq!((counts.divergences, counts.gaps), (0, 0), "{counts:?}");
    }

    fn look_at(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::Deltas { deltas, .. } => {
                for delta in deltas {
                    if let Payload::Case(events) = &delta.payload {
                        self.seqs.extend(events.lines.iter().map(|line| line.seq));
                    }
                }
            }
            ServerMessage::Heartbeat { hashes, head, .. } => {
                for (topic, version, hash) in hashes {
                    let Some((_, own)) = self.follower.stand(topic) else { continue };
                    let until = if topic.kind.counts_events() { *head } else { *version };
                    if (*version..=until.max(*version)).contains(&own) {
                        assert_eq!(self.follower.held().hash(topic.kind), Some(hash.0), "{topic} at {own}");
                        self.agreed.insert(topic.clone());
                    }
                }
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::Resync { .. }
            | ServerMessage::Breaking(_)
            | ServerMessage::Refused { .. } => {}
        }
    }

    /// Version of the log reached.
    pub fn event(&self) -> u64 {
        self.follower.stand(&Topic::CASE).map_or(0, |(_, version)| version)
    }

    /// Follows until the log has reached `seq` and the hashes of all keyed topics have been compared there.
    pub async fn follow_to(&mut self, hall: &Hall, client: &mut Client, seq: u64) {
        let began = tokio::time::Instant::now();
        while self.event() < seq || self.agreed.len() < TOPICS.len() - 1 {
            assert!(began.elapsed() < PATIENCE, "{} of {seq}, {:?}", self.event(), self.agreed);
            self.step(hall, client).await;
            if self.event() < seq {
                self.agreed.clear();
            }
        }
    }

    /// Every event once and in order, from the first one asked for.
    pub fn assert_complete(&self, seq: u64) {
        let first = self.seqs.first().copied().unwrap_or(1);
        assert_eq!(self.seqs, (first..=seq).collect::<Vec<_>>(), "every event once and in order");
    }
}
