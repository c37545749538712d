//! The case in focus: what and where, its running clock, its way through the seven stages, who was called, its cameras.

use domain::case::Stage;
use domain::code::CaseId;
use domain::definition;
use domain::whistle::{Called, Whistle};
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::Panel;
use super::linked::LinkedCameras;
use super::whistles::call_evidence;
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure, Opens};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo, shown};
use crate::text;
use crate::wall::Focus;
use crate::words::{say, says};
use crate::world;

#[component]
pub fn Incident() -> impl IntoView {
    let speaks = use_language();
    let focus = expect_context::<Focus>();
    let line = focus.line;
    // Painted anew when the case has changed or its words have come.
    let known = memo(move || line.get().map(|line| (line.id, line.version, line.number)));
    let content = move || match known.get().and(line.get_untracked()) {
        Some(line) => view! { <Case line/> }.into_any(),
        None => {
            view! { <p class="calm"><Sign mark=Mark::Done/>{says!(speaks, wall.no_focus)}</p> }.into_any()
        }
    };
    let course = move || {
        let line = known.get().and(line.get_untracked())?;
        Some(view! { <Way id=line.id stage=line.stage/><Responses id=line.id/> })
    };
    view! {
        <Panel class="focus" label=Signal::derive(says!(speaks, wall.focus))>
            {anew(content)}
            {shown(move || known.get().is_some(), move || view! { <LinkedCameras/> })}
            {anew(course)}
        </Panel>
    }
}

#[component]
fn Case(line: CaseLine) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let case = StoredValue::new(line.clone());
    let title = move || {
        let class = names.with(|names| case.with_value(|case| names.class(speaks.get(), &case.class)));
        let condition = names.with(|names| {
            case.with_value(|case| {
                case.condition.as_deref().map(|text| names.condition(speaks.get(), &case.class, text))
            })
        });
        [Some(class), condition].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let place = move || {
        let area =
            names.with(|names| case.with_value(|case| names.area_brief(speaks.get(), &case.area_path)));
        format!("{area} {}", case.with_value(|case| case.address.clone()))
    };
    let focus = expect_context::<Focus>();
    let why = move || match focus.is_pinned() {
        true => say!(speaks.get(), wall.pinned),
        false => say!(speaks.get(), wall.automatic),
    };
    let turn = move || match focus.is_pinned() {
        true => say!(speaks.get(), wall.unpin),
        false => say!(speaks.get(), wall.pin),
    };
    let number =
        move || say!(speaks.get(), wall.case_number, number = case.with_value(|case| case.number.clone()));
    view! {
        <h2><Sign mark=Mark::of_priority(line.priority)/>
            <a href=world::case(line.id)>{anew(title)}</a><button type="button" class="fx" aria-pressed=move || focus.is_pinned().to_string() title=turn on:click=move |_| focus.turn()>{anew(why)}</button></h2>
        <p class="sub"><span class="said">{anew(place)}</span><a class="dim" href=world::case(line.id)>{number}</a></p>
        <Clock line=line.clone()/>
    }
}

/// The running clock with the share of the limit it has used; the tick stands where the lamp turns yellow.
#[component]
fn Clock(line: CaseLine) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let (stage, number) = (line.stage, StoredValue::new(line.number.clone()));
    let title = move || match stage {
        Stage::Dispatch => say!(speaks.get(), wall.dispatch_clock),
        Stage::Dispose => say!(speaks.get(), wall.disposal_clock),
        Stage::Accept | Stage::File | Stage::Feedback | Stage::Check | Stage::Close => {
            format!("{} {}", text::stage_name(speaks.get(), stage), say!(speaks.get(), wall.stood_in))
        }
    };
    let (started, due, limit) = (line.started.unwrap_or(line.stage_since), line.due, line.limit);
    let provisional = line.provisional;
    let moving = move || provisional.then(|| say!(speaks.get(), desk.provisional_due));
    let clock = memo(move || {
        let now = hall.now();
        names.with(|names| {
            let policy = &names.policy;
            due.map(|due| text::countdown(due, limit, now, &policy.calendar, policy.utc_offset_minutes))
        })
    });
    let used = move || {
        let now = hall.now();
        names.with(|names| {
            let policy = &names.policy;
            due.map(|due| policy.calendar.used_share(started, due, limit, now, policy.utc_offset_minutes))
        })
    };
    let drawn = move || {
        let language = speaks.get();
        clock.get().map(|clock| {
            let days =
                clock.days.map(|days| view! { {days}<small>{text::unit_name(language, clock.unit)}</small> });
            let unit = clock
                .days
                .is_none()
                .then(|| view! { <small class="u">{text::unit_name(language, clock.unit)}</small> });
            view! { <small>{text::phase_note(language, clock.late)}</small>{days}{clock.digits}{unit} }
        })
    };
    let limit_words =
        move || limit.map(|limit| say!(speaks.get(), wall.limit, limit = limit.words(speaks.get())));
    let until = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        let date =
            due.map(|due| due.local(offset).date).filter(|date| *date != hall.now().local(offset).date);
        let time = due.map(|due| text::hour_minute(due, offset))?;
        let time =
            date.map_or(time.clone(), |date| format!("{} {time}", text::short_date(speaks.get(), date)));
        Some(say!(speaks.get(), wall.due_at, time = time))
    };
    let still = move || {
        let (unit, now) = (clock.get()?.unit, hall.now());
        names.with(|names| {
            let policy = &names.policy;
            text::why_still(speaks.get(), unit, now, &policy.calendar, policy.utc_offset_minutes)
        })
    };
    let yellow = move || format!("{}%", names.with(|names| names.policy.lamp_yellow_percent));
    let width = move || format!("{}%", text::fixed(used().unwrap_or(0.0) * 100.0, 1));
    let late = move || clock.get().is_some_and(|clock| clock.late);
    let id = line.id;
    let evidence = move || {
        let language = speaks.get();
        let stood =
            || Evidence { title: title(), formula: say!(language, desk.no_clock), ..Evidence::default() };
        let evidence =
            names.with(|names| Some(Evidence::clock(language, names, started, due?, limit, hall.present())));
        let evidence = evidence.map(|evidence| evidence.provisional(language, provisional));
        let lamp = Evidence::of(language, names, definition::LAMP);
        let rows = vec![(say!(language, wall.case_number, number = number.get_value()), world::case(id))];
        Evidence { rows, ..evidence.unwrap_or_else(stood).part(lamp.title, lamp.in_force) }
    };
    view! {
        <div class:late=late>
            <Opens class="ck" evidence>
                <span class="t">{anew(title)}</span>
                <b>{anew(drawn)}</b>
                <span class="tr" aria-hidden="true"><i style:width=width></i><s style:left=yellow></s></span>
                <span class="y"><span>{limit_words}</span><span>{anew(until)}{move || moving().map(|moving| format!(" {moving}"))}</span><span>{anew(still)}</span></span>
            </Opens>
        </div>
    }
}

/// The seven stages with the time each was passed.
#[component]
fn Way(id: CaseId, stage: Stage) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let file = expect_context::<Focus>().file;
    let times = memo(move || {
        file.with(|file| file.as_ref().filter(|file| file.case.id == id).map(|file| file.case.passed()))
            .unwrap_or_default()
    });
    let item = move |of: Stage| {
        let time = move || {
            let offset = names.with(|names| names.policy.utc_offset_minutes);
            match times.get()[of as usize].ended {
                Some(at) => text::hour_minute(at, offset),
                None if of == stage => say!(speaks.get(), wall.running),
                None => "\u{a0}".to_owned(),
            }
        };
        view! {
            <li class:cur={of == stage} class:to={of > stage}>{anew(move || text::stage_name(speaks.get(), of))}<time>{anew(time)}</time></li>
        }
    };
    view! { <ol class="seven w">{Stage::ALL.into_iter().map(item).collect_rows()}</ol> }
}

/// The departments called for this case, with their response or their clock; below, who has the case in hand.
#[component]
fn Responses(id: CaseId) -> impl IntoView {
    let (speaks, board, names, hall) = (use_language(), use_board(), use_names(), use_hall());
    let called = memo(move || {
        board.with(Part::Whistles, |held| {
            let calls = held.whistles.iter().filter(|whistle| whistle.call.case == Some(id));
            let called = calls
                .flat_map(|whistle| whistle.called.iter().map(|called| (whistle.clone(), called.clone())));
            called.take(4).collect::<Vec<(Whistle, Called)>>()
        })
    });
    let row = move |(call, called): (Whistle, Called)| {
        let (due, call) = (call.due, StoredValue::new(call));
        let evidence = move || {
            names.with(|names| {
                call.with_value(|call| call_evidence(speaks.get(), names, call, hall.present()))
            })
        };
        let name = move || names.with(|names| names.department(speaks.get(), &called.department));
        let offset = move || names.with(|names| names.policy.utc_offset_minutes);
        let responded = called.responded;
        let mark = Signal::derive(move || match responded {
            Some(_) => Mark::Done,
            None if hall.now() >= due => Mark::Over,
            None => Mark::Inside,
        });
        let state = move || match responded {
            Some(at) => format!("{} {}", text::hour_minute(at, offset()), say!(speaks.get(), wall.arrived)),
            None => {
                let (late, digits) = text::in_minutes(due, hall.now());
                format!("{} {digits}", text::phase_note(speaks.get(), late))
            }
        };
        view! { <li><Sign mark/><span class="l said">{anew(name)}</span><em class:act1=move || mark.get() == Mark::Over><Figure class="inline" value=Signal::derive(state) evidence/></em></li> }
    };
    let owner = move || {
        let case = board.case(id)?;
        let department =
            case.department.map(|code| names.with(|names| names.department(speaks.get(), &code)));
        let who = case.claimed_by.map_or_else(|| say!(speaks.get(), wall.unclaimed), |name| name.to_string());
        let department = department.map(|unit| view! { <li><span class="dim">{say!(speaks.get(), wall.department)}</span><em class="said">{unit}</em></li> });
        Some(
            view! { <li><span class="dim">{say!(speaks.get(), wall.owner)}</span><em class="said">{who}</em></li>{department} },
        )
    };
    view! { <ul class="resp w">{anew(move || called.get().into_iter().map(row).collect_rows())}{owner}</ul> }
}
