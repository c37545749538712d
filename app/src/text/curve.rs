//! The curve of the day: today's hours as a line on yesterday's, drawn with plotters as SVG without any text.
//!
//! Labels are laid over it by the page, so that they are set in the bundled font and can be read aloud. Colours are
//! left to the style sheet: plotters wants RGB, so each series is drawn in a marker colour that is then replaced by a
//! variable of the theme.

use domain::moment::{HOUR_MS, Local};
use domain::tally::{Dimension, Measure, Period, Tally};
use plotters::prelude::*;

/// One measure's flow by hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Cases in each hour that has begun.
    pub today: Vec<i64>,
    pub yesterday: [i64; 24],
    /// Hours passed today, with a fraction.
    pub now: f64,
}

impl Curve {
    pub fn of(tally: &Tally, measure: Measure, now: Local) -> Self {
        let hour = |date, hour| tally.count(measure, Dimension::City, Period::Hour(date, hour));
        let yesterday = std::array::from_fn(|index| hour(now.date.plus_days(-1), index as u8));
        Self {
            today: (0..=now.hour()).map(|index| hour(now.date, index)).collect(),
            yesterday,
            now: now.ms_of_day as f64 / HOUR_MS as f64,
        }
    }

    /// Whether yesterday has anything to compare with.
    pub fn has_yesterday(&self) -> bool {
        self.yesterday.iter().any(|count| *count > 0)
    }

    /// Today's hours as points at the middle of their hour. The present hour is scaled up to a whole one, once five
    /// minutes of it have passed.
    fn line(&self) -> Vec<(f64, f64)> {
        let passed = self.now.fract();
        let last = self.today.len().saturating_sub(1);
        let whole = |(index, count): (usize, &i64)| (index as f64 + 0.5, *count as f64);
        let mut line: Vec<(f64, f64)> = self.today.iter().enumerate().take(last).map(whole).collect();
        if let Some(count) = self.today.last().filter(|_| passed > 1.0 / 12.0) {
            line.push((self.now.max(last as f64 + 0.25), *count as f64 / passed));
        }
        line
    }

    /// The end of today's line.
    pub fn tip(&self) -> Option<(f64, f64)> {
        self.line().last().copied()
    }

    /// Height of the drawing's upper edge.
    pub fn top(&self) -> f64 {
        let today = self.line().into_iter().map(|(_, count)| count).fold(0.0, f64::max);
        let yesterday = self.yesterday.iter().copied().max().unwrap_or(0) as f64;
        (today.max(yesterday) * 1.08).max(1.0)
    }
}

/// What had happened yesterday by this time of day: whole hours, and the present hour's share by the clock.
pub fn by_this_hour(curve: &Curve) -> i64 {
    let hour = (curve.now as usize).min(23);
    let whole: i64 = curve.yesterday[..hour].iter().sum();
    whole + (curve.yesterday[hour] as f64 * curve.now.fract()).round() as i64
}

const YESTERDAY_AREA: RGBColor = RGBColor(1, 1, 1);
const YESTERDAY_LINE: RGBColor = RGBColor(2, 2, 2);
const TODAY: RGBColor = RGBColor(3, 3, 3);
const BASE: RGBColor = RGBColor(4, 4, 4);

/// The curve as SVG markup of `width` × `height` units.
pub fn curve_svg(curve: &Curve, width: u32, height: u32) -> String {
    let mut svg = String::new();
    // Drawing into a string cannot fail; a failure would leave the curve away, never a wrong one.
    if draw(curve, &mut svg, width, height).is_err() {
        return String::new();
    }
    let marked = [
        ("#010101", "var(--data-3)"),
        ("#020202", "var(--data-2)"),
        ("#030303", "var(--text-hi)"),
        ("#040404", "var(--edge)"),
    ];
    marked.into_iter().fold(svg, |svg, (marker, variable)| svg.replace(marker, variable))
}

fn draw(curve: &Curve, svg: &mut String, width: u32, height: u32) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (width, height)).into_drawing_area();
    let mut chart = ChartBuilder::on(&area).build_cartesian_2d(0.0..24.0, 0.0..curve.top())?;
    if curve.has_yesterday() {
        let hours = curve.yesterday.iter().enumerate();
        let points: Vec<(f64, f64)> = hours.map(|(hour, count)| (hour as f64 + 0.5, *count as f64)).collect();
        chart.draw_series(AreaSeries::new(points.clone(), 0.0, YESTERDAY_AREA.filled()))?;
        chart.draw_series(LineSeries::new(points, YESTERDAY_LINE.stroke_width(2)))?;
    }
    chart.draw_series(LineSeries::new([(0.0, 0.0), (24.0, 0.0)], BASE.stroke_width(2)))?;
    chart.draw_series(LineSeries::new(curve.line(), TODAY.stroke_width(3)))?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve {
        let mut yesterday = [0; 24];
        yesterday[8] = 100;
        yesterday[9] = 60;
        Curve { today: vec![0, 0, 0, 0, 0, 0, 0, 0, 90, 30], yesterday, now: 9.5 }
    }

    #[test]
    fn yesterday_at_this_time_takes_the_present_hours_share() {
        assert_eq!(by_this_hour(&curve()), 130);
    }

    #[test]
    fn the_present_hour_is_drawn_at_its_pace() {
        assert_eq!(curve().tip(), Some((9.5, 60.0)));
        let fresh = Curve { now: 9.05, ..curve() };
        assert_eq!(fresh.tip(), Some((8.5, 90.0)));
    }

    #[test]
    fn the_drawing_has_no_text_and_only_theme_colours() {
        let svg = curve_svg(&curve(), 347, 74);
        assert!(svg.contains("<polyline") && svg.contains("<polygon"));
        assert!(!svg.contains("<text") && !svg.contains("stroke=\"#") && !svg.contains("fill=\"#"));
    }
}
