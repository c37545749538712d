//! The doors of the measured server as a machine with a token or a person with a session uses them: requests, and greeted live
//! sockets.

use std::io::{Read, Write};
use std::sync::Arc;

use anyhow::Context;
use domain::wire::{ClientMessage, PROTOCOL, Snapshot, Topic};
use futures_util::SinkExt;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Server;

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Requests of one who may come in.
#[derive(Clone)]
pub struct Door {
    pub authority: String,
    /// The headers that say who it is.
    proof: Vec<(&'static str, String)>,
    agent: ureq::Agent,
}

impl Door {
    pub fn new(server: &Server) -> anyhow::Result<Self> {
        Ok(Self::at(server.authority.clone(), &server.machine_token()?))
    }

    /// The doors of a server somebody else has started.
    #[must_use]
    pub fn at(authority: String, token: &str) -> Self {
        Self::proved(authority, vec![("authorization", format!("Bearer {token}"))])
    }

    /// The same as the administrator, whom a page would send the same headers for: some doors are for people alone.
    pub async fn of_administrator(server: &Server) -> anyhow::Result<Self> {
        let (authority, cookie) = (server.authority.clone(), server.cookie.clone());
        let origin = format!("http://{authority}");
        let mut door = Self::proved(authority, vec![("cookie", cookie), ("origin", origin)]);
        let session: Value = serde_json::from_str(&Arc::new(door.clone()).get("/api/v1/session").await?)?;
        let csrf = session["csrf"].as_str().context("a session has no csrf token")?;
        door.proof.push(("x-csrf-token", csrf.to_owned()));
        Ok(door)
    }

    /// The token it comes with; a person has none.
    pub fn token(&self) -> anyhow::Result<&str> {
        let bearer = self.proof.iter().find(|(name, _)| *name == "authorization");
        let token = bearer.and_then(|(_, value)| value.strip_prefix("Bearer "));
        token.context("whoever comes to this door has no token")
    }

    fn proved(authority: String, proof: Vec<(&'static str, String)>) -> Self {
        Self { authority, proof, agent: ureq::Agent::new_with_defaults() }
    }

    /// The request with the headers that say who it is.
    fn prove<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        self.proof.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    pub async fn get(self: &Arc<Self>, path: &str) -> anyhow::Result<String> {
        let bytes = self.get_bytes(path).await?;
        String::from_utf8(bytes).with_context(|| format!("{path} did not answer with text"))
    }

    async fn get_bytes(self: &Arc<Self>, path: &str) -> anyhow::Result<Vec<u8>> {
        let (door, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let url = format!("http://{}{path}", door.authority);
            let answer = door.prove(door.agent.get(&url)).call();
            let answer = answer.with_context(|| format!("cannot read {path}"))?;
            Ok(answer.into_body().with_config().limit(64 << 20).read_to_vec()?)
        })
        .await?
    }

    pub async fn post(self: &Arc<Self>, path: &str, body: Value) -> anyhow::Result<String> {
        let (door, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let url = format!("http://{}{path}", door.authority);
            let request = door.prove(door.agent.post(&url));
            let answer = request.header("content-type", "application/json").send(body.to_string());
            Ok(answer.with_context(|| format!("cannot send to {path}"))?.into_body().read_to_string()?)
        })
        .await?
    }

    pub async fn delete(self: &Arc<Self>, path: &str) -> anyhow::Result<()> {
        let (door, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let url = format!("http://{}{path}", door.authority);
            let answer = door.prove(door.agent.delete(&url)).call();
            answer.with_context(|| format!("cannot delete {path}")).map(drop)
        })
        .await?
    }

    /// A topic's snapshot, as a page takes it.
    pub async fn snapshot(self: &Arc<Self>, topic: &Topic) -> anyhow::Result<Snapshot> {
        let bytes = self.get_bytes(&snapshot_path(topic)).await?;
        Ok(Snapshot::from_bytes(&bytes)?)
    }

    /// What a snapshot weighs on the wire for a browser: headers and compressed body.
    pub fn snapshot_weight(&self, topic: &Topic) -> anyhow::Result<u64> {
        let mut socket = std::net::TcpStream::connect(&self.authority)?;
        write!(socket, "GET {} HTTP/1.1\r\nHost: {}\r\n", snapshot_path(topic), self.authority)?;
        for (name, value) in &self.proof {
            write!(socket, "{name}: {value}\r\n")?;
        }
        write!(socket, "accept-encoding: gzip\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).context("cannot read a snapshot")?;
        anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "a snapshot was not given");
        Ok(answer.len() as u64)
    }

    /// The value of a metric, summed over its labels; 0 before it was first counted.
    pub async fn metric(self: &Arc<Self>, name: &str) -> anyhow::Result<f64> {
        let metrics = self.get("/metrics").await?;
        let of_name = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('{'))
        };
        let value = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
        Ok(metrics.lines().filter(of_name).filter_map(value).sum())
    }

    /// A greeted screen that follows `topics` from nothing.
    pub async fn screen(&self, topics: &[Topic]) -> anyhow::Result<Socket> {
        self.greeted(TcpStream::connect(&self.authority).await?, topics).await
    }

    /// The same with little room for what it does not read, and the port it has.
    pub async fn narrow_screen(&self, topics: &[Topic]) -> anyhow::Result<(Socket, u16)> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 * 1024)?;
        let stream = socket.connect(self.authority.parse()?).await?;
        let port = stream.local_addr()?.port();
        Ok((self.greeted(stream, topics).await?, port))
    }

    /// A socket of the live feed on which nothing has been said yet.
    pub async fn socket(&self) -> anyhow::Result<Socket> {
        self.opened(TcpStream::connect(&self.authority).await?).await
    }

    async fn opened(&self, stream: TcpStream) -> anyhow::Result<Socket> {
        let mut request = format!("ws://{}/live", self.authority).into_client_request()?;
        for (name, value) in &self.proof {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let stream = MaybeTlsStream::Plain(stream);
        let (socket, _) =
            tokio_tungstenite::client_async(request, stream).await.context("a screen was not let in")?;
        Ok(socket)
    }

    async fn greeted(&self, stream: TcpStream, topics: &[Topic]) -> anyhow::Result<Socket> {
        let mut socket = self.opened(stream).await?;
        let hello = ClientMessage::Hello { protocol: PROTOCOL, build: String::new() };
        socket.send(Message::binary(hello.to_bytes())).await?;
        for topic in topics {
            let topic = topic.clone();
            let subscribe = ClientMessage::Subscribe { topic, epoch: None, from: None, max_hz: None };
            socket.send(Message::binary(subscribe.to_bytes())).await?;
        }
        Ok(socket)
    }
}

fn snapshot_path(topic: &Topic) -> String {
    format!("/api/v1/live/snapshot?topic={topic}")
}
