//! Over the line of a replay: when much happened, and when another policy came into force (规则启用).
//!
//! What should be here: the drawing, and the words for whoever does not see it. What should not: counting (the server counts
//! by the log), the line itself (`drive`).

use domain::answer::worlds::ReplayAnswer;
use domain::moment::UtcMillis;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::language::use_language;
use crate::names::use_names;
use crate::once::{CollectRows, anew};
use crate::text;
use crate::words::say;

/// Height of the drawing in its own units; each slice is one wide.
const HEIGHT: f64 = 24.0;
/// Least of a slice in which anything happened.
const LEAST: f64 = 1.0;

/// What the hall knows of a replay's stretch; none before it has answered.
pub fn ask(id: String) -> RwSignal<Option<ReplayAnswer>> {
    let known = RwSignal::new(None);
    spawn_local(async move {
        // Without it the line has no drawing over it, and everything else of the page.
        if let Ok(open) = api::get_json::<Vec<ReplayAnswer>>("/api/v1/replays").await {
            known.try_set(open.into_iter().find(|replay| replay.id == id));
        }
    });
    known
}

/// One bar a slice, as high as its share of the busiest.
fn bars(density: &[u32]) -> String {
    let most = f64::from(density.iter().copied().max().unwrap_or(0).max(1));
    let bar = |(at, count): (usize, &u32)| {
        let height = (f64::from(*count) / most * HEIGHT).max(LEAST);
        (*count > 0).then(|| format!("M{at} {HEIGHT}v-{height:.1}h1v{height:.1}z"))
    };
    density.iter().enumerate().filter_map(bar).collect()
}

/// Where in the drawing an instant lies.
fn place(at: UtcMillis, replay: &ReplayAnswer) -> f64 {
    let (passed, whole) = (at.since(replay.from) as f64, replay.to.since(replay.from).max(1) as f64);
    passed / whole * replay.density.len() as f64
}

#[component]
pub fn Density(known: RwSignal<Option<ReplayAnswer>>) -> impl IntoView {
    let speaks = use_language();
    let drawn = move |replay: ReplayAnswer| {
        let total: u64 = replay.density.iter().copied().map(u64::from).sum();
        let slices = replay.density.len().max(1);
        let label = move || say!(speaks.get(), replay.events, count = text::grouped(total as i64));
        let marks = replay.policy_changes.iter().map(|change| place(change.at, &replay));
        let mark = |at: f64| view! { <line class="change" x1=at x2=at y1="0" y2=HEIGHT/> };
        view! {
            <svg class="density" viewBox=format!("0 0 {slices} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=label>
                <path d=bars(&replay.density)/>
                {marks.map(mark).collect_rows()}
            </svg>
        }
    };
    move || known.get().map(drawn)
}

/// When other policies came into force, in words; nothing where none did.
#[component]
pub fn Changes(known: RwSignal<Option<ReplayAnswer>>) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let words = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        let changes = known.with(|known| known.as_ref().map(|known| known.policy_changes.clone()));
        let changes = changes.unwrap_or_default();
        let told =
            changes.iter().map(|change| text::moment(speaks.get(), change.at, UtcMillis::EARLIEST, offset));
        let times = told.collect::<Vec<_>>().join(", ");
        (!times.is_empty()).then(|| say!(speaks.get(), replay.policy_changed, times = times))
    };
    view! { <p class="dim changed">{anew(words)}</p> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_as_high_as_its_share_of_the_busiest_and_one_with_little_still_shows() {
        assert_eq!(bars(&[0, 1, 2, 1_000]), "M1 24v-1.0h1v1.0zM2 24v-1.0h1v1.0zM3 24v-24.0h1v24.0z");
        assert_eq!(bars(&[0, 0]), "");
        assert_eq!(bars(&[]), "");
    }

    #[test]
    fn an_instant_lies_in_the_drawing_where_it_lies_in_the_stretch() {
        let replay = ReplayAnswer {
            id: String::new(),
            base: String::new(),
            title: String::new(),
            from: UtcMillis(1_000),
            to: UtcMillis(3_000),
            by: String::new(),
            policy_changes: Vec::new(),
            density: vec![0; 120],
        };
        assert_eq!([1_000, 1_500, 3_000].map(|at| place(UtcMillis(at), &replay)), [0.0, 30.0, 120.0]);
    }
}
