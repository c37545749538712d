//! Lists, filters, searches, a case by its number, any area: twenty at once, as seats ask for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::super::door::Door;
use super::super::used::Gauge;
use super::super::{Row, Server, percentile};

/// Who asks at one time.
const ASKING: usize = 20;
/// Each kind of question is asked for this part of the time there is.
const PART: u64 = 4;

/// One kind of question: its addresses, asked in turn.
struct Kind {
    what: &'static str,
    paths: Vec<String>,
}

pub async fn measure(server: &Server, door: &Arc<Door>, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let length = Duration::from_secs(seconds.div_ceil(PART));
    let mut rows = Vec::new();
    for Kind { what, paths } in kinds(door).await? {
        let gauge = Gauge::begin(server)?;
        let mut times = ask(door, &paths, length).await.with_context(|| format!("cannot ask for {what}"))?;
        let used = gauge.end(server)?;
        let measure = format!("{what}, {ASKING} at once, p95");
        rows.push(Row::at_most(measure, percentile(&mut times, 0.95), "ms", 100.0).under(&used));
    }
    Ok(rows)
}

/// Questions made of what this city has: every area, every class, months and days back to the first case.
async fn kinds(door: &Arc<Door>) -> anyhow::Result<Vec<Kind>> {
    let catalogue: Value = serde_json::from_str(&door.get("/api/v1/catalogue").await?)?;
    let codes = |list: &str| -> anyhow::Result<Vec<String>> {
        let entries = catalogue[list].as_array().with_context(|| format!("the catalogue has no {list}"))?;
        Ok(entries.iter().filter_map(|entry| entry["code"].as_str().map(str::to_owned)).collect())
    };
    let [areas, classes, departments] = [codes("areas")?, codes("classes")?, codes("departments")?];
    let known = known_cases(door).await?;
    let numbers: Vec<&str> = known.iter().filter_map(|case| case["number"].as_str()).collect();
    ensure!(!numbers.is_empty(), "the store has no cases");
    // A number begins with its day: `20261121-00042`.
    let months: Vec<String> =
        numbers.iter().map(|number| format!("{}-{}", &number[..4], &number[4..6])).collect();
    let days: Vec<String> =
        numbers.iter().zip(&months).map(|(number, month)| format!("{month}-{}", &number[6..8])).collect();
    let list = |ask: String| format!("/api/v1/cases?limit=100&{ask}");
    let each = |values: &[String], ask: &dyn Fn(&str) -> String| {
        values.iter().map(|value| list(ask(value))).collect()
    };
    let mixed = areas.iter().zip(classes.iter().cycle()).zip(months.iter().cycle());
    Ok(vec![
        Kind { what: "list, newest cases", paths: vec![list("sort=newest".to_owned())] },
        Kind { what: "list, open cases by due time", paths: vec![list("open=true&sort=due".to_owned())] },
        Kind {
            what: "list, open cases of any area by due time",
            paths: each(&areas, &|area| format!("open=true&sort=due&area={area}")),
        },
        Kind { what: "list, all cases of any area", paths: each(&areas, &|area| format!("area={area}")) },
        Kind { what: "filter, class", paths: each(&classes, &|class| format!("class={class}")) },
        Kind { what: "filter, day of filing", paths: each(&days, &|day| format!("filed={day}")) },
        Kind {
            what: "filter, late dispatches of a day",
            paths: each(&days, &|day| format!("dispatched={day}&dispatched_late=true")),
        },
        Kind {
            what: "filter, department and month of closing",
            paths: departments
                .iter()
                .zip(months.iter().cycle())
                .map(|(department, month)| list(format!("department={department}&closed={month}")))
                .collect(),
        },
        Kind {
            what: "filter, area, class and month",
            paths: mixed
                .map(|((area, class), month)| list(format!("area={area}&class={class}&reported={month}")))
                .collect(),
        },
        Kind { what: "search, two characters of the address", paths: searches(&known) },
        Kind {
            what: "case by number",
            paths: numbers.iter().map(|number| list(format!("text={number}"))).collect(),
        },
        Kind {
            what: "case page",
            paths: known
                .iter()
                .filter_map(|case| Some(format!("/api/v1/cases/{}", case["id"].as_u64()?)))
                .collect(),
        },
    ])
}

/// Cases spread over the whole history.
async fn known_cases(door: &Arc<Door>) -> anyhow::Result<Vec<Value>> {
    const SAMPLES: u64 = 40;
    let newest: Value = serde_json::from_str(&door.get("/api/v1/cases?limit=1").await?)?;
    let last = newest["items"][0]["id"].as_u64().context("the store has no cases")?;
    let mut known = Vec::new();
    for sample in 0..SAMPLES {
        let id = 1 + last * sample / SAMPLES;
        let page: Value = serde_json::from_str(&door.get(&format!("/api/v1/cases/{id}")).await?)?;
        known.push(page["case"].clone());
    }
    Ok(known)
}

/// Two characters each, from the middle of addresses that there are.
fn searches(known: &[Value]) -> Vec<String> {
    let address = |case: &Value| -> Option<String> {
        let address = case["report"]["address"].as_str().or(case["address"].as_str())?;
        let two: String = address.chars().skip(1).take(2).collect();
        Some(format!("/api/v1/cases?limit=100&text={}", percent(&two)))
    };
    known.iter().filter_map(address).collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// [`ASKING`] ask one after the other for `length`; milliseconds of each answer.
async fn ask(door: &Arc<Door>, paths: &[String], length: Duration) -> anyhow::Result<Vec<f64>> {
    ensure!(!paths.is_empty(), "there is nothing to ask for");
    let until = Instant::now() + length;
    let asking = (0..ASKING).map(|who| {
        let (door, paths) = (door.clone(), paths.to_vec());
        tokio::spawn(async move {
            let mut times = Vec::new();
            for path in paths.iter().cycle().skip(who * 7 % paths.len()) {
                let began = Instant::now();
                door.get(path).await?;
                times.push(began.elapsed().as_secs_f64() * 1_000.0);
                if Instant::now() >= until {
                    break;
                }
            }
            anyhow::Ok(times)
        })
    });
    let mut all = Vec::new();
    for times in asking.collect::<Vec<_>>() {
        all.extend(times.await??);
    }
    Ok(all)
}
