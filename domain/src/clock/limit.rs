//! A time limit (时限): how many minutes, hours or days, and whether they are counted through or in working time.

use serde::{Deserialize, Serialize};

use crate::rejection::Language;

/// The unit of a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 分钟
    Minute,
    /// 时
    Hour,
    /// 日
    Day,
}

/// Which time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// 紧急: on through nights and holidays.
    Through,
    /// 工作: working time only; a day is the working hours of a day (`WorkCalendar::work_day_minutes`).
    Working,
}

impl Counts {
    /// Whether the clock runs on outside working time.
    #[must_use]
    pub fn runs_on(self) -> bool {
        match self {
            Self::Through => true,
            Self::Working => false,
        }
    }
}

/// A unit with the time that counts for it: 紧急工作时, 工作日 and so on. One is never converted into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitKind {
    pub unit: Unit,
    pub counts: Counts,
}

impl LimitKind {
    /// 紧急工作时: what time is told in where no limit says otherwise.
    pub const URGENT_HOUR: Self = Self { unit: Unit::Hour, counts: Counts::Through };
    /// 紧急工作日
    pub const URGENT_DAY: Self = Self { unit: Unit::Day, counts: Counts::Through };
    /// 工作时
    pub const WORK_HOUR: Self = Self { unit: Unit::Hour, counts: Counts::Working };
    /// 工作日
    pub const WORK_DAY: Self = Self { unit: Unit::Day, counts: Counts::Working };

    #[must_use]
    pub fn of(limit: Option<Limit>) -> Self {
        limit.map_or(Self::URGENT_HOUR, Limit::kind)
    }

    #[must_use]
    pub fn runs_on(self) -> bool {
        self.counts.runs_on()
    }

    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self.unit, self.counts) {
            (Language::Zh, Unit::Minute, Counts::Through) => "分钟",
            (Language::Zh, Unit::Hour, Counts::Through) => "紧急工作时",
            (Language::Zh, Unit::Day, Counts::Through) => "紧急工作日",
            (Language::Zh, Unit::Minute, Counts::Working) => "工作分钟",
            (Language::Zh, Unit::Hour, Counts::Working) => "工作时",
            (Language::Zh, Unit::Day, Counts::Working) => "工作日",
            (Language::En, Unit::Minute, Counts::Through) => "min",
            (Language::En, Unit::Hour, Counts::Through) => "urgent h",
            (Language::En, Unit::Day, Counts::Through) => "urgent days",
            (Language::En, Unit::Minute, Counts::Working) => "work min",
            (Language::En, Unit::Hour, Counts::Working) => "work h",
            (Language::En, Unit::Day, Counts::Working) => "work days",
        }
    }
}

/// How long something may take, in its own unit.
///
/// As text (JSON, TOML) it is `{"amount":4,"unit":"hour","counts":"working"}`; read are also the words of earlier
/// versions, which said both in one: `urgent_hour`, `urgent_day`, `work_hour`, `work_day`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// How many units; 1 to 10,000.
    pub amount: u32,
    pub unit: Unit,
    pub counts: Counts,
}

impl Limit {
    /// Units a limit may have at most.
    pub const AMOUNT_MAX: u32 = 10_000;

    #[must_use]
    pub fn new(amount: u32, kind: LimitKind) -> Self {
        Self { amount, unit: kind.unit, counts: kind.counts }
    }

    #[must_use]
    pub fn kind(self) -> LimitKind {
        LimitKind { unit: self.unit, counts: self.counts }
    }

    /// Whether the amount is within 1 to 10,000.
    #[must_use]
    pub fn is_possible(self) -> bool {
        (1..=Self::AMOUNT_MAX).contains(&self.amount)
    }

    /// Its length in minutes where a day has 24 hours and all of it counts: tells two limits of different units apart where no
    /// calendar is at hand.
    #[must_use]
    pub fn nominal_minutes(self) -> u64 {
        let unit = match self.unit {
            Unit::Minute => 1,
            Unit::Hour => 60,
            Unit::Day => 24 * 60,
        };
        u64::from(self.amount) * unit
    }

    /// `4 工作时`
    #[must_use]
    pub fn words(self, language: Language) -> String {
        let unit = match (language, self.amount, self.unit, self.counts) {
            (Language::En, 1, Unit::Day, Counts::Through) => "urgent day",
            (Language::En, 1, Unit::Day, Counts::Working) => "work day",
            (Language::Zh | Language::En, _, Unit::Minute | Unit::Hour | Unit::Day, _) => {
                self.kind().words(language)
            }
        };
        format!("{} {unit}", self.amount)
    }
}

/// The words a text may use for a unit: those of today, and those that also said which time counts.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
enum UnitWord {
    Minute,
    Hour,
    Day,
    UrgentHour,
    UrgentDay,
    WorkHour,
    WorkDay,
}

/// A limit as text.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
struct Text {
    /// 1 to 10,000.
    amount: u32,
    unit: UnitWord,
    /// Stated with `minute`, `hour` and `day`; the other words say it themselves.
    #[serde(default)]
    counts: Option<Counts>,
}

impl Serialize for Limit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return (self.amount, self.unit, self.counts).serialize(serializer);
        }
        let unit = match self.unit {
            Unit::Minute => UnitWord::Minute,
            Unit::Hour => UnitWord::Hour,
            Unit::Day => UnitWord::Day,
        };
        Text { amount: self.amount, unit, counts: Some(self.counts) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (amount, unit, counts) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { amount, unit, counts });
        }
        let text = Text::deserialize(deserializer)?;
        let stated = |unit| text.counts.map(|counts| LimitKind { unit, counts });
        let spoken = |kind: LimitKind| {
            // The word says which time counts; the field may only repeat it.
            text.counts.is_none_or(|counts| counts == kind.counts).then_some(kind)
        };
        let kind = match text.unit {
            UnitWord::Minute => stated(Unit::Minute),
            UnitWord::Hour => stated(Unit::Hour),
            UnitWord::Day => stated(Unit::Day),
            UnitWord::UrgentHour => spoken(LimitKind::URGENT_HOUR),
            UnitWord::UrgentDay => spoken(LimitKind::URGENT_DAY),
            UnitWord::WorkHour => spoken(LimitKind::WORK_HOUR),
            UnitWord::WorkDay => spoken(LimitKind::WORK_DAY),
        };
        let wrong = || {
            serde::de::Error::custom(
                "counts: expected `through` or `working` beside the unit minute, hour or day",
            )
        };
        kind.map(|kind| Self::new(text.amount, kind)).ok_or_else(wrong)
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Limit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Text::schema()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Limit {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        use utoipa::PartialSchema;
        schemas.push((UnitWord::name().into_owned(), UnitWord::schema()));
        schemas.push((Counts::name().into_owned(), Counts::schema()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Limit, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_of_earlier_versions_are_read_and_written_as_today() {
        for (old, new) in [
            (r#"{"amount":4,"unit":"urgent_hour"}"#, r#"{"amount":4,"unit":"hour","counts":"through"}"#),
            (r#"{"amount":2,"unit":"urgent_day"}"#, r#"{"amount":2,"unit":"day","counts":"through"}"#),
            (r#"{"amount":4,"unit":"work_hour"}"#, r#"{"amount":4,"unit":"hour","counts":"working"}"#),
            (r#"{"amount":1,"unit":"work_day"}"#, r#"{"amount":1,"unit":"day","counts":"working"}"#),
            (
                r#"{"amount":15,"unit":"minute","counts":"through"}"#,
                r#"{"amount":15,"unit":"minute","counts":"through"}"#,
            ),
        ] {
            let limit = read(old).unwrap();
            assert_eq!(serde_json::to_string(&limit).unwrap(), new);
            assert_eq!(read(new).unwrap(), limit);
            let packed = postcard::to_allocvec(&limit).unwrap();
            assert_eq!(packed.len(), 3, "{new}: no name travels in the binary form");
            assert_eq!(postcard::from_bytes::<Limit>(&packed).unwrap(), limit);
        }
    }

    #[test]
    fn a_limit_that_does_not_say_which_time_counts_is_refused() {
        assert!(read(r#"{"amount":4,"unit":"hour"}"#).unwrap_err().contains("counts"));
        let both = read(r#"{"amount":4,"unit":"work_hour","counts":"through"}"#);
        assert!(both.unwrap_err().contains("counts"));
        assert!(read(r#"{"amount":4,"unit":"fortnight","counts":"through"}"#).is_err());
        assert!(read(r#"{"amount":4,"unit":"hour","counts":"through","from":1}"#).is_err());
    }

    #[test]
    fn every_kind_of_limit_has_words_of_its_own_in_both_languages() {
        let units = [Unit::Minute, Unit::Hour, Unit::Day];
        let kinds = units
            .into_iter()
            .flat_map(|unit| [Counts::Through, Counts::Working].map(|counts| LimitKind { unit, counts }));
        for language in [Language::Zh, Language::En] {
            let words: std::collections::BTreeSet<&str> =
                kinds.clone().map(|kind| kind.words(language)).collect();
            assert_eq!(words.len(), 6, "{words:?}");
        }
        assert_eq!(
            Limit::new(15, LimitKind { unit: Unit::Minute, counts: Counts::Through }).words(Language::Zh),
            "15 分钟"
        );
    }

    #[test]
    fn a_limit_of_one_is_said_in_the_singular() {
        let words = |amount, kind| Limit::new(amount, kind).words(Language::En);
        assert_eq!(words(1, LimitKind::WORK_DAY), "1 work day");
        assert_eq!(words(1, LimitKind::URGENT_DAY), "1 urgent day");
        assert_eq!(words(2, LimitKind::WORK_DAY), "2 work days");
        assert_eq!(words(1, LimitKind::WORK_HOUR), "1 work h");
    }
}
