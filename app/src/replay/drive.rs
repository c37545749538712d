//! `/replay/{id}`: the controls of a replay that is open, beside links to its wall and desk in windows of their own.
//!
//! What should not be here: what is sent when (`sending`), how time goes on between two words of the server (`hall`).

use domain::answer::worlds::ReplayAnswer;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::route::{self, Past, Route};
use domain::tally::Measure;
use domain::world::{PACE_REAL, SetClock, WorldId};
use leptos::html;
use leptos::prelude::*;
use serde::de::IgnoredAny;

use super::choose::interval_words;
use super::density::{self, Changes, Density};
use super::problem_words;
use super::sending::Orders;
use crate::api::{ApiError, Order};
use crate::board::{Board, Part};
use crate::hall::{Hall, use_hall};
use crate::language::use_language;
use crate::live::{Health, Link};
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect, memo, shown_or};
use crate::page::Switches;
use crate::screen::Screen;
use crate::session::{Session, use_session};
use crate::submit::Submit;
use crate::text;
use crate::words::{say, says};
use crate::world;

/// Paces one can choose, as times of that at which time passes.
const PACES: [u32; 6] = [1, 4, 10, 60, 200, 600];
/// One step of the arrow keys on the scrub line, milliseconds.
const STEP_MS: i64 = MINUTE_MS;
/// While the feed is lost, so often the world is asked whether it is still there, in seconds.
const LOOK_AGAIN_S: u32 = 5;
/// Minutes of the buttons beside it.
const LEAPS: [i64; 4] = [-10, -1, 1, 10];

/// What the parts of this page share.
#[derive(Clone, Copy)]
struct Driving {
    orders: Orders,
    hall: Hall,
    health: Health,
    /// Under the hand on the scrub line, until it is let go.
    held: RwSignal<Option<UtcMillis>>,
    /// The instant whose address stands to be shared.
    shared: RwSignal<Option<UtcMillis>>,
}

impl Driving {
    /// Tracked: what may be shown.
    fn span(self) -> Option<(UtcMillis, UtcMillis)> {
        self.orders.world.with(|world| world.as_ref().and_then(|world| world.from.zip(world.to)))
    }

    /// Tracked: the instant shown; none before it is known.
    fn now(self) -> Option<UtcMillis> {
        let now = self.hall.now();
        (self.health.link.get() != Link::Connecting).then_some(now)
    }

    /// Tracked: thousandths of the pace at which time passes.
    fn pace(self) -> u32 {
        self.hall.pace_milli()
    }

    /// Goes to an instant of the span.
    fn go(self, at: UtcMillis) {
        if let Some((from, to)) = untrack(|| self.span()) {
            self.orders.wish(SetClock { at: Some(at.clamp(from, to)), pace_milli: None });
        }
    }

    fn set_pace(self, pace_milli: u32) {
        self.orders.wish(SetClock { pace_milli: Some(pace_milli), at: None });
    }

    /// Stands still at the second that is shown, whose address can be shared.
    fn freeze(self) {
        let at = UtcMillis(self.hall.present().0 / 1_000 * 1_000);
        self.orders.wish(SetClock { pace_milli: Some(0), at: Some(at) });
        self.shared.set(Some(at));
    }
}

#[component]
pub fn Drive(replay: WorldId, past: Past) -> impl IntoView {
    let hall = use_hall();
    let Screen { board, health, .. } = Screen::open();
    let orders = Orders::new();
    let driving = Driving { orders, hall, health, held: RwSignal::new(None), shared: RwSignal::new(None) };
    orders.look();
    // Whoever comes back after the server was away learns what has become of the world.
    Effect::new(move |before: Option<Link>| {
        let link = health.link.get();
        if before.is_some_and(|before| before != link) {
            orders.look();
        }
        link
    });
    let speaks = use_language();
    let is_gone = memo(move || orders.problem.with(|problem| problem.as_ref().is_some_and(is_gone)));
    // A server that comes back has lost the world: only it can say so, and no feed will.
    Effect::new(move |away_s: Option<u32>| {
        hall.now();
        let away = matches!(health.link.get(), Link::Lost { .. }) && !is_gone.get();
        let away_s = away_s.filter(|_| away).map_or(0, |away_s| away_s + 1);
        if away_s > 0 && away_s.is_multiple_of(LOOK_AGAIN_S) {
            orders.look();
        }
        away_s
    });
    let again = Route::Replay { world: None, past }.to_string();
    let gone = move || {
        view! {
            <p class="problem" role="alert">{says!(speaks, replay.gone)}</p>
            <p class="ways"><a class="button strong" href=again.clone()>{says!(speaks, replay.again)}</a></p>
        }
    };
    let known = density::ask(replay.to_string());
    let replay = StoredValue::new(replay);
    let said = move || orders.problem.get().map(|error| problem_words(speaks.get(), &error));
    view! {
        <world::Band/>
        <main class="replay-drive">
            <h1>{says!(speaks, replay.title)}</h1>
            {shown_or(move || !is_gone.get(), move || view! {
                <Clock driving/>
                <Scrub driving known/>
                <Paces driving/>
                <p class="problem" role="alert">{anew(said)}</p>
                <Numbers board/>
                <Windows replay=replay.get_value()/>
                <Share driving/>
                <End replay=replay.get_value() driving/>
        }, gone)}
            <p class="ways"><Switches speaks/></p>
        </main>
    }
}

fn is_gone(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused { status: 404 | 410, .. })
}

/// The instant shown, and whether time passes.
#[component]
fn Clock(driving: Driving) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let offset = move || names.with(|names| names.policy.utc_offset_minutes);
    let clock = move || driving.now().map_or_else(|| "–".to_owned(), |now| text::clock(now, offset()));
    let date = memo(move || driving.now().map(|now| now.local(offset()).date));
    let date = move || date.get().map(|date| text::date_words(speaks.get(), date));
    let state = move || {
        let ended = driving.now().zip(driving.span()).is_some_and(|(now, (_, to))| now >= to);
        match driving.pace() {
            0 if ended => say!(speaks.get(), replay.ended),
            0 => say!(speaks.get(), replay.paused),
            pace => say!(speaks.get(), replay.pace, times = times(pace)),
        }
    };
    let span = move || driving.span().map(|(from, to)| interval_words(speaks.get(), from, to, offset()));
    view! {
        <p class="dim span">{anew(span)}</p>
        <p class="instant"><span class="dim">{says!(speaks, replay.as_of)}</span><span>{anew(date)}</span><time data-instant=move || driving.now().map(|now| now.0)>{anew(clock)}</time><span data-pace=move || driving.pace()>{anew(state)}</span></p>
    }
}

/// `60`, `1.5`
fn times(pace_milli: u32) -> String {
    match pace_milli % PACE_REAL {
        0 => (pace_milli / PACE_REAL).to_string(),
        _ => text::fixed(f64::from(pace_milli) / f64::from(PACE_REAL), 1),
    }
}

/// The line from the interval's beginning to its end. It follows the time shown, except under the hand.
#[component]
fn Scrub(driving: Driving, known: RwSignal<Option<ReplayAnswer>>) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let offset = move || names.with(|names| names.policy.utc_offset_minutes);
    let shown = move || driving.held.get().or_else(|| driving.now());
    // Not before the bounds are known: a browser clamps what it is given to those it has.
    let value = move || driving.span().and_then(|_| shown()).map_or(0, |at| at.0).to_string();
    let words = move || shown().map_or_else(String::new, |at| text::clock(at, offset()));
    let bound = move |first: bool| {
        driving.span().map_or(0, |(from, to)| if first { from.0 } else { to.0 }).to_string()
    };
    let hold = move |event: leptos::ev::Event| driving.held.set(typed(&event));
    let let_go = move |event: leptos::ev::Event| {
        driving.held.set(None);
        if let Some(at) = typed(&event) {
            driving.go(at);
        }
    };
    let leap = move |minutes: i64| {
        let words = move || match minutes < 0 {
            true => say!(speaks.get(), replay.back, minutes = -minutes),
            false => say!(speaks.get(), replay.on, minutes = minutes),
        };
        let go = move |_| driving.go(driving.hall.present().plus(minutes * MINUTE_MS));
        view! { <button type="button" class="button" on:click=go>{anew(words)}</button> }
    };
    let end = move |first: bool| {
        move || driving.span().map(|(from, to)| text::hour_minute(if first { from } else { to }, offset()))
    };
    view! {
        <div class="scrub">
            <Density known/>
            <input type="range" prop:min=move || bound(true) prop:max=move || bound(false) prop:step="1000" prop:value=value
                aria-label=says!(speaks, replay.scrub) aria-valuetext=words on:input=hold on:change=let_go on:keydown=move |event| step(driving, &event)/>
            <span class="dim">{end(true)}</span><span>{anew(move || driving.held.get().map(|_| words()))}</span><span class="dim">{end(false)}</span>
        </div>
        <Changes known/>
        <p class="ways">{LEAPS.map(leap).into_iter().collect_rows()}</p>
    }
}

fn typed(event: &leptos::ev::Event) -> Option<UtcMillis> {
    event_target_value(event).parse().ok().map(UtcMillis)
}

/// Arrow keys go by minutes, page keys by ten: the line itself would go by seconds.
fn step(driving: Driving, event: &leptos::ev::KeyboardEvent) {
    let steps = match event.key().as_str() {
        "ArrowLeft" | "ArrowDown" => -1,
        "ArrowRight" | "ArrowUp" => 1,
        "PageDown" => -10,
        "PageUp" => 10,
        _ => return,
    };
    event.prevent_default();
    driving.go(driving.hall.present().plus(steps * STEP_MS));
}

#[component]
fn Paces(driving: Driving) -> impl IntoView {
    let speaks = use_language();
    let stands = memo(move || driving.pace() == 0);
    // The pace it went at before it was paused.
    let before = StoredValue::new(PACE_REAL);
    effect(move || {
        let pace = driving.pace();
        if pace != 0 {
            before.set_value(pace);
        }
    });
    let turn = move |_| driving.set_pace(if stands.get_untracked() { before.get_value() } else { 0 });
    let turn_words = move || match stands.get() {
        true => say!(speaks.get(), replay.run),
        false => say!(speaks.get(), replay.pause),
    };
    let pace = move |times: u32| {
        let on = memo(move || driving.pace() == times * PACE_REAL);
        view! {
            <button type="button" class="button" aria-pressed=move || on.get().to_string() data-times=times on:click=move |_| driving.set_pace(times * PACE_REAL)>"×"{times}</button>
        }
    };
    view! {
        <div class="ways" role="group" aria-label=says!(speaks, replay.paces)>
            <button type="button" class="button strong" id="replay-turn" on:click=turn>{anew(turn_words)}</button>
            {PACES.map(pace).into_iter().collect_rows()}
        </div>
    }
}

/// A few numbers as they were, so that the page itself shows where one is.
#[component]
fn Numbers(board: Board) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let day = memo(move || hall.now().local(names.with(|names| names.policy.utc_offset_minutes)).date);
    let number = move |name: Signal<String>, key: &'static str, count: Signal<i64>| {
        let digits = move || match board.knows(Part::Tally) {
            true => text::grouped(count.get()),
            false => "–".to_owned(),
        };
        view! { <div><dt>{name}</dt><dd data-count=key>{anew(digits)}</dd></div> }
    };
    let of_day = move |measure: Measure| Signal::derive(move || board.day(measure, day.get()));
    view! {
        <dl class="numbers" aria-label=says!(speaks, replay.then)>
            {number(Signal::derive(says!(speaks, wall.open)), "open", Signal::derive(move || board.now(Measure::Open)))}
            {number(Signal::derive(says!(speaks, wall.filed_today)), "filed", of_day(Measure::Filed))}
            {number(Signal::derive(says!(speaks, wall.closed_today)), "closed", of_day(Measure::Closed))}
        </dl>
    }
}

/// Each in a window of its own, found again by its name when the link is pressed again.
#[component]
fn Windows(replay: WorldId) -> impl IntoView {
    let speaks = use_language();
    let base = replay.base();
    let (wall, desk) = (route::wall(&base, route::MAIN_WALL, ""), route::desk(&base, None, ""));
    view! {
        <nav class="ways" aria-label=says!(speaks, replay.windows)>
            <a class="button" href=wall target=format!("{replay}-wall")>{says!(speaks, replay.wall)}</a>
            <a class="button" href=desk target=format!("{replay}-desk")>{says!(speaks, replay.desk)}</a>
        </nav>
    }
}

/// The address of one instant: frozen for a meeting, and the same after a restart of the server.
#[component]
fn Share(driving: Driving) -> impl IntoView {
    let speaks = use_language();
    let field = NodeRef::<html::Input>::new();
    let copied = RwSignal::new(false);
    let address = move || {
        let (at, (from, to)) = (driving.shared.get()?, driving.span()?);
        let past = Past { from: Some(from), to: Some(to), at: Some(at) };
        let origin = window().location().origin().unwrap_or_default();
        Some(origin + &Route::Replay { world: None, past }.to_string())
    };
    let freeze = move |_| {
        copied.set(false);
        driving.freeze();
    };
    let copy = move |_| {
        if let Some(field) = field.get_untracked() {
            field.select();
            copied.set(copy_selected());
        }
    };
    let copy_words = move || match copied.get() {
        true => say!(speaks.get(), replay.copied),
        false => say!(speaks.get(), replay.copy),
    };
    let shown = move || {
        driving.shared.get().map(|_| {
            view! {
                <label>{says!(speaks, replay.share)}<input type="text" readonly id="replay-address" node_ref=field prop:value=move || address().unwrap_or_default()/></label>
                <button type="button" class="button" on:click=copy>{anew(copy_words)}</button>
                <p class="dim">{says!(speaks, replay.share_why)}</p>
            }
        })
    };
    view! {
        <section class="share">
            <button type="button" class="button" id="replay-freeze" on:click=freeze>{says!(speaks, replay.freeze)}</button>
            {anew(shown)}
        </section>
    }
}

/// Whether the browser took the selected text. The clipboard's newer interface is missing on pages over plain HTTP.
fn copy_selected() -> bool {
    use wasm_bindgen::{JsCast, JsValue};
    let document = JsValue::from(document());
    let call = js_sys::Reflect::get(&document, &"execCommand".into())
        .ok()
        .and_then(|it| it.dyn_into::<js_sys::Function>().ok());
    call.and_then(|call| call.call1(&document, &"copy".into()).ok()).is_some_and(|done| done.is_truthy())
}

/// Ends the replay for everybody who watches it, and goes back to choosing.
#[component]
fn End(replay: WorldId, driving: Driving) -> impl IntoView {
    let (speaks, signed, sent) = (use_language(), use_session(), Submit::new());
    let can = move || matches!(signed.get(), Session::SignedIn(_)) && !sent.is_busy();
    let end = move |_| {
        let order = Order::delete(format!("/api/v1/replays/{replay}"));
        sent.send(order, move |answer: Result<IgnoredAny, _>| match answer {
            Ok(_) => {
                let choose = Route::Replay { world: None, past: Past::default() }.to_string();
                let _ = window().location().assign(&choose);
            }
            Err(error) => driving.orders.problem.set(Some(error)),
        });
    };
    view! { <p class="ways"><button type="button" class="button quiet" id="replay-end" disabled=move || !can() on:click=end>{says!(speaks, replay.end_this)}</button></p> }
}
