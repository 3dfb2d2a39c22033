//! What went wrong, in one form for people and machines: code, message, causes, hints, and whose part it is to act.

mod from;
mod own;
mod show;

use serde::{Deserialize, Serialize};

pub(crate) use own::Own;

/// A connector holds a secret itself: nothing that stops a run, and told in the colour of what does.
pub(crate) const REVEALED: &str = "CD0846";

/// Whose part it is to act, and so the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whose {
    /// Something outside of cofferdam: a document, a grant, a connector, another system, this machine.
    Yours,
    /// A fault of cofferdam itself.
    Ours,
}

/// What would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hint {
    /// In words.
    pub(crate) text: String,
    /// Lines to paste, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<String>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// The stable code.
    pub(crate) code: String,
    /// What happened, in one line.
    pub(crate) message: String,
    /// Why, from the outside in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) causes: Vec<String>,
    /// Lines that belong to the message: places in a document, frames of a stack.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<String>,
    /// What would help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hints: Vec<Hint>,
    /// The connector's last log lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) log_tail: Vec<String>,
    /// Whose part it is to act.
    pub(crate) whose: Whose,
    /// The faults of a document, each with its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) faults: Option<serde_json::Value>,
}

impl Problem {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            causes: Vec::new(),
            details: Vec::new(),
            hints: Vec::new(),
            log_tail: Vec::new(),
            whose: Whose::Yours,
            faults: None,
        }
    }

    /// A fault of cofferdam itself.
    pub(crate) fn bug(what: impl Into<String>) -> Self {
        Self { whose: Whose::Ours, ..Self::from(Own::Bug { what: what.into() }) }
    }

    /// Standard output does not take what is written.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        Self::from(Own::Output { reason: error.to_string() })
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Each only once.
    pub(crate) fn hint(self, text: impl Into<String>) -> Self {
        self.hinted(Hint { text: text.into(), lines: None })
    }

    fn hinted(mut self, hint: Hint) -> Self {
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Lines that would allow what was denied; each only once.
    pub(crate) fn allowed_by(self, lines: &str) -> Self {
        self.hinted(Hint { text: "to allow it, add".to_owned(), lines: Some(lines.to_owned()) })
    }
}

/// Everything that a command failed with; at least one problem.
#[derive(Debug)]
pub(crate) struct Problems {
    problems: Vec<Problem>,
    /// Whether the command's own document tells them already.
    pub(crate) in_document: bool,
}

impl Problems {
    /// None where there is nothing to tell.
    pub(crate) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems, in_document: false }) }
    }

    /// The command's document has them.
    pub(crate) fn told_in_document(mut self) -> Self {
        self.in_document = true;
        self
    }

    pub(crate) fn all(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn into_all(self) -> Vec<Problem> {
        self.problems
    }

    pub(crate) fn exit_code(&self) -> u8 {
        if self.problems.iter().any(|problem| problem.whose == Whose::Ours) { 2 } else { 1 }
    }
}

impl<P: Into<Problem>> From<P> for Problems {
    fn from(problem: P) -> Self {
        Self { problems: vec![problem.into()], in_document: false }
    }
}
