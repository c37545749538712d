//! Drives one replay: takes it through the log as its clock says, or to another instant, until nobody watches or it is closed.
//!
//! What should be here: waiting for what comes next, whatever it is. What should not: what a hall of the past is (`moment`).

use std::sync::Arc;
use std::time::Duration;

use domain::moment::{MINUTE_MS, UtcMillis};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::moment::{At, Moment};
use super::{Handle, moment_at, unreadable};
use crate::clock::{self, Instant};
use crate::http;
use crate::lock::lock;
use crate::problem::Problem;
use crate::world::Open;

/// How often it is looked whether anybody watches.
const LOOK_EVERY: Duration = Duration::from_secs(5);

const LOOK_LEAST: Duration = Duration::from_millis(50);

/// Another instant is wished for.
pub(super) struct Ask {
    pub at: UtcMillis,
    pub answer: oneshot::Sender<Result<(), Problem>>,
}

pub(super) struct Player {
    place: At,
    /// None only while a thread that may wait for the disk has it.
    moment: Option<Moment>,
    open: Arc<Open>,
    handle: Arc<Handle>,
    stop: CancellationToken,
    idle: Duration,
    watched: Instant,
}

impl Player {
    pub fn new(
        place: At,
        moment: Moment,
        open: Arc<Open>,
        handle: Arc<Handle>,
        stop: CancellationToken,
    ) -> Self {
        let idle = Duration::from_millis(
            u64::from(place.home.config.replay.idle_minutes) * MINUTE_MS.unsigned_abs(),
        );
        Self { place, moment: Some(moment), open, handle, stop, idle, watched: clock::instant() }
    }

    /// Until it is closed, or left.
    pub async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        let mut looks = tokio::time::interval((self.idle / 2).clamp(LOOK_LEAST, LOOK_EVERY));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = self.place.clock.changes();
        loop {
            let until = self.go_on().await;
            let (clock, stop) = (self.place.clock.clone(), self.stop.clone());
            let wait = async {
                match until {
                    Some(until) => clock.reached(until).await,
                    // Somebody lets it go on, or takes it elsewhere.
                    None => changes.next().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                ask = asks.recv() => match ask {
                    Some(Ask { at, answer }) => {
                        // Nobody waits for the answer any more where sending fails.
                        let _ = answer.send(self.seek(at).await);
                    }
                    None => break,
                },
                _ = looks.tick() => self.look(),
                () = wait => {}
            }
        }
        if let Some(moment) = &self.moment {
            moment.end();
        }
        tracing::info!(id = self.open.identity.id, "replay ended");
    }

    /// Takes the hall through what has happened by now; gives when to go on. None at the end, and before what cannot be read.
    async fn go_on(&mut self) -> Option<UtcMillis> {
        let to = self.handle.order.to;
        if lock(&self.handle.broken).is_some() {
            return None;
        }
        let now = self.place.clock.now().min(to);
        let next = match self.play(now).await {
            Ok(next) => next,
            Err(problem) => {
                tracing::error!(problem = problem.title, "replay stands still");
                *lock(&self.handle.broken) = Some(problem);
                self.handle.stand_still(now);
                return None;
            }
        };
        let goes_on = next.filter(|next| *next <= to);
        if goes_on.is_none() && now >= to {
            if self.place.clock.now() > to || self.handle.driver.pace_milli() != 0 {
                self.handle.stand_still(to);
            }
            return None;
        }
        Some(goes_on.unwrap_or(to))
    }

    async fn play(&mut self, now: UtcMillis) -> Result<Option<UtcMillis>, Problem> {
        let Some(mut moment) = self.moment.take() else { return Ok(None) };
        if !moment.is_due(now) {
            let next = moment.play(now);
            self.moment = Some(moment);
            return next.map_err(unreadable);
        }
        let played = tokio::task::spawn_blocking(move || {
            let next = moment.play(now);
            (moment, next)
        });
        let (moment, next) = played.await.map_err(|error| Problem::internal("go on in the past", &error))?;
        self.moment = Some(moment);
        next.map_err(unreadable)
    }

    /// Another instant: a hall made anew, and screens that come again.
    async fn seek(&mut self, at: UtcMillis) -> Result<(), Problem> {
        let began = clock::instant();
        let mut fresh = moment_at(&self.place, at).await?;
        if let Some(moment) = self.moment.take() {
            moment.end();
        }
        *lock(&self.handle.broken) = None;
        self.handle.driver.jump(at);
        fresh.set_out();
        self.open.answer_by(http::world_router(fresh.hall()));
        self.moment = Some(fresh);
        metrics::histogram!("gridhall_replay_seek_seconds").record(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Ends it when nobody has watched for a while.
    fn look(&mut self) {
        let watching = self.moment.as_ref().is_some_and(|moment| moment.hall().hub.connections() > 0);
        if watching {
            self.watched = clock::instant();
        } else if self.watched.elapsed() >= self.idle
            && let Some(id) = &self.open.identity.id
        {
            self.place.home.worlds.close(id);
        }
    }
}
