use super::{check, document, entry, faults};
use crate::Manifest;

/// Line 9 is the first of an entry; its settings start in line 13.
fn wrong(kind: &str, settings: &str, expected: &[&str]) {
    check(&entry("api", kind, settings), expected);
}

#[test]
fn an_entry_needs_a_kind_that_is_known() {
    wrong(
        "baerer",
        "",
        &[
            "11:8 CD0105 asks.credentials[0].kind: `baerer` is not `bearer`, `header`, `query`, `basic`, `hmac`, `aws-sigv4`, \
           `oauth2`, `jwt-bearer` or `mtls` (did you mean `bearer`?)",
        ],
    );
    check(
        "[[asks.credentials]]\nname = \"A b\"\nkind = \"bearer\"\n",
        &[
            "9:1 CD0103 asks.credentials[0]: `audience` is missing",
            "10:8 CD0105 asks.credentials[0].name: `A b` is not a name (a name starts with a letter and has at most 63 of \
             `a` to `z`, `0` to `9` and `-`, such as `a-b`)",
        ],
    );
    let twice = entry("api", "bearer", "") + &entry("api", "query", "parameter = \"k\"");
    check(&twice, &["14:1 CD0113 asks.credentials[1]: the credential `api` stands twice"]);
    let many: String = (0..33)
        .map(|index| entry(&format!("a{index}"), "query", &format!("parameter = \"p{index}\"")))
        .collect();
    check(&many, &["169:1 CD0105 asks.credentials[32]: more than 32 credentials"]);
}

#[test]
fn settings_of_another_kind_are_unknown() {
    wrong(
        "header",
        "headr = \"x-key\"",
        &[
            "9:1 CD0103 asks.credentials[0]: `header` is missing",
            "13:1 CD0102 asks.credentials[0]: unknown key `headr` (did you mean `header`?)",
        ],
    );
    wrong(
        "bearer",
        "parameter = \"key\"",
        &[
            "13:1 CD0102 asks.credentials[0]: unknown key `parameter` (known here: `name`, `kind`, `audience`, `one_of`, \
           `optional`, `reveal`, `reason` or `fields`)",
        ],
    );
}

#[test]
fn a_header_of_the_host_holds_no_credential() {
    let reserved = |name: &str| {
        let message = format!("the header `{name}` cannot hold a credential: the host writes it, or nobody");
        wrong(
            "header",
            &format!("header = \"{name}\""),
            &[&format!("13:10 CD0105 asks.credentials[0].header: {message}")],
        );
    };
    for name in
        ["host", "content-length", "transfer-encoding", "connection", "proxy-authorization", "cookie2"]
    {
        reserved(name);
    }
    wrong(
        "header",
        "header = \"x key\"\nprefix = \" \\n\"",
        &[
            "13:10 CD0105 asks.credentials[0].header: `x key` is not the name of a header",
            "14:10 CD0105 asks.credentials[0].prefix: ` \\u{a}` cannot stand before a value in a header",
        ],
    );
}

#[test]
fn token_urls_keep_secrets() {
    let url = |url: &str, expected: &str| {
        let settings = format!("grant = \"client-credentials\"\ntoken_url = \"{url}\"");
        wrong("oauth2", &settings, &[&format!("14:13 {expected}")]);
    };
    let place = "asks.credentials[0].token_url";
    for clear in
        ["id.example.com/token", "10.0.0.1/token", "${config.host}.localhost.evil.com", "evillocalhost/token"]
    {
        url(
            &format!("http://{clear}"),
            &format!(
                "CD0105 {place}: `http://{clear}` sends secrets in the clear: `http` is for `localhost` and loopback addresses \
                 (write `https://{clear}`)"
            ),
        );
    }
    let long = format!("https://id.example.com/{}", "a".repeat(1_002));
    url(&long, &format!("CD0105 {place}: `{}…` is longer than 1024 bytes", &long[..80]));
    url(
        "https://*.example.com/token",
        &format!("CD0105 {place}: `https://*.example.com/token` names many hosts; a URL names one"),
    );
    url(
        "https://me:x@id.example.com",
        &format!(
            "CD0108 {place}: `https://me:x@id.example.com` holds `@`: what stands before it is no part of the host"
        ),
    );
    url(
        "id.example.com/token",
        &format!("CD0108 {place}: `id.example.com` has no scheme (write `https://id.example.com`)"),
    );
    url(
        "https://id.example.com/a/../token",
        &format!(
            "CD0105 {place}: `https://id.example.com/a/../token` has a path that is not in its plain form"
        ),
    );
    url(
        "https://id.example.com//token",
        &format!(
            "CD0105 {place}: `https://id.example.com//token` has a path that holds `//`, which servers read in different ways"
        ),
    );
    url(
        "https://id.example.com/t-${config.a}/token",
        &format!(
            "CD0108 {place}: `t-${{config.a}}` is not a substitution of a whole label (write `${{config.name}}` between dots, \
             or alone)"
        ),
    );
    url(
        "https://id.example.com/token?t=${config.a}",
        &format!(
            "CD0105 {place}: `https://id.example.com/token?t=${{config.a}}` takes its query from the configuration"
        ),
    );
    url(
        "https://id.example.com/token#x",
        &format!("CD0108 {place}: `#` stands in `https://id.example.com/token#x`, no host has it"),
    );
}

#[test]
fn a_user_consents_somewhere_or_nobody_is_asked() {
    let token = "token_url = \"https://id.example.com/token\"";
    wrong(
        "oauth2",
        token,
        &[
            "9:1 CD0103 asks.credentials[0]: `authorize_url` is missing (name it, or say `grant = \"refresh-token\"` or \
           `grant = \"client-credentials\"`)",
        ],
    );
    wrong(
        "oauth2",
        &format!("{token}\ngrant = \"client-credentials\"\nauthorize_url = \"https://id.example.com/a\""),
        &["15:17 CD0105 asks.credentials[0].authorize_url: goes with `grant = \"authorization-code\"` only"],
    );
    wrong(
        "oauth2",
        &format!(
            "{token}\ngrant = \"refresh-token\"\ntoken_parameters = {{ grant_type = \"x\" }}\nscopes = [\"a b\"]\nscope_separator = \";\""
        ),
        &[
            "15:35 CD0105 asks.credentials[0].token_parameters.grant_type: the host writes `grant_type` itself",
            "16:11 CD0105 asks.credentials[0].scopes[0]: `a b` is not one scope",
            "17:19 CD0105 asks.credentials[0].scope_separator: `;` is not ` `, `,` or `+` (did you mean ` `?)",
        ],
    );
}

#[test]
fn what_is_signed_is_made_of_known_parts() {
    let sign = |sign: &str, expected: &str| {
        let settings =
            format!("sign = \"{sign}\"\nhash = \"sha256\"\nencoding = \"hex\"\nheader = \"x-sig\"");
        wrong("hmac", &settings, &[&format!("13:8 CD0105 asks.credentials[0].sign: {expected}")]);
    };
    sign("${metod}${body}", "has no part `metod`; did you mean `method`?");
    sign(
        "${zzzzzzzz}",
        "has no part `zzzzzzzz`; known are `method`, `host`, `path`, `query`, `target`, `url`, `body`, `body_hash`, \
         `timestamp`, `nonce`, `key_id` and `header.name`",
    );
    sign("${body", "has a `${` without `}`");
    sign("hello", "signs no part of the request, such as `${body}`");
    sign("", "signs no part of the request, such as `${body}`");
    sign("${key_id}", "signs no part of the request, such as `${body}`");
    sign("${timestamp}.${body}", "signs `${timestamp}`, which no `timestamp_header` carries");
    sign("${nonce}${body}", "signs `${nonce}`, which no `nonce_header` carries");
    sign("${header.X-Sig}${body}", "signs the header of the signature itself");
    wrong(
        "hmac",
        "sign = \"${body}\"\nhash = \"md5\"\nencoding = \"bse64\"\nheader = \"x-sig\"\nkey_id_header = \"X-Sig\"",
        &[
            "14:8 CD0105 asks.credentials[0].hash: `md5` is not `sha256`, `sha512` or `sha1`",
            "15:12 CD0105 asks.credentials[0].encoding: `bse64` is not `hex`, `base64` or `base64url` (did you mean `base64`?)",
        ],
    );
    wrong(
        "hmac",
        "sign = \"${body}\"\nhash = \"sha256\"\nencoding = \"hex\"\nheader = \"x-sig\"\nkey_id_header = \"X-Sig\"",
        &["16:10 CD0105 asks.credentials[0].header: the header `x-sig` would be written twice"],
    );
}

#[test]
fn other_settings_are_what_they_say() {
    wrong(
        "aws-sigv4",
        "service = \"s3/x\"\nregion = \"\"",
        &[
            "13:11 CD0105 asks.credentials[0].service: must be a word of letters, digits, `-` and `_`",
            "14:10 CD0105 asks.credentials[0].region: `` is empty",
        ],
    );
    wrong(
        "jwt-bearer",
        "algorithm = \"HS256\"\nlifetime = \"2 h\"\nclaims = { iss = \"me\" }",
        &[
            "13:13 CD0105 asks.credentials[0].algorithm: `HS256` is not `RS256` or `ES256` (did you mean `RS256`?)",
            "14:12 CD0105 asks.credentials[0].lifetime: must be from `1 s` to `1 h`",
            "15:18 CD0105 asks.credentials[0].claims.iss: the host writes `iss` itself",
        ],
    );
    wrong(
        "bearer",
        "fields = { tokn = \"/a\" }",
        &["13:12 CD0102 asks.credentials[0].fields: unknown key `tokn` (did you mean `token`?)"],
    );
    wrong(
        "bearer",
        "fields = { token = \"a.b\" }",
        &[
            "13:20 CD0105 asks.credentials[0].fields.token: `a.b` is not the JSON Pointer of a property (write `/a/b`)",
        ],
    );
    wrong(
        "jwt-bearer",
        "algorithm = \"RS256\"\nreveal = true",
        &[
            "14:10 CD0105 asks.credentials[0].reveal: tokens of this kind end while a run goes on, and only the host renews them",
        ],
    );
}

#[test]
fn an_audience_lies_within_the_hosts_that_are_asked_for() {
    let audience = |rules: &str| {
        faults(&format!("[[asks.credentials]]\nname = \"a\"\nkind = \"bearer\"\naudience = [{rules}]\n"))
    };
    let wider = |rule: &str, shown: &str| {
        let expected = format!(
            "12:13 CD0114 asks.credentials[0].audience[0]: the connector does not ask to reach all of `{shown}` (ask for it in \
             `[[asks.hosts]]`, or narrow the audience)"
        );
        assert_eq!(audience(rule), [expected], "{rule}");
    };
    wider("{ url = \"https://example.com\" }", "https://example.com");
    wider("{ url = \"https://api.example.com:8443\" }", "https://api.example.com:8443");
    wider("{ url = \"http://api.example.com\" }", "http://api.example.com");
    wider("{ url = \"https://*.example.com\" }", "https://*.example.com");
    wider("{ url = \"https://example.org\" }", "https://example.org");
    wider("{ url = \"${config.base_url}\" }", "${config.base_url}");
    let methods = "url = \"https://a.example.org\", methods = [\"GET\", \"DELETE\"]";
    let hosts = document("")
        .replace("https://*.example.org\"", "https://a.example.org\", methods = [\"GET\", \"POST\"]");
    let entry =
        format!("[[asks.credentials]]\nname = \"a\"\nkind = \"bearer\"\naudience = [{{ {methods} }}]\n");
    let faults_of = Manifest::parse("connector.toml", &(hosts + &entry)).unwrap_err();
    assert_eq!(faults_of.faults.len(), 1, "each method has to be allowed: {faults_of}");
    wider("{ url = \"https://${config.a}.example.com\" }", "https://${config.a}.example.com");
    assert_eq!(
        audience(""),
        ["12:12 CD0105 asks.credentials[0].audience: names no host: the credential would never be used"]
    );
    assert_eq!(
        audience("{ url = \"https://api.example.com\", reason = \"x\" }"),
        [
            "12:48 CD0102 asks.credentials[0].audience[0]: unknown key `reason` (known here: `url`, `methods` or `path_prefix`)"
        ]
    );
}

#[test]
fn a_certificate_belongs_to_an_origin() {
    let certificate = |rule: &str| {
        faults(&format!("[[asks.credentials]]\nname = \"a\"\nkind = \"mtls\"\naudience = [{rule}]\n"))
    };
    assert_eq!(
        certificate("{ url = \"https://api.example.com\", path_prefix = \"/v1\" }"),
        [
            "12:12 CD0105 asks.credentials[0].audience: a certificate is shown before there is a method or a path: name the host alone"
        ]
    );
    assert_eq!(
        certificate("{ url = \"http://localhost\" }"),
        ["12:12 CD0105 asks.credentials[0].audience: a certificate is shown to an `https` host only"]
    );
}

#[test]
fn two_credentials_for_one_place_are_refused_at_both_places() {
    check(
        &(entry("one", "bearer", "") + &entry("two", "basic", "")),
        &[
            "9:1 CD0115 asks.credentials[0]: `two` and `one` would both be the header `authorization` of a request to \
             `https://api.example.com` (`asks.credentials[1]` says the same; narrow one audience, or give both the same `one_of` \
             if only one is entered)",
            "14:1 CD0115 asks.credentials[1]: `two` and `one` would both be the header `authorization` of a request to \
             `https://api.example.com` (`asks.credentials[0]` says the same; narrow one audience, or give both the same `one_of` \
             if only one is entered)",
        ],
    );
    let sign = "sign = \"${body}\"\nhash = \"sha1\"\nencoding = \"hex\"";
    let signed = faults(
        &(entry("one", "hmac", &format!("{sign}\nheader = \"x-a\""))
            + &entry("two", "hmac", &format!("{sign}\nheader = \"x-b\""))),
    );
    assert_eq!(signed.len(), 2);
    assert!(signed[0].contains("would both be the signature of the request"), "{}", signed[0]);
    assert_eq!(faults(&(entry("one", "mtls", "") + &entry("two", "mtls", ""))).len(), 2);
    let parameter = "parameter = \"key\"";
    assert_eq!(faults(&(entry("one", "query", parameter) + &entry("two", "query", parameter))).len(), 2);
    let elsewhere = "audience = [{ url = \"https://a.example.org\" }, { url = \"https://api.example.com\" }]";
    let two =
        entry("two", "bearer", "").replace("audience = [{ url = \"https://api.example.com\" }]", elsewhere);
    assert_eq!(faults(&(entry("one", "bearer", "") + &two)).len(), 2, "any two rules may meet");
}

#[test]
fn names_that_some_server_takes_for_one_are_one_place() {
    let both = |kind: &str, setting: &str, one: &str, other: &str| {
        let entry = |name: &str, value: &str| entry(name, kind, &format!("{setting} = \"{value}\""));
        let parsed =
            Manifest::parse("connector.toml", &document(&(entry("one", one) + &entry("two", other))));
        parsed.err().map_or(0, |faults| faults.faults.len())
    };
    for (one, other, faults) in [
        ("x-api-key", "X_Api_Key", 2),
        ("x-api-key", "x.api.key", 2),
        ("x-api-key", "x-apikey", 0),
        ("x-api-key", "x-api-keys", 0),
    ] {
        assert_eq!(both("header", "header", one, other), faults, "{one} {other}");
    }
    for (one, other, faults) in [
        ("api_key", "API_KEY", 2),
        ("api_key", "api.key", 2),
        ("key", "key[]", 2),
        ("key", " key", 2),
        ("api_key", "api key", 2),
        ("key", "keys", 0),
        ("api_key", "api-key", 0),
    ] {
        assert_eq!(both("query", "parameter", one, other), faults, "{one} {other}");
    }
}
