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
use send_wrapper::SendWrapper;
use serde::Serialize;
use wasm_bindgen_futures::spawn_local;

use super::happens::{Happens, Written};
use super::{csrf, error_words, stage_words};
use crate::api::{self, ApiError};
use crate::board::{Board, Part, use_board};
use crate::breaking::Breaking;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::{Health, Link, Live};
use crate::names;
use crate::page::Switches;
use crate::session::{require, use_session};
use crate::text;
use crate::words::{Language, say, says};
use crate::world;

/// What the page knows of its drill, and what it has been asked.
#[derive(Clone, Copy)]
struct One {
    /// None before the first answer.
    told: RwSignal<Option<DrillAnswer>>,
    busy: RwSignal<bool>,
    said: RwSignal<Option<Said>>,
    /// Questions so far: the newest alone is answered.
    asked: StoredValue<u32>,
}

/// What came of the last act.
#[derive(Clone)]
enum Said {
    Entered(Option<String>),
    Failed(ApiError),
    /// Real cases of the first level that nobody has answered: the drill ends at a second word.
    Unanswered(ApiError),
}

impl One {
    fn new() -> Self {
        Self {
            told: RwSignal::new(None),
            busy: RwSignal::new(false),
            said: RwSignal::new(None),
            asked: StoredValue::new(0),
        }
    }

    /// Asks how the drill stands.
    fn ask(self) {
        let question = self.asked.get_value().wrapping_add(1);
        self.asked.set_value(question);
        spawn_local(async move {
            let answer = api::get_json::<DrillsAnswer>("/api/v1/drills").await;
            if self.asked.try_get_value() != Some(question) {
                return;
            }
            match answer {
                Ok(answer) => {
                    let own = answer.items.into_iter().find(|drill| drill.base == world::base());
                    drop(self.told.try_set(own));
                }
                Err(error) => drop(self.said.try_set(Some(Said::Failed(error)))),
            }
        });
    }

    /// Carries something out, one after another.
    fn act(self, act: impl Future<Output = Result<Option<Said>, ApiError>> + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.said.set(None);
        spawn_local(async move {
            let said = act.await.unwrap_or_else(|error| {
                let waits =
                    matches!(&error, ApiError::Refused { code, .. } if code == "real_case_unanswered");
                Some(if waits { Said::Unanswered(error) } else { Said::Failed(error) })
            });
            self.busy.try_set(false);
            self.said.try_set(said);
            self.ask();
        });
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
    let (signed, speaks, hall) = (use_session(), use_language(), use_hall());
    require(signed);
    let called = names::provide();
    let board = Board::new();
    called.follow(board);
    provide_context(board);
    let live = Live::open(board, hall, move || called.keep_up(board));
    let health = live.health();
    provide_context(health);
    let live = SendWrapper::new(live);
    on_cleanup(move || live.close());
    let one = One::new();
    provide_context(one);
    let pace = Memo::new(move |_| {
        // Heard each second at least, at which the clock is written too.
        hall.now();
        board.follows(Follower::server_time).map(|(_, pace)| pace)
    });
    Effect::new(move |_| {
        board.with(Part::Events, |_| ());
        pace.get();
        health.link.get();
        one.ask();
    });
    leave_when_signed_out(health);
    // What is typed there stays when the drill is told anew.
    let known = Memo::new(move |_| {
        let known =
            |told: &DrillAnswer| (told.leads, told.stage == DrillStage::Stopped, told.director.clone());
        one.told.with(|told| told.as_ref().map(known))
    });
    let body = move || match known.get() {
        None => view! { <p class="dim" role="status">{says!(speaks, common.connecting)}</p> }.into_any(),
        Some((_, true, _)) => view! { <p role="status">{says!(speaks, drill.over)}</p> }.into_any(),
        Some((false, _, director)) => {
            view! { <p>{move || say!(speaks.get(), drill.not_yours, name = &director)}</p> }.into_any()
        }
        Some((true, false, _)) => view! { <Clock/><Injects/><ByHand/><End/> }.into_any(),
    };
    let words = move || {
        one.said.get().map(|said| match said {
            Said::Entered(Some(number)) => say!(speaks.get(), drill.entered_case, number = number),
            Said::Entered(None) => say!(speaks.get(), drill.entered_whistle),
            Said::Failed(error) | Said::Unanswered(error) => error_words(speaks.get(), &error),
        })
    };
    let is_problem = move || matches!(one.said.get(), Some(Said::Failed(_) | Said::Unanswered(_)));
    let wall = route::wall(&world::base(), route::MAIN_WALL, "");
    view! {
        <world::Band/>
        <Breaking/>
        <world::Gone/>
        <main class="drill-page direct">
            <h1>{world::told("data-title")}</h1>
            <Numbers/>
            {body}
            <p class="outcome-words" class:problem=is_problem role="status">{words}</p>
            <p class="ways">
                <a class="button" href=wall target="gridhall-drill-wall">{move || say!(speaks.get(), drill.wall)}</a>
                <a class="button" href=world::list("") target="gridhall-drill-desk">{move || say!(speaks.get(), drill.desk)}</a>
                <a class="button quiet" href=route::drill("")>{move || say!(speaks.get(), drill.all)}</a>
                <Switches speaks/>
            </p>
        </main>
    }
}

fn leave_when_signed_out(health: Health) {
    Effect::new(move |_| {
        if health.link.get() == Link::SignedOut {
            crate::page::go_to_sign_in();
        }
    });
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
        view! { <div><dt>{move || label(speaks.get())}</dt><dd>{value}</dd></div> }
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
    let (speaks, hall, called, signed) = (use_language(), use_hall(), names::use_names(), use_session());
    let one = expect_context::<One>();
    let set = move |pace_milli: u32| {
        one.act(async move {
            let wish = SetClock { pace_milli: Some(pace_milli), at: None };
            api::post_only("/api/v1/world/clock", &wish, Some(&csrf(signed))).await.map(|()| None)
        });
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
        view! { <button type="button" class="button" class:on=on aria-pressed=move || on().to_string() disabled=move || one.busy.get() || !runs() on:click=move |_| set(milli)>{format!("×{}", milli / 1_000)}</button> }
    };
    let back = move || {
        let back = one.told.with(|told| told.as_ref().is_some_and(|told| told.came_back));
        back.then(|| view! { <p class="problem" role="status">{say!(speaks.get(), drill.came_back)}</p> })
    };
    let stage = move || one.stage().map(|stage| stage_words(speaks.get(), stage));
    view! {
        <section class="clock" aria-label=move || say!(speaks.get(), drill.drill_clock)>
            <p><span class="dim">{move || say!(speaks.get(), drill.drill_clock)}</span><b>{now}</b><em class="stage">{stage}</em></p>
            <p class="ways">
                <button type="button" class="button strong" disabled=one.busy on:click=press>{main}</button>
                <span role="group" aria-label=move || say!(speaks.get(), drill.pace)>{PACES.map(faster).collect_view()}</span>
            </p>
            {back}
        </section>
    }
}

/// What is to happen, and what became of it.
#[component]
fn Injects() -> impl IntoView {
    let speaks = use_language();
    let one = expect_context::<One>();
    let lines = Memo::new(move |_| {
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
        view! { <li class:waits=waits><span>{move || say!(speaks.get(), drill.at_minute, minute = &minute)}</span><b>{what}" "{line.title}</b><em>{state}</em></li> }
    };
    let list = move || {
        let lines = lines.get();
        match lines.is_empty() {
            true => view! { <p class="dim">{say!(speaks.get(), drill.no_injects)}</p> }.into_any(),
            false => {
                view! { <ol class="happened">{lines.into_iter().map(line).collect_view()}</ol> }.into_any()
            }
        }
    };
    view! { <section><h2>{move || say!(speaks.get(), drill.injects)}</h2>{list}</section> }
}

#[derive(Serialize)]
struct Enter {
    what: Happening,
}

/// A case or a call that happens now, by the director's hand.
#[component]
fn ByHand() -> impl IntoView {
    let (speaks, signed) = (use_language(), use_session());
    let one = expect_context::<One>();
    let written = Written::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(what) = written.happening() else { return };
        let door = one.door("enter");
        one.act(async move {
            let entered: Entered = api::post_json(&door, &Enter { what }, Some(&csrf(signed))).await?;
            Ok(Some(Said::Entered(entered.number)))
        });
    };
    view! {
        <form class="by-hand" on:submit=submit>
            <h2>{move || say!(speaks.get(), drill.enter)}</h2>
            <Happens written timed=false/>
            <button type="submit" class="button strong" disabled=one.busy>{move || say!(speaks.get(), drill.enter)}</button>
        </form>
    }
}

/// Ending takes two presses, and over a real case that nobody has answered a second word which names it.
#[component]
fn End() -> impl IntoView {
    let (speaks, signed) = (use_language(), use_session());
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
        let door = one.door("stop");
        one.act(async move {
            api::post_only(&door, &StopDrill { leaving }, Some(&csrf(signed))).await?;
            // Its world is gone: the list says that it has ended.
            let _ = window().location().assign(&route::drill(""));
            Ok(None)
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
        let refused = matches!(one.said.get(), Some(Said::Unanswered(_)));
        let waiting = waiting();
        (refused && !waiting.is_empty()).then(|| {
            let (cases, numbers): (Vec<CaseId>, Vec<String>) = waiting.into_iter().unzip();
            let leave = move |_| end(cases.clone());
            view! { <button type="button" class="button sure" disabled=one.busy on:click=leave>{say!(speaks.get(), drill.stop_leaving, numbers = numbers.join("、"))}</button> }
        })
    };
    view! {
        <section class="end" class:hidden=move || !one.leads()>
            <p class="ways"><button type="button" class="button" class:sure=sure disabled=one.busy on:click=press on:blur=move |_| sure.set(false)>{words}</button>{second}</p>
        </section>
    }
}
