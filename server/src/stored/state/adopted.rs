//! How a snapshot keeps what was adopted: by the name of its body, with who brought it into force when.
//!
//! What should not be here: the bodies themselves (`stored::policy`, `stored::cameras`).

use domain::adoption::{InForce, ListInForce, Took};
use domain::moment::UtcMillis;
use serde::{Deserialize, Serialize};

use super::super::{Read, policy, word};
use super::Policies;

/// The policy in force, by its hash; none for the one the log begins with.
#[derive(Serialize, Deserialize)]
pub(super) struct PolicyForm {
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Rows of form 1 do not say by whom and when.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    took: Option<TookForm>,
}

#[derive(Serialize, Deserialize)]
struct TookForm {
    by: String,
    at_ms: i64,
}

fn took_form(took: &Took) -> TookForm {
    TookForm { by: took.by.clone(), at_ms: took.at.0 }
}

fn took(is: TookForm) -> Took {
    Took { by: is.by, at: UtcMillis(is.at_ms) }
}

pub(super) fn policy_form(in_force: &InForce) -> PolicyForm {
    let hash = in_force.hash.map(|hash| hash.to_string());
    PolicyForm { version: in_force.version, hash, took: in_force.took.as_ref().map(took_form) }
}

pub(super) fn in_force(is: PolicyForm, policies: Policies<'_>) -> Read<InForce> {
    let Some(text) = is.hash else { return Ok(InForce::genesis(policies.genesis.policy.clone())) };
    let hash = text.parse().map_err(|_| word("hash", text))?;
    let policy = policy::adopted(&hash, policies.bodies)?;
    Ok(InForce { version: is.version, hash: Some(hash), policy, took: is.took.map(took) })
}

/// The adopted list of cameras, by its hash.
#[derive(Serialize, Deserialize)]
pub(super) struct CameraListForm {
    version: u64,
    hash: String,
    by: String,
    at_ms: i64,
}

pub(super) fn camera_list_form(list: &ListInForce) -> CameraListForm {
    let Took { by, at } = list.took.clone();
    CameraListForm { version: list.version, hash: list.hash.to_string(), by, at_ms: at.0 }
}

pub(super) fn camera_list(is: CameraListForm) -> Read<ListInForce> {
    let hash = is.hash.parse().map_err(|_| word("hash", is.hash))?;
    Ok(ListInForce { version: is.version, hash, took: Took { by: is.by, at: UtcMillis(is.at_ms) } })
}
