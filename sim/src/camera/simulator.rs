//! The simulated cameras together: one RTSP port, its connections, and the handles to disturb them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::{fmt, io};

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clip::{ClipError, ClipStore};
use super::fault::{Fault, FaultSet};
use super::live::LiveFeed;
use super::plan;
use super::session;
use super::spec::{CameraSpec, Profile, Source};

/// Connections served at once; further ones are closed at once. Tests run thousands on one port.
const CONNECTIONS_MAX: usize = 20_000;

/// What can be changed on a camera at run time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Control {
    pub faults: FaultSet,
    /// Counted up to cut every connection of the camera.
    pub cuts: u64,
}

/// What a camera did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// DESCRIBE requests that were answered with a description.
    pub described: u64,
    /// Sessions playing now.
    pub playing: u64,
    /// Sessions set up now, playing or not, and slots still held by ignored TEARDOWNs.
    pub sessions: u64,
    /// PLAY requests accepted.
    pub played: u64,
    /// Access units and bytes written.
    pub units: u64,
    pub bytes: u64,
    /// Times a slow viewer was moved on to a key frame.
    pub skips: u64,
}

/// The same, being counted.
#[derive(Debug, Default)]
pub struct Counters {
    pub described: AtomicU64,
    pub playing: AtomicU64,
    pub sessions: AtomicU64,
    pub played: AtomicU64,
    pub units: AtomicU64,
    pub bytes: AtomicU64,
    pub skips: AtomicU64,
}

impl Counters {
    fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            described: read(&self.described),
            playing: read(&self.playing),
            sessions: read(&self.sessions),
            played: read(&self.played),
            units: read(&self.units),
            bytes: read(&self.bytes),
            skips: read(&self.skips),
        }
    }
}

/// One camera in service.
pub struct Camera {
    pub spec: CameraSpec,
    pub control: watch::Sender<Control>,
    pub counters: Counters,
    main: Arc<LiveFeed>,
    sub: Arc<LiveFeed>,
}

impl Camera {
    fn new(spec: CameraSpec, shutdown: &CancellationToken) -> Self {
        let faults = spec.faults.iter().copied().collect();
        let (control, watching) = watch::channel(Control { faults, cuts: 0 });
        let scene = match &spec.source {
            Source::Live { scene } | Source::Looped { scene, .. } => *scene,
            Source::File { .. } => 0,
        };
        let feed = |profile| {
            let coding = plan::coding(&spec, profile);
            Arc::new(LiveFeed::new(scene, spec.code.clone(), coding, watching.clone(), shutdown.clone()))
        };
        let (main, sub) = (feed(Profile::Main), feed(Profile::Sub));
        Self { spec, control, counters: Counters::default(), main, sub }
    }

    pub fn faults(&self) -> FaultSet {
        self.control.borrow().faults
    }

    pub fn live(&self, profile: Profile) -> Arc<LiveFeed> {
        match profile {
            Profile::Main => Arc::clone(&self.main),
            Profile::Sub => Arc::clone(&self.sub),
        }
    }
}

/// What every connection shares.
pub struct Hall {
    pub cameras: BTreeMap<String, Arc<Camera>>,
    pub clips: ClipStore,
    pub shutdown: CancellationToken,
    /// Address in the URLs that are handed out.
    pub addr: SocketAddr,
}

/// Why the simulator did not start or a camera was not found.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("cannot listen on {addr}")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("camera code `{0}` is not made of letters, digits, `-` and `_`")]
    BadCode(String),
    #[error("camera code `{0}` is given twice")]
    TwiceCode(String),
    #[error("no camera `{0}`")]
    NoCamera(String),
    #[error("cannot prepare camera `{code}`")]
    Prepare { code: String, source: ClipError },
}

/// Simulated cameras on one port. Dropping it ends them.
pub struct Simulator {
    hall: Arc<Hall>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("addr", &self.hall.addr).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Listens on `addr` (port 0 takes a free one) and serves `specs`.
    pub async fn start(addr: SocketAddr, specs: Vec<CameraSpec>) -> Result<Self, SimulatorError> {
        let shutdown = CancellationToken::new();
        let mut cameras = BTreeMap::new();
        for spec in specs {
            let code = spec.code.clone();
            if code.is_empty() || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
                return Err(SimulatorError::BadCode(code));
            }
            if cameras.insert(code.clone(), Arc::new(Camera::new(spec, &shutdown))).is_some() {
                return Err(SimulatorError::TwiceCode(code));
            }
        }
        let listener = listen(addr).await?;
        let addr = listener.local_addr().map_err(|source| SimulatorError::Listen { addr, source })?;
        let hall = Arc::new(Hall { cameras, clips: ClipStore::default(), shutdown, addr });
        let accepting = tokio::spawn(accept(Arc::clone(&hall), listener));
        Ok(Self { hall, listening: Mutex::new(Some(accepting)) })
    }

    pub fn port(&self) -> u16 {
        self.hall.addr.port()
    }

    /// URL of a stream, without credentials.
    pub fn url(&self, code: &str, profile: Profile) -> String {
        format!("rtsp://{}/cam/{code}/{}", self.hall.addr, profile.name())
    }

    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.hall.cameras.keys().map(String::as_str)
    }

    pub fn camera(&self, code: &str) -> Result<CameraHandle, SimulatorError> {
        let camera = self.hall.cameras.get(code).ok_or_else(|| SimulatorError::NoCamera(code.to_owned()))?;
        Ok(CameraHandle { camera: Arc::clone(camera) })
    }

    /// Codes or reads every loop now, so that the first viewer need not wait for it.
    pub async fn prepare(&self) -> Result<(), SimulatorError> {
        for camera in self.hall.cameras.values() {
            for profile in [Profile::Main, Profile::Sub] {
                if let Some(key) = plan::loop_key(&camera.spec, profile, camera.faults()) {
                    let failed = |source| SimulatorError::Prepare { code: camera.spec.code.clone(), source };
                    self.hall.clips.clip(&key).await.map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// Cuts the power of the whole site: the port refuses connections and every session is cut.
    pub async fn power_off(&self) {
        let accepting = self.listening.lock().expect("no holder of this lock panics").take();
        if let Some(accepting) = accepting {
            accepting.abort();
            // Waits until the listening socket is closed; the task's own end is no news.
            let _ = accepting.await;
        }
        for code in self.hall.cameras.values() {
            code.control.send_modify(|control| control.cuts += 1);
        }
    }

    /// Power back: listens on the same port again.
    pub async fn power_on(&self) -> Result<(), SimulatorError> {
        let listener = listen(self.hall.addr).await?;
        let accepting = tokio::spawn(accept(Arc::clone(&self.hall), listener));
        let before = self.listening.lock().expect("no holder of this lock panics").replace(accepting);
        if let Some(before) = before {
            before.abort();
        }
        Ok(())
    }

    /// Ends all connections and encoders.
    pub fn shutdown(&self) {
        self.hall.shutdown.cancel();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// One camera, to disturb and to observe.
#[derive(Clone)]
pub struct CameraHandle {
    camera: Arc<Camera>,
}

impl CameraHandle {
    pub fn set_fault(&self, fault: Fault) {
        self.camera.control.send_modify(|control| control.faults.set(fault));
    }

    pub fn clear_fault(&self, fault: Fault) {
        self.camera.control.send_modify(|control| control.faults.clear(fault));
    }

    pub fn clear_faults(&self) {
        self.camera.control.send_modify(|control| control.faults = FaultSet::default());
    }

    pub fn faults(&self) -> Vec<Fault> {
        self.camera.faults().list()
    }

    /// Closes every connection of the camera; new ones are welcome.
    pub fn cut(&self) {
        self.camera.control.send_modify(|control| control.cuts += 1);
    }

    pub fn counts(&self) -> Counts {
        self.camera.counters.read()
    }

    pub fn spec(&self) -> &CameraSpec {
        &self.camera.spec
    }
}

async fn listen(addr: SocketAddr) -> Result<TcpListener, SimulatorError> {
    TcpListener::bind(addr).await.map_err(|source| SimulatorError::Listen { addr, source })
}

async fn accept(hall: Arc<Hall>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = hall.shutdown.cancelled() => return,
        };
        match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok((stream, _)), Ok(place)) => {
                let hall = Arc::clone(&hall);
                tokio::spawn(async move {
                    session::serve(hall, stream).await;
                    drop(place);
                });
            }
            (Ok(_), Err(_)) => tracing::warn!("too many connections, one closed"),
            (Err(error), _) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}
