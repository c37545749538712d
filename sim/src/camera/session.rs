//! One RTSP connection: requests, the session they set up, and the media that goes out beside the answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::auth;
use super::fault::{Fault, FaultSet};
use super::message::{Answer, ReadError, Reader, Request};
use super::outlet::{Outlet, Track};
use super::plan::{Plan, plan};
use super::playback::{Ended, Playback, Sample};
use super::sdp;
use super::simulator::{Camera, Control, Hall};
use super::slot::{Playing, Slot};
use super::spec::Profile;

/// A session without requests is closed after this long; players are told and keep it alive.
const SESSION_TIMEOUT: Duration = Duration::from_secs(60);
/// A peer that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two bytes of a slow-loris answer.
const DRIP: Duration = Duration::from_millis(100);

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("cannot read a request")]
    Read(#[from] ReadError),
    #[error("cannot write to the client")]
    Write(#[from] std::io::Error),
    #[error("client took nothing for {} s", WRITE_TIMEOUT.as_secs())]
    Stuck,
    #[error("client sent no request for {} s", SESSION_TIMEOUT.as_secs())]
    Silent,
    #[error("pictures ended")]
    Media(#[from] Ended),
    #[error("camera was cut off")]
    Cut,
    #[error("session was torn down")]
    TornDown,
}

/// Serves one connection to its end.
pub async fn serve(hall: Arc<Hall>, stream: TcpStream) {
    let shutdown = hall.shutdown.clone();
    // Without it, the last packets of a picture wait for the peer's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY on a connection");
    }
    let (read, write) = stream.into_split();
    let mut connection = Connection {
        hall,
        reader: Reader::new(read),
        write,
        nonce: format!("{:032x}", rand::random::<u128>()),
        id: format!("{:016X}", rand::random::<u64>()),
        camera: None,
        plan: None,
        outlet: None,
        slot: None,
        playback: None,
        playing: None,
        last_request: Instant::now(),
    };
    let end = tokio::select! {
        end = connection.run() => end,
        () = shutdown.cancelled() => return,
    };
    tracing::debug!(reason = %crate::chain(&end), "camera connection ended");
    connection.keep_slot_if_ignored();
}

struct Connection {
    hall: Arc<Hall>,
    reader: Reader,
    write: OwnedWriteHalf,
    nonce: String,
    /// Session identifier.
    id: String,
    /// Known from the first URL on.
    camera: Option<Watched>,
    plan: Option<(Profile, Plan)>,
    outlet: Option<Outlet>,
    slot: Option<Slot>,
    playback: Option<Playback>,
    playing: Option<Playing>,
    last_request: Instant,
}

struct Watched {
    camera: Arc<Camera>,
    control: watch::Receiver<Control>,
    cuts: u64,
}

/// What woke the connection.
enum Event {
    Request(Result<Request, ReadError>),
    Sample(Result<Sample, Ended>),
    Control,
    Silence,
}

impl Connection {
    async fn run(&mut self) -> End {
        loop {
            let event = self.event().await;
            let step = match event {
                Event::Request(Ok(request)) => self.request(&request).await,
                Event::Request(Err(error)) => Err(End::Read(error)),
                Event::Sample(Ok(sample)) => self.send(sample).await,
                Event::Sample(Err(ended)) => Err(End::Media(ended)),
                Event::Control => self.controlled().await,
                Event::Silence => Err(End::Silent),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn event(&mut self) -> Event {
        let stalled = self.faults().has(Fault::Stall);
        let next = async {
            match &mut self.playback {
                Some(playback) if !stalled => playback.next().await,
                Some(_) | None => std::future::pending().await,
            }
        };
        let changed = async {
            match &mut self.camera {
                Some(watched) => watched.control.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = changed => Event::Control,
            request = timeout_at(self.last_request + SESSION_TIMEOUT, self.reader.next()) => match request {
                Ok(request) => Event::Request(request),
                Err(_) => Event::Silence,
            },
            sample = next => Event::Sample(sample),
        }
    }

    fn faults(&self) -> FaultSet {
        self.camera.as_ref().map(|watched| watched.camera.faults()).unwrap_or_default()
    }

    /// Acts on faults that concern the connection as a whole.
    async fn controlled(&mut self) -> Result<(), End> {
        let Some(watched) = &mut self.camera else { return Ok(()) };
        let control = *watched.control.borrow_and_update();
        if control.cuts != watched.cuts || control.faults.has(Fault::PoweredOff) {
            return Err(End::Cut);
        }
        if control.faults.has(Fault::HalfOpen) {
            // Neither reads nor writes; a cut or the end of the fault closes the socket.
            let cuts = watched.cuts;
            let over = |control: &Control| !control.faults.has(Fault::HalfOpen) || control.cuts != cuts;
            // The sender lives as long as the camera, which we hold.
            let _ = watched.control.wait_for(over).await;
            return Err(End::Cut);
        }
        if control.faults.has(Fault::ParameterChange) {
            self.prepare_other_loop().await;
        }
        Ok(())
    }

    async fn prepare_other_loop(&mut self) {
        let (Some(watched), Some((profile, plan)), Some(outlet)) =
            (&self.camera, &self.plan, &mut self.outlet)
        else {
            return;
        };
        let camera = &watched.camera;
        outlet.prepare_change(camera, *profile, plan, &self.hall.clips).await;
    }

    async fn send(&mut self, sample: Sample) -> Result<(), End> {
        let (Some(watched), Some(outlet), Some(playback)) =
            (&self.camera, &mut self.outlet, &mut self.playback)
        else {
            return Ok(());
        };
        let counters = &watched.camera.counters;
        let bytes = outlet.packets(&sample, watched.camera.faults(), playback);
        write_all(&mut self.write, bytes).await?;
        counters.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        counters.units.fetch_add(1, Ordering::Relaxed);
        if playback.skips > 0 {
            counters.skips.fetch_add(std::mem::take(&mut playback.skips), Ordering::Relaxed);
        }
        Ok(())
    }

    async fn request(&mut self, request: &Request) -> Result<(), End> {
        self.last_request = Instant::now();
        let target = Target::of(request.path());
        if self.camera.is_none() {
            self.meet(target.as_ref());
            self.controlled().await?;
        }
        let faults = self.faults();
        if request.method == "DESCRIBE" && faults.has(Fault::Garbage) {
            let noise: Vec<u8> = (0..400).map(|_| rand::random()).collect();
            write_all(&mut self.write, &noise).await?;
            return Err(End::Cut);
        }
        if request.method == "TEARDOWN" && faults.has(Fault::TeardownIgnored) {
            return Ok(());
        }
        let answer = self.answer(request, target.as_ref()).await;
        let bytes = answer.encode(request);
        if faults.has(Fault::SlowLoris) {
            for byte in bytes.chunks(1) {
                write_all(&mut self.write, byte).await?;
                sleep(DRIP).await;
            }
        } else {
            write_all(&mut self.write, &bytes).await?;
        }
        if request.method == "TEARDOWN" { Err(End::TornDown) } else { Ok(()) }
    }

    /// Finds the camera the first time a URL names one.
    fn meet(&mut self, target: Option<&Target>) {
        if let Some(camera) = target.and_then(|target| self.hall.cameras.get(&target.code)) {
            let mut control = camera.control.subscribe();
            control.mark_changed();
            let cuts = control.borrow().cuts;
            self.camera = Some(Watched { camera: Arc::clone(camera), control, cuts });
        }
    }

    async fn answer(&mut self, request: &Request, target: Option<&Target>) -> Answer {
        if request.method == "OPTIONS" {
            const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN";
            return Answer::ok().with("Public", METHODS);
        }
        let Some(camera) = self.camera.as_ref().map(|watched| Arc::clone(&watched.camera)) else {
            return Answer::new("404 Not Found");
        };
        let refused = self.faults().has(Fault::RefuseCredentials);
        let admitted =
            camera.spec.credentials.as_ref().is_none_or(|wanted| wanted.admit(request, &self.nonce));
        if refused || !admitted {
            let scheme = camera.spec.credentials.as_ref().map(|wanted| wanted.scheme).unwrap_or_default();
            return auth::challenge(scheme, &self.nonce);
        }
        let known = request.header("Session").is_none_or(|id| id.split(';').next() == Some(&self.id));
        match (request.method.as_str(), target.filter(|target| target.code == camera.spec.code)) {
            ("DESCRIBE", Some(target)) => self.describe(request, &camera, target.profile).await,
            ("SETUP", Some(target)) => self.setup(request, &camera, target).await,
            (_, _) if !known || self.outlet.is_none() => Answer::new("454 Session Not Found"),
            ("PLAY", _) => self.play(request, &camera),
            ("GET_PARAMETER" | "SET_PARAMETER", _) => Answer::ok().with("Session", self.id.clone()),
            ("TEARDOWN", _) => {
                self.playback = None;
                Answer::ok().with("Session", self.id.clone())
            }
            (_, _) => Answer::new("405 Method Not Allowed"),
        }
    }

    async fn planned(&mut self, camera: &Camera, profile: Profile) -> Result<Plan, Answer> {
        if let Some((known, plan)) = &self.plan
            && *known == profile
        {
            return Ok(plan.clone());
        }
        match plan(camera, profile, &self.hall.clips).await {
            Ok(plan) => {
                self.plan = Some((profile, plan.clone()));
                Ok(plan)
            }
            Err(error) => {
                tracing::error!(code = %camera.spec.code, error = %crate::chain(&error), "camera has no pictures");
                Err(Answer::new("500 Internal Server Error"))
            }
        }
    }

    async fn describe(&mut self, request: &Request, camera: &Camera, profile: Profile) -> Answer {
        self.plan = None;
        let plan = match self.planned(camera, profile).await {
            Ok(plan) => plan,
            Err(answer) => return answer,
        };
        let with_sets = !camera.faults().has(Fault::NoParameterSets);
        let sdp = sdp::describe(&camera.spec.code, &plan.parameters, with_sets, plan.audio.as_deref());
        camera.counters.described.fetch_add(1, Ordering::Relaxed);
        let base = format!("{}/", request.url.trim_end_matches('/'));
        Answer::ok().with("Content-Base", base).body("application/sdp", sdp)
    }

    async fn setup(&mut self, request: &Request, camera: &Arc<Camera>, target: &Target) -> Answer {
        let transport = request.header("Transport").unwrap_or_default();
        if !transport.contains("RTP/AVP/TCP") {
            return Answer::new("461 Unsupported Transport");
        }
        let plan = match self.planned(camera, target.profile).await {
            Ok(plan) => plan,
            Err(answer) => return answer,
        };
        let track = match (target.track.as_deref(), &plan.audio) {
            (None | Some(sdp::VIDEO_TRACK), _) => Track::Video,
            (Some(sdp::AUDIO_TRACK), Some(_)) => Track::Audio,
            (Some(_), _) => return Answer::new("404 Not Found"),
        };
        if self.slot.is_none() {
            self.slot = Slot::take(camera);
        }
        if self.slot.is_none() {
            return Answer::new("453 Not Enough Bandwidth");
        }
        let wanted = transport.split(';').find_map(|part| part.trim().strip_prefix("interleaved="));
        let wanted = wanted.and_then(|range| range.split('-').next()).and_then(|first| first.parse().ok());
        let outlet = self.outlet.get_or_insert_with(Outlet::default);
        let (channel, ssrc) = outlet.set_up(track, wanted, plan.audio.as_ref().map_or(0, |audio| audio.rate));
        let transport =
            format!("RTP/AVP/TCP;unicast;interleaved={channel}-{};ssrc={ssrc:08X}", channel.wrapping_add(1));
        let session = format!("{};timeout={}", self.id, SESSION_TIMEOUT.as_secs());
        Answer::ok().with("Transport", transport).with("Session", session)
    }

    fn play(&mut self, request: &Request, camera: &Arc<Camera>) -> Answer {
        let (Some((_, plan)), Some(outlet)) = (&self.plan, &self.outlet) else {
            return Answer::new("455 Method Not Valid in This State");
        };
        let faults = camera.faults();
        let playback = self.playback.get_or_insert_with(|| {
            Playback::start(plan, faults.has(Fault::LateKeyFrame), outlet.has_audio())
        });
        self.playing.get_or_insert_with(|| Playing::start(camera));
        if let Some(watched) = &mut self.camera {
            // Faults that need preparation are looked at again, now that there is something to disturb.
            watched.control.mark_changed();
        }
        Answer::ok()
            .with("Session", self.id.clone())
            .with("Range", "npt=now-")
            .with("RTP-Info", outlet.rtp_info(&request.url, playback.start_90k, faults))
    }

    /// A camera that ignores TEARDOWN also holds the session's slot after the connection.
    fn keep_slot_if_ignored(&mut self) {
        let ignored = self.faults().has(Fault::TeardownIgnored);
        if let Some(slot) = self.slot.take().filter(|_| ignored) {
            slot.release_late(self.hall.shutdown.clone());
        }
    }
}

/// What a URL's path names: `/cam/CODE/PROFILE` and perhaps a track.
struct Target {
    code: String,
    profile: Profile,
    track: Option<String>,
}

impl Target {
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.trim_end_matches('/').split('/').skip(1);
        let (Some("cam"), Some(code), Some(profile)) = (parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        let profile = [Profile::Main, Profile::Sub].into_iter().find(|known| known.name() == profile)?;
        Some(Self { code: code.to_owned(), profile, track: parts.next().map(str::to_owned) })
    }
}

async fn write_all(write: &mut OwnedWriteHalf, bytes: &[u8]) -> Result<(), End> {
    Ok(timeout(WRITE_TIMEOUT, write.write_all(bytes)).await.map_err(|_| End::Stuck)??)
}
