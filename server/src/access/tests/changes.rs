//! Accounts that are changed while somebody uses them or signs in.

use super::*;

#[tokio::test]
async fn an_unlocking_in_the_future_ends_no_lock() {
    let (dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).unwrap();
    // Another process, whose unlocking the server does not see but in the file; its clock was a day ahead.
    let command_line = Access::open(dir.path(), Config::default()).unwrap();
    command_line.change_account("周敏", Change::Unlock, "tests", NOW.plus(24 * HOUR_MS)).unwrap();
    for _ in 0..5 {
        assert!(access.sign_in("周敏", "wrong", NOW).await.is_err());
    }
    let sixth = access.sign_in("周敏", "correct horse battery", NOW.plus(1_000)).await;
    assert!(matches!(sixth, Err(SignInError::Locked { .. })), "{sixth:?}");
    // One that has happened does.
    command_line.change_account("周敏", Change::Unlock, "tests", NOW.plus(2_000)).unwrap();
    assert!(access.sign_in("周敏", "correct horse battery", NOW.plus(3_000)).await.is_ok());
}

/// What another process does to the account.
type Done = fn(&Access);

/// Method: both places for checks of passwords are held, so that the sign-in waits after it has read the account; then
/// another process changes it.
#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_its_account() {
    let changes: [(&str, Done); 3] = [
        ("disabled", |access| access.change_account("zhou", Change::Disable, "tests", NOW).unwrap()),
        ("removed", |access| access.change_account("zhou", Change::Remove, "tests", NOW).unwrap()),
        ("new password", |access| {
            access.put_account("zhou", "another battery staple", &[Role::Viewer], None, NOW).unwrap();
        }),
    ];
    for (what, change) in changes {
        let (dir, access) = access();
        access.put_account("zhou", "correct horse battery", &[Role::Dispatcher], None, NOW).unwrap();
        let held = access.0.hashing.clone().acquire_many_owned(HASHES_AT_ONCE as u32).await.unwrap();
        let signing_in = tokio::spawn({
            let access = access.clone();
            async move { access.sign_in("zhou", "correct horse battery", NOW).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        change(&Access::open(dir.path(), Config::default()).unwrap());
        drop(held);
        let signed = signing_in.await.unwrap();
        assert!(matches!(signed, Err(SignInError::Wrong)), "{what}: {signed:?}");
    }
}

/// A disk that takes no session: the session holds in memory, and ends with its account all the same.
#[tokio::test]
async fn a_session_that_could_not_be_stored_ends_with_its_account() {
    let (dir, access) = access();
    access.put_account("zhou", "correct horse battery", &[Role::Viewer], None, NOW).unwrap();
    let file = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    let cookie = access.sign_in("zhou", "correct horse battery", NOW).await.unwrap();
    assert!(access.by_cookie(cookie.expose(), NOW.plus(2_000)).is_some());
    let command_line = Access::open(dir.path(), Config::default()).unwrap();
    command_line.change_account("zhou", Change::Disable, "tests", NOW).unwrap();
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
    access.bootstrap(NOW).unwrap();
    let demote = || access.put_account("admin", "correct horse battery", &[Role::Viewer], None, NOW);
    assert!(matches!(demote(), Err(AccessError::Invalid(words)) if words.contains("only administrator")));
    assert!(access.account("admin").unwrap().unwrap().roles.contains(&Role::Admin));
    access.put_account("zhou", "correct horse battery", &[Role::Admin], None, NOW).unwrap();
    demote().unwrap();
}

/// Method: nothing can be recorded any more.
#[test]
fn what_cannot_be_recorded_is_not_done() {
    let (dir, access) = access();
    let kept = access.make_token_noted(by(NOW), "kept", Role::Machine, false).unwrap();
    let file = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    file.execute_batch("CREATE TRIGGER full BEFORE INSERT ON act BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    assert!(access.make_token_noted(by(NOW), "lost", Role::Machine, false).is_err());
    assert!(access.make_token_noted(by(NOW), "kept", Role::Machine, true).is_err());
    assert!(access.revoke(by(NOW), "kept").is_err());
    assert!(access.by_token(kept.expose()).is_some(), "its secret still counts");
    let asked = access.ask_pairing(WALL, NOW).unwrap();
    assert!(access.approve_pairing(by(NOW), &asked.code, "wall-1", "main").is_err());
    assert!(access.claim_pairing(&asked.claim, NOW).unwrap().is_none(), "not approved");
    file.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(access.tokens().unwrap().len(), 1);
    access.approve_pairing(by(NOW), &asked.code, "wall-1", "main").unwrap();
    access.make_token_noted(by(NOW), "kept", Role::Machine, true).unwrap();
    assert!(access.by_token(kept.expose()).is_none());
    let acts: Vec<String> = access.acts().unwrap().into_iter().map(|act| act.act).collect();
    assert_eq!(acts, ["token made", "kiosk paired", "token revoked", "token made"]);
}
