//! `sim tile`: decides what camera tiles say, line by line, for tests of the player's scripts without a screen around
//! them. The decision is the product's own (`domain::video`).

use std::collections::HashMap;
use std::io::{BufRead, Write};

use anyhow::Context;
use clap::Args;
use domain::video::{Facts, Rule, Shown, Tile, Told, Why};
use serde::Deserialize;

/// Reads from standard input a JSON line each time facts of a tile have come or time has passed, and answers on standard
/// output with what the tile then says and the rule its scripts are under.
#[derive(Args)]
pub struct Options {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tile: u32,
    /// The asker's monotonic clock, milliseconds.
    at_ms: u64,
    facts: Option<Facts>,
}

pub fn run(_options: &Options) -> anyhow::Result<()> {
    let mut tiles: HashMap<u32, Tile> = HashMap::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let asked: Asked = serde_json::from_str(&line).with_context(|| format!("not understood: {line}"))?;
        let tile = tiles.entry(asked.tile).or_default();
        if let Some(facts) = asked.facts {
            tile.hear(facts, asked.at_ms);
        }
        let (told, rule) = tile.decide(asked.at_ms);
        writeln!(out, "{}", answer(&told, rule))?;
        out.flush()?;
    }
    Ok(())
}

fn answer(told: &Told, rule: Rule) -> serde_json::Value {
    let cause = told.why.map(|why| match why {
        Why::Link => "link".into(),
        Why::Engine => "engine".into(),
        Why::TileLimit => "tile_limit".into(),
        Why::Stream(cause) => serde_json::json!(cause),
    });
    let (since_ms, interval_s) = match &told.shown {
        Shown::Lost { since_ms } => (*since_ms, None),
        Shown::KeyFrames { interval_s } => (None, *interval_s),
        Shown::Connecting { .. }
        | Shown::Live { .. }
        | Shown::Delayed { .. }
        | Shown::Refused {}
        | Shown::Unsupported {}
        | Shown::Gone {} => (None, None),
    };
    let left = told.left.map(|left| (left.shown_per_s, left.sent_per_s));
    serde_json::json!({
        "told": {
            "state": told.shown.state(),
            "cause": cause,
            "since_ms": since_ms,
            "retry_s": told.retry_s,
            "interval_s": interval_s,
            "frame_ms": told.frame_ms,
            "left": left,
        },
        "rule": { "show": rule.show, "snapshot": rule.snapshot, "standing_after_ms": rule.standing_after_ms },
    })
}
