//! Files of a case (附件): which kinds there are, and what is known of one. Its bytes are found by their hash.
//!
//! What should not be here: bytes, folders, how a picture is read (`server::files`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::moment::UtcMillis;
use crate::place::Point;
use crate::rejection::Language;

/// What a file shows of its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// 处置前照片: how it was found.
    PhotoBefore,
    /// 处置后照片: how it was left.
    PhotoAfter,
    /// 文档: anything else that belongs to the case.
    Document,
}

impl FileKind {
    pub const ALL: [Self; 3] = [Self::PhotoBefore, Self::PhotoAfter, Self::Document];

    /// The name in addresses and answers.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::PhotoBefore => "photo_before",
            Self::PhotoAfter => "photo_after",
            Self::Document => "document",
        }
    }

    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::PhotoBefore, Language::Zh) => "处置前照片",
            (Self::PhotoAfter, Language::Zh) => "处置后照片",
            (Self::Document, Language::Zh) => "文档",
            (Self::PhotoBefore, Language::En) => "photo before",
            (Self::PhotoAfter, Language::En) => "photo after",
            (Self::Document, Language::En) => "document",
        }
    }

    /// Whether a file of this medium can be one: a photo is a picture, a document may be.
    #[must_use]
    pub fn takes(self, media: Media) -> bool {
        match self {
            Self::PhotoBefore | Self::PhotoAfter => media.is_picture(),
            Self::Document => true,
        }
    }
}

impl FromStr for FileKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.key() == text).ok_or_else(|| {
            let keys: Vec<&str> = Self::ALL.iter().map(|kind| kind.key()).collect();
            format!("`{text}` is no kind of file; expected {}", keys.join(", "))
        })
    }
}

/// In which form a file is kept. Pictures of every form that is taken become JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Media {
    Jpeg,
    Pdf,
    Docx,
    Xlsx,
}

impl Media {
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Pdf, Self::Docx, Self::Xlsx];

    /// The media type of HTTP.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// Whether it is shown as it is, and has a small picture of itself.
    #[must_use]
    pub fn is_picture(self) -> bool {
        match self {
            Self::Jpeg => true,
            Self::Pdf | Self::Docx | Self::Xlsx => false,
        }
    }
}

/// SHA-256 of a file as it is kept: its name in the room of files. 64 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileHash(pub [u8; 32]);

/// The text is not 64 hexadecimal digits in small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the 64 hexadecimal digits of a file's hash, in small letters")]
pub struct NoFileHash;

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for FileHash {
    type Err = NoFileHash;

    /// One spelling for each, so that a file of this name is the only one.
    fn from_str(text: &str) -> Result<Self, NoFileHash> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NoFileHash);
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| NoFileHash)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for FileHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttachedFile {
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub hash: FileHash,
    /// What whoever sent it calls it: words for people, never a path.
    pub name: String,
    pub kind: FileKind,
    pub media: Media,
    /// As it is kept.
    pub bytes: u64,
    /// When a picture says it was taken; whether its camera's clock was right nobody knows.
    pub taken: Option<UtcMillis>,
    /// Where a picture says it was taken, wherever that is: a photo from elsewhere is a finding.
    pub place: Option<Point>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_a_picture_and_a_document_may_be_one() {
        for media in Media::ALL {
            for kind in FileKind::ALL {
                let fits = kind == FileKind::Document || media == Media::Jpeg;
                assert_eq!(kind.takes(media), fits, "{kind:?} {media:?}");
            }
        }
    }

    #[test]
    fn a_kind_is_named_and_said_in_both_languages() {
        for kind in FileKind::ALL {
            assert_eq!(kind.key().parse(), Ok(kind));
            assert_ne!(kind.words(Language::Zh), kind.words(Language::En));
        }
        assert!("photo".parse::<FileKind>().unwrap_err().contains("photo_before"));
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = FileHash(std::array::from_fn(|at| at as u8 * 8));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for wrong in
            ["", "../../../etc/passwd", &"A".repeat(64), &"a".repeat(63), &"g".repeat(64), &"é".repeat(32)]
        {
            assert_eq!(wrong.parse::<FileHash>(), Err(NoFileHash), "{wrong}");
        }
    }
}
