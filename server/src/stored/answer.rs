//! The answer to a command as the log keeps it, so that sending again is answered from the log alone.

use domain::code::{CaseId, WhistleId};
use serde::{Deserialize, Serialize};

/// What an answer tells beside its sequence numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    pub case: Option<CaseId>,
    pub whistle: Option<WhistleId>,
    pub number: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whistle: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<String>,
}

#[must_use]
pub fn encode(about: &About) -> String {
    let About { case, whistle, number } = about;
    let form = Form { case: case.map(|id| id.0), whistle: whistle.map(|id| id.0), number: number.clone() };
    serde_json::to_string(&form)
        .expect("the form has only text keys and plain values, which always make JSON")
}

/// None for keys of the first format, whose answer is found in their events.
#[must_use]
pub fn decode(text: &str) -> Option<About> {
    let form: Form = serde_json::from_str(text).ok()?;
    Some(About { case: form.case.map(CaseId), whistle: form.whistle.map(WhistleId), number: form.number })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden: these lines are read for as long as there are keys.
    #[test]
    fn answers_keep_their_lines() {
        let about = About {
            case: Some(CaseId(7)),
            whistle: Some(WhistleId(3)),
            number: Some("20261121-00042".to_owned()),
        };
        assert_eq!(encode(&about), r#"{"case":7,"whistle":3,"number":"20261121-00042"}"#);
        assert_eq!(decode(&encode(&about)), Some(about));
        assert_eq!(encode(&About::default()), "{}");
        assert_eq!(decode("{}"), Some(About::default()));
        assert_eq!(decode(""), None);
    }
}
