//! Which stream: a camera, one of its two profiles, and the form the pictures are wanted in.
//!
//! What should not be here: how a stream is (`status.rs`), where it comes from (`origin/`), who can play which form (`form/`).

use domain::code::CameraCode;
use serde::{Deserialize, Serialize};

/// Which of a camera's two streams (主码流, 子码流).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    Main,
    Sub,
}

impl Profile {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::Main => "main",
            Profile::Sub => "sub",
        }
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Profile::Main => Profile::Sub,
            Profile::Sub => Profile::Main,
        }
    }
}

/// In which form a camera's pictures are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rendition {
    /// As the camera sends them.
    Source,
    /// H.265 turned into H.264, shared by all who need it.
    H264,
    /// Key frames as JPEG pictures.
    Stills,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: CameraCode,
    pub profile: Profile,
    pub rendition: Rendition,
}
