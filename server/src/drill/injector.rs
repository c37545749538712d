//! What makes the list of a drill happen: one task a drill, asleep until the next is due by the drill's own clock.
//!
//! It decides nothing: what is due, `domain::drill` says, and that nothing happens twice, the key does under which it enters.

use std::sync::Arc;
use std::time::Duration;

use domain::drill::{Happening, Prepared};
use domain::event::{By, Door};
use domain::scope::Scope;
use uuid::Uuid;

use super::held::Held;
use crate::world::Exercise;
use crate::writer::Envelope;

/// Wait after the drill's log or record could not be written.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Runs until the drill is over.
pub(super) async fn run(held: Arc<Held>) {
    let over = held.over.clone();
    tokio::select! {
        () = over.cancelled() => {}
        () = inject(&held) => {}
    }
}

async fn inject(held: &Arc<Held>) {
    loop {
        let due = held.drill(|drill| drill.due(held.clock.now()));
        let mut pause = None;
        for inject in due {
            if let Err(error) = held.inject(inject).await {
                pause = Some(RETRY_AFTER);
                tracing::warn!(inject, error = crate::cause::chain(&error), "tried again in a second");
                break;
            }
        }
        match (pause, held.drill(|drill| drill.next_due())) {
            (Some(pause), _) => tokio::time::sleep(pause).await,
            (None, None) => held.changed.notified().await,
            (None, Some(next)) => tokio::select! {
                () = held.clock.reached(next) => {}
                () = held.changed.notified() => {}
            },
        }
    }
}

/// The command of one line of the list, in the name of who prepared it, under a key of its own for ever: sent again after a
/// crash, it is answered as the first time.
pub(super) fn envelope(prepared: &Prepared, inject: u16, what: &Happening) -> Envelope<Exercise> {
    let by = By { name: prepared.director.clone(), roles: prepared.roles.clone(), door: Door::Timer };
    Envelope {
        world: Exercise,
        key: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{} inject {inject}", prepared.id).as_bytes()),
        by,
        department: None,
        scope: Scope::All,
        seen: None,
        command: what.command(),
    }
}
