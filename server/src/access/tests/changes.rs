//! Accounts that are changed while somebody uses them or signs in.

use super::*;

#[tokio::test]
async fn an_unlocking_in_the_future_ends_no_lock() {
    let (dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    // Another process, whose unlocking the server does not see but in the file; its clock was a day ahead.
    let command_line = Access::open(dir.path(), Config::default()).unwrap();
    command_line.change_account("周敏", Change::Unlock, "tests", NOW.plus(24 * HOUR_MS)).await.unwrap();
    for _ in 0..5 {
        assert!(access.sign_in("周敏", "wrong", WALL, NOW).await.is_err());
    }
    let sixth = access.sign_in("周敏", "correct horse battery", WALL, NOW.plus(1_000)).await;
    assert!(matches!(sixth, Err(SignInError::Locked { .. })), "{sixth:?}");
    // One that has happened does.
    command_line.change_account("周敏", Change::Unlock, "tests", NOW.plus(2_000)).await.unwrap();
    assert!(access.sign_in("周敏", "correct horse battery", WALL, NOW.plus(3_000)).await.is_ok());
}

/// What another process does to the account.
type Done = fn(&Access);

/// Method: both places for checks of passwords are held, so that the sign-in waits after it has read the account; then
/// another process changes it.
#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_its_account() {
    let changes: [(&str, Done); 3] = [
        ("disabled", |access| {
            drop(access.change_account("zhou", Change::Disable, "tests", NOW).wait().unwrap())
        }),
        ("removed", |access| {
            drop(access.change_account("zhou", Change::Remove, "tests", NOW).wait().unwrap())
        }),
        ("new password", |access| {
            access.put_account("zhou", "another battery staple", &[Role::Viewer], None, NOW).wait().unwrap();
        }),
    ];
    for (what, change) in changes {
        let (dir, access) = access();
        access.put_account("zhou", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
        let held = access.0.hashing.clone().acquire_many_owned(HASHES_AT_ONCE as u32).await.unwrap();
        let signing_in = tokio::spawn({
            let access = access.clone();
            async move { access.sign_in("zhou", "correct horse battery", WALL, NOW).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let other = Access::open(dir.path(), Config::default()).unwrap();
        tokio::task::spawn_blocking(move || change(&other)).await.unwrap();
        drop(held);
        let signed = signing_in.await.unwrap();
        assert!(matches!(signed, Err(SignInError::Wrong)), "{what}: {signed:?}");
    }
}

/// A disk that takes no session: the session holds in memory, and ends with its account all the same.
#[tokio::test]
async fn a_session_that_could_not_be_stored_ends_with_its_account() {
    let (dir, access) = access();
    access.put_account("zhou", "correct horse battery", &[Role::Viewer], None, NOW).await.unwrap();
    let file = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    let cookie = access.sign_in("zhou", "correct horse battery", WALL, NOW).await.unwrap();
    assert!(access.by_cookie(cookie.expose(), NOW.plus(2_000)).is_some());
    let command_line = Access::open(dir.path(), Config::default()).unwrap();
    command_line.change_account("zhou", Change::Disable, "tests", NOW).await.unwrap();
    access.see_others().await;
    assert!(access.by_cookie(cookie.expose(), NOW.plus(4_000)).is_none());
}

/// Method: twelve at once open the file of the version before, or none, twenty times.
#[test]
fn many_may_open_the_file_at_once() {
    for round in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        if round % 2 == 0 {
            let old = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
            old.execute_batch(BEFORE).unwrap();
        }
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| drop(Access::open(dir.path(), Config::default()).unwrap()));
            }
        });
    }
}

#[test]
fn the_only_administrator_cannot_be_made_a_viewer() {
    let (_dir, access) = access();
    access.bootstrap(NOW).wait().unwrap();
    let demote = || access.put_account("admin", "correct horse battery", &[Role::Viewer], None, NOW).wait();
    assert!(matches!(demote(), Err(AccessError::Invalid(words)) if words.contains("only administrator")));
    assert!(access.account("admin").wait().unwrap().unwrap().roles.contains(&Role::Admin));
    access.put_account("zhou", "correct horse battery", &[Role::Admin], None, NOW).wait().unwrap();
    demote().unwrap();
}

/// Method: nothing can be recorded any more.
#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let (dir, access) = access();
    let kept = access.make_token_noted(by(NOW), new_token("kept", Role::Machine), false).await.unwrap();
    let file = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON act BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    assert!(access.make_token_noted(by(NOW), new_token("lost", Role::Machine), false).await.is_err());
    assert!(access.make_token_noted(by(NOW), new_token("kept", Role::Machine), true).await.is_err());
    assert!(access.by_token(kept.expose()).is_some(), "its secret still counts");
    let asked = access.ask_pairing(WALL, NOW).unwrap();
    assert!(access.approve_pairing(by(NOW), &asked.code, kiosk("wall-1")).await.is_err());
    assert!(access.claim_pairing(&asked.claim, NOW).await.unwrap().is_none(), "not approved");
    file.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(access.tokens().await.unwrap().len(), 1);
    access.approve_pairing(by(NOW), &asked.code, kiosk("wall-1")).await.unwrap();
    access.make_token_noted(by(NOW), new_token("kept", Role::Machine), true).await.unwrap();
    assert!(access.by_token(kept.expose()).is_none());
    let acts: Vec<String> = access.acts().await.unwrap().into_iter().map(|act| act.act).collect();
    assert_eq!(acts, ["token made", "kiosk paired", "token revoked", "token made"]);
}

/// Method: nothing can be written any more, as on a full disk; then another process makes a token, and then there is room.
#[tokio::test]
async fn a_right_is_taken_away_in_memory_and_written_down_when_it_can_be() {
    let (dir, access) = access();
    let token = access.make_token("phone", Role::Inspector, NOW).await.unwrap();
    access.put_account("root", "correct horse battery", &[Role::Admin], None, NOW).await.unwrap();
    access.put_account("zhou", "correct horse battery", &[Role::Viewer], None, NOW).await.unwrap();
    let cookies = [
        access.sign_in("root", "correct horse battery", WALL, NOW).await.unwrap(),
        access.sign_in("zhou", "correct horse battery", WALL, NOW).await.unwrap(),
    ];
    let file = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    let full = ["INSERT ON act", "DELETE ON token", "DELETE ON session"].map(|what| {
        let name = what.replace(' ', "_");
        format!("CREATE TRIGGER full_{name} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'full'); END;")
    });
    file.execute_batch(&full.concat()).unwrap();
    let revoked = access.revoke(by(NOW), "phone").await.unwrap();
    assert!(matches!(&revoked, Some(Taken::InForce { why }) if why.contains("full")), "{revoked:?}");
    let disabled = access.change_account("zhou", Change::Disable, "tests", NOW).await.unwrap();
    assert!(matches!(&disabled, Taken::InForce { .. }), "{disabled:?}");
    let last = access.change_account("root", Change::Disable, "tests", NOW).await;
    assert!(matches!(last, Err(AccessError::Invalid(_))), "also now somebody must be left: {last:?}");
    access.sign_out(cookies[0].expose()).await.unwrap_err();
    let nobody = |access: &Access| {
        assert!(access.by_token(token.expose()).is_none());
        assert!(cookies.iter().all(|cookie| access.by_cookie(cookie.expose(), NOW).is_none()));
    };
    nobody(&access);
    // The file is read again, and still says otherwise.
    file.execute(
        "INSERT INTO token (name, digest, role, created_ms) VALUES ('other', randomblob(32), 'machine', 0)",
        [],
    )
    .unwrap();
    access.see_others().await;
    nobody(&access);
    let drop_all = ["INSERT_ON_act", "DELETE_ON_token", "DELETE_ON_session"]
        .map(|name| format!("DROP TRIGGER full_{name};"));
    file.execute_batch(&drop_all.concat()).unwrap();
    access.settle().await;
    drop(access);
    let again = Access::open(dir.path(), Config::default()).unwrap();
    nobody(&again);
    let acts: Vec<String> = again.acts().await.unwrap().into_iter().map(|act| act.act).collect();
    assert_eq!(acts, ["token revoked", "account disabled"]);
}

/// A token made by another process, its revocation there, and a new one under its name.
#[tokio::test]
async fn what_another_process_does_to_tokens_is_seen() {
    let (dir, access) = access();
    let command_line = Access::open(dir.path(), Config::default()).unwrap();
    let token = command_line.make_token("phone", Role::Inspector, NOW).await.unwrap();
    assert!(access.find_token(token.expose()).await.unwrap().is_some());
    command_line.make_token_noted(by(NOW), new_token("phone", Role::Inspector), true).await.unwrap();
    // Nobody asks: the thread looks by itself.
    let began = crate::clock::instant();
    while access.by_token(token.expose()).is_some() {
        assert!(began.elapsed() < std::time::Duration::from_secs(4));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[test]
fn no_name_reads_as_an_act_of_the_hall_itself() {
    for name in ["system", "command line", "command line, uid 0"] {
        let error = crate::access::db::check_name(name).unwrap_err().to_string();
        assert!(error.contains("acts of the hall itself"), "{name}: {error}");
    }
    for name in ["J0007", "systems", "the command line"] {
        crate::access::db::check_name(name).unwrap();
    }
}

/// One reading forty days ahead signed everybody out for good; a session opened then could be used for forty days.
#[tokio::test]
async fn by_a_clock_that_is_doubted_no_session_ends_and_none_lasts_longer() {
    let (dir, access) = access();
    access.put_account("zhou", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    let sign_in = async |present: Present| {
        access.sign_in("zhou", "correct horse battery", WALL, present).await.unwrap()
    };
    let days = |days: i64| NOW.plus(days * DAY_MS);
    let ahead = Present { now: days(40), believed: NOW.plus(1_000), is_doubted: true };
    let early = sign_in(NOW.into()).await;
    assert!(access.by_cookie(early.expose(), ahead).is_some(), "by what is believed");
    // What seems over while the clock is doubted is refused and not ended.
    assert!(access.by_cookie(early.expose(), Present { believed: days(2), ..ahead }).is_none());
    assert!(access.by_cookie(early.expose(), NOW.plus(2_000)).is_some(), "the clock is right again");
    // Opened meanwhile: it lasts while that clock proves right, and no longer than any other when it was wrong.
    let (right, wrong) = (sign_in(ahead).await, sign_in(ahead).await);
    assert!(access.by_cookie(right.expose(), days(40).plus(HOUR_MS)).is_some());
    assert!(access.by_cookie(wrong.expose(), NOW.plus(10 * HOUR_MS)).is_some());
    assert!(access.by_cookie(wrong.expose(), NOW.plus(20 * HOUR_MS)).is_some());
    let again = Access::open(dir.path(), Config::default()).unwrap();
    for access in [access, again] {
        assert!(access.by_cookie(wrong.expose(), days(2)).is_none());
    }
}
