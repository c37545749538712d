//! Tables laid onto a policy (入规则): what they name takes the place of what is there, and nothing that was there is lost.
//!
//! A condition is known again by its code, or in a table without such a column by its words, so that cases which name it keep their
//! meaning. What should not be here: cells and files.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{ClassKind, Condition, Name};
use domain::code::{ClassCode, ConditionCode};
use domain::policy::{Policy, Responsibility};
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

/// How much was laid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Laid {
    pub classes: usize,
    pub conditions: usize,
    /// Classes of which a cell is wrong: they stay as they are.
    pub left_out: usize,
    pub classes_retired: usize,
    pub conditions_retired: usize,
    /// Entries of the responsibility list.
    pub responsibilities: usize,
    pub responsibilities_removed: usize,
}

impl Tables {
    /// Lays what is sound onto a policy. With `whole` the tables are all there is of their kinds: classes they lack are retired. What
    /// a class has no longer among its conditions is retired in any case; nothing is ever left out.
    #[must_use]
    pub fn lay(&self, policy: &Policy, whole: bool) -> Candidate {
        let mut candidate = Candidate { policy: policy.clone(), laid: Laid::default() };
        let mut places = Places::of(policy, self);
        for draft in &self.classes.drafts {
            if draft.bad {
                candidate.laid.left_out += 1;
            } else {
                candidate.lay(draft, &mut places, !self.classes.lost);
            }
        }
        candidate.lay_duties(self, whole);
        // A cell that is wrong may have been any of them.
        if whole && self.faults.is_empty() {
            candidate.retire(self);
        }
        candidate
    }
}

/// Where everything is in a policy while tables are laid onto it: they may have as many rows as it has entries.
struct Places<'a> {
    classes: BTreeMap<ClassCode, usize>,
    conditions: BTreeMap<ConditionCode, usize>,
    /// Those of each class.
    of_class: BTreeMap<ClassCode, Vec<usize>>,
    /// The highest number behind each code and a dot.
    highest: BTreeMap<String, u64>,
    /// Codes the tables give themselves, which no other condition gets.
    given: &'a BTreeMap<ConditionCode, String>,
}

impl<'a> Places<'a> {
    fn of(policy: &Policy, tables: &'a Tables) -> Self {
        let mut places = Self {
            classes: policy.classes.iter().zip(0..).map(|(class, at)| (class.code.clone(), at)).collect(),
            conditions: BTreeMap::new(),
            of_class: BTreeMap::new(),
            highest: BTreeMap::new(),
            given: tables.classes.given(),
        };
        policy.conditions.iter().zip(0..).for_each(|(condition, at)| places.note(condition, at));
        places.given.keys().for_each(|code| places.count(code));
        places
    }

    fn note(&mut self, condition: &Condition, at: usize) {
        self.conditions.insert(condition.code.clone(), at);
        self.of_class.entry(condition.class.clone()).or_default().push(at);
        self.count(&condition.code);
    }

    fn count(&mut self, code: &ConditionCode) {
        let Some((before, number)) = code.as_str().rsplit_once('.') else { return };
        let Some(number) = number.parse::<u64>().ok().filter(|number| *number < NUMBER_MAX) else { return };
        let highest = self.highest.entry(before.to_owned()).or_default();
        *highest = number.max(*highest);
    }

    /// A number nothing has had: one that was retired is never given again.
    fn next(&self, class: &ClassCode) -> ConditionCode {
        let highest = self.highest.get(class.as_str()).copied().unwrap_or_default();
        ConditionCode::new(format!("{class}.{}", highest + 1))
            .expect("the code of a class in a table leaves room for a dot and a number of ten digits")
    }
}

impl Candidate {
    /// With `all` no row is lost that might be one of the class.
    fn lay(&mut self, draft: &Draft, places: &mut Places<'_>, all: bool) {
        let class = draft.class.clone();
        self.laid.classes += 1;
        self.laid.conditions += draft.conditions.len();
        match places.classes.get(&class.code) {
            Some(at) => self.policy.classes[*at] = class,
            None => self.policy.classes.push(class),
        }
        let code = &draft.class.code;
        let before = places.of_class.get(code).cloned().unwrap_or_default();
        let mut named: BTreeSet<ConditionCode> = BTreeSet::new();
        for condition in &draft.conditions {
            let condition = self.coded(code, condition, &before, &named, places);
            named.insert(condition.code.clone());
            match places.conditions.get(&condition.code) {
                Some(at) => self.policy.conditions[*at] = condition,
                None => {
                    places.note(&condition, self.policy.conditions.len());
                    self.policy.conditions.push(condition);
                }
            }
        }
        for at in before.into_iter().filter(|_| all) {
            let there = &mut self.policy.conditions[at];
            if !named.contains(&there.code) && !there.retired {
                there.retired = true;
                self.laid.conditions_retired += 1;
            }
        }
    }

    /// The condition with its code: the table's, that of the same words, or the next number of the class.
    fn coded(
        &self,
        class: &ClassCode,
        draft: &DraftCondition,
        before: &[usize],
        named: &BTreeSet<ConditionCode>,
        places: &Places<'_>,
    ) -> Condition {
        let conditions = &self.policy.conditions;
        let was = match &draft.code {
            Some(code) => places.conditions.get(code).map(|at| &conditions[*at]),
            None => before.iter().map(|at| &conditions[*at]).find(|there| {
                let is_free = !named.contains(&there.code) && !places.given.contains_key(&there.code);
                there.name.zh == draft.name.zh && is_free
            }),
        };
        let code = draft.code.clone().or_else(|| was.map(|was| was.code.clone()));
        let close = draft.close.as_ref();
        let closed = was.and_then(|was| was.close_condition.as_ref());
        Condition {
            code: code.unwrap_or_else(|| places.next(class)),
            class: class.clone(),
            name: translated(&draft.name, was.map(|was| &was.name)),
            milestones: draft.milestones.clone(),
            close_condition: close.map(|close| translated(close, closed)),
            retired: false,
        }
    }

    /// Who answers for a class in an area, each in place of who did. With `whole` the tables are the whole list.
    fn lay_duties(&mut self, tables: &Tables, whole: bool) {
        let duties = &tables.duties;
        // A class that was left out is not there to be answered for.
        let known: BTreeSet<ClassCode> = self.policy.classes.iter().map(|class| class.code.clone()).collect();
        let taken: Vec<&Responsibility> =
            duties.entries.iter().filter(|entry| known.contains(&entry.class)).collect();
        let named: BTreeSet<_> = taken.iter().map(|entry| (&entry.class, &entry.area)).collect();
        let before = self.policy.responsibilities.len();
        let is_whole = whole && !duties.lost && tables.faults.is_empty() && !taken.is_empty();
        let mut replaced = 0;
        self.policy.responsibilities.retain(|entry| {
            let is_named = named.contains(&(&entry.class, &entry.area));
            replaced += usize::from(is_named);
            !is_named && !is_whole
        });
        self.laid.responsibilities_removed = before - self.policy.responsibilities.len() - replaced;
        self.laid.responsibilities = taken.len();
        self.policy.responsibilities.extend(taken.into_iter().cloned());
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
