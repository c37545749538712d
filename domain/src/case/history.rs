//! The past of a case that another system kept before it was taken over (接入).

use serde::{Deserialize, Serialize};

use super::{Stage, Step};
use crate::moment::UtcMillis;

/// What the other system knows of a case that is taken over. What it does not know is unknown, and counted nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct History {
    /// From 1970 to the present.
    pub opened: UtcMillis,
    /// The stage it waits in; ignored when closed.
    pub stage: Stage,
    /// From the opening to the present.
    #[serde(default)]
    pub closed: Option<UtcMillis>,
    /// Disposal due time, from 1970 to 2199; none is kept as none.
    #[serde(default)]
    pub due: Option<UtcMillis>,
    /// Steps whose times are known, in their order. A step that is not here was taken at a time nobody knows, and is in no
    /// day's or month's count.
    #[serde(default)]
    pub steps: Vec<KnownStep>,
}

/// A step of the past with its time, from the opening to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KnownStep {
    /// `accept`, `file`, `dispatch`, `dispose`, `feedback` or `check`; `closed` says when it was closed.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub step: Step,
    pub at: UtcMillis,
}

impl History {
    /// A past of which only the opening and the present stage are known.
    #[must_use]
    pub fn since(opened: UtcMillis, stage: Stage) -> Self {
        Self { opened, stage, closed: None, due: None, steps: Vec::new() }
    }

    /// When a step was taken, where that is known.
    #[must_use]
    pub fn time_of(&self, step: Step) -> Option<UtcMillis> {
        self.steps.iter().find(|known| known.step == step).map(|known| known.at)
    }
}
