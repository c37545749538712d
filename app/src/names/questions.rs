//! When the catalogue is asked for again: which codes it shall name, and how soon.
//!
//! What should be here: what is known of questions and answers, as plain values; times are milliseconds of the page's own clock.
//! What should not: the asking (`names`).

/// Codes without a name ask for the catalogue at most this often.
const RELOAD_AFTER_MS: f64 = 30_000.0;

/// A question that brought nothing, or an older policy than the hall says, is asked again after this.
const AGAIN_AFTER_MS: f64 = 5_000.0;

/// Questions for the catalogue, asked and to be asked.
#[derive(Debug, Default)]
pub struct Questions {
    asked_at: f64,
    /// A question is under way.
    asking: bool,
    /// Codes without a name that no question was asked for yet.
    nameless: Vec<String>,
    /// Codes the question under way was asked for.
    asked_for: Vec<String>,
    /// Codes that an answer did not name, although it was asked for them: no later one will, unless it comes by itself.
    in_vain: Vec<String>,
}

impl Questions {
    /// Codes that were looked up in vain.
    pub fn miss(&mut self, codes: Vec<String>) {
        for code in codes {
            if !self.in_vain.contains(&code) && !self.nameless.contains(&code) {
                self.nameless.push(code);
            }
        }
    }

    /// Whether a code without a name is to be asked for now.
    pub fn is_due(&self, now_ms: f64) -> bool {
        !self.nameless.is_empty() && !self.asking && now_ms - self.asked_at > RELOAD_AFTER_MS
    }

    /// Whether another policy may be asked for now.
    pub fn may_follow(&self, now_ms: f64) -> bool {
        !self.asking && now_ms - self.asked_at > AGAIN_AFTER_MS
    }

    /// A question goes out, whatever for: it brings every name.
    pub fn ask(&mut self, now_ms: f64) {
        (self.asked_at, self.asking) = (now_ms, true);
        self.asked_for.append(&mut self.nameless);
    }

    /// It was answered, or failed: then what it was asked for is still to be asked.
    pub fn hear(&mut self, is_answered: bool) {
        self.asking = false;
        let asked_for = std::mem::take(&mut self.asked_for);
        match is_answered {
            true => self.in_vain.extend(asked_for),
            false => self.miss(asked_for),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: f64 = RELOAD_AFTER_MS + 1.0;

    fn missing(code: &str) -> Questions {
        let mut questions = Questions::default();
        questions.miss(vec![code.to_owned()]);
        questions
    }

    #[test]
    fn a_code_whose_question_failed_is_asked_for_again() {
        let mut questions = missing("yuanlin");
        assert!(questions.is_due(LATER));
        questions.ask(LATER);
        assert!(!questions.is_due(3.0 * LATER), "a question is under way");
        questions.hear(false);
        assert!(!questions.is_due(LATER + 1.0), "too soon after the last");
        assert!(questions.is_due(2.0 * LATER));
    }

    #[test]
    fn a_code_that_no_answer_names_is_asked_for_once() {
        let mut questions = missing("gone");
        questions.ask(LATER);
        questions.hear(true);
        questions.miss(vec!["gone".to_owned()]);
        assert!(!questions.is_due(3.0 * LATER));
        questions.miss(vec!["new".to_owned()]);
        assert!(questions.is_due(3.0 * LATER));
    }

    /// The answer may have been made before the code was defined.
    #[test]
    fn a_code_that_is_missed_while_a_question_is_under_way_is_not_taken_for_asked() {
        let mut questions = Questions::default();
        questions.ask(LATER);
        questions.miss(vec!["yuanlin".to_owned()]);
        questions.hear(true);
        assert!(questions.is_due(3.0 * LATER));
    }
}
