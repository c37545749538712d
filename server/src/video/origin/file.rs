//! A camera list as a file, or as the body of a request: its format, its bytes, what it is known by.
//!
//! What should not be here: what a row means (`list.rs`), which list holds (`adopted.rs`).

use super::list::{self, FILE_BYTES_MAX, ListError, Refusal};
use super::registry::Registry;
use crate::encoding;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Toml,
    Csv,
}

impl Format {
    /// As the names of such files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Csv => "csv",
        }
    }

    /// The format of a file, by the end of its name.
    pub fn of(path: &Path) -> Result<Self, ListError> {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("toml") => Ok(Self::Toml),
            Some("csv") => Ok(Self::Csv),
            _ => Err(ListError::Extension { path: path.to_owned() }),
        }
    }
}

/// A list as its file holds it. It holds addresses and accounts: Debug shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct ListFile {
    pub format: Format,
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for ListFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListFile({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

impl ListFile {
    pub fn load(path: &Path) -> Result<Self, ListError> {
        let read = |source| ListError::Read { path: path.to_owned(), source };
        let bytes = std::fs::metadata(path).map_err(read)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(ListError::TooLarge { path: path.to_owned(), bytes });
        }
        Ok(Self { format: Format::of(path)?, bytes: std::fs::read(path).map_err(read)? })
    }

    /// The rows that are good, and why the others are not.
    pub fn rows(&self) -> Result<(Registry, Vec<Refusal>), ListError> {
        let utf8 = encoding::to_utf8(&self.bytes);
        match self.format {
            Format::Toml => {
                let text = std::str::from_utf8(&utf8).map_err(|_| ListError::Toml {
                    line: 1,
                    message: "the file is neither UTF-8 nor GB18030".into(),
                })?;
                list::from_toml(text)
            }
            Format::Csv => list::from_csv(&utf8),
        }
    }

    /// What it is known by.
    #[must_use]
    pub fn hash(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Reads a camera list; the rows that are good, and why the others are not.
pub fn load(path: &Path) -> Result<(Registry, Vec<Refusal>), ListError> {
    ListFile::load(path)?.rows()
}
