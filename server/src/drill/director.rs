//! The drill's clock for who directs it (导演台), and what is said of an ask that is refused.
//!
//! What should not be here: who may direct it and which paces there are (`domain::drill`).

use std::sync::Arc;

use axum::http::StatusCode;
use domain::drill::{Ask, DrillRefusal};
use domain::rejection::Language;
use domain::world::SetClock;

use super::held::{DrillError, Held};
use crate::access::Actor;
use crate::problem::Problem;
use crate::world::{Drive, Driven};

/// The clock of one drill: started, paused, let go on, faster or slower.
#[derive(Debug)]
pub struct Director(pub Arc<Held>);

impl Drive for Director {
    fn drive<'a>(&'a self, actor: &'a Actor, wish: SetClock, language: Language) -> Driven<'a> {
        Box::pin(async move {
            let pace = asked_pace(wish, language)?;
            self.0.ask(Ask::Pace(pace), actor).await.map(drop).map_err(|error| problem(error, language))
        })
    }
}

fn asked_pace(wish: SetClock, language: Language) -> Result<u32, Problem> {
    if wish.at.is_some() {
        let title = match language {
            Language::Zh => "演练的时钟不能跳转",
            Language::En => "a drill's clock is taken to no other instant",
        };
        return Err(Problem::bad_request("at", title));
    }
    wish.pace_milli.ok_or_else(|| {
        let title = match language {
            Language::Zh => "缺少速度（千分之一）：0 为暂停，1000 至 8000 为 ×1 至 ×8",
            Language::En => {
                "expected the pace in thousandths: 0 pauses the drill, 1000 to 8000 lets it go on"
            }
        };
        Problem::bad_request("pace_milli", title)
    })
}

/// What a refusal means to the caller.
pub fn problem(error: DrillError, language: Language) -> Problem {
    match error {
        DrillError::Refused(refusal) => refused(&refusal, language),
        DrillError::Stopping => Problem::busy("the server is stopping; ask again", 5),
        error @ (DrillError::Record(_) | DrillError::Hall(_)) => {
            Problem::internal("the drill's folder cannot be written", &error)
        }
    }
}

fn refused(refusal: &DrillRefusal, language: Language) -> Problem {
    let status = match refusal {
        DrillRefusal::NotItsDirector { .. } => StatusCode::FORBIDDEN,
        DrillRefusal::IsStopped { .. }
        | DrillRefusal::TooManyOpen
        | DrillRefusal::TooManyKept
        | DrillRefusal::Unanswered { .. } => StatusCode::CONFLICT,
        DrillRefusal::Title(_)
        | DrillRefusal::Pace { .. }
        | DrillRefusal::TooManyInjects { .. }
        | DrillRefusal::TooLate { .. }
        | DrillRefusal::OfRealPeople { .. }
        | DrillRefusal::NamesCase { .. }
        | DrillRefusal::Inject { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let problem = Problem::in_words(status, refusal.code(), language, |of| refusal.words(of));
    Problem { field: refusal.field(), ..problem }
}
