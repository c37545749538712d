//! Another list of cameras taken into service while the hall runs: read, compared, kept, then in force.
//!
//! What should not be here: who may do that (`http.rs`), where it is kept (`crate::cameras`).

use super::origin::adopted::{AdoptedLists, KeepError};
use super::origin::change::{Change, words};
use super::origin::file::ListFile;
use super::origin::list::{ListError, Refusal};
use super::origin::registry::Registry;
use domain::adoption::CameraCounts;
use domain::catalogue::Name;
use domain::event::By;
use serde::{Deserialize, Serialize};

/// Refused rows spelt out; the rest is counted.
const REFUSED_MAX: usize = 100;
/// Bytes of a list that is adopted: twice a hundred thousand rows. A file that is only named in the settings may be longer.
pub const LIST_BYTES_MAX: usize = 32 << 20;

/// What is asked of an adoption.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wish {
    /// Only says what would change.
    pub dry_run: bool,
    /// Adopts the good rows although others are refused. Without it such a list changes nothing: a camera whose row has a
    /// slip in it would be gone.
    pub leave_out_refused: bool,
    /// `version` of the dry run it was read in: refused (409) when another list came into force since. Without it nothing is
    /// compared; a dry run does not compare either.
    pub upon: Option<u64>,
}

/// What an adoption did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CameraAdoption)]
pub struct Adoption {
    /// Whether the list is in force now.
    pub adopted: bool,
    /// Version in force now; 0 before the first adoption.
    pub version: u64,
    /// SHA-256 of the list.
    pub sha256: String,
    pub cameras: usize,
    pub change: Change,
    /// Rows that were not taken, or not read at all.
    pub refused_count: usize,
    /// The first hundred of them.
    pub refused: Vec<Refusal>,
    /// The same in a line.
    pub said: Name,
}

/// Why a list was not adopted. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum NotAdopted {
    #[error("the list cannot be read")]
    Unreadable(#[source] ListError),
    #[error("the list holds no camera that can be taken; an empty list is not adopted")]
    Empty,
    #[error("the list has {bytes} bytes; at most {LIST_BYTES_MAX} are adopted")]
    TooLarge { bytes: usize },
    #[error("{}", .0.said.en)]
    Refused(Box<Adoption>),
    #[error("the list cannot be kept")]
    NotKept(#[source] KeepError),
}

/// A list that was read and compared, and may be adopted.
pub struct Considered {
    pub adoption: Adoption,
    pub registry: Registry,
}

/// The list a new one is held against.
pub struct Before<'a> {
    pub registry: &'a Registry,
    /// 0 before the first adoption.
    pub version: u64,
}

/// Reads `list` and says what it would change.
pub fn consider(before: &Before<'_>, list: &ListFile, wish: Wish) -> Result<Considered, NotAdopted> {
    let bytes = list.bytes.len();
    if bytes > LIST_BYTES_MAX {
        return Err(NotAdopted::TooLarge { bytes });
    }
    let (registry, mut refused) = list.rows().map_err(NotAdopted::Unreadable)?;
    let change = Change::between(before.registry, &registry);
    let refused_count = refused.len();
    let said = words::said(&change, refused_count, refused.first());
    refused.truncate(REFUSED_MAX);
    let cameras = registry.len();
    let (version, sha256) = (before.version, list.hash());
    let adoption =
        Adoption { adopted: false, version, sha256, cameras, change, refused_count, refused, said };
    if wish.dry_run {
        return Ok(Considered { adoption, registry });
    }
    if refused_count > 0 && !wish.leave_out_refused {
        return Err(NotAdopted::Refused(Box::new(adoption)));
    }
    if registry.is_empty() {
        return Err(NotAdopted::Empty);
    }
    Ok(Considered { adoption, registry })
}

/// Keeps a list that was considered; what is returned may be taken into service.
pub fn keep(
    mut considered: Considered,
    lists: &dyn AdoptedLists,
    list: &ListFile,
    upon: Option<u64>,
    by: &By,
) -> Result<Considered, NotAdopted> {
    let counts = counts(&considered.adoption.change, considered.adoption.cameras);
    lists.keep(list, counts, upon, by).map_err(NotAdopted::NotKept)?;
    considered.adoption.adopted = true;
    considered.adoption.version = lists.version();
    Ok(considered)
}

/// A change as the log has it: in figures, without a code.
#[must_use]
pub fn counts(change: &Change, cameras: usize) -> CameraCounts {
    let figure = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let Change { new, gone, readdressed, moved, renamed, as_before: _ } = change;
    CameraCounts {
        cameras: figure(cameras),
        new: figure(new.count),
        gone: figure(gone.count),
        readdressed: figure(readdressed.count),
        moved: figure(moved.count),
        renamed: figure(renamed.count),
    }
}
