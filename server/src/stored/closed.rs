//! The stored form of closed cases and calls, as views keep them: the rows of the state, each on its own.
//!
//! A row begins with the form it is in. Rows of form 1 were the domain's own types as JSON; they are read as long as they
//! say the same, so that views of that version serve while new ones are laid out. A default of an added field that is not
//! exact raises the version of views instead (`views::sql`): the log makes their rows anew.

use domain::case::Case;
use domain::whistle::Whistle;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::forms;
use super::{Read, StoredError};

/// The form that is written.
const FORM: u8 = 2;
/// How a row of form 1 begins: it has no mark of its own.
const FIRST_FORM_BEGINS: u8 = b'{';

/// What stands in a row of its own.
pub trait Row: Sized {
    /// The row, in the newest form.
    fn written(&self) -> Vec<u8>;

    /// What a row holds, in whichever form it is.
    fn read(bytes: &[u8]) -> Read<Self>;
}

impl Row for Case {
    fn written(&self) -> Vec<u8> {
        written(&forms::case_form(self))
    }

    fn read(bytes: &[u8]) -> Read<Self> {
        read(bytes, forms::case)
    }
}

impl Row for Whistle {
    fn written(&self) -> Vec<u8> {
        written(&forms::whistle_form(self))
    }

    fn read(bytes: &[u8]) -> Read<Self> {
        read(bytes, forms::whistle)
    }
}

fn written(form: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![FORM];
    serde_json::to_writer(&mut bytes, form)
        .expect("forms have only text keys and plain values, which always make JSON");
    bytes
}

fn read<T: DeserializeOwned, F: DeserializeOwned>(bytes: &[u8], of: impl FnOnce(F) -> Read<T>) -> Read<T> {
    match bytes {
        [FORM, form @ ..] => of(serde_json::from_slice(form).map_err(StoredError::Json)?),
        [FIRST_FORM_BEGINS, ..] => serde_json::from_slice(bytes).map_err(StoredError::Json),
        [other, ..] => Err(StoredError::Form(i64::from(*other))),
        [] => Err(StoredError::Form(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sql::VERSION;
    use crate::views::tests::closed_case;

    /// Rows as they were written. Where one of them changes, files in the field hold the old one: read both, or raise the
    /// version of views, and keep its line here as long as it is read.
    const CASE: &str = r#"{"id":8,"number":"20260101-00008","report":{"source":"video","class":"E20","area":"530108004","condition":null,"address":"滇池路260号","description":"路面破损，长约一米","lat_e6":null,"lon_e6":null,"priority":"ordinary","base_count":1,"reporter":null,"external_system":null,"external_id":null},"area_path":["530108004","530108","5301"],"stage":"close","reported_ms":1767198009600,"stage_since_ms":1767242073600,"filed_ms":1767202905600,"dispatched_ms":1767212697600,"closed_ms":1767246969600,"clocks":[],"steps":[{"step":"file","at_ms":1767202905600,"by":"desk","round":1,"seq":8},{"step":"dispatch","at_ms":1767212697600,"by":"desk","late":true,"round":1,"seq":8},{"step":"close","at_ms":1767246969600,"by":"desk","round":1,"seq":8}],"round":1,"claimed_by":"desk2","version":8}"#;

    #[test]
    fn rows_keep_their_form() {
        let row = closed_case(7).written();
        assert_eq!((VERSION, row[0]), (2, FORM));
        assert_eq!(std::str::from_utf8(&row[1..]).unwrap(), CASE);
        assert_eq!(Case::read(&row).unwrap(), closed_case(7));
    }
}
