//! Snapshots of the state: a file each, so that a start need not replay the whole log.
//!
//! A snapshot is a cache. One that is damaged, of another version, of another epoch or ahead of the log is passed
//! over; the events alone are the truth. Layout: magic, version, epoch, offset, seq, SHA-256 of the body, body
//! (postcard of `State`).

use std::io::Write;
use std::path::{Path, PathBuf};

use domain::moment::UtcOffset;
use domain::state::State;
use sha2::{Digest, Sha256};

use super::{StoreError, schema};

const FOLDER: &str = "snapshots";
const MAGIC: &[u8; 8] = b"GRHLSNAP";
/// Raise it when `State` changes; the test `snapshot_keeps_its_bytes` says when.
pub const VERSION: u32 = 5;
/// How many are kept: the newest, and one in case it is damaged.
const KEPT: usize = 2;
const HEADER_BYTES: usize = 8 + 4 + 8 + 4 + 8 + 32;

/// Whether the folder holds any snapshot.
pub(super) fn any(dir: &Path) -> bool {
    !list(dir).is_empty()
}

/// Paths of all snapshots, newest first.
pub(super) fn list(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join(FOLDER)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "snapshot"))
        .collect();
    // Names are zero-padded sequence numbers.
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
}

/// Bytes written between two syncs: the event log's own syncs wait behind no more than this.
const SYNC_BYTES: usize = 4 << 20;

/// Writes and syncs piece by piece. With a million deadlines a snapshot has hundreds of megabytes.
fn write_gently(file: &mut std::fs::File, bytes: &[u8]) -> std::io::Result<()> {
    for piece in bytes.chunks(SYNC_BYTES) {
        file.write_all(piece)?;
        file.sync_data()?;
    }
    file.sync_all()
}

/// Writes a snapshot beside the others, durable before it has its name, and removes those beyond [`KEPT`].
pub(super) fn write(dir: &Path, epoch: u64, offset: UtcOffset, state: &State) -> Result<(), StoreError> {
    let folder = dir.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(|source| StoreError::io(&folder, "create", source))?;
    let path = folder.join(format!("{:020}.snapshot", state.seq));
    let unfinished = folder.join("unfinished");
    let bytes = encode(epoch, offset, state);
    let written = std::fs::File::create(&unfinished)
        .and_then(|mut file| write_gently(&mut file, &bytes))
        .and_then(|()| std::fs::rename(&unfinished, &path));
    if let Err(source) = written {
        // What is there of it only takes up room.
        let _ = std::fs::remove_file(&unfinished);
        return Err(StoreError::io(&path, "write snapshot", source));
    }
    schema::sync_folder(&folder)?;
    for old in list(dir).into_iter().skip(KEPT) {
        std::fs::remove_file(&old).map_err(|source| StoreError::io(&old, "remove", source))?;
    }
    tracing::debug!(seq = state.seq, bytes = bytes.len(), "snapshot written");
    Ok(())
}

fn encode(epoch: u64, offset: UtcOffset, state: &State) -> Vec<u8> {
    let body =
        postcard::to_allocvec(state).expect("State has sized collections only, which postcard can write");
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&epoch.to_le_bytes());
    bytes.extend_from_slice(&offset.0.to_le_bytes());
    bytes.extend_from_slice(&state.seq.to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.extend_from_slice(&body);
    bytes
}

/// Why a snapshot is not used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("is not a snapshot or is cut off")]
    Damaged,
    #[error("does not agree with its checksum")]
    Checksum,
    #[error("was written by another version")]
    Version,
    #[error("belongs to another store")]
    Epoch,
    #[error("was made for another offset from UTC")]
    Offset,
    #[error("is ahead of the log")]
    Ahead,
}

pub(super) fn decode(bytes: &[u8], epoch: u64, offset: UtcOffset, head: u64) -> Result<State, Unusable> {
    let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(Unusable::Damaged)?;
    let part = |from: usize, to: usize| &header[from..to];
    if part(0, 8) != MAGIC {
        return Err(Unusable::Damaged);
    }
    if part(8, 12) != VERSION.to_le_bytes() {
        return Err(Unusable::Version);
    }
    if part(32, 64) != Sha256::digest(body).as_slice() {
        return Err(Unusable::Checksum);
    }
    if part(12, 20) != epoch.to_le_bytes() {
        return Err(Unusable::Epoch);
    }
    if part(20, 24) != offset.0.to_le_bytes() {
        return Err(Unusable::Offset);
    }
    let state: State = postcard::from_bytes(body).map_err(|_| Unusable::Damaged)?;
    if part(24, 32) != state.seq.to_le_bytes() {
        return Err(Unusable::Damaged);
    }
    if state.seq > head { Err(Unusable::Ahead) } else { Ok(state) }
}

/// The newest snapshot that fits the store.
pub(super) fn newest(dir: &Path, epoch: u64, offset: UtcOffset, head: u64) -> Option<State> {
    list(dir).into_iter().find_map(|path| {
        let bytes = std::fs::read(&path).ok()?;
        match decode(&bytes, epoch, offset, head) {
            Ok(state) => Some(state),
            Err(why) => {
                tracing::warn!(path = %path.display(), %why, "snapshot passed over");
                None
            }
        }
    })
}
