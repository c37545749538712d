//! kill -9 under load: nothing that was acknowledged is lost, and everything derived still agrees.
//!
//! Method: this test binary starts itself as children (`child`): one drives cases round the loop on eight threads and says
//! each acknowledged command, with or without a build of views beside it; another makes a backup. They are killed at a
//! moment of the round's kind. Then each command is sent again: it must be known and be answered as it was; views and
//! backups must say nothing that the log does not say (`proof`). A kill counts for its kind only when it hit: a round whose
//! build or backup was over by then is proved, and repeated. `GRIDHALL_SEED` chooses another order and other moments.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

use child::{Child, Said, Task};
use proof::Acknowledged;

mod child;
mod proof;
mod moved;

/// When a child is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// So long after its start: perhaps while it opens the store.
    Start,
    /// So long after its first answer: while it writes.
    Load,
    /// While closed cases are laid out beside the load.
    ViewsBuild,
    /// While a backup is made beside the load: the backup, the server, or both.
    Backup,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Start, Self::Load, Self::ViewsBuild, Self::Backup];

    /// How many kills must hit: in an everyday run, and in a long one of 1,000.
    fn wanted(self) -> usize {
        let (everyday, long) = match self {
            Self::Start => (4, 250),
            Self::Load => (6, 450),
            Self::ViewsBuild => (6, 200),
            Self::Backup => (4, 100),
        };
        if crate::long::is_long() { long } else { everyday }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Start => "at a start",
            Self::Load => "under load",
            Self::ViewsBuild => "during a build of views",
            Self::Backup => "during a backup",
        }
    }
}

/// Cases of a store before its first kill: enough that a build and a backup take a while.
const CASES_BEFORE: usize = 250;
/// Rounds on one store before the next begins, so that checking does not outgrow the rounds.
const ROUNDS_PER_STORE: usize = 10;
/// Longest time between a start or a first answer and a kill.
const LIFETIME_MAX: Duration = Duration::from_millis(150);

/// How long builds or backups take on this machine, as loaded as it is now: kills are spread over it.
struct Span(Duration);

impl Span {
    const LEAST: Duration = Duration::from_millis(2);
    const MOST: Duration = Duration::from_millis(400);

    fn some(&self, random: &mut StdRng) -> Duration {
        self.0.mul_f64(random.random())
    }

    fn learn(&mut self, hit: bool) {
        let next = self.0.mul_f64(if hit { 1.1 } else { 0.7 });
        self.0 = next.clamp(Self::LEAST, Self::MOST);
    }
}

/// One store with its backup folder and all that was acknowledged on it.
struct Round<'a> {
    dir: &'a Path,
    backup: &'a Path,
    epoch: u64,
    all: &'a mut Vec<Acknowledged>,
    random: &'a mut StdRng,
}

/// Who is killed while a backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Backup,
    Both,
}

impl Round<'_> {
    /// Whether the kill hit what it is counted for.
    fn run(&mut self, kind: Kind, spans: &mut [Span; 2]) -> bool {
        let lifetime = LIFETIME_MAX.mul_f64(self.random.random());
        let [build, backup] = spans;
        match kind {
            Kind::Start => {
                let child = Child::start(&Task::Load { dir: self.dir });
                std::thread::sleep(lifetime);
                self.prove(child.kill());
                true
            }
            Kind::Load => {
                let mut child = Child::start(&Task::Load { dir: self.dir });
                child.until(Said::is_answer);
                std::thread::sleep(lifetime);
                self.prove(child.kill());
                true
            }
            Kind::ViewsBuild => self.during_a_build(build),
            Kind::Backup => self.during_a_backup(backup),
        }
    }

    fn prove(&mut self, said: Vec<Said>) {
        let new: Vec<Acknowledged> = said.into_iter().filter_map(Said::answer).collect();
        assert_eq!(proof::verify(self.dir, &new, u64::MAX), self.epoch, "the epoch stays");
        self.all.extend(new);
    }

    fn during_a_build(&mut self, span: &mut Span) -> bool {
        // From nothing, or on from what the kill before left.
        if self.random.random_bool(0.7) {
            for version in server::views::file::versions(self.dir) {
                let views = self.dir.join(server::views::file::name(version));
                server::views::file::remove(&views).unwrap();
            }
        }
        let mut child = Child::start(&Task::LoadAndViews { dir: self.dir });
        child.until(|said| matches!(said, Said::Building | Said::Whole));
        std::thread::sleep(span.some(self.random));
        let said = child.kill();
        let hit = said.contains(&Said::Building) && !said.contains(&Said::Whole);
        span.learn(hit);
        self.prove(said);
        hit
    }

    fn during_a_backup(&mut self, span: &mut Span) -> bool {
        let mut server = Child::start(&Task::Load { dir: self.dir });
        server.until(Said::is_answer);
        let before = server.so_far().iter().filter_map(|said| said.clone().answer());
        let before = before.chain(self.all.iter().cloned()).map(|done| done.last_seq).max().unwrap_or(0);
        let mut backup = Child::start(&Task::Backup { dir: self.dir, to: self.backup });
        backup.until(|said| *said == Said::BackupBegun);
        std::thread::sleep(span.some(self.random));
        let is_done = |said: &Said| matches!(said, Said::BackupDone(_));
        let victim = *[Victim::Server, Victim::Backup, Victim::Both].choose(self.random).unwrap();
        let (of_server, of_backup, hit) = match victim {
            Victim::Server => {
                let of_server = server.kill();
                let hit = !backup.so_far().iter().any(is_done);
                // A backup does not need the server.
                (of_server, backup.end(), hit)
            }
            Victim::Backup => {
                let of_backup = backup.kill_or_end();
                let hit = !of_backup.iter().any(is_done);
                (server.kill(), of_backup, hit)
            }
            Victim::Both => {
                let (of_backup, of_server) = (backup.kill_or_end(), server.kill());
                let hit = !of_backup.iter().any(is_done);
                (of_server, of_backup, hit)
            }
        };
        span.learn(hit);
        self.prove(of_server);
        let is_there = proof::backup_is_sound_or_none(self.backup, self.all);
        for said in &of_backup {
            if let Said::BackupDone(head) = said {
                assert!(is_there && *head >= before, "called good up to {head} of at least {before}");
            }
        }
        hit
    }
}

/// The kinds of all rounds, in an order by chance.
fn order(random: &mut StdRng) -> Vec<Kind> {
    let mut order: Vec<Kind> =
        Kind::ALL.into_iter().flat_map(|kind| std::iter::repeat_n(kind, kind.wanted())).collect();
    order.shuffle(random);
    order
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn kill_nine_under_load_loses_nothing_acknowledged() {
    let seed: u64 =
        std::env::var("GRIDHALL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    let mut random = StdRng::seed_from_u64(seed);
    let mut left = order(&mut random);
    let rounds_max = 2 * left.len();
    let first = tempfile::tempdir().unwrap();
    child::fill(first.path(), CASES_BEFORE);
    let epoch = proof::verify(first.path(), &[], 0);
    let mut spans = [Span(Duration::from_millis(60)), Span(Duration::from_millis(60))];
    let (mut hits, mut rounds, mut total) = (Kind::ALL.map(|_| 0), 0, 0);
    while !left.is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, backup) = (folder.path().join("store"), folder.path().join("backup"));
        copy(first.path(), &dir);
        let mut all = Vec::new();
        for _ in 0..ROUNDS_PER_STORE {
            let Some(kind) = left.pop() else { break };
            let mut round = Round { dir: &dir, backup: &backup, epoch, all: &mut all, random: &mut random };
            if round.run(kind, &mut spans) {
                hits[kind as usize] += 1;
            } else {
                left.insert(left.len() / 2, kind);
            }
            rounds += 1;
            assert!(rounds <= rounds_max, "builds or backups end before they can be hit: {hits:?}, {left:?}");
        }
        assert_eq!(proof::verify(&dir, &all, u64::MAX), epoch, "the epoch stays (seed {seed})");
        proof::views_come_to_their_end(&dir);
        total += all.len();
    }
    for kind in Kind::ALL {
        assert_eq!(hits[kind as usize], kind.wanted(), "kills {}", kind.words());
    }
    let kinds: Vec<String> =
        Kind::ALL.iter().map(|kind| format!("{} {}", hits[*kind as usize], kind.words())).collect();
    let summary = format!(
        "{} kills that hit ({}) in {rounds} rounds, {total} acknowledged commands, 0 lost, no unsound copy called good\n",
        hits.iter().sum::<usize>(),
        kinds.join(", ")
    );
    std::io::stderr().write_all(summary.as_bytes()).unwrap();
}
