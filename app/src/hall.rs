//! The hall's time: what every clock and countdown on this screen is measured by.
//!
//! The only file of this crate that reads a clock. The server's time arrives with each heartbeat; between heartbeats
//! the browser's monotonic clock carries it on, so a wrong or corrected system clock on a wall PC does no harm.

use domain::moment::UtcMillis;
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// How often clocks and countdowns are written.
const TICK_MS: u32 = 1_000;

/// The hall's clock.
#[derive(Clone, Copy)]
pub struct Hall {
    now: RwSignal<UtcMillis>,
    /// Server time minus monotonic time, in milliseconds.
    offset_ms: StoredValue<f64>,
}

impl Hall {
    /// Tracked: changes once a second.
    pub fn now(self) -> UtcMillis {
        self.now.get()
    }

    /// Not tracked, exact.
    pub fn present(self) -> UtcMillis {
        UtcMillis((monotonic_ms() + self.offset_ms.get_value()) as i64)
    }

    /// Takes the server's time over.
    pub fn set_server_time(self, server: UtcMillis) {
        let measured = server.0 as f64 - monotonic_ms();
        let held = self.offset_ms.get_value();
        // Half a second is more than a network's jitter: jump. Below that, glide, so that clocks do not stutter.
        let glided = if (measured - held).abs() > 500.0 { measured } else { held + (measured - held) * 0.1 };
        self.offset_ms.set_value(glided);
    }
}

/// Milliseconds since the page was opened; never runs backwards.
pub fn monotonic_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

pub fn provide() {
    let offset_ms = js_sys::Date::now() - monotonic_ms();
    let hall = Hall {
        now: RwSignal::new(UtcMillis(js_sys::Date::now() as i64)),
        offset_ms: StoredValue::new(offset_ms),
    };
    Interval::new(TICK_MS, move || hall.now.set(hall.present())).forget();
    provide_context(hall);
}

pub fn use_hall() -> Hall {
    expect_context::<Hall>()
}
