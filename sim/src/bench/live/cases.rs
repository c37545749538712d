//! Cases for the measured server: a month taken over before it is measured, a steady stream while it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::answer::CatalogueAnswer;
use domain::moment::UtcMillis;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::super::door::Door;
use super::super::{Row, Server};
use crate::city::cases::Planner;
use crate::city::past::{self, Rules};
use crate::client::{BATCH_MAX, Client, Row as CommandRow, RowAnswer};
use crate::schematic::Schematic;

/// Commands of a steady stream in one request, and requests a second.
const STREAM_BATCH: usize = 10;
const STREAM_HZ: u64 = 10;

/// A report that the server's policy accepts.
pub async fn report(door: &Arc<Door>) -> anyhow::Result<Value> {
    let catalogue: Value = serde_json::from_str(&door.get("/api/v1/catalogue").await?)?;
    let last = |list: &str| -> anyhow::Result<String> {
        let entry = catalogue[list].as_array().and_then(|list| list.last());
        let code = entry.and_then(|entry| entry["code"].as_str());
        Ok(code.with_context(|| format!("the catalogue has no {list}"))?.to_owned())
    };
    Ok(json!({"source": last("sources")?, "class": last("classes")?, "area": last("areas")?}))
}

/// Has the server take over `days` of the simulated city.
pub async fn fill(server: &Server, door: &Arc<Door>, days: usize) -> anyhow::Result<Vec<Row>> {
    let began = Instant::now();
    let client = Client::new(&format!("http://{}", door.authority), door.token()?);
    let taken = tokio::task::spawn_blocking(move || take_over(&client, days)).await??;
    let (_, resident) = server.usage()?;
    let measure = format!("store holds {days} days of the city: cases");
    Ok(vec![
        Row::plain(measure, taken as f64, "cases"),
        Row::plain("the same: taken over in", began.elapsed().as_secs_f64(), "s"),
        Row::plain("the same: server, resident", resident / 1_048_576.0, "MiB"),
    ])
}

fn take_over(client: &Client, days: usize) -> anyhow::Result<usize> {
    let map = Schematic::build().context("cannot build the schematic city")?;
    let policy = client.get::<CatalogueAnswer>("/api/v1/catalogue")?.policy;
    let rules = Rules {
        offset: policy.utc_offset_minutes,
        dispatch_limit: policy.dispatch_limit,
        calendar: policy.calendar,
    };
    let mut planner = Planner::new(&map, 1);
    let past = past::since_days_ago(&mut planner, &rules, now()?, days);
    let rows: Vec<CommandRow> = past.into_iter().map(|case| CommandRow::new(case.command)).collect();
    for batch in rows.chunks(BATCH_MAX) {
        for answer in client.commands(batch)? {
            if let RowAnswer::Refused(refused) = answer {
                anyhow::bail!("a case of the past was refused: {}: {}", refused.code, refused.title);
            }
        }
    }
    Ok(rows.len())
}

/// Milliseconds since 1970.
pub fn now() -> anyhow::Result<UtcMillis> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(UtcMillis(i64::try_from(since.as_millis())?))
}

/// Reports [`STREAM_BATCH`] × [`STREAM_HZ`] cases a second until it is stopped or the server is gone; gives how many
/// were taken.
pub async fn stream(door: &Arc<Door>) -> anyhow::Result<Stream> {
    let (door, report) = (door.clone(), report(door).await?);
    let (stop, stopped) = tokio::sync::watch::channel(());
    let task = tokio::spawn(async move {
        let mut beats = tokio::time::interval(Duration::from_millis(1_000 / STREAM_HZ));
        let mut taken = 0;
        while !stopped.has_changed().unwrap_or(true) {
            beats.tick().await;
            let command =
                || json!({"key": uuid::Uuid::now_v7(), "command": {"report_case": {"report": report}}});
            let commands: Vec<Value> = std::iter::repeat_with(command).take(STREAM_BATCH).collect();
            match door.post("/api/v1/commands", json!({ "commands": commands })).await {
                Ok(_) => taken += STREAM_BATCH,
                Err(_) => break,
            }
        }
        taken
    });
    Ok(Stream { stop, task })
}

/// A stream of cases under way.
pub struct Stream {
    stop: tokio::sync::watch::Sender<()>,
    task: JoinHandle<usize>,
}

impl Stream {
    /// Ends it; how many cases were taken.
    pub async fn stop(self) -> anyhow::Result<usize> {
        let _ = self.stop.send(());
        Ok(self.task.await?)
    }
}
