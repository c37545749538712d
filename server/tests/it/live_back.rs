//! The feed over a restart: screens that come back to a hall that was stopped, or cut off.
//!
//! What should be here: what they need to fetch anew, and what the store is asked. What should not: screens that are cut off or lag
//! while the hall goes on (`live_lag`).

use domain::command::Command;
use std::path::Path;
use std::sync::atomic::Ordering;

use crate::live_hall::{Hall, head_after, quick, work};
use crate::live_screen::Screen;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_many_screens_costs_the_store_one_read() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    work(hall.writer.clone(), 20).await;
    let seq = head_after(&hall).await;
    let mut screens: Vec<Screen> = Vec::new();
    for _ in 0..40 {
        let mut screen = Screen::new();
        let mut client = screen.connect(&hall, false).await;
        while screen.event() < seq {
            screen.step(&hall, &mut client).await;
        }
        screens.push(screen);
    }
    // Events that no screen has seen when the server goes.
    work(hall.writer.clone(), 5).await;
    hall.stop().await;
    let hall = Hall::start(dir.path(), quick()).await;
    let seq = head_after(&hall).await;
    for screen in &mut screens {
        let mut client = screen.connect(&hall, false).await;
        screen.follow_to(&hall, &mut client, seq).await;
        screen.assert_complete(seq);
    }
    assert_eq!(hall.reads.load(Ordering::SeqCst), 1, "reads of the store");
    hall.stop().await;
}

/// Ends a hall as a power cut does: what is on the disk stays, in a folder of its own, without the snapshot of a stop.
async fn cut_off(hall: Hall, dir: &Path) -> tempfile::TempDir {
    let left = tempfile::tempdir().unwrap();
    for name in [server::folder::DATABASE.to_owned(), format!("{}-wal", server::folder::DATABASE)] {
        std::fs::copy(dir.join(&name), left.path().join(&name)).unwrap();
    }
    let snapshots = dir.join("snapshots");
    if snapshots.exists() {
        std::fs::create_dir(left.path().join("snapshots")).unwrap();
        for kept in std::fs::read_dir(&snapshots).unwrap() {
            let kept = kept.unwrap();
            std::fs::copy(kept.path(), left.path().join("snapshots").join(kept.file_name())).unwrap();
        }
    }
    hall.stop().await;
    left
}

/// Method: a screen holds what goes while nobody hears it; then the server comes back on what a power cut leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn screens_of_a_hall_that_was_cut_off_go_on_where_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    work(hall.writer.clone(), 20).await;
    let seq = head_after(&hall).await;
    let mut screen = Screen::new();
    let mut client = screen.connect(&hall, false).await;
    screen.follow_to(&hall, &mut client, seq).await;
    let taken = screen.snapshots;
    let held = screen.follower.held().whistles.iter().next().expect("a call is open").id;
    hall.send(Command::CloseWhistle { whistle: held, note: String::new() }).await;
    work(hall.writer.clone(), 5).await;
    let left = cut_off(hall, dir.path()).await;
    let hall = Hall::start(left.path(), quick()).await;
    let seq = head_after(&hall).await;
    let mut client = screen.connect(&hall, false).await;
    screen.follow_to(&hall, &mut client, seq).await;
    screen.assert_complete(seq);
    assert_eq!(screen.follower.counts().resyncs, 0, "a topic was begun anew");
    assert_eq!(screen.snapshots, taken, "snapshots");
    assert!(hall.reads.load(Ordering::SeqCst) <= 1, "lines before the snapshot of the day");
    // What a stop leaves ends with a snapshot: whoever stood before it begins anew, lines of the log go on without a gap.
    head_after(&hall).await;
    hall.stop().await;
    let hall = Hall::start(left.path(), quick()).await;
    work(hall.writer.clone(), 5).await;
    let again = cut_off(hall, left.path()).await;
    let hall = Hall::start(again.path(), quick()).await;
    let seq = head_after(&hall).await;
    let mut client = screen.connect(&hall, false).await;
    screen.follow_to(&hall, &mut client, seq).await;
    screen.assert_complete(seq);
    assert!(screen.snapshots > taken, "stood before what the start has read");
    assert_eq!(hall.reads.load(Ordering::SeqCst), 1, "reads of the store");
    hall.stop().await;
}
