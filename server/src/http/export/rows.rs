//! A case as a row of a file, and rows as bytes.
//!
//! What people wrote is text and never a formula: whoever reports a case must not make a spreadsheet compute. What should not be here:
//! which cases are handed out.

use std::sync::Arc;

use domain::audience::Audience;
use domain::case::{Case, Priority, Step};
use domain::catalogue::{Catalogue, Name};
use domain::moment::{UtcMillis, UtcOffset};
use domain::rejection::Language;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// So that Excel reads UTF-8 as UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Whole,
    /// There are more rows than are handed out.
    Cut,
    /// Closed cases are not all laid out yet.
    NotLaidOut,
}

impl End {
    /// What the last row says; nothing of a whole list.
    fn words(self, language: Language) -> Option<&'static str> {
        match (self, language) {
            (Self::Whole, _) => None,
            (Self::Cut, Language::Zh) => Some("未完：案件多于一份文件的行数上限，请缩小条件后再导出"),
            (Self::Cut, Language::En) => Some(
                "not all: there are more cases than one file has rows; narrow the conditions and ask again",
            ),
            (Self::NotLaidOut, Language::Zh) => Some("未完：已结案件仍在整理，请稍后再导出"),
            (Self::NotLaidOut, Language::En) => {
                Some("not all: closed cases are still being laid out; ask again later")
            }
        }
    }
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(String),
    /// A number of ours.
    Number(f64),
    Empty,
}

/// What rows are written with.
pub struct Rows {
    pub catalogue: Arc<Catalogue>,
    pub offset: UtcOffset,
    pub language: Language,
    pub audience: Audience,
}

/// Heads of the columns, in the order of [`Rows::cells`].
const HEADS: [[&str; 2]; 22] = [
    ["案件编号", "number"],
    ["环节", "stage"],
    ["案件等级", "priority"],
    ["大类", "main class"],
    ["小类", "class"],
    ["小类代码", "class code"],
    ["重点案件", "key class"],
    ["立案条件", "filing condition"],
    ["案件来源", "source"],
    ["区域", "area"],
    ["区域代码", "area code"],
    ["地址", "address"],
    ["问题描述", "description"],
    ["纬度", "latitude"],
    ["经度", "longitude"],
    ["基本案件数", "base count"],
    ["上报时间", "reported"],
    ["立案时间", "filed"],
    ["派遣时间", "dispatched"],
    ["到期时间", "due"],
    ["结案时间", "closed"],
    ["责任单位", "department"],
];

impl Rows {
    fn heads(&self) -> impl Iterator<Item = &'static str> {
        let language = self.language;
        HEADS.iter().map(move |[zh, en]| match language {
            Language::Zh => *zh,
            Language::En => *en,
        })
    }

    fn cells(&self, case: &Case) -> [Cell; HEADS.len()] {
        let (catalogue, report) = (&self.catalogue, &case.report);
        let class = catalogue.classes.get(&report.class);
        let condition = catalogue.condition(&report.class, report.condition.as_deref());
        let condition = condition.map(|known| self.name(&known.name)).or_else(|| report.condition.clone());
        let areas: Vec<String> = case
            .area_path
            .iter()
            .rev()
            .map(|code| {
                catalogue.areas.get(code).map_or_else(|| code.to_string(), |area| self.name(&area.name))
            })
            .collect();
        let source = catalogue.sources.get(&report.source).map(|source| self.name(&source.name));
        let department = case.department.as_ref().map(|code| {
            let known = catalogue.departments.get(code);
            known.map_or_else(|| code.to_string(), |known| self.name(&known.name))
        });
        let degrees = report.place.map(|place| (place.lat(), place.lon())).unzip();
        let is_key = class.is_some_and(|class| class.key);
        // What people wrote about a case and its parties is not for everybody who comes by.
        let description = Some(&report.description).filter(|_| self.audience.names());
        let time = |at: Option<UtcMillis>| Cell::some(at.map(|at| self.time(at)));
        let number = |number: Option<f64>| number.map_or(Cell::Empty, Cell::Number);
        [
            Cell::Text(case.number.clone()),
            Cell::Text(self.stage(case)),
            Cell::Text(self.priority(report.priority).to_owned()),
            Cell::some(class.and_then(|class| class.main.as_ref()).map(|main| self.name(main))),
            Cell::Text(class.map_or_else(|| report.class.to_string(), |class| self.name(&class.name))),
            Cell::Text(report.class.to_string()),
            Cell::some(is_key.then(|| self.said("是", "yes").to_owned())),
            Cell::some(condition),
            Cell::Text(source.unwrap_or_else(|| report.source.to_string())),
            Cell::Text(areas.join(" / ")),
            Cell::Text(report.area.to_string()),
            Cell::Text(report.address.clone()),
            Cell::some(description.cloned()),
            number(degrees.0),
            number(degrees.1),
            Cell::Number(f64::from(report.base_count)),
            time(Some(case.reported)),
            time(case.filed),
            time(case.dispatched),
            time(case.leading_clock().map(|clock| clock.due)),
            time(case.closed),
            Cell::some(department),
        ]
    }

    fn said(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    fn name(&self, name: &Name) -> String {
        match self.language {
            Language::En if !name.en.is_empty() => name.en.clone(),
            Language::Zh | Language::En => name.zh.clone(),
        }
    }

    fn stage(&self, case: &Case) -> String {
        match case.is_open() {
            true => case.stage.words(self.language).to_owned(),
            // How it ended, void and refused ones too: whoever adds up a column must not count them as closed. Of one that ended in
            // another system nobody knows more than that.
            false => case.closing().map_or_else(
                || Step::CLOSE.happened(self.language).to_owned(),
                |closing| closing.words(self.language).to_owned(),
            ),
        }
    }

    fn priority(&self, priority: Priority) -> &'static str {
        match priority {
            Priority::First => self.said("一级", "first level"),
            Priority::Second => self.said("二级", "second level"),
            Priority::Third => self.said("三级", "third level"),
            Priority::Ordinary => self.said("常规", "ordinary"),
        }
    }

    /// By the hall's clock, in an order that sorts.
    fn time(&self, at: UtcMillis) -> String {
        let local = at.local(self.offset);
        format!("{} {:02}:{:02}:{:02}", local.date, local.hour(), local.minute(), local.second())
    }

    /// What a CSV begins with.
    pub fn csv_head(&self) -> Vec<u8> {
        let heads: Vec<String> = self.heads().map(str::to_owned).collect();
        [MARK, &records([heads])].concat()
    }

    /// Rows of a CSV, the last one what is to be said of its end.
    pub fn csv(&self, cases: &[Arc<Case>], end: Option<End>) -> Vec<u8> {
        let rows =
            cases.iter().map(|case| self.cells(case).into_iter().map(Cell::in_csv).collect::<Vec<_>>());
        let words = end.and_then(|end| end.words(self.language)).map(|words| vec![words.to_owned()]);
        records(rows.chain(words))
    }

    /// A whole workbook.
    pub fn xlsx(&self, cases: &[Arc<Case>], end: Option<End>) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let (bold, quoted) = (Format::new().set_bold(), Format::new().set_quote_prefix());
        let sheet = book.add_worksheet();
        sheet.set_name(self.said("案件", "Cases"))?;
        sheet.set_freeze_panes(1, 0)?;
        for (head, column) in self.heads().zip(0..) {
            sheet.write_string_with_format(0, column, head, &bold)?;
        }
        let mut at = 1;
        for case in cases {
            for (cell, column) in self.cells(case).into_iter().zip(0..) {
                match cell {
                    // A text cell is none a spreadsheet computes, and with the mark of a quote it stays one when it is edited.
                    Cell::Text(text) if is_formula(&text) => {
                        sheet.write_string_with_format(at, column, text, &quoted)?;
                    }
                    Cell::Text(text) => {
                        sheet.write_string(at, column, text)?;
                    }
                    Cell::Number(number) => {
                        sheet.write_number(at, column, number)?;
                    }
                    Cell::Empty => {}
                }
            }
            at += 1;
        }
        if let Some(words) = end.and_then(|end| end.words(self.language)) {
            sheet.write_string_with_format(at, 0, words, &bold)?;
        }
        book.save_to_buffer()
    }
}

impl Cell {
    fn some(text: Option<String>) -> Self {
        text.map_or(Self::Empty, Self::Text)
    }

    fn in_csv(self) -> String {
        match self {
            Self::Text(text) if is_formula(&text) => format!("'{text}"),
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Empty => String::new(),
        }
    }
}

/// Whether a spreadsheet would take a text for a formula: it begins with one of these, perhaps behind blanks that it strips.
fn is_formula(text: &str) -> bool {
    let starts = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(starts)
}

fn records(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        // Into memory nothing fails.
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}
