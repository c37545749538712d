//! The room measures itself: limits that ran out in the last ten minutes, on a fixed scale whose top is the flood line.

use domain::definition;
use domain::feed::Held;
use domain::moment::{HOUR_MS, MINUTE_MS, UtcMillis};
use domain::wire::EventLine;
use leptos::prelude::*;

use super::{Panel, events};
use crate::board::{Part, alarm, alarms_since, use_board};
use crate::figure::{Evidence, Figure, Opens};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::text;
use crate::words::{say, says};
use crate::world;

/// Alarms in ten minutes that nobody can work through (EEMUA 191).
const FLOOD: f64 = 10.0;
const BARS: i64 = 12;
const BAR_MS: i64 = 5 * MINUTE_MS;

#[component]
pub fn Alarms() -> impl IntoView {
    let (speaks, board, hall, names) = (use_language(), use_board(), use_hall(), use_names());
    let minute = memo(move || hall.now().0 / (10 * 1_000));
    let since = move |ms: i64| {
        minute.get();
        let from = hall.present().plus(-ms);
        board.with(Part::Events, |held| alarms_since(held, from).count())
    };
    let ten = memo(move || since(10 * MINUTE_MS));
    // The events may reach back less than an hour: then the hour is not claimed.
    let known_since = move || board.with(Part::Events, Held::events_since);
    let less = move |ms: i64| {
        let since = known_since().filter(|since| *since > hall.present().plus(-ms))?;
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        Some(say!(speaks.get(), wall.counted_since, time = text::hour_minute(since, offset)))
    };
    let hour =
        move || less(HOUR_MS).unwrap_or_else(|| say!(speaks.get(), wall.last_hour, count = since(HOUR_MS)));
    let dispatches = memo(move || board.dispatches(None, hall.now()));
    let bars = move || {
        minute.get();
        let heights = board.with(Part::Events, |held| {
            bars(alarms_since(held, hall.present().plus(-HOUR_MS)), hall.present())
        });
        heights
            .into_iter()
            .map(|height| view! { <i style:height=format!("{}%", text::fixed(height, 0))></i> })
            .collect_rows()
    };
    // Each limit that ran out, newest first, with the case it belongs to.
    let evidence = move |id: &'static str, ms: i64| {
        let (language, from) = (speaks.get(), hall.present().plus(-ms));
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        let evidence = Evidence::of(language, names, id);
        let rows: Vec<(String, String)> = board.with(Part::Events, |held| {
            let alarms = held.events.iter().rev().filter(|event| alarm(event).is_some_and(|at| at >= from));
            let row = |event: &EventLine| {
                let words = names.with(|names| events::words(language, names, event));
                let to = event
                    .case
                    .as_ref()
                    .map_or_else(|| world::list("list=whistles&late=true"), |case| world::case(case.id));
                (format!("{} {words}", text::clock(alarm(event).unwrap_or(event.at), offset)), to)
            };
            alarms.map(row).collect()
        });
        let count = text::grouped(rows.len() as i64);
        let window = less(ms).unwrap_or_else(|| say!(language, wall.minutes, count = ms / MINUTE_MS));
        let evidence = evidence.value(language, count).part(say!(language, wall.window), window);
        Evidence { rows, ..evidence }
    };
    let last_ten = move || evidence(definition::ALARMS, 10 * MINUTE_MS);
    let last_hour = move || evidence(definition::ALARMS_HOUR, HOUR_MS);
    let unclaimed =
        Signal::derive(move || say!(speaks.get(), wall.unacknowledged, count = dispatches.get().unclaimed));
    let not_taken = move || super::overdue::unclaimed_evidence(speaks.get(), names, dispatches.get());
    let flood = Signal::derive(says!(speaks, wall.flood_line));
    let label = Signal::derive(says!(speaks, wall.alarms));
    view! {
        <Panel class="strip rate" label=Signal::derive(says!(speaks, wall.alarms))>
            <div class="big" class:urge=move || { ten.get() as f64 > FLOOD }>
                <span class="hi">{says!(speaks, wall.alarms)}</span>
                <Figure class="third" value=Signal::derive(move || text::grouped(ten.get() as i64)) evidence=last_ten/>
                <Figure class="inline" value=Signal::derive(says!(speaks, wall.per_ten)) evidence=last_ten/>
            </div>
            <div class="dim">
                <p><Figure class="inline" value=unclaimed evidence=not_taken/><span class="gap"></span><Figure class="inline" value=flood evidence=last_ten/></p>
                <p><Figure class="inline" value=Signal::derive(hour) evidence=last_hour/></p>
            </div>
            <Opens class="bars w" label evidence=last_hour>{anew(bars)}</Opens>
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
