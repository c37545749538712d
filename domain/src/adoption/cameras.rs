//! Adoption of a list of cameras (名录启用): which one is in force, and what another one changes, in figures.
//!
//! A list holds addresses and accounts, so that the rules know its name and nothing else of it: the log keeps it sealed.
//! What should not be here: what a list says and how it is compared (`server::video::origin`).

use serde::{Deserialize, Serialize};

use super::{ListHash, Took};

/// The list that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListInForce {
    /// Counts the lists adopted, from 1.
    pub version: u64,
    pub hash: ListHash,
    pub took: Took,
}

/// What an adopted list has and what it changes, in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CameraCounts {
    /// Cameras in the list.
    pub cameras: u32,
    pub new: u32,
    pub gone: u32,
    /// Fetched at another address, by another account or by other rules.
    pub readdressed: u32,
    /// At another place, or with another view.
    pub moved: u32,
    /// With another name or owner.
    pub renamed: u32,
}

/// Another list of cameras came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CamerasAdopted {
    pub version: u64,
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub hash: ListHash,
    pub counts: CameraCounts,
}
