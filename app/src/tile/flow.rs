//! Today's filings and closings: the number, what is usual by this time, and the curve of the day.

use domain::definition;
use domain::tally::Measure;
use leptos::prelude::*;

use super::usual::by_usual;
use super::{Panel, minute};
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure, Opens};
use crate::language::use_language;
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::text::{self, Against, Curve, Usual};
use crate::words::{Language, say, says};

/// From this hour on the mark at now comes near the words at the right edge: they stand at the left one then.
const ASIDE_FROM: f64 = 14.0;

#[component]
pub fn Flow() -> impl IntoView {
    let speaks = use_language();
    view! {
        <Panel class="flow" label=Signal::derive(says!(speaks, wall.curve))>
            <Half measure=Measure::Filed/>
            <Half measure=Measure::Closed/>
        </Panel>
    }
}

#[component]
fn Half(measure: Measure) -> impl IntoView {
    let (speaks, board, names, minute) = (use_language(), use_board(), use_names(), minute());
    let count = memo(move || board.day(measure, minute.get().date));
    let curve = memo(move || {
        let now = minute.get();
        board.with(Part::Tally, |held| Curve::of(&held.tally, measure, now))
    });
    let usual = move || curve.with(Curve::usual);
    let reference_words = move || match usual() {
        Some(usual) => say!(speaks.get(), wall.reference, count = text::grouped(usual.middle)),
        None => say!(speaks.get(), wall.no_reference),
    };
    let difference = move || usual().map(|usual| text::signed(count.get() - usual.middle));
    let word = move || {
        usual().map(|usual| meaning(speaks.get(), curve.with(|curve| curve.against), usual, count.get()))
    };
    let by_usual =
        move |evidence| by_usual(speaks.get(), evidence, curve.with(|curve| curve.against), usual());
    let cases = move || format!("{}={}", measure.key(), minute.get().date);
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, measure.key()).titled(title(language, measure));
        by_usual(evidence.value(language, text::grouped(count.get()))).cases(&cases())
    };
    let against = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, definition::USUAL);
        let name = title(language, measure);
        let evidence = evidence.titled(format!("{name} {}", say!(language, wall.reference_name)));
        let evidence = by_usual(evidence).part_of(name, text::grouped(count.get()), &cases());
        difference().map_or(evidence.clone(), |words| evidence.part(say!(language, wall.difference), words))
    };
    let by_hour = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, measure.key()).titled(say!(
            language,
            wall.by_hour,
            what = title(language, measure)
        ));
        let evidence = curve.with(|curve| hours(language, evidence, curve));
        evidence.part_of(title(language, measure), text::grouped(count.get()), &cases())
    };
    view! {
        <div class="n1">
            <div class="ph"><h2>{anew(move || title(speaks.get(), measure))}</h2><span class="sp"></span>
                <Figure class="inline age" value=Signal::derive(reference_words) evidence=against/></div>
            <div class="num">
                <Figure class="first" value=Signal::derive(move || board.said(Part::Tally, count.get())) evidence/>
                <div class="ref"><p class="d"><Figure class="inline" value=Signal::derive(move || difference().unwrap_or_default()) evidence=against/></p><p>{anew(word)}</p></div>
            </div>
            <Opens class="trend" label=Signal::derive(move || say!(speaks.get(), wall.by_hour, what = title(speaks.get(), measure))) evidence=by_hour><Trend curve/></Opens>
        </div>
    }
}

/// Six hours a line, today and what it is held against.
fn hours(language: Language, evidence: Evidence, curve: &Curve) -> Evidence {
    (0..24).step_by(6).fold(evidence, |evidence, from| {
        let line = |count: &dyn Fn(usize) -> Option<i64>| {
            let each = (from..from + 6).map(|hour| count(hour).map_or_else(|| "·".to_owned(), text::grouped));
            each.collect::<Vec<_>>().join("  ")
        };
        let name = say!(language, wall.hours_from_to, from = from, to = from + 6);
        let today = line(&|hour| curve.today.get(hour).copied());
        let evidence = evidence.part(name, today);
        match curve.against {
            Against::Nothing => evidence,
            Against::Yesterday | Against::Weekdays(_) => {
                evidence.part(say!(language, wall.reference_name), line(&|hour| Some(curve.usual_in(hour))))
            }
        }
    })
}

fn title(language: Language, measure: Measure) -> String {
    let closed = measure == Measure::Closed;
    if closed { say!(language, wall.closed_today) } else { say!(language, wall.filed_today) }
}

/// Where the count lies: inside the band of the same weekdays, or only more or less than yesterday.
fn meaning(language: Language, against: Against, usual: Usual, count: i64) -> String {
    match (against, count) {
        (Against::Weekdays(_), count) if count > usual.high => say!(language, wall.above_usual),
        (Against::Weekdays(_), count) if count < usual.low => say!(language, wall.below_usual),
        (Against::Weekdays(_), _) => say!(language, wall.as_usual),
        (Against::Yesterday | Against::Nothing, count) if count > usual.middle => say!(language, wall.more),
        (Against::Yesterday | Against::Nothing, count) if count < usual.middle => say!(language, wall.fewer),
        (Against::Yesterday | Against::Nothing, _) => say!(language, wall.same),
    }
}

/// The drawing, with its labels and the mark at now laid over it.
#[component]
fn Trend(curve: Memo<Curve>) -> impl IntoView {
    let speaks = use_language();
    let drawn = move || curve.with(|curve| text::curve_svg(curve, 360, 72));
    let now = move || format!("{}%", text::fixed(curve.with(|curve| curve.now) / 24.0 * 100.0, 2));
    let tip = move || {
        let (tip, top) = curve.with(|curve| (curve.tip(), curve.top()));
        tip.map(|(hour, count)| {
            let (left, top) = (hour / 24.0 * 100.0, (1.0 - count / top) * 100.0);
            view! { <i class="tip" style:left=format!("{}%", text::fixed(left, 2)) style:top=format!("{}%", text::fixed(top, 2))></i> }
        })
    };
    let against = move || match curve.with(|curve| curve.against) {
        Against::Weekdays(_) => say!(speaks.get(), wall.usual),
        Against::Yesterday => say!(speaks.get(), wall.yesterday),
        Against::Nothing => String::new(),
    };
    // Each label stands at its own hour, as the curve above it does.
    let hours = [0, 6, 12, 18, 24].map(|hour| {
        let words = move || match hour {
            0 => format!("0{}", say!(speaks.get(), wall.hours)),
            _ => hour.to_string(),
        };
        view! { <span style:left=format!("{}%", text::fixed(f64::from(hour) / 24.0 * 100.0, 2))>{anew(words)}</span> }
    });
    view! {
        <span class="plot" aria-hidden="true">
            <span class="drawn" inner_html=drawn></span>
            <i class="now" style:left=now></i>
            {anew(tip)}
            <span class="tag" class:aside=move || { curve.with(|curve| curve.now) > ASIDE_FROM }>{anew(against)}</span>
        </span>
        <span class="axis" aria-hidden="true">{hours}</span>
    }
}
