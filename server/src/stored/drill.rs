//! The stored form of a drill's own record (演练记录): one line of JSON an event, each with the number of its form.
//!
//! What has been shipped here is never changed; a field that comes later has a default, and says whether that is exact. What
//! should not be here: the file (`drill::journal`), the drill's cases and calls, which are in its log.

use domain::code::{AreaCode, CaseId, DepartmentCode};
use domain::drill::{Became, DrillEvent, DrillId, Happening, Inject, Pace, Prepared};
use domain::moment::UtcMillis;
use domain::whistle::WhistleCall;
use serde::{Deserialize, Serialize};

use super::report::{ReportForm, report, report_form};
use super::words::Spelt;
use super::{Read, StoredError, code, spelt, texts, word};

/// The form lines are written in.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Line {
    form: u32,
    #[serde(flatten)]
    event: EventForm,
}

/// Read first: a line of a later form may have anything else in it.
#[derive(Deserialize)]
struct OfForm {
    form: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventForm {
    Prepared {
        id: String,
        title: String,
        director: String,
        roles: Vec<String>,
        at_ms: i64,
        injects: Vec<InjectForm>,
    },
    Paced {
        pace_milli: u32,
        clock_ms: i64,
        at_ms: i64,
        by: String,
    },
    Injected {
        inject: u16,
        clock_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    CameBack {
        clock_ms: i64,
        at_ms: i64,
    },
    Stopped {
        clock_ms: i64,
        at_ms: i64,
        by: String,
        leaving: Vec<u64>,
    },
}

#[derive(Serialize, Deserialize)]
struct InjectForm {
    after_s: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<ReportForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whistle: Option<CallForm>,
}

#[derive(Serialize, Deserialize)]
struct CallForm {
    level: String,
    area: String,
    title: String,
    called: Vec<String>,
}

/// One line, without its end.
#[must_use]
pub fn line(event: &DrillEvent) -> String {
    let line = Line { form: FORM, event: event_form(event) };
    serde_json::to_string(&line).expect("numbers, texts and lists of them are JSON")
}

/// The event of a line.
pub fn read(line: &str) -> Read<DrillEvent> {
    let OfForm { form } = serde_json::from_str(line)?;
    if form != FORM {
        return Err(StoredError::Form(i64::from(form)));
    }
    event(serde_json::from_str::<Line>(line)?.event)
}

fn event_form(event: &DrillEvent) -> EventForm {
    match event {
        DrillEvent::Prepared(prepared) => EventForm::Prepared {
            id: prepared.id.to_string(),
            title: prepared.title.clone(),
            director: prepared.director.clone(),
            roles: prepared.roles.iter().map(|role| role.word().to_owned()).collect(),
            at_ms: prepared.at.0,
            injects: prepared.injects.iter().map(inject_form).collect(),
        },
        DrillEvent::Paced { pace, clock, at, by } => {
            EventForm::Paced { pace_milli: pace.milli(), clock_ms: clock.0, at_ms: at.0, by: by.clone() }
        }
        DrillEvent::Injected { inject, clock, became } => {
            let (number, refused) = match became {
                Became::Entered { number } => (number.clone(), None),
                Became::Refused { code } => (None, Some(code.clone())),
            };
            EventForm::Injected { inject: *inject, clock_ms: clock.0, number, refused }
        }
        DrillEvent::CameBack { clock, at } => EventForm::CameBack { clock_ms: clock.0, at_ms: at.0 },
        DrillEvent::Stopped { clock, at, by, leaving } => EventForm::Stopped {
            clock_ms: clock.0,
            at_ms: at.0,
            by: by.clone(),
            leaving: leaving.iter().map(|case| case.0).collect(),
        },
    }
}

fn inject_form(inject: &Inject) -> InjectForm {
    let (case, whistle) = match &inject.what {
        Happening::Case(report) => (Some(report_form(report, None)), None),
        Happening::Whistle(call) => (None, Some(call_form(call))),
    };
    InjectForm { after_s: inject.after_s, case, whistle }
}

/// A call of a list names no case: there is none before the drill has begun.
fn call_form(call: &WhistleCall) -> CallForm {
    CallForm {
        level: call.level.word().to_owned(),
        area: call.area.to_string(),
        title: call.title.clone(),
        called: texts(&call.called),
    }
}

fn event(form: EventForm) -> Read<DrillEvent> {
    Ok(match form {
        EventForm::Prepared { id, title, director, roles, at_ms, injects } => {
            DrillEvent::Prepared(Prepared {
                id: id.parse::<DrillId>().map_err(|()| word("id", id))?,
                title,
                director,
                roles: roles.iter().map(|text| spelt("roles", text)).collect::<Read<_>>()?,
                at: UtcMillis(at_ms),
                injects: injects.into_iter().map(inject).collect::<Read<_>>()?,
            })
        }
        EventForm::Paced { pace_milli, clock_ms, at_ms, by } => DrillEvent::Paced {
            pace: Pace::from_milli(pace_milli).ok_or_else(|| word("pace_milli", pace_milli.to_string()))?,
            clock: UtcMillis(clock_ms),
            at: UtcMillis(at_ms),
            by,
        },
        EventForm::Injected { inject, clock_ms, number, refused } => {
            let became = match refused {
                Some(code) => Became::Refused { code },
                None => Became::Entered { number },
            };
            DrillEvent::Injected { inject, clock: UtcMillis(clock_ms), became }
        }
        EventForm::CameBack { clock_ms, at_ms } => {
            DrillEvent::CameBack { clock: UtcMillis(clock_ms), at: UtcMillis(at_ms) }
        }
        EventForm::Stopped { clock_ms, at_ms, by, leaving } => DrillEvent::Stopped {
            clock: UtcMillis(clock_ms),
            at: UtcMillis(at_ms),
            by,
            leaving: leaving.into_iter().map(CaseId).collect(),
        },
    })
}

fn inject(form: InjectForm) -> Read<Inject> {
    let what = match (form.case, form.whistle) {
        (Some(case), None) => Happening::Case(report(case)?),
        (None, Some(whistle)) => Happening::Whistle(call(whistle)?),
        (Some(_), Some(_)) | (None, None) => return Err(word("injects", "neither a case nor a call")),
    };
    Ok(Inject { after_s: form.after_s, what })
}

fn call(form: CallForm) -> Read<WhistleCall> {
    Ok(WhistleCall {
        level: spelt("level", &form.level)?,
        area: code("area", form.area, AreaCode::new)?,
        title: form.title,
        case: None,
        called: form
            .called
            .into_iter()
            .map(|text| code("called", text, DepartmentCode::new))
            .collect::<Read<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use domain::case::{Priority, Report};
    use domain::place::Point;
    use domain::role::Role;
    use domain::whistle::WhistleLevel;

    use super::*;

    fn events() -> Vec<DrillEvent> {
        let report = Report {
            source: "hotline".parse().unwrap(),
            class: "E03-05".parse().unwrap(),
            area: "530103".parse().unwrap(),
            condition: None,
            address: "北京路下穿隧道".to_owned(),
            description: "积水\n没过轮胎".to_owned(),
            place: Point::from_e6(25_040_700, 102_712_400),
            priority: Priority::First,
            base_count: 1,
            reporter: None,
            external: None,
        };
        let call = WhistleCall {
            level: WhistleLevel::Street,
            area: "530103".parse().unwrap(),
            title: "抽排".to_owned(),
            case: None,
            called: vec!["water".parse().unwrap(), "fire".parse().unwrap()],
        };
        let (clock, at) = (UtcMillis(1_781_486_460_000), UtcMillis(1_781_486_400_000));
        vec![
            DrillEvent::Prepared(Prepared {
                id: DrillId(0x00c0_ffee),
                title: "防汛“三断”演练".to_owned(),
                director: "导演".to_owned(),
                roles: vec![Role::Supervisor, Role::Viewer],
                at,
                injects: vec![
                    Inject { after_s: 60, what: Happening::Case(report) },
                    Inject { after_s: 600, what: Happening::Whistle(call) },
                ],
            }),
            DrillEvent::Paced { pace: Pace::from_milli(4_000).unwrap(), clock, at, by: "导演".to_owned() },
            DrillEvent::Injected {
                inject: 0,
                clock,
                became: Became::Entered { number: Some("20260615-00001".to_owned()) },
            },
            DrillEvent::Injected { inject: 1, clock, became: Became::Entered { number: None } },
            DrillEvent::Injected {
                inject: 2,
                clock,
                became: Became::Refused { code: "retired_code".to_owned() },
            },
            DrillEvent::CameBack { clock, at },
            DrillEvent::Stopped { clock, at, by: "admin".to_owned(), leaving: vec![CaseId(7), CaseId(9)] },
        ]
    }

    /// What a store of the first release holds; a line is never changed, only added to.
    const GOLDEN: [&str; 7] = [
        r#"{"form":1,"prepared":{"id":"drill-00c0ffee","title":"防汛“三断”演练","director":"导演","roles":["supervisor","viewer"],"at_ms":1781486400000,"injects":[{"after_s":60,"case":{"source":"hotline","class":"E03-05","area":"530103","condition":null,"address":"北京路下穿隧道","description":"积水\n没过轮胎","lat_e6":25040700,"lon_e6":102712400,"priority":"first","base_count":1,"reporter":null,"external_system":null,"external_id":null}},{"after_s":600,"whistle":{"level":"street","area":"530103","title":"抽排","called":["water","fire"]}}]}}"#,
        r#"{"form":1,"paced":{"pace_milli":4000,"clock_ms":1781486460000,"at_ms":1781486400000,"by":"导演"}}"#,
        r#"{"form":1,"injected":{"inject":0,"clock_ms":1781486460000,"number":"20260615-00001"}}"#,
        r#"{"form":1,"injected":{"inject":1,"clock_ms":1781486460000}}"#,
        r#"{"form":1,"injected":{"inject":2,"clock_ms":1781486460000,"refused":"retired_code"}}"#,
        r#"{"form":1,"came_back":{"clock_ms":1781486460000,"at_ms":1781486400000}}"#,
        r#"{"form":1,"stopped":{"clock_ms":1781486460000,"at_ms":1781486400000,"by":"admin","leaving":[7,9]}}"#,
    ];

    #[test]
    fn lines_of_the_first_form_are_written_and_read_for_ever() {
        for (event, golden) in events().iter().zip(GOLDEN) {
            assert_eq!(line(event), golden);
            assert_eq!(read(golden).unwrap(), *event);
        }
    }

    #[test]
    fn a_line_of_a_later_form_says_so_and_a_spoilt_one_is_no_event() {
        let later = r#"{"form":2,"evaluated":{"by":"导演"}}"#;
        assert!(matches!(read(later), Err(StoredError::Form(2))));
        for spoilt in [
            "",
            "{",
            r#"{"form":1}"#,
            r#"{"form":1,"paced":{"pace_milli":9000,"clock_ms":0,"at_ms":0,"by":""}}"#,
            r#"{"form":1,"prepared":{"id":"drill-1","title":"","director":"","roles":[],"at_ms":0,"injects":[]}}"#,
            r#"{"form":1,"prepared":{"id":"drill-00000001","title":"","director":"","roles":["king"],"at_ms":0,"injects":[]}}"#,
        ] {
            assert!(read(spoilt).is_err(), "{spoilt}");
        }
    }
}
