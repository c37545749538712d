//! The one large number: time left in its own unit, what the clock is doing, when it is due, and the day as a strip.

use domain::clock::LimitKind;
use domain::moment::UtcMillis;
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::clock::{countdown, lamp, share, span, unit};
use super::strip::{Stretch, Strip};
use super::{Work, use_work};
use crate::figure::{Asked, Evidence, use_asked};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::{Names, use_names};
use crate::once::{anew, memo};
use crate::text;
use crate::words::{Language, say, says};

const WIDTH: f64 = 500.0;

/// Opens what stands behind the number of the open case.
pub fn define(work: Work, asked: Asked) {
    let evidence = work.names.with(|names| {
        work.file.line().map(|line| evidence(work.speaks.get(), &line, work.hall.present(), names))
    });
    asked.set(evidence);
}

#[component]
pub fn Countdown() -> impl IntoView {
    let (speaks, work, names, hall) = (use_language(), use_work(), use_names(), use_hall());
    let line = memo(move || work.file.line());
    let tick = memo(move || hall.now().0 / 5_000);
    let asked = use_asked();
    let big = move || {
        tick.get();
        let (language, now) = (speaks.get(), hall.present());
        line.with(|line| names.with(|names| Some(big(language, line.as_ref()?, now, names))))
    };
    let strip = move || {
        tick.get();
        let (language, now) = (speaks.get(), hall.present());
        let shown = line.with(|line| {
            let line = line.as_ref()?;
            names.with(|names| {
                let (started, due) = (line.started.unwrap_or(line.stage_since), line.due?);
                let policy = &names.policy;
                let from = policy.calendar.counted_from(started, due, line.limit, policy.utc_offset_minutes);
                let mut strip = Strip::of(from, due, unit(line), now, policy);
                // After a suspension its beginning is no instant at which anything began.
                strip.cut |= from != started;
                Some(drawing(language, &strip, from, due, unit(line), now, names))
            })
        });
        shown.map(|svg| view! { <div class="day-strip" inner_html=svg></div> })
    };
    let late = move || {
        tick.get();
        line.with(|line| {
            names.with(|names| Some(lamp(line.as_ref()?, hall.present(), &names.policy).class()))
        })
        .unwrap_or("none")
    };
    view! {
        <section class=move || format!("cdx {}", late())>
            <div>{anew(big)}
                <button type="button" class="define" on:click=move |_| untrack(|| define(work, asked))><kbd>"K"</kbd>{says!(speaks, desk.key_definition)}</button>
            </div>
            {anew(strip)}
        </section>
    }
}

fn big(language: Language, line: &CaseLine, now: UtcMillis, names: &Names) -> AnyView {
    let policy = &names.policy;
    let Some(due) = line.due else { return without_due(language, line, now, names).into_any() };
    let (unit, words) = (unit(line), countdown(language, line, now, policy));
    let still = text::why_still(language, unit, now, &policy.calendar, policy.utc_offset_minutes);
    let stage = text::stage_name(language, line.stage);
    let (what, running) = match (now >= due, unit.runs_on()) {
        (true, _) => (say!(language, desk.over_of, stage = stage), say!(language, desk.runs)),
        (false, true) => (say!(language, desk.left_of, stage = stage), say!(language, desk.runs_on)),
        (false, false) => (say!(language, desk.left_of, stage = stage), say!(language, desk.runs)),
    };
    let mark = if still.is_some() { Mark::Stopped } else { Mark::Live };
    let when = moment(language, due, now, names);
    let share = (share(line, now, policy) * 100.0).round() as i64;
    view! {
        <p class="big"><b>{words}</b><span>{text::unit_name(language, unit)}</span></p>
        <p class="why"><Sign mark/>{still.unwrap_or(running)}</p>
        {line.provisional.then(|| view! { <p class="why">{say!(language, desk.provisional)}</p> })}
        <p class="src">{what}{if language == Language::Zh { "；" } else { "; " }}{say!(language, desk.due_and_used, due = when, share = share)}</p>
    }
    .into_any()
}

/// A stage without a clock, or a case whose due time nobody gave: said in words, with the time spent here.
fn without_due(language: Language, line: &CaseLine, now: UtcMillis, names: &Names) -> impl IntoView {
    use domain::case::Step;
    let (until, title) = match line.closed {
        Some(closed) => (closed, say!(language, desk.closed_case)),
        None => (now, say!(language, desk.in_stage)),
    };
    let from = if line.closed.is_some() { line.reported } else { line.stage_since };
    let words = span(language, until.since(from).max(0), LimitKind::URGENT_DAY, &names.policy);
    let why = match (line.closed, line.stage) {
        (Some(_), _) => String::new(),
        (None, stage) if Step::out_of(stage).is_some_and(|step| !step.stops.is_empty()) => {
            say!(language, desk.no_due)
        }
        (None, _) => say!(language, desk.no_clock),
    };
    view! { <p class="big plain-big"><b>{words}</b><span>{title}</span></p><p class="why">{why}</p> }
}

/// `16:10`, with the date when it is another day.
pub fn moment(language: Language, at: UtcMillis, now: UtcMillis, names: &Names) -> String {
    text::moment(language, at, now, names.policy.utc_offset_minutes)
}

/// The card behind the number; a stage without a clock has its rule alone.
fn evidence(language: Language, line: &CaseLine, now: UtcMillis, names: &Names) -> Evidence {
    let started = line.started.unwrap_or(line.stage_since);
    let rule = say!(language, desk.lamp_rule, percent = names.policy.lamp_yellow_percent);
    let evidence = match line.due {
        Some(due) => Evidence::clock(language, names, started, due, line.limit, now)
            .provisional(language, line.provisional),
        None => Evidence {
            title: say!(language, desk.lamp_none),
            formula: say!(language, desk.no_clock),
            source: names.policy.stated_source.clone(),
            ..Evidence::default()
        },
    };
    let as_of = Some((now, names.policy.utc_offset_minutes));
    Evidence { as_of, ..evidence.part(say!(language, desk.col_lamp), rule) }
}

/// The strip as SVG. All words in it are ours; nothing a user typed comes here.
fn drawing(
    language: Language,
    strip: &Strip,
    started: UtcMillis,
    due: UtcMillis,
    unit: LimitKind,
    now: UtcMillis,
    names: &Names,
) -> String {
    let policy = &names.policy;
    let x = |at: UtcMillis| 1.0 + strip.at(at) * (WIDTH - 2.0);
    let mut svg = format!(
        r#"<svg viewBox="0 -6 {} 88" role="img" aria-label="{}"><defs><pattern id="desk-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="st-bg"/><path d="M0 0V6" class="st-hatch"/></pattern></defs>"#,
        text::fixed(WIDTH, 0),
        say!(language, desk.axis)
    );
    let mut blocks = |stretches: &[Stretch], class: &str, words: Option<&dyn Fn(String) -> String>| {
        let whole: i64 = stretches.iter().map(|(from, to)| to.since(*from)).sum();
        let widest = stretches.iter().copied().max_by_key(|(from, to)| to.since(*from));
        for (from, to) in stretches {
            let width = (x(*to) - x(*from)).max(0.5);
            svg += &format!(
                r#"<rect x="{}" y="34" width="{}" height="22" class="{class}"/>"#,
                text::fixed(x(*from), 1),
                text::fixed(width, 1)
            );
        }
        if let (Some((from, to)), Some(words)) = (widest, words) {
            let text = words(digits(whole));
            // A block too narrow for its words says them in the line above it only.
            if x(to) - x(from) > 12.0 * text.chars().count() as f64 {
                let middle = (x(from) + x(to)) / 2.0;
                svg += &format!(
                    r#"<text x="{}" y="50" class="st-in {class}-t">{text}</text>"#,
                    text::fixed(middle, 1)
                );
            }
        }
    };
    blocks(&strip.pieces, "st-open", None);
    blocks(&strip.breaks(), "st-break", Some(&|_| say!(language, desk.axis_break)));
    blocks(&strip.used, "st-used", Some(&|time| say!(language, desk.axis_used, words = time)));
    blocks(&strip.left, "st-left", Some(&|time| say!(language, desk.axis_left, words = time)));
    blocks(&strip.late, "st-late", Some(&|time| say!(language, desk.axis_over, words = time)));
    let offset = policy.utc_offset_minutes;
    let time = |at: UtcMillis| text::hour_minute(at, offset);
    let mut labels = vec![
        (now, say!(language, desk.axis_now, time = time(now)), "st-now"),
        (due, say!(language, desk.axis_due, time = time(due)), "st-due"),
    ];
    if !strip.cut {
        labels.push((started, say!(language, desk.axis_start, time = time(started)), "st-start"));
    }
    labels
        .extend(strip.soon.map(|soon| (soon, say!(language, desk.axis_soon, time = time(soon)), "st-soon")));
    svg += &marks(&labels, x);
    svg += &axis(language, strip, unit, x, names);
    svg + "</svg>"
}

/// Marks with their words in two lines above the strip, the important first; words that find no room are left out.
fn marks(labels: &[(UtcMillis, String, &str)], x: impl Fn(UtcMillis) -> f64) -> String {
    let mut taken: [Vec<(f64, f64)>; 2] = [Vec::new(), Vec::new()];
    let mut svg = String::new();
    for (at, words, class) in labels {
        let place = x(*at);
        svg += &format!(r#"<path d="M{} 28V62" class="{class}"/>"#, text::fixed(place, 1));
        let half = words.chars().map(|c| if c.is_ascii() { 3.9 } else { 6.8 }).sum::<f64>();
        let middle = place.min(WIDTH - half).max(half);
        let (from, to) = (middle - half - 4.0, middle + half + 4.0);
        let free =
            taken.iter().position(|line| line.iter().all(|(start, stop)| to <= *start || from >= *stop));
        if let Some(line) = free {
            taken[line].push((from, to));
            let y = if line == 0 { 24 } else { 9 };
            svg += &format!(
                r#"<text x="{}" y="{y}" class="st-w {class}-w">{words}</text>"#,
                text::fixed(middle, 1)
            );
        }
    }
    svg
}

/// Hours under a single day, dates under several.
fn axis(
    language: Language,
    strip: &Strip,
    unit: LimitKind,
    x: impl Fn(UtcMillis) -> f64,
    names: &Names,
) -> String {
    let offset = names.policy.utc_offset_minutes;
    let mut svg = String::new();
    let mut word = |at: f64, anchor: &str, words: &str| {
        svg += &format!(
            r#"<text x="{}" y="76" text-anchor="{anchor}" class="st-axis">{words}</text>"#,
            text::fixed(at, 1)
        );
    };
    let single = strip.pieces.len() == 1;
    for (from, to) in &strip.pieces {
        match single {
            true => {
                word(x(*from), "start", &text::hour_minute(*from, offset));
                word(x(*to), "end", &text::hour_minute(*to, offset));
            }
            false => word(
                (x(*from) + x(*to)) / 2.0,
                "middle",
                &text::short_date(language, from.local(offset).date),
            ),
        }
    }
    if single && !unit.runs_on() {
        for (from, to) in strip.breaks() {
            word(x(from), "middle", &text::hour_minute(from, offset));
            word(x(to), "middle", &text::hour_minute(to, offset));
        }
    }
    for (from, _) in strip.pieces.iter().skip(1) {
        svg += &format!(r#"<path d="M{} 30V60" class="st-night"/>"#, text::fixed(x(*from), 1));
    }
    svg
}

fn digits(ms: i64) -> String {
    format!("{}:{:02}", ms / 3_600_000, ms / 60_000 % 60)
}
