//! The live feed over real sockets: screens that are cut off, lag or stall while the hall goes on.
//!
//! What should not be here: halls that go and come back (`live_back`), what is said on a connection that holds (`live`).

use std::time::Duration;

use domain::wire::{ClientMessage, Incoming, ServerMessage, Topic};
use server::live::Limits;

use crate::live_hall::{Hall, head_after, quick, work};
use crate::live_screen::{Client, Screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cut_a_hundred_times_misses_nothing_and_sees_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let working = tokio::spawn(work(hall.writer.clone(), 120));
    let mut screen = Screen::new();
    for cut in 0..100 {
        let mut client = screen.connect(&hall, cut % 2 == 0).await;
        for _ in 0..cut % 5 {
            screen.step(&hall, &mut client).await;
        }
    }
    working.await.unwrap();
    let seq = head_after(&hall).await;
    let mut client = screen.connect(&hall, true).await;
    screen.follow_to(&hall, &mut client, seq).await;
    screen.assert_complete(seq);
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_skips_in_keyed_topics_and_loses_no_event() {
    let dir = tempfile::tempdir().unwrap();
    // Whoever takes nothing for long is closed; that is another test, and a busy machine takes its time over the work.
    let patient = Limits { stall_ms: 600_000, ..quick() };
    let hall = Hall::start(dir.path(), patient).await;
    let mut screen = Screen::new();
    let mut client = screen.connect(&hall, true).await;
    screen.step(&hall, &mut client).await;
    // Nothing is read while thousands of events pass.
    work(hall.writer.clone(), 300).await;
    let seq = head_after(&hall).await;
    screen.follow_to(&hall, &mut client, seq).await;
    screen.assert_complete(seq);
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_is_closed_and_others_do_not_notice() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { stall_ms: 5_000, ..quick() };
    let hall = Hall::start(dir.path(), limits).await;
    let began = tokio::time::Instant::now();
    let stalled = Client::connect(hall.address, false).await;
    let mut screen = Screen::new();
    let mut client = screen.connect(&hall, false).await;
    while hall.hub.connections() == 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "a stalled client is closed");
        screen.step(&hall, &mut client).await;
    }
    assert!(began.elapsed() > Duration::from_millis(4_500), "not before its time");
    let seq = head_after(&hall).await;
    screen.follow_to(&hall, &mut client, seq).await;
    drop(stalled);
    hall.stop().await;
}

/// A burst within the time of one message; after it nothing happens that would take it along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_ceiling_held_back_comes_in_its_time_though_the_hall_has_come_to_rest() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let mut client = Client::connect(hall.address, true).await;
    let asked = ClientMessage::Subscribe { topic: Topic::TALLY, epoch: None, from: None, max_hz: Some(1) };
    client.say(&asked).await;
    let (mut seq, mut told) = (head_after(&hall).await, 0);
    let began = tokio::time::Instant::now();
    for burst in [0, 3] {
        for _ in 0..burst {
            seq = head_after(&hall).await;
        }
        while told < seq {
            assert!(began.elapsed() < Duration::from_secs(20), "told of {told}, not of {seq}");
            let next = client.next().await.expect("the connection goes on");
            if let Incoming::Message(ServerMessage::Deltas { deltas, .. }) = next {
                told = deltas.iter().map(|delta| delta.to).max().unwrap_or(told);
            }
        }
    }
    hall.stop().await;
}
