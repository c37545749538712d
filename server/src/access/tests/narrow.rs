//! Supervision and disposal in two hands, machines that may what was said, and what each may see.

use super::*;

/// `access.db` as version 2 made it, with the first account and a machine's token of that time.
const VERSION_2: &str = "
    CREATE TABLE account (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL, roles TEXT NOT NULL,
        created_ms INTEGER NOT NULL, department TEXT, disabled_ms INTEGER, locked_ms INTEGER,
        unlocked_ms INTEGER) STRICT;
    CREATE TABLE act (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, by TEXT NOT NULL, act TEXT NOT NULL,
        name TEXT NOT NULL) STRICT;
    CREATE TABLE token (name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, role TEXT NOT NULL,
        created_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE session (digest BLOB PRIMARY KEY, account TEXT NOT NULL, csrf TEXT NOT NULL,
        opened_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) STRICT;
    PRAGMA user_version = 2;";

fn codes<T: std::str::FromStr<Err: std::fmt::Debug> + Ord>(codes: &[&str]) -> BTreeSet<T> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

/// Asks the account's session for its actor.
async fn actor(access: &Access, name: &str) -> Actor {
    let cookie = access.redeem(access.one_time(name, NOW).expose(), NOW).await.unwrap().unwrap();
    access.by_cookie(cookie.expose(), NOW).unwrap()
}

#[tokio::test]
async fn an_account_of_the_version_before_with_both_powers_may_use_neither_until_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    old.execute_batch(VERSION_2).unwrap();
    let hash = secret::hash_password("correct horse battery").unwrap();
    let add = |name: &str, roles: &str, department: Option<&str>| {
        let sql = "INSERT INTO account (name, password_hash, roles, created_ms, department) VALUES (?1, ?2, ?3, 0, ?4)";
        old.execute(sql, rusqlite::params![name, hash, roles, department]).unwrap();
    };
    add("admin", "admin,supervisor,dispatcher", None);
    add("wang", "department", Some("urban"));
    add("li", "department", None);
    let secret = Secret::random();
    old.execute(
        "INSERT INTO token VALUES ('city', ?1, 'machine', 0)",
        rusqlite::params![secret.digest().as_slice()],
    )
    .unwrap();
    drop(old);
    let access = Access::open(dir.path(), Config::default()).unwrap();
    let admin = actor(&access, "admin").await;
    assert_eq!((admin.roles.as_slice(), admin.powers_withheld), ([Role::Admin].as_slice(), true));
    assert_eq!(access.to_mend(), (vec!["admin".to_owned()], vec!["city".to_owned()]));
    // The token keeps what it had, and is listed as wide.
    let city = access.by_token(secret.expose()).unwrap();
    assert_eq!((city.may, city.scope, city.roles.as_slice()), (None, Scope::All, [Role::Machine].as_slice()));
    assert!(access.tokens().await.unwrap()[0].wide);
    // A department sees its own cases; one that belongs to none sees nothing.
    assert_eq!(actor(&access, "wang").await.scope, Scope::department("urban".parse().unwrap()));
    assert_eq!(actor(&access, "li").await.scope, Scope::nothing());
    // A small centre says so in its policy.
    access.set_powers_together(true);
    let admin = actor(&access, "admin").await;
    assert_eq!((admin.roles.len(), admin.powers_withheld), (3, false));
    assert_eq!(access.to_mend().0, Vec::<String>::new());
    // Or gives the account one of the two.
    access.set_powers_together(false);
    let roles = [Role::Admin, Role::Supervisor];
    access.put_account("admin", "correct horse battery", &roles, None, NOW).await.unwrap();
    assert_eq!(actor(&access, "admin").await.roles, roles);
}

#[tokio::test]
async fn supervision_and_disposal_are_given_to_two() {
    let (_dir, access) = access();
    let roads: DepartmentCode = "roads".parse().unwrap();
    for (roles, department) in [
        (vec![Role::Supervisor, Role::Dispatcher], None),
        (vec![Role::Admin, Role::Supervisor, Role::Department], Some(&roads)),
    ] {
        let refused = access.put_account("zhou", "correct horse battery", &roles, department, NOW).await;
        assert!(matches!(&refused, Err(AccessError::BothPowers(name)) if name == "zhou"), "{refused:?}");
    }
    let both = NewToken {
        may: Some([Grant::Supervise, Grant::Dispose].into()),
        ..NewToken::wide("city", Role::Machine)
    };
    let refused = access.make_token_noted(by(NOW), both.clone(), false).await;
    assert!(matches!(refused, Err(AccessError::BothPowers(_))), "{refused:?}");
    access.set_powers_together(true);
    let roles = [Role::Supervisor, Role::Dispatcher];
    access.put_account("zhou", "correct horse battery", &roles, None, NOW).await.unwrap();
    access.make_token_noted(by(NOW), both, false).await.unwrap();
}

#[tokio::test]
async fn a_token_may_what_was_said_and_a_scope_is_kept() {
    let (dir, access) = access();
    let scope = Scope::of(codes(&["530103"]), codes(&["urban"])).unwrap();
    let new = NewToken {
        scope: scope.clone(),
        may: Some([Grant::Report, Grant::Dispose].into()),
        department: Some("urban".parse().unwrap()),
        ..NewToken::wide("city", Role::Machine)
    };
    let secret = access.make_token_noted(by(NOW), new.clone(), false).await.unwrap();
    let account = NewAccount {
        name: "street".to_owned(),
        password: "correct horse battery".to_owned(),
        roles: vec![Role::Viewer],
        department: None,
        scope: Some(Scope::area("530103".parse().unwrap())),
    };
    access.set_account(account.clone(), NOW).await.unwrap();
    let asked = access.ask_pairing(WALL, NOW).unwrap();
    let wall = Kiosk { scope: scope.clone(), ..kiosk("wall-1") };
    access.approve_pairing(by(NOW), &asked.code, wall).await.unwrap();
    let (cookie, _) = access.claim_pairing(&asked.claim, NOW).await.unwrap().unwrap();
    drop(access);
    let access = Access::open(dir.path(), Config::default()).unwrap();
    let city = access.by_token(secret.expose()).unwrap();
    assert_eq!((&city.scope, city.may.as_ref()), (&scope, new.may.as_ref()));
    assert!(!city.is_granted(Grant::Read) && city.is_granted(Grant::Report));
    let finish: domain::command::Command = serde_json::from_str(r#"{"finish_disposal":{"case":1}}"#).unwrap();
    assert_eq!(city.acts_for(&finish), Ok(Some("urban".parse().unwrap())));
    assert_eq!(actor(&access, "street").await.scope, Scope::area("530103".parse().unwrap()));
    assert_eq!(access.by_cookie(cookie.expose(), NOW).unwrap().scope, scope);
    // What shows nothing, or says nothing, is given to nobody.
    let nothing = NewAccount { scope: Some(Scope::nothing()), ..account };
    assert!(matches!(access.set_account(nothing, NOW).await, Err(AccessError::Scope(_))));
    for wrong in [
        NewToken { may: None, ..NewToken::wide("a", Role::Machine) },
        NewToken { may: Some(BTreeSet::new()), ..NewToken::wide("a", Role::Machine) },
        NewToken { may: Some(Grant::MODEST.into()), ..NewToken::wide("a", Role::Kiosk) },
        NewToken { department: Some("urban".parse().unwrap()), ..NewToken::wide("a", Role::Inspector) },
    ] {
        let refused = access.make_token_noted(by(NOW), wrong.clone(), false).await;
        assert!(matches!(refused, Err(AccessError::May(_))), "{wrong:?}: {refused:?}");
    }
}

/// A scope that this version cannot read shows nothing rather than everything.
#[tokio::test]
async fn a_scope_that_cannot_be_read_shows_nothing() {
    let (dir, access) = access();
    access.put_account("zhou", "correct horse battery", &[Role::Viewer], None, NOW).await.unwrap();
    let file = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    file.execute("UPDATE account SET scope = '{\"later\":1}'", []).unwrap();
    assert_eq!(actor(&access, "zhou").await.scope, Scope::nothing());
}
