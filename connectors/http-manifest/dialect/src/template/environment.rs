//! The engine that evaluates templates: what is undefined is empty, values are spelled as Python spells them, and no
//! evaluation runs for long.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, Value, value::ValueKind};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::functions;

/// Steps of one evaluation. The longest template of a published manifest takes a few hundred.
const STEPS_MAX: u64 = 100_000;

pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(STEPS_MAX));
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.set_formatter(|out, _, value| out.write_str(&spelled(value)).map_err(Into::into));
    functions::add(&mut environment);
    environment
});

/// The value as text; none for none and for nothing at all.
pub(super) fn shown(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => None,
        _ => Some(spelled(value)),
    }
}

fn spelled(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool if value.is_true() => "True".to_owned(),
        ValueKind::Bool => "False".to_owned(),
        _ => value.to_string(),
    }
}
