//! A mapping with a `type`: its fields, checked against those that the type has, with parameters filled in.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::Value as Json;

use crate::{
    document::Layers,
    item::{Item, Parameters},
    registry,
    template::{Names, Template},
    words::{alternatives, did_you_mean, quoted},
};

/// How a component of one type is read. A list of these says what may stand in a field.
pub(crate) struct Kind<T> {
    /// The `type`.
    pub(crate) name: &'static str,
    pub(crate) read: fn(&Component<'_>) -> T,
}

/// The fields of a type.
#[derive(Default)]
pub(crate) struct Fields {
    /// Those that are read.
    pub(crate) read: &'static [&'static str],
    /// Those that change nothing here, such as titles and hints for other programs.
    pub(crate) ignored: &'static [&'static str],
    /// Those that the dialect has and this crate has not yet, with the part of the dialect they belong to.
    pub(crate) later: &'static [(&'static str, &'static str)],
}

/// A component that is being read.
pub(crate) struct Component<'d> {
    /// The mapping itself.
    pub(crate) item: Item<'d>,
    layers: Layers<'d>,
    /// Its own parameters over those that it was handed.
    parameters: Parameters<'d>,
    /// The same for templates.
    template_parameters: Json,
}

impl<'d> Item<'d> {
    /// The component that stands here, read by the kind that its `type` names.
    pub(crate) fn one_of<T>(&self, default: Option<&'static str>, kinds: &[Kind<T>]) -> Option<T> {
        let component = self.component()?;
        let named = component.layers.get("type").map(|entry| self.below("type", &entry.node));
        let name = match &named {
            Some(item) => item.scalar_text().unwrap_or_default(),
            None => default.map(ToOwned::to_owned).unwrap_or_default(),
        };
        if let Some(kind) = kinds.iter().find(|kind| kind.name == name) {
            return Some((kind.read)(&component));
        }
        let expected: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        refuse_type(named.as_ref().unwrap_or(self), &name, &expected);
        None
    }

    fn component(&self) -> Option<Component<'d>> {
        let Some(layers) = self.layers() else {
            self.expected("a component, which is a mapping with a `type`");
            return None;
        };
        let mut parameters = BTreeMap::clone(&self.parameters);
        if let Some(entry) = layers.get("$parameters") {
            let own = self.below("$parameters", &entry.node);
            match own.layers() {
                Some(own) => {
                    parameters.extend(own.entries().map(|entry| (entry.key.clone(), &entry.node)));
                }
                None => own.expected("a mapping"),
            }
        }
        let json = parameters
            .iter()
            .map(|(key, node)| (key.clone(), self.below(&format!("$parameters/{key}"), node).json()));
        let template_parameters = Json::Object(json.collect());
        Some(Component { item: self.clone(), layers, parameters: Rc::new(parameters), template_parameters })
    }
}

fn refuse_type(item: &Item<'_>, name: &str, expected: &[&str]) {
    let wanted = alternatives(expected);
    if name.is_empty() {
        return item.fault(format!("has no `type`, expected {wanted}"));
    }
    if let Some(part) = registry::not_yet(name) {
        return item.fault(format!("{} is not supported yet ({part})", quoted(name)));
    }
    if registry::is_custom(name) {
        let message =
            format!("{} runs code of its own, which a low-code connector cannot bring along", quoted(name));
        return item.fault(message);
    }
    if registry::is_supported(name) {
        return item.fault(format!("{} cannot stand here, expected {wanted}", quoted(name)));
    }
    let hint = did_you_mean(name, expected.iter().copied())
        .or_else(|| did_you_mean(name, registry::all()))
        .unwrap_or_else(|| format!("expected {wanted}"));
    item.fault_with(format!("there is no component {}", quoted(name)), Some(hint));
}

impl<'d> Component<'d> {
    /// Reports every field that the type does not have, or has and we do not support yet.
    pub(crate) fn check_fields(&self, fields: &Fields) {
        for entry in self.layers.entries() {
            let key = entry.key.as_str();
            if matches!(key, "type" | "$parameters" | "$ref")
                || fields.read.contains(&key)
                || fields.ignored.contains(&key)
            {
                continue;
            }
            let mut item = self.item.below(key, &entry.node);
            item.place = entry.place;
            match fields.later.iter().find(|(name, _)| *name == key) {
                Some((_, part)) => item.fault(format!("{} is not supported yet ({part})", quoted(key))),
                None => {
                    let hint = did_you_mean(key, fields.read.iter().copied());
                    item.fault_with(format!("there is no field {}", quoted(key)), hint);
                }
            }
        }
    }

    /// A field: what stands here, or the parameter of that name where nothing or something empty does.
    pub(crate) fn field(&self, name: &str) -> Option<Item<'d>> {
        let own = self.layers.get(name).map(|entry| self.handed_down(name, &entry.node));
        match own {
            Some(own) if !own.is_falsy() => Some(own),
            own => {
                let parameter = self.parameters.get(name).map(|node| self.handed_down(name, node));
                parameter.or(own).filter(|item| !item.is_null())
            }
        }
    }

    /// What stands in a field inherits the parameters, but for the one of the field's own name: else a parameter would
    /// be filled into itself.
    fn handed_down(&self, name: &str, node: &'d crate::yaml::Node) -> Item<'d> {
        let mut parameters = Rc::clone(&self.parameters);
        if parameters.contains_key(name) {
            Rc::make_mut(&mut parameters).remove(name);
        }
        Item::new(self.item.document, node, format!("{}/{name}", self.item.path), parameters)
    }

    /// A field that must be there; reports when it is not.
    pub(crate) fn required(&self, name: &str) -> Option<Item<'d>> {
        let field = self.field(name);
        if field.is_none() {
            self.item.fault(format!("{} is missing", quoted(name)));
        }
        field
    }

    /// A text without templates in it; empty when the field is absent.
    pub(crate) fn text(&self, name: &str) -> String {
        let Some(item) = self.field(name) else { return String::new() };
        item.scalar_text().unwrap_or_else(|| {
            item.expected("a text");
            String::new()
        })
    }

    pub(crate) fn boolean(&self, name: &str) -> bool {
        let Some(item) = self.field(name) else { return false };
        item.boolean().unwrap_or_else(|| {
            item.expected("`true` or `false`");
            false
        })
    }

    /// A text, number or boolean as a template.
    pub(crate) fn template(&self, name: &str, names: Names) -> Option<Template> {
        self.field(name).map(|item| self.template_of(&item, names))
    }

    /// A template that must be there.
    pub(crate) fn required_template(&self, name: &str, names: Names) -> Template {
        self.required(name).map_or_else(Template::default, |item| self.template_of(&item, names))
    }

    /// A scalar within this component as a template.
    pub(crate) fn template_of(&self, item: &Item<'d>, names: Names) -> Template {
        let Some(source) = item.scalar_text() else {
            item.expected("a text");
            return Template::default();
        };
        match Template::parse(&source, names, &self.template_parameters) {
            Ok(template) => template.at(item.place),
            Err((message, hint)) => {
                item.fault_with(message, hint);
                Template::default()
            }
        }
    }

    /// The key of an entry as a template; its faults are reported at the value.
    pub(crate) fn template_named(&self, key: &str, item: &Item<'d>, names: Names) -> Template {
        Template::parse(key, names, &self.template_parameters).unwrap_or_else(|(message, hint)| {
            item.fault_with(format!("the key {message}"), hint);
            Template::default()
        })
    }

    /// A list of texts, each a template.
    pub(crate) fn templates(&self, name: &str, names: Names) -> Vec<Template> {
        let items = self.field(name).map(|item| item.items()).unwrap_or_default();
        items.iter().map(|item| self.template_of(item, names)).collect()
    }

    /// The component in a field, if it is there.
    pub(crate) fn child<T>(&self, name: &str, default: Option<&'static str>, kinds: &[Kind<T>]) -> Option<T> {
        self.field(name)?.one_of(default, kinds)
    }

    /// The component in a field that must be there.
    pub(crate) fn required_child<T>(
        &self,
        name: &str,
        default: Option<&'static str>,
        kinds: &[Kind<T>],
    ) -> Option<T> {
        self.required(name)?.one_of(default, kinds)
    }

    /// The components of a list.
    pub(crate) fn children<T>(&self, name: &str, default: Option<&'static str>, kinds: &[Kind<T>]) -> Vec<T> {
        let items = self.field(name).map(|item| item.items()).unwrap_or_default();
        items.iter().filter_map(|item| item.one_of(default, kinds)).collect()
    }
}
