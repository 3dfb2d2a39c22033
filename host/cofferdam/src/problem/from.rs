//! The errors of the other crates as problems.

use std::error::Error as _;

use grants::Unmet;
use manifest::Faults;
use pipeline::failure::{Cause, Failure, GuestError};

use super::{Problem, Whose};

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        let count = faults.faults.len() + faults.left_out;
        let message = match count {
            1 => format!("`{}` has a fault", faults.file),
            _ => format!("`{}` has {count} faults", faults.file),
        };
        let mut problem = Self::new(faults.code(), message);
        problem.details = faults.to_string().lines().map(ToOwned::to_owned).collect();
        problem.faults = serde_json::to_value(&faults).ok();
        problem
    }
}

impl From<runtime::Error> for Problem {
    fn from(error: runtime::Error) -> Self {
        let text = error.to_string();
        let mut lines = text.lines();
        let mut problem = Self::new(error.code(), lines.next().unwrap_or_default());
        problem.details = lines.map(ToOwned::to_owned).collect();
        problem.causes.extend(error.source().map(ToString::to_string));
        problem
    }
}

impl From<egress::Error> for Problem {
    fn from(error: egress::Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        problem.causes.extend(error.source().map(ToString::to_string));
        problem
    }
}

impl From<pipeline::Error> for Problem {
    fn from(error: pipeline::Error) -> Self {
        use pipeline::Error;
        if let Error::Failure(failure) = &error {
            return Self::from(&**failure);
        }
        let mut problem = Self::new(error.code(), error.to_string());
        if let Error::RowRejected { row: Some(row), .. } = &error {
            problem.details.push(format!("the row: {row}"));
        }
        let ours = matches!(error, Error::Internal { .. } | Error::CountersUnbalanced { .. })
            || matches!(error, Error::Records(pipeline::records::Error::Disorder { .. }));
        problem.whose = if ours { Whose::Ours } else { Whose::Yours };
        problem
    }
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        let text = failure.to_string();
        let mut lines = text.lines();
        let mut problem = Self::new(failure.code(), lines.next().unwrap_or_default());
        problem.details = lines.map(ToOwned::to_owned).collect();
        problem.log_tail = failure.log_tail.clone();
        for denial in &failure.denials {
            match denial.split_once("\nto allow it, add\n") {
                Some((what, lines)) => problem = problem.caused_by(what).allowed_by(lines),
                None => problem.causes.push(denial.clone()),
            }
        }
        if matches!(failure.cause, Cause::Host(_)) {
            problem.whose = Whose::Ours;
        }
        if let Cause::Guest(GuestError::Unauthorized(_)) = &failure.cause {
            problem = problem.hint("credentials are part of the connection's configuration");
        }
        // Some limits are the same for all connectors: no document knows their names.
        if let Cause::Limit { name, .. } = &failure.cause
            && manifest::Limits::KEYS.iter().any(|(key, _)| key == name)
        {
            problem = problem.hint(format!("raise `{name}` under `limits` of the connection in the sync"));
        }
        problem
    }
}

impl From<&Unmet> for Problem {
    fn from(unmet: &Unmet) -> Self {
        let problem = Self::new(unmet.code.as_str(), unmet.message.clone());
        match &unmet.line_to_add {
            Some(lines) => problem.allowed_by(lines),
            None => problem,
        }
    }
}
