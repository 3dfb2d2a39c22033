use serde_json::{Value, json};

use super::{Names, Scope, Template};

fn scope() -> Scope {
    let headers = [("Retry-After".to_owned(), "7".to_owned())];
    // 2024-03-09T07:05:03Z
    Scope::new(
        &json!({"start": "2024-01-31", "days": 3, "none": null, "list": ["a", "b"], "on": true}),
        1_709_967_903_000_000,
    )
    .with(
        "response",
        &json!({"next": 7, "more": false, "data": {"id": "007"}, "big": 12345678901234567890_u64}),
    )
    .with_headers(&headers, &json!({"next": {"url": "https://a.test/2"}}))
}

fn parse(source: &str) -> Template {
    let names = Names::PAGE;
    Template::parse(source, names, &json!({"name": "users"}))
        .unwrap_or_else(|fault| panic!("{source}: {fault:?}"))
}

fn value(source: &str, expected: &Value) {
    assert_eq!(parse(source).value(&scope()).unwrap().unwrap_or(Value::Null), *expected, "{source}");
}

fn text(source: &str, expected: &str) {
    assert_eq!(parse(source).text(&scope()).unwrap().as_deref(), Some(expected), "{source}");
}

#[test]
fn an_expression_keeps_its_type_and_text_is_read_as_a_literal() {
    value("{{ response.next }}", &json!(7));
    value("{{ response['next'] + 1 }}\n", &json!(8));
    value("{{ response.big }}", &json!(12345678901234567890_u64));
    value("{{ response.data }}", &json!({"id": "007"}));
    value("{{ response.data.id }}", &json!("007"));
    value("{{ response.missing.deeper }}", &json!(null));
    value("{{ config.none }}", &json!(null));
    value("1{{ config.days }}", &json!(13));
    value("7", &json!("7"));
    value("{% if response.more %}x{% else %}{{ response.next }}{% endif %}", &json!(7));
    value("{{ headers['retry-after'] }}", &json!(7));
    value("{{ headers.link.next.url }}", &json!("https://a.test/2"));
    value("{{ headers['link'].get('prev', {}).get('url') }}", &json!(null));
}

#[test]
fn values_are_spelled_as_python_spells_them() {
    text("{{ config.on }}", "True");
    text("{{ config.on | lower }}", "true");
    text("{{ config['list'] | join(',') }}", "a,b");
    text("/{{ parameters.name }}/{{ config.get('days', 1) }}", "/users/3");
    text("{{ ','.join(config.list) }}", "a,b");
    assert_eq!(parse("{{ response.missing }}").text(&scope()), Ok(None));
    assert_eq!(parse("{{ config.list }}").texts(&scope()), Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(parse("{{ config.days }}").texts(&scope()), Ok(vec!["3".to_owned()]));
}

#[test]
fn conditions_hold_or_not() {
    for (source, holds) in [
        ("{{ response.more is false }}", true),
        ("{{ response.more }}", false),
        ("{{ 'next' in headers.link }}", true),
        ("{{ 'prev' not in headers['link'] }}", true),
        ("{{ response.missing }}", false),
        ("{{ 'False' }}", false),
        ("{{ response.next > 5 and config.on }}", true),
        ("always", true),
        ("{{ not response.data.items }}", true),
    ] {
        assert_eq!(parse(source).holds(&scope()), Ok(holds), "{source}");
    }
}

#[test]
fn dates_are_computed() {
    text("{{ now_utc() }}", "2024-03-09 07:05:03+00:00");
    text("{{ now_utc().strftime('%Y-%m-%dT%H:%M:%SZ') }}", "2024-03-09T07:05:03Z");
    text("{{ (now_utc() - duration('P1D')).strftime('%Y-%m-%d') }}", "2024-03-08");
    text("{{ format_datetime(now_utc() + duration('PT1H'), '%H:%M') }}", "08:05");
    text("{{ format_datetime('31.01.2024', '%Y-%m-%d', '%d.%m.%Y') }}", "2024-01-31");
    text("{{ format_datetime(config.start, '%s') }}", "1706659200");
    text("{{ today_utc() }}", "2024-03-09");
    text("{{ today_utc().strftime('%Y/%m/%d') }}", "2024/03/09");
    text("{{ day_delta(-1, format='%Y-%m-%d') }}", "2024-03-08");
    text("{{ day_delta(1) }}", "2024-03-10T07:05:03.000000+0000");
    text("{{ (str_to_datetime('2024-01-01') - duration('P' ~ config.days ~ 'D')).year }}", "2023");
    value("{{ timestamp('2022-02-28T00:00:00-08:00') }}", &json!(1_646_035_200));
    value("{{ timestamp(1646006400) }}", &json!(1_646_006_400));
    value("{{ max(2, 3) }}", &json!(3));
    value("{{ min([config.days, 2]) }}", &json!(2));
    value("{{ str_to_datetime('2024-01-02') > str_to_datetime('2024-01-01') }}", &json!(true));
}

#[test]
fn unknown_names_are_faults_when_the_manifest_is_read() {
    let refused = |source: &str| {
        let (message, hint) = Template::parse(source, Names::CONFIG, &json!({})).unwrap_err();
        format!("{message}; {}", hint.unwrap_or_default())
    };
    assert_eq!(refused("{{ cofnig.x }}"), "there is no `cofnig` in templates; did you mean `config`?");
    assert_eq!(refused("{{ now_utk() }}"), "there is no `now_utk` in templates; did you mean `now_utc`?");
    assert_eq!(
        refused("{{ response.x }}"),
        "`response` is not known in this place; known here are `config` and `parameters`"
    );
    assert!(refused("{{ config.x | regex_search('a') }}").contains("regex_search"));
    assert!(refused("{{ config.").starts_with("is no template: "));
}

#[test]
fn evaluation_fails_with_its_template_and_is_bounded() {
    let error = parse("{{ format_datetime('soon', '%Y') }}").text(&scope()).unwrap_err().to_string();
    assert!(error.contains("`soon` is no ISO 8601 date"), "{error}");
    let endless = parse("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}");
    assert!(endless.text(&scope()).unwrap_err().reason.contains("fuel"));
}
