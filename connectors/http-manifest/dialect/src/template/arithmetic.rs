//! `now_utc() - duration('P1D')`: the engine knows no arithmetic of objects, so a sum with a duration is written as a
//! filter before it is compiled. Only a duration can stand after the sign, so nothing else is touched.

/// The text with each `+ duration(` and `- duration(` outside of quotes as a filter.
pub(super) fn rewrite(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        let call = after.trim_start().strip_prefix("duration(");
        match (character, quote, call) {
            ('+' | '-', None, Some(arguments)) => {
                written.push_str(if character == '+' { "|plus_duration(" } else { "|minus_duration(" });
                rest = arguments;
                continue;
            }
            ('\'' | '"', None, _) => quote = Some(character),
            (_, Some(open), _) if open == character => quote = None,
            _ => {}
        }
        written.push(character);
        rest = after;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn sums_with_durations_become_filters() {
        assert_eq!(rewrite("{{ now_utc() - duration('P1D') }}"), "{{ now_utc() |minus_duration('P1D') }}");
        assert_eq!(rewrite("{{ a+duration(b) }}"), "{{ a|plus_duration(b) }}");
        assert_eq!(rewrite("{{ 'x - duration(y)' }} - {{ 1 - 2 }}"), "{{ 'x - duration(y)' }} - {{ 1 - 2 }}");
    }
}
