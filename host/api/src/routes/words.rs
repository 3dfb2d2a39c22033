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

pub(crate) fn pause_cause() -> Object {
    one_of(&[control::PauseCause::Wished, control::PauseCause::SchemaChanged])
}

pub(crate) fn schema_changes() -> Object {
    use control::SchemaChanges::{Ignore, Pause, Propagate};
    one_of(&[Propagate, Ignore, Pause])
}

pub(crate) fn mode() -> Object {
    use manifest::Mode::{Append, Mirror, Replace, Upsert};
    one_of(&[Append, Upsert, Mirror, Replace])
}

pub(crate) fn comparison() -> Object {
    use manifest::Comparison::{
        Equal, Greater, GreaterOrEqual, IsNotNull, IsNull, Less, LessOrEqual, NotEqual,
    };
    one_of(&[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, IsNull, IsNotNull])
}

pub(crate) fn reject_policy() -> Object {
    use manifest::RejectPolicy::{Fail, Quarantine, Skip};
    one_of(&[Fail, Skip, Quarantine])
}

pub(crate) fn row_data() -> Object {
    use manifest::RowData::{Local, Off, Stored};
    one_of(&[Off, Local, Stored])
}

pub(crate) fn connector_roles() -> utoipa::openapi::Array {
    use manifest::Role::{Destination, Source, Transform, Webhook};
    let roles = one_of(&[Source, Destination, Transform, Webhook]);
    ArrayBuilder::new().items(roles).unique_items(true).build()
}

pub(crate) fn one_of<T: Serialize>(all: &[T]) -> Object {
    let words = all.iter().filter_map(|word| serde_json::to_value(word).ok());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}
