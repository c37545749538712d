//! Another policy for the hall (规则启用): held against the one in force and what is open, and what came of it in one answer.
//!
//! What is refused here guards against slips; that nothing is lost whatever is adopted is the rules' own (`domain::state`).
//!
//! What should not be here: who may ask (`http/policy.rs`), how a policy enters the log (`writer/adopt.rs`), what a change is
//! (`domain::policy`).

use std::collections::BTreeSet;

use domain::adoption::InForce;
use domain::case::Case;
use domain::catalogue::{Catalogue, Name};
use domain::moment::UtcMillis;
use domain::policy::change::{Change, Kind};
use domain::policy::{Before, Policy, Refusal};
use domain::rejection::Language;
use domain::scope::Scope;
use domain::whistle::Whistle;
use serde::{Deserialize, Serialize};

use crate::lists::{AnyOf, CaseFilter, Lists};
use crate::stored;

/// What is asked of an adoption.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wish {
    /// Only says what would change.
    pub dry_run: bool,
    /// `version` of the dry run it was read in: refused (409) when another policy came into force since. Without it, it is held
    /// against what is in force when it arrives; a dry run does not compare.
    pub upon: Option<u64>,
}

/// What an adoption did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PolicyAdoption)]
pub struct Adoption {
    /// Whether the policy is in force now.
    pub adopted: bool,
    /// Version in force now; 0 is the policy the store began with.
    pub version: u64,
    /// SHA-256 of the policy as the log keeps it.
    pub sha256: String,
    /// The documents it states as its source.
    pub source: String,
    pub change: Change,
    /// Why it cannot come into force, if anything; it has changed nothing then.
    pub refused: Vec<Refused>,
    /// What changes, in a sentence.
    pub said: Name,
}

/// One reason why a policy cannot come into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PolicyRefused)]
pub struct Refused {
    /// The field of the policy at fault.
    pub field: String,
    pub said: Name,
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        let [zh, en] = [Language::Zh, Language::En].map(|language| refusal.words(language));
        Self { field: refusal.field().to_owned(), said: Name { zh, en } }
    }
}

/// What a policy is held against: what is in force, and what is open.
pub struct Standing<'a> {
    pub in_force: &'a InForce,
    pub catalogue: &'a Catalogue,
    pub cases: Vec<&'a Case>,
    pub whistles: Vec<&'a Whistle>,
    /// Where closed cases are counted.
    pub lists: &'a Lists,
    pub now: UtcMillis,
}

/// Closed cases that have one of the codes, by the views' own counts; none while not all closed cases are laid out, and for
/// filing conditions, which views do not count.
fn closed_with(lists: &Lists, kind: Kind, codes: &BTreeSet<&str>) -> Option<u64> {
    let any_of = AnyOf::of(kind, codes)?;
    let filter = CaseFilter { open: Some(false), any_of: Some(any_of), ..CaseFilter::default() };
    match lists.count(&Scope::All, &filter) {
        Ok(count) => count,
        Err(error) => {
            tracing::warn!(%error, "closed cases with a retired code are not counted");
            None
        }
    }
}

/// What `after` would change, and why it cannot come into force. Changes nothing.
#[must_use]
pub fn consider(standing: &Standing<'_>, after: &Policy) -> Adoption {
    let before = Before {
        policy: &standing.in_force.policy,
        catalogue: standing.catalogue,
        cases: standing.cases.iter().copied(),
        whistles: standing.whistles.iter().copied(),
        today: standing.now.local(standing.in_force.policy.utc_offset_minutes).date,
    };
    let refused = after.refusals(&before).iter().map(Refused::from).collect();
    let mut change = Change::between(before, after);
    change.count_closed(|kind, codes| closed_with(standing.lists, kind, codes));
    let [zh, en] = [Language::Zh, Language::En].map(|language| change.said(language));
    let (_, hash) = stored::policy::body(after);
    Adoption {
        adopted: false,
        version: standing.in_force.version,
        sha256: hash.to_string(),
        source: after.stated_source.clone(),
        change,
        refused,
        said: Name { zh, en },
    }
}
