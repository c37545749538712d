//! What a row of a list shows of the case's clock, kept as time passes.

use domain::wire::CaseLine;
use leptos::prelude::*;

use super::clock::{Lamp, countdown, lamp, share};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::use_names;
use crate::once::memo;

/// What changes in a row as time passes.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    pub lamp: Lamp,
    pub left: Option<String>,
    pub share: i64,
}

pub fn face(case: Memo<CaseLine>) -> Memo<Face> {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    // Minutes are the finest digits of a countdown; a change each five seconds is enough and spares the list work.
    let tick = memo(move || hall.now().0 / 5_000);
    memo(move || {
        tick.get();
        let now = hall.present();
        case.with(|case| {
            let shown = names.with(|names| {
                let policy = &names.policy;
                let share = (share(case, now, policy) * 100.0).round() as i64;
                Some(Face {
                    lamp: lamp(case, now, policy),
                    left: countdown(speaks.get(), case, now, policy),
                    share,
                })
            });
            shown.unwrap_or(Face { lamp: Lamp::NoClock, left: None, share: 0 })
        })
    })
}
