//! How many tests ran, read off the closing lines of the test runners.

use std::fmt;

#[derive(Default, Debug, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// Failed once and passed when run again.
    flaky: u64,
}

impl Tally {
    /// Takes in `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    pub fn see_cargo(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split(';') {
            self.add(part);
        }
    }

    /// Takes in `5 passed (3.2s)`, `1 failed`, `2 skipped`, `1 flaky`.
    pub fn see_playwright(&mut self, line: &str) {
        let line = line.trim();
        let alone = line.split_once(" (").map_or(line, |(counts, _)| counts);
        if alone.split(' ').count() == 2 {
            self.add(alone);
        }
    }

    /// Takes in `ℹ pass 5`, `ℹ fail 1`, `ℹ skipped 2`.
    pub fn see_node(&mut self, line: &str) {
        let Some((what, count)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) else {
            return;
        };
        match what {
            "pass" => self.add(&format!("{count} passed")),
            "fail" | "cancelled" => self.add(&format!("{count} failed")),
            "skipped" | "todo" => self.add(&format!("{count} skipped")),
            _ => {}
        }
    }

    fn add(&mut self, part: &str) {
        let Some((count, what)) = part.trim().split_once(' ') else { return };
        let Ok(count) = count.parse::<u64>() else { return };
        match what {
            "passed" => self.passed += count,
            "failed" | "interrupted" => self.failed += count,
            "flaky" => self.flaky += count,
            "ignored" | "skipped" => self.skipped += count,
            _ => {}
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        if self.flaky > 0 {
            write!(
                f,
                ", {} FLAKY: failed once and passed when run again; named above, each a defect to find",
                self.flaky
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_the_runners_add_up_and_other_lines_do_not_count() {
        let mut tally = Tally::default();
        tally.see_cargo(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
        );
        tally.see_cargo(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        );
        tally.see_cargo("test wall::says_5_passed ... ok");
        tally.see_playwright("  4 passed (1.2m)");
        tally.see_playwright("  1 flaky");
        tally.see_playwright("  ✓  2 wall.spec.ts:5:1 › 7 passed");
        tally.see_node("✔ a page counts ℹ pass 8 (1.06ms)");
        for line in ["ℹ tests 4", "ℹ pass 3", "ℹ fail 1", "ℹ skipped 0", "ℹ duration_ms 137.1"] {
            tally.see_node(line);
        }
        let said = tally.to_string();
        assert!(said.starts_with("22 passed, 3 failed, 1 skipped, 1 FLAKY"), "{said}");
    }
}
