//! What a screen says of itself when its programme stopped: it is logged and counted, and the screen goes on without an
//! answer. The page's supervisor sends it (`scripts/server.ts`).
//!
//! What should be here: this door with its bounds. What should not: what the supervisor does about it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Router};
use domain::moment::{MINUTE_MS, UtcMillis};
use serde::Deserialize;

use super::site::Programme;
use crate::access::Actor;
use crate::clock::Clock;
use crate::http::extract::Json;
use crate::lock::lock;
use crate::problem::Problem;

/// A page that stopped is loaded again three times in ten minutes; one name may stand for many kiosks.
const OF_ONE_A_MINUTE: usize = 20;
/// Of all together: a build that stops everywhere is known after this many.
const OF_ALL_A_MINUTE: usize = 200;
/// Longest text, in characters; the supervisor sends less.
const WORDS_MAX: usize = 4_000;
/// Longest word for a build, in characters.
const BUILD_MAX: usize = 64;

/// What stopped a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The programme found itself in a state that cannot be.
    Panic,
    /// A script threw what nobody caught.
    Error,
    /// It showed no sign of life for twenty seconds.
    Silence,
    /// It did not come, or did not start.
    Start,
}

/// A screen that stopped.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    #[schema(inline)]
    cause: Cause,
    #[schema(inline)]
    programme: Programme,
    /// Which build of the screens it is of, as its page says.
    #[schema(max_length = 64)]
    build: String,
    /// What the programme or the browser said.
    #[schema(max_length = 4000)]
    words: String,
}

/// What was told within the last minute: when, and by whom.
#[derive(Debug, Default)]
struct Told(VecDeque<(UtcMillis, String)>);

impl Told {
    /// Whether one more may be told now; it is counted then.
    fn admit(&mut self, by: &str, now: UtcMillis) -> bool {
        // One from the future was told by a clock that has been set back since.
        self.0.retain(|(at, _)| (0..MINUTE_MS).contains(&(now.0 - at.0)));
        let own = self.0.iter().filter(|(_, name)| name == by).count();
        let admitted = own < OF_ONE_A_MINUTE && self.0.len() < OF_ALL_A_MINUTE;
        if admitted {
            self.0.push_back((now, by.to_owned()));
        }
        admitted
    }
}

#[derive(Clone)]
struct Screens {
    clock: Clock,
    told: Arc<Mutex<Told>>,
}

/// This door, by itself.
pub fn router(clock: Clock) -> Router {
    let screens = Screens { clock, told: Arc::default() };
    Router::new().route("/api/v1/screens/stopped", post(stopped)).with_state(screens)
}

/// Notes that a screen's programme stopped; at most 20 a minute of one sender and 200 of all.
#[utoipa::path(post, path = "/api/v1/screens/stopped", tag = "hall", request_body = Stopped,
    responses((status = 204), (status = 429, body = Problem)))]
async fn stopped(
    State(screens): State<Screens>,
    Extension(actor): Extension<Actor>,
    Json(told): Json<Stopped>,
) -> Result<StatusCode, Problem> {
    for (field, text, most) in [("words", &told.words, WORDS_MAX), ("build", &told.build, BUILD_MAX)] {
        if text.chars().count() > most {
            return Err(Problem::bad_request(field, format!("longer than {most} characters")));
        }
    }
    if !lock(&screens.told).admit(&actor.name, screens.clock.now()) {
        let title = "screens have told of enough stops this minute; they are not counted";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "told_enough", title);
        return Err(Problem { retry_after: Some(60), ..problem });
    }
    let labels = labels(&told);
    metrics::counter!("gridhall_screens_stopped_total", &labels).increment(1);
    tracing::warn!(
        by = actor.name,
        programme = labels["programme"],
        cause = labels["cause"],
        build = told.build,
        words = told.words,
        "a screen stopped and loads itself again"
    );
    Ok(StatusCode::NO_CONTENT)
}

/// Few values each: what a page could write at will is no label.
fn labels(told: &Stopped) -> BTreeMap<&'static str, &'static str> {
    let programme = told.programme.page().trim_end_matches(".html");
    let cause = match told.cause {
        Cause::Panic => "panic",
        Cause::Error => "error",
        Cause::Silence => "silence",
        Cause::Start => "start",
    };
    BTreeMap::from([("programme", programme), ("cause", cause)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sender_cannot_fill_the_log_nor_all_of_them() {
        let mut told = Told::default();
        let times =
            |told: &mut Told, by: &str, now| (0..300).filter(|_| told.admit(by, UtcMillis(now))).count();
        assert_eq!(times(&mut told, "大屏一", 0), OF_ONE_A_MINUTE);
        assert_eq!(times(&mut told, "大屏一", MINUTE_MS - 1), 0);
        let others: usize = (0..30).map(|wall| times(&mut told, &format!("wall {wall}"), 1)).sum();
        assert_eq!(others, OF_ALL_A_MINUTE - OF_ONE_A_MINUTE);
        assert_eq!(
            times(&mut told, "大屏一", MINUTE_MS),
            OF_ONE_A_MINUTE,
            "a minute later there is room again"
        );
        assert_eq!(times(&mut told, "大屏一", -5), OF_ONE_A_MINUTE, "a clock set back holds nobody up");
    }
}
