//! The legend of a map: what its marks stand for, and how many cases of each priority there are.
//!
//! What should be here: the words and numbers above a map. What should not: what is drawn on it (`scripts/map.ts`), and
//! what a press on a number opens, which is the screen's.

use leptos::html::Div;
use leptos::prelude::*;

use super::{MapClick, MapOptions};
use crate::language::use_language;
use crate::once::{CollectRows, anew};
use crate::text;
use crate::words::{Language, map, say};

/// How many priorities a case may have; the last is the ordinary one.
const PRIORITIES: usize = 4;

/// What the legend shows, as map and screen tell it.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// Whether there is room for it, and how large a unit of its lengths is in CSS pixels.
    manner: RwSignal<(bool, f64)>,
    /// Cases on the map by priority.
    counts: RwSignal<[usize; PRIORITIES]>,
    /// How many ordinary cases a square stands for.
    pub per_square: RwSignal<u32>,
}

impl Key {
    pub fn new() -> Self {
        Self {
            manner: RwSignal::new((false, 1.0)),
            counts: RwSignal::new([0; PRIORITIES]),
            per_square: RwSignal::new(1),
        }
    }

    /// Follows how the map looks at its size.
    pub fn follow(self, options: &MapOptions) {
        self.manner.set((options.legend, options.font_px / 24.0));
    }

    /// Counts the cases by their priorities, 1 the most urgent.
    pub fn count(self, priorities: impl Iterator<Item = u8>) {
        let mut counts = [0; PRIORITIES];
        for priority in priorities {
            if let Some(count) = counts.get_mut(usize::from(priority).wrapping_sub(1)) {
                *count += 1;
            }
        }
        self.counts.set(counts);
    }
}

/// The shapes of the marks, as the map draws them; the number of a priority stands in it.
const SHAPES: [&str; PRIORITIES + 1] = [
    r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path class="map-key-1" d="M12 2.5 22.5 21H1.5Z"/><text x="12" y="18.6">1</text></svg>"#,
    r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path class="map-key-2" d="M12 1 23 12 12 23 1 12Z"/><text x="12" y="16.4">2</text></svg>"#,
    r#"<svg viewBox="0 0 24 24" aria-hidden="true"><rect class="map-key-3" x="3" y="3" width="18" height="18"/><text class="map-key-3t" x="12" y="16.6">3</text></svg>"#,
    r#"<svg viewBox="0 0 24 24" aria-hidden="true"><rect class="map-key-line" x="7" y="7" width="10" height="10"/></svg>"#,
    r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path class="map-key-person" d="M12 2 16.2 14.4A4.6 4.6 0 1 1 7.8 14.4Z"/></svg>"#,
];
const NAMES: [fn(Language) -> String; PRIORITIES + 1] =
    [map::priority_1, map::priority_2, map::priority_3, map::ordinary, map::person];

/// A row of each mark that may stand on the map. With `asks` a press on a counted row asks for its cases.
#[component]
pub(super) fn Legend(key: Key, node: NodeRef<Div>, asks: Option<Callback<MapClick>>) -> impl IntoView {
    let speaks = use_language();
    let row = move |at: usize| {
        let is_ordinary = at + 1 == PRIORITIES;
        let count = move || match key.counts.get().get(at) {
            None => String::new(),
            Some(count) if !is_ordinary => text::grouped(*count as i64),
            Some(_) => match key.per_square.get() {
                0 | 1 => String::new(),
                per => say!(speaks.get(), map.each, per = per),
            },
        };
        let class = if is_ordinary { "map-legend-per" } else { "map-legend-count" };
        let content = view! {
            <span class="map-key" inner_html=SHAPES[at]></span>
            <span>{anew(move || NAMES[at](speaks.get()))}</span>
            <span class=class>{anew(count)}</span>
        };
        match asks.filter(|_| at < PRIORITIES) {
            Some(asks) => {
                let ask = move |_| asks.run(MapClick::Priority(at as u8 + 1));
                view! { <button type="button" class="map-legend-row" on:click=ask>{content}</button> }
                    .into_any()
            }
            None => view! { <div class="map-legend-row">{content}</div> }.into_any(),
        }
    };
    let unit = move || format!("{}px", text::fixed(key.manner.get().1, 4));
    view! {
        <div class="map-legend" node_ref=node hidden=move || !key.manner.get().0 style=("--map-unit", unit)>
            {(0..SHAPES.len()).map(row).collect_rows()}
        </div>
    }
}
