//! Today's filings and closings: the number, yesterday at this time, and the curve of the day.

use domain::tally::Measure;
use leptos::prelude::*;

use super::{Panel, minute};
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::language::use_language;
use crate::text::{self, Curve};
use crate::words::{Language, say};

#[component]
pub fn Flow() -> impl IntoView {
    let speaks = use_language();
    view! {
        <Panel class="flow" label=Signal::derive(move || say!(speaks.get(), wall.curve))>
            <Half measure=Measure::Filed/>
            <Half measure=Measure::Closed/>
        </Panel>
    }
}

#[component]
fn Half(measure: Measure) -> impl IntoView {
    let (speaks, board, minute) = (use_language(), use_board(), minute());
    let count = Memo::new(move |_| board.day(measure, minute.get().date));
    let curve = Memo::new(move |_| {
        let now = minute.get();
        board.with(Part::Tally, |held| Curve::of(&held.tally, measure, now))
    });
    let reference = move || curve.with(|curve| curve.has_yesterday().then(|| text::by_this_hour(curve)));
    let reference_words = move || match reference() {
        Some(count) => say!(speaks.get(), wall.reference, count = text::grouped(count)),
        None => say!(speaks.get(), wall.no_yesterday),
    };
    let difference = move || reference().map(|before| text::signed(count.get() - before));
    let meaning = move || reference().map(|before| meaning(speaks.get(), count.get() - before));
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, measure.key()).value(language, text::grouped(count.get()));
        let evidence = match reference() {
            Some(before) => evidence
                .part(say!(language, wall.yesterday_by_now), text::grouped(before))
                .part("≈", say!(language, wall.reference_rule)),
            None => evidence,
        };
        evidence.cases(&format!("{}_day={}", measure.key(), minute.get().date))
    };
    view! {
        <div class="n1">
            <div class="ph"><h2>{move || title(speaks.get(), measure)}</h2><span class="sp"></span><span class="age">{reference_words}</span></div>
            <div class="num">
                <Figure class="first" value=Signal::derive(move || text::grouped(count.get())) evidence/>
                <div class="ref"><p class="d">{difference}</p><p>{meaning}</p></div>
            </div>
            <Trend curve/>
        </div>
    }
}

fn title(language: Language, measure: Measure) -> String {
    match measure {
        Measure::Closed => say!(language, wall.closed_today),
        _ => say!(language, wall.filed_today),
    }
}

fn meaning(language: Language, difference: i64) -> String {
    match difference {
        0 => say!(language, wall.same),
        1.. => say!(language, wall.more),
        _ => say!(language, wall.fewer),
    }
}

/// The drawing, with its labels and the mark at now laid over it.
#[component]
fn Trend(curve: Memo<Curve>) -> impl IntoView {
    let speaks = use_language();
    let drawn = move || curve.with(|curve| text::curve_svg(curve, 360, 72));
    let now = move || format!("{:.2}%", curve.with(|curve| curve.now) / 24.0 * 100.0);
    let tip = move || {
        let (tip, top) = curve.with(|curve| (curve.tip(), curve.top()));
        tip.map(|(hour, count)| {
            let (left, top) = (hour / 24.0 * 100.0, (1.0 - count / top) * 100.0);
            view! { <i class="tip" style:left=format!("{left:.2}%") style:top=format!("{top:.2}%")></i> }
        })
    };
    let yesterday = move || curve.with(Curve::has_yesterday).then(|| say!(speaks.get(), wall.yesterday));
    view! {
        <div class="trend" aria-hidden="true">
            <div class="plot">
                <div class="drawn" inner_html=drawn></div>
                <i class="now" style:left=now></i>
                {tip}
                <span class="tag">{yesterday}</span>
            </div>
            <div class="axis"><span>"0"</span><span>"6"</span><span>"12"</span><span>"18"</span><span>{move || format!("24{}", say!(speaks.get(), wall.hours))}</span></div>
        </div>
    }
}
