//! Addresses of pages are read as they were printed, and nothing else is one.

use super::*;
use crate::world::WorldKind;

fn replay() -> WorldId {
    WorldId::new(WorldKind::Replay, 0xabcd).unwrap()
}

fn main_wall() -> Route {
    Route::Wall { wall: MAIN_WALL.to_owned(), query: String::new() }
}

fn case(case: u64) -> Route {
    Route::Desk { case: Some(CaseId(case)), query: String::new() }
}

fn list(query: &str) -> Route {
    Route::Desk { case: None, query: query.to_owned() }
}

fn past(from: i64, to: i64, at: i64) -> Past {
    let [from, to, at] = [from, to, at].map(|ms| Some(UtcMillis(ms)));
    Past { from, to, at }
}

#[test]
fn every_page_is_read_again_as_it_was_printed() {
    let wall = |wall: &str, query: &str| Route::Wall { wall: wall.to_owned(), query: query.to_owned() };
    let then = Some("/desk/case/7?text=%E8%B7%AF&open=true".to_owned());
    for (route, address) in [
        (Route::Home, "/"),
        (Route::SignIn { then: None }, "/sign-in"),
        (Route::SignIn { then }, "/sign-in?then=%2Fdesk%2Fcase%2F7%3Ftext%3D%25E8%25B7%25AF%26open%3Dtrue"),
        (Route::Pair, "/pair"),
        (Route::Kiosks, "/kiosks"),
        (Route::Drill, "/drill"),
        (main_wall(), "/wall/main"),
        (wall("%E5%8D%97", "lang=en"), "/wall/%E5%8D%97?lang=en"),
        (list(""), "/desk"),
        (list("area=530102&late=true"), "/desk?area=530102&late=true"),
        (case(17), "/desk/case/17"),
        (
            Route::Desk { case: Some(CaseId(u64::MAX)), query: "a=1".to_owned() },
            "/desk/case/18446744073709551615?a=1",
        ),
        (Route::Department { case: None }, "/department"),
        (Route::Department { case: Some(CaseId(17)) }, "/department/case/17"),
        (Route::Replay { world: None, past: Past::default() }, "/replay"),
        (Route::Replay { world: None, past: past(0, 5, 3) }, "/replay?from=0&to=5&at=3"),
        (Route::Replay { world: Some(replay()), past: Past::default() }, "/replay/replay-0000abcd"),
    ] {
        assert_eq!(route.to_string(), address);
        assert_eq!(Route::parse(address), Some((None, route)), "{address}");
    }
}

#[test]
fn the_wall_of_an_address_is_read_in_its_own_world() {
    let base = replay().base();
    assert_eq!(wall_of("", "/wall/east?lang=en"), Some("east"));
    assert_eq!(wall_of(&base, "/world/replay-0000abcd/wall/main#x"), Some("main"));
    for foreign in ["/wall/", "/wall/..", "/wall/a/b", "/desk", "/world/replay-0000abcd/wall/main"] {
        assert_eq!(wall_of("", foreign), None, "{foreign}");
    }
}

#[test]
fn walls_and_desks_stand_below_their_world_and_the_other_pages_do_not() {
    let base = replay().base();
    assert_eq!(desk(&base, Some(CaseId(7)), ""), "/world/replay-0000abcd/desk/case/7");
    assert_eq!(department(&base, Some(CaseId(7))), "/world/replay-0000abcd/department/case/7");
    for route in [main_wall(), list("open=true"), case(7), Route::Department { case: Some(CaseId(7)) }] {
        assert_eq!(
            Route::parse(&[base.as_str(), &route.to_string()].concat()),
            Some((Some(replay()), route))
        );
    }
    for foreign in [
        "/world/replay-0000abcd/pair",
        "/world/replay-0000abcd/",
        "/world/replay-0000abcd",
        "/world//desk",
        "/world/live/desk",
    ] {
        assert_eq!(Route::parse(foreign), None, "{foreign}");
    }
}

#[test]
fn what_a_person_may_type_leads_to_the_page_it_means() {
    for address in ["/wall", "/wall/", "/wall/main#x"] {
        assert_eq!(Route::parse(address), Some((None, main_wall())), "{address}");
    }
}

#[test]
fn what_is_not_an_address_of_a_page_is_none() {
    let endless = format!("/desk?text={}", "a".repeat(ADDRESS_BYTES_MAX));
    for foreign in [
        "",
        "desk",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\\/evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/wall/\\evil.example",
        "/wall//evil.example",
        "/wall/..",
        "/./evil",
        "/desk/",
        "/desk/case/",
        "/desk/case/17/",
        "/desk/case/x",
        "/desk/case/+7",
        "/desk/case/99999999999999999999",
        "/desk?\t",
        "/department/",
        "/department/case/x",
        "/desk/case/17/18/19",
        "/api/v1/sign-out",
        "http://evil.example/desk",
        "javascript:alert(1)",
        "/desk@evil.example",
        "/desk\u{3002}evil.example",
        "/pair/",
        "/sign-in/",
        "/replay/",
        "/replay/x",
        "/replay/drill",
        "/replay?from=x",
        "/replay?at=-1",
        "/replay?to=",
        "/replay?at=9999999999999999",
        &endless,
    ] {
        assert_eq!(Route::parse(foreign), None, "{foreign:?}");
    }
}

#[test]
fn only_who_is_nothing_but_a_department_begins_at_its_seat() {
    assert_eq!(first(&[Role::Department]), Route::Department { case: None });
    for roles in [&[][..], &[Role::Dispatcher], &[Role::Department, Role::Dispatcher], &[Role::Admin]] {
        assert_eq!(first(roles), Route::Home, "{roles:?}");
    }
}

#[test]
fn a_link_of_the_seat_of_a_department_is_none_of_the_desk() {
    assert_eq!(department_case("", "/department/case/7#row"), Some(Some(CaseId(7))));
    assert_eq!(department_case("", "/department"), Some(None));
    for other in ["/desk", "/desk/case/7", "/departments", "/department/case/", "/world/drill-1/department"] {
        assert_eq!(department_case("", other), None, "{other}");
    }
    assert_eq!(desk_case("", "/department/case/7"), None);
}

#[test]
fn a_text_in_a_query_is_read_again_whatever_it_holds() {
    for text in ["", "a b&c=d%25", "路 / ?#", "\u{1f6a6}~-_."] {
        assert_eq!(decoded(&encoded(text)), text);
        assert!(encoded(text).bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    }
    assert_eq!(decoded("%zz%4"), "%zz%4", "what is not hexadecimal stays");
}

#[test]
fn a_link_is_of_the_desk_of_its_own_world_alone() {
    let base = replay().base();
    for base in ["", &base] {
        for query in ["", "?open=true", "#row"] {
            assert_eq!(desk_case(base, &format!("{base}/desk{query}")), Some(None), "{base}{query}");
            assert_eq!(
                desk_case(base, &format!("{base}/desk/case/7{query}")),
                Some(Some(CaseId(7))),
                "{base}{query}"
            );
        }
    }
    for (base, other) in [
        (base.as_str(), "/desk/case/7"),
        ("", "/world/replay-0000abcd/desk"),
        ("", "/wall/main"),
        ("", "/"),
        ("", "/desks"),
        ("", "//elsewhere/desk"),
        ("", "#row"),
        ("", "/desk/case/x"),
        ("", "/desk/case/"),
    ] {
        assert_eq!(desk_case(base, other), None, "{other}");
    }
}
