//! The demonstration at other paces than real: its chart, its stages and its limits are those of the city it shows.
//!
//! Short by default, ten minutes each with `GRIDHALL_LONG`. The city is smaller than the published one, so that two busy cores of
//! a build without optimisation keep up at six hundred times.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use domain::case::{CaseEvent, Stage};
use domain::code::CaseId;
use domain::event::{Event, Recorded};
use domain::moment::{Date, HOUR_MS, MINUTE_MS, UtcMillis};
use domain::role::Role;
use domain::tally::{Dimension, Measure, Period, TallyKey};
use server::config::Config;
use server::events::Reader;
use server::serve::{Demonstration, Running};
use sim::city::figures::{LATE_SHARE, STAGE_MINUTES};
use sim::city::past::Rules;
use sim::city::{Options, Past, Summary};
use sim::client::Client;

use crate::long::is_long;

const CASES_A_DAY: f64 = 3_000.0;
/// Cases by which a count may differ from what it is held against, whatever its size.
const SLACK: i64 = 12;

async fn hall(dir: &Path) -> Running {
    let mut config = Config::default();
    config.store.dir = dir.to_owned();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    config.policy.overlays = vec![demo.join("policy.toml"), demo.join("areas.toml")];
    // A Friday morning.
    config.demonstration = Some(Demonstration::read(Some("2026-11-27T10:40"), 1.0).unwrap());
    server::serve::start(config).await.unwrap()
}

/// A city at a pace, once its past is there.
fn at_pace(pace: f64, lasts: Duration, every_day: bool) -> Options {
    Options {
        seed: 1,
        cases_a_day: CASES_A_DAY,
        inspectors: 50,
        cases: true,
        past: Past::IfEmpty,
        weeks: 4,
        every_day,
        flood: true,
        pace: Some(pace),
        lasts: Some(lasts),
    }
}

async fn live(running: &Running, options: Options) -> Summary {
    let token = running
        .hall
        .access
        .make_token(&format!("city-{}", running.hall.clock.now().0), Role::Machine, UtcMillis(0))
        .await
        .unwrap();
    let client = Client::new(&format!("http://{}", running.address), token.expose());
    let lived = tokio::task::spawn_blocking(move || sim::city::run(&client, options, &|| false));
    lived.await.unwrap().unwrap()
}

/// One stay in a stage: since when, and until when; none while it lasts.
#[derive(Clone, Copy)]
struct Stay {
    stage: Stage,
    entered: UtcMillis,
    left: Option<UtcMillis>,
}

fn each_event(reader: &Reader, mut take: impl FnMut(Recorded)) {
    let mut after = 0;
    loop {
        let page = reader.events_after(after, 5_000).unwrap();
        let Some((last, _)) = page.last() else { return };
        after = last.seq;
        page.into_iter().for_each(|(recorded, _)| take(recorded));
    }
}

/// Every stay of every case, those of the past as they were taken over.
fn stays(reader: &Reader) -> Vec<Stay> {
    let mut done = Vec::new();
    let mut open: HashMap<CaseId, (Stage, UtcMillis)> = HashMap::new();
    each_event(reader, |recorded| {
        let Event::Case(case, event) = recorded.event else { return };
        match event {
            CaseEvent::Reported { .. } => {
                open.insert(case, (Stage::Accept, recorded.at));
            }
            CaseEvent::TakenOver { history, .. } => {
                let mut at = (Stage::Accept, history.opened);
                for known in &history.steps {
                    done.push(Stay { stage: at.0, entered: at.1, left: Some(known.at) });
                    at = (known.step.stage_after(at.0), known.at);
                }
                match history.closed {
                    Some(closed) => done.push(Stay { stage: at.0, entered: at.1, left: Some(closed) }),
                    None => drop(open.insert(case, at)),
                }
            }
            CaseEvent::Stepped(stepped) => {
                let Some((stage, entered)) = open.remove(&case) else { return };
                done.push(Stay { stage, entered, left: Some(recorded.at) });
                if !stepped.step.closes() {
                    open.insert(case, (stepped.step.stage_after(stage), recorded.at));
                }
            }
            _ => {}
        }
    });
    done.extend(open.into_values().map(|(stage, entered)| Stay { stage, entered, left: None }));
    done
}

/// The middle of the stays that began early enough for it to be seen: one that lasts is longer than that.
fn median_minutes(stays: &[Stay], stage: Stage, expected: f64, now: UtcMillis) -> f64 {
    let latest = now.plus(-(1.6 * expected * MINUTE_MS as f64) as i64);
    let seen = |stay: &&Stay| {
        stay.stage == stage && stay.entered < latest && stay.entered > latest.plus(-12 * HOUR_MS)
    };
    let mut minutes: Vec<f64> = stays
        .iter()
        .filter(seen)
        .map(|stay| {
            stay.left.map_or(f64::INFINITY, |left| left.since(stay.entered) as f64 / MINUTE_MS as f64)
        })
        .collect();
    assert!(minutes.len() > 100, "too few stays in {stage:?}: {}", minutes.len());
    minutes.sort_by(f64::total_cmp);
    minutes[minutes.len() / 2]
}

/// Of the dispatches whose limit could have run out: how many were late, and of how many.
fn late(stays: &[Stay], rules: &Rules, now: UtcMillis) -> (usize, usize) {
    let due = |stay: &Stay| rules.due(stay.entered);
    let judged: Vec<&Stay> = stays
        .iter()
        .filter(|stay| stay.stage == Stage::Dispatch)
        .filter(|stay| due(stay) < now && due(stay) > now.plus(-24 * HOUR_MS))
        .collect();
    let late = judged.iter().filter(|stay| stay.left.is_none_or(|left| left > due(stay)));
    (late.count(), judged.len())
}

/// How many cases a measure has counted by the end of an hour of a day.
fn by_hour(running: &Running, measure: Measure, date: Date, hour: u8) -> i64 {
    let cell = |hour| TallyKey { measure, dimension: Dimension::City, period: Period::Hour(date, hour) };
    running.hall.mirror.read(|_| {
        running.hall.mirror.tally(|counts| (0..=hour).map(|hour| counts.get(&cell(hour)).cases).sum())
    })
}

/// Hours that ended while the city lived, with their days.
fn hours(from: UtcMillis, now: UtcMillis, rules: &Rules) -> Vec<(Date, u8)> {
    let begins = from.0.div_euclid(HOUR_MS) * HOUR_MS;
    let starts = (0..).map(|hour| UtcMillis(begins + hour * HOUR_MS));
    let ended = starts.take_while(|start| start.plus(HOUR_MS) <= now);
    ended.map(|start| start.local(rules.offset)).map(|local| (local.date, local.hour())).collect()
}

async fn the_city_stays_true(pace: f64, lasts: Duration, every_day: bool) {
    let dir = tempfile::tempdir().unwrap();
    let running = hall(dir.path()).await;
    let from = running.hall.clock.now();
    let summary = live(&running, at_pace(pace, lasts, every_day)).await;
    let now = running.hall.clock.now();
    assert_eq!((summary.refused, summary.retries), (0, 0), "{summary:?}");
    let lived_ms = now.since(from) as f64;
    assert!(lived_ms > pace * lasts.as_millis() as f64, "the clock went {lived_ms} ms at {pace}");
    let policy = running.hall.policy();
    let rules = Rules {
        offset: policy.utc_offset_minutes,
        dispatch_limit: policy.dispatch_limit,
        calendar: policy.calendar.clone(),
    };
    let reader = running.hall.reader.clone();
    let stays = tokio::task::spawn_blocking(move || stays(&reader)).await.unwrap();
    let mut faults = Vec::new();
    for stage in Stage::ALL {
        let expected = STAGE_MINUTES[stage as usize];
        let median = median_minutes(&stays, stage, expected, now);
        eprintln!("×{pace} {stage:?}: {median:.1} minutes, configured {expected}");
        if (median / expected - 1.0).abs() > 0.2 {
            faults.push(format!("{stage:?} takes {median:.1} minutes instead of {expected}"));
        }
    }
    let (late, judged) = late(&stays, &rules, now);
    let share = late as f64 / judged as f64;
    eprintln!("×{pace} late: {late} of {judged}, {:.2} %", 100.0 * share);
    if (share - LATE_SHARE).abs() > 0.02 {
        faults.push(format!("{late} of {judged} are late"));
    }
    for measure in [Measure::Filed, Measure::Closed] {
        for (date, hour) in hours(from, now, &rules) {
            let usual = [7, 14, 21, 28].map(|back| by_hour(&running, measure, date.plus_days(-back), hour));
            let (low, high) = (usual.iter().min().unwrap(), usual.iter().max().unwrap());
            let count = by_hour(&running, measure, date, hour);
            eprintln!("×{pace} {} {date} {hour:02}: {count} of {low} to {high}", measure.key());
            if !(low - SLACK..=high + SLACK).contains(&count) {
                faults.push(format!("{count} {} on {date} by {hour}, usual {usual:?}", measure.key()));
            }
        }
    }
    running.stop().await.unwrap();
    assert!(faults.is_empty(), "×{pace}: {faults:#?}");
}

fn lasts(short_s: u64) -> Duration {
    if is_long() { Duration::from_secs(600) } else { Duration::from_secs(short_s) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_sixty_times_the_chart_the_stages_and_the_late_share_are_the_citys() {
    the_city_stays_true(60.0, lasts(25), false).await;
}

/// Method: long, the clock passes four midnights, and each day is held against the same weekday of the weeks before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_six_hundred_times_the_chart_the_stages_and_the_late_share_are_the_citys() {
    the_city_stays_true(600.0, lasts(40), is_long()).await;
}

/// Method: one city leaves cases open in every stage; another lives an hour and a half of the hall's time in the same store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_that_comes_back_takes_up_what_the_last_one_left_open() {
    let dir = tempfile::tempdir().unwrap();
    let running = hall(dir.path()).await;
    let of_the_past = Options { weeks: 0, ..at_pace(1.0, Duration::ZERO, false) };
    live(&running, of_the_past.clone()).await;
    let left_at = running.hall.clock.now();
    let summary =
        live(&running, Options { pace: Some(600.0), lasts: Some(Duration::from_secs(9)), ..of_the_past })
            .await;
    assert_eq!((summary.refused, summary.retries), (0, 0), "{summary:?}");
    let reader = running.hall.reader.clone();
    let stays = tokio::task::spawn_blocking(move || stays(&reader)).await.unwrap();
    let waited =
        stays.iter().filter(|stay| stay.entered <= left_at && stay.left.is_none_or(|left| left > left_at));
    // Their stays are short: in that time nearly all of them go on.
    let waited: Vec<&Stay> =
        waited.filter(|stay| matches!(stay.stage, Stage::Accept | Stage::File)).collect();
    let gone_on = waited.iter().filter(|stay| stay.left.is_some()).count();
    running.stop().await.unwrap();
    assert!(waited.len() > 20, "too few waited: {}", waited.len());
    assert!(gone_on * 10 > waited.len() * 9, "{gone_on} of {} went on", waited.len());
}
