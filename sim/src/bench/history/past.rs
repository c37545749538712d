//! The past shown again: how long it takes until a hall stands at an instant, anywhere in the store's history.
//!
//! From the wish to the answer of the tally of then: the state rebuilt, lists, feed and router made, and a question answered.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use serde_json::{Value, json};

use super::super::door::Door;
use super::super::used::Gauge;
use super::super::{Row, Server, percentile};

/// Instants asked for, spread evenly over the history, and each a little off where a state may be kept.
const INSTANTS: i64 = 24;
/// Milliseconds a replay reaches over on each side of its instant.
const AROUND: i64 = 3_600_000;

pub async fn measure(server: &Server, door: &Arc<Door>) -> anyhow::Result<Vec<Row>> {
    // Whom replays are for is a person.
    let token = server.token("bench-leader", &["--role", "supervisor"])?;
    let leader = Arc::new(Door::at(door.authority.clone(), token));
    let events: Value = serde_json::from_str(&leader.get("/api/v1/events?limit=1").await?)?;
    let first = events["items"][0]["at"].as_i64().context("the store has no events")? + AROUND;
    let world: Value = serde_json::from_str(&leader.get("/api/v1/world").await?)?;
    let last = world["now"].as_i64().context("the hall has no time")? - AROUND;
    let gauge = Gauge::begin(server)?;
    let mut times = Vec::new();
    for turn in 0..INSTANTS {
        // In no order, as nobody looks at the past in order.
        let at = first + (last - first) * (turn * 7 % INSTANTS) / (INSTANTS - 1) - turn * 1_117_000;
        let at = at.clamp(first, last);
        let order = json!({ "from": at - AROUND, "to": at + AROUND, "at": at });
        let began = Instant::now();
        let opened: Value = serde_json::from_str(&leader.post("/api/v1/replays", order).await?)?;
        let base = opened["base"].as_str().context("a replay has no address")?;
        leader.get(&format!("{base}/api/v1/tally?dimension=city&period=now")).await?;
        times.push(began.elapsed().as_secs_f64());
        let id = opened["id"].as_str().context("a replay has no id")?;
        leader.delete(&format!("/api/v1/replays/{id}")).await?;
    }
    let used = gauge.end(server)?;
    let longest = times.iter().copied().fold(0.0, f64::max);
    let measure = format!("any past instant, {INSTANTS} over the whole history");
    Ok(vec![
        Row::plain(format!("{measure}: p50"), percentile(&mut times, 0.5), "s").under(&used),
        Row::at_most("the same: the longest", longest, "s", 3.0),
    ])
}
