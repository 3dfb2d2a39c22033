//! Properties: the readers of settings are total, and read their own spelling as themselves.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use serde_json::json;

use super::{ConfigText, EndpointUrl, SignTemplate, header_name};
use crate::{Manifest, Scheme};

proptest! {
    #[test]
    fn an_endpoint_reads_its_own_spelling_as_itself(text in "(https?://|\\$\\{config\\.a\\})[a-z.:/?$\\{\\}0-9@%~-]{0,40}") {
        if let Ok(url) = EndpointUrl::parse(&text) {
            prop_assert_eq!(EndpointUrl::parse(&url.url()), Ok(url));
        }
    }

    #[test]
    fn a_resolved_endpoint_is_one_url_that_keeps_secrets(value in "\\PC{0,30}", path in "(/[a-z]{1,5}){0,3}") {
        for text in [format!("${{config.a}}{path}"), format!("https://x.test/${{config.a}}{path}"), format!("https://${{config.a}}.x.test{path}")] {
            let url = EndpointUrl::parse(&text).unwrap();
            let Ok(resolved) = url.resolve(&json!({ "a": value })) else { continue };
            prop_assert!(resolved.is_resolved());
            prop_assert_eq!(EndpointUrl::parse(&resolved.url()), Ok(resolved.clone()));
            prop_assert!(resolved.path().ends_with(&path));
            let (scheme, host, _) = resolved.origin().unwrap();
            prop_assert!(scheme == Scheme::Https || host.to_string().contains("localhost") || host.to_string().starts_with("127.") || host.to_string() == "[::1]");
            if text.contains("x.test") {
                prop_assert!(host.to_string().ends_with("x.test"));
            }
        }
    }

    #[test]
    fn a_template_reads_its_own_spelling_as_itself(text in "(\\$\\{(method|body|nonce|header\\.x-a|key_id|other)\\}|[a-z$\\{\\}\n ]|\\PC){0,12}") {
        if let Ok(template) = SignTemplate::parse(&text) {
            prop_assert_eq!(template.to_string(), text);
            prop_assert_eq!(SignTemplate::parse(&template.to_string()), Ok(template));
        }
    }

    #[test]
    fn a_header_that_is_taken_is_a_token_in_lower_case(text in "\\PC{0,20}") {
        if let Ok(name) = header_name(&text) {
            prop_assert_eq!(&name, &text.to_ascii_lowercase());
            let separators = b"\"(),/:;<=>?@[\\]{}";
            let token = name.bytes().all(|byte| byte.is_ascii_graphic() && !separators.contains(&byte));
            prop_assert!(token, "{}", name);
            prop_assert_eq!(header_name(&name), Ok(name));
        }
    }

    #[test]
    fn a_setting_reads_its_own_spelling_as_itself(text in "(\\$\\{config\\.[a-z.]{1,5}\\}|\\PC{0,10})") {
        if let Ok(setting) = ConfigText::parse(&text) {
            prop_assert_eq!(ConfigText::parse(&setting.to_string()), Ok(setting));
        }
    }
}

/// Lines of a manifest that asks for credentials, some of them wrong.
const LINES: [&str; 24] = [
    "[[asks.credentials]]",
    "[asks.credentials]",
    "name = \"api\"",
    "name = 7",
    "kind = \"bearer\"",
    "kind = \"oauth2\"",
    "kind = \"hmac\"",
    "kind = \"jwt-bearer\"",
    "kind = \"aws-sigv4\"",
    "audience = [{ url = \"https://api.example.com\" }]",
    "audience = [{ url = \"${config.base_url}\", methods = [\"GET\"] }]",
    "audience = \"https://api.example.com\"",
    "token_url = \"https://id.example.com/${config.tenant}/token\"",
    "grant = \"client-credentials\"",
    "sign = \"${timestamp}${body}\"",
    "hash = \"sha256\"\nencoding = \"hex\"\nheader = \"x-sig\"\ntimestamp_header = \"x-time\"",
    "service = \"s3\"\nregion = \"${config.region}\"",
    "algorithm = \"ES256\"",
    "fields = { token = \"/token\" }",
    "one_of = \"login\"\noptional = true",
    "reveal = true",
    "[config.properties.token]\nsecret = true",
    "[config.properties.base_url]\ntype = \"string\"",
    "[[asks.hosts]]\nurl = \"https://api.example.com\"",
];

proptest! {
    #[test]
    fn no_manifest_makes_the_parser_panic(lines in proptest::collection::vec(0..LINES.len(), 0..30), noise in "\\PC{0,20}", at in 0usize..40) {
        let head = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nroles = [\"source\"]\ntitle = \"A\"\n";
        let mut lines: Vec<&str> = lines.into_iter().map(|index| LINES[index]).collect();
        if at < lines.len() {
            lines.insert(at, &noise);
        }
        let text = format!("{head}{}", lines.join("\n"));
        match Manifest::parse("connector.toml", &text) {
            Err(faults) => prop_assert!(!faults.faults.is_empty() && !faults.to_string().is_empty()),
            Ok(manifest) => {
                for config in [json!({}), json!({"base_url": "https://api.example.com", "tenant": "a", "region": "eu"})] {
                    let Ok(asks) = manifest.resolve_asks(&config) else { continue };
                    for ask in &asks.credentials {
                        prop_assert!(ask.is_resolved() && !ask.binding().as_str().is_empty());
                        prop_assert!(!ask.kind.places().is_empty() && !ask.entered_fields().is_empty());
                    }
                }
            }
        }
    }
}
