//! What may be set of files: how large one may be, how much room all have, and who looks for viruses.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// MiB of the largest file that is taken, as it is sent. 1 to 100. Default 20.
    pub file_mib: u32,
    /// MiB that the files of a hall may take, as they are kept. 0 to 104,857,600; 0 takes none. Default 102,400.
    pub quota_mib: u32,
    /// A command and its arguments that look for viruses; the path of what was sent is the last argument. Exit code 0 says that it is
    /// clean. Empty, the default, asks nobody.
    pub scanner: Vec<String>,
    /// Seconds after which a scanner that has not answered is ended, and what was sent is not taken. 1 to 600. Default 60.
    pub scanner_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { file_mib: 20, quota_mib: 102_400, scanner: Vec::new(), scanner_seconds: 60 }
    }
}

impl Settings {
    /// Bytes of the largest file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        u64::from(self.file_mib) << 20
    }

    /// Bytes of all files.
    #[must_use]
    pub fn quota_bytes(&self) -> u64 {
        u64::from(self.quota_mib) << 20
    }
}
