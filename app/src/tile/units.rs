//! This month's closing rate of the city and of each district, in the order of the bulletin.

use domain::catalogue::AreaLevel;
use domain::code::AreaCode;
use domain::definition;
use domain::moment::Date;
use domain::tally::{Dimension, Measure, Period, Ratio, closure_rate};
use leptos::prelude::*;

use super::{Panel, today};
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::language::use_language;
use crate::names::{Called, use_names};
use crate::once::{CollectRows, anew, memo};
use crate::text;
use crate::words::{Language, say, says};

/// Columns that fit; a city with more districts shows the first ones and the desk all of them.
const UNITS_MAX: usize = 10;

#[component]
pub fn Units() -> impl IntoView {
    let (speaks, board, names, today) = (use_language(), use_board(), use_names(), today());
    let rate = move |dimension: Dimension, period: Period| {
        board.with(Part::Tally, |held| closure_rate(&held.tally, &dimension, period))
    };
    let this_month = move || Period::month_of(today.get());
    let city = memo(move || rate(Dimension::City, this_month()));
    let before = memo(move || rate(Dimension::City, Period::Month(text::month_before(today.get()))));
    let difference = move || Some(text::signed_rate(city.get().percent()? - before.get().percent()?));
    let last = move || Some(say!(speaks.get(), wall.last_month, rate = text::rate(before.get().percent()?)));
    let evidence = move || rate_evidence(speaks.get(), names, city.get(), this_month_key(today.get()), None);
    let last_evidence =
        move || rate_evidence(speaks.get(), names, before.get(), text::month_before(today.get()), None);
    let apart = move || {
        let (language, points) = (speaks.get(), difference().unwrap_or_default());
        rate_evidence(language, names, city.get(), this_month_key(today.get()), None)
            .part(say!(language, wall.last_month_name), format!("{} %", shown(before.get())))
            .part(say!(language, wall.difference), say!(language, wall.points, points = points))
    };
    let districts = memo(move || {
        names.with(|names| {
            let districts = names.at_level(AreaLevel::District).into_iter().take(UNITS_MAX);
            districts.map(|area| area.code.clone()).collect::<Vec<AreaCode>>()
        })
    });
    let columns = move || districts.get().into_iter().map(|code| view! { <Unit code city/> }).collect_rows();
    view! {
        <Panel class="units" label=Signal::derive(says!(speaks, wall.month_rate))>
            <div class="ph">
                <div class="num sub"><h2>{says!(speaks, wall.month_rate)}</h2>
                    <Figure class="second" sign="%" value=Signal::derive(move || shown(city.get())) evidence/>
                </div>
                <Figure class="inline age" value=Signal::derive(move || last().unwrap_or_default()) evidence=last_evidence/>
                <Figure class="inline hi" value=Signal::derive(move || difference().unwrap_or_default()) evidence=apart/>
            </div>
            <div class="u8">
                <div class="rl w" aria-hidden="true">
                    <span></span>
                    <span class="dotbox">{says!(speaks, wall.city_mean)}</span>
                    <span>{says!(speaks, wall.rate_row)}</span>
                    <span>{says!(speaks, wall.filed_row)}</span>
                </div>
                {anew(columns)}
            </div>
        </Panel>
    }
}

/// One district: its name, its distance from the city's rate, its rate, its filings today.
#[component]
fn Unit(code: AreaCode, city: Memo<Ratio>) -> impl IntoView {
    let (speaks, board, names, today) = (use_language(), use_board(), use_names(), today());
    let dimension = StoredValue::new(Dimension::Area(code.clone()));
    let own = memo(move || {
        let month = Period::month_of(today.get());
        board.with(Part::Tally, |held| {
            dimension.with_value(|dimension| closure_rate(&held.tally, dimension, month))
        })
    });
    let filed = memo(move || {
        dimension.with_value(|dimension| board.count(Measure::Filed, dimension, Period::Day(today.get())))
    });
    let code = StoredValue::new(code);
    let name = Signal::derive(move || {
        let language = speaks.get();
        code.with_value(|code| names.with(|names| names.area_short(language, code)))
    });
    // Two points above or below the city's rate reach the edge of the box.
    let height = move || {
        let apart = own.get().percent().zip(city.get().percent()).map_or(0.0, |(own, city)| own - city);
        (50.0 - apart / 2.0 * 44.0).clamp(6.0, 94.0)
    };
    let has = move || own.get().percent().is_some();
    let stem = move || (height().min(50.0), (height() - 50.0).abs());
    let evidence = move || {
        let unit = Some((name.get(), code.get_value()));
        rate_evidence(speaks.get(), names, own.get(), this_month_key(today.get()), unit)
    };
    let filed_evidence = move || {
        let language = speaks.get();
        Evidence::of(language, names, Measure::Filed.key())
            .titled(format!("{} {}", name.get(), say!(language, wall.filed_today)))
            .value(language, text::grouped(filed.get()))
            .cases(&format!("filed={}&area={}", today.get(), code.get_value()))
    };
    view! {
        <div class="unit">
            <span class="uh">{name}</span>
            <span class="dotbox" aria-hidden="true">
                <i class="stem" style:top=move || format!("{}%", text::fixed(stem().0, 1)) style:height=move || format!("{}%", text::fixed(stem().1, 1))></i>
                <i class="dot" class:none=move || !has() style:top=move || format!("{}%", text::fixed(height(), 1))></i>
            </span>
            <span class="v"><Figure value=Signal::derive(move || shown(own.get())) evidence/></span>
            <span class="w"><Figure value=Signal::derive(move || board.said(Part::Tally, filed.get())) evidence=filed_evidence/></span>
        </div>
    }
}

fn shown(ratio: Ratio) -> String {
    ratio.percent().map_or_else(|| "–".to_owned(), text::rate)
}

/// The month of a day as 202611.
fn this_month_key(today: Date) -> i32 {
    today.number() / 100
}

/// A month's rate with the cases of its numerator and of its denominator.
fn rate_evidence(
    language: Language,
    names: Called,
    ratio: Ratio,
    month: i32,
    unit: Option<(String, AreaCode)>,
) -> Evidence {
    let month = format!("{:04}-{:02}", month / 100, month % 100);
    let (name, area) = unit.map_or_else(Default::default, |(name, code)| (name, format!("&area={code}")));
    let evidence = Evidence::of(language, names, definition::CLOSURE_RATE);
    let (title, filed) = (format!("{} {name} {month}", evidence.title), format!("filed={month}{area}"));
    let (closed_name, filed_name) = (say!(language, wall.closed_month), say!(language, wall.filed_month));
    evidence
        .titled(title)
        .value(language, format!("{} %", shown(ratio)))
        .part_of(closed_name, text::grouped(ratio.numerator), &format!("closed={month}{area}"))
        .part_of(filed_name, text::grouped(ratio.denominator), &filed)
}
