//! Every field of connections, rights and credentials, wrong in every way: told with its place, and nothing is changed.

use super::connecting::Connected;
use serde_json::{Value, json};

/// What is there: whatever was refused has changed nothing of it.
async fn state(shop: &Connected) -> Vec<Value> {
    let mut all = Vec::new();
    for rest in ["/connectors", "/connections", "{c}", "{c}/catalog"] {
        all.push(shop.get(rest).await.json());
    }
    let records = shop.world.parts.records.of(&shop.world.parts.organizations.owner(&shop.cast.acme));
    all.push(json!(records.credentials().await.unwrap()));
    all
}

fn wish(change: impl FnOnce(&mut Value)) -> String {
    let mut wish = json!({"name": "Shop", "digest": "a".repeat(64), "config": {"subdomain": "eu"}});
    change(&mut wish);
    wish.to_string()
}

/// Bodies that no route takes.
fn no_bodies() -> Vec<(Vec<u8>, u16, &'static str, &'static str)> {
    let mut bodies: Vec<(Vec<u8>, u16, &str, &str)> = vec![
        (b"".to_vec(), 400, "CD1311", "line 1 column 0"),
        (b"[]".to_vec(), 400, "CD1311", "expected an object"),
        (b"{\"name\": \"\xff\"}".to_vec(), 400, "CD1311", ""),
        (b"\xff\xfe{}".to_vec(), 400, "CD1311", "expected an object"),
        (b"{".to_vec(), 400, "CD1311", "breaks off"),
        (b"{\"surprise\": 1}".to_vec(), 400, "CD1311", "there is no field `surprise`"),
    ];
    bodies.push((format!("{{\"config\": {}", "[".repeat(100_000)).into_bytes(), 400, "CD1311", ""));
    bodies.push((vec![b' '; 10 << 20], 413, "CD1312", ""));
    bodies
}

#[tokio::test]
async fn what_is_no_document_is_taken_by_no_route() {
    let shop = Connected::new().await;
    let before = state(&shop).await;
    let tag = shop.get("{c}").await.header("etag").unwrap().to_owned();
    for (method, rest) in [
        ("POST", "/connections"),
        ("POST", "/connections/validate"),
        ("PUT", "{c}"),
        ("PUT", "{c}/consent"),
        ("PUT", "{c}/credentials/api"),
    ] {
        for (body, status, code, part) in no_bodies() {
            let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
            let refused = shop.ask(method, rest).header("if-match", &tag).body(body).await;
            assert_eq!(refused.refusal(), (status, code.into()), "{method} {rest} {shown}");
            assert!(refused.text("/message").contains(part), "{rest} {shown}: {}", refused.text("/message"));
        }
        let unsaid = shop.ask(method, rest).header("if-match", &tag).await;
        assert_eq!(unsaid.refusal(), (415, "CD1313".into()), "{method} {rest}");
    }
    assert_eq!(state(&shop).await, before);
}

#[tokio::test]
async fn each_field_of_a_connection_is_told_where_it_is_wrong() {
    let shop = Connected::new().await;
    let before = state(&shop).await;
    let long = "x".repeat(101);
    let cases: Vec<(String, u16, &str, &str)> = vec![
        (wish(|wish| wish["name"] = json!(7)), 400, "CD1311", "`name`: expected a string"),
        (wish(|wish| wish["name"] = json!("")), 422, "CD1245", "the connection is not taken"),
        (wish(|wish| wish["name"] = json!(long)), 422, "CD1245", "the connection is not taken"),
        (wish(|wish| wish["digest"] = json!(["a"])), 400, "CD1311", "`digest`: expected a string"),
        (wish(|wish| wish["digest"] = json!("../etc")), 404, "CD1253", "installed connector"),
        (wish(|_| ()), 404, "CD1253", "installed connector"),
        (
            r#"{"name": "a", "digest": "a", "config": {"a": {"b": 1, "b": 2}}}"#.into(),
            400,
            "CD1311",
            "`config.a`: duplicate field `b`",
        ),
        (r#"{"name": "a", "name": "b", "digest": "a"}"#.into(), 400, "CD1311", "duplicate field `name`"),
        (r#"{"name": "a"}"#.into(), 400, "CD1311", "missing field `digest`"),
    ];
    for (body, status, code, part) in cases {
        for rest in ["/connections", "/connections/validate"] {
            let refused = shop.ask("POST", rest).body(body.clone()).await;
            assert_eq!(refused.refusal(), (status, code.into()), "{body}");
            assert!(refused.text("/message").contains(part), "{body}: {}", refused.text("/message"));
        }
    }
    let digest = &shop.shop.digest;
    for (config, part) in [
        (json!(7), ""),
        (json!([]), ""),
        (json!(null), ""),
        (json!({"subdomain": 7}), "/subdomain: "),
        (json!({"subdomain": ""}), "/subdomain: "),
        (json!({"subdomain": "a.b"}), ""),
        (json!({"subdomain": "evil.example/"}), ""),
        (json!({"subdomain": "eu", "page_size": 501}), "/page_size: "),
        (json!({"subdomain": "eu", "page_size": "5"}), "/page_size: "),
        (json!({"subdomain": "eu", "surprise": 1}), "surprise"),
    ] {
        let body = json!({"name": "Shop", "digest": digest, "config": config});
        for (method, rest) in [("POST", "/connections"), ("PUT", "{c}")] {
            let tag = shop.get("{c}").await.header("etag").unwrap().to_owned();
            let refused = shop.ask(method, rest).header("if-match", &tag).json(&body).await;
            assert_eq!(refused.refusal(), (422, "CD1258".into()), "{config}");
            assert!(refused.text("/message").contains(part), "{config}: {}", refused.text("/message"));
        }
    }
    assert_eq!(state(&shop).await, before);
}

/// A consent to one directory, with more said of it.
fn directory(name: &str, more: Value) -> Value {
    let mut granted = json!({"directory": name, "access": "read"});
    granted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"directories": {"data": granted}})
}

#[tokio::test]
async fn each_right_is_told_where_it_is_wrong() {
    let shop = Connected::new().await;
    let before = state(&shop).await;
    let many = vec![json!({"url": "https://eu.shop.example"}); 257];
    for (body, status, part) in [
        (json!({"hosts": {}}), 400, "`hosts`: "),
        (json!({"hosts": ["https://eu.shop.example"]}), 400, "`hosts[0]`"),
        (json!({"hosts": [{"url": 7}]}), 400, "`hosts[0].url`"),
        (json!({"hosts": [{"url": "https://eu.shop.example", "port": 1}]}), 400, "there is no field `port`"),
        (json!({"hosts": [{"url": "https://eu.shop.example"}, {"url": "no host"}]}), 422, "/hosts/1: "),
        (json!({"hosts": [{"url": "https://${config.subdomain}.shop.example"}]}), 422, "/hosts/0: "),
        (json!({"hosts": [{"url": "https://eu.shop.example", "methods": ["GET\r\n"]}]}), 422, "/hosts/0: "),
        (json!({"hosts": [{"url": "https://eu.shop.example", "path_prefix": "/../"}]}), 422, "/hosts/0: "),
        (json!({"hosts": many}), 422, "/hosts: "),
        (json!({"addresses": [{"network": "10.0.0.1/32", "port": 65536}]}), 400, "`addresses[0].port`"),
        (json!({"addresses": [{"network": "10.0.0.1/32", "port": 0}]}), 422, "/addresses/0: "),
        (json!({"addresses": [{"network": "somewhere", "port": 1}]}), 422, "/addresses/0: "),
        (json!({"addresses": [{"network": "10.0.0.1/32", "port": 1}]}), 422, "/addresses/0: "),
        (json!({"directories": ["data"]}), 400, "`directories`: "),
        (json!({"directories": {"data": "imports"}}), 400, "`directories.data`: "),
        (json!({"directories": {"data": {"directory": "imports"}}}), 400, "missing field `access`"),
        (directory("imports", json!({"access": "all"})), 400, "`directories.data.access`"),
        (directory("imports", json!({"path": "/etc"})), 400, "there is no field `path`"),
        (directory("imports", json!({"below": 7})), 400, "`directories.data.below`"),
        (directory("imports", json!({"below": "../.."})), 422, "/directories/data/below: "),
        (directory("imports", json!({"access": "write"})), 422, "/directories/data/access: "),
        (directory("/etc", json!({})), 422, "/directories/data/directory: "),
        (directory("exports", json!({})), 422, "[[directories]]; name = \"exports\""),
        (
            json!({"directories": {"x\n": {"directory": "imports", "access": "read"}}}),
            422,
            "/directories/x\\n: ",
        ),
        (json!({"reveal": ["api"]}), 422, "/reveal/api: "),
        (json!({"reveal": "api"}), 400, "`reveal`: "),
        (json!({"authority": 7}), 400, "`authority`: "),
        (json!({"authority": ""}), 422, "/authority: "),
        (json!({"authority": "no certificate"}), 422, "/authority: "),
        (
            json!({"authority": "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"}),
            422,
            "/authority: ",
        ),
        (json!({"authority": "x".repeat(70_000)}), 422, "/authority: has more than 64 KiB"),
    ] {
        let refused = shop.put("{c}/consent", &body).await;
        assert_eq!(refused.status(), status, "{body}");
        assert!(refused.text("/message").contains(part), "{body}: {}", refused.text("/message"));
    }
    assert_eq!(state(&shop).await, before);
}

#[tokio::test]
async fn each_field_of_a_credential_is_told_where_it_is_wrong_and_never_repeated() {
    let shop = Connected::new().await;
    let before = state(&shop).await;
    let long = "CANARY".repeat(20_000);
    let many: Value = (0..17)
        .map(|number| (format!("CANARY{number}"), json!("CANARY")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (body, status, part) in [
        (r#"{}"#.to_owned(), 400, "missing field `fields`"),
        (r#"{"fields": "CANARY"}"#.into(), 400, "`fields`: expected an object of strings"),
        (r#"{"fields": {"token": 7}}"#.into(), 422, "`token`: it is no string"),
        (r#"{"fields": {"token": ["CANARY"]}}"#.into(), 422, "`token`: it is no string"),
        (format!(r#"{{"fields": {{"token": "{long}"}}}}"#), 422, "`token`: it has more than"),
        (json!({"fields": many}).to_string(), 400, "expected at most"),
        (r#"{"fields": {"token": "CANARY", "token": "CANARY"}}"#.into(), 400, "duplicate field"),
        (r#"{"fields": {}}"#.into(), 422, "`token`: it is missing"),
        (r#"{"fields": {"CANARY": "x"}}"#.into(), 422, "it has `token`"),
        (r#"{"fields": {"token": ""}}"#.into(), 422, "`token`: it is empty"),
        (r#"{"fields": {"token": "CANARY\n"}}"#.into(), 422, "`token`: it has a control character"),
    ] {
        let tag = shop.get("{c}").await.header("etag").unwrap().to_owned();
        let refused =
            shop.ask("PUT", "{c}/credentials/api").header("if-match", &tag).body(body.clone()).await;
        let cut = body.chars().take(60).collect::<String>();
        assert_eq!(refused.status(), status, "{cut}");
        assert!(refused.text("/message").contains(part), "{cut}: {}", refused.text("/message"));
        assert!(!String::from_utf8_lossy(refused.bytes()).contains("CANARY"), "{cut}");
    }
    let unknown = shop.put("{c}/credentials/other", &json!({"fields": {"token": "canary-4711"}})).await;
    assert_eq!(unknown.refusal(), (404, "CD1253".into()));
    assert_eq!(state(&shop).await, before);
}

#[tokio::test]
async fn a_change_of_what_was_not_read_is_refused() {
    let shop = Connected::new().await;
    let old = shop.get("{c}").await.header("etag").unwrap().to_owned();
    let wish = json!({"name": "Other", "digest": shop.shop.digest, "config": {"subdomain": "eu"}});
    assert_eq!(shop.put("{c}", &wish).await.status(), 200);
    let before = state(&shop).await;
    for (rest, body) in [
        ("{c}", wish),
        ("{c}/consent", json!({})),
        ("{c}/credentials/api", json!({"fields": {"token": "canary-4711"}})),
    ] {
        let stale = shop.ask("PUT", rest).header("if-match", &old).json(&body).await;
        assert_eq!(stale.refusal(), (412, "CD1322".into()), "{rest}");
        let unsaid = shop.ask("PUT", rest).json(&body).await;
        assert_eq!(unsaid.refusal(), (428, "CD1321".into()), "{rest}");
    }
    for query in ["?cursor=canary", "?limit=0", "?limit=201", "?more=1", "?limit=1&limit=1"] {
        for list in ["/connectors", "/connections", "{c}/catalog"] {
            let refused = shop.get(&format!("{list}{query}")).await;
            assert_eq!(refused.status(), 400, "{list}{query}");
        }
    }
    let long = "a".repeat(3_000);
    for id in ["con_none", "%00", "%ff", "..%2f..", long.as_str()] {
        for rest in [format!("/connections/{id}"), format!("/connectors/{id}")] {
            let refused = shop.get(&rest).await;
            assert_eq!(refused.status(), 404, "{rest}: {}", String::from_utf8_lossy(refused.bytes()));
        }
    }
    assert_eq!(state(&shop).await, before);
}
