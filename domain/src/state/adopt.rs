//! Adopting a policy: whether another one may come into force, and what it makes of the codes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{State, replan};
use crate::adoption::{Adopted, Changed, InForce, PolicyHash, Took};
use crate::catalogue::{AreaError, Catalogue, ENTRIES_MAX, Entry};
use crate::event::{Event, PolicyEvent};
use crate::policy::Policy;
use crate::rejection::{Adoptable, PolicyProblem, Rejection};

impl State {
    /// The policy in force with its version.
    #[must_use]
    pub fn in_force(&self) -> &InForce {
        &self.in_force
    }

    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.in_force.policy
    }

    /// The event of adopting `policy`; none where it is the one in force. `hash` names its body, `upon` is the version it was
    /// held against, where it was held against one.
    pub fn adopting(
        &self,
        policy: Arc<Policy>,
        hash: PolicyHash,
        upon: Option<u64>,
    ) -> Result<Option<Event>, Rejection> {
        if policy == self.in_force.policy {
            return Ok(None);
        }
        let InForce { version, took, .. } = &self.in_force;
        self.expect_upon(Adoptable::Policy, upon, *version, took.as_ref())?;
        let refused = |problem| Err(Rejection::PolicyRefused { problem });
        if policy.utc_offset_minutes != self.offset {
            // Days, numbers and tallies of all years were counted with it.
            let (is, wanted) = (self.offset.0, policy.utc_offset_minutes.0);
            return refused(PolicyProblem::Offset { is, wanted });
        }
        if let Err(problem) = policy.check() {
            return refused(PolicyProblem::Unsound(problem));
        }
        let next = self.catalogue_under(&policy);
        if next.len() > ENTRIES_MAX {
            return refused(PolicyProblem::Codes);
        }
        // What is retired or was defined by events may lie in an area that the policy moves to another level.
        match next.areas.values().find_map(|area| next.check_area(area).err().map(|error| (area, error))) {
            None => {}
            Some((area, AreaError::UnknownParent(parent))) => {
                let (area, parent) = (area.code.to_string(), parent.to_string());
                return refused(PolicyProblem::Parent { area, parent });
            }
            Some((_, AreaError::Level { area, level, parent, above })) => {
                let (area, parent) = (area.to_string(), parent.to_string());
                return refused(PolicyProblem::Level { area, level, parent, above });
            }
        }
        let changed = self.changed(&policy, &next);
        let version = self.in_force.version + 1;
        Ok(Some(Event::Policy(PolicyEvent::Adopted(Adopted { version, hash, changed, policy }))))
    }

    /// The codes as they stand once `policy` is in force: its own in its order, then those it does not have. Of these, the
    /// ones that the policy before had are retired; those defined by events stay what they are.
    #[must_use]
    pub fn catalogue_under(&self, policy: &Policy) -> Catalogue {
        let mut next = policy.catalogue();
        let listed: BTreeSet<(u8, String)> =
            self.in_force.policy.entries().map(|entry| name(&entry)).collect();
        for mut entry in self.catalogue.entries() {
            if next.like(&entry).is_none() {
                if listed.contains(&name(&entry)) {
                    entry.retire();
                }
                next.define(entry);
            }
        }
        next
    }

    fn changed(&self, policy: &Policy, next: &Catalogue) -> Changed {
        let (before, mut changed) = (&self.catalogue, Changed::default());
        for entry in next.entries() {
            match before.like(&entry) {
                None => changed.added += 1,
                Some(was) if was == entry => {}
                Some(was) if entry.is_retired() && !was.is_retired() => changed.retired += 1,
                Some(_) => changed.altered += 1,
            }
        }
        let now = &self.in_force.policy;
        changed.calendar = now.calendar != policy.calendar;
        changed.figures = now.figures() != policy.figures();
        changed
    }

    /// The policy comes into force: its codes, its calendar, its limits. Which cases and calls have to follow is known afterwards.
    pub(super) fn take_in(&mut self, adopted: &Adopted, took: Took) {
        self.catalogue = self.catalogue_under(&adopted.policy);
        let Adopted { version, hash, changed: _, policy } = adopted;
        let (hash, policy) = (Some(*hash), policy.clone());
        self.in_force = InForce { version: *version, hash, policy, took: Some(took) };
        self.look_for_stale();
    }

    /// Codes were added or replaced; cases and calls in areas that lie elsewhere now have to follow.
    pub(super) fn define(&mut self, entries: &[Entry]) {
        let mut moved = false;
        for entry in entries {
            if let Entry::Area(area) = entry {
                moved |= self.catalogue.areas.get(&area.code).is_some_and(|was| was.parent != area.parent);
            }
            self.catalogue.define(entry.clone());
        }
        if moved {
            self.look_for_stale();
        }
    }

    pub(super) fn look_for_stale(&mut self) {
        let stale = self.cases.values().filter(|case| replan::is_stale(self, case)).map(replan::place);
        self.stale = stale.collect();
        let calls = self.whistles.values().filter(|call| replan::is_call_elsewhere(self, call));
        self.stale_whistles = calls.map(|call| call.id).collect();
    }
}

fn name(entry: &Entry) -> (u8, String) {
    (entry.kind(), entry.code().to_owned())
}
