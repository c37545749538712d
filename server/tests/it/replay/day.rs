//! A random day, looked at while it happens and again when it is past.

use std::time::Duration;

use domain::moment::{MINUTE_MS, SECOND_MS, UtcMillis};
use serde_json::{Value, json};

use super::{Day, Past, everything, minute, questions};

/// What is said of the store itself, and how far something is laid out, is not of the day.
fn of_the_day(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("epoch");
        fields.remove("laid_out_percent");
    }
    answer
}

async fn looked_at(past: &Past, base: &str, reported: u64) -> Vec<(String, u16, Value)> {
    let mut answers = Vec::new();
    for question in questions(reported) {
        let path = format!("{base}{question}");
        let (status, mut answer) = past.ask(&past.admin, "GET", &path, None).await;
        // A page of events takes so long at most: read on to the end.
        while let (Some(next), true) = (answer["next"].as_u64(), question.contains("/events?")) {
            let (_, mut more) = past.ask(&past.admin, "GET", &format!("{path}&after={next}"), None).await;
            answer["next"] = more["next"].take();
            let items = more["items"].as_array().cloned().unwrap_or_default();
            answer["items"].as_array_mut().unwrap().extend(items);
        }
        answers.push((question, status, of_the_day(answer)));
    }
    answers
}

/// Everything that is due is recorded, and lists and tallies have it.
async fn settled(past: &Past) {
    let mut head = u64::MAX;
    while past.hall.reader.head().unwrap() != head {
        head = past.hall.reader.head().unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_fifty_instants_of_a_day_the_past_is_what_was_live_then() {
    let past = Past::new().await;
    let mut day = Day::new(20_261_121);
    let (mut reported, mut raised, mut kept) = (0, 0, Vec::new());
    while kept.len() < 50 {
        for _ in 0..30 {
            let answer = past.send(day.command(reported, raised)).await;
            let numbers = answer.map(|answer| (answer.case, answer.whistle));
            reported = reported.max(numbers.and_then(|(case, _)| case).map_or(0, |case| case.0));
            raised = raised.max(numbers.and_then(|(_, whistle)| whistle).map_or(0, |whistle| whistle.0));
        }
        for step in day.through(reported) {
            past.send(step).await;
        }
        past.pass(day.pick(20) as i64 * MINUTE_MS + SECOND_MS).await;
        settled(&past).await;
        let at = past.clock.now();
        kept.push((at, past.hall.reader.head().unwrap(), reported, looked_at(&past, "", reported).await));
        past.clock.pass(1);
    }
    assert!(reported > 100 && raised > 10, "a day with something in it: {reported} {raised}");
    past.pass(60 * MINUTE_MS).await;
    settled(&past).await;
    let before = everything(past.dir.path());
    let (status, opened) = past.order(minute(0).plus(1), past.clock.now(), Some(kept[0].0)).await;
    assert_eq!(status, 201, "{opened}");
    let base = opened["base"].as_str().unwrap().to_owned();
    let mut epochs = std::collections::BTreeSet::new();
    // In no order, as a hand scrubs.
    for turn in 0..kept.len() {
        let (at, head, reported, then) = &kept[turn * 37 % kept.len()];
        let (status, told) = past.drive(&base, json!({ "at": at })).await;
        assert_eq!((status, &told["now"], &told["pace_milli"]), (200, &json!(at), &json!(0)), "{told}");
        let now = looked_at(&past, &base, *reported).await;
        for (then, now) in then.iter().zip(&now) {
            assert!(then == now, "{} at {at:?}, after event {head}: {}\n{}", then.0, then.2, now.2);
        }
        let tally = past.get(&format!("{base}/api/v1/tally")).await;
        assert!(epochs.insert(tally["epoch"].as_str().unwrap().to_owned()), "numbers of another instant");
    }
    assert_eq!(everything(past.dir.path()), before, "the log that goes on has not been touched");
    past.stop().await;
}

/// Driven through the events and not made anew: as it was, all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_past_goes_on_by_itself_to_what_was_live_then_and_stands_still_at_its_end() {
    let past = Past::new().await;
    let mut day = Day::new(7);
    past.pass(MINUTE_MS).await;
    let from = past.clock.now();
    let (mut reported, mut raised) = (0, 0);
    for _ in 0..400 {
        let answer = past.send(day.command(reported, raised)).await;
        reported = reported.max(answer.as_ref().and_then(|answer| answer.case).map_or(0, |case| case.0));
        raised = raised.max(answer.and_then(|answer| answer.whistle).map_or(0, |whistle| whistle.0));
        past.pass(3 * SECOND_MS).await;
    }
    settled(&past).await;
    let then = looked_at(&past, "", reported).await;
    let to: UtcMillis = past.clock.now();
    let (status, opened) = past.order(from, to, None).await;
    assert_eq!(status, 201, "{opened}");
    let base = opened["base"].as_str().unwrap().to_owned();
    let world = past.get(&format!("{base}/api/v1/world")).await;
    assert_eq!((&world["kind"], &world["pace_milli"]), (&json!("replay"), &json!(1_000)), "{world}");
    assert_eq!(past.drive(&base, json!({ "pace_milli": 600_000 })).await.0, 200);
    let mut told = Value::Null;
    for _ in 0..600 {
        told = past.get(&format!("{base}/api/v1/world")).await;
        if told["state"] == "ended" && told["pace_milli"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((&told["state"], &told["now"]), (&json!("ended"), &json!(to)), "{told}");
    assert_eq!(looked_at(&past, &base, reported).await, then);
    past.stop().await;
}
