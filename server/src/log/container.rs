//! A file of named sections: what a snapshot of the state is kept in.
//!
//! Each section says its form, so that a reader passes a file over when it holds anything it does not know, and is
//! checked by its own SHA-256. What is in a section is for others to say (`stored`).
//!
//! Layout, numbers little-endian: magic, version of this layout, epoch, sequence number, number of sections; for each
//! its name (length, bytes), form, packing, stored and plain length, SHA-256 of the stored bytes; then the SHA-256 of
//! everything so far; then the stored bytes, one section after another.

use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};

use super::LogError;
use super::sqlite::file::{beside, sync_folder};

const MAGIC: &[u8; 8] = b"GRHLSECT";
/// Version of the layout.
pub const VERSION: u32 = 1;
/// More sections than any state has: a torn count must not ask for gigabytes.
const SECTIONS_MAX: u32 = 1_000;
/// Longest name of a section in bytes.
const NAME_BYTES_MAX: usize = 100;
/// A section that is longer when it is unpacked is no section of ours.
const PLAIN_BYTES_MAX: u64 = 4 << 30;

/// One section: a name, the version of its form, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub form: u32,
    pub bytes: Vec<u8>,
}

/// What a file holds, and for which place of which log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub epoch: u64,
    pub seq: u64,
    pub sections: Vec<Section>,
}

/// Why a container is not used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unusable {
    #[error("is not a snapshot of this kind")]
    Foreign,
    #[error("has layout {0}, which this version does not know")]
    Layout(u32),
    #[error("is cut off or its table of sections does not agree with its checksum")]
    Torn,
    #[error("section `{0}` does not agree with its checksum")]
    Checksum(String),
    #[error("holds section `{0}`, which this version does not know")]
    Unknown(String),
    #[error("holds section `{name}` in form {form}, newer than this version reads")]
    Newer { name: String, form: u32 },
    #[error("lacks section `{0}`")]
    Lacks(String),
    #[error("belongs to another store")]
    Epoch,
    #[error("is ahead of the log")]
    Ahead,
    #[error("section `{name}` cannot be read: {problem}")]
    Unreadable { name: String, problem: String },
}

/// How a section's bytes are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain = 0,
    Deflate = 1,
}

impl Packing {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Plain),
            1 => Some(Self::Deflate),
            _ => None,
        }
    }
}

/// One row of the table.
struct Entry {
    name: String,
    form: u32,
    packing: Packing,
    stored: u64,
    plain: u64,
    hash: [u8; 32],
}

impl Container {
    /// The section of this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The whole file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let packed: Vec<(Packing, Vec<u8>)> =
            self.sections.iter().map(|section| packed(&section.bytes)).collect();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.seq.to_le_bytes());
        bytes.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        for (section, (packing, stored)) in self.sections.iter().zip(&packed) {
            bytes.extend_from_slice(&(section.name.len() as u16).to_le_bytes());
            bytes.extend_from_slice(section.name.as_bytes());
            bytes.extend_from_slice(&section.form.to_le_bytes());
            bytes.push(*packing as u8);
            bytes.extend_from_slice(&(stored.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&(section.bytes.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&Sha256::digest(stored));
        }
        let table = Sha256::digest(&bytes);
        bytes.extend_from_slice(&table);
        for (_, stored) in &packed {
            bytes.extend_from_slice(stored);
        }
        bytes
    }

    /// Reads a file whose sections are all among `known`, each in no newer form than is said there.
    pub fn decode(bytes: &[u8], known: &[(&str, u32)]) -> Result<Self, Unusable> {
        let (mut container, entries, mut rest) = head(bytes)?;
        for entry in &entries {
            match known.iter().find(|(name, _)| *name == entry.name) {
                None => return Err(Unusable::Unknown(entry.name.clone())),
                Some((_, form)) if entry.form > *form => {
                    return Err(Unusable::Newer { name: entry.name.clone(), form: entry.form });
                }
                Some(_) => {}
            }
        }
        for entry in entries {
            let length = usize::try_from(entry.stored).map_err(|_| Unusable::Torn)?;
            let (stored, after) = rest.split_at_checked(length).ok_or(Unusable::Torn)?;
            rest = after;
            container.sections.push(unpacked(entry, stored)?);
        }
        if rest.is_empty() { Ok(container) } else { Err(Unusable::Torn) }
    }

    /// Verifies every checksum of a file without knowing its sections; gives its epoch and sequence number.
    pub fn verify(bytes: &[u8]) -> Result<(u64, u64), Unusable> {
        let (container, entries, mut rest) = head(bytes)?;
        for entry in entries {
            let length = usize::try_from(entry.stored).map_err(|_| Unusable::Torn)?;
            let (stored, after) = rest.split_at_checked(length).ok_or(Unusable::Torn)?;
            rest = after;
            if Sha256::digest(stored).as_slice() != entry.hash {
                return Err(Unusable::Checksum(entry.name));
            }
        }
        if rest.is_empty() { Ok((container.epoch, container.seq)) } else { Err(Unusable::Torn) }
    }

    /// The same file for another epoch: a restored log has a new one, and its snapshots go with it.
    pub fn with_epoch(bytes: &[u8], epoch: u64) -> Result<Vec<u8>, Unusable> {
        Self::verify(bytes)?;
        let (_, _, rest) = head(bytes)?;
        let mut front = bytes[..bytes.len() - rest.len() - 32].to_vec();
        front[12..20].copy_from_slice(&epoch.to_le_bytes());
        let table = Sha256::digest(&front);
        front.extend_from_slice(&table);
        front.extend_from_slice(rest);
        Ok(front)
    }
}

/// Everything before the stored bytes, and those.
fn head(bytes: &[u8]) -> Result<(Container, Vec<Entry>, &[u8]), Unusable> {
    let mut front = Front { bytes, at: 0 };
    if front.take(8).map_err(|_| Unusable::Foreign)? != MAGIC {
        return Err(Unusable::Foreign);
    }
    let version = front.u32()?;
    if version != VERSION {
        return Err(Unusable::Layout(version));
    }
    let (epoch, seq, count) = (front.u64()?, front.u64()?, front.u32()?);
    if count > SECTIONS_MAX {
        return Err(Unusable::Torn);
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(front.entry()?);
    }
    let end = front.at;
    if front.take(32)? != Sha256::digest(&bytes[..end]).as_slice() {
        return Err(Unusable::Torn);
    }
    Ok((Container { epoch, seq, sections: Vec::new() }, entries, &bytes[front.at..]))
}

/// The front of a file, read piece by piece.
struct Front<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Front<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unusable> {
        let taken = self.bytes.get(self.at..self.at + count).ok_or(Unusable::Torn)?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unusable> {
        self.take(N)?.try_into().map_err(|_| Unusable::Torn)
    }

    fn u32(&mut self) -> Result<u32, Unusable> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, Unusable> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn entry(&mut self) -> Result<Entry, Unusable> {
        let length = usize::from(u16::from_le_bytes(self.array()?));
        if length > NAME_BYTES_MAX {
            return Err(Unusable::Torn);
        }
        let name = String::from_utf8(self.take(length)?.to_vec()).map_err(|_| Unusable::Torn)?;
        let form = self.u32()?;
        let packing = Packing::of(self.take(1)?[0]).ok_or(Unusable::Torn)?;
        let (stored, plain, hash) = (self.u64()?, self.u64()?, self.array()?);
        if plain > PLAIN_BYTES_MAX {
            return Err(Unusable::Torn);
        }
        Ok(Entry { name, form, packing, stored, plain, hash })
    }
}

/// Compressed, where that makes it shorter.
fn packed(plain: &[u8]) -> (Packing, Vec<u8>) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    match written {
        Ok(deflated) if deflated.len() < plain.len() => (Packing::Deflate, deflated),
        _ => (Packing::Plain, plain.to_vec()),
    }
}

fn unpacked(entry: Entry, stored: &[u8]) -> Result<Section, Unusable> {
    let Entry { name, form, packing, plain, hash, .. } = entry;
    if Sha256::digest(stored).as_slice() != hash {
        return Err(Unusable::Checksum(name));
    }
    let bytes = match packing {
        Packing::Plain => stored.to_vec(),
        Packing::Deflate => {
            let mut bytes = Vec::new();
            // One byte more than it says, so that a longer one is noticed.
            let read = DeflateDecoder::new(stored).take(plain + 1).read_to_end(&mut bytes);
            read.map_err(|_| Unusable::Checksum(name.clone()))?;
            bytes
        }
    };
    if bytes.len() as u64 == plain {
        Ok(Section { name, form, bytes })
    } else {
        Err(Unusable::Checksum(name))
    }
}

/// Bytes written between two syncs: the log's own syncs wait behind no more than this.
const SYNC_BYTES: usize = 4 << 20;

/// Writes a file that appears under its name only when it is whole and on the disk.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let unfinished = beside(path, ".unfinished");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&unfinished)?;
        for piece in bytes.chunks(SYNC_BYTES) {
            file.write_all(piece)?;
            file.sync_data()?;
        }
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    if let Err(source) = write() {
        // What is there of it only takes up room.
        let _ = std::fs::remove_file(&unfinished);
        return Err(LogError::io(path, "write", source));
    }
    path.parent().map_or(Ok(()), sync_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(&str, u32)] = &[("open", 2), ("tally", 1)];

    fn sample() -> Container {
        let open = Section { name: "open".to_owned(), form: 2, bytes: "案件\n".repeat(400).into_bytes() };
        let tally = Section { name: "tally".to_owned(), form: 1, bytes: vec![7] };
        Container { epoch: 5, seq: 150_000, sections: vec![open, tally] }
    }

    #[test]
    fn what_was_written_is_read_and_packed() {
        let bytes = sample().encode();
        assert!(bytes.len() < 400, "{} bytes for 2,800 of the same words", bytes.len());
        assert_eq!(Container::decode(&bytes, KNOWN).unwrap(), sample());
        assert_eq!(Container::verify(&bytes), Ok((5, 150_000)));
    }

    /// Golden: the front of a file never changes within a layout.
    #[test]
    fn the_front_keeps_its_bytes() {
        let one = Section { name: "a".to_owned(), form: 3, bytes: b"b".to_vec() };
        let bytes = Container { epoch: 1, seq: 2, sections: vec![one] }.encode();
        let hex: String = bytes[..56].iter().map(|byte| format!("{byte:02x}")).collect();
        let golden = "4752484c53454354010000000100000000000000020000000000000001000000010061030000000001000000000000000100000000000000";
        assert_eq!(hex, golden);
    }

    #[test]
    fn a_file_cut_or_changed_anywhere_is_passed_over() {
        let whole = sample().encode();
        for cut in 0..whole.len() {
            assert!(Container::decode(&whole[..cut], KNOWN).is_err(), "cut at {cut}");
            assert!(Container::verify(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(Container::decode(&changed, KNOWN).is_err(), "byte {at} changed");
        }
        let longer = [whole, vec![0]].concat();
        assert_eq!(Container::decode(&longer, KNOWN), Err(Unusable::Torn));
    }

    #[test]
    fn a_section_from_the_future_is_named() {
        let bytes = sample().encode();
        assert_eq!(Container::decode(&bytes, &[("open", 2)]), Err(Unusable::Unknown("tally".to_owned())));
        let newer = Unusable::Newer { name: "open".to_owned(), form: 2 };
        assert_eq!(Container::decode(&bytes, &[("open", 1), ("tally", 1)]), Err(newer));
        let mut layout = bytes;
        layout[8] = 2;
        assert_eq!(Container::decode(&layout, KNOWN), Err(Unusable::Layout(2)));
    }

    #[test]
    fn another_epoch_changes_nothing_else() {
        let moved = Container::with_epoch(&sample().encode(), 6).unwrap();
        assert_eq!(Container::decode(&moved, KNOWN).unwrap(), Container { epoch: 6, ..sample() });
    }
}
