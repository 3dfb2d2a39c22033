//! The table: what was measured, beside what, and whether the goal was met.

use std::fmt::Write as _;

/// What must hold of a row.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// The ratio of ours to the reference.
    RatioAtLeast(f64),
    /// Our own number.
    AtLeast(f64),
    /// Our own number.
    AtMost(f64),
    /// A number that explains others.
    None,
}

/// One row.
pub(crate) struct Row {
    pub(crate) what: String,
    /// With its unit.
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    pub(crate) reference: Option<f64>,
    /// The median of the ratios of single repetitions; none: the ratio of the two numbers.
    pub(crate) ratio: Option<f64>,
    pub(crate) goal: Goal,
}

/// All rows, in order.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.ratio.or_else(|| self.reference.map(|reference| self.ours / reference))
    }

    fn goal(&self) -> (String, &'static str) {
        let (text, met) = match self.goal {
            Goal::RatioAtLeast(least) => (format!("≥ {least}"), self.ratio().map(|ratio| ratio >= least)),
            Goal::AtLeast(least) => (format!("≥ {} {}", number(least), self.unit), Some(self.ours >= least)),
            Goal::AtMost(most) => (format!("≤ {} {}", number(most), self.unit), Some(self.ours <= most)),
            Goal::None => ("–".to_owned(), None),
        };
        let verdict = match (met, self.goal) {
            (Some(true), _) => "met",
            (Some(false), _) => "**missed**",
            (None, Goal::None) => "–",
            (None, _) => "**not measured**",
        };
        (text, verdict)
    }
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        let ratio = row.ratio().map_or_else(String::new, |ratio| format!(", ratio {ratio:.2}"));
        eprintln!("  {}: {} {}{ratio}", row.what, number(row.ours), row.unit);
        self.rows.push(row);
    }

    /// Something to be said below the table.
    pub(crate) fn note(&mut self, note: String) {
        eprintln!("  {note}");
        self.notes.push(note);
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text =
            String::from("| what | ours | reference | ratio | goal | |\n|---|---|---|---|---|---|\n");
        for row in &self.rows {
            let with_unit = |value| format!("{} {}", number(value), row.unit);
            let reference = row.reference.map_or_else(|| "–".to_owned(), with_unit);
            let ratio = row.ratio().map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            let (goal, met) = row.goal();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {reference} | {ratio} | {goal} | {met} |",
                row.what,
                with_unit(row.ours)
            );
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
