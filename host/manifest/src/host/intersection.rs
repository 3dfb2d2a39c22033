//! What two rules allow together. Two sound patterns meet in one pattern or in none, so rights can be shown as rules.

use super::path::prefix_holds;
use super::pattern::{Label, Target, is_below};
use super::{Host, HostForm, HostPattern};

impl HostPattern {
    /// The rule that allows exactly what both allow; none when that is nothing. Open substitutions meet nothing.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (scheme, host, port) = self.origin()?;
        let (other_scheme, other_host, other_port) = other.origin()?;
        if scheme != other_scheme || port != other_port {
            return None;
        }
        let host = narrower_host(host, other_host)?.clone();
        Some(Self {
            target: Target::Fixed { scheme, host, port },
            methods: common_methods(self.methods(), other.methods())?,
            path_prefix: narrower_prefix(self.path_prefix(), other.path_prefix())?.map(ToOwned::to_owned),
        })
    }

    /// Whether this rule allows everything that the other allows.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.intersection(other).as_ref() == Some(other)
    }

    /// What both rules are sure to allow, whatever the configuration says: as [`Self::intersection`], and also of two
    /// rules with the same open substitution.
    pub(crate) fn meets(&self, other: &Self) -> Option<Self> {
        if self.is_resolved() || self.target != other.target {
            return self.intersection(other);
        }
        Some(Self {
            target: self.target.clone(),
            methods: common_methods(self.methods(), other.methods())?,
            path_prefix: narrower_prefix(self.path_prefix(), other.path_prefix())?.map(ToOwned::to_owned),
        })
    }

    /// Whether this rule is sure to allow everything that the other allows, whatever the configuration says.
    pub(crate) fn covers_as_written(&self, other: &Self) -> bool {
        if self.meets(other).as_ref() == Some(other) {
            return true;
        }
        // Below a suffix a label may be open: `*.example.com` covers `${config.name}.example.com`.
        covers_open_labels(&self.target, &other.target)
            && Self { target: other.target.clone(), ..self.clone() }.meets(other).as_ref() == Some(other)
    }

    /// The same rule for this one of its methods.
    pub(crate) fn for_method(&self, method: &str) -> Self {
        self.clone().narrowed(Some(vec![method.to_owned()]), self.path_prefix.clone())
    }
}

fn covers_open_labels(wide: &Target, open: &Target) -> bool {
    let (
        Target::Fixed { scheme, host: HostForm::Suffix(suffix), port },
        Target::Labels { scheme: open_scheme, labels, port: open_port, .. },
    ) = (wide, open)
    else {
        return false;
    };
    let count = suffix.split('.').count();
    let last =
        labels.len().checked_sub(count).filter(|above| *above > 0).and_then(|above| labels.get(above..));
    let fixed = |(label, own): (&Label, &str)| matches!(label, Label::Literal(text) if text == own);
    scheme == open_scheme
        && port == open_port
        && last.is_some_and(|last| last.iter().zip(suffix.split('.')).all(fixed))
}

fn narrower_host<'h>(one: &'h HostForm, other: &'h HostForm) -> Option<&'h HostForm> {
    match (one, other) {
        _ if one == other => Some(one),
        (HostForm::Exact(Host::Name(name)), HostForm::Suffix(suffix)) if is_below(name, suffix) => Some(one),
        (HostForm::Suffix(suffix), HostForm::Exact(Host::Name(name))) if is_below(name, suffix) => {
            Some(other)
        }
        (HostForm::Suffix(long), HostForm::Suffix(short)) if is_below(long, short) => Some(one),
        (HostForm::Suffix(short), HostForm::Suffix(long)) if is_below(long, short) => Some(other),
        _ => None,
    }
}

/// The outer option: whether there is any method; the inner: whether it is not simply every method.
fn common_methods(one: Option<&[String]>, other: Option<&[String]>) -> Option<Option<Vec<String>>> {
    let common: Vec<String> = match (one, other) {
        (None, None) => return Some(None),
        (Some(methods), None) | (None, Some(methods)) => methods.to_vec(),
        (Some(one), Some(other)) => one.iter().filter(|method| other.contains(method)).cloned().collect(),
    };
    if common.is_empty() { None } else { Some(Some(common)) }
}

fn narrower_prefix<'p>(one: Option<&'p str>, other: Option<&'p str>) -> Option<Option<&'p str>> {
    match (one, other) {
        (None, prefix) | (prefix, None) => Some(prefix),
        (Some(one), Some(other)) if prefix_holds(one, other) => Some(Some(other)),
        (Some(one), Some(other)) if prefix_holds(other, one) => Some(Some(one)),
        _ => None,
    }
}
