//! Rows as a table for the terminal, and those that missed their target by name.

use serde_json::Value;

use super::Row;

pub fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let holds = match row.holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        [row.measure.clone(), plain(&row.value), row.unit.clone(), plain(&row.target), holds.to_owned()]
    });
    let head = ["measure", "value", "unit", "target", "holds"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(head).chain(cells).collect();
    let mut table = String::new();
    let widths: [usize; 5] =
        std::array::from_fn(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0));
    for [measure, value, unit, target, holds] in &lines {
        let [measure_width, value_width, unit_width, target_width, _] = widths;
        let line = format!(
            "{measure:<measure_width$}  {value:>value_width$}  {unit:<unit_width$}  {target:<target_width$}  {holds}"
        );
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
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
        .map(|row| {
            format!("  {}: {} {}, target {}\n", row.measure, plain(&row.value), row.unit, plain(&row.target))
        })
        .collect();
    match missed.len() {
        0 => "\nevery target holds\n".to_owned(),
        count => format!("\n{count} missed:\n{}", missed.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_targets_are_named() {
        let rows: Vec<Row> = serde_json::from_str(
            r#"[{"measure":"first load","value":586,"unit":"KiB","target":"≤ 350","holds":false},
                {"measure":"load","value":3,"unit":"KiB","target":null,"holds":null}]"#,
        )
        .unwrap();
        assert_eq!(missed(&rows), "\n1 missed:\n  first load: 586 KiB, target ≤ 350\n");
        assert_eq!(missed(&rows[1..]), "\nevery target holds\n");
    }

    #[test]
    fn a_table_lines_its_columns_up_and_marks_a_missed_target() {
        let rows: Vec<Row> = serde_json::from_str(
            r#"[{"measure":"durable events","value":14210.518,"unit":"1/s","target":"≥ 15000","holds":false},
                {"measure":"load","value":3,"unit":"KiB","target":null,"holds":null}]"#,
        )
        .unwrap();
        assert_eq!(
            table(&rows),
            "measure            value  unit  target   holds\n\
             durable events  14210.52  1/s   ≥ 15000  NO\n\
             load                   3  KiB\n"
        );
    }
}
