//! The curve of the day: today's hours as a line on the usual ones, drawn with plotters as SVG without any text.
//!
//! Labels are laid over it by the page, so that they are set in the bundled font and can be read aloud. Colours are
//! left to the style sheet: plotters wants RGB, so each series is drawn in a marker colour that is then replaced by a
//! variable of the theme.

use domain::moment::{HOUR_MS, Local};
use domain::tally::{Dimension, Measure, Period, Tally};
use plotters::prelude::*;

use super::usual::{Against, Usual, held_against, median};

/// One measure's flow by hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Cases in each hour that has begun.
    pub today: Vec<i64>,
    /// The days today is held against.
    days: Vec<[i64; 24]>,
    pub against: Against,
    /// Hours passed today, with a fraction.
    pub now: f64,
}

impl Curve {
    pub fn of(tally: &Tally, measure: Measure, now: Local) -> Self {
        let hour = |date, hour| tally.count(measure, Dimension::City, Period::Hour(date, hour));
        let day = |back: i32| -> Option<[i64; 24]> {
            let date = now.date.plus_days((-back).into());
            let hours = std::array::from_fn(|index| hour(date, index as u8));
            hours.iter().any(|count| *count > 0).then_some(hours)
        };
        // Hours are counted for the whole city only.
        let has_hours = tally.iter().any(|(key, _)| matches!(key.period, Period::Hour(..)));
        let (days, against) = held_against(day);
        Self {
            today: (0..=now.hour()).filter(|_| has_hours).map(|index| hour(now.date, index)).collect(),
            days,
            against,
            now: now.ms_of_day as f64 / HOUR_MS as f64,
        }
    }

    /// What the days held against had by this time of day; none without such a day.
    pub fn usual(&self) -> Option<Usual> {
        Usual::of(self.days.iter().map(|day| by_this_hour(day, self.now)).collect())
    }

    /// What the days held against had in an hour, in the middle.
    pub fn usual_in(&self, hour: usize) -> i64 {
        median(self.days.iter().map(|day| day[hour]).collect()).unwrap_or(0)
    }

    /// One value of every hour of the days held against.
    fn each_hour(&self, value: impl Fn(Vec<i64>) -> i64) -> Vec<(f64, f64)> {
        let hour = |index: usize| value(self.days.iter().map(|day| day[index]).collect());
        (0..24).map(|index| (index as f64 + 0.5, hour(index) as f64)).collect()
    }

    /// Today's hours as points at the middle of their hour. The present hour is scaled up to a whole one, once ten
    /// minutes of it have passed.
    fn line(&self) -> Vec<(f64, f64)> {
        let passed = self.now.fract();
        let last = self.today.len().saturating_sub(1);
        let whole = |(index, count): (usize, &i64)| (index as f64 + 0.5, *count as f64);
        let mut line: Vec<(f64, f64)> = self.today.iter().enumerate().take(last).map(whole).collect();
        if let Some(count) = self.today.last().filter(|_| passed > 1.0 / 6.0) {
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
        let usual = self.days.iter().flatten().copied().max().unwrap_or(0) as f64;
        (today.max(usual) * 1.12).max(1.0)
    }
}

/// What a day had by a time: whole hours, and the present hour's share by the clock.
fn by_this_hour(day: &[i64; 24], now: f64) -> i64 {
    let hour = (now as usize).min(23);
    let whole: i64 = day[..hour].iter().sum();
    whole + (day[hour] as f64 * now.fract()).round() as i64
}

const USUAL_AREA: RGBColor = RGBColor(1, 1, 1);
const USUAL_LINE: RGBColor = RGBColor(2, 2, 2);
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
    // It fills whatever room it is given, as the labels over it assume.
    let svg = svg.replacen("<svg ", r#"<svg preserveAspectRatio="none" "#, 1);
    marked.into_iter().fold(svg, |svg, (marker, variable)| svg.replace(marker, variable))
}

fn draw(curve: &Curve, svg: &mut String, width: u32, height: u32) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (width, height)).into_drawing_area();
    let mut chart = ChartBuilder::on(&area).build_cartesian_2d(0.0..24.0, 0.0..curve.top())?;
    let usual = curve.each_hour(|counts| median(counts).unwrap_or(0));
    match curve.against {
        Against::Nothing => {}
        Against::Yesterday => {
            chart.draw_series(AreaSeries::new(usual.clone(), 0.0, USUAL_AREA.filled()))?;
            chart.draw_series(LineSeries::new(usual, USUAL_LINE.stroke_width(2)))?;
        }
        Against::Weekdays(_) => {
            let low = curve.each_hour(|counts| counts.into_iter().min().unwrap_or(0));
            let high = curve.each_hour(|counts| counts.into_iter().max().unwrap_or(0));
            let band: Vec<(f64, f64)> = high.into_iter().chain(low.into_iter().rev()).collect();
            chart.draw_series([Polygon::new(band, USUAL_AREA.filled())])?;
            chart.draw_series(LineSeries::new(usual, USUAL_LINE.stroke_width(2)))?;
        }
    }
    chart.draw_series(LineSeries::new([(0.0, 0.0), (24.0, 0.0)], BASE.stroke_width(2)))?;
    chart.draw_series(LineSeries::new(curve.line(), TODAY.stroke_width(3)))?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::tally::Count;

    fn curve() -> Curve {
        let mut yesterday = [0; 24];
        yesterday[8] = 100;
        yesterday[9] = 60;
        let today = vec![0, 0, 0, 0, 0, 0, 0, 0, 90, 30];
        Curve { today, days: vec![yesterday], against: Against::Yesterday, now: 9.5 }
    }

    /// A store with these hours filled at 08 of days so many back, looked at on 31 March 2021 at 9:30.
    fn looked_at(filled: &[(i32, i64)]) -> Curve {
        let date = domain::moment::Date::new(2021, 3, 31).unwrap();
        let mut tally = Tally::default();
        for (back, count) in filled {
            let period = Period::Hour(date.plus_days((-back).into()), 8);
            let key = domain::tally::TallyKey { measure: Measure::Filed, dimension: Dimension::City, period };
            tally.set(key, Count { cases: *count, base: 0 });
        }
        Curve::of(&tally, Measure::Filed, Local { date, ms_of_day: 19 * HOUR_MS / 2 })
    }

    #[test]
    fn yesterday_at_this_time_takes_the_present_hours_share() {
        assert_eq!(curve().usual(), Some(Usual { middle: 130, low: 130, high: 130 }));
    }

    #[test]
    fn the_reference_is_the_middle_of_the_last_four_same_weekdays() {
        let four = looked_at(&[(1, 5), (7, 100), (14, 80), (21, 300), (28, 90), (35, 1)]);
        assert_eq!(four.against, Against::Weekdays(4));
        assert_eq!(four.usual(), Some(Usual { middle: 95, low: 80, high: 300 }));
        let three = looked_at(&[(7, 100), (14, 80), (28, 90)]);
        assert_eq!((three.against, three.usual().unwrap().middle), (Against::Weekdays(3), 90));
    }

    #[test]
    fn with_less_history_it_is_yesterday_and_without_any_nothing() {
        let young = looked_at(&[(1, 5), (7, 100), (14, 80)]);
        assert_eq!((young.against, young.usual().unwrap().middle), (Against::Yesterday, 5));
        let fresh = looked_at(&[(0, 5), (7, 100)]);
        assert_eq!((fresh.against, fresh.usual()), (Against::Nothing, None));
    }

    #[test]
    fn the_present_hour_is_drawn_at_its_pace() {
        assert_eq!(curve().tip(), Some((9.5, 60.0)));
        let fresh = Curve { now: 9.05, ..curve() };
        assert_eq!(fresh.tip(), Some((8.5, 90.0)));
    }

    #[test]
    fn the_drawing_has_no_text_and_only_theme_colours() {
        let weekdays = looked_at(&[(0, 9), (7, 100), (14, 80), (21, 70)]);
        for curve in [curve(), weekdays] {
            let svg = curve_svg(&curve, 347, 74);
            assert!(svg.contains("<polyline") && svg.contains("<polygon"));
            assert!(!svg.contains("<text") && !svg.contains("stroke=\"#") && !svg.contains("fill=\"#"));
        }
    }
}
