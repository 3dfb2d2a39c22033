//! Why an expression failed, for people.

use cel::{ExecutionError, Value, objects::ValueType};

/// The failure in words that need no knowledge of the interpreter.
pub(super) fn describe(error: &ExecutionError) -> String {
    match error {
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            format!(
                "no `{}` of {} and {}{}",
                symbol(operator),
                left.type_of(),
                right.type_of(),
                hint(left, right)
            )
        }
        ExecutionError::NoSuchOverload(overload) => {
            let function = overload.function().trim_matches('_');
            format!("no `{function}` of {}", overload.argument_types().join(" and "))
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} and {} cannot be compared", left.type_of(), right.type_of())
        }
        ExecutionError::Overflow(operator, ..) => {
            format!("`{}` gives a number that is too large", symbol(operator))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::NoSuchKey(key) => format!("there is no key `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("there is no `{name}` for these values"),
        ExecutionError::FunctionError { function, message } => format!("`{function}`: {message}"),
        ExecutionError::IndexOutOfBounds(_) => "there is no such element".to_owned(),
        ExecutionError::UnexpectedType { got, want } => format!("{got} where {want} is wanted"),
        other => other.to_string(),
    }
}

fn symbol(operator: &str) -> &str {
    match operator {
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other,
    }
}

/// Numbers of different types are compared as they are, and calculated with only when one is converted.
fn hint(left: &Value, right: &Value) -> &'static str {
    let is_number =
        |value: &Value| matches!(value.type_of(), ValueType::Int | ValueType::UInt | ValueType::Float);
    if is_number(left) && is_number(right) { "; convert one with `double(…)` or `int(…)`" } else { "" }
}
