//! Faults of a document: what is wrong, where, and what would be right. Rendered without colours; the command line
//! adds them.

use std::fmt;

use serde::Serialize;

use crate::place::Excerpt;

/// The kinds of faults, each with a page under `host/docs/errors/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The document is not TOML.
    Syntax,
    /// A key that the format does not have.
    UnknownKey,
    /// A key that must be there.
    MissingKey,
    /// A value of another type than the key takes.
    WrongType,
    /// A value that the key does not take.
    WrongValue,
    /// A version of the format that this host does not read.
    UnknownFormat,
    /// A size or a time that cannot be read.
    WrongAmount,
    /// A host pattern that names no host, or too many.
    WrongHost,
    /// A configuration schema that is not a JSON Schema which this host takes.
    WrongSchema,
    /// A configuration that breaks the connector's schema.
    WrongConfig,
    /// A configuration value that cannot stand in a host pattern.
    WrongSubstitution,
    /// A document larger than the host reads.
    TooLarge,
    /// A name given twice.
    Duplicate,
    /// An audience that is wider than the hosts that the connector asks for.
    WrongAudience,
    /// Two credentials for one place of one request.
    AmbiguousCredentials,
    /// A secret of the configuration that is not the source of exactly one credential, or that stands in a document.
    WrongSecret,
}

impl Code {
    /// The stable code, as `cofferdam explain` takes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "CD0101",
            Self::UnknownKey => "CD0102",
            Self::MissingKey => "CD0103",
            Self::WrongType => "CD0104",
            Self::WrongValue => "CD0105",
            Self::UnknownFormat => "CD0106",
            Self::WrongAmount => "CD0107",
            Self::WrongHost => "CD0108",
            Self::WrongSchema => "CD0109",
            Self::WrongConfig => "CD0110",
            Self::WrongSubstitution => "CD0111",
            Self::TooLarge => "CD0112",
            Self::Duplicate => "CD0113",
            Self::WrongAudience => "CD0114",
            Self::AmbiguousCredentials => "CD0115",
            Self::WrongSecret => "CD0116",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The kind of fault.
    pub code: Code,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The value's path in the document, such as `asks.hosts[0].url`; empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, where that is known.
    pub hint: Option<String>,
    /// The line with the fault.
    pub excerpt: Excerpt,
}

/// All faults of one document, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// The document's name, as it was given.
    pub file: String,
    /// The faults; at most 200.
    pub faults: Vec<Fault>,
    /// How many faults there were beyond those.
    pub left_out: usize,
}

impl Faults {
    /// The code of the first fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.faults.first().map_or(Code::Syntax.as_str(), |fault| fault.code.as_str())
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            write_fault(formatter, &self.file, fault)?;
        }
        if self.left_out > 0 {
            write!(formatter, "\n{} more faults are not shown", self.left_out)?;
        }
        Ok(())
    }
}

fn write_fault(formatter: &mut fmt::Formatter<'_>, file: &str, fault: &Fault) -> fmt::Result {
    let Fault { code, line, column, path, message, hint, excerpt } = fault;
    write!(formatter, "{file}:{line}:{column}: ")?;
    if !path.is_empty() {
        write!(formatter, "{path}: ")?;
    }
    writeln!(formatter, "{message} [{code}]")?;
    let gutter = line.to_string().len();
    writeln!(formatter, " {line} | {}", excerpt.text)?;
    write!(
        formatter,
        " {:gutter$} | {:start$}{}",
        "",
        "",
        "^".repeat(excerpt.length),
        start = excerpt.start
    )?;
    if let Some(hint) = hint {
        write!(formatter, "\n {:gutter$} = hint: {hint}", "")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Code, Fault, Faults};
    use crate::place::Excerpt;

    fn faults() -> Faults {
        let excerpt = Excerpt { text: "nmae = \"x\"".into(), start: 0, length: 4 };
        let fault = Fault {
            code: Code::UnknownKey,
            line: 12,
            column: 1,
            path: "nmae".into(),
            message: "unknown key".into(),
            hint: Some("did you mean `name`?".into()),
            excerpt,
        };
        Faults { file: "connector.toml".into(), faults: vec![fault], left_out: 0 }
    }

    #[test]
    fn a_fault_shows_its_place_its_line_and_a_hint() {
        assert_eq!(
            faults().to_string(),
            "connector.toml:12:1: nmae: unknown key [CD0102]\n 12 | nmae = \"x\"\n    | ^^^^\n    = hint: did you mean `name`?"
        );
    }

    #[test]
    fn several_faults_stand_below_each_other_and_what_is_left_out_is_counted() {
        let one = faults();
        assert_eq!(one.code(), "CD0102");
        let two =
            Faults { faults: [one.faults.clone(), one.faults.clone()].concat(), left_out: 3, ..one.clone() };
        assert_eq!(two.to_string(), format!("{one}\n{one}\n3 more faults are not shown"));
    }

    #[test]
    fn faults_serialize_for_machines() {
        let json = serde_json::to_value(faults()).unwrap();
        assert_eq!(json.pointer("/faults/0/code").unwrap(), "CD0102");
        assert_eq!(json.pointer("/faults/0/excerpt/length").unwrap(), 4);
    }
}
