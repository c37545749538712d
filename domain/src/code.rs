//! Codes and identities: short text with a shape, checked once at the door.
//!
//! What a code means (name, parent, limits) is data and lives in `catalogue`.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Longest code accepted, in bytes. National codes have at most 20 digits; local ones carry a prefix.
pub const CODE_BYTES_MAX: usize = 64;

// The text is shared: every event is counted in dozens of cells, and each cell's key holds a code.
macro_rules! code {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        // Sixteen letters of any script fit 64 bytes, sixty-four of the smallest do.
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "schema", schema(
            value_type = String,
            pattern = r"^([A-Za-z0-9._-]{1,64}|[\p{L}\p{N}._-]{1,16})$"
        ))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts 1 to [`CODE_BYTES_MAX`] bytes of letters, digits, `-`, `_` and `.`; letters of any script.
            pub fn new(text: impl Into<String>) -> Result<Self, CodeError> {
                text.into().parse()
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = CodeError;

            fn from_str(text: &str) -> Result<Self, CodeError> {
                check_code(text).map(|()| Self(text.into()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                parsed(deserializer)
            }
        }
    };
}

code!(
    /// An administrative area (区域): city, district, street, community or grid. National codes have 6, 9, 12 or
    /// 15 digits (`reference/domain.md` §2.2), but the segment mask is local, so the parent is stated in the
    /// catalogue and never derived from the digits.
    AreaCode
);
code!(
    /// A subclass (小类) of parts or events, for example `E01-10` 暴露垃圾. Numbers are local policy.
    ClassCode
);
code!(
    /// Where a case came from (案件来源): inspector, hotline, video patrol, satellite …
    SourceCode
);
code!(
    /// A department or unit (责任单位) that disposes of cases or answers whistles.
    DepartmentCode
);
code!(
    /// A filing condition (立案条件) of a class, for example `P01-01.2`. Unique in the whole catalogue.
    ConditionCode
);
code!(
    /// A camera channel (摄像机).
    CameraCode
);
code!(
    /// An inspector's device or person (监督员).
    InspectorCode
);

/// Why a text is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("is empty; expected a code of 1 to 64 letters, digits, `-`, `_` or `.`")]
    Empty,
    #[error("has {0} bytes; a code has at most 64")]
    TooLong(usize),
    #[error("contains {0:?}; a code has only letters, digits, `-`, `_` and `.`")]
    Character(char),
}

/// Reads what has a text form, without a copy of the text where the format lends it: a screen that opens reads
/// thousands of codes and keys.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    struct Text<T>(std::marker::PhantomData<T>);

    impl<T: std::str::FromStr<Err: std::fmt::Display>> serde::de::Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(std::marker::PhantomData))
}

fn check_code(text: &str) -> Result<(), CodeError> {
    if text.is_empty() {
        return Err(CodeError::Empty);
    }
    if text.len() > CODE_BYTES_MAX {
        return Err(CodeError::TooLong(text.len()));
    }
    match text.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        Some(bad) => Err(CodeError::Character(bad)),
        None => Ok(()),
    }
}

/// A case's number in this store, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct CaseId(pub u64);

/// A whistle call's number in this store, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct WhistleId(pub u64);

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for WhistleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
