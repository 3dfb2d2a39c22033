//! The contract is what authors of connectors read first: each item of it says what it is.

use std::path::Path;
use wit_parser::{Docs, Interface, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeOwner};

/// The items that lack a word, by where they stand.
#[derive(Default)]
struct Wordless(Vec<String>);

impl Wordless {
    fn look(&mut self, docs: &Docs, place: impl Into<String>) {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            self.0.push(place.into());
        }
    }

    fn interface(&mut self, resolve: &Resolve, name: &str, id: InterfaceId) {
        let interface: &Interface = &resolve.interfaces[id];
        self.look(&interface.docs, name);
        for (type_name, type_id) in &interface.types {
            let definition = &resolve.types[*type_id];
            if !is_used_from_elsewhere(resolve, definition, id) {
                self.definition(definition, &format!("{name}.{type_name}"));
            }
        }
        for (function_name, function) in &interface.functions {
            self.look(&function.docs, format!("{name}.{function_name}"));
        }
    }

    fn definition(&mut self, definition: &TypeDef, place: &str) {
        self.look(&definition.docs, place);
        match &definition.kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().for_each(|part| self.look(&part.docs, format!("{place}.{}", part.name)));
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().for_each(|part| self.look(&part.docs, format!("{place}.{}", part.name)));
            }
            TypeDefKind::Enum(choice) => {
                choice.cases.iter().for_each(|part| self.look(&part.docs, format!("{place}.{}", part.name)));
            }
            TypeDefKind::Flags(flags) => {
                flags.flags.iter().for_each(|part| self.look(&part.docs, format!("{place}.{}", part.name)));
            }
            _ => {}
        }
    }
}

/// `use types.{error}` makes a name for what is documented there.
fn is_used_from_elsewhere(resolve: &Resolve, definition: &TypeDef, here: InterfaceId) -> bool {
    match definition.kind {
        TypeDefKind::Type(Type::Id(other)) => resolve.types[other].owner != TypeOwner::Interface(here),
        _ => false,
    }
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
    let (package, _) = resolve.push_dir(contract).unwrap();
    let mut wordless = Wordless::default();
    let found = &resolve.packages[package];
    for (name, id) in &found.interfaces {
        wordless.interface(&resolve, name, *id);
    }
    for (name, id) in &found.worlds {
        wordless.look(&resolve.worlds[*id].docs, name);
    }
    assert_eq!(found.interfaces.len(), 8, "a new interface is looked at too: {:?}", found.interfaces.keys());
    assert!(wordless.0.is_empty(), "without a word: {:#?}", wordless.0);
}
