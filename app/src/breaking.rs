//! A real first-level case in a drill (真实告警): the one thing on its screens that is not striped, because it is not of the drill.
//! It is handled in the city, by the person's own rights there: the banner leads to its page.
//!
//! What should not be here: which cases break through and what an answer is (`domain::drill::breaking`).

use domain::drill::breaking::RealCase;
use domain::route;
use leptos::prelude::*;

use crate::language::use_language;
use crate::live::Health;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::text;
use crate::words::{say, says};

/// The newest that waits for an answer, or the last that was answered; nothing where there is none.
#[component]
pub fn Breaking() -> impl IntoView {
    let (speaks, names, told) = (use_language(), use_names(), expect_context::<Health>().breaking);
    let alarm = move |case: RealCase, others: u32| {
        let (language, waits) = (speaks.get(), case.answered.is_none());
        let (place, state) = names.with(|names| {
            let time = |at| text::hour_minute(at, names.policy.utc_offset_minutes);
            let place =
                [&names.area(language, &case.area), &*case.address, &names.class(language, &case.class)];
            let state = match &case.answered {
                Some(answered) => {
                    say!(language, breaking.answered, name = &answered.by, time = time(answered.at))
                }
                None => say!(language, breaking.reported, time = time(case.reported)),
            };
            (place.join(" "), state)
        });
        let more = (others > 0).then(|| say!(language, breaking.more, count = others));
        let number = say!(language, breaking.first_level, number = &case.number);
        let words = [number, state].into_iter().chain(more).collect::<Vec<_>>().join(" · ");
        let city = route::desk("", Some(case.case), "");
        view! {
            <div class="real" class:waits=waits role="alert"><Sign mark=Mark::Priority1/><b>{says!(speaks, breaking.real)}</b><b class="place">{place}</b><span>{words}</span>
                <a class="button" href=city target="gridhall-desk">{says!(speaks, breaking.handle)}</a></div>
        }
    };
    move || {
        let (first, waiting) = told.with(|told| (told.rows.first().cloned(), told.unanswered));
        first.map(|case| alarm(case, waiting.saturating_sub(1)))
    }
}
