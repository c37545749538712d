//! Replay (复盘): a past stretch of the log shown again, on the same screens, driven through by a clock of its own.
//!
//! A replay is a hall of the world [`Replay`](crate::world::Replay): its state from the nearest kept one and the events after it, its
//! lists, tallies, calls and positions as they were, and nobody who writes. It reads the log of the hall that goes on and writes
//! nothing, anywhere. Taken to another instant it is made anew, with a hub of its own, so that no screen goes on from what it
//! held. What should not be here: routes (`http::replays`), how lists and positions of the past are read (`lists`, `position`).

use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use axum::http::StatusCode;
use domain::moment::{DAY_MS, UtcMillis, UtcOffset};
use domain::rejection::Language;
use domain::role::Role;
use domain::world::{PACE_MAX, PACE_REAL, SetClock, WorldKind, WorldState};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::access::Actor;
use crate::clock::{Clock, Driver};
use crate::folder::StoreError;
use crate::hall::Hall;
use crate::http;
use crate::lock::lock;
use crate::problem::Problem;
use crate::turn::Reading;
use crate::world::{Drive, Driven, Open, Told};

mod moment;
mod player;
mod walks;

use moment::{At, Moment};
use player::{Ask, Player};

/// Wishes that may wait while the past is made anew: whoever scrubs faster is told to wait.
const ASKS_WAITING_MAX: usize = 8;

/// Slices of a stretch whose events are counted: as many as the line under a replay can show apart.
const SLICES: u32 = 120;

/// What an operator may set of replays.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Replays open at one time: each holds a state in memory. 0 to 8; 0 allows none. Default 2.
    pub open_max: u32,
    /// Days one replay may reach over. 1 to 366. Default 31.
    pub days_max: u32,
    /// Minutes after which one that nobody watches ends. 1 to 1,440. Default 15.
    pub idle_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { open_max: 2, days_max: 31, idle_minutes: 15 }
    }
}

/// Which stretch, and where to stand still in it; from its beginning, as time passed, where no instant is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub from: UtcMillis,
    pub to: UtcMillis,
    pub at: Option<UtcMillis>,
}

/// A replay that is open, and what is known of its stretch.
#[derive(Debug)]
pub struct Opened {
    pub open: Arc<Open>,
    pub order: Order,
    /// It had been opened before, for the same stretch and instant.
    pub joined: bool,
}

/// Opens a replay beside the hall, or gives the one that is open for the same stretch and instant.
pub async fn open(home: &Hall, order: Order, actor: &Actor) -> Result<Opened, Problem> {
    let settings = home.config.replay.clone();
    check(order, &settings, home.clock.now())?;
    let open = home.worlds.of_kind(WorldKind::Replay);
    let is_it = |drive: &Arc<dyn Drive>| drive.is_for(order.from, order.to, order.at);
    if let Some(open) = open.into_iter().find(|open| open.drive.as_ref().is_some_and(is_it)) {
        return Ok(Opened { open, order, joined: true });
    }
    let reserved = home.worlds.reserve(WorldKind::Replay, settings.open_max as usize).map_err(|full| {
        let title =
            format!("已打开的复盘过多（最多 {} 个），请先关闭一个；{full}, close one first", full.most);
        Problem::new(StatusCode::CONFLICT, "too_many_worlds", title)
    })?;
    let offset = home.policy().utc_offset_minutes;
    let identity = Arc::new(reserved.identity(&title(order, offset)));
    let (clock, driver) = Clock::driven(order.at.unwrap_or(order.from), 0);
    let (asks, wishes) = mpsc::channel(ASKS_WAITING_MAX);
    let handle = Arc::new(Handle {
        by: actor.name.clone(),
        order,
        clock: clock.clone(),
        driver: driver.clone(),
        stretch: OnceLock::new(),
        asks,
        broken: Mutex::default(),
    });
    let place = At { home: home.clone(), identity, clock: clock.clone(), drive: handle.clone() };
    // Side by side: a long stretch takes as long to look through as its first moment to make.
    let (looked, moment) =
        tokio::join!(look_at(home, order), moment_at(&place, order.at.unwrap_or(order.from)));
    // Why the stretch cannot be shown says more than why its first moment cannot.
    let _ = handle.stretch.set(looked?);
    let mut moment = moment?;
    moment.set_out();
    let stop = CancellationToken::new();
    let over = stop.clone();
    let router = http::world_router(moment.hall());
    let open =
        reserved.open_driven(&place.identity.title, router, handle.clone(), Box::new(move || over.cancel()));
    tracing::info!(
        by = actor.name,
        id = open.identity.id,
        from = order.from.0,
        to = order.to.0,
        "replay opened"
    );
    let player = Player::new(place, moment, open.clone(), handle, stop);
    tokio::spawn(player.run(wishes));
    driver.set_pace_milli(if order.at.is_some() { 0 } else { PACE_REAL });
    Ok(Opened { open, order, joined: false })
}

/// What can be said of an order without looking at the log.
fn check(order: Order, settings: &Settings, now: UtcMillis) -> Result<(), Problem> {
    let Order { from, to, at } = order;
    let refused = |code, field: &str, title: String| {
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).at(field))
    };
    if !from.is_possible() || !to.is_possible() || from >= to {
        let title = "复盘的开始须早于结束；a replay's beginning must lie before its end";
        return refused("wrong_order", "from", title.to_owned());
    }
    if to > now {
        return refused("after_now", "to", "复盘不能晚于现在；a replay cannot reach beyond now".to_owned());
    }
    if to.since(from) > i64::from(settings.days_max) * DAY_MS {
        let days = settings.days_max;
        return refused(
            "too_long",
            "to",
            format!("复盘最长 {days} 天；a replay reaches over {days} days at most"),
        );
    }
    if at.is_some_and(|at| !(from..=to).contains(&at)) {
        return Err(not_within());
    }
    Ok(())
}

fn not_within() -> Problem {
    Problem::bad_request("at", "该时刻不在复盘区间内；this instant lies outside the replay")
}

/// What the log has of the stretch and how densely, or why it cannot be shown.
async fn look_at(home: &Hall, order: Order) -> Result<(Vec<UtcMillis>, Vec<u32>), Problem> {
    let read = home.reader.run(Reading::Long, move |reader| {
        let Some((first, _)) = reader.ends()? else { return Ok(None) };
        if order.from < first {
            return Ok(None);
        }
        let places = reader.places(order.from, order.to, SLICES)?;
        let (after, upto) = places.first().copied().zip(places.last().copied()).unwrap_or_default();
        let many = |of: &[u64]| u32::try_from(of[1].saturating_sub(of[0])).unwrap_or(u32::MAX);
        let density: Vec<u32> = places.windows(2).map(many).collect();
        Ok(Some((reader.stretch(after, upto)?, density)))
    });
    let Some((stretch, density)) = read.await.map_err(unreadable)? else {
        let title = "复盘早于日志的开始；the log begins later";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "before_log", title).at("from"));
    };
    if stretch.missing > 0 {
        let missing = stretch.missing;
        let title = format!(
            "该区间的日志缺少 {missing} 条，不能复盘；{missing} events of this stretch are missing from the log"
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "log_unreadable", title));
    }
    Ok((stretch.adopted.iter().map(|(_, at)| *at).collect(), density))
}

/// The past cannot be read: what is said of it.
fn unreadable(error: StoreError) -> Problem {
    if let StoreError::Busy = error {
        return Problem::busy(error.to_string(), 1);
    }
    let title = format!("该处日志无法读取，不能复盘；the log cannot be read there: {}", error.chain());
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "log_unreadable", title)
}

/// Makes the hall as it was, on a thread that may wait for the disk.
async fn moment_at(place: &At, at: UtcMillis) -> Result<Moment, Problem> {
    let place = place.clone();
    let made = tokio::task::spawn_blocking(move || Moment::at(&place, at)).await;
    made.map_err(|error| Problem::internal("show the past again", &error))?.map_err(unreadable)
}

/// The stretch in local time, as people name it.
fn title(order: Order, offset: UtcOffset) -> String {
    let written = |at: UtcMillis| {
        let local = at.local(offset);
        let minute = local.ms_of_day / 60_000;
        format!("{} {:02}:{:02}", local.date, minute / 60, minute % 60)
    };
    format!("{} – {}", written(order.from), written(order.to))
}

/// A replay, for those who watch and drive it.
struct Handle {
    /// Who opened it.
    by: String,
    order: Order,
    /// When policies came into force within it, and how densely things happened; told once it has been looked at.
    stretch: OnceLock<(Vec<UtcMillis>, Vec<u32>)>,
    clock: Clock,
    driver: Driver,
    asks: mpsc::Sender<Ask>,
    /// What kept it from going on; none while all is well.
    broken: Mutex<Option<Problem>>,
}

impl Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("by", &self.by).field("order", &self.order).finish_non_exhaustive()
    }
}

impl Handle {
    /// The clock stands still at the end, or before what cannot be read.
    fn stand_still(&self, at: UtcMillis) {
        self.driver.set_pace_milli(0);
        self.driver.jump(at);
    }

    async fn seek(&self, at: UtcMillis) -> Result<(), Problem> {
        if !(self.order.from..=self.order.to).contains(&at) {
            return Err(not_within());
        }
        let (answer, answered) = oneshot::channel();
        let busy = |_| Problem::busy("the replay is being taken elsewhere; try again in a second", 1);
        self.asks.try_send(Ask { at, answer }).map_err(busy)?;
        answered.await.unwrap_or_else(|_| {
            Err(Problem::new(StatusCode::GONE, "world_gone", "该复盘已结束；this replay is over"))
        })
    }
}

impl Drive for Handle {
    fn told(&self) -> Option<Told> {
        let Order { from, to, .. } = self.order;
        let is_broken = lock(&self.broken).is_some();
        let state = match self.driver.pace_milli() {
            _ if is_broken || self.clock.now() >= to => WorldState::Ended,
            0 => WorldState::Paused,
            _ => WorldState::Running,
        };
        let (adopted, density) = self.stretch.get()?.clone();
        Some(Told { from, to, state, by: self.by.clone(), adopted, density })
    }

    fn is_for(&self, from: UtcMillis, to: UtcMillis, at: Option<UtcMillis>) -> bool {
        self.order == Order { from, to, at }
    }

    fn may_end(&self, actor: &Actor) -> bool {
        actor.name == self.by || actor.roles.iter().any(|role| matches!(role, Role::Admin | Role::Supervisor))
    }

    fn drive<'a>(&'a self, actor: &'a Actor, wish: SetClock, _: Language) -> Driven<'a> {
        Box::pin(async move {
            if !self.may_end(actor) {
                let title = "复盘由打开者、监督或管理员操作；a replay is driven by who opened it, a supervisor or an administrator";
                return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
            }
            if let Some(pace) =
                wish.pace_milli.filter(|pace| *pace != 0 && !(PACE_REAL..=PACE_MAX).contains(pace))
            {
                let title = format!("{pace} is neither 0 nor within {PACE_REAL} to {PACE_MAX}");
                return Err(Problem::bad_request("pace_milli", title));
            }
            if let Some(at) = wish.at {
                let before = self.driver.pace_milli();
                if wish.pace_milli.is_some() {
                    // It stands at the instant until it is let go on: at x600 a moment would be minutes.
                    self.driver.set_pace_milli(0);
                }
                if let Err(refused) = self.seek(at).await {
                    self.driver.set_pace_milli(before);
                    return Err(refused);
                }
            }
            if let Some(pace) = wish.pace_milli {
                if let Some(why) = lock(&self.broken).clone().filter(|_| pace > 0) {
                    return Err(why);
                }
                self.driver.set_pace_milli(pace);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(order: (i64, i64, Option<i64>)) -> String {
        let (from, to, at) = order;
        let order = Order { from: UtcMillis(from), to: UtcMillis(to), at: at.map(UtcMillis) };
        let settings = Settings { days_max: 1, ..Settings::default() };
        check(order, &settings, UtcMillis(3 * DAY_MS))
            .map_or_else(|problem| problem.code, |()| "fine".to_owned())
    }

    #[test]
    fn an_order_that_makes_no_stretch_is_refused_by_name() {
        assert_eq!(code((0, DAY_MS, None)), "fine");
        assert_eq!(code((0, DAY_MS, Some(DAY_MS))), "fine");
        assert_eq!(code((5, 5, None)), "wrong_order");
        assert_eq!(code((6, 5, None)), "wrong_order");
        assert_eq!(code((3 * DAY_MS - 5, 3 * DAY_MS + 1, None)), "after_now");
        assert_eq!(code((0, DAY_MS + 1, None)), "too_long");
        assert_eq!(code((10, 20, Some(9))), "bad_request");
        assert_eq!(code((10, 20, Some(21))), "bad_request");
        assert_eq!(code((i64::MIN, i64::MAX, None)), "wrong_order");
    }

    #[test]
    fn a_replay_is_named_by_its_stretch_in_local_time() {
        let order = Order { from: UtcMillis(1_795_226_400_000), to: UtcMillis(1_795_233_660_000), at: None };
        assert_eq!(title(order, UtcOffset(480)), "2026-11-21 10:00 – 2026-11-21 12:01");
    }
}
