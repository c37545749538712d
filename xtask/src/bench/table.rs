//! Rows as a table for the terminal, and those that missed their target by name.

use serde_json::Value;

use super::Row;

/// Columns of the table.
const COLUMNS: [&str; 8] = ["measure", "value", "unit", "target", "limit", "ratio", "load's share", "holds"];
/// The column whose numbers stand to the right.
const VALUE: usize = 1;

pub fn table(rows: &[Row]) -> String {
    let lines: Vec<[String; 8]> =
        std::iter::once(COLUMNS.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    // A column that no row fills is left out.
    let filled: Vec<usize> =
        (0..COLUMNS.len()).filter(|at| lines.iter().skip(1).any(|line| !line[*at].is_empty())).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut table = String::new();
    for line in &lines {
        let cells = filled.iter().map(|at| {
            let (cell, width) = (&line[*at], widths[*at]);
            if *at == VALUE { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        table.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        table.push('\n');
    }
    table
}

fn cells(row: &Row) -> [String; 8] {
    let holds = match row.holds {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    };
    let limit = row.limit.as_ref().map(|limit| format!("{}: {:.2}", limit.what, limit.value));
    let ratio =
        row.limit.as_ref().zip(row.ratio).map(|(limit, ratio)| format!("{ratio:.2} ({})", limit.share));
    let generators = row.generators.map(|share| format!("{:.0} %", share * 100.0));
    [
        row.measure.clone(),
        plain(&row.value),
        row.unit.clone(),
        plain(&row.target),
        limit.unwrap_or_default(),
        ratio.unwrap_or_default(),
        generators.unwrap_or_default(),
        holds.to_owned(),
    ]
}

/// A JSON value without quotes; a long fraction cut to what a reader needs.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.2}", number.as_f64().unwrap_or(f64::NAN)),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Every missed target by name; none is said too.
pub fn missed(rows: &[Row]) -> String {
    let missed: Vec<String> = rows
        .iter()
        .filter(|row| row.holds == Some(false))
        .map(|row| format!("  {}\n", short_of(row)))
        .collect();
    match missed.len() {
        0 => "\nevery target holds\n".to_owned(),
        count => format!("\n{count} missed:\n{}", missed.concat()),
    }
}

fn short_of(row: &Row) -> String {
    let said = format!("{}: {} {}", row.measure, plain(&row.value), row.unit);
    match (&row.limit, row.ratio) {
        (Some(limit), Some(ratio)) => {
            format!("{said}, {ratio:.2} of {} ({:.2}), target {}", limit.what, limit.value, limit.share)
        }
        (Some(_), None) | (None, _) => format!("{said}, target {}", plain(&row.target)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Row> {
        let rows: Vec<Row> = serde_json::from_str(json).unwrap();
        rows.into_iter().map(Row::compared).collect()
    }

    #[test]
    fn missed_targets_are_named() {
        let rows = rows(
            r#"[{"measure":"first load","value":586,"unit":"KiB","target":"≤ 350","holds":false},
                {"measure":"load","value":3,"unit":"KiB","target":null,"holds":null}]"#,
        );
        assert_eq!(missed(&rows), "\n1 missed:\n  first load: 586 KiB, target ≤ 350\n");
        assert_eq!(missed(&rows[1..]), "\nevery target holds\n");
    }

    #[test]
    fn a_table_lines_its_columns_up_and_marks_a_missed_target() {
        let rows = rows(
            r#"[{"measure":"durable events","value":14210.518,"unit":"1/s","target":"≥ 15000","holds":false},
                {"measure":"load","value":3,"unit":"KiB","target":null,"holds":null}]"#,
        );
        assert_eq!(
            table(&rows),
            "measure            value  unit  target   holds\n\
             durable events  14210.52  1/s   ≥ 15000  NO\n\
             load                   3  KiB\n"
        );
    }

    #[test]
    fn a_row_stands_beside_its_limit_with_the_ratio_and_what_the_load_took() {
        let rows = rows(
            r#"[{"measure":"events","value":12000.0,"unit":"1/s","target":"≥ 30000","holds":false,
                 "limit":{"what":"raw inserts","value":30000.0,"share":"≥ 0.5"},"generators":0.314}]"#,
        );
        assert_eq!(rows[0].ratio, Some(0.4));
        assert_eq!(
            table(&rows),
            "measure     value  unit  target   limit                  ratio         load's share  holds\n\
             events   12000.00  1/s   ≥ 30000  raw inserts: 30000.00  0.40 (≥ 0.5)  31 %          NO\n"
        );
        assert_eq!(
            missed(&rows),
            "\n1 missed:\n  events: 12000.00 1/s, 0.40 of raw inserts (30000.00), target ≥ 0.5\n"
        );
    }
}
