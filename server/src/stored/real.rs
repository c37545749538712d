//! The stored form of what a drill has beside its record: the real cases it heard answered (实战穿透), and where its clock stands.
//!
//! What has been shipped here is never changed; a field that comes later has a default, and says whether that is exact. What
//! should not be here: the files (`drill::answered`, `drill::stands`), what an answer is (`domain::drill::breaking`).

use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode};
use domain::drill::breaking::{Answered, Kept, RealCase};
use domain::moment::UtcMillis;
use serde::{Deserialize, Serialize};

use super::{Read, StoredError, code, texts};

/// The form both are written in.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
struct AnsweredForm {
    form: u32,
    case: u64,
    number: String,
    class: String,
    area: String,
    address: String,
    reported_ms: i64,
    by: String,
    answered_ms: i64,
    areas: Vec<String>,
    department: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StandsForm {
    form: u32,
    clock_ms: i64,
}

/// One line for a case that was answered, without its end; none for one that waits.
#[must_use]
pub fn line(kept: &Kept) -> Option<String> {
    let RealCase { case, number, class, area, address, reported, answered } = &kept.row;
    let Answered { by, at } = answered.as_ref()?;
    let form = AnsweredForm {
        form: FORM,
        case: case.0,
        number: number.clone(),
        class: class.to_string(),
        area: area.to_string(),
        address: address.clone(),
        reported_ms: reported.0,
        by: by.clone(),
        answered_ms: at.0,
        areas: texts(&kept.area_path),
        department: kept.department.as_ref().map(ToString::to_string),
    };
    Some(serde_json::to_string(&form).expect("numbers, texts and lists of them are JSON"))
}

/// The case of a line.
pub fn read(line: &str) -> Read<Kept> {
    let form: AnsweredForm = serde_json::from_str(line)?;
    known(form.form)?;
    let area = |text| code("areas", text, AreaCode::new);
    Ok(Kept {
        row: RealCase {
            case: CaseId(form.case),
            number: form.number,
            class: code("class", form.class, ClassCode::new)?,
            area: code("area", form.area, AreaCode::new)?,
            address: form.address,
            reported: UtcMillis(form.reported_ms),
            answered: Some(Answered { by: form.by, at: UtcMillis(form.answered_ms) }),
        },
        area_path: form.areas.into_iter().map(area).collect::<Read<_>>()?,
        department: form.department.map(|text| code("department", text, DepartmentCode::new)).transpose()?,
    })
}

/// Where a drill's clock stands.
#[must_use]
pub fn stands(clock: UtcMillis) -> String {
    let form = StandsForm { form: FORM, clock_ms: clock.0 };
    serde_json::to_string(&form).expect("numbers are JSON")
}

/// Where it stood.
pub fn stood(text: &str) -> Read<UtcMillis> {
    let StandsForm { form, clock_ms } = serde_json::from_str(text)?;
    known(form)?;
    Ok(UtcMillis(clock_ms))
}

fn known(form: u32) -> Read<()> {
    if form == FORM { Ok(()) } else { Err(StoredError::Form(i64::from(form))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a drill of the first release holds; it is read for ever.
    const ANSWERED: &str = r#"{"form":1,"case":7,"number":"20260615-00007","class":"E03-05","area":"530103","address":"北京路","reported_ms":1781486400000,"by":"周敏","answered_ms":1781486460000,"areas":["5301","530103"],"department":"urban"}"#;
    const STANDS: &str = r#"{"form":1,"clock_ms":1781486460000}"#;

    #[test]
    fn what_the_first_form_says_is_written_and_read_for_ever() {
        let kept = read(ANSWERED).unwrap();
        assert_eq!(kept.row.answered.as_ref().unwrap().by, "周敏");
        assert_eq!(kept.area_path.len(), 2);
        assert_eq!(line(&kept).unwrap(), ANSWERED);
        assert_eq!(stands(stood(STANDS).unwrap()), STANDS);
    }

    #[test]
    fn a_case_that_waits_has_no_line_and_what_cannot_be_read_is_said() {
        let mut waits = read(ANSWERED).unwrap();
        waits.row.answered = None;
        assert_eq!(line(&waits), None);
        let later = ANSWERED.replace(r#""form":1"#, r#""form":2"#);
        assert!(matches!(read(&later), Err(StoredError::Form(2))));
        for spoilt in ["", "{", r#"{"form":1}"#, &STANDS[..STANDS.len() - 1]] {
            assert!(read(spoilt).is_err() && stood(spoilt).is_err(), "{spoilt}");
        }
    }
}
