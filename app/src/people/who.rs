//! Who the numbers in position frames are: the inspectors' codes, read when a number is first met.

use std::collections::BTreeMap;

use domain::answer::PageAnswer;
use domain::wire::PositionRow;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::hall::monotonic_ms;

/// Largest page the server gives, and as many pages as the server follows inspectors.
const PAGE: usize = 500;
const PAGES_MAX: usize = 200;
/// An unknown number asks at most this often.
const ASK_AGAIN_MS: f64 = 5_000.0;
/// Known numbers are asked for again this often: when the server follows as many inspectors as it can, it gives numbers
/// of the long silent to others.
const REFRESH_MS: f64 = 60_000.0;

/// Codes by number. Numbers hold for as long as an inspector is on the screens.
#[derive(Clone, Copy)]
pub struct Who {
    codes: RwSignal<BTreeMap<u32, String>>,
    asked_at: StoredValue<Option<f64>>,
}

impl Who {
    /// One for the page it is called in.
    pub fn provide() -> Self {
        let who = Self { codes: RwSignal::new(BTreeMap::new()), asked_at: StoredValue::new(None) };
        provide_context(who);
        who
    }

    /// Tracked. The inspector's code, or none while it is being asked for.
    pub fn code(self, index: u32) -> Option<String> {
        let known = self.codes.with(|codes| codes.get(&index).cloned());
        let is_old = self.asked_at.get_value().is_none_or(|at| monotonic_ms() - at > REFRESH_MS);
        if known.is_none() || is_old {
            self.ask();
        }
        known
    }

    /// Asks in advance when fewer are known than are on the streets.
    pub fn expect(self, people: usize) {
        if self.codes.with_untracked(BTreeMap::len) < people {
            self.ask();
        }
    }

    /// After a reconnection the server may number people anew.
    pub fn forget(self) {
        self.asked_at.set_value(None);
        if !self.codes.with_untracked(BTreeMap::is_empty) {
            self.codes.set(BTreeMap::new());
        }
    }

    fn ask(self) {
        let now = monotonic_ms();
        if self.asked_at.get_value().is_some_and(|at| now - at < ASK_AGAIN_MS) {
            return;
        }
        self.asked_at.set_value(Some(now));
        spawn_local(async move {
            match read().await {
                // The page may have been left meanwhile.
                Ok(codes) => drop(self.codes.try_set(codes)),
                Err(error) => leptos::logging::warn!("inspectors' codes not loaded: {error}"),
            }
        });
    }
}

pub fn use_who() -> Who {
    expect_context::<Who>()
}

async fn read() -> Result<BTreeMap<u32, String>, api::ApiError> {
    let (mut codes, mut cursor) = (BTreeMap::new(), String::new());
    for _ in 0..PAGES_MAX {
        let path = format!("/api/v1/positions?limit={PAGE}{cursor}");
        let page: PageAnswer<PositionRow> = api::get_json(&path).await?;
        codes.extend(page.items.into_iter().map(|row| (row.index, row.inspector.to_string())));
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(codes)
}
