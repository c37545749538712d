//! Calls (吹哨) to the department: those that wait for it first, with their clock and one button; those it has answered, with when.
//!
//! What should not be here: raising and ending calls, which the desk does.

use domain::code::DepartmentCode;
use domain::command::Command;
use domain::moment::UtcMillis;
use domain::route;
use domain::whistle::{Called, Whistle};
use leptos::prelude::*;

use super::use_seat;
use crate::board::{Part, use_board};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::order;
use crate::text;
use crate::words::{self, say, says};
use crate::work::send::What;
use crate::world;

/// The open calls to the department, with how it stands in each: those it has not answered first, by their due time.
fn to_department<'a>(
    calls: impl Iterator<Item = &'a Whistle>,
    own: &DepartmentCode,
) -> Vec<(Whistle, Called)> {
    let open = calls.filter(|call| call.closed.is_none());
    let of_own = open.filter_map(|call| {
        let called = call.called.iter().find(|called| called.department == *own)?;
        Some((call.clone(), called.clone()))
    });
    let mut calls: Vec<(Whistle, Called)> = of_own.collect();
    order::sort_by_key(&mut calls, |(call, called)| (called.responded.is_some(), call.due, call.id));
    calls
}

#[component]
pub fn Calls() -> impl IntoView {
    let (speaks, seat, board) = (use_language(), use_seat(), use_board());
    let calls = memo(move || match seat.own() {
        Some(own) => board.with(Part::Whistles, |held| to_department(held.whistles.iter(), &own)),
        None => Vec::new(),
    });
    let some = move || calls.with(|calls| !calls.is_empty());
    let words = says!(speaks, department.calls);
    view! {
        <Show when=some>
            <ol class="calls" aria-label=words>
                <For each=move || calls.get() key=|(call, called)| (call.id, call.version, called.responded) let:item><Call call=item.0 called=item.1/></For>
            </ol>
        </Show>
    }
}

#[component]
fn Call(call: Whistle, called: Called) -> impl IntoView {
    let (speaks, seat, names, hall) = (use_language(), use_seat(), use_names(), use_hall());
    let (id, due, level) = (call.id, call.due, call.call.level);
    let area = call.area_path.clone();
    let place = move || names.with(|names| names.area_words(speaks.get(), &area));
    let waits = called.responded.is_none();
    let department = StoredValue::new(called.department.clone());
    let stands = memo(move || stands(due, &called, hall.now()));
    let words = move || match stands.get() {
        Stands::Answered { at, late } => names.with(|names| {
            let time = text::moment(speaks.get(), at, hall.present(), names.policy.utc_offset_minutes);
            match late {
                true => say!(speaks.get(), department.answered_late, time = time),
                false => say!(speaks.get(), desk.responded, time = time),
            }
        }),
        Stands::Waits { late, digits } => format!("{} {digits}", text::phase_note(speaks.get(), late)),
    };
    let until = move || {
        names.with(|names| {
            let time = text::moment(speaks.get(), due, hall.present(), names.policy.utc_offset_minutes);
            say!(speaks.get(), desk.whistle_due, time = time)
        })
    };
    let mark = Signal::derive(move || stands.with(Stands::mark));
    let over = move || stands.with(|stands| stands.mark() == Mark::Over);
    let command = move || Command::RespondToWhistle { whistle: id, department: department.get_value() };
    let may = move || waits && seat.may(&command());
    let busy = move || seat.sending.is_busy(&command());
    let respond = move |_| _ = seat.sending.send(command(), What::Word(words::event::whistle_answered), None);
    let title = StoredValue::new(call.call.title.clone());
    // The case it is about, where that is the department's too.
    let case = call.call.case;
    let own = memo(move || case.filter(|case| seat.queue.line(*case).is_some()));
    let matter = move || match own.get() {
        Some(case) => {
            let href = route::department(&world::base(), Some(case));
            view! { <a href=href>{title.get_value()}</a> }.into_any()
        }
        None => view! { <span>{title.get_value()}</span> }.into_any(),
    };
    let label = move || say!(speaks.get(), department.respond_to, title = title.get_value());
    view! {
        <li class="call" class:over=over class:answered=!waits id=format!("call-{id}")>
            <h3><Sign mark=Mark::of_level(level)/><span class="level">{anew(move || text::level_name(speaks.get(), level))}</span>{anew(matter)}</h3>
            <p class="dim">{anew(place)}</p>
            <p class="stands"><Sign mark/><em>{anew(words)}</em>{waits.then(|| view! { <span class="dim">{anew(until)}</span> })}</p>
            <Show when=may><button type="button" class="btn primary" aria-label=label disabled=busy on:click=respond>{says!(speaks, department.respond)}</button></Show>
        </li>
    }
}

/// How the department stands in a call.
#[derive(Debug, Clone, PartialEq)]
enum Stands {
    Waits { late: bool, digits: String },
    Answered { at: UtcMillis, late: bool },
}

impl Stands {
    fn mark(&self) -> Mark {
        match self {
            Self::Answered { .. } => Mark::Done,
            Self::Waits { late: true, .. } => Mark::Over,
            Self::Waits { late: false, .. } => Mark::Inside,
        }
    }
}

fn stands(due: UtcMillis, called: &Called, now: UtcMillis) -> Stands {
    match called.responded {
        Some(at) => Stands::Answered { at, late: called.late },
        None => {
            let (late, digits) = text::in_minutes(due, now);
            Stands::Waits { late, digits }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::code::WhistleId;
    use domain::whistle::{WhistleCall, WhistleLevel};

    use super::*;

    fn call(id: u64, due: i64, departments: &[(&str, Option<i64>)], closed: bool) -> Whistle {
        let called = departments.iter().map(|(code, at)| Called {
            department: code.parse().unwrap(),
            responded: at.map(UtcMillis),
            late: false,
        });
        let area = "530102".parse().unwrap();
        let title = format!("{id}");
        Whistle {
            id: WhistleId(id),
            call: WhistleCall { level: WhistleLevel::Street, area, title, case: None, called: Vec::new() },
            area_path: Vec::new(),
            raised: UtcMillis(0),
            due: UtcMillis(due),
            called: called.collect(),
            closed: closed.then_some(UtcMillis(1)),
            version: 1,
        }
    }

    #[test]
    fn a_department_hears_the_calls_to_it_and_first_those_it_has_not_answered() {
        let calls = [
            call(1, 5, &[("urban", Some(3))], false),
            call(2, 9, &[("water", None), ("urban", None)], false),
            call(3, 1, &[("water", None)], false),
            call(4, 7, &[("urban", None)], false),
            call(5, 2, &[("urban", None)], true),
        ];
        let heard = to_department(calls.iter(), &"urban".parse().unwrap());
        assert_eq!(heard.iter().map(|(call, _)| call.id.0).collect::<Vec<_>>(), [4, 2, 1]);
        assert!(heard.iter().all(|(_, called)| called.department.as_str() == "urban"));
    }

    #[test]
    fn an_unanswered_call_counts_and_an_answered_one_says_when() {
        let waits =
            |now| stands(UtcMillis(60_000), &call(1, 0, &[("urban", None)], false).called[0], UtcMillis(now));
        assert_eq!(waits(0), Stands::Waits { late: false, digits: "1:00".into() });
        assert_eq!(waits(61_000).mark(), Mark::Over);
        let answered =
            stands(UtcMillis(0), &call(1, 0, &[("urban", Some(7))], false).called[0], UtcMillis(9));
        assert_eq!(answered, Stands::Answered { at: UtcMillis(7), late: false });
    }
}
