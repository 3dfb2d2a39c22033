//! Where a stream's schema comes from.

use serde_json::Value as Json;

use crate::component::{Component, Fields, Kind};

pub(crate) const KINDS: [Kind<Option<Json>>; 1] = [Kind { name: "InlineSchemaLoader", read: read_inline }];

fn read_inline(component: &Component<'_>) -> Option<Json> {
    component.check_fields(&Fields { read: &["schema"], ..Fields::default() });
    let item = component.field("schema")?;
    if item.layers().is_none() {
        item.expected("a JSON Schema");
        return None;
    }
    Some(item.json())
}
