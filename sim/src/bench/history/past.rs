//! The past shown again: how long it takes until a hall stands at an instant, anywhere in the store's history.
//!
//! From the wish to the answer of the tally of then: the state rebuilt, lists, feed and router made, and a question answered. Once for a
//! replay that is opened there, and once for one that its clock takes elsewhere, as the line under it does.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use domain::moment::DAY_MS;
use serde_json::{Value, json};

use super::super::door::Door;
use super::super::used::Gauge;
use super::super::{Row, Server, percentile};

/// Instants asked for, spread evenly over the history, and each a little off where a state may be kept.
const INSTANTS: i64 = 24;
/// Milliseconds a replay reaches over on each side of its instant: together less than `replay.days_max` allows.
const AROUND: i64 = 15 * DAY_MS;
/// Seconds either may take.
const WITHIN: f64 = 3.0;

pub async fn measure(server: &Server) -> anyhow::Result<Vec<Row>> {
    // Replays are for people.
    let leader = Arc::new(Door::of_administrator(server).await?);
    let events: Value = serde_json::from_str(&leader.get("/api/v1/events?limit=1").await?)?;
    let first = events["items"][0]["at"].as_i64().context("the store has no events")?;
    let world: Value = serde_json::from_str(&leader.get("/api/v1/world").await?)?;
    let last = world["now"].as_i64().context("the hall has no time")?;
    ensure!(last > first, "the store has no history");
    let gauge = Gauge::begin(server)?;
    let (mut opened, mut taken) = (Vec::new(), Vec::new());
    for turn in 0..INSTANTS {
        // In no order, as nobody looks at the past in order.
        let at = first + (last - first) * (turn * 7 % INSTANTS) / (INSTANTS - 1) - turn * 1_117_000;
        let at = at.clamp(first, last);
        let (from, to) = ((at - AROUND).max(first), (at + AROUND).min(last));
        let began = Instant::now();
        let order = json!({ "from": from, "to": to, "at": at });
        let replay: Value = serde_json::from_str(&leader.post("/api/v1/replays", order).await?)?;
        let base = replay["base"].as_str().context("a replay has no address")?;
        tally(&leader, base).await?;
        opened.push(began.elapsed().as_secs_f64());
        // A whole number of days lies between no two of these, so that none falls where a state is kept.
        let other = from + (to - from) * (turn * 5 % INSTANTS + 1) / (INSTANTS + 1);
        let began = Instant::now();
        leader.post(&format!("{base}/api/v1/world/clock"), json!({ "at": other })).await?;
        tally(&leader, base).await?;
        taken.push(began.elapsed().as_secs_f64());
        let id = replay["id"].as_str().context("a replay has no id")?;
        leader.delete(&format!("/api/v1/replays/{id}")).await?;
    }
    let used = gauge.end(server)?;
    let measure = format!("any past instant, {INSTANTS} over the whole history");
    Ok(vec![
        Row::plain(format!("{measure}: p50"), percentile(&mut opened, 0.5), "s").under(&used),
        Row::at_most("the same: the longest", percentile(&mut opened, 1.0), "s", WITHIN),
        Row::plain("taken elsewhere in its month by the clock: p50", percentile(&mut taken, 0.5), "s"),
        Row::at_most("the same: the longest", percentile(&mut taken, 1.0), "s", WITHIN),
    ])
}

/// Asks the hall of then what anybody who looks at it asks first.
async fn tally(leader: &Arc<Door>, base: &str) -> anyhow::Result<()> {
    leader.get(&format!("{base}/api/v1/tally?dimension=city&period=now")).await.map(drop)
}
