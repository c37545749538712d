//! The shelf of snapshots beside a log: which there are, which are kept, and the newest that can be used.
//!
//! A snapshot is a cache: one that cannot be used is passed over with a word, the events alone are the truth. Two are
//! kept for the next start; and for ever one a day and one for every [`KEEP_EVERY`] events, so that any past instant is
//! at most so many events away. One that is ahead of the log knows events that the log has lost; before it gives their
//! numbers to others, whoever owns the folder sets it aside.

use std::path::{Path, PathBuf};

use super::LogError;
use super::container::{self, Container, Unusable};
use super::sqlite::file::{beside, sync_folder};

const FOLDER: &str = "snapshots";
const ENDING: &str = "state";
/// Of the layout before.
const FORMER_ENDING: &str = "snapshot";
/// Events between two snapshots that are kept for ever on the same day.
pub const KEEP_EVERY: u64 = 150_000;
/// The newest, and one in case it is damaged.
const KEPT_FOR_START: usize = 2;

/// A snapshot by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub path: PathBuf,
    pub seq: u64,
    /// The local day of the log at this place, as 20261121.
    pub day: u32,
}

/// The folder they stand in.
#[must_use]
pub fn folder(dir: &Path) -> PathBuf {
    dir.join(FOLDER)
}

/// Whether the folder holds anything that belongs to a log, of this layout or the one before.
#[must_use]
pub fn any(dir: &Path) -> bool {
    let entries = std::fs::read_dir(folder(dir)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| is(&path, ENDING) || is(&path, FORMER_ENDING))
}

/// Whether a file has this ending, or had it before it was set aside.
fn is(path: &Path, ending: &str) -> bool {
    let ends = |path: &Path| path.extension().is_some_and(|is| is == ending);
    ends(path) || path.file_stem().is_some_and(|stem| ends(Path::new(stem)))
}

/// Snapshots that were set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    pub head: u64,
    /// Place in the log of the newest of them.
    pub newest: u64,
    /// Where they are now.
    pub paths: Vec<PathBuf>,
}

impl Aside {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { head, newest, paths } = self;
        let last = paths.last().map_or_else(String::new, |path| path.display().to_string());
        format!(
            "the log ends at event {head}, but snapshots beside it know events up to {newest}: an older copy of the database was put here, or \
             it lost events. They are set aside and not used ({}, the newest as `{last}`). If the events after {head} are in another copy or \
             in a backup, stop here and start that one (docs/howto/backup-and-restore.md)",
            paths.len()
        )
    }
}

/// Sets snapshots aside that are ahead of a log that ends at `head`, and says so: they must not be taken for this log's when it
/// has come as far. Only for whoever owns the folder; nothing is deleted. None where there are none.
pub fn set_aside(dir: &Path, head: u64) -> Result<Option<Aside>, LogError> {
    let kept = list(dir).into_iter().map(|kept| (kept.path, kept.seq));
    let mut ahead: Vec<(PathBuf, u64)> = kept.chain(former(dir)).filter(|(_, seq)| *seq > head).collect();
    ahead.sort_unstable_by_key(|(_, seq)| *seq);
    let Some(newest) = ahead.last().map(|(_, seq)| *seq) else { return Ok(None) };
    let mut paths = Vec::new();
    for (path, _) in ahead {
        let ending = |again: u32| if again == 0 { String::new() } else { format!("-{again}") };
        let names = (0..).map(|again| beside(&path, &format!(".ahead-of-{head}{}", ending(again))));
        let to = names.into_iter().find(|to| !to.exists()).expect("there is a name that is not taken");
        std::fs::rename(&path, &to).map_err(|source| LogError::io(&path, "set aside", source))?;
        paths.push(to);
    }
    sync_folder(&folder(dir))?;
    let aside = Aside { head, newest, paths };
    tracing::error!(head, snapshot = newest, "{}", aside.words());
    Ok(Some(aside))
}

/// Snapshots of the layout before with their place in the log, newest first.
#[must_use]
pub fn former(dir: &Path) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(folder(dir)).into_iter().flatten().flatten();
    let named = |path: PathBuf| {
        let of_then = path.extension().is_some_and(|ending| ending == FORMER_ENDING);
        let seq = path.file_stem()?.to_str()?.parse().ok()?;
        of_then.then_some((path, seq))
    };
    let mut found: Vec<(PathBuf, u64)> = entries.filter_map(|entry| named(entry.path())).collect();
    found.sort_unstable_by_key(|(_, seq)| std::cmp::Reverse(*seq));
    found
}

/// Takes away snapshots of the layout before: nobody reads them once there is one of this layout, and they hold persons' words.
pub fn clear_former(dir: &Path) -> Result<(), LogError> {
    for entry in std::fs::read_dir(folder(dir)).into_iter().flatten().flatten() {
        let path = entry.path();
        if is(&path, FORMER_ENDING) {
            std::fs::remove_file(&path).map_err(|source| LogError::io(&path, "remove", source))?;
        }
    }
    Ok(())
}

/// All of them, oldest first.
#[must_use]
pub fn list(dir: &Path) -> Vec<Kept> {
    let entries = std::fs::read_dir(folder(dir)).into_iter().flatten().flatten();
    let mut found: Vec<Kept> = entries.filter_map(|entry| named(&entry.path())).collect();
    found.sort_unstable_by_key(|kept| kept.seq);
    found
}

fn named(path: &Path) -> Option<Kept> {
    if path.extension()? != ENDING {
        return None;
    }
    let (seq, day) = path.file_stem()?.to_str()?.split_once('-')?;
    Some(Kept { path: path.to_owned(), seq: seq.parse().ok()?, day: day.parse().ok()? })
}

/// The name of a snapshot.
#[must_use]
pub fn name(seq: u64, day: u32) -> String {
    format!("{seq:020}-{day:08}.{ENDING}")
}

/// Puts a snapshot on the shelf and takes away those that nobody needs any more.
pub fn put(dir: &Path, container: &Container, day: u32) -> Result<(), LogError> {
    let folder = folder(dir);
    std::fs::create_dir_all(&folder).map_err(|source| LogError::io(&folder, "create", source))?;
    let bytes = container.encode();
    container::publish(&folder.join(name(container.seq, day)), &bytes)?;
    tracing::debug!(seq = container.seq, bytes = bytes.len(), "snapshot written");
    let all = list(dir);
    for index in unneeded(&all) {
        let path = &all[index].path;
        std::fs::remove_file(path).map_err(|source| LogError::io(path, "remove", source))?;
    }
    Ok(())
}

/// Which of them, oldest first, are kept neither for ever nor for the next start.
fn unneeded(all: &[Kept]) -> Vec<usize> {
    let mut last: Option<&Kept> = None;
    let mut unneeded = Vec::new();
    for (index, kept) in all.iter().enumerate() {
        let for_ever =
            last.is_none_or(|last| last.day != kept.day || kept.seq.saturating_sub(last.seq) >= KEEP_EVERY);
        if for_ever {
            last = Some(kept);
        } else if index + KEPT_FOR_START < all.len() {
            unneeded.push(index);
        }
    }
    unneeded
}

/// Whether a snapshot is due at `seq` on `day`: after `every` events, and with each new day.
#[must_use]
pub fn is_due(last: Option<&Kept>, seq: u64, day: u32, every: u64) -> bool {
    seq > 0 && last.is_none_or(|last| seq >= last.seq + every.max(1) || (seq > last.seq && day != last.day))
}

/// The newest snapshot not beyond `until` that `read` can use. What is passed over is said in the log.
pub fn newest<T>(
    dir: &Path,
    epoch: u64,
    until: u64,
    known: &[(&str, u32)],
    read: impl Fn(&Container) -> Result<T, Unusable>,
) -> Option<T> {
    let candidates = list(dir).into_iter().rev().filter(|kept| kept.seq <= until);
    candidates.into_iter().find_map(|kept| {
        match open(&kept.path, epoch, until, known).and_then(|container| read(&container)) {
            Ok(state) => Some(state),
            Err(why) => {
                tracing::warn!(path = %kept.path.display(), %why, "snapshot passed over");
                None
            }
        }
    })
}

/// One snapshot of this store, not ahead of `until`.
pub fn open(path: &Path, epoch: u64, until: u64, known: &[(&str, u32)]) -> Result<Container, Unusable> {
    let bytes = std::fs::read(path).map_err(|_| Unusable::Torn)?;
    let container = Container::decode(&bytes, known)?;
    if container.epoch != epoch {
        return Err(Unusable::Epoch);
    }
    if container.seq > until {
        return Err(Unusable::Ahead);
    }
    Ok(container)
}

#[cfg(test)]
mod tests {
    use super::super::container::Section;
    use super::*;

    fn container(seq: u64) -> Container {
        let section = Section { name: "open".to_owned(), form: 1, bytes: seq.to_le_bytes().to_vec() };
        Container { epoch: 3, seq, sections: vec![section] }
    }

    fn seqs(dir: &Path) -> Vec<u64> {
        list(dir).iter().map(|kept| kept.seq).collect()
    }

    #[test]
    fn one_a_day_and_one_for_so_many_events_are_kept_for_ever_and_two_for_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let days = [
            (10_000, 1),
            (60_000, 1),
            (110_000, 1),
            (170_000, 1),
            (200_000, 2),
            (250_000, 2),
            (300_000, 3),
            (310_000, 3),
            (320_000, 3),
            (330_000, 3),
        ];
        for (seq, day) in days {
            put(dir.path(), &container(seq), day).unwrap();
        }
        assert_eq!(seqs(dir.path()), [10_000, 170_000, 200_000, 300_000, 320_000, 330_000]);
    }

    #[test]
    fn a_snapshot_is_due_after_so_many_events_and_with_each_day() {
        let last = Kept { path: PathBuf::new(), seq: 100, day: 20_261_121 };
        assert!(!is_due(None, 0, 20_261_121, 50), "of nothing there is none");
        assert!(is_due(None, 1, 20_261_121, 50));
        assert!(!is_due(Some(&last), 149, 20_261_121, 50));
        assert!(is_due(Some(&last), 150, 20_261_121, 50));
        assert!(is_due(Some(&last), 101, 20_261_122, 50));
        assert!(!is_due(Some(&last), 100, 20_261_122, 50), "nothing has happened since");
    }

    #[test]
    fn what_cannot_be_used_is_passed_over_for_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        for seq in [10, 20, 30, 40] {
            put(dir.path(), &container(seq), u32::try_from(seq).unwrap()).unwrap();
        }
        let read = |container: &Container| Ok(container.seq);
        let newest = |epoch, until| newest(dir.path(), epoch, until, &[("open", 1)], read);
        assert_eq!(newest(3, 100), Some(40));
        assert_eq!(newest(3, 39), Some(30), "one ahead of the log is not used");
        assert_eq!(newest(4, 100), None, "of another store");
        let path = list(dir.path()).pop().unwrap().path;
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(newest(3, 100), Some(30), "torn");
        std::fs::write(folder(dir.path()).join("00000000000000000050.snapshot"), "old").unwrap();
        assert_eq!(newest(3, 100), Some(30), "of the layout before");
        assert!(any(dir.path()));
        let unknown = super::newest(dir.path(), 3, 100, &[("tally", 1)], read);
        assert_eq!(unknown, None, "a section nobody knows");
    }

    /// Nothing is lost: what was set aside keeps its bytes under a name that no reader takes, also where that is taken.
    #[test]
    fn what_is_ahead_of_the_log_is_set_aside_and_never_taken_when_the_log_has_come_as_far() {
        let dir = tempfile::tempdir().unwrap();
        for seq in [10, 26, 40, 46] {
            put(dir.path(), &container(seq), u32::try_from(seq).unwrap()).unwrap();
        }
        let old = folder(dir.path()).join("00000000000000000041.snapshot");
        std::fs::write(&old, "of the layout before").unwrap();
        let bytes = std::fs::read(&list(dir.path())[2].path).unwrap();
        let aside = set_aside(dir.path(), 26).unwrap().unwrap();
        assert_eq!((aside.head, aside.newest, aside.paths.len()), (26, 46, 3));
        assert!(
            aside.words().contains("event 26") && aside.words().contains("up to 46"),
            "{}",
            aside.words()
        );
        assert_eq!(std::fs::read(&aside.paths[0]).unwrap(), bytes);
        assert_eq!((seqs(dir.path()), former(dir.path())), (vec![10, 26], vec![]));
        let read = |container: &Container| Ok(container.seq);
        assert_eq!(
            newest(dir.path(), 3, 100, &[("open", 1)], read),
            Some(26),
            "40 and 46 are of another past"
        );
        assert_eq!(set_aside(dir.path(), 26).unwrap(), None);
        put(dir.path(), &container(40), 40).unwrap();
        let again = set_aside(dir.path(), 26).unwrap().unwrap();
        assert!(again.paths[0] != aside.paths[0] && aside.paths[0].exists(), "nothing is written over");
        clear_former(dir.path()).unwrap();
        assert_eq!(
            aside.paths.iter().filter(|path| path.exists()).count(),
            2,
            "persons' words go all the same"
        );
        for seq in [10, 26] {
            let kept = list(dir.path()).into_iter().find(|kept| kept.seq == seq).unwrap();
            std::fs::remove_file(kept.path).unwrap();
        }
        assert!(any(dir.path()), "they tell that there was a log");
    }
}
