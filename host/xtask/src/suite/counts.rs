//! Adds up what the test runners report, and says it in the form of cargo's own closing line.

use std::time::Duration;

/// How many tests ended how.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Counts {
    runners: u64,
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Takes a line of output; only the summaries of cargo test and cargo-nextest count.
    pub(super) fn add_line(&mut self, line: &str) {
        let cargo = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "));
        let nextest = line.trim_start().strip_prefix("Summary [").and_then(|rest| rest.split_once(": "));
        let Some((_, numbers)) = cargo.or(nextest) else {
            return;
        };
        self.runners += 1;
        // `3 passed (1 slow), 2 failed, 1 timed out, 0 skipped` or `3 passed; 2 failed; 0 ignored; ...`
        for part in numbers.split([',', ';']) {
            let mut words = part.split_whitespace();
            let count = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed" | "timed" | "exec") => self.failed += count,
                Some("ignored" | "skipped") => self.ignored += count,
                _ => {}
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.runners += other.runners;
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    pub(super) fn closing_line(&self, success: bool, elapsed: Duration) -> String {
        let result = if success { "ok" } else { "FAILED" };
        let Self { passed, failed, ignored, .. } = self;
        let seconds = elapsed.as_secs_f64();
        format!(
            "test result: {result}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; \
             0 filtered out; finished in {seconds:.2}s"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Counts;

    fn counts(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        lines.iter().for_each(|line| counts.add_line(line));
        counts
    }

    #[test]
    fn summaries_of_both_runners_are_added_up() {
        let counts = counts(&[
            "        PASS [   0.004s] xtask tests::a_summary_is_read",
            "     Summary [  12.345s] 46 tests run: 40 passed (2 slow), 3 failed, 1 timed out, 2 exec failed, 5 skipped",
            "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.50s",
        ]);
        assert_eq!(counts, Counts { runners: 2, passed: 47, failed: 6, ignored: 6 });
    }

    #[test]
    fn a_singular_summary_counts_too() {
        let counts = counts(&["     Summary [   0.005s] 1 test run: 1 passed, 0 skipped"]);
        assert_eq!(counts, Counts { runners: 1, passed: 1, failed: 0, ignored: 0 });
    }

    #[test]
    fn the_closing_line_has_cargos_form() {
        let counts = Counts { runners: 1, passed: 5, failed: 1, ignored: 0 };
        let line = counts.closing_line(false, Duration::from_millis(1500));
        assert_eq!(
            line,
            "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s"
        );
    }
}
