//! Tables laid onto a policy (入规则): what they name takes the place of what is there, and nothing that was there is lost.
//!
//! A condition is known again by its code, or in a table without such a column by its words, so that cases which name it keep their
//! meaning. What should not be here: cells and files.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{ClassKind, Condition, Name};
use domain::code::{ClassCode, ConditionCode};
use domain::policy::Policy;
use serde::Serialize;

use super::Tables;
use super::classes::{Draft, DraftCondition};

/// What became of a policy.
#[derive(Debug)]
pub struct Candidate {
    pub policy: Policy,
    pub laid: Laid,
}

/// Numbers of conditions lie below it, so that they have ten digits at most.
const NUMBER_MAX: u64 = 1_000_000_000;

/// Codes the tables give themselves, which no other condition gets.
type Given = BTreeMap<ConditionCode, String>;

/// How much was laid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Laid {
    pub classes: usize,
    pub conditions: usize,
    /// Classes of which a cell is wrong: they stay as they are.
    pub left_out: usize,
    pub classes_retired: usize,
    pub conditions_retired: usize,
}

impl Tables {
    /// Lays what is sound onto a policy. With `whole` the tables are all there is of their kinds: classes they lack are retired. What
    /// a class has no longer among its conditions is retired in any case; nothing is ever left out.
    #[must_use]
    pub fn lay(&self, policy: &Policy, whole: bool) -> Candidate {
        let mut candidate = Candidate { policy: policy.clone(), laid: Laid::default() };
        for draft in &self.classes.drafts {
            if draft.bad {
                candidate.laid.left_out += 1;
            } else {
                candidate.lay(draft, !self.classes.lost, self.classes.given());
            }
        }
        // A cell that is wrong may have been any of them.
        if whole && self.faults.is_empty() {
            candidate.retire(self);
        }
        candidate
    }
}

impl Candidate {
    /// With `all` no row is lost that might be one of the class.
    fn lay(&mut self, draft: &Draft, all: bool, given: &Given) {
        let class = draft.class.clone();
        self.laid.classes += 1;
        self.laid.conditions += draft.conditions.len();
        match self.policy.classes.iter_mut().find(|there| there.code == class.code) {
            Some(there) => *there = class,
            None => self.policy.classes.push(class),
        }
        let code = &draft.class.code;
        let mut named: BTreeSet<ConditionCode> = BTreeSet::new();
        for condition in &draft.conditions {
            let condition = self.coded(code, condition, &named, given);
            named.insert(condition.code.clone());
            match self.policy.conditions.iter_mut().find(|there| there.code == condition.code) {
                Some(there) => *there = condition,
                None => self.policy.conditions.push(condition),
            }
        }
        let gone =
            self.policy.conditions.iter_mut().filter(|there| all && there.class == *code && !there.retired);
        for condition in gone.filter(|there| !named.contains(&there.code)) {
            condition.retired = true;
            self.laid.conditions_retired += 1;
        }
    }

    /// The condition with its code: the table's, that of the same words, or the next number of the class.
    fn coded(
        &self,
        class: &ClassCode,
        draft: &DraftCondition,
        named: &BTreeSet<ConditionCode>,
        given: &Given,
    ) -> Condition {
        let conditions = &self.policy.conditions;
        let was = match &draft.code {
            Some(code) => conditions.iter().find(|there| there.code == *code),
            None => conditions.iter().find(|there| {
                let is_free = !named.contains(&there.code) && !given.contains_key(&there.code);
                there.class == *class && there.name.zh == draft.name.zh && is_free
            }),
        };
        let code = draft.code.clone().or_else(|| was.map(|was| was.code.clone()));
        let code = code.unwrap_or_else(|| self.next_code(class, given));
        let name = translated(&draft.name, was.map(|was| &was.name));
        let close = draft.close.as_ref();
        Condition {
            code,
            class: class.clone(),
            name,
            milestones: draft.milestones.clone(),
            close_condition: close
                .map(|close| translated(close, was.and_then(|was| was.close_condition.as_ref()))),
            retired: false,
        }
    }

    /// A number nothing has had: one that was retired is never given again.
    fn next_code(&self, class: &ClassCode, given: &Given) -> ConditionCode {
        let prefix = format!("{class}.");
        let number = |code: &ConditionCode| {
            code.as_str().strip_prefix(&prefix)?.parse().ok().filter(|number| *number < NUMBER_MAX)
        };
        let known = self.policy.conditions.iter().map(|there| &there.code);
        let highest = known.chain(given.keys()).filter_map(number).max().unwrap_or(0);
        let code = format!("{prefix}{}", highest + 1);
        ConditionCode::new(code)
            .expect("the code of a class in a table leaves room for a dot and a number of ten digits")
    }

    fn retire(&mut self, tables: &Tables) {
        let kinds: BTreeSet<ClassKind> = tables.classes.drafts.iter().map(|draft| draft.class.kind).collect();
        let named: BTreeSet<&ClassCode> =
            tables.classes.drafts.iter().map(|draft| &draft.class.code).collect();
        let mut gone: BTreeSet<ClassCode> = BTreeSet::new();
        for class in &mut self.policy.classes {
            if kinds.contains(&class.kind) && !named.contains(&class.code) && !class.retired {
                class.retired = true;
                self.laid.classes_retired += 1;
                gone.insert(class.code.clone());
            }
        }
        for condition in &mut self.policy.conditions {
            if gone.contains(&condition.class) && !condition.retired {
                condition.retired = true;
                self.laid.conditions_retired += 1;
            }
        }
    }

    /// Whether the policy holds with what was laid onto it.
    pub fn check(&self) -> Result<(), String> {
        self.policy.check()
    }
}

/// Words that are said in Chinese as before keep the English they had.
fn translated(said: &Name, was: Option<&Name>) -> Name {
    let kept = was.filter(|was| said.en.is_empty() && was.zh == said.zh);
    kept.unwrap_or(said).clone()
}
