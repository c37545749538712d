//! What is asked and answered of replays (复盘): a past stretch, shown again in a world of its own.

use serde::{Deserialize, Serialize};

use crate::moment::UtcMillis;

/// `POST /api/v1/replays`: which stretch of the past, in milliseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplayOrder {
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub from: UtcMillis,
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub to: UtcMillis,
    /// Where to stand still. Without it the past goes on from its beginning, as time passed.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<i64>))]
    pub at: Option<UtcMillis>,
}

/// A replay that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayAnswer {
    pub id: String,
    /// What its addresses begin with: its wall is at `{base}/wall`.
    pub base: String,
    /// Its stretch in local time.
    pub title: String,
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub from: UtcMillis,
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub to: UtcMillis,
    /// Who opened it.
    pub by: String,
    /// When another policy (规则) came into force within the stretch.
    #[serde(default)]
    pub policy_changes: Vec<PolicyChange>,
    /// How many events were recorded in each of as many equally long slices of the stretch.
    #[serde(default)]
    pub density: Vec<u32>,
}

/// Another policy came into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicyChange {
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub at: UtcMillis,
}
