//! The half of a row that is a condition (立案条件) with its limits and how it is closed.

use domain::catalogue::{Condition, Milestone, Name};
use domain::clock::spoken;
use domain::code::ConditionCode;
use domain::text::TextKind;

use super::{Bad, Current, DraftCondition, Of, Rows};
use crate::tables::grid::Row;
use crate::tables::header::Column;

const LIMITS: &str = "expected a number with its unit, such as 2紧急工作时, 4小时, 5天, 5工作日, 7自然日 or 30分钟, each part of a disposal with its own";

impl Rows<'_> {
    pub(super) fn condition(&mut self, row: &Row, class: Current) -> Of<DraftCondition> {
        let code = self.condition_code(row, class);
        let name = self.name(row, Column::Condition, Column::ConditionEn).and_then(|name| match name {
            Some(name) => Ok(name),
            None => {
                self.wrong(row, Column::Condition, "is empty; expected when a case of the class is filed")
            }
        });
        let milestones = self.milestones(row);
        let name = name.and_then(|name| self.once(row, class, code.as_ref().ok(), name));
        let close = self.both(row, Column::Close, Column::CloseEn, TextKind::Line);
        Ok(DraftCondition { code: code?, name: name?, milestones: milestones?, close: close? })
    }

    /// Without codes a condition is known by its words, which are its own within the class.
    fn once(
        &mut self,
        row: &Row,
        class: Current,
        code: Option<&Option<ConditionCode>>,
        name: Name,
    ) -> Of<Name> {
        let Current::Draft(at) = class else { return Ok(name) };
        let draft = &self.tables.classes.drafts[at];
        match code == Some(&None) && draft.conditions.iter().any(|there| there.name.zh == name.zh) {
            true => {
                let problem = format!("{} has a condition of these words already", draft.class.code);
                self.wrong(row, Column::Condition, problem)
            }
            false => Ok(name),
        }
    }

    fn condition_code(&mut self, row: &Row, class: Current) -> Of<Option<ConditionCode>> {
        let Some(text) = self.text(row, Column::ConditionCode, TextKind::Id)? else { return Ok(None) };
        let code = match ConditionCode::new(&*spoken::narrow(&text)) {
            Ok(code) => code,
            Err(error) => return self.wrong(row, Column::ConditionCode, error.to_string()),
        };
        if let Current::Draft(at) = class {
            let class = &self.tables.classes.drafts[at].class.code;
            let was = self.policy.conditions.iter().find(|there| there.code == code);
            if let Some(was) = was.filter(|was| was.class != *class) {
                let problem =
                    format!("is a condition of {} in the policy; give this one a code of its own", was.class);
                return self.wrong(row, Column::ConditionCode, problem);
            }
        }
        let stands = self.stands(row);
        if let Some(other) = self.tables.classes.conditions.insert(code.clone(), stands) {
            return self.wrong(
                row,
                Column::ConditionCode,
                format!("stands in {other} as well; a code has one condition"),
            );
        }
        Ok(Some(code))
    }

    fn milestones(&mut self, row: &Row) -> Of<Vec<Milestone>> {
        // Longer than a name: several parts, each in words.
        let text = self.text(row, Column::Limit, TextKind::Line)?.unwrap_or_default();
        let parts = match spoken::read(&text, self.plain) {
            Ok(parts) => parts,
            Err(error) => return self.wrong(row, Column::Limit, format!("{error}; {LIMITS}")),
        };
        for part in &parts {
            if let Err(problem) = self.policy.check_limit(part.limit) {
                return self.wrong(row, Column::Limit, problem);
            }
        }
        let count = parts.len();
        let milestones: Vec<Milestone> = parts
            .into_iter()
            .enumerate()
            .map(|(at, part)| Milestone { name: named(part.name, at + 1, count), limit: part.limit })
            .collect();
        if milestones.iter().any(|milestone| milestone.name.check().is_err()) {
            return self.wrong(
                row,
                Column::Limit,
                format!("has more words than a part of a disposal may; {LIMITS}"),
            );
        }
        let (code, class) = ("x".parse(), "x".parse());
        let (Ok(code), Ok(class)) = (code, class) else { return Err(Bad) };
        let whole = Condition {
            code,
            class,
            name: Name::default(),
            milestones,
            close_condition: None,
            retired: false,
        };
        match whole.is_possible() {
            true => Ok(whole.milestones),
            false => self.wrong(
                row,
                Column::Limit,
                "expected 1 to 9 parts of a disposal, each longer than the one before",
            ),
        }
    }
}

/// The part of a disposal as the table names it; one without words by its place.
fn named(zh: String, number: usize, count: usize) -> Name {
    match (zh.is_empty(), count) {
        (false, _) => Name { zh, en: String::new() },
        (true, 1) => Name { zh: "处置".to_owned(), en: "Disposal".to_owned() },
        (true, _) => Name { zh: format!("第 {number} 段"), en: format!("Part {number}") },
    }
}
