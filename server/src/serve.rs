//! `gridhall serve`: start everything in order, serve, stop everything in reverse.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use domain::adoption::{InForce, ListInForce};
use domain::policy::Policy;
use domain::state::State;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cameras::{self, InLog};
use crate::clock::Clock;
use crate::config::Config;
use crate::drill::opening::Home;
use crate::drill::{self, Drills, breaking};
use crate::events::Reader;
use crate::hall::{Hall, Opening, Rooms};
use crate::http;
use crate::lock::lock;
use crate::log::seal::Secret;
use crate::publish::Follow;
use crate::video::origin::adopted;
use crate::video::{Registry, Video};
use crate::world::{Identity, Live, Shown, Worlds};
use crate::writer::Publisher;
use crate::writer::pen::Pen;
use crate::writer::store::{Options, Store};

mod accounts;
mod connections;
mod demonstration;
pub mod seats;
pub mod tune;

pub use demonstration::Demonstration;

/// Requests under way get this long to end when the server stops.
const GRACE: Duration = Duration::from_secs(3);

/// Threads that may block get this long to end with the process.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// Runs the process's one future. What still blocks a thread then, such as a codec that never returns, is left behind:
/// everything acknowledged is on the disk.
pub fn to_its_end<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_GRACE);
    ended
}

/// A started server.
pub struct Running {
    pub hall: Hall,
    /// Where it listens.
    pub address: SocketAddr,
    /// Dropped, it tells every connection to end.
    stop: DropGuard,
    served: tokio::task::JoinHandle<()>,
}

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(config: Config, ready_file: Option<PathBuf>) -> anyhow::Result<()> {
    connections::raise_file_limit(config.server.connections_max);
    let running = start(config).await?;
    announce(&running.hall, running.address, ready_file.as_deref())?;
    until_stopped().await;
    running.stop().await
}

pub use crate::hall::Forms;

/// Opens the store and everything above it, and listens.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    start_as(config, Forms::default()).await
}

/// As [`start`], in the forms of a build that may be another one: for proving what a build to come makes of a store.
pub async fn start_as(config: Config, forms: Forms) -> anyhow::Result<Running> {
    let (file, walls) = (config.load_policy()?, config.walls.load()?);
    config.check_files()?;
    let metrics = metrics_handle()?;
    let machine = Clock::machine();
    let dir = config.store.dir.clone();
    let keys_kept_days = Some(config.store.keys_kept_days);
    let options = Options { keys_kept_days, sections: forms.sections, ..Options::default() };
    let (mut store, state) = Store::open_with(&dir, &file, options)?;
    demonstration::settle(&mut store, state.seq, config.demonstration)?;
    let (clock, shown) = shown(&config, (&store, &state), &machine);
    let policy = state.policy().clone();
    say_whether_it_holds(&file, state.in_force());
    tracing::info!(seq = state.seq, open_cases = state.cases.len(), "store opened");
    let access = accounts::open(&dir, &config.access, &store.reader(), state.seq)?;
    access.set_powers_together(policy.powers_together.is_some());
    accounts::introduce(&access, &dir, machine.now()).await?;
    let listener = tokio::net::TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let address = listener.local_addr().context("cannot see the own address")?;
    let (named, secret) = (state.cameras().cloned(), store.secret());
    let powers = access.clone();
    let follow: Follow = Box::new(move |policy| powers.set_powers_together(policy.powers_together.is_some()));
    let (teller, heard) = breaking::channel();
    let beside: Vec<Box<dyn Publisher<Live>>> = vec![Box::new(teller)];
    let opening =
        Opening { config: &config, store, state, clock: clock.clone(), follow: vec![follow], beside, forms };
    let Rooms { writer, reader, lists, mirror, hub, positions, files } = Rooms::<Live>::open(opening)?;
    let lists_kept = Arc::new(InLog::new(writer.clone(), secret, named.as_ref()));
    let cameras = read_cameras(&config, named, secret, &reader, lists_kept.clone()).await?;
    let video = Video::start(config.video.clone(), cameras, lists_kept, machine.clone());
    let hall = Hall {
        identity: Arc::new(Identity::home(shown.home())),
        config: Arc::new(config),
        walls: Arc::new(walls),
        access,
        at_door: machine,
        writer: Pen::Live(writer),
        reader,
        lists,
        mirror,
        hub,
        positions,
        files,
        video,
        metrics,
        clock,
        shown,
        worlds: Worlds::default(),
        drills: Drills::new(&dir, heard),
    };
    hall.positions.set_works_in(hall.works_in());
    drill::opening::come_back(Home { hall: &hall, answers: http::world_router }).await;
    upkeep(&hall);
    let stop = CancellationToken::new();
    let seats = seats::Seats::new(hall.config.server.connections_max);
    let proxies = hall.config.server.proxies.clone().into();
    let served = connections::serve(listener, http::router(&hall), seats, proxies, stop.clone());
    let served = tokio::spawn(served);
    Ok(Running { hall, address, stop: stop.drop_guard(), served })
}

/// Which world the hall shows, and what it goes by. Cameras are real in every world, and go by the machine's clock as
/// accounts do.
fn shown(config: &Config, (store, state): (&Store, &State), machine: &Clock) -> (Clock, Shown) {
    let Some(demonstration) = config.demonstration else { return (machine.clone(), Shown::Live) };
    let (clock, driver) = demonstration.clock(store, state, machine);
    tracing::warn!(now = %clock.now().local(state.policy().utc_offset_minutes).date, ?driver, "this hall is a demonstration");
    (clock, Shown::Demonstration(driver))
}

/// A policy in the settings that is not the one in force changes nothing; whoever wrote it hears how it would.
fn say_whether_it_holds(file: &Policy, in_force: &InForce) {
    if *file == *in_force.policy {
        return;
    }
    let (version, source) = (in_force.version, &in_force.policy.stated_source);
    tracing::warn!(
        version,
        source,
        "the policy in the settings differs from the one in force; the one in force holds, `gridhall policy adopt FILE` brings another into force"
    );
}

/// One recorder for the whole process: tests start many servers in one.
fn metrics_handle() -> anyhow::Result<metrics_exporter_prometheus::PrometheusHandle> {
    static HANDLE: Mutex<Option<metrics_exporter_prometheus::PrometheusHandle>> = Mutex::new(None);
    let mut handle = lock(&HANDLE);
    if let Some(handle) = &*handle {
        return Ok(handle.clone());
    }
    let made = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .context("cannot start the metrics")?;
    *handle = Some(made.clone());
    Ok(made)
}

impl Running {
    /// Lets requests end, then closes everything in reverse of its start.
    pub async fn stop(self) -> anyhow::Result<()> {
        tracing::info!("stopping");
        drop(self.stop);
        let abort = self.served.abort_handle();
        // Sockets of screens never end by themselves; they reconnect to whoever serves next.
        if let Ok(ended) = tokio::time::timeout(GRACE, self.served).await {
            ended.context("the server ended unexpectedly")?;
        }
        abort.abort();
        self.hall.worlds.close_all();
        let drills = self.hall.drills.clone();
        tokio::task::spawn_blocking(move || drills.close()).await.context("a drill did not stop")?;
        self.hall.video.shutdown().await;
        self.hall.access.settle().await;
        let writer = self.hall.writer.clone();
        let lists = self.hall.lists.clone();
        let close = move || {
            writer.stop();
            // After the writer: what it closed last is laid down too.
            lists.stop();
        };
        tokio::task::spawn_blocking(close).await.context("the writer did not stop")?;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn until_stopped() {
    let interrupt = tokio::signal::ctrl_c();
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "cannot listen for SIGTERM");
            let _ = interrupt.await;
            return;
        }
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

/// Metrics keep histograms until they are drained.
fn upkeep(hall: &Hall) {
    let metrics = hall.metrics.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tick.tick().await;
            metrics.run_upkeep();
        }
    });
}

/// Says where the hall is and gives one link that signs the administrator in once.
fn announce(hall: &Hall, address: SocketAddr, ready_file: Option<&Path>) -> anyhow::Result<()> {
    tracing::info!(%address, "listening");
    let Some(file) = ready_file else { return Ok(()) };
    let base = format!("http://{address}");
    let once = hall.access.one_time("admin", hall.at_door.now());
    let sign_in = format!("{base}/sign-in?once={}", once.expose());
    let ready = serde_json::json!({ "address": base, "sign_in": sign_in });
    // Whole or not at all: whoever waits for the file must not read half of it.
    let unfinished = file.with_extension("part");
    accounts::write_private(&unfinished, &ready.to_string())?;
    std::fs::rename(&unfinished, file).with_context(|| format!("cannot write `{}`", file.display()))
}

/// The list that holds, and one of a version before taken over into the log.
async fn read_cameras(
    config: &Config,
    named: Option<ListInForce>,
    secret: Secret,
    reader: &Reader,
    lists: Arc<InLog>,
) -> anyhow::Result<Registry> {
    let (dir, file, reader) = (config.store.dir.clone(), config.cameras.file.clone(), reader.clone());
    let read = move || {
        let kept = cameras::kept(named.as_ref(), &secret, &reader, &dir);
        lists.settle(named.as_ref(), &reader, &dir);
        adopted::in_force(kept, file.as_deref())
    };
    let held = tokio::task::spawn_blocking(read).await.context("cannot read the cameras")??;
    if let Some(warning) = held.warning {
        tracing::warn!(%warning, "camera list");
    }
    for problem in &held.refused {
        tracing::warn!(%problem, "camera left out");
    }
    metrics::counter!("gridhall_cameras_refused_total").increment(held.refused.len() as u64);
    tracing::info!(cameras = held.registry.len(), refused = held.refused.len(), "camera list read");
    Ok(held.registry)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_that_never_comes_back_does_not_hang_the_end() {
        let began = crate::clock::instant();
        let said = super::to_its_end(async {
            tokio::task::spawn_blocking(|| {
                loop {
                    std::thread::park();
                }
            });
            Ok("ended")
        });
        assert_eq!(said.unwrap(), "ended");
        assert!(began.elapsed() < 2 * super::LAST_GRACE);
    }
}
