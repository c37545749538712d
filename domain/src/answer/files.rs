//! What is answered of the files of a case (附件).

use serde::{Deserialize, Serialize};

use crate::file::AttachedFile;
use crate::moment::UtcMillis;

/// `GET /api/v1/cases/{id}/files`: all of them, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FilesAnswer {
    pub items: Vec<FileLine>,
}

/// One file with who attached it. Its bytes are at `…/files/{hash}`, a picture's small one at `…/files/{hash}/thumbnail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FileLine {
    /// Of its event.
    pub seq: u64,
    pub at: UtcMillis,
    pub by: String,
    #[serde(flatten)]
    pub file: AttachedFile,
}
