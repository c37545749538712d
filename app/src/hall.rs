//! The hall's time: what every clock and countdown on this screen is measured by.
//!
//! The only file of this crate that reads a clock. The hall's time and pace arrive with each heartbeat; between heartbeats
//! the browser's monotonic clock carries it on (`domain::feed::Course`), so a wrong or corrected system clock on a wall PC
//! does no harm.

use domain::feed::Course;
use domain::moment::UtcMillis;
use domain::world::{PACE_REAL, WorldAnswer};
use gloo_timers::callback::Interval;
use leptos::prelude::*;

use crate::ask::Asker;

/// How often clocks and countdowns are written.
const TICK_MS: u32 = 1_000;

/// The hall's clock.
#[derive(Clone, Copy)]
pub struct Hall {
    now: RwSignal<UtcMillis>,
    course: StoredValue<Course>,
}

impl Hall {
    /// Tracked: changes once a second.
    pub fn now(self) -> UtcMillis {
        self.now.get()
    }

    /// Not tracked, exact.
    pub fn present(self) -> UtcMillis {
        self.course.get_value().at(monotonic_ms())
    }

    /// Tracked: the pace at which the hall's time goes on, in thousandths of that at which time passes.
    pub fn pace_milli(self) -> u32 {
        self.now.track();
        self.course.get_value().pace_milli()
    }

    /// Takes the hall's time over, and the pace at which it goes on.
    pub fn set_server_time(self, server: UtcMillis, pace_milli: u32) {
        self.course.set_value(self.course.get_value().heard(server, pace_milli, monotonic_ms()));
    }

    /// Asks for the hall's time, on a page without heartbeats; true once it was heard. Until then such a page goes by the
    /// machine's clock, which need not be the hall's: a demonstration, a drill and a replay have times of their own.
    pub fn ask(self) -> ReadSignal<bool> {
        let (heard, hear) = signal(false);
        Asker::new().ask("/api/v1/world".to_owned(), move |answer: Result<WorldAnswer, _>| {
            if let Ok(world) = answer {
                self.set_server_time(world.now, world.pace_milli);
                self.now.set(self.present());
                let _ = hear.try_set(true);
            }
        });
        heard
    }
}

/// Milliseconds since the page was opened; never runs backwards.
pub fn monotonic_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

pub fn provide() {
    // Until the hall is heard, the machine's own clock is as good as any.
    let now = UtcMillis(js_sys::Date::now() as i64);
    let course = StoredValue::new(Course::new(now, PACE_REAL, monotonic_ms()));
    let hall = Hall { now: RwSignal::new(now), course };
    Interval::new(TICK_MS, move || {
        hall.now.set(hall.present());
        show_alive(hall.present());
    })
    .forget();
    provide_context(hall);
}

/// Tells the page's supervisor (`scripts/start.ts`), once a tick, that the programme runs, and at what time of the hall.
fn show_alive(now: UtcMillis) {
    if let Some(root) = document().document_element() {
        // Without a supervisor there is nobody to tell.
        let _ = root.set_attribute("data-alive", &now.0.to_string());
    }
}

pub fn use_hall() -> Hall {
    expect_context::<Hall>()
}
