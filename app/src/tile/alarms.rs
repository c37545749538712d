//! The room measures itself: limits that ran out in the last ten minutes, on a fixed scale whose top is the flood line.

use domain::case::Phase;
use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use leptos::prelude::*;

use super::Panel;
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::use_names;
use crate::text;
use crate::words::say;

/// Alarms in ten minutes that nobody can work through (EEMUA 191).
const FLOOD: f64 = 10.0;
const BARS: i64 = 12;
const BAR_MS: i64 = 5 * MINUTE_MS;

#[component]
pub fn Alarms() -> impl IntoView {
    let (speaks, board, hall, names) = (use_language(), use_board(), use_hall(), use_names());
    let minute = Memo::new(move |_| hall.now().0 / (10 * 1_000));
    let since = move |ms: i64| {
        minute.get();
        let from = hall.present().plus(-ms);
        board.with(Part::Events, |held| held.alarms_since(from).count())
    };
    let ten = Memo::new(move |_| since(10 * MINUTE_MS));
    // The events may reach back less than an hour: then the hour is not claimed.
    let known_since = move || board.with(Part::Events, |held| held.events_since);
    let whole_hour = move || known_since().is_none_or(|since| since <= hall.present().plus(-HOUR_MS));
    let hour = move || {
        if whole_hour() {
            return say!(speaks.get(), wall.last_hour, count = since(HOUR_MS));
        }
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        let time = known_since().map_or_else(String::new, |since| text::hour_minute(since, offset));
        say!(speaks.get(), wall.counted_since, time = time)
    };
    let unclaimed = move || {
        board.with(Part::Overdue, |held| {
            let overdue = held.overdue.iter().filter(|row| row.phase == Phase::Overdue);
            overdue.filter(|row| row.claimed_by.is_none()).count()
        })
    };
    let bars = move || {
        minute.get();
        let heights = board.with(Part::Events, |held| {
            bars(held.alarms_since(hall.present().plus(-HOUR_MS)), hall.present())
        });
        heights
            .into_iter()
            .map(|height| view! { <i style:height=format!("{height:.0}%")></i> })
            .collect_view()
    };
    let evidence = move || {
        let language = speaks.get();
        Evidence {
            title: say!(language, wall.alarms),
            formula: say!(language, wall.alarm_definition),
            source: say!(language, wall.alarm_source),
            ..Evidence::default()
        }
        .value(language, ten.get().to_string())
        .part(say!(language, wall.overdue), text::grouped(board.now(domain::tally::Measure::OverdueDispatch)))
        .cases("open=true&phase=overdue&sort=due")
    };
    view! {
        <Panel class="strip rate" label=Signal::derive(move || say!(speaks.get(), wall.alarms))>
            <div class="big" class:urge=move || { ten.get() as f64 > FLOOD }>
                <span class="hi">{move || say!(speaks.get(), wall.alarms)}</span>
                <Figure class="third" value=Signal::derive(move || text::grouped(ten.get() as i64)) evidence/>
                <span>{move || say!(speaks.get(), wall.per_ten)}</span>
            </div>
            <div class="dim">
                <p>{move || say!(speaks.get(), wall.unacknowledged, count = unclaimed())}<span class="gap"></span>{move || say!(speaks.get(), wall.flood_line)}</p>
                <p>{hour}</p>
            </div>
            <div class="bars w" aria-hidden="true">{bars}</div>
        </Panel>
    }
}

/// Heights of the last hour's bars in percent of the flood line, oldest first. The line counts ten minutes, a bar five.
fn bars(alarms: impl Iterator<Item = UtcMillis>, now: UtcMillis) -> Vec<f64> {
    let mut counts = vec![0u32; BARS as usize];
    for at in alarms {
        let back = now.since(at) / BAR_MS;
        if (0..BARS).contains(&back) {
            counts[(BARS - 1 - back) as usize] += 1;
        }
    }
    counts.into_iter().map(|count| (f64::from(count) / (FLOOD / 2.0) * 100.0).min(100.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_at_their_five_minutes_and_never_leave_the_scale() {
        let now = UtcMillis(100 * HOUR_MS);
        let ago = |minutes: i64| now.plus(-minutes * MINUTE_MS);
        let drawn = bars([ago(1), ago(4), ago(7), ago(59), ago(90)].into_iter(), now);
        assert_eq!((drawn[11], drawn[10], drawn[0]), (40.0, 20.0, 20.0));
        assert_eq!(drawn.iter().filter(|height| **height > 0.0).count(), 3);
        assert_eq!(bars(std::iter::repeat_n(now, 50), now)[11], 100.0);
    }
}
