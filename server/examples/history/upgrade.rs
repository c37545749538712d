//! A store with a history opened by a build to come: how soon it serves, that it serves while it lays its lists out anew,
//! that it ends where a replay from the first event ends, and that the build before refuses the store then, untouched.
//!
//! What should be here: what is measured and proved. What should not: what that build has more (`later`).

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail, ensure};
use domain::case::Stage;
use domain::code::CaseId;
use domain::event::{By, Door};
use domain::policy::Policy;
use domain::role::Role;
use domain::scope::Scope;
use server::config::Config;
use server::events::Reader;
use server::lists::{CaseFilter, Lists};
use server::log::sqlite::SqliteReader;
use server::log::{Read, shelf};
use server::serve::{self, Running};
use server::stored::policy::Genesis;
use server::stored::state;
use server::turn::Reading;
use server::views::from_log::LogSource;
use server::views::{Belongs, check};
use server::writer::pen::Order;
use uuid::Uuid;

use super::instant::replayed;
use super::later;

/// A build that takes longer to lay the lists out is given up.
const REBUILT_WITHIN: Duration = Duration::from_secs(3 * 3_600);
/// Pause between a command and the next, and between looks at the write-ahead logs.
const COMMAND_EVERY: Duration = Duration::from_millis(25);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const PAGE: usize = 100;
const TELL_EVERY: Duration = Duration::from_mins(1);

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Upgraded {
    /// Cases whose added field the snapshot did not have.
    pub guessed: u64,
    /// Until the hall served.
    pub serving: Duration,
    /// Until the lists were laid out anew.
    pub rebuilt: Duration,
    /// How long each command took that was sent meanwhile, and each page of a list.
    pub commands: Vec<Duration>,
    pub pages: Vec<Duration>,
    /// The longest either write-ahead log ever was.
    pub wal_bytes: u64,
    /// Events replayed to see that it ended where a replay ends.
    pub events: u64,
    /// Closings held against the lists.
    pub closings: u64,
    /// What the build before said.
    pub refusal: String,
}

/// Upgrades the store that `config` names. Only that build opens it from then on. `older` is the program of the build
/// before, `arguments` what it is to be started with. With `full_speed` the lists are laid out without the breaks that a build
/// takes in a hall. `so_far` is told after each part what was seen by then: a long store takes hours.
pub fn upgrade(
    config: Config,
    full_speed: bool,
    older: &Path,
    arguments: &[&str],
    so_far: &mut dyn FnMut(&Upgraded) -> anyhow::Result<()>,
) -> anyhow::Result<Upgraded> {
    later::begin()?;
    let (dir, policy) = (config.store.dir.clone(), config.load_policy()?);
    let guessed = later::take_field_out(&dir)?;
    let mut upgraded = Upgraded { guessed, ..Upgraded::default() };
    let watched = Watched::begin(&dir);
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    runtime.block_on(serve(config, full_speed, &mut upgraded))?;
    drop(runtime);
    upgraded.wal_bytes = watched.end();
    so_far(&upgraded)?;
    state_is_proved(&dir, &policy, &mut upgraded)?;
    so_far(&upgraded)?;
    lists_are_proved(&dir, &policy, &mut upgraded)?;
    so_far(&upgraded)?;
    later::raise_format(&dir)?;
    upgraded.refusal = refused(&dir, older, arguments)?;
    Ok(upgraded)
}

/// Opens the hall and uses it until its lists are laid out anew.
async fn serve(config: Config, full_speed: bool, upgraded: &mut Upgraded) -> anyhow::Result<()> {
    let began = Instant::now();
    let running =
        serve::start_as(config, later::forms(full_speed)).await.context("the store was not opened")?;
    upgraded.serving = began.elapsed();
    let mut waiting = visited(&running).into_iter().cycle();
    let mut next = || waiting.next().context("no case waits for its check");
    let mut told = Instant::now();
    while !is_laid_out(&running)? {
        upgraded.commands.push(visit(&running, next()?).await?);
        upgraded.pages.push(page(&running).await?);
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            tell(&running, began.elapsed(), upgraded)?;
        }
        ensure!(began.elapsed() < REBUILT_WITHIN, "the lists are not laid out after {REBUILT_WITHIN:?}");
        tokio::time::sleep(COMMAND_EVERY).await;
    }
    upgraded.rebuilt = began.elapsed();
    upgraded.commands.push(visit(&running, next()?).await?);
    running.stop().await
}

/// Says how far it has come: a long store takes hours.
fn tell(running: &Running, elapsed: Duration, seen: &Upgraded) -> anyhow::Result<()> {
    let progress = running.hall.lists.progress().context("there are no lists of closed cases")?;
    let slowest = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
    let (commands, pages) = (slowest(&seen.commands), slowest(&seen.pages));
    let serving = seen.serving;
    writeln!(
        std::io::stderr(),
        "{elapsed:.0?}: {} of {} events laid out, {} commands; served after {serving:.2?}, slowest command {commands:.1?}, slowest page {pages:.1?}",
        progress.events,
        progress.events_of,
        seen.commands.len()
    )
    .context("cannot print")
}

/// The open cases that wait for their check: in turn, as no case is visited a hundred thousand times.
fn visited(running: &Running) -> Vec<CaseId> {
    let stand = running.hall.lists.present().load();
    stand.open.iter().filter(|case| case.stage == Stage::Check).map(|case| case.id).collect()
}

fn is_laid_out(running: &Running) -> anyhow::Result<bool> {
    let progress = running.hall.lists.progress().context("there are no lists of closed cases")?;
    Ok(progress.is_whole() && progress.serving_older.is_none())
}

/// The step that only this build has.
async fn visit(running: &Running, case: CaseId) -> anyhow::Result<Duration> {
    let by = By { name: "监督01".to_owned(), roles: vec![Role::Supervisor], door: Door::Desk };
    let command = later::VISIT.take_with(case, "已到现场");
    let began = Instant::now();
    let order = Order { key: Uuid::now_v7(), by, department: None, scope: Scope::All, seen: None, command };
    running.hall.writer.send(order).await.context("a command was not carried out")?;
    Ok(began.elapsed())
}

/// A page of closed cases, which must become full: the lists of the version before serve meanwhile.
async fn page(running: &Running) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let filter = CaseFilter { open: Some(false), ..CaseFilter::default() };
    let (mut found, mut after) = (0, None);
    while found < PAGE {
        let filter = filter.clone();
        let read = move |lists: &Lists| lists.cases(&Scope::All, &filter, after.as_ref(), PAGE);
        let page = running.hall.lists.run(Reading::Desk, read).await.context("a list was not answered")?;
        found += page.items.len();
        after = page.next;
        ensure!(found >= PAGE || after.is_some(), "a list ends after {found} cases");
    }
    Ok(began.elapsed())
}

/// Holds the state that was kept at the end against a replay from the first event.
fn state_is_proved(dir: &Path, policy: &Policy, upgraded: &mut Upgraded) -> anyhow::Result<()> {
    let log = SqliteReader::open(dir).context("cannot open the log")?;
    let kept = shelf::list(dir).pop().context("there is no snapshot")?;
    let container = shelf::open(&kept.path, log.epoch(), kept.seq, &state::known(later::sections()))?;
    let genesis = Genesis::of(policy);
    let bodies: &dyn Read = &log;
    let policies = state::Policies { genesis: &genesis, bodies: &bodies };
    let loaded = state::decode(&container, later::sections(), policies)?;
    ensure!(loaded.guessed == state::Guessed::default(), "what was kept at the end is a guess still");
    ensure!(loaded.state.seq == log.head()?.seq, "the last snapshot is not of the end");
    let replay = replayed(&log, genesis.state(), loaded.state.seq)?;
    ensure!(replay.cases.values().any(later::has_the_field), "no open case has the added field");
    ensure!(loaded.state == replay, "the hall ended otherwise than a replay from the first event");
    upgraded.events = replay.seq;
    Ok(())
}

/// Holds the lists against a replay from the first event.
fn lists_are_proved(dir: &Path, policy: &Policy, upgraded: &mut Upgraded) -> anyhow::Result<()> {
    let log = SqliteReader::open(dir).context("cannot open the log")?;
    let genesis = Genesis::of(policy);
    let belongs = Belongs { epoch: log.epoch(), offset: policy.utc_offset_minutes, version: later::VIEWS };
    let reader = Reader::new(dir, policy.utc_offset_minutes);
    let source = LogSource::new(reader, log.epoch(), genesis).in_forms(later::sections());
    let report = check::check(dir, belongs, &source)?.context("there are no new lists")?;
    ensure!(report.differences.is_empty(), "the lists differ from the log: {:?}", report.differences);
    upgraded.closings = report.cases;
    Ok(())
}

/// Starts the build before on the store: it must refuse, and leave every file as it is. Gives what it said.
fn refused(dir: &Path, older: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let before = files(dir)?;
    let ran = Command::new(older).args(arguments).output();
    let ran = ran.with_context(|| format!("cannot start `{}`", older.display()))?;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    if ran.status.success() || !said.contains("this version reads up to") {
        bail!("the build before did not refuse the store: {}, {said}", ran.status);
    }
    ensure!(files(dir)? == before, "the build before changed files of a store that it refused");
    Ok(said)
}

/// Every file below, with its length and when it was last written.
fn files(dir: &Path) -> anyhow::Result<BTreeMap<PathBuf, (u64, SystemTime)>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path(), (meta.len(), meta.modified()?));
            }
        }
    }
    Ok(found)
}

/// Looks at the length of the write-ahead logs for as long as it is held.
struct Watched {
    stop: Arc<AtomicBool>,
    longest: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Watched {
    fn begin(dir: &Path) -> Self {
        let (stop, longest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (over, most, dir) = (stop.clone(), longest.clone(), dir.to_owned());
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
                let logs = entries.filter(|entry| entry.path().extension().is_some_and(|it| it == "db-wal"));
                for bytes in logs.filter_map(|entry| Some(entry.metadata().ok()?.len())) {
                    most.fetch_max(bytes, Ordering::Relaxed);
                }
                std::thread::sleep(LOOK_EVERY);
            }
        });
        Self { stop, longest, thread }
    }

    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        // It only looks; one that has panicked has seen what it has seen.
        let _ = self.thread.join();
        self.longest.load(Ordering::Relaxed)
    }
}
