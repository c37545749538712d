//! Doors: what opens them and what does not.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::code::DepartmentCode;
use domain::grant::Grant;
use domain::moment::{DAY_MS, HOUR_MS};
use domain::scope::Scope;

use super::*;

mod changes;
mod narrow;

fn access() -> (tempfile::TempDir, Access) {
    let dir = tempfile::tempdir().unwrap();
    let access = Access::open(dir.path(), Config::default()).unwrap();
    (dir, access)
}

const WALL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
/// Who does things here.
fn by(now: UtcMillis) -> Doer<'static> {
    Doer { by: "tests", now }
}

fn new_token(name: &str, role: Role) -> NewToken {
    let may = (role == Role::Machine).then(|| Grant::MODEST.into());
    NewToken { may, ..NewToken::wide(name, role) }
}

fn kiosk(name: &str) -> Kiosk {
    Kiosk { name: name.to_owned(), wall: "main".to_owned(), scope: Scope::All }
}

const NOW: UtcMillis = UtcMillis(1_700_000_000_000);

#[tokio::test]
async fn the_first_start_makes_one_admin_and_later_starts_none() {
    let (dir, access) = access();
    let first = access.bootstrap(NOW).await.unwrap();
    assert!(access.bootstrap(NOW).await.unwrap().is_empty());
    assert_eq!(first.iter().map(|made| made.name).collect::<Vec<_>>(), ["admin", "supervisor", "dispatcher"]);
    for made in &first {
        let cookie = access.sign_in(made.name, made.password.expose(), WALL, NOW).await.unwrap();
        let actor = access.by_cookie(cookie.expose(), NOW).unwrap();
        assert_eq!((actor.name.as_str(), actor.roles.len(), actor.powers_withheld), (made.name, 1, false));
    }
    let password = &first[0].password;
    drop(access);
    let again = Access::open(dir.path(), Config::default()).unwrap();
    assert!(again.bootstrap(NOW).await.unwrap().is_empty());
    assert!(again.sign_in("admin", password.expose(), WALL, NOW).await.is_ok());
}

#[tokio::test]
async fn five_wrong_passwords_lock_the_account_for_five_minutes() {
    let (_dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    for _ in 0..5 {
        assert!(matches!(access.sign_in("周敏", "wrong", WALL, NOW).await, Err(SignInError::Wrong)));
    }
    let right = access.sign_in("周敏", "correct horse battery", WALL, NOW).await;
    assert!(matches!(right, Err(SignInError::Locked { seconds: 300 })));
    let later = NOW.plus(5 * MINUTE_MS);
    assert!(access.sign_in("周敏", "correct horse battery", WALL, later).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_guesses_at_once_are_five_guesses() {
    let (_dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    let guesses: Vec<_> = (0..60)
        .map(|index| {
            let access = access.clone();
            tokio::spawn(async move { access.sign_in("周敏", &format!("guess {index}"), WALL, NOW).await })
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            Err(SignInError::Wrong) => looked_at += 1,
            Err(SignInError::Busy | SignInError::Locked { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked_at, 5);
    assert!(matches!(
        access.sign_in("周敏", "correct horse battery", WALL, NOW).await,
        Err(SignInError::Locked { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_is_turned_away_and_leaves_two_working_memories() {
    let (_dir, access) = access();
    let flood: Vec<_> = (0..300)
        .map(|index| {
            let access = access.clone();
            tokio::spawn(async move { access.sign_in(&format!("name {index}"), "guess", WALL, NOW).await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    // Half of them hang up: their checks still count until they are done.
    flood.iter().step_by(2).for_each(tokio::task::JoinHandle::abort);
    let mut busy = 0;
    for sign_in in flood {
        busy += usize::from(matches!(sign_in.await, Ok(Err(SignInError::Busy))));
    }
    assert!(busy >= 100, "{busy} were turned away");
    while access.0.hashing.available_permits() < HASHES_AT_ONCE {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(access.0.verifier.memories() <= HASHES_AT_ONCE);
    assert!(matches!(access.sign_in("name 1", "guess", WALL, NOW).await, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn an_unknown_account_is_refused_with_the_same_words() {
    let (_dir, access) = access();
    assert!(matches!(access.sign_in("nobody", "whatever", WALL, NOW).await, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn a_one_time_link_works_once_and_expires() {
    let (_dir, access) = access();
    access.bootstrap(NOW).await.unwrap();
    let link = access.one_time("admin", NOW);
    assert!(access.redeem(link.expose(), NOW).await.unwrap().is_some());
    assert!(access.redeem(link.expose(), NOW).await.unwrap().is_none());
    let late = access.one_time("admin", NOW);
    assert!(access.redeem(late.expose(), NOW.plus(ONCE_MS)).await.unwrap().is_none());
}

#[tokio::test]
async fn an_idle_session_ends() {
    let (_dir, access) = access();
    access.bootstrap(NOW).await.unwrap();
    let link = access.one_time("admin", NOW);
    let cookie = access.redeem(link.expose(), NOW).await.unwrap().unwrap();
    assert!(access.by_cookie(cookie.expose(), NOW.plus(12 * HOUR_MS)).is_some());
    assert!(access.by_cookie(cookie.expose(), NOW.plus(24 * HOUR_MS + 1)).is_none());
}

#[tokio::test]
async fn a_restart_signs_nobody_out_and_a_new_password_does() {
    let (dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    let link = access.one_time("周敏", NOW);
    let cookie = access.redeem(link.expose(), NOW).await.unwrap().unwrap();
    let before = access.by_cookie(cookie.expose(), NOW).unwrap();
    drop(access);
    let access = Access::open(dir.path(), Config::default()).unwrap();
    assert_eq!(access.by_cookie(cookie.expose(), NOW), Some(before));
    access.put_account("周敏", "another horse battery", &[Role::Viewer], None, NOW).await.unwrap();
    assert_eq!(access.by_cookie(cookie.expose(), NOW), None);
    drop(access);
    let access = Access::open(dir.path(), Config::default()).unwrap();
    assert_eq!(access.by_cookie(cookie.expose(), NOW), None);
    let link = access.one_time("周敏", NOW);
    let cookie = access.redeem(link.expose(), NOW).await.unwrap().unwrap();
    access.sign_out(cookie.expose()).await.unwrap();
    drop(access);
    let access = Access::open(dir.path(), Config::default()).unwrap();
    assert_eq!(access.by_cookie(cookie.expose(), NOW), None, "signed out for good");
}

#[tokio::test]
async fn a_kiosk_pairs_with_the_code_on_the_wall_and_only_reads() {
    let (_dir, access) = access();
    let claim = access.ask_pairing(WALL, NOW).unwrap();
    assert!(access.claim_pairing(&claim.claim, NOW).await.unwrap().is_none());
    assert!(matches!(
        access.approve_pairing(by(NOW), "not it", kiosk("wall-1")).await,
        Err(PairingRefused::UnknownCode)
    ));
    access.approve_pairing(by(NOW), &claim.code, kiosk("wall-1")).await.unwrap();
    let (cookie, wall) = access.claim_pairing(&claim.claim, NOW).await.unwrap().unwrap();
    assert_eq!(wall, "main");
    let actor = access.by_cookie(cookie.expose(), NOW).unwrap();
    assert_eq!((actor.name.as_str(), actor.roles.as_slice()), ("wall-1", [Role::Kiosk].as_slice()));
    assert_eq!(access.revoke(by(NOW), "wall-1").await.unwrap(), Some(Taken::Written));
    assert!(access.by_cookie(cookie.expose(), NOW).is_none());
}

#[test]
fn a_machine_token_is_no_cookie() {
    let (_dir, access) = access();
    let token = access.make_token("city-platform", Role::Machine, NOW).wait().unwrap();
    assert!(access.by_token(token.expose()).is_some());
    assert!(access.by_cookie(token.expose(), NOW).is_none());
    assert!(matches!(
        access.make_token("city-platform", Role::Machine, NOW).wait(),
        Err(AccessError::Taken(_))
    ));
}

#[tokio::test]
async fn an_account_and_a_token_never_share_a_name() {
    let (_dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    assert!(matches!(access.make_token("周敏", Role::Machine, NOW).await, Err(AccessError::Taken(_))));
    access.make_token("city", Role::Machine, NOW).await.unwrap();
    let taken = access.put_account("city", "correct horse battery", &[Role::Viewer], None, NOW).await;
    assert!(matches!(taken, Err(AccessError::Taken(_))));
    assert!(matches!(access.make_token("admin", Role::Machine, NOW).await, Err(AccessError::Taken(_))));
    let claim = access.ask_pairing(WALL, NOW).unwrap();
    let refused = access.approve_pairing(by(NOW), &claim.code, kiosk("周敏")).await;
    assert!(matches!(refused, Err(PairingRefused::Broken(AccessError::Taken(_)))));
    access.put_account("周敏", "another horse battery", &[Role::Viewer], None, NOW).await.unwrap();
}

#[test]
fn a_name_is_what_it_looks_like() {
    let (_dir, access) = access();
    for name in [
        "ad\u{200B}min2",
        "a\u{202E}b",
        "a\u{2066}b",
        "a\tb",
        "a\u{3000}b",
        "\u{3164}",
        "a\u{FEFF}b",
        "a\u{AD}b",
    ] {
        assert!(
            matches!(access.make_token(name, Role::Machine, NOW).wait(), Err(AccessError::Invalid(_))),
            "{name:?}"
        );
    }
    access.make_token("大屏 一号", Role::Kiosk, NOW).wait().unwrap();
}

/// Method: a stranger asks fifteen hundred times within seconds, from the wall's own address, as through one proxy.
#[tokio::test]
async fn strangers_who_ask_for_codes_push_out_none_that_is_young() {
    let (_dir, access) = access();
    let (approved, waiting) =
        (access.ask_pairing(WALL, NOW).unwrap(), access.ask_pairing(WALL, NOW).unwrap());
    access.approve_pairing(by(NOW), &approved.code, kiosk("wall-1")).await.unwrap();
    let mut refused = 0;
    for index in 1..1_500 {
        refused += usize::from(access.ask_pairing(WALL, NOW.plus(index)).is_err());
    }
    assert!(refused > 1_400, "the flood itself is turned away: {refused}");
    let later = NOW.plus(30_000);
    assert!(access.claim_pairing(&approved.claim, later).await.unwrap().is_some());
    access.approve_pairing(by(later), &waiting.code, kiosk("wall-2")).await.expect("its code still stands");
    assert!(access.claim_pairing(&waiting.claim, later).await.unwrap().is_some());
    // A minute later the flood's own codes give way, the oldest first.
    let after = NOW.plus(2 * MINUTE_MS);
    let wall = access.ask_pairing(WALL, after).unwrap();
    for index in 1..1_500 {
        let _ = access.ask_pairing(IpAddr::from([10, 0, 1, (index % 256) as u8]), after.plus(index));
    }
    access.approve_pairing(by(after.plus(20_000)), &wall.code, kiosk("wall-3")).await.unwrap();
}

#[tokio::test]
async fn one_operator_who_guesses_keeps_no_other_from_approving() {
    let (_dir, access) = access();
    let wall = access.ask_pairing(WALL, NOW).unwrap();
    let guesser = Doer { by: "guesser", now: NOW };
    for guess in 0..100 {
        let code = format!("{guess}");
        let refused = access.approve_pairing(guesser, &code, kiosk("wall-9")).await;
        assert!(matches!(refused, Err(PairingRefused::UnknownCode)), "{guess}: {refused:?}");
    }
    let paused = access.approve_pairing(guesser, &wall.code, kiosk("wall-9")).await;
    assert!(matches!(paused, Err(PairingRefused::Guessing)), "also with the right code: {paused:?}");
    access.approve_pairing(by(NOW), &wall.code, kiosk("wall-1")).await.expect("another one may");
}

#[tokio::test]
async fn two_kiosks_are_not_approved_under_one_name() {
    let (_dir, access) = access();
    let (one, two) = (access.ask_pairing(WALL, NOW).unwrap(), access.ask_pairing(WALL, NOW).unwrap());
    access.approve_pairing(by(NOW), &one.code, kiosk("wall-1")).await.unwrap();
    let refused = access.approve_pairing(by(NOW), &two.code, kiosk("wall-1")).await;
    assert!(matches!(refused, Err(PairingRefused::NamePending)));
    access.approve_pairing(by(NOW), &two.code, kiosk("wall-2")).await.unwrap();
    assert!(access.claim_pairing(&one.claim, NOW).await.unwrap().is_some());
    assert!(access.claim_pairing(&two.claim, NOW).await.unwrap().is_some());
}

/// `gridhall account add` runs beside the server and knows nothing of what it holds in memory.
#[tokio::test]
async fn a_new_password_given_in_another_process_signs_out_as_well() {
    let (dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    let cookie = access.sign_in("周敏", "correct horse battery", WALL, NOW).await.unwrap();
    let other = access.sign_in("周敏", "correct horse battery", WALL, NOW).await.unwrap();
    let command_line = Access::open(dir.path(), Config::default()).unwrap();
    command_line.put_account("周敏", "another battery staple", &[Role::Viewer], None, NOW).await.unwrap();
    access.see_others().await;
    assert!(access.by_cookie(cookie.expose(), NOW.plus(4_000)).is_none());
    // Also when the time has come to write down that the session was used.
    assert!(access.by_cookie(other.expose(), NOW.plus(HOUR_MS)).is_none());
    drop(access);
    let again = Access::open(dir.path(), Config::default()).unwrap();
    assert!(again.by_cookie(other.expose(), NOW.plus(HOUR_MS)).is_none());
}

/// `access.db` as version 1 made it.
const BEFORE: &str = "
    CREATE TABLE account (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL, roles TEXT NOT NULL,
        created_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE token (name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, role TEXT NOT NULL,
        created_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE session (digest BLOB PRIMARY KEY, account TEXT NOT NULL, csrf TEXT NOT NULL,
        opened_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) STRICT;
    PRAGMA user_version = 1;";

#[tokio::test]
async fn the_accounts_of_the_version_before_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    let hash = secret::hash_password("correct horse battery").unwrap();
    old.execute_batch(BEFORE).unwrap();
    old.execute("INSERT INTO account VALUES ('zhou', ?1, 'department', 0)", [&hash]).unwrap();
    drop(old);
    let access = Access::open(dir.path(), Config::default()).unwrap();
    let cookie = access.sign_in("zhou", "correct horse battery", WALL, NOW).await.unwrap();
    let actor = access.by_cookie(cookie.expose(), NOW).unwrap();
    assert_eq!((actor.roles.as_slice(), actor.department), ([Role::Department].as_slice(), None));
    // It belongs to no department, so it acts for none.
    let command = domain::command::Command::RespondToWhistle {
        whistle: domain::code::WhistleId(1),
        department: "urban".parse().unwrap(),
    };
    let refused = domain::role::acts_for(&actor.roles, None, &command).unwrap_err();
    assert_eq!(refused, domain::rejection::Rejection::NoDepartment);
    // What everybody may say it may say.
    assert_eq!(domain::role::acts_for(&actor.roles, None, &report()), Ok(None));
    assert_eq!(domain::role::acts_for(&actor.roles, Some(&"urban".parse().unwrap()), &report()), Ok(None));
    access.change_account("zhou", Change::Disable, "tests", NOW).await.unwrap();
    assert!(access.by_cookie(cookie.expose(), NOW).is_none());
    let made: Vec<_> =
        access.acts().await.unwrap().into_iter().map(|act| (act.by, act.act, act.name)).collect();
    assert_eq!(made, [("tests".to_owned(), "account disabled".to_owned(), "zhou".to_owned())]);
}

#[tokio::test]
async fn a_clock_set_back_makes_no_lock_code_or_link_longer_and_revoking_still_counts() {
    let (dir, access) = access();
    access.put_account("周敏", "correct horse battery", &[Role::Dispatcher], None, NOW).await.unwrap();
    let cookie = access.sign_in("周敏", "correct horse battery", WALL, NOW).await.unwrap();
    let (link, claim) = (access.one_time("周敏", NOW), access.ask_pairing(WALL, NOW).unwrap());
    for _ in 0..5 {
        assert!(access.sign_in("周敏", "wrong", WALL, NOW).await.is_err());
    }
    let back = NOW.plus(-5 * HOUR_MS);
    let locked = access.sign_in("周敏", "correct horse battery", WALL, back).await;
    assert!(matches!(locked, Err(SignInError::Locked { seconds: 300 })), "not five hours: {locked:?}");
    let later = back.plus(5 * MINUTE_MS);
    assert!(access.sign_in("周敏", "correct horse battery", WALL, later).await.is_ok());
    assert!(
        access.redeem(link.expose(), back).await.unwrap().is_none(),
        "a link for half an hour, not for five"
    );
    let approved = access.approve_pairing(by(back), &claim.code, kiosk("wall-1")).await;
    assert!(matches!(approved, Err(PairingRefused::UnknownCode)), "{approved:?}");
    // A little back is nobody's fault.
    let code = access.ask_pairing(WALL, NOW).unwrap().code;
    access.approve_pairing(by(NOW.plus(-1_000)), &code, kiosk("wall-2")).await.unwrap();
    // Another process takes the account away; the clock of this one does not hide it.
    assert!(access.by_cookie(cookie.expose(), back).is_some());
    let other = Access::open(dir.path(), Config::default()).unwrap();
    other.sign_out(cookie.expose()).await.unwrap();
    access.see_others().await;
    assert!(access.by_cookie(cookie.expose(), back.plus(MINUTE_MS)).is_none());
}

fn report() -> domain::command::Command {
    serde_json::from_value(serde_json::json!({ "report_case": { "report": {
        "source": "hotline", "class": "E01", "area": "530102", "address": "1", "description": "", "place": null
    } } }))
    .unwrap()
}
