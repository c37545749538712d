//! What another policy changes, in sentences of both languages, the weightiest first.

use super::{CalendarChange, Change, Codes, FigureChange, Kind, Listed, ResponsibilitiesChange};
use crate::adoption::words::{self, Counted, counted, in_one_line};
use crate::rejection::Language;

impl Change {
    /// One sentence for each kind of change; one that says so where nothing changes.
    #[must_use]
    pub fn words(&self, language: Language) -> Vec<String> {
        let limits = [
            counted(language, self.limits_moved, LIMITS_MOVE),
            counted(language, self.cases_moved, CASES_MOVE),
            counted(language, self.whistles_moved, WHISTLES_MOVE),
            counted(language, self.limits_settled, LIMITS_SETTLE),
        ];
        let codes = self.codes.iter().flat_map(|codes| codes.words(language));
        let calendar = self.calendar.words(language);
        let duties = self.responsibilities.words(language);
        let figures = self.figures.iter().map(|figure| figure.words(language));
        let said: Vec<String> =
            limits.into_iter().flatten().chain(codes).chain(duties).chain(calendar).chain(figures).collect();
        if !said.is_empty() {
            return said;
        }
        vec![match language {
            Language::Zh => "与现行规则一致，没有变更".to_owned(),
            Language::En => "nothing changes: it is the policy in force".to_owned(),
        }]
    }

    /// All of it in one line.
    #[must_use]
    pub fn said(&self, language: Language) -> String {
        in_one_line(language, &self.words(language))
    }
}

const LIMITS_MOVE: Counted = [" 个运行中的时限改期", "running limit moves", "running limits move"];
const LIMITS_SETTLE: Counted =
    [" 个暂定的到期时间已确定", "due time is no longer provisional", "due times are no longer provisional"];
const CASES_MOVE: Counted = [
    " 件在办案件改属其他区域",
    "open case comes to lie in another area",
    "open cases come to lie in other areas",
];

const WHISTLES_MOVE: Counted = [
    " 个未销吹哨改属其他区域",
    "open whistle call comes to lie in another area",
    "open whistle calls come to lie in other areas",
];

impl Kind {
    /// One of them and many, in Chinese with the measure word.
    fn words(self, language: Language, count: u64) -> &'static str {
        match (language, self, count) {
            (Language::Zh, Self::Area, _) => "个区域",
            (Language::Zh, Self::Class, _) => "个小类",
            (Language::Zh, Self::Source, _) => "个案件来源",
            (Language::Zh, Self::Department, _) => "个责任单位",
            (Language::Zh, Self::Condition, _) => "条立案条件",
            (Language::En, Self::Area, 1) => "area",
            (Language::En, Self::Area, _) => "areas",
            (Language::En, Self::Class, 1) => "class",
            (Language::En, Self::Class, _) => "classes",
            (Language::En, Self::Source, 1) => "source",
            (Language::En, Self::Source, _) => "sources",
            (Language::En, Self::Department, 1) => "department",
            (Language::En, Self::Department, _) => "departments",
            (Language::En, Self::Condition, 1) => "filing condition",
            (Language::En, Self::Condition, _) => "filing conditions",
        }
    }
}

impl Codes {
    fn words(&self, language: Language) -> Vec<String> {
        let mut said = Vec::new();
        if self.retired.count > 0 {
            said.push(self.retired_words(language));
        }
        for (listed, zh, one, many) in [
            (&self.added, "新增", "is new", "are new"),
            (&self.renamed, "改名", "is renamed", "are renamed"),
            (&self.moved, "改属其他区域", "lies in another area", "lie in other areas"),
            (&self.altered, "的时限或属性变更", "has another limit or mark", "have other limits or marks"),
            (&self.restored, "恢复使用", "is in use again", "are in use again"),
        ] {
            let (count, kind) = (listed.count, self.kind.words(language, listed.count));
            let codes = named(language, listed);
            match (language, count) {
                (_, 0) => {}
                (Language::Zh, count) => said.push(format!("{count} {kind}{zh}{codes}")),
                (Language::En, 1) => said.push(format!("1 {kind} {one}{codes}")),
                (Language::En, count) => said.push(format!("{count} {kind} {many}{codes}")),
            }
        }
        said
    }

    fn retired_words(&self, language: Language) -> String {
        let (count, open) = (self.retired.count, self.retired_on);
        let (kind, codes) = (self.kind.words(language, count), named(language, &self.retired));
        let all = self.retired_on_closed.map(|closed| open + closed);
        let (are, stay) = if count == 1 { ("is", "stays") } else { ("are", "stay") };
        let cases = |on: u64| if on == 1 { "case" } else { "cases" };
        match (language, all) {
            (Language::Zh, Some(on)) => format!("{count} {kind}停用，{on} 件案件上仍可查看{codes}"),
            (Language::Zh, None) => {
                format!("{count} {kind}停用，{open} 件在办案件及已结案件上仍可查看{codes}")
            }
            (Language::En, Some(on)) => {
                format!("{count} {kind} {are} retired and {stay} readable on {on} {}{codes}", cases(on))
            }
            (Language::En, None) => format!(
                "{count} {kind} {are} retired and {stay} readable on {open} open {} and on closed ones{codes}",
                cases(open)
            ),
        }
    }
}

impl CalendarChange {
    fn words(&self, language: Language) -> Vec<String> {
        let mut said = Vec::new();
        if self.hours {
            said.push(match language {
                Language::Zh => "工作时间变更".to_owned(),
                Language::En => "working hours change".to_owned(),
            });
        }
        for (listed, [zh, one, many]) in [
            (
                &self.added,
                [
                    " 个日期新列为节假日或调休日",
                    "holiday or make-up day is added",
                    "holidays and make-up days are added",
                ],
            ),
            (
                &self.turned,
                [
                    " 个日期在节假日与调休日之间互换",
                    "date turns from holiday to working day or back",
                    "dates turn from holidays to working days or back",
                ],
            ),
            (
                &self.removed,
                [
                    " 个日期不再列为节假日或调休日",
                    "holiday or make-up day is an ordinary day",
                    "holidays and make-up days are ordinary days",
                ],
            ),
        ] {
            said.extend(
                counted(language, listed.count, [zh, one, many])
                    .map(|words| words + &named(language, listed)),
            );
        }
        match (language, self.reaches_to) {
            (_, reach) if reach == self.reached_to => {}
            (Language::Zh, Some(reach)) if Some(reach) < self.reached_to => {
                said.push(format!("工作日历只已知至 {reach}，少于现行日历"));
            }
            (Language::En, Some(reach)) if Some(reach) < self.reached_to => {
                said.push(format!("the calendar is known up to {reach} only, less far than before"));
            }
            (Language::Zh, Some(reach)) => said.push(format!("工作日历已知至 {reach}")),
            (Language::En, Some(reach)) => said.push(format!("the calendar is known up to {reach}")),
            (_, None) => {}
        }
        said
    }
}

impl ResponsibilitiesChange {
    fn words(&self, language: Language) -> Vec<String> {
        let said = [
            (
                &self.added,
                [
                    " 条责任清单新增",
                    "entry of the responsibility list is new",
                    "entries of the responsibility list are new",
                ],
            ),
            (
                &self.turned,
                [
                    " 条责任清单改由其他单位负责",
                    "entry of the responsibility list names another department",
                    "entries of the responsibility list name other departments",
                ],
            ),
            (
                &self.removed,
                [
                    " 条责任清单取消",
                    "entry of the responsibility list goes",
                    "entries of the responsibility list go",
                ],
            ),
        ];
        let said = said.into_iter().filter_map(|(listed, words)| {
            counted(language, listed.count, words).map(|words| words + &named(language, listed))
        });
        said.collect()
    }
}

impl FigureChange {
    fn words(&self, language: Language) -> String {
        match language {
            Language::Zh => format!("{}：{} → {}", self.field, self.was.zh, self.is.zh),
            Language::En => format!("{}: {} → {}", self.field, in_english(&self.was), in_english(&self.is)),
        }
    }
}

fn in_english(name: &crate::catalogue::Name) -> &str {
    if name.en.is_empty() { &name.zh } else { &name.en }
}

fn named(language: Language, listed: &Listed) -> String {
    words::named(language, listed.count, listed.codes.iter().map(String::as_str))
}
