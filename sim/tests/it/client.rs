//! What the tests share: a simulator of one camera, a retina client, a bare RTSP socket, a decoder.

use std::time::Duration;

use ffmpeg_next as ffmpeg;
use futures_util::StreamExt;
use retina::client::{
    Credentials, Demuxed, PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions, Transport,
};
use retina::codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame};
use sim::camera::{CameraHandle, CameraSpec, Codec, Profile, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing in these tests may take longer: the first answer of a camera waits until its loop is drawn and coded, beside
/// whatever else the machine does.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// One camera on a free port.
pub async fn one(spec: CameraSpec) -> (Simulator, CameraHandle) {
    let code = spec.code.clone();
    let simulator = Simulator::start("127.0.0.1:0".parse().unwrap(), vec![spec]).await.unwrap();
    let handle = simulator.camera(&code).unwrap();
    (simulator, handle)
}

/// A camera pulled through retina, frames in Annex B with parameter sets.
pub struct Pull {
    demuxed: Demuxed,
    /// Size said by the SDP, when it carries parameter sets.
    pub described_size: Option<(u32, u32)>,
}

impl Pull {
    pub async fn open(url: &str, login: Option<(&str, &str)>) -> Result<Self, retina::Error> {
        timeout(PATIENCE, Self::dial(url, login)).await.expect("the camera answers in time")
    }

    async fn dial(url: &str, login: Option<(&str, &str)>) -> Result<Self, retina::Error> {
        let creds = login.map(|(username, password)| Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        });
        let mut session =
            Session::describe(url.parse().unwrap(), SessionOptions::default().creds(creds)).await?;
        let described_size = size(session.streams()[0].parameters());
        for stream in 0..session.streams().len() {
            let tcp = Transport::Tcp(TcpTransportOptions::default());
            let options = SetupOptions::default().transport(tcp).frame_format(FrameFormat::SIMPLE);
            session.setup(stream, options).await?;
        }
        let demuxed = session.play(PlayOptions::default()).await?.demuxed()?;
        Ok(Self { demuxed, described_size })
    }

    pub async fn item(&mut self) -> Result<CodecItem, retina::Error> {
        timeout(PATIENCE, self.demuxed.next())
            .await
            .expect("an item comes in time")
            .expect("the stream goes on")
    }

    /// The next picture.
    pub async fn frame(&mut self) -> Result<VideoFrame, retina::Error> {
        loop {
            if let CodecItem::VideoFrame(frame) = self.item().await? {
                return Ok(frame);
            }
        }
    }

    /// The next pictures.
    pub async fn frames(&mut self, count: usize) -> Vec<VideoFrame> {
        let mut frames = Vec::new();
        while frames.len() < count {
            frames.push(self.frame().await.unwrap());
        }
        frames
    }

    /// Size of the pictures now.
    pub fn size(&self) -> Option<(u32, u32)> {
        size(self.demuxed.streams()[0].parameters())
    }
}

fn size(parameters: Option<ParametersRef<'_>>) -> Option<(u32, u32)> {
    match parameters? {
        ParametersRef::Video(video) => Some(video.pixel_dimensions()),
        _ => None,
    }
}

pub async fn pull(simulator: &Simulator, handle: &CameraHandle) -> Pull {
    Pull::open(&simulator.url(&handle.spec().code, Profile::Sub), None).await.unwrap()
}

/// Types of the NAL units of an Annex B picture.
pub fn nal_types(codec: Codec, picture: &[u8]) -> Vec<u8> {
    sim::camera::nal::split_annex_b(picture)
        .into_iter()
        .map(|nal| match codec {
            Codec::H264 => nal[0] & 0x1f,
            Codec::H265 => nal[0] >> 1 & 0x3f,
        })
        .collect()
}

/// FFmpeg's decoder.
pub struct Decoder(ffmpeg::decoder::Video);

impl Decoder {
    pub fn new(codec: Codec) -> Self {
        let id = match codec {
            Codec::H264 => ffmpeg::codec::Id::H264,
            Codec::H265 => ffmpeg::codec::Id::HEVC,
        };
        let codec = ffmpeg::decoder::find(id).unwrap();
        let opened = ffmpeg::codec::Context::new_with_codec(codec).decoder().open_as(codec).unwrap();
        Self(opened.video().unwrap())
    }

    /// Pictures that came out after putting one in.
    pub fn decode(&mut self, picture: &[u8]) -> Vec<ffmpeg::frame::Video> {
        self.0.send_packet(&ffmpeg::Packet::copy(picture)).unwrap();
        let mut frames = Vec::new();
        let mut frame = ffmpeg::frame::Video::empty();
        while self.0.receive_frame(&mut frame).is_ok() {
            frames.push(std::mem::replace(&mut frame, ffmpeg::frame::Video::empty()));
        }
        frames
    }
}

/// RTSP by hand.
pub struct Bare {
    pub stream: TcpStream,
    number: u32,
}

impl Bare {
    pub async fn connect(simulator: &Simulator) -> Self {
        Self { stream: TcpStream::connect(("127.0.0.1", simulator.port())).await.unwrap(), number: 0 }
    }

    pub async fn send(&mut self, method: &str, url: &str, headers: &str) {
        self.number += 1;
        let text = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n{headers}\r\n", self.number);
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends a request and gives the head of its answer, media passed over.
    pub async fn ask(&mut self, method: &str, url: &str, headers: &str) -> String {
        self.send(method, url, headers).await;
        timeout(PATIENCE, self.answer()).await.expect("an answer comes in time")
    }

    async fn answer(&mut self) -> String {
        loop {
            match self.stream.read_u8().await.unwrap() {
                b'$' => {
                    self.stream.read_u8().await.unwrap();
                    let mut packet = vec![0; usize::from(self.stream.read_u16().await.unwrap())];
                    self.stream.read_exact(&mut packet).await.unwrap();
                }
                first => {
                    let mut head = vec![first];
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(self.stream.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap();
                    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                    self.stream.read_exact(&mut body).await.unwrap();
                    return head;
                }
            }
        }
    }

    /// Sets up and plays the video; gives the session's identifier.
    pub async fn play(&mut self, url: &str) -> String {
        let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        let answer = self.ask("SETUP", &format!("{url}/track0"), transport).await;
        let session = answer.lines().find_map(|line| line.strip_prefix("Session: ")).expect(&answer);
        let session = session.split(';').next().unwrap().to_owned();
        let answer = self.ask("PLAY", url, &format!("Session: {session}\r\n")).await;
        assert!(answer.starts_with("RTSP/1.0 200"), "{answer}");
        session
    }

    /// Bytes that come within `span`; `None` when the peer closed or reset the connection.
    pub async fn bytes_within(&mut self, span: Duration) -> Option<usize> {
        let until = tokio::time::Instant::now() + span;
        let mut buffer = vec![0; 64 * 1024];
        let mut total = 0;
        loop {
            match tokio::time::timeout_at(until, self.stream.read(&mut buffer)).await {
                Err(_) => return Some(total),
                Ok(Ok(0) | Err(_)) => return None,
                Ok(Ok(count)) => total += count,
            }
        }
    }
}
