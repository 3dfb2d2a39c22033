//! A credential in the host's own words: for kinds that other programs of the dialect leave to code. It is ours, not the
//! dialect's; what it says is judged where the connector is built.

use serde_json::Value as Json;

use super::{Authenticator, Source, literal, source_of};
use crate::component::{Component, Fields};
use crate::item::Item;
use crate::template::{Names, Template};

/// A credential in the host's own words.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name, where the kind's would say too little.
    pub name: Option<String>,
    /// One of the host's kinds.
    pub kind: String,
    /// Settings of that kind.
    pub settings: Vec<(String, Setting)>,
    /// Where the values come from that the user enters.
    pub fields: Vec<(String, Source)>,
}

/// The value of a setting.
#[derive(Debug, Clone)]
pub enum Setting {
    /// A text, maybe with values of the configuration in it.
    Text(Template),
    /// A list, a mapping, a number or a boolean.
    Other(Json),
}

pub(super) fn read(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields { read: &["name", "kind", "settings", "fields"], ..Fields::default() });
    let name = component.field("name").map(|item| literal(&item));
    let kind = component.required("kind").and_then(|item| literal(&item));
    let settings = entries(component, "settings");
    let settings = settings.into_iter().map(|(name, item)| (name, setting(component, &item)));
    let fields = entries(component, "fields").into_iter();
    let fields = fields.filter_map(|(name, item)| source_of(&item).map(|source| (name, source)));
    Some(Authenticator::Host(Box::new(Host {
        settings: settings.collect(),
        fields: fields.collect(),
        name: match name {
            Some(name) => Some(name?),
            None => None,
        },
        kind: kind?,
    })))
}

fn entries<'d>(component: &Component<'d>, name: &str) -> Vec<(String, Item<'d>)> {
    component.field(name).map(|item| item.entries()).unwrap_or_default()
}

fn setting<'d>(component: &Component<'d>, item: &Item<'d>) -> Setting {
    match item.json() {
        Json::String(_) => Setting::Text(component.template_of(item, Names::CONFIG)),
        other => Setting::Other(other),
    }
}
