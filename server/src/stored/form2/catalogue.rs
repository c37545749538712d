//! Codes and limits in form 2.

use domain::catalogue::{Area, Class, Condition, Department, Entry, Milestone, Name, Source};
use domain::clock::Limit;
use domain::code::{AreaCode, ClassCode, ConditionCode, DepartmentCode, SourceCode};
use serde::{Deserialize, Serialize};

use crate::stored::words::Spelt;
use crate::stored::{Read, code, spelt};

#[derive(Serialize, Deserialize)]
pub(in crate::stored) struct LimitForm {
    amount: u32,
    unit: String,
    counts: String,
}

pub(in crate::stored) fn is_false(is: &bool) -> bool {
    !is
}

#[derive(Serialize, Deserialize)]
pub(in crate::stored) struct MilestoneForm {
    zh: String,
    en: String,
    limit: LimitForm,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(in crate::stored) enum EntryForm {
    Area {
        code: String,
        level: String,
        parent: Option<String>,
        zh: String,
        en: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short_zh: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short_en: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        retired: bool,
    },
    Class {
        code: String,
        class_kind: String,
        zh: String,
        en: String,
        key: bool,
        disposal_limit: Option<LimitForm>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        main_zh: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        main_en: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base_weight: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short_zh: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short_en: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        retired: bool,
    },
    Source {
        code: String,
        zh: String,
        en: String,
        #[serde(default, skip_serializing_if = "is_false")]
        retired: bool,
    },
    Department {
        code: String,
        zh: String,
        en: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short_zh: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short_en: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        retired: bool,
    },
    Condition {
        code: String,
        class: String,
        zh: String,
        en: String,
        milestones: Vec<MilestoneForm>,
        close_zh: Option<String>,
        close_en: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        retired: bool,
    },
}

pub(in crate::stored) fn limit_form(limit: Limit) -> LimitForm {
    LimitForm {
        amount: limit.amount,
        unit: limit.unit.word().to_owned(),
        counts: limit.counts.word().to_owned(),
    }
}

pub(in crate::stored) fn limit(is: LimitForm) -> Read<Limit> {
    Ok(Limit { amount: is.amount, unit: spelt("unit", &is.unit)?, counts: spelt("counts", &is.counts)? })
}

pub(in crate::stored) fn entry_form(entry: &Entry) -> EntryForm {
    match entry.clone() {
        Entry::Area(Area { code, level, parent, name: Name { zh, en }, short, retired }) => EntryForm::Area {
            code: code.to_string(),
            level: level.word().to_owned(),
            parent: parent.map(|parent| parent.to_string()),
            zh,
            en,
            short_zh: short.clone().map(|short| short.zh),
            short_en: short.map(|short| short.en),
            retired,
        },
        Entry::Class(class) => class_form(class),
        Entry::Source(Source { code, name: Name { zh, en }, retired }) => {
            EntryForm::Source { code: code.to_string(), zh, en, retired }
        }
        Entry::Department(Department { code, name: Name { zh, en }, short, retired }) => {
            EntryForm::Department {
                code: code.to_string(),
                zh,
                en,
                short_zh: short.clone().map(|short| short.zh),
                short_en: short.map(|short| short.en),
                retired,
            }
        }
        Entry::Condition(condition) => condition_form(condition),
    }
}

fn class_form(class: Class) -> EntryForm {
    let Class { code, kind, name: Name { zh, en }, main, short, key, base_weight, disposal_limit, retired } =
        class;
    let (main_zh, main_en) = main.map(|name| (name.zh, name.en)).unzip();
    let (short_zh, short_en) = short.map(|name| (name.zh, name.en)).unzip();
    EntryForm::Class {
        code: code.to_string(),
        class_kind: kind.word().to_owned(),
        zh,
        en,
        key,
        disposal_limit: disposal_limit.map(limit_form),
        main_zh,
        main_en,
        base_weight,
        short_zh,
        short_en,
        retired,
    }
}

fn condition_form(condition: Condition) -> EntryForm {
    let Condition { code, class, name: Name { zh, en }, milestones, close_condition, retired } = condition;
    let part =
        |Milestone { name: Name { zh, en }, limit }| MilestoneForm { zh, en, limit: limit_form(limit) };
    let (close_zh, close_en) = close_condition.map(|name| (name.zh, name.en)).unzip();
    EntryForm::Condition {
        code: code.to_string(),
        class: class.to_string(),
        zh,
        en,
        milestones: milestones.into_iter().map(part).collect(),
        close_zh,
        close_en,
        retired,
    }
}

fn name(zh: Option<String>, en: Option<String>) -> Option<Name> {
    zh.map(|zh| Name { zh, en: en.unwrap_or_default() })
}

pub(in crate::stored) fn entry(is: EntryForm) -> Read<Entry> {
    Ok(match is {
        EntryForm::Area { code: text, level, parent, zh, en, short_zh, short_en, retired } => {
            Entry::Area(Area {
                code: code("code", text, AreaCode::new)?,
                level: spelt("level", &level)?,
                parent: parent.map(|text| code("parent", text, AreaCode::new)).transpose()?,
                name: Name { zh, en },
                short: name(short_zh, short_en),
                retired,
            })
        }
        EntryForm::Class {
            code: text,
            class_kind,
            zh,
            en,
            key,
            disposal_limit,
            main_zh,
            main_en,
            base_weight,
            short_zh,
            short_en,
            retired,
        } => Entry::Class(Class {
            code: code("code", text, ClassCode::new)?,
            kind: spelt("class_kind", &class_kind)?,
            name: Name { zh, en },
            main: name(main_zh, main_en),
            short: name(short_zh, short_en),
            key,
            base_weight,
            disposal_limit: disposal_limit.map(limit).transpose()?,
            retired,
        }),
        EntryForm::Source { code: text, zh, en, retired } => Entry::Source(Source {
            code: code("code", text, SourceCode::new)?,
            name: Name { zh, en },
            retired,
        }),
        EntryForm::Department { code: text, zh, en, short_zh, short_en, retired } => {
            Entry::Department(Department {
                code: code("code", text, DepartmentCode::new)?,
                name: Name { zh, en },
                short: name(short_zh, short_en),
                retired,
            })
        }
        EntryForm::Condition { code: text, class, zh, en, milestones, close_zh, close_en, retired } => {
            let part = |is: MilestoneForm| {
                Ok(Milestone { name: Name { zh: is.zh, en: is.en }, limit: limit(is.limit)? })
            };
            Entry::Condition(Condition {
                code: code("code", text, ConditionCode::new)?,
                class: code("class", class, ClassCode::new)?,
                name: Name { zh, en },
                milestones: milestones.into_iter().map(part).collect::<Read<_>>()?,
                close_condition: close_zh.map(|zh| Name { zh, en: close_en.unwrap_or_default() }),
                retired,
            })
        }
    })
}
