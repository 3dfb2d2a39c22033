//! Words of `control` as the description of the API lists them.

use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Type};

pub(crate) fn role() -> Object {
    one_of(&[control::MemberRole::Admin, control::MemberRole::User])
}

pub(crate) fn scopes() -> utoipa::openapi::Array {
    use control::Scope::{Admin, Read, Run, Write};
    ArrayBuilder::new().items(one_of(&[Read, Write, Run, Admin])).unique_items(true).build()
}

/// What an admin may select when letting an operator look.
pub(crate) fn selectable() -> utoipa::openapi::Array {
    let actions: Vec<_> = control::Action::ALL.iter().filter(|action| action.is_selectable()).collect();
    ArrayBuilder::new().items(one_of(&actions)).unique_items(true).build()
}

fn one_of<T: Serialize>(all: &[T]) -> Object {
    let words = all.iter().filter_map(|word| serde_json::to_value(word).ok());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}
