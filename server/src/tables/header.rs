//! Which column is what (表头): the words of either language, wherever within the first rows the header stands.
//!
//! What should not be here: what the cells below it mean (`classes`).

use std::collections::BTreeMap;

use domain::clock::spoken::narrow;

use super::Fault;
use super::grid::{Cell, Row, Sheet, letters};

/// Rows that are looked through for the header: titles and notes stand above it.
const SEARCHED: usize = 20;
/// Columns a row must name to be a header.
const NAMED_MIN: usize = 3;

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// 类型: part, event, complaint.
    Kind,
    /// 大类
    Main,
    MainEn,
    /// 小类代码
    Code,
    /// 小类
    Name,
    NameEn,
    Short,
    ShortEn,
    /// 重点案件
    Key,
    /// 基本案件数
    Weight,
    ConditionCode,
    /// 立案条件
    Condition,
    ConditionEn,
    /// 处置时限
    Limit,
    /// 结案条件
    Close,
    CloseEn,
    /// 责任区域
    Area,
    /// 责任单位
    Department,
}

/// Words of each column, the first of either language the one it is called by.
const WORDS: [(Column, &[&str]); 18] = [
    (Column::Kind, &["类型", "kind", "类别", "案件类型", "部件事件"]),
    (Column::Main, &["大类", "main_class", "大类名称"]),
    (Column::MainEn, &["大类英文", "main_class_en"]),
    (Column::Code, &["小类代码", "class_code", "小类编码", "小类编号", "代码", "编码", "code"]),
    (Column::Name, &["小类", "class", "小类名称", "名称", "class_name"]),
    (Column::NameEn, &["小类英文", "class_en", "英文名称"]),
    (Column::Short, &["简称", "class_short", "小类简称"]),
    (Column::ShortEn, &["英文简称", "class_short_en"]),
    (Column::Key, &["重点案件", "key", "重点", "是否重点"]),
    (Column::Weight, &["基本案件数", "base_weight", "权重"]),
    (Column::ConditionCode, &["条件代码", "condition_code", "立案条件代码"]),
    (Column::Condition, &["立案条件", "condition", "立案标准", "立案规范"]),
    (Column::ConditionEn, &["立案条件英文", "condition_en"]),
    (Column::Limit, &["处置时限", "limit", "时限", "处理时限", "办理时限"]),
    (Column::Close, &["结案条件", "close_condition", "结案标准", "结案规范"]),
    (Column::CloseEn, &["结案条件英文", "close_condition_en"]),
    (Column::Area, &["责任区域", "area", "区域", "区域代码", "辖区"]),
    (Column::Department, &["责任单位", "department", "责任部门", "主管部门", "责任单位代码"]),
];

/// Without these no row means anything.
const NEEDED: [Column; 5] = [Column::Kind, Column::Code, Column::Name, Column::Condition, Column::Limit];

/// What a responsibility list (责任清单) needs; with an area and a department a sheet is one.
const NEEDED_OF_DUTIES: [Column; 3] = [Column::Code, Column::Area, Column::Department];

impl Column {
    fn words(self) -> &'static [&'static str] {
        WORDS.iter().find(|(column, _)| *column == self).map_or(&[], |(_, words)| words)
    }

    /// As it is called in messages: 处置时限 (limit)
    pub fn said(self) -> String {
        match self.words() {
            [zh, en, ..] => format!("{zh} ({en})"),
            _ => String::new(),
        }
    }

    fn of(text: &str) -> Option<Self> {
        let word = narrow(text).to_lowercase();
        // 处置时限（工作日） is a limit too, but 天 without 日 in its cells would then mean something else: it is not known.
        WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(column, _)| *column)
    }
}

/// The columns every table needs.
pub fn expected() -> String {
    let said = |columns: &[Column]| columns.iter().map(|column| column.said()).collect::<Vec<_>>().join(", ");
    format!("{}; or, of a responsibility list, with {}", said(&NEEDED), said(&NEEDED_OF_DUTIES))
}

/// The header of a sheet.
#[derive(Debug)]
pub struct Header {
    /// The row it stands in.
    pub row: u64,
    columns: BTreeMap<Column, u32>,
    /// Columns whose word stands there twice.
    twice: Vec<(u32, Column)>,
}

impl Header {
    /// The row among the first that names most columns.
    pub fn find(sheet: &Sheet) -> Option<Self> {
        let headers = sheet.rows.iter().take(SEARCHED).map(Self::of);
        // The first of several that name as many.
        headers
            .rev()
            .max_by_key(|header| header.columns.len())
            .filter(|header| header.columns.len() >= NAMED_MIN)
    }

    fn of(row: &Row) -> Self {
        let mut header = Self { row: row.number, columns: BTreeMap::new(), twice: Vec::new() };
        for (at, cell) in &row.cells {
            let Some(text) = cell.said() else { continue };
            match Column::of(text) {
                Some(column) if header.columns.contains_key(&column) => header.twice.push((*at, column)),
                Some(column) => drop(header.columns.insert(column, *at)),
                None => {}
            }
        }
        header
    }

    /// Whether it is that of a responsibility list.
    pub fn is_duties(&self) -> bool {
        let has = |column| self.columns.contains_key(&column);
        has(Column::Area) && has(Column::Department) && !has(Column::Limit)
    }

    /// Where a column is.
    pub fn at(&self, column: Column) -> Option<u32> {
        self.columns.get(&column).copied()
    }

    /// Whether a column is one of ours.
    pub fn reads(&self, column: u32) -> bool {
        self.columns.values().any(|known| *known == column)
    }

    /// Why the table cannot be read by it.
    pub fn wrong(&self, sheet: &Sheet) -> Vec<Fault> {
        let twice = self.twice.iter().map(|(at, column)| {
            sheet.fault(self.row, Some(*at), "", format!("the column {} stands twice", column.said()))
        });
        let needed: &[Column] = if self.is_duties() { &NEEDED_OF_DUTIES } else { &NEEDED };
        let lacks = needed.iter().filter(|column| !self.columns.contains_key(column)).map(|column| {
            sheet.fault(self.row, None, "", format!("the header lacks the column {}", column.said()))
        });
        twice.chain(lacks).collect()
    }

    /// Columns nobody reads, for whoever expects them to matter.
    pub fn unknown(&self, sheet: &Sheet) -> Vec<String> {
        let row = sheet.rows.iter().find(|row| row.number == self.row);
        let cells = row.into_iter().flat_map(|row| &row.cells);
        let unknown =
            cells.filter(|(at, _)| !self.reads(**at) && !self.twice.iter().any(|(twice, _)| twice == *at));
        let name = sheet.name.as_ref().map_or_else(String::new, |name| format!(" sheet {name}"));
        let said = |(at, cell): (&u32, &Cell)| match cell {
            Cell::Text(text) | Cell::Number(text) => {
                format!("{}{name} column {} {text:?} is not read", sheet.file, letters(*at))
            }
            Cell::Wrong(problem) => format!("{}{name} column {} {problem}", sheet.file, letters(*at)),
        };
        unknown.map(said).collect()
    }
}
