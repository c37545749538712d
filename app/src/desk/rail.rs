//! The rail of queues: own cases, the seven stages with their lamps, whistle calls, and when dispatches fall due.

use domain::case::{Power, Stage, Step};
use domain::feed::Held;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::tally::Measure;
use domain::wire::OpenCase;
use leptos::prelude::*;

use super::filters::{Filters, Queue};
use super::{Desk, use_desk};
use crate::board::{Part, use_board};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::text;
use crate::words::{Language, say, says};
use crate::work::clock::{Lamp, lamp};

/// Half hours ahead in the small chart.
const BARS: usize = 8;
const BAR_MS: i64 = 30 * MINUTE_MS;

#[component]
pub fn Rail() -> impl IntoView {
    let speaks = use_language();
    let queue = |(index, queue): (usize, Queue)| view! { <QueueLine queue digit=(index + 1) % 10/> };
    view! {
        <nav class="rail" aria-label=says!(speaks, desk.queues)>
            <ol>{Queue::ALL.into_iter().enumerate().map(queue).collect_rows()}</ol>
            <DueChart/>
            <OnStreets/>
        </nav>
    }
}

pub fn queue_name(language: Language, queue: Queue) -> String {
    match queue {
        Queue::Mine => say!(language, desk.mine),
        Queue::At(stage) => say!(language, desk.waiting, stage = text::stage_name(language, stage)),
        Queue::Open => say!(language, desk.all_open),
        Queue::Whistles => say!(language, desk.whistles),
        Queue::Found => say!(language, desk.found),
    }
}

/// The power a stage's step belongs to, where it is not the user's.
fn other_power(desk: Desk, language: Language, queue: Queue) -> Option<String> {
    let Queue::At(stage) = queue else { return None };
    let step = Step::out_of(stage)?;
    (!desk.roles().is_empty() && !desk.holds(step)).then(|| power(language, step.power))
}

/// Whose steps a power is.
pub fn power(language: Language, power: Power) -> String {
    match power {
        Power::Supervision => say!(language, desk.other_power),
        Power::Dispatch => say!(language, desk.other_power_disposal),
        Power::Department => say!(language, desk.role_department),
    }
}

#[component]
fn QueueLine(queue: Queue, digit: usize) -> impl IntoView {
    let (speaks, desk, board) = (use_language(), use_desk(), use_board());
    let on = move || desk.filters.with(|filters| filters.queue(&desk.me()) == queue);
    let hall = use_hall();
    let part = match queue {
        Queue::Mine => Part::Cases,
        Queue::At(_) | Queue::Open | Queue::Found | Queue::Whistles => Part::Tally,
    };
    let count = move || match queue {
        // From the same cases as its lamps, so that these add up to it; from the tally while not all are here.
        Queue::At(stage @ (Stage::Dispatch | Stage::Dispose)) => {
            let at = |held: &Held| held.open.iter().filter(|case| case.stage == stage).count() as i64;
            match board.knows(Part::Cases) {
                true => board.with(Part::Cases, at),
                false => board.now(Measure::At(stage)),
            }
        }
        Queue::At(stage) => board.now(Measure::At(stage)),
        Queue::Open | Queue::Found => board.now(Measure::Open),
        Queue::Whistles => board.now(Measure::WhistleOpen),
        Queue::Mine => {
            let me = desk.me();
            let own = |case: &&OpenCase| case.claimed_by.as_deref() == Some(me.as_str());
            board.with(Part::Cases, |held| held.open.iter().filter(own).count() as i64)
        }
    };
    let href = move || Desk::address_of(&Filters::of(queue, &desk.me()), None);
    let clocked = match queue {
        Queue::Mine | Queue::At(Stage::Dispatch | Stage::Dispose) => Some(view! { <Lamps queue/> }),
        Queue::At(Stage::Accept | Stage::File | Stage::Feedback | Stage::Check | Stage::Close)
        | Queue::Open
        | Queue::Found
        | Queue::Whistles => None,
    };
    let late = move || match queue {
        Queue::Whistles => Some(super::whistle::missing(board, hall.now())).filter(|late| *late > 0),
        Queue::Mine | Queue::At(_) | Queue::Open | Queue::Found => None,
    };
    let late = move || {
        late().map(|late| view! { <span class="lamp over"><Sign mark=Mark::Over/>{say!(speaks.get(), desk.whistles_late, count = late)}</span> })
    };
    let bare = clocked.is_none();
    view! {
        <li><a class="queue" class:on=on class:bare=bare href=href aria-current=move || on().then_some("true")>
            <kbd>{digit}</kbd>
            <span class="nm">{anew(move || queue_name(speaks.get(), queue))}</span>
            <span class="ro">{anew(move || other_power(desk, speaks.get(), queue))}{late}</span>
            <b>{anew(move || board.said(part, count()))}</b>
            {clocked}
        </a></li>
    }
}

/// The queue's count by lamp. Zeros are grey, so that a calm queue stays quiet.
#[component]
fn Lamps(queue: Queue) -> impl IntoView {
    let (desk, board, names, hall) = (use_desk(), use_board(), use_names(), use_hall());
    let counts = memo(move || {
        let (me, now) = (desk.me(), half_minute(hall.now()));
        let mine = |case: &OpenCase| match queue {
            Queue::Mine => case.claimed_by.as_deref() == Some(me.as_str()),
            Queue::At(stage) => case.stage == stage,
            Queue::Open | Queue::Whistles | Queue::Found => false,
        };
        names.with(|names| {
            board.with(Part::Cases, |held| {
                let mut counts = [0i64; 4];
                for case in held.open.iter().filter(|case| mine(case)) {
                    match lamp(case, now, &names.policy) {
                        Lamp::Over => counts[0] += 1,
                        Lamp::Soon => counts[1] += 1,
                        Lamp::OnTime => counts[2] += 1,
                        Lamp::NoClock => counts[3] += 1,
                    }
                }
                counts
            })
        })
    });
    let one = move |index: usize, lamp: Lamp| {
        let zero = move || counts.get()[index] == 0;
        let class = format!("lamp {}", lamp.class());
        view! { <span class=class class:zero=zero><Sign mark=lamp.mark()/>{anew(move || text::grouped(counts.get()[index]))}</span> }
    };
    // Lamps of some of the cases would not add up to the queue.
    let whole = move || board.knows(Part::Cases);
    let lamps = move || {
        view! { {one(0, Lamp::Over)}{one(1, Lamp::Soon)}{one(2, Lamp::OnTime)}{anew(move || (counts.get()[3] > 0).then(|| one(3, Lamp::NoClock)))} }
    };
    view! { <span class="br">{anew(move || whole().then(lamps))}</span> }
}

/// Lamps of whole queues need no finer time.
fn half_minute(now: UtcMillis) -> UtcMillis {
    UtcMillis(now.0.div_euclid(MINUTE_MS / 2) * (MINUTE_MS / 2))
}

/// How many dispatches fall due in each half hour; breaks of work clocks are hatched.
#[component]
fn DueChart() -> impl IntoView {
    let (speaks, board, names, hall) = (use_language(), use_board(), use_names(), use_hall());
    let start = memo(move || hall.now().0.div_euclid(BAR_MS) * BAR_MS);
    let bars = memo(move || {
        let from = start.get();
        board.with(Part::Cases, |held| {
            let waiting = held.open.iter().filter(|case| case.stage == Stage::Dispatch);
            let mut bars = [0usize; BARS];
            for due in waiting.filter_map(|case| case.due) {
                let index = (due.0 - from).div_euclid(BAR_MS);
                if let Some(bar) = usize::try_from(index).ok().and_then(|index| bars.get_mut(index)) {
                    *bar += 1;
                }
            }
            bars
        })
    });
    let drawn = move || {
        let (bars, from) = (bars.get(), start.get());
        let top = bars.iter().copied().max().unwrap_or(0).max(1);
        let bar = |(index, count): (usize, usize)| {
            let height = format!("{}%", count * 100 / top);
            let time = UtcMillis(from + index as i64 * BAR_MS);
            // Only clocks that count working time stand still in a break.
            let still = names.with(|names| {
                let policy = &names.policy;
                !policy.dispatch_limit.kind().runs_on()
                    && !policy.calendar.is_running(time, policy.utc_offset_minutes)
            });
            let label = (index % 4 == 0)
                .then(|| text::hour_minute(time, names.with(|names| names.policy.utc_offset_minutes)));
            view! { <li class:still=still><b>{(count > 0).then_some(count)}</b><i style:height=height></i><small>{label}</small></li> }
        };
        bars.into_iter().enumerate().map(bar).collect_rows()
    };
    view! {
        <section class="due-chart">
            <h2>{says!(speaks, desk.due_chart)}<span>{says!(speaks, desk.due_unit)}</span></h2>
            <ol>{anew(drawn)}</ol>
        </section>
    }
}

/// Who is on the streets, and whose position is out of date.
#[component]
fn OnStreets() -> impl IntoView {
    let speaks = use_language();
    let on_duty = crate::people::use_people().on_duty();
    let fresh = move || text::grouped(on_duty.get().fresh as i64);
    let late = move || text::grouped(on_duty.get().late as i64);
    view! {
        <section class="streets">
            <h2>{says!(speaks, people.people)}</h2>
            <p><span>{says!(speaks, people.on_duty)}</span><b>{anew(fresh)}</b></p>
            <p class:stale=move || { on_duty.get().late > 0 }><span>{says!(speaks, people.position_stale)}</span><b>{anew(late)}</b></p>
        </section>
    }
}
