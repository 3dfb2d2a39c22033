//! One of several authenticators, as the user chooses. The user chooses by entering one credential of them.

use super::{Authenticator, KINDS};
use crate::component::{Component, Fields};

/// One of several authenticators.
#[derive(Debug, Clone)]
pub struct Selective {
    /// Each by the value that chooses it; none: requests go without.
    pub choices: Vec<(String, Option<Authenticator>)>,
}

pub(super) fn read(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields {
        read: &["authenticator_selection_path", "authenticators"],
        ..Fields::default()
    });
    // Which value chooses is the user's business, who enters the credential that is chosen.
    component.required("authenticator_selection_path");
    let entries = component.required("authenticators").map(|item| item.entries()).unwrap_or_default();
    if entries.is_empty() {
        component.item.fault("has no `authenticators` to choose from");
    }
    let mut choices = Vec::new();
    for (name, item) in entries {
        match item.one_of(None, &KINDS) {
            Some(Some(Authenticator::Selective(_))) => {
                item.fault("a choice within a choice: name all authenticators in one list");
            }
            Some(choice) => choices.push((name, choice)),
            None => {}
        }
    }
    Some(Authenticator::Selective(Selective { choices }))
}
