//! `/drill` of a drill's world: its director's page (导演台). The clock, what is to happen and what became of it, what happens by
//! hand, and the end.
//!
//! It hears of its drill as every screen does, over the drill's own feed; what only its director is told is asked for anew when
//! something has happened there.

use domain::code::CaseId;
use domain::drill::answer::{DrillAnswer, DrillsAnswer, Entered, InjectBecame, InjectLine, StopDrill};
use domain::drill::{DrillStage, Happening};
use domain::feed::Follower;
use domain::moment::SECOND_MS;
use domain::route;
use domain::tally::Measure;
use domain::world::SetClock;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::happens::{Happens, Written};
use super::{error_words, stage_words};
use crate::api::ApiError;
use crate::ask::Asker;
use crate::board::{Part, use_board};
use crate::breaking::Breaking;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::Health;
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect, memo};
use crate::page::Switches;
use crate::screen::Screen;
use crate::submit::Submit;
use crate::text;
use crate::words::{Language, say, says};
use crate::world;

/// What the page knows of its drill, and what it has been asked.
#[derive(Clone, Copy)]
struct One {
    /// None before the first answer.
    told: RwSignal<Option<DrillAnswer>>,
    asks: Asker,
    /// Why the last question brought nothing.
    lost: RwSignal<Option<ApiError>>,
    /// What the director wants done, one after another.
    sent: Submit,
    /// What the last act has entered: a case's number, none of a call.
    entered: RwSignal<Option<Option<String>>>,
}

impl One {
    fn new() -> Self {
        Self {
            told: RwSignal::new(None),
            asks: Asker::new(),
            lost: RwSignal::new(None),
            sent: Submit::new(),
            entered: RwSignal::new(None),
        }
    }

    /// Asks how the drill stands.
    fn ask(self) {
        self.asks.ask("/api/v1/drills".to_owned(), move |answer: Result<DrillsAnswer, _>| match answer {
            Ok(answer) => {
                self.lost.set(None);
                self.told.set(answer.items.into_iter().find(|drill| drill.base == world::base()));
            }
            Err(error) => self.lost.set(Some(error)),
        });
    }

    /// Carries something out, and asks how the drill stands then.
    fn act<T: DeserializeOwned + 'static>(
        self,
        path: &str,
        body: &impl Serialize,
        done: impl FnOnce(T) + 'static,
    ) {
        if untrack(|| self.sent.is_busy()) {
            return;
        }
        self.entered.set(None);
        self.sent.post(path, body, move |answer| {
            if let Ok(answer) = answer {
                done(answer);
            }
            self.ask();
        });
    }

    /// Tracked: real cases of the first level that nobody has answered kept the drill from ending. It ends at a second word.
    fn is_held_up(self) -> bool {
        let held = |error: ApiError| matches!(error, ApiError::Refused { code, .. } if code == "real_case_unanswered");
        self.sent.problem().is_some_and(held)
    }

    fn stage(self) -> Option<DrillStage> {
        self.told.with(|told| told.as_ref().map(|told| told.stage))
    }

    fn leads(self) -> bool {
        self.told.with(|told| told.as_ref().is_some_and(|told| told.leads))
    }

    /// The address of one of its doors.
    fn door(self, name: &str) -> String {
        let id = self.told.with_untracked(|told| told.as_ref().map(|told| told.id.clone()));
        format!("/api/v1/drills/{}/{name}", id.unwrap_or_default())
    }
}

#[component]
pub fn Direct() -> impl IntoView {
    let (speaks, hall) = (use_language(), use_hall());
    let Screen { board, health, .. } = Screen::open();
    let one = One::new();
    provide_context(one);
    let pace = memo(move || {
        // Heard each second at least, at which the clock is written too.
        hall.now();
        board.follows(Follower::server_time).map(|(_, pace)| pace)
    });
    effect(move || {
        board.with(Part::Events, |_| ());
        pace.get();
        health.link.get();
        one.ask();
    });
    // What is typed there stays when the drill is told anew.
    let known = memo(move || {
        let known =
            |told: &DrillAnswer| (told.leads, told.stage == DrillStage::Stopped, told.director.clone());
        one.told.with(|told| told.as_ref().map(known))
    });
    let body = move || match known.get() {
        None => view! { <p class="dim" role="status">{says!(speaks, common.connecting)}</p> }.into_any(),
        Some((_, true, _)) => view! { <p role="status">{says!(speaks, drill.over)}</p> }.into_any(),
        Some((false, _, director)) => {
            view! { <p>{anew(move || say!(speaks.get(), drill.not_yours, name = &director))}</p> }.into_any()
        }
        Some((true, false, _)) => view! { <Clock/><Injects/><ByHand/><End/> }.into_any(),
    };
    // What a real case held up is held up no longer once somebody has answered that.
    let real = health.breaking;
    effect(move || {
        if one.is_held_up() && !real.with(|rows| rows.rows.iter().any(|row| row.answered.is_none())) {
            one.sent.forget();
        }
    });
    let problem = move || one.sent.problem().or_else(|| one.lost.get());
    let words = move || match (problem(), one.entered.get()) {
        (Some(error), _) => Some(error_words(speaks.get(), &error)),
        (None, Some(Some(number))) => Some(say!(speaks.get(), drill.entered_case, number = number)),
        (None, Some(None)) => Some(say!(speaks.get(), drill.entered_whistle)),
        (None, None) => None,
    };
    let is_problem = move || problem().is_some();
    let wall = route::wall(&world::base(), route::MAIN_WALL, "");
    view! {
        <world::Band/>
        <Breaking/>
        <world::Gone/>
        <main class="drill-page direct">
            <h1>{world::told("data-title")}</h1>
            <Numbers/>
            {anew(body)}
            <p class="outcome-words" class:problem=is_problem role="status">{anew(words)}</p>
            <p class="ways">
                <a class="button" href=wall target="gridhall-drill-wall">{anew(move || say!(speaks.get(), drill.wall))}</a>
                <a class="button" href=world::list("") target="gridhall-drill-desk">{anew(move || say!(speaks.get(), drill.desk))}</a>
                <a class="button quiet" href=route::drill("")>{anew(move || say!(speaks.get(), drill.all))}</a>
                <Switches speaks/>
            </p>
        </main>
    }
}

/// The drill's own numbers, as its wall has them; a dash until they are known.
#[component]
fn Numbers() -> impl IntoView {
    let (speaks, board) = (use_language(), use_board());
    let figure = move |label: fn(Language) -> String, measure: Measure| {
        let value = move || match board.knows(Part::Tally) {
            true => board.now(measure).to_string(),
            false => "–".to_owned(),
        };
        view! { <div><dt>{anew(move || label(speaks.get()))}</dt><dd>{anew(value)}</dd></div> }
    };
    view! {
        <dl class="numbers">
            {figure(crate::words::drill::open, Measure::Open)}
            {figure(crate::words::drill::calls, Measure::WhistleOpen)}
        </dl>
    }
}

const PACES: [u32; 4] = [1_000, 2_000, 4_000, 8_000];

/// Start, pause, going on, and how fast.
#[component]
fn Clock() -> impl IntoView {
    let (speaks, hall, called) = (use_language(), use_hall(), use_names());
    let one = expect_context::<One>();
    let set = move |pace_milli: u32| {
        let wish = SetClock { pace_milli: Some(pace_milli), at: None };
        one.act("/api/v1/world/clock", &wish, |_: IgnoredAny| {});
    };
    let now = move || {
        let offset = called.with(|names| names.policy.utc_offset_minutes);
        let now = hall.now();
        format!("{} {}", text::short_date(speaks.get(), now.local(offset).date), text::clock(now, offset))
    };
    let pace = move || one.told.with(|told| told.as_ref().map_or(0, |told| told.pace_milli));
    let runs = move || one.stage() == Some(DrillStage::Running);
    let main = move || match one.stage() {
        Some(DrillStage::Running) => say!(speaks.get(), drill.pause),
        Some(DrillStage::Paused) => say!(speaks.get(), drill.resume),
        Some(DrillStage::Prepared | DrillStage::Stopped) | None => say!(speaks.get(), drill.start),
    };
    let press = move |_| set(if untrack(runs) { 0 } else { 1_000 });
    let faster = move |milli: u32| {
        let on = move || pace() == milli;
        view! { <button type="button" class="button" class:on=on aria-pressed=move || on().to_string() disabled=move || one.sent.is_busy() || !runs() on:click=move |_| set(milli)>{format!("×{}", milli / 1_000)}</button> }
    };
    let back = move || {
        let back = one.told.with(|told| told.as_ref().is_some_and(|told| told.came_back));
        back.then(|| view! { <p class="problem" role="status">{say!(speaks.get(), drill.came_back)}</p> })
    };
    let stage = move || one.stage().map(|stage| stage_words(speaks.get(), stage));
    view! {
        <section class="clock" aria-label=move || say!(speaks.get(), drill.drill_clock)>
            <p><span class="dim">{anew(move || say!(speaks.get(), drill.drill_clock))}</span><b>{anew(now)}</b><em class="stage">{anew(stage)}</em></p>
            <p class="ways">
                <button type="button" class="button strong" disabled=move || one.sent.is_busy() on:click=press>{anew(main)}</button>
                <span role="group" aria-label=move || say!(speaks.get(), drill.pace)>{PACES.map(faster).collect_rows()}</span>
            </p>
            {anew(back)}
        </section>
    }
}

/// What is to happen, and what became of it.
#[component]
fn Injects() -> impl IntoView {
    let speaks = use_language();
    let one = expect_context::<One>();
    let lines = memo(move || {
        one.told.with(|told| told.as_ref().map(|told| told.injects.clone()).unwrap_or_default())
    });
    let line = move |line: InjectLine| {
        let (kind, became) = (line.is_whistle, line.became.clone());
        let waits = became == InjectBecame::Waiting;
        let minute = format!("{:.0}", f64::from(line.after_s) * SECOND_MS as f64 / 60_000.0);
        let state = move || match &became {
            InjectBecame::Waiting => say!(speaks.get(), drill.waiting),
            InjectBecame::Entered(Some(number)) => say!(speaks.get(), drill.entered_case, number = number),
            InjectBecame::Entered(None) => say!(speaks.get(), drill.entered_whistle),
            InjectBecame::Refused(code) => say!(speaks.get(), drill.refused_line, code = code),
        };
        let what = move || {
            if kind { say!(speaks.get(), drill.whistle) } else { say!(speaks.get(), drill.case) }
        };
        view! { <li class:waits=waits><span>{anew(move || say!(speaks.get(), drill.at_minute, minute = &minute))}</span><b>{anew(what)}" "{line.title}</b><em>{anew(state)}</em></li> }
    };
    let list = move || {
        let lines = lines.get();
        match lines.is_empty() {
            true => view! { <p class="dim">{say!(speaks.get(), drill.no_injects)}</p> }.into_any(),
            false => {
                view! { <ol class="happened">{lines.into_iter().map(line).collect_rows()}</ol> }.into_any()
            }
        }
    };
    view! { <section><h2>{anew(move || say!(speaks.get(), drill.injects))}</h2>{anew(list)}</section> }
}

#[derive(Serialize)]
struct Enter {
    what: Happening,
}

/// A case or a call that happens now, by the director's hand.
#[component]
fn ByHand() -> impl IntoView {
    let speaks = use_language();
    let one = expect_context::<One>();
    let written = Written::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(what) = written.happening() else { return };
        let entered = move |entered: Entered| one.entered.set(Some(entered.number));
        one.act(&one.door("enter"), &Enter { what }, entered);
    };
    view! {
        <form class="by-hand" on:submit=submit>
            <h2>{anew(move || say!(speaks.get(), drill.enter))}</h2>
            <Happens written timed=false/>
            <button type="submit" class="button strong" disabled=move || one.sent.is_busy()>{anew(move || say!(speaks.get(), drill.enter))}</button>
        </form>
    }
}

/// Ending takes two presses, and over a real case that nobody has answered a second word which names it.
#[component]
fn End() -> impl IntoView {
    let speaks = use_language();
    let one = expect_context::<One>();
    let sure = RwSignal::new(false);
    let real = expect_context::<Health>().breaking;
    let waiting = move || {
        let waits = |rows: &domain::drill::breaking::BreakingRows| {
            let rows = rows.rows.iter().filter(|row| row.answered.is_none());
            rows.map(|row| (row.case, row.number.clone())).collect::<Vec<_>>()
        };
        real.with(waits)
    };
    let end = move |leaving: Vec<CaseId>| {
        one.act(&one.door("stop"), &StopDrill { leaving }, |_: IgnoredAny| {
            // Its world is gone: the list says that it has ended.
            let _ = window().location().assign(&route::drill(""));
        });
    };
    let press = move |_| {
        if sure.get_untracked() {
            end(Vec::new());
        }
        sure.update(|sure| *sure = !*sure);
    };
    let words = move || match sure.get() {
        true => say!(speaks.get(), drill.stop_sure),
        false => say!(speaks.get(), drill.stop),
    };
    let second = move || {
        let waiting = waiting();
        (one.is_held_up() && !waiting.is_empty()).then(|| {
            let (cases, numbers): (Vec<CaseId>, Vec<String>) = waiting.into_iter().unzip();
            let leave = move |_| end(cases.clone());
            view! { <button type="button" class="button sure" disabled=move || one.sent.is_busy() on:click=leave>{say!(speaks.get(), drill.stop_leaving, numbers = numbers.join("、"))}</button> }
        })
    };
    view! {
        <section class="end" class:hidden=move || !one.leads()>
            <p class="ways"><button type="button" class="button" class:sure=sure disabled=move || one.sent.is_busy() on:click=press on:blur=move |_| sure.set(false)>{anew(words)}</button>{anew(second)}</p>
        </section>
    }
}
