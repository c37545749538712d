//! Inspectors' positions (监督员位置) on the wire: fixed point, packed, at most 5 bytes each in the common case.
//!
//! A frame carries one cell's changes of one tick. Newest wins; nothing here is ever queued.
//!
//! Layout after the caller's message kind byte: version `u8`, cell `i16 x`, `i16 y`, varints `from`, `to`, `tick_ms`,
//! `count`, then `count` entries in rising order of index. An entry is: varint gap to the previous index, flags `u8`
//! (bit 0 moving, 1 late, 2 absolute, 3 gone, 4–7 heading in sixteenths of a turn), unless gone two zigzag varints
//! (Δlat, Δlon from the position last sent, or from zero when absolute) in hundred-thousandths of a degree (about
//! 1.1 m), and when late a varint with the age of the fix in seconds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::moment::UtcMillis;
use crate::place::Point;

/// Layout of [`Frame`].
pub const FRAME_VERSION: u8 = 1;
/// Most entries in one frame; a cell with more people than this does not exist.
pub const ENTRIES_MAX: usize = 100_000;
/// A fix older than this when sent carries its age, in seconds.
pub const LATE_SECONDS: u32 = 5;

/// A position rounded to the wire's grid of 10⁻⁵ degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    pub lat: i32,
    pub lon: i32,
}

impl From<Point> for Grid {
    fn from(point: Point) -> Self {
        Self { lat: (point.lat_e6() + 5).div_euclid(10), lon: (point.lon_e6() + 5).div_euclid(10) }
    }
}

impl Grid {
    /// Degrees north.
    #[must_use]
    pub fn lat(self) -> f64 {
        f64::from(self.lat) / 1e5
    }

    /// Degrees east.
    #[must_use]
    pub fn lon(self) -> f64 {
        f64::from(self.lon) / 1e5
    }
}

/// One square of the map that is published on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    pub x: i16,
    pub y: i16,
}

impl Cell {
    /// The cell a point lies in; `size_e6` is the side in millionths of a degree, at least 10,000.
    #[must_use]
    pub fn of(point: Point, size_e6: i32) -> Self {
        let size = size_e6.max(10_000);
        Self { x: point.lon_e6().div_euclid(size) as i16, y: point.lat_e6().div_euclid(size) as i16 }
    }
}

/// Where someone is and how they move, as a screen holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub at: Grid,
    /// When the fix was taken.
    pub fixed: UtcMillis,
    pub moving: bool,
    /// Sixteenths of a turn clockwise from north, 0–15.
    pub heading: u8,
}

/// One entry of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The inspector is in this cell, `delta` from the position last sent (from zero when `absolute`).
    Here { index: u32, absolute: bool, delta: Grid, moving: bool, heading: u8, age_seconds: u32 },
    /// The inspector has left this cell.
    Gone { index: u32 },
}

/// All changes of one cell between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub cell: Cell,
    pub from: u64,
    pub to: u64,
    pub tick: UtcMillis,
    pub entries: Vec<Entry>,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("position frame ends early at byte {0}")]
    Short(usize),
    #[error("position frame has version {0}; this program reads version 1")]
    Version(u8),
    #[error("position frame counts {0} entries; at most 100,000 are accepted")]
    TooMany(u64),
    #[error("a number in the position frame is out of range at byte {0}")]
    Range(usize),
}

impl Frame {
    /// Appends the frame to `out`. Entries must be in rising order of index.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(FRAME_VERSION);
        out.extend_from_slice(&self.cell.x.to_le_bytes());
        out.extend_from_slice(&self.cell.y.to_le_bytes());
        put_varint(out, self.from);
        put_varint(out, self.to);
        put_varint(out, self.tick.0.max(0) as u64);
        put_varint(out, self.entries.len() as u64);
        let mut previous = 0;
        for entry in &self.entries {
            let (index, flags) = match entry {
                Entry::Gone { index } => (*index, 0b1000),
                Entry::Here { index, absolute, moving, heading, age_seconds, .. } => {
                    let late = u8::from(*age_seconds > LATE_SECONDS) << 1;
                    (*index, u8::from(*moving) | late | u8::from(*absolute) << 2 | (heading & 15) << 4)
                }
            };
            put_varint(out, u64::from(index.wrapping_sub(previous)));
            previous = index;
            out.push(flags);
            if let Entry::Here { delta, age_seconds, .. } = entry {
                put_varint(out, zigzag(delta.lat));
                put_varint(out, zigzag(delta.lon));
                if *age_seconds > LATE_SECONDS {
                    put_varint(out, u64::from(*age_seconds));
                }
            }
        }
    }

    /// Reads one frame; never allocates more than a small multiple of the input.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader { bytes, at: 0 };
        let version = reader.byte()?;
        if version != FRAME_VERSION {
            return Err(DecodeError::Version(version));
        }
        let x = i16::from_le_bytes([reader.byte()?, reader.byte()?]);
        let y = i16::from_le_bytes([reader.byte()?, reader.byte()?]);
        let (from, to) = (reader.varint()?, reader.varint()?);
        let tick = UtcMillis(i64::try_from(reader.varint()?).map_err(|_| DecodeError::Range(reader.at))?);
        let count = reader.varint()?;
        if count > ENTRIES_MAX as u64 {
            return Err(DecodeError::TooMany(count));
        }
        let mut entries = Vec::with_capacity((count as usize).min(bytes.len() / 2 + 1));
        let mut index = 0u32;
        for _ in 0..count {
            let gap = u32::try_from(reader.varint()?).map_err(|_| DecodeError::Range(reader.at))?;
            index = index.checked_add(gap).ok_or(DecodeError::Range(reader.at))?;
            entries.push(reader.entry(index)?);
        }
        Ok(Self { cell: Cell { x, y }, from, to, tick, entries })
    }
}

/// The people of one cell as a screen holds them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellView {
    /// Version reached; 0 before the first frame.
    pub version: u64,
    pub people: BTreeMap<u32, Seen>,
}

impl CellView {
    /// Applies a frame that starts where this view stands, or from nothing (`from == 0`). Returns false, changing
    /// nothing, when it does not fit: the screen must then ask for the cell anew.
    pub fn apply(&mut self, frame: &Frame) -> bool {
        if frame.from != 0 && frame.from != self.version {
            return frame.to <= self.version;
        }
        let fits = frame.entries.iter().all(|entry| match entry {
            Entry::Here { index, absolute, .. } => *absolute || self.people.contains_key(index),
            Entry::Gone { .. } => true,
        });
        if !fits {
            return false;
        }
        if frame.from == 0 {
            self.people.clear();
        }
        for entry in &frame.entries {
            match *entry {
                Entry::Gone { index } => drop(self.people.remove(&index)),
                Entry::Here { index, absolute, delta, moving, heading, age_seconds } => {
                    let base = if absolute { None } else { self.people.get(&index).map(|seen| seen.at) };
                    let base = base.unwrap_or(Grid { lat: 0, lon: 0 });
                    let at =
                        Grid { lat: base.lat.wrapping_add(delta.lat), lon: base.lon.wrapping_add(delta.lon) };
                    let fixed = frame.tick.plus(-i64::from(age_seconds) * 1_000);
                    self.people.insert(index, Seen { at, fixed, moving, heading });
                }
            }
        }
        self.version = frame.to;
        true
    }

    /// Hash of who is where, for comparison with the server's.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.people.iter().fold(0, |hash, (index, seen)| hash ^ position_hash(*index, seen.at))
    }
}

/// One person's part of a cell's hash: FNV-1a of the text `index@lat,lon` in grid units.
#[must_use]
pub fn position_hash(index: u32, at: Grid) -> u64 {
    crate::wire::fnv1a_of(format_args!("{index}@{},{}", at.lat, at.lon))
}

fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)) as u32)
}

fn unzigzag(value: u32) -> i32 {
    ((value >> 1) as i32) ^ -((value & 1) as i32)
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.bytes.get(self.at).copied().ok_or(DecodeError::Short(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Range(self.at))
    }

    fn signed(&mut self) -> Result<i32, DecodeError> {
        u32::try_from(self.varint()?).map(unzigzag).map_err(|_| DecodeError::Range(self.at))
    }

    fn entry(&mut self, index: u32) -> Result<Entry, DecodeError> {
        let flags = self.byte()?;
        if flags & 0b1000 != 0 {
            return Ok(Entry::Gone { index });
        }
        let delta = Grid { lat: self.signed()?, lon: self.signed()? };
        let age_seconds = if flags & 0b10 != 0 {
            u32::try_from(self.varint()?).map_err(|_| DecodeError::Range(self.at))?
        } else {
            0
        };
        let absolute = flags & 0b100 != 0;
        Ok(Entry::Here { index, absolute, delta, moving: flags & 1 != 0, heading: flags >> 4, age_seconds })
    }
}
