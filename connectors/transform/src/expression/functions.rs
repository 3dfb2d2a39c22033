//! The functions that expressions may call: those of the language, its extensions for texts and numbers, and `matches`.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        types::{CelBool, CelString, STRING_TYPE},
        value::CowVal,
    },
    extensions,
};
use regex::{Regex, RegexBuilder};

/// What a pattern may take when it is compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Patterns that are kept; an expression has a handful, unless it takes them from the rows.
const PATTERNS_MAX: usize = 64;

/// Every function by its name, as a typing mistake is found before rows flow. The test below calls each.
pub(super) const FUNCTIONS: [&str; 61] = [
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "format",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "math.abs",
    "math.bitAnd",
    "math.bitNot",
    "math.bitOr",
    "math.bitShiftLeft",
    "math.bitShiftRight",
    "math.bitXor",
    "math.ceil",
    "math.floor",
    "math.isFinite",
    "math.isInf",
    "math.isNaN",
    "math.round",
    "math.sign",
    "math.sqrt",
    "math.trunc",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "or",
    "orValue",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "string",
    "strings.quote",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "value",
];

/// What `type(x)` may be compared with.
pub(super) const TYPE_NAMES: [&str; 11] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"];

/// The environment of all expressions, made when the first is bound.
pub(super) fn env() -> Arc<Env> {
    static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(make().unwrap_or_else(|_| Env::stdlib())));
    Arc::clone(&ENV)
}

fn make() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    extensions::strings(&mut env)?;
    extensions::math(&mut env)?;
    env.add_overload("matches", "matches(string,string)", vec![STRING_TYPE, STRING_TYPE], matches)?;
    env.add_member_overload("matches", "string.matches(string)", STRING_TYPE, vec![STRING_TYPE], matches)?;
    Ok(env)
}

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = |index: usize| arguments.get(index).and_then(|value| value.downcast_ref::<CelString>());
    let (Some(text), Some(pattern)) = (text(0), text(1)) else {
        return Err(ExecutionError::missing_argument_or_target());
    };
    let found = is_match(text.inner(), pattern.inner());
    let found = found.map_err(|message| ExecutionError::function_error("matches", message))?;
    Ok(CowVal::owned(CelBool::from(found)))
}

fn is_match(text: &str, pattern: &str) -> Result<bool, String> {
    thread_local! {
        static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::new(HashMap::new());
    }
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(pattern) {
            return Ok(regex.is_match(text));
        }
        let regex = compile(pattern)?;
        let found = regex.is_match(text);
        if patterns.len() == PATTERNS_MAX {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), regex);
        Ok(found)
    })
}

/// The pattern, or what is wrong with it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| {
        // The lines before the last one draw a picture.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("`{pattern}` is no pattern: {reason}")
    })
}

#[cfg(test)]
mod tests {
    use cel::{Context, ExecutionError, Program};

    use super::{FUNCTIONS, env, is_match};

    #[test]
    fn every_function_that_is_named_is_there() {
        for name in FUNCTIONS {
            let is_there = |source: String| {
                let result = Program::compile(&source).unwrap().execute(&Context::with_env(env()));
                !matches!(result, Err(ExecutionError::UndeclaredReference(_)))
            };
            assert!(is_there(format!("{name}()")) || is_there(format!("''.{name}()")), "{name}");
        }
    }

    #[test]
    fn patterns_are_kept_and_those_that_are_none_are_said() {
        for round in 0..200 {
            assert_eq!(is_match(&format!("row {round}"), &format!("^row {}$", round % 70)), Ok(round < 70));
        }
        assert!(is_match("a", "(").unwrap_err().starts_with("`(` is no pattern"));
        assert!(is_match("a", "(?:a{1000}){1000}").unwrap_err().contains("size limit"));
    }
}
