//! The very words a policy is kept in, and what a body from before a field has.

use super::*;

fn policy() -> Policy {
    toml::from_str(
        r#"
stated_source = "昆网格中心通〔2020〕5号"
centre = { zh = "中心", en = "centre" }
utc_offset_minutes = 480
dispatch_limit = { amount = 4, unit = "work_hour" }
disposal_limit = { amount = 1, unit = "work_day" }
whistle_response_minutes = 30
powers_together = "编委批复"
forecast_minutes = 31
lamp_yellow_percent = 80
position_stale_seconds = 60
clock_skew_seconds = 300
backdate_days = 29
notes_per_case = 31
side_paths = { returns = 5, reworks = 4, extensions = 7, suspensions = 6, suspension_days = 90 }
files_per_case = 32
bounds = { south = 24.5, west = 102.1, north = 26.5, east = 103.6 }
areas = [{ code = "5301", level = "city", name = { zh = "昆明市" } }]
classes = [{ code = "E01", kind = "event", name = { zh = "暴露垃圾" }, retired = true }]
sources = [{ code = "hotline", name = { zh = "热线" } }]
departments = [{ code = "shuiwu", name = { zh = "水务局" } }]
[calendar]
spans = [{ from = 480, to = 720 }, { from = 840, to = 1080 }]
weekdays = [0, 1, 2, 3, 4]
work_day_minutes = 480
exceptions = { "2027-01-01" = "off", "2027-01-03" = "work" }
"#,
    )
    .unwrap()
}

const LINE: &str = r#"{"form":1,"source":"昆网格中心通〔2020〕5号","centre":{"zh":"中心","en":"centre"},"offset_minutes":480,"dispatch_limit":{"amount":4,"unit":"hour","counts":"working"},"disposal_limit":{"amount":1,"unit":"day","counts":"working"},"whistle_response_minutes":30,"powers_together":"编委批复","forecast_minutes":31,"lamp_yellow_percent":80,"position_stale_seconds":60,"clock_skew_seconds":300,"backdate_days":29,"notes_per_case":31,"returns":5,"reworks":4,"extensions":7,"suspensions":6,"suspension_days":90,"files_per_case":32,"bounds":{"south":24.5,"west":102.1,"north":26.5,"east":103.6},"calendar":{"spans":[[480,720],[840,1080]],"weekdays":[0,1,2,3,4],"work_day_minutes":480,"off":["2027-01-01"],"work":["2027-01-03"]},"entries":[{"kind":"area","code":"5301","level":"city","parent":null,"zh":"昆明市","en":""},{"kind":"class","code":"E01","class_kind":"event","zh":"暴露垃圾","en":"","key":false,"disposal_limit":null,"retired":true},{"kind":"source","code":"hotline","zh":"热线","en":""},{"kind":"department","code":"shuiwu","zh":"水务局","en":""}]}"#;

#[test]
fn a_policy_is_kept_in_these_very_words() {
    let (blob, hash) = body(&policy());
    assert_eq!(std::str::from_utf8(&blob.bytes).unwrap(), LINE);
    assert_eq!(hash.0, blob.hash);
    assert_eq!(decode(LINE.as_bytes()).unwrap(), Genesis::of(&policy()));
}

#[test]
fn a_responsibility_list_is_kept_in_these_very_words() {
    let entry = Responsibility {
        class: "E01".parse().unwrap(),
        area: "5301".parse().unwrap(),
        department: "shuiwu".parse().unwrap(),
    };
    let policy = Policy { responsibilities: vec![entry], ..policy() };
    let line = LINE.strip_suffix('}').unwrap().to_owned()
        + r#","responsibilities":[{"class":"E01","area":"5301","department":"shuiwu"}]}"#;
    assert_eq!(std::str::from_utf8(&body(&policy).0.bytes).unwrap(), line);
    assert_eq!(decode(line.as_bytes()).unwrap(), Genesis::of(&policy));
}

#[test]
fn a_body_from_before_the_bounds_of_notes_and_files_has_the_bounds_of_then() {
    let before = LINE.replace(r#""notes_per_case":31,"#, "").replace(r#""files_per_case":32,"#, "");
    assert!(!before.contains("_per_case"));
    let policy = Policy { notes_per_case: 500, files_per_case: 50, ..policy() };
    assert_eq!(decode(before.as_bytes()).unwrap(), Genesis::of(&policy));
}

#[test]
fn a_body_from_before_the_bounds_of_side_paths_has_those_of_then() {
    let before =
        LINE.replace(r#""returns":5,"reworks":4,"extensions":7,"suspensions":6,"suspension_days":90,"#, "");
    assert_ne!(before, LINE);
    let policy = Policy {
        side_paths: SidePaths { returns: 3, reworks: 3, extensions: 2, suspensions: 1, suspension_days: 365 },
        ..policy()
    };
    assert_eq!(decode(before.as_bytes()).unwrap(), Genesis::of(&policy));
}

#[test]
fn the_policy_a_city_begins_with_comes_back_as_it_was() {
    let built_in: Policy = toml::from_str(include_str!("../../../../config/policy.toml")).unwrap();
    let kept = policy().entries().collect();
    let genesis = Genesis { policy: Arc::new(built_in), kept };
    assert_eq!(decode(&genesis_blob(&genesis).bytes).unwrap(), genesis);
    assert!(genesis.state().catalogue.classes.contains_key(&"E01".parse().unwrap()));
}

#[test]
fn a_body_that_is_not_there_or_of_another_form_is_said_in_words() {
    let hash = PolicyHash([7; 32]);
    let missing = adopted(&hash, &NoBodies).unwrap_err().to_string();
    assert!(missing.contains(&hash.to_string()) && missing.contains("not in the log"), "{missing}");
    assert!(decode(LINE.replace("\"form\":1", "\"form\":2").as_bytes()).is_err());
}

/// On both engines: what was put in first is found, whatever comes behind it.
#[test]
fn the_first_blob_of_a_log_is_what_it_began_with() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = crate::log::sqlite::SqliteLog::open(dir.path(), false, None).unwrap();
    let memory = crate::log::memory::Memory::default().hold();
    let engines: [Box<dyn crate::log::Log>; 2] = [Box::new(sqlite), Box::new(memory)];
    for mut log in engines {
        assert!(genesis(&*log).unwrap().is_none());
        let began = Genesis::of(&policy());
        let mut other = policy();
        other.forecast_minutes = 7;
        let (body, hash) = body(&other);
        for blob in [genesis_blob(&began), body] {
            log.append(&Group { blobs: vec![blob], ..Group::default() }).unwrap();
        }
        assert_eq!(genesis(&*log).unwrap().unwrap().unwrap(), began);
        let log: &dyn crate::log::Read = &*log;
        assert_eq!(*adopted(&hash, &log).unwrap(), other);
    }
}
