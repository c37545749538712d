//! The words a map's script writes, in the language of the screen.

use serde::Serialize;

use crate::words::{Language, say};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct MapWords {
    /// `zh` or `en`: which names of the ground are written.
    lang: &'static str,
    open: String,
    late: String,
    note: String,
    label: String,
    failed: String,
    part: String,
    approval: String,
}

impl MapWords {
    pub(super) fn of(language: Language) -> Self {
        Self {
            lang: match language {
                Language::Zh => "zh",
                Language::En => "en",
            },
            open: say!(language, map.open),
            late: say!(language, map.late),
            note: say!(language, map.note),
            label: say!(language, map.label),
            failed: say!(language, map.failed),
            part: say!(language, map.part),
            approval: say!(language, map.approval),
        }
    }
}
