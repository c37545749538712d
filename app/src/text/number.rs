//! Numbers: thousands apart, a true minus sign, rates with two places as the bulletin prints them.

/// `4386` as `4,386`.
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with so many decimal places. Formatting floating-point numbers in general weighs kilobytes in a browser.
pub fn fixed(value: f64, places: u32) -> String {
    let scale = 10_i64.pow(places);
    let parts = (value.abs() * scale as f64).round() as i64;
    let sign = if value < 0.0 && parts > 0 { "-" } else { "" };
    match places {
        0 => format!("{sign}{parts}"),
        _ => format!("{sign}{}.{:0width$}", parts / scale, parts % scale, width = places as usize),
    }
}

/// A difference with its sign; no difference is `±0`.
pub fn signed(value: i64) -> String {
    match value {
        0 => "±0".to_owned(),
        1.. => format!("+{}", grouped(value)),
        _ => grouped(value),
    }
}

/// A percentage with two places, without its sign: `98.91`.
pub fn rate(percent: f64) -> String {
    let hundredths = (percent * 100.0).round() as i64;
    format!("{}.{:02}", grouped(hundredths / 100), hundredths.rem_euclid(100))
}

/// A difference of two rates in percentage points.
pub fn signed_rate(points: f64) -> String {
    let hundredths = (points * 100.0).round() as i64;
    let sign = match hundredths {
        0 => "±",
        1.. => "+",
        _ => "−",
    };
    let size = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_and_nothing_is_minus_zero() {
        assert_eq!([fixed(24.96, 1), fixed(-0.4, 0), fixed(-12.34567, 4)], ["25.0", "0", "-12.3457"]);
        assert_eq!([fixed(0.05, 2), fixed(102.700_004, 5)], ["0.05", "102.70000"]);
    }

    #[test]
    fn numbers_read_as_the_bulletin_prints_them() {
        let cases =
            [(0, "0"), (999, "999"), (1_000, "1,000"), (220_876, "220,876"), (-1_234_567, "−1,234,567")];
        for (value, text) in cases {
            assert_eq!(grouped(value), text);
        }
        assert_eq!([signed(143), signed(-3), signed(0)], ["+143", "−3", "±0"]);
        assert_eq!([rate(98.966), rate(100.0), rate(0.054)], ["98.97", "100.00", "0.05"]);
        assert_eq!([signed_rate(0.274), signed_rate(-1.5), signed_rate(0.001)], ["+0.27", "−1.50", "±0.00"]);
    }
}
