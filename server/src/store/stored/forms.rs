//! The JSON of stored events, field by field. What has been shipped here is never changed.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct ReportForm {
    pub(super) source: String,
    pub(super) class: String,
    pub(super) area: String,
    pub(super) condition: Option<String>,
    pub(super) address: String,
    pub(super) description: String,
    pub(super) lat_e6: Option<i32>,
    pub(super) lon_e6: Option<i32>,
    pub(super) priority: String,
    pub(super) base_count: u16,
    pub(super) reporter: Option<String>,
    pub(super) external_system: Option<String>,
    pub(super) external_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct LimitForm {
    pub(super) amount: u16,
    pub(super) unit: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ClockForm {
    pub(super) started_ms: i64,
    pub(super) nearing_ms: i64,
    pub(super) due_ms: i64,
    pub(super) limit: Option<LimitForm>,
    pub(super) phase: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaseReported {
    pub(super) case: u64,
    pub(super) number: String,
    pub(super) report: ReportForm,
    pub(super) area_path: Vec<String>,
    pub(super) seen_ms: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaseTakenOver {
    pub(super) case: u64,
    pub(super) number: String,
    pub(super) report: ReportForm,
    pub(super) area_path: Vec<String>,
    pub(super) opened_ms: i64,
    pub(super) stage: String,
    pub(super) closed_ms: Option<i64>,
    pub(super) due_ms: Option<i64>,
    pub(super) dispatch_clock: Option<ClockForm>,
}

/// `case_accepted`, `case_claimed`.
#[derive(Serialize, Deserialize)]
pub(super) struct CaseOnly {
    pub(super) case: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaseFiled {
    pub(super) case: u64,
    pub(super) dispatch_clock: ClockForm,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaseDispatched {
    pub(super) case: u64,
    pub(super) department: String,
    pub(super) disposal_clock: ClockForm,
}

/// `disposal_finished`, `feedback_given`, `check_passed`, `case_closed`, `case_noted`.
#[derive(Serialize, Deserialize)]
pub(super) struct CaseNote {
    pub(super) case: u64,
    pub(super) note: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WhistleRaised {
    pub(super) whistle: u64,
    pub(super) level: String,
    pub(super) area: String,
    pub(super) title: String,
    pub(super) case: Option<u64>,
    pub(super) called: Vec<String>,
    pub(super) area_path: Vec<String>,
    pub(super) due_ms: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WhistleAnswered {
    pub(super) whistle: u64,
    pub(super) department: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WhistleClosed {
    pub(super) whistle: u64,
    pub(super) note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum EntryForm {
    Area {
        code: String,
        level: String,
        parent: Option<String>,
        zh: String,
        en: String,
    },
    Class {
        code: String,
        class_kind: String,
        zh: String,
        en: String,
        key: bool,
        disposal_limit: Option<LimitForm>,
    },
    Source {
        code: String,
        zh: String,
        en: String,
    },
    Department {
        code: String,
        zh: String,
        en: String,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct CatalogueDefined {
    pub(super) entries: Vec<EntryForm>,
}

/// `deadline_nearing`, `deadline_passed`. `of` is `dispatch`, `disposal` or `response`.
#[derive(Serialize, Deserialize)]
pub(super) struct Deadline {
    pub(super) of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) case: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) whistle: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) department: Option<String>,
    pub(super) due_ms: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DayTurned {
    pub(super) date: String,
}
