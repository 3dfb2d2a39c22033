//! One thing that was looked at: what was seen, and where it is not as it should be, why that matters and what mends it.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use crate::text::plain_line;

/// What is looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Clock,
    Disk,
    Directories,
    FileSystem,
    Keys,
    Ports,
    Certificate,
    Acme,
    Collector,
    Names,
    Limits,
    Memory,
    Images,
    Walls,
    TimeZones,
    WasmTarget,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// It works, but less well or less safely than it could.
    Warning,
    /// Something does not work.
    Fault,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    #[serde(serialize_with = "by_name")]
    topic: Topic,
    state: State,
    /// The page of the topic, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(topic: Topic, seen: impl Into<String>) -> Self {
        Self { topic, state: State::Ok, code: None, seen: seen.into(), why: None, fix: None }
    }

    pub(super) fn warning(topic: Topic, seen: impl Into<String>, why: &str, fix: impl Into<String>) -> Self {
        Self::bad(topic, State::Warning, seen.into(), why, fix.into())
    }

    pub(super) fn fault(topic: Topic, seen: impl Into<String>, why: &str, fix: impl Into<String>) -> Self {
        Self::bad(topic, State::Fault, seen.into(), why, fix.into())
    }

    fn bad(topic: Topic, state: State, seen: String, why: &str, fix: String) -> Self {
        Self { topic, state, code: Some(topic.code()), seen, why: Some(why.to_owned()), fix: Some(fix) }
    }

    pub(super) fn topic(&self) -> Topic {
        self.topic
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Lines for a person.
    pub(super) fn text(&self) -> String {
        let mut text =
            format!("{:<13}{:<9}{}\n", self.topic.name(), self.state.word(), plain_line(&self.seen));
        // Writing to a string cannot fail, here and below.
        for (word, said) in [("why", &self.why), ("fix", &self.fix)] {
            if let Some(said) = said {
                let _ = writeln!(text, "{:22}{word}: {}", "", plain_line(said));
            }
        }
        if let Some(code) = self.code {
            let _ = writeln!(text, "{:22}more: cofferdam explain {code}", "");
        }
        text
    }
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Directories => "directories",
            Self::FileSystem => "file system",
            Self::Keys => "keys",
            Self::Ports => "ports",
            Self::Certificate => "certificate",
            Self::Acme => "acme",
            Self::Collector => "collector",
            Self::Names => "names",
            Self::Limits => "limits",
            Self::Memory => "memory",
            Self::Images => "images",
            Self::Walls => "walls",
            Self::TimeZones => "time zones",
            Self::WasmTarget => "wasm target",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Clock => "CD1101",
            Self::Disk => "CD1102",
            Self::Directories => "CD1116",
            Self::FileSystem => "CD1103",
            Self::Keys => "CD1104",
            Self::Ports => "CD1105",
            Self::Certificate => "CD1113",
            Self::Acme => "CD1115",
            Self::Collector => "CD1114",
            Self::Names => "CD1106",
            Self::Limits => "CD1107",
            Self::Memory => "CD1108",
            Self::Images => "CD1109",
            Self::Walls => "CD1110",
            Self::TimeZones => "CD1111",
            Self::WasmTarget => "CD1112",
        }
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

fn by_name<S: Serializer>(topic: &Topic, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(topic.name())
}
