//! Holidays and make-up days as they come in: from a policy file, and from the papers' lists laid over it.
//!
//! What should be here: that a date has one kind. A map forgets the first of two silently, and `2026-1-1` is the same day as
//! `2026-01-01`.

use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};
use std::collections::BTreeMap;

use super::{DayKind, WorkCalendar};
use crate::moment::Date;

/// Two lists that say different things of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{date} is {} here and {} elsewhere", .new.words(), .known.words())]
pub struct ExceptionError {
    pub date: Date,
    pub known: DayKind,
    pub new: DayKind,
}

impl DayKind {
    fn words(self) -> &'static str {
        match self {
            Self::Off => "a holiday",
            Self::Work => "a working day",
        }
    }
}

impl WorkCalendar {
    /// Adds what another list says of a date. Neighbouring years' lists may repeat a day, but not contradict each other.
    pub fn add(&mut self, date: Date, new: DayKind) -> Result<(), ExceptionError> {
        match self.exceptions.insert(date, new) {
            Some(known) if known != new => Err(ExceptionError { date, known, new }),
            Some(_) | None => Ok(()),
        }
    }
}

/// Reads the map and refuses a date that stands in it twice, however it is written.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Date, DayKind>, D::Error> {
    struct Dates;

    impl<'de> Visitor<'de> for Dates {
        type Value = BTreeMap<Date, DayKind>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("dates with `off` or `work`")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut read = BTreeMap::new();
            while let Some((date, kind)) = map.next_entry::<Date, DayKind>()? {
                if read.insert(date, kind).is_some() {
                    return Err(A::Error::custom(format_args!("exceptions: {date} is named twice")));
                }
            }
            Ok(read)
        }
    }

    deserializer.deserialize_map(Dates)
}
