//! Tables as offices make them, and with faults planted in them.

use domain::catalogue::ClassKind;
use domain::clock::Counts;
use domain::policy::Policy;
use domain::rejection::Language;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};

use super::*;

const HEADER: [&str; 9] =
    ["类型", "大类", "小类代码", "小类", "重点案件", "基本案件数", "立案条件", "处置时限", "结案条件"];

fn policy() -> Policy {
    toml::from_str(include_str!("../../../config/policy.toml")).unwrap()
}

fn read(name: &str, bytes: &[u8]) -> Tables {
    let policy = policy();
    let mut reading = Reading::new(&policy, Counts::Working);
    reading.bytes(name, bytes);
    reading.finish()
}

/// A sheet with a header in its first row.
fn sheet<'a>(book: &'a mut Workbook, name: &str, rows: &[[&str; 9]]) -> &'a mut Worksheet {
    let sheet = book.add_worksheet().set_name(name).unwrap();
    for (at, row) in std::iter::once(&HEADER).chain(rows).enumerate() {
        for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            sheet.write_string(at as u32, column as u16, *text).unwrap();
        }
    }
    sheet
}

fn cells(tables: &Tables) -> Vec<String> {
    let mut cells: Vec<String> = tables
        .faults
        .iter()
        .map(|fault| {
            let (sheet, column) =
                (fault.sheet.clone().unwrap_or_default(), fault.column.clone().unwrap_or_default());
            format!("{sheet}!{column}{}", fault.row.map(|row| row.to_string()).unwrap_or_default())
        })
        .collect();
    cells.sort();
    cells
}

/// 井盖 with two conditions each, in merged cells, as published tables have them.
fn sound(book: &mut Workbook) {
    let sheet = sheet(
        book,
        "部件",
        &[
            [
                "部件",
                "公用设施",
                "P01-02",
                "污水井盖",
                "是",
                "",
                "缺失、移位、开裂",
                "２紧急工作时",
                "恢复原状",
            ],
            ["", "", "", "", "", "", "破损＞25c㎡", "4小\n时", "修复"],
            ["", "", "P01-90", "路名牌", "", "3", "倾斜", "5天", "扶正"],
            ["", "", "", "", "", "", "缺失", "1紧急工作时制止，5天恢复", "补齐"],
        ],
    );
    let format = Format::new();
    sheet.merge_range(1, 0, 4, 0, "部件", &format).unwrap();
    sheet.merge_range(1, 1, 4, 1, "公用设施", &format).unwrap();
    for (first, code, name) in [(1, "P01-02", "污水井盖"), (3, "P01-90", "路名牌")] {
        sheet.merge_range(first, 2, first + 1, 2, code, &format).unwrap();
        sheet.merge_range(first, 3, first + 1, 3, name, &format).unwrap();
    }
    sheet.write_formula(3, 5, Formula::new("=1+2").set_result("3")).unwrap();
}

#[test]
fn a_workbook_with_merged_cells_wide_digits_and_a_formula_is_read() {
    let mut book = Workbook::new();
    sound(&mut book);
    let tables = read("muban.xlsx", &book.save_to_buffer().unwrap());
    assert_eq!(tables.faults, [], "{:?}", tables.passed_over);
    let candidate = tables.lay(&policy(), false);
    assert_eq!(candidate.check(), Ok(()));
    assert_eq!((candidate.laid.classes, candidate.laid.conditions), (2, 4));
    let class =
        |code: &str| candidate.policy.classes.iter().find(|class| class.code.as_str() == code).unwrap();
    let cover = class("P01-02");
    assert_eq!((cover.kind, cover.key), (ClassKind::Part, true));
    assert_eq!(cover.name.en, "Sewer manhole cover", "what is called as before keeps its English");
    assert_eq!(class("P01-90").main.as_ref().unwrap().zh, "公用设施");
    assert_eq!(class("P01-90").base_weight, Some(3), "a formula counts as what it came to");
    let limits = |code: &str| {
        let condition = candidate.policy.conditions.iter().find(|there| there.code.as_str() == code).unwrap();
        let said = |part: &domain::catalogue::Milestone| {
            format!("{} {}", part.name.zh, part.limit.words(Language::Zh))
        };
        condition.milestones.iter().map(said).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(limits("P01-02.1"), "处置 2 紧急工作时");
    assert_eq!(limits("P01-02.2"), "处置 4 工作时");
    assert_eq!(limits("P01-90.2"), "制止 1 紧急工作时; 恢复 5 工作日");
}

/// A code typed as a number is not what was typed where it has outer zeros, and without them is what it was.
#[test]
fn codes_that_excel_took_for_numbers_are_refused_where_zeros_were_lost() {
    let mut book = Workbook::new();
    let table =
        sheet(&mut book, "部件", &[["部件", "公用设施", "", "路灯", "", "", "不亮", "5天", "修复"]; 3]);
    table.write_number(1, 2, 301.0).unwrap();
    table.write_number(2, 2, 302.0).unwrap();
    table.write_number(3, 2, 3.1).unwrap();
    let book = book.save_to_buffer().unwrap();
    let mut policy = policy();
    policy.classes[0].code = "0302".parse().unwrap();
    let mut reading = Reading::new(&policy, Counts::Working);
    reading.bytes("muban.xlsx", &book);
    let tables = reading.finish();
    assert_eq!(cells(&tables), ["部件!C3", "部件!C4"], "{:#?}", tables.faults);
    assert!(tables.faults[0].to_string().contains("0101, 1.10"), "{}", tables.faults[0]);
}

/// Method: twelve faults of the kinds offices make, in two sheets among sound rows; exactly their cells are named.
#[test]
fn twelve_planted_faults_are_named_by_their_cells_and_nothing_else_is() {
    let mut book = Workbook::new();
    let parts = sheet(
        &mut book,
        "部件",
        &[
            ["部件", "公用设施", "P01-02", "污水井盖", "是", "1", "缺失", "2紧急工作时", "恢复"],
            ["", "", "", "", "", "", "破损", "3旬", "修复"],
            ["", "", "", "", "", "", "弹跳", "", "修复"],
            ["", "", "", "", "", "", "弹响", "2天", "修复"],
            ["零件", "", "P01-91", "路名牌", "", "", "倾斜", "5天", "扶正"],
            ["部件", "", "P01/92", "座椅", "", "", "破损", "5天", "修复"],
            ["部件", "", "P01-93", "", "", "", "破损", "5天", "修复"],
            ["部件", "", "P01-94", "花箱", "大概", "0", "破损", "5天", "修复"],
            ["部件", "", "P01-02", "雨水井盖", "", "", "塌陷", "5天", "修复"],
        ],
    );
    let day = Format::new().set_num_format("yyyy-mm-dd");
    parts.write_string(10, 6, "破损").unwrap();
    parts.write_string(10, 7, "5天").unwrap();
    parts.write_with_format(10, 2, ExcelDateTime::parse_from_str("2026-01-01").unwrap(), &day).unwrap();
    let events = sheet(
        &mut book,
        "事件",
        &[
            ["事件", "市容环境", "E01-10", "暴露垃圾", "是", "", "有暴露垃圾", "4小时", "清理"],
            ["", "", "", "", "", "", "有暴露垃圾", "5天后2天", "清理"],
            ["", "", "E01-95", "积雪", "", "", "有积雪", "1天", "清除"],
        ],
    );
    events.write_formula(3, 8, Formula::new("=NA()").set_result("#N/A")).unwrap();
    let tables = read("muban.xlsx", &book.save_to_buffer().unwrap());
    let found: Vec<String> = tables.faults.iter().map(ToString::to_string).collect();
    let planted = [
        "部件!H3",
        "部件!H4",
        "部件!A6",
        "部件!C7",
        "部件!D8",
        "部件!E9",
        "部件!F9",
        "部件!D10",
        "部件!C11",
        "事件!G3",
        "事件!H3",
        "事件!I4",
    ];
    let mut planted: Vec<String> = planted.iter().map(|cell| (*cell).to_owned()).collect();
    planted.sort();
    assert_eq!(cells(&tables), planted, "{found:#?}");
    assert!(found[0].starts_with("muban.xlsx sheet 部件 cell H3: \"3旬\": "), "{found:#?}");
    let dated = found.iter().find(|fault| fault.contains("cell C11")).unwrap();
    assert!(dated.contains("2026-01-01") && dated.contains("as text"), "{dated}");
    // Sound rows go on, and what is wrong stays as it was.
    let before = policy();
    let candidate = tables.lay(&before, true);
    assert_eq!(candidate.check(), Ok(()));
    assert_eq!(
        (candidate.laid.classes_retired, candidate.laid.conditions_retired),
        (0, 0),
        "a fault may hide any class"
    );
    let class = |policy: &Policy, code: &str| {
        policy.classes.iter().find(|class| class.code.as_str() == code).cloned()
    };
    assert_eq!(
        class(&candidate.policy, "P01-02"),
        class(&before, "P01-02"),
        "nothing of a class with a wrong cell is taken"
    );
    assert_eq!(class(&candidate.policy, "P01-91"), None);
}

fn csv(rows: &[&str]) -> String {
    let mut text = HEADER.join(",");
    rows.iter().for_each(|row| {
        text.push('\n');
        text.push_str(row);
    });
    text
}

/// Method: one table in each encoding an office saves, laid onto the same policy.
#[test]
fn a_csv_says_the_same_in_every_encoding() {
    let text =
        csv(&["部件,公用设施,P01-02,污水井盖,是,2,缺失,2紧急工作时,恢复", ",,,,,,\"破\n损\",4小时,修复"]);
    let (gb, _, _) = encoding_rs::GB18030.encode(&text);
    let marked = [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat();
    let tabs = text.replace(',', "\t");
    let mut laid = Vec::new();
    for bytes in [text.as_bytes(), &marked, &gb, tabs.as_bytes()] {
        let tables = read("muban.csv", bytes);
        assert_eq!(tables.faults, []);
        laid.push(tables.lay(&policy(), false).policy);
    }
    assert!(laid.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(laid[0].conditions.iter().any(|condition| condition.name.zh == "破损"));
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert!(read("muban.csv", &utf16).faults[0].problem.contains("UTF-16"));
}

/// A broken quote costs its own line, whose number is told, and a header without a needed column the table.
#[test]
fn a_broken_line_and_a_header_that_lacks_a_column_are_named() {
    let broken =
        csv(&["部件,公用设施,P01-02,污水井盖,是,2,\"缺失,2紧急工作时,恢复", ",,,,,,破损,4小时,修复"]);
    let tables = read("muban.csv", broken.as_bytes());
    assert_eq!(cells(&tables), ["!2"], "{:?}", tables.faults);
    let lacking = csv(&[]).replace("处置时限", "备注");
    let tables = read("muban.csv", lacking.as_bytes());
    assert!(tables.faults[0].problem.contains("处置时限 (limit)"), "{:?}", tables.faults);
    assert!(tables.passed_over[0].contains("column H"), "{:?}", tables.passed_over);
    assert!(read("notes.csv", b"a,b\n1,2\n").faults[0].problem.contains("no table that is known"));
}

/// 示例表: what is shipped holds, and says where it comes from.
#[test]
fn the_example_table_passes_its_own_check() {
    let text = include_bytes!("../../../config/tables/example.csv");
    let tables = read("example.csv", text);
    assert_eq!(tables.faults, []);
    let candidate = tables.lay(&policy(), false);
    assert_eq!(candidate.check(), Ok(()));
    assert!(candidate.laid.conditions >= 60, "{:?}", candidate.laid);
    let first = String::from_utf8_lossy(text).lines().next().unwrap().to_owned();
    assert!(first.contains("示例") && first.contains("muban.xlsx"), "{first}");
    let english = candidate.policy.conditions.iter().filter(|condition| !condition.retired);
    assert!(english.into_iter().all(|condition| !condition.name.en.is_empty()));
}

/// 再导入: classes and conditions a newer table lacks are retired and never gone, and codes stay with their words.
#[test]
fn what_a_newer_table_lacks_is_retired_and_codes_stay_with_their_words() {
    let first = csv(&["部件,,P01-02,污水井盖,是,,缺失,2紧急工作时,", ",,,,,,破损,4小时,", ",,,,,,弹跳,2天,"]);
    let policy = read("a.csv", first.as_bytes()).lay(&policy(), false).policy;
    let second = csv(&["部件,,P01-02,污水井盖,是,,塌陷,5天,", ",,,,,,弹跳,3天,"]);
    let candidate = read("b.csv", second.as_bytes()).lay(&policy, true);
    assert_eq!(candidate.check(), Ok(()));
    let conditions: Vec<(&str, &str, bool)> = candidate
        .policy
        .conditions
        .iter()
        .filter(|condition| condition.class.as_str() == "P01-02")
        .map(|condition| (condition.code.as_str(), condition.name.zh.as_str(), condition.retired))
        .collect();
    assert_eq!(
        conditions,
        [
            ("P01-02.1", "缺失", true),
            ("P01-02.2", "破损", true),
            ("P01-02.3", "弹跳", false),
            ("P01-02.4", "塌陷", false)
        ]
    );
    let of = |kind| candidate.policy.classes.iter().filter(move |class| class.kind == kind);
    assert!(of(ClassKind::Part).all(|class| class.retired == (class.code.as_str() != "P01-02")));
    assert!(of(ClassKind::Event).all(|class| !class.retired), "the table is of parts alone");
    assert_eq!(candidate.policy.classes.len(), policy.classes.len());
}

/// 责任清单: by code or by name, onto what is there; a newer whole list takes away what it lacks.
#[test]
fn a_responsibility_list_is_laid_and_each_of_its_wrong_cells_named() {
    let list = "小类代码,小类,责任区域,责任单位\nE01-10,暴露垃圾,盘龙区,环卫中心\nE01-10,暴露垃圾,530100,urban\nE01-12,道路不洁,盘龙,环卫\n";
    let laid = read("duties.csv", list.as_bytes()).lay(&policy(), false);
    assert_eq!(laid.check(), Ok(()));
    let said = |policy: &Policy| {
        let said = |entry: &domain::policy::Responsibility| {
            format!("{} {} {}", entry.class, entry.area, entry.department)
        };
        policy.responsibilities.iter().map(said).collect::<Vec<_>>()
    };
    assert_eq!(
        said(&laid.policy),
        ["E01-10 530103 sanitation", "E01-10 530100 urban", "E01-12 530103 sanitation"]
    );
    let next = "class_code,area,department\nE01-10,530103,street\n";
    let next = |whole| read("duties.csv", next.as_bytes()).lay(&laid.policy, whole);
    assert_eq!(
        said(&next(false).policy),
        ["E01-10 530100 urban", "E01-12 530103 sanitation", "E01-10 530103 street"]
    );
    assert_eq!(said(&next(true).policy), ["E01-10 530103 street"]);
    assert_eq!((next(true).laid.responsibilities_removed, next(true).laid.classes_retired), (2, 0));
    let wrong = "class_code,area,department\nE99-99,530103,urban\nE01-10,盘龙镇,urban\nE01-10,530103,\nE01-10,530103,市局\n\
                 E01-10,530103,urban\nE01-10,盘龙区,street\n";
    let wrong = read("duties.csv", wrong.as_bytes());
    assert_eq!(cells(&wrong), ["!A2", "!B3", "!B7", "!C4", "!C5"], "{:#?}", wrong.faults);
    let kept = wrong.lay(&laid.policy, true).policy;
    assert!(
        said(&kept).contains(&"E01-12 530103 sanitation".to_owned()),
        "a row that is wrong may be this one"
    );
}

/// Method: a sheet of 64 million zeroes, which packs to some ten thousand bytes, and one with more rows than are taken.
#[test]
fn a_zip_bomb_and_an_endless_sheet_are_refused() {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
    (0..65).for_each(|_| zip.write_all(&vec![b'0'; 1 << 20]).unwrap());
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1 << 20);
    assert!(read("bomb.xlsx", &bomb).faults[0].problem.contains("unpacks to more than"));
    let rows: Vec<String> = (0..ROWS_MAX).map(|at| format!("部件,,P{at},名{at},,,缺失,2天,")).collect();
    let text = csv(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let tables = read("long.csv", text.as_bytes());
    assert_eq!(cells(&tables), ["!10001"], "the header is a row");
    assert_eq!(tables.lay(&policy(), true).laid.classes, ROWS_MAX - 1);
    assert!(read("old.xls", &[0xD0, 0xCF, 0x11, 0xE0, 0]).faults[0].problem.contains(".xlsx"));
    assert!(read("half.xlsx", b"PK\x03\x04half").faults[0].problem.contains("not a workbook"));
}
