use super::{Node, Value, parse};

/// The tree in a short form: `[..]`, `{key: value}`, texts in quotes.
fn shown(node: &Node) -> String {
    match &*node.value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Sequence(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Mapping(mapping) => {
            let entries = mapping.entries.iter();
            let entries: Vec<String> =
                entries.map(|entry| format!("{}: {}", entry.key, shown(&entry.node))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(shown(&parse(text).unwrap()), expected, "{text}");
}

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn plain_scalars_have_the_types_of_the_core_schema() {
    check("[1, -2, +3, 1.5, 1e3, .5, 0x1f, 007]", "[1, -2, 3, 1.5, 1000.0, 0.5, 31, 7]");
    check(
        "[true, False, ~, null, '', yes, 2024-01-31]",
        r#"[true, false, null, null, "", "yes", "2024-01-31"]"#,
    );
    check(r#"["1", '2', !!str 3, 1.2.3, x-, 1-2]"#, r#"["1", "2", "3", "1.2.3", "x-", "1-2"]"#);
    check("18446744073709551615", "18446744073709551615");
    check("a: |\n  one\n  two\n", r#"{a: "one\ntwo\n"}"#);
}

#[test]
fn anchors_and_merges_are_resolved() {
    check("{a: &x [1], b: *x}", "{a: [1], b: [1]}");
    check("base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n", "{base: {x: 1, y: 2}, c: {x: 1, y: 3}}");
    check(
        "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n",
        "{a: {x: 1}, b: {x: 2, y: 2}, c: {x: 1, y: 2}}",
    );
}

#[test]
fn each_fault_has_its_place() {
    assert_eq!(refused("a: 1\nb: 2\na: 3\n"), "line 3, column 1: the key `a` stands twice, first in line 1");
    assert_eq!(refused("? [1]\n: 2\n"), "line 1, column 3: a key must be text");
    assert_eq!(refused("a: !secret x"), "line 1, column 4: the tag `!secret` is not known");
    assert!(refused("a: 1\n---\nb: 2\n").contains("a second document"));
    assert!(refused("").contains("the text is empty"));
    assert!(refused("a: [1, 2\nb: 3").starts_with("line "), "{}", refused("a: [1, 2\nb: 3"));
    let node = parse("a:\n  - b: x\n").unwrap();
    let Value::Mapping(mapping) = &*node.value else { panic!() };
    assert_eq!((mapping.entries[0].node.place.line, mapping.entries[0].node.place.column), (2, 3));
}

#[test]
fn what_nests_too_deep_or_multiplies_is_refused() {
    assert!(refused(&format!("{}{}", "[".repeat(200), "]".repeat(200))).contains("nest more than 100"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(refused(&bomb).contains("more than 1000000 values"));
    assert!(refused(&"x".repeat(9 << 20)).contains("bytes"));
}
