//! Sealed segments: a stretch of a log as one file that is never changed, each bound to the one before by its hash.
//!
//! A segment appears under its name only after it has been read again from the disk and every row in it was found
//! sound. The keys of persons are not in it but beside it, so that erasing a person reaches its backups too.
//!
//! Layout, numbers little-endian. Front: magic, version of the layout, epoch, number, SHA-256 of the segment before (zeros
//! for the first), where it begins. Middle, compressed: rows, each a tag, a length and the postcard of its columns. Tail:
//! where it ends, the number of its rows, the SHA-256 of everything before.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::container::{Container, Section, publish};
use super::sqlite::file::{beside, sync_folder};
use super::{Blob, CommandRow, EventRow, Group, Hash, LogError, PersonRow, Read, Stand};

const MAGIC: &[u8; 8] = b"GRHLSEGM";
/// Version of the layout and of the rows in it.
const VERSION: u32 = 1;
const FRONT_BYTES: usize = 8 + 4 + 8 + 8 + 32 + 32;
const TAIL_BYTES: usize = 32 + 8 + 32;
/// Events of one segment: a first backup makes many, so that a killed one goes on behind the last.
pub const EVENTS_MAX: u64 = 250_000;
/// Rows asked of the log at a time.
const PAGE: usize = 2_000;
/// No row is longer; a torn length must not ask for gigabytes.
pub const ROW_BYTES_MAX: u32 = 64 << 20;
/// Bytes written between two syncs: the log's own syncs wait behind no more than this.
const SYNC_BYTES: u64 = 4 << 20;

const TAG_END: u8 = 0;
const TAG_EVENT: u8 = 1;
const TAG_COMMAND: u8 = 2;
const TAG_BLOB: u8 = 3;
const TAG_PERSON: u8 = 4;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    pub epoch: u64,
    pub number: u64,
    pub previous: Hash,
    pub from: Stand,
    pub to: Stand,
    pub rows: u64,
    /// SHA-256 of the whole file but its own place.
    pub hash: Hash,
}

/// Where a chain stands: what the next segment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub epoch: u64,
    pub number: u64,
    pub hash: Hash,
    pub stand: Stand,
}

impl Link {
    /// Before the first segment.
    #[must_use]
    pub fn first(epoch: u64) -> Self {
        Self { epoch, number: 0, hash: [0; 32], stand: Stand::default() }
    }

    /// Behind this segment, if it is the next one.
    pub fn then(&self, sealed: &Sealed, path: &Path) -> Result<Self, LogError> {
        let expected = (self.epoch, self.number + 1, self.hash, self.stand);
        if (sealed.epoch, sealed.number, sealed.previous, sealed.from) != expected {
            let what = "it does not follow the segment before it, so one was lost or taken from elsewhere";
            return Err(LogError::damaged(path, what));
        }
        Ok(Self { epoch: self.epoch, number: sealed.number, hash: sealed.hash, stand: sealed.to })
    }
}

#[must_use]
pub fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.segment"))
}

#[must_use]
pub fn keys_path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.keys"))
}

fn put_stand(to: &mut Vec<u8>, stand: Stand) {
    for part in [stand.seq, stand.command, stand.blob, stand.person] {
        to.extend_from_slice(&part.to_le_bytes());
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

fn stand(bytes: &[u8], at: usize) -> Stand {
    Stand {
        seq: word(bytes, at),
        command: word(bytes, at + 8),
        blob: word(bytes, at + 16),
        person: word(bytes, at + 24),
    }
}

/// A file that is hashed and synced as it grows.
struct Growing {
    file: BufWriter<File>,
    hash: Sha256,
    unsynced: u64,
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.unsynced += count as u64;
        if self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Seals what `log` has after `link`, up to `until` and [`EVENTS_MAX`] events, and gives the link behind it.
///
/// What the log cannot read ends it: a segment holds sound rows only, or does not exist.
pub fn seal(log: &dyn Read, folder: &Path, link: Link, until: Stand) -> Result<Link, LogError> {
    let number = link.number + 1;
    let path = path_of(folder, number);
    let unfinished = beside(&path, ".unfinished");
    let sealed = write(log, &unfinished, link, until).and_then(|keys| {
        let sealed = verify(&unfinished, |_| Ok(()))?;
        let next = link.then(&sealed, &unfinished)?;
        put_keys(folder, &sealed, &keys)?;
        std::fs::rename(&unfinished, &path).map_err(|source| LogError::io(&path, "name", source))?;
        sync_folder(folder)?;
        Ok(next)
    });
    if sealed.is_err() {
        // A part of a segment is of no use, and on a full disk it is in the way.
        let _ = std::fs::remove_file(&unfinished);
    }
    sealed
}

/// Whether the log has rows between the two stands.
pub fn is_news(log: &dyn Read, stand: Stand, until: Stand) -> Result<bool, LogError> {
    Ok(stand != until && !bounded(log.since(stand, 1)?, until).is_empty())
}

type Keys = Vec<(u64, [u8; 32])>;

fn write(log: &dyn Read, path: &Path, link: Link, until: Stand) -> Result<Keys, LogError> {
    let failed = |source| LogError::io(path, "write", source);
    let mut front = MAGIC.to_vec();
    front.extend_from_slice(&VERSION.to_le_bytes());
    front.extend_from_slice(&link.epoch.to_le_bytes());
    front.extend_from_slice(&(link.number + 1).to_le_bytes());
    front.extend_from_slice(&link.hash);
    put_stand(&mut front, link.stand);
    let file = File::create(path).map_err(failed)?;
    let mut growing = Growing { file: BufWriter::new(file), hash: Sha256::new(), unsynced: 0 };
    growing.write_all(&front).map_err(failed)?;
    let mut encoder = DeflateEncoder::new(growing, Compression::fast());
    let (mut at, mut rows, mut keys) = (link.stand, 0, Keys::new());
    loop {
        let group = bounded(log.since(at, PAGE)?, until);
        if group.is_empty() {
            break;
        }
        rows += put_group(&mut encoder, at, &group, &mut keys).map_err(failed)?;
        at = at.after(&group).checked(until, path)?;
        if at.seq - link.stand.seq >= EVENTS_MAX {
            break;
        }
    }
    encoder.write_all(&[TAG_END]).map_err(failed)?;
    let mut growing = encoder.finish().map_err(failed)?;
    let mut tail = Vec::new();
    put_stand(&mut tail, at);
    tail.extend_from_slice(&u64::to_le_bytes(rows));
    growing.write_all(&tail).map_err(failed)?;
    let hash = growing.hash.finalize();
    let mut file = growing.file;
    file.write_all(&hash).and_then(|()| file.flush()).map_err(failed)?;
    file.get_ref().sync_all().map_err(failed)?;
    Ok(keys)
}

impl Stand {
    /// Refuses rows beyond the end that was asked for; they were cut off before.
    fn checked(self, until: Self, path: &Path) -> Result<Self, LogError> {
        if self.seq <= until.seq { Ok(self) } else { Err(LogError::damaged(path, "rows beyond its end")) }
    }
}

/// Without rows that came after `until` was asked for: a group must not be cut in two.
fn bounded(mut group: Group, until: Stand) -> Group {
    group.events.retain(|row| row.seq <= until.seq);
    group.commands.retain(|row| row.no <= until.command);
    group.blobs.retain(|row| row.no <= until.blob);
    group.persons.retain(|row| row.no <= until.person);
    group
}

fn put_group(to: &mut impl Write, at: Stand, group: &Group, keys: &mut Keys) -> std::io::Result<u64> {
    let mut expected = at.seq;
    for row in &group.events {
        row.follows(expected).map_err(std::io::Error::other)?;
        expected = row.seq;
        put_row(to, TAG_EVENT, row)?;
    }
    for row in &group.commands {
        put_row(to, TAG_COMMAND, row)?;
    }
    for row in &group.blobs {
        put_row(to, TAG_BLOB, row)?;
    }
    for row in &group.persons {
        if let Some(key) = row.key {
            keys.push((row.case, key));
        }
        put_row(to, TAG_PERSON, &PersonRow { key: None, ..row.clone() })?;
    }
    Ok((group.events.len() + group.commands.len() + group.blobs.len() + group.persons.len()) as u64)
}

fn put_row<T: Serialize>(to: &mut impl Write, tag: u8, row: &T) -> std::io::Result<()> {
    let bytes = postcard::to_allocvec(row).map_err(std::io::Error::other)?;
    to.write_all(&[tag])?;
    to.write_all(&(bytes.len() as u32).to_le_bytes())?;
    to.write_all(&bytes)
}

/// What a segment says of itself, from its front and its tail alone; nothing between is looked at.
pub fn peek(path: &Path) -> Result<Sealed, LogError> {
    let failed = |source| LogError::io(path, "read", source);
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes < (FRONT_BYTES + TAIL_BYTES) as u64 {
        return Err(LogError::damaged(path, "it is cut off"));
    }
    let mut front = [0; FRONT_BYTES];
    file.read_exact(&mut front).map_err(failed)?;
    let mut tail = [0; TAIL_BYTES];
    file.seek(SeekFrom::Start(bytes - TAIL_BYTES as u64)).map_err(failed)?;
    file.read_exact(&mut tail).map_err(failed)?;
    if &front[..8] != MAGIC {
        return Err(LogError::Foreign { place: path.to_owned() });
    }
    let version = u32::from_le_bytes([front[8], front[9], front[10], front[11]]);
    if version > VERSION {
        return Err(LogError::Newer { place: path.to_owned(), is: version, knows: VERSION });
    }
    let (mut previous, mut hash) = ([0; 32], [0; 32]);
    previous.copy_from_slice(&front[28..60]);
    hash.copy_from_slice(&tail[40..]);
    Ok(Sealed {
        epoch: word(&front, 12),
        number: word(&front, 20),
        previous,
        from: stand(&front, 60),
        to: stand(&tail, 0),
        rows: word(&tail, 32),
        hash,
    })
}

/// Reads the whole segment from the disk: its hash, every row's own checksum, the order of events. `each` is given the
/// rows page by page.
pub fn verify(path: &Path, each: impl FnMut(Group) -> Result<(), LogError>) -> Result<Sealed, LogError> {
    let sealed = peek(path)?;
    let failed = |source| LogError::io(path, "read", source);
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    // What was just written would come out of memory otherwise, and say nothing about the disk. Only advice: where the
    // system does not take it, the hash is still compared.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let mut hash = Sha256::new();
    let mut left = bytes - 32;
    let mut piece = vec![0; 1 << 20];
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        file.read_exact(&mut piece[..count]).map_err(failed)?;
        hash.update(&piece[..count]);
        left -= count as u64;
    }
    if hash.finalize().as_slice() != sealed.hash {
        return Err(LogError::damaged(path, "it does not agree with its SHA-256"));
    }
    file.seek(SeekFrom::Start(FRONT_BYTES as u64)).map_err(failed)?;
    let middle = bytes - (FRONT_BYTES + TAIL_BYTES) as u64;
    let plain = DeflateDecoder::new(BufReader::with_capacity(1 << 20, file).take(middle));
    rows(path, BufReader::with_capacity(1 << 20, plain), &sealed, each)?;
    Ok(sealed)
}

fn rows(
    path: &Path,
    mut from: impl std::io::Read,
    sealed: &Sealed,
    mut each: impl FnMut(Group) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let failed = |source| LogError::io(path, "read", source);
    let (mut group, mut held, mut at, mut count) = (Group::default(), 0, sealed.from, 0);
    loop {
        let mut tag = [0];
        from.read_exact(&mut tag).map_err(failed)?;
        if tag[0] == TAG_END || held >= PAGE {
            at = at.after(&group);
            each(std::mem::take(&mut group))?;
            held = 0;
        }
        match tag[0] {
            TAG_END => break,
            TAG_EVENT => {
                let row = get_row::<EventRow>(path, &mut from)?.verified(path)?;
                row.follows(group.events.last().map_or(at.seq, |last| last.seq))?;
                group.events.push(row);
            }
            TAG_COMMAND => group.commands.push(get_row::<CommandRow>(path, &mut from)?),
            TAG_BLOB => {
                let row = get_row::<Blob>(path, &mut from)?;
                if Blob::of(row.bytes.clone()).hash != row.hash {
                    return Err(LogError::damaged(path, "a blob does not agree with its hash"));
                }
                group.blobs.push(row);
            }
            TAG_PERSON => group.persons.push(get_row::<PersonRow>(path, &mut from)?),
            other => {
                return Err(LogError::damaged(path, format!("it holds rows of an unknown kind {other}")));
            }
        }
        held += 1;
        count += 1;
    }
    if at.seq != sealed.to.seq || count != sealed.rows {
        return Err(LogError::damaged(path, "its rows are not those its end tells of"));
    }
    Ok(())
}

fn get_row<T: DeserializeOwned>(path: &Path, from: &mut impl std::io::Read) -> Result<T, LogError> {
    let failed = |source| LogError::io(path, "read", source);
    let mut length = [0; 4];
    from.read_exact(&mut length).map_err(failed)?;
    let length = u32::from_le_bytes(length);
    if length > ROW_BYTES_MAX {
        return Err(LogError::damaged(path, "a row is longer than any can be"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes).map_err(failed)?;
    postcard::from_bytes(&bytes)
        .map_err(|error| LogError::damaged(path, format!("a row cannot be read ({error})")))
}

const KEYS: &str = "keys";
const KEYS_FORM: u32 = 1;

/// Writes the keys of a segment's persons beside it.
pub fn put_keys(folder: &Path, sealed: &Sealed, keys: &[(u64, [u8; 32])]) -> Result<(), LogError> {
    let bytes = postcard::to_allocvec(keys).expect("pairs of numbers, which postcard can write");
    let section = Section { name: KEYS.to_owned(), form: KEYS_FORM, bytes };
    let container = Container { epoch: sealed.epoch, seq: sealed.number, sections: vec![section] };
    publish(&keys_path_of(folder, sealed.number), &container.encode())
}

/// The keys of a segment's persons.
pub fn keys(folder: &Path, sealed: &Sealed) -> Result<Keys, LogError> {
    let path = keys_path_of(folder, sealed.number);
    let bytes = std::fs::read(&path).map_err(|source| LogError::io(&path, "read", source))?;
    let damaged = |what: String| LogError::damaged(&path, what);
    let container =
        Container::decode(&bytes, &[(KEYS, KEYS_FORM)]).map_err(|why| damaged(why.to_string()))?;
    if (container.epoch, container.seq) != (sealed.epoch, sealed.number) {
        return Err(damaged("it belongs to another segment".to_owned()));
    }
    let section = container.section(KEYS).ok_or_else(|| damaged("it holds no keys".to_owned()))?;
    postcard::from_bytes(&section.bytes).map_err(|error| damaged(error.to_string()))
}
