//! Components that are hard to compile (H62).

/// An export by the name of a role, without its functions.
const EMPTY_SOURCE: &str = r#"(instance $role) (export "cofferdam:connector/source@0.1.0" (instance $role))"#;

/// A component of this text, with the manifest and contract of a source beside it.
pub(crate) fn component(text: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {text} {EMPTY_SOURCE}
            (@custom "cofferdam:contract" "0.1.0")
            (@custom "cofferdam:manifest" "manifest = 1\nname = \"bomb\"\npublisher = \"test\"\nversion = \"0.1.0\"\ncontract = \"0.1.0\"\nroles = [\"source\"]\ntitle = \"Bomb\"\n"))"#
    );
    wat::parse_str(text).unwrap()
}

/// A small module that compiles in more than linear time and memory: each block passes a thousand values on, so that the
/// compiler has a thousand new ones for each few bytes.
pub(crate) fn quadratic(blocks: usize) -> Vec<u8> {
    let types = "i32 ".repeat(1000);
    let values = "(i32.const 1)".repeat(1000);
    let (block, drops) = ("(block (type $wide))".repeat(blocks), "(drop)".repeat(1000));
    component(&format!(
        "(core module (type $wide (func (param {types}) (result {types}))) (func {values} {block} {drops}))"
    ))
}
