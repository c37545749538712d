//! A drawn camera coded as it happens, with a true clock: one encoder, however many watch, none when nobody does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::canvas::Canvas;
use super::clock;
use super::encode::{Coding, EncodeError, Encoder};
use super::fault::Fault;
use super::nal::{AccessUnit, Parameters};
use super::plan;
use super::scene::{Overlay, Scene};
use super::simulator::Control;

/// Pictures that may wait for a viewer: four seconds at 15 a second. Past that he skips to a key frame.
const WAITING_UNITS_MAX: usize = 64;
/// How long the encoder runs on for nobody, so that DESCRIBE and PLAY meet the same one.
const LINGER: Duration = Duration::from_secs(3);
/// Time between two picture sizes under `ParameterChange`.
pub const CHANGE_EVERY: Duration = Duration::from_secs(4);

/// One live camera profile.
pub struct LiveFeed {
    scene: u32,
    label: String,
    coding: Coding,
    control: watch::Receiver<Control>,
    /// Way to the viewers of the running encoder; nothing while none runs.
    running: Mutex<Option<broadcast::Sender<Arc<AccessUnit>>>>,
    key_wanted: AtomicBool,
    /// Sets the encoder gave last, and the coding they belong to.
    known: Mutex<Option<(Coding, Arc<Parameters>)>>,
    shutdown: CancellationToken,
}

impl LiveFeed {
    pub fn new(
        scene: u32,
        label: String,
        coding: Coding,
        control: watch::Receiver<Control>,
        shutdown: CancellationToken,
    ) -> Self {
        let (running, known) = (Mutex::new(None), Mutex::new(None));
        Self { scene, label, coding, control, running, key_wanted: AtomicBool::new(false), known, shutdown }
    }

    /// Parameter sets as of now; the first time, waits for the encoder's first picture.
    pub async fn parameters(self: &Arc<Self>) -> Result<Arc<Parameters>, EncodeError> {
        let coding = self.coding_now();
        if let Some((known, parameters)) = &*self.known.lock().expect("no holder of this lock panics")
            && *known == coding
        {
            return Ok(Arc::clone(parameters));
        }
        let first = self.subscribe().recv().await.map_err(|_| EncodeError::Cancelled)?;
        Ok(Arc::clone(&first.parameters))
    }

    /// Joins the viewers, starting the encoder if it does not run.
    pub fn subscribe(self: &Arc<Self>) -> broadcast::Receiver<Arc<AccessUnit>> {
        let mut running = self.running.lock().expect("no holder of this lock panics");
        if let Some(sender) = &*running {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(WAITING_UNITS_MAX);
        let feed = Arc::clone(self);
        let publish = sender.clone();
        let started = thread::Builder::new().name("live camera".to_owned()).spawn(move || {
            if let Err(error) = feed.run(&publish) {
                tracing::error!(label = %feed.label, error = %crate::chain(&error), "live camera stopped");
                *feed.running.lock().expect("no holder of this lock panics") = None;
            }
        });
        match started {
            Ok(_) => *running = Some(sender),
            Err(error) => tracing::error!(%error, "no thread for a live camera"),
        }
        receiver
    }

    /// Asks for a key frame as soon as possible.
    pub fn want_key(&self) {
        self.key_wanted.store(true, Ordering::Relaxed);
    }

    fn run(&self, publish: &broadcast::Sender<Arc<AccessUnit>>) -> Result<(), EncodeError> {
        let mut watched = Instant::now();
        loop {
            let coding = self.coding_now();
            let mut take = Take::start(self, &coding)?;
            while self.coding_now() == coding {
                if self.shutdown.is_cancelled() {
                    return Ok(());
                }
                if publish.receiver_count() > 0 {
                    watched = Instant::now();
                } else if watched.elapsed() > LINGER && self.retire(publish) {
                    return Ok(());
                }
                for unit in take.next(self.key_wanted.swap(false, Ordering::Relaxed))? {
                    if unit.key {
                        let known = (coding.clone(), Arc::clone(&unit.parameters));
                        *self.known.lock().expect("no holder of this lock panics") = Some(known);
                    }
                    // No viewer just now is no failure.
                    let _ = publish.send(Arc::new(unit));
                }
                take.wait();
            }
        }
    }

    /// Stops unless somebody joined in the meantime.
    fn retire(&self, publish: &broadcast::Sender<Arc<AccessUnit>>) -> bool {
        let mut running = self.running.lock().expect("no holder of this lock panics");
        let nobody = publish.receiver_count() == 0;
        if nobody {
            *running = None;
        }
        nobody
    }

    /// How to code under the faults in force; the picture size alternates with time under `ParameterChange`.
    fn coding_now(&self) -> Coding {
        let faults = self.control.borrow().faults;
        let coding = plan::coding_under(&self.coding, faults);
        let turn = clock::unix_ms() / CHANGE_EVERY.as_millis() as u64;
        if faults.has(Fault::ParameterChange) && turn % 2 == 1 { plan::other_size(&coding) } else { coding }
    }
}

/// Pictures of one encoder, paced by the clock.
struct Take {
    scene: Scene,
    canvas: Canvas,
    encoder: Encoder,
    label: String,
    fps: u32,
    started: Instant,
    started_ms: u64,
    /// Number of the next picture, counted in picture intervals since the start.
    index: i64,
}

impl Take {
    fn start(feed: &LiveFeed, coding: &Coding) -> Result<Self, EncodeError> {
        Ok(Self {
            scene: Scene::new(feed.scene, coding.width, coding.height),
            canvas: Canvas::new(coding.width, coding.height),
            encoder: Encoder::open(coding)?,
            label: feed.label.clone(),
            fps: coding.fps,
            started: Instant::now(),
            started_ms: clock::unix_ms(),
            index: 0,
        })
    }

    /// Draws and codes the picture of this moment.
    fn next(&mut self, key: bool) -> Result<Vec<AccessUnit>, EncodeError> {
        let now_ms = clock::unix_ms();
        let overlay = Overlay {
            label: self.label.clone(),
            clock: Some(clock::local_text(now_ms)),
            strip_ms: Some(now_ms),
        };
        self.scene.draw(&mut self.canvas, now_ms, clock::local_hour(now_ms), &overlay);
        let mut units = self.encoder.encode(&self.canvas, self.index, key)?;
        for unit in &mut units {
            unit.pts_90k += self.started_ms as i64 * 90;
        }
        Ok(units)
    }

    /// Sleeps until the next picture is due; pictures that are over already are left out.
    fn wait(&mut self) {
        let passed = self.started.elapsed().as_nanos() as i64 * i64::from(self.fps) / 1_000_000_000;
        self.index = passed.max(self.index) + 1;
        let due = Duration::from_secs(1) * self.index as u32 / self.fps;
        thread::sleep(due.saturating_sub(self.started.elapsed()));
    }
}
