//! Pasting the lines of a denial at the ends of the two documents allows what was denied, and little more.

use manifest::{CredentialGrant, Grants, HostAsk, Manifest, Role, SyncFile};

use crate::{Basis, Document, RequestLine, Rights, Verdict};

/// The two documents, as a person has them before them.
struct Documents {
    role: Role,
    connector: String,
    sync: String,
}

impl Documents {
    fn new(role: Role, asked: &str, granted: &str) -> Self {
        let head =
            "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n";
        let ends = "sync = 1\nname = \"a\"\n[source]\nconnector = \"a.wasm\"\n[destination]\nconnector = \"b.wasm\"\n";
        Self {
            role,
            connector: format!("{head}roles = [\"source\"]\ntitle = \"A\"\n{asked}"),
            sync: format!("{ends}[[transforms]]\nname = \"clean\"\nconnector = \"c.wasm\"\n{granted}"),
        }
    }

    fn rights(&self) -> Rights {
        let manifest =
            Manifest::parse("connector.toml", &self.connector).unwrap_or_else(|faults| panic!("{faults}"));
        let sync = SyncFile::parse("sync.toml", &self.sync).unwrap_or_else(|faults| panic!("{faults}"));
        let connection = match self.role {
            Role::Source | Role::Webhook => &sync.source,
            Role::Destination => &sync.destination,
            Role::Transform => &sync.transforms[0],
        };
        let (name, grants) = (connection.name.as_str(), &connection.grants);
        Rights::new(&Basis {
            document: Document::Sync,
            role: self.role,
            name,
            connector: &manifest.name,
            asks: &manifest.asks,
            grants,
            organization: None,
            host: None,
        })
    }

    /// Paste each part at the end of the document that its comment names.
    fn paste(&mut self, lines: &str) {
        let mut to_connector = false;
        for line in lines.lines() {
            if let Some(document) = line.strip_prefix("# ") {
                to_connector = document == "connector.toml";
                assert!(to_connector || document.starts_with("sync.toml"), "{document}");
            }
            let document = if to_connector { &mut self.connector } else { &mut self.sync };
            document.push_str(line);
            document.push('\n');
        }
    }
}

fn check(asked: &str, granted: &str, line: &RequestLine<'_>) -> Vec<String> {
    let mut rules = Vec::new();
    for role in [Role::Source, Role::Destination, Role::Transform] {
        let table = match role {
            Role::Transform => "transforms",
            other => other.as_str(),
        };
        let mut documents = Documents::new(role, asked, &granted.replace("source", table));
        let denied = documents.rights().judge_request(line);
        let Verdict::Denied { line_to_add: Some(lines), .. } = &denied else { panic!("{role}: {denied:?}") };
        documents.paste(lines);
        let verdict = documents.rights().judge_request(line);
        assert!(verdict.is_allowed(), "{role}: {verdict:?}\n{}\n{}", documents.connector, documents.sync);
        rules = documents.rights().rules().iter().map(ToString::to_string).collect();
    }
    rules
}

fn request<'a>(method: &'a str, host: &'a str, port: u16, path: &'a str) -> RequestLine<'a> {
    RequestLine { scheme: "https", host, port, method, path }
}

/// What an admin would consent to is of another form: it has no role, and its tables stand by themselves.
#[test]
fn lines_for_a_consent_have_its_form() {
    let asked = "[[asks.hosts]]\nurl = \"https://a.com\"\n[[asks.hosts]]\nurl = \"https://10.0.0.1\"\n\
                 [[asks.directories]]\nname = \"data\"\naccess = \"write\"\n\
                 [[asks.credentials]]\nname = \"api\"\nkind = \"bearer\"\nreveal = true\n\
                 audience = [{ url = \"https://a.com\" }]\n";
    let documents = Documents::new(Role::Transform, asked, "");
    let manifest = Manifest::parse("connector.toml", &documents.connector).unwrap();
    let granted: Vec<HostAsk> = manifest.asks.hosts.iter().skip(1).cloned().collect();
    let credential = CredentialGrant { stored: "a.api".into(), reveal: false };
    let grants =
        Grants { hosts: granted, credentials: [("api".to_owned(), credential)].into(), ..Grants::default() };
    let rights = Rights::new(&Basis {
        document: Document::Consent,
        role: Role::Transform,
        name: "transform-1",
        connector: "a",
        asks: &manifest.asks,
        grants: &grants,
        organization: None,
        host: None,
    });
    let comment = "# the connection's rights, for `cofferdam connections grant`";
    let denied = |verdict: Verdict| match verdict {
        Verdict::Denied { line_to_add: Some(lines), .. } => lines,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        denied(rights.judge_request(&request("GET", "a.com", 443, "/"))),
        format!("{comment}\n[[hosts]]\nurl = \"https://a.com\"\n")
    );
    assert_eq!(
        denied(rights.judge_address("10.0.0.1".parse().unwrap(), 443)),
        format!("{comment}\n[[addresses]]\nnetwork = \"10.0.0.1/32\"\nport = 443\n")
    );
    let unmet = |subject: &str| {
        let found = rights.unmet().iter().find(|unmet| unmet.subject == subject);
        found.and_then(|unmet| unmet.line_to_add.clone())
    };
    let directory = format!(
        "{comment}\n[directories.data]\ndirectory = \"…\" # of `cofferdam connections directories`\naccess = \"write\"\n"
    );
    assert_eq!(unmet("data"), Some(directory));
    assert_eq!(unmet("api"), Some(format!("{comment}, in its first line\nreveal = [\"api\"]\n")));
}

#[test]
fn lines_for_a_host_that_is_neither_asked_nor_granted() {
    assert_eq!(check("", "", &request("GET", "a.com", 443, "/v1/x")), ["https://a.com"]);
    assert_eq!(check("", "", &request("GET", "a.com", 8443, "/")), ["https://a.com:8443"]);
    assert_eq!(check("", "", &request("GET", "8.8.8.8", 443, "/")), ["https://8.8.8.8"]);
}

#[test]
fn lines_for_what_only_one_side_lacks() {
    let (ask, grant) =
        ("[[asks.hosts]]\nurl = \"https://a.com\"\n", "[[source.grants.hosts]]\nurl = \"https://a.com\"\n");
    assert_eq!(check(ask, "", &request("GET", "a.com", 443, "/")), ["https://a.com"]);
    assert_eq!(check("", grant, &request("GET", "a.com", 443, "/")), ["https://a.com"]);
}

#[test]
fn lines_for_a_method_or_a_path_stay_narrow() {
    let rule = "url = \"https://a.com\"\nmethods = [\"GET\"]\npath_prefix = \"/v1/\"\n";
    let (ask, grant) = (format!("[[asks.hosts]]\n{rule}"), format!("[[source.grants.hosts]]\n{rule}"));
    let rules = check(&ask, &grant, &request("POST", "a.com", 443, "/v1/x"));
    assert_eq!(rules, ["GET https://a.com/v1/", "POST https://a.com/v1/"]);
    let rules = check(&ask, &grant, &request("GET", "a.com", 443, "/v2/\"x\"/y"));
    assert_eq!(rules, ["GET https://a.com/v1/", "GET https://a.com/v2/\"x\"/"]);
    let rules = check(&ask, "", &request("POST", "a.com", 443, "/v1/x"));
    assert_eq!(rules, ["GET https://a.com/v1/", "POST https://a.com/v1/"]);
    let second = |rule: &str| format!("{rule}{}", rule.replace("/v1/", "/v2/"));
    let rules = check(&second(&ask), &second(&grant), &request("POST", "a.com", 443, "/v2/x"));
    assert_eq!(
        rules,
        ["GET https://a.com/v1/", "GET https://a.com/v2/", "POST https://a.com/v2/"],
        "under the prefix that the path has"
    );
}

#[test]
fn lines_for_addresses_and_local_names() {
    assert_eq!(check("", "", &request("GET", "10.0.0.1", 443, "/")), ["https://10.0.0.1"]);
    assert_eq!(check("", "", &request("GET", "::1", 443, "/")), ["https://[::1]"]);
    assert_eq!(check("", "", &request("GET", "localhost", 3000, "/")), ["https://localhost:3000"]);
    let wildcard = "[[asks.hosts]]\nurl = \"https://*.app.localhost\"\n";
    let granted = "[[source.grants.hosts]]\nurl = \"https://*.app.localhost\"\n";
    let rules = check(wildcard, granted, &request("GET", "x.app.localhost", 443, "/"));
    assert_eq!(rules, ["https://*.app.localhost", "https://x.app.localhost"]);
}

#[test]
fn lines_for_directories_meet_their_asks() {
    for role in [Role::Source, Role::Destination, Role::Transform] {
        let asked = "[[asks.directories]]\nname = \"data\"\naccess = \"write\"\n";
        let mut documents = Documents::new(role, asked, "");
        let unmet = documents.rights().unmet().to_vec();
        documents.paste(unmet[0].line_to_add.as_deref().unwrap());
        assert_eq!(documents.rights().unmet(), [], "{role}");
        assert!(documents.rights().directory("data").is_some(), "{role}");
    }
}

#[test]
fn lines_for_credentials_meet_their_asks() {
    for role in [Role::Source, Role::Destination, Role::Transform] {
        for reveal in ["", "reveal = true\n"] {
            let asked = "asks.hosts = [{ url = \"https://a.com\" }]\n[[asks.credentials]]\nname = \"api\"\nkind = \"basic\"\n\
                         audience = [{ url = \"https://a.com\" }]\n";
            let mut documents = Documents::new(role, &format!("{asked}{reveal}"), "");
            let lacking = |unmet: &&crate::Unmet| unmet.code == crate::Code::CredentialNotGranted;
            let line = documents.rights().unmet().iter().find(lacking).unwrap().line_to_add.clone();
            documents.paste(&line.unwrap());
            let rights = documents.rights();
            assert_eq!(rights.unmet().iter().find(lacking), None, "{role}");
            let given = &rights.credentials()[0];
            assert_eq!((given.stored.as_str(), given.revealed), ("a.api", !reveal.is_empty()), "{role}");
        }
    }
}

#[test]
fn no_line_widens_a_rule_for_a_path_that_cannot_be_compared() {
    let rule = "url = \"https://a.com\"\npath_prefix = \"/v1/\"\n";
    let documents = Documents::new(
        Role::Source,
        &format!("[[asks.hosts]]\n{rule}"),
        &format!("[[source.grants.hosts]]\n{rule}"),
    );
    let verdict = documents.rights().judge_request(&request("GET", "a.com", 443, "/v1/%2e%2e/admin"));
    let Verdict::Denied { reason, line_to_add, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(line_to_add, None);
    assert_eq!(
        reason,
        "the manifest does not ask for every path of `https://a.com`, and the path `/v1/%2e%2e/admin` holds `%2E`, which \
         servers read in different ways"
    );
}

#[test]
fn the_lines_name_the_transform_under_which_they_belong() {
    let verdict = Documents::new(Role::Transform, "[[asks.hosts]]\nurl = \"https://a.com\"\n", "")
        .rights()
        .judge_request(&request("GET", "a.com", 443, "/"));
    let Verdict::Denied { line_to_add, .. } = verdict else { panic!("{verdict:?}") };
    let lines =
        "# sync.toml, under the transform `clean`\n[[transforms.grants.hosts]]\nurl = \"https://a.com\"\n";
    assert_eq!(line_to_add.as_deref(), Some(lines));
}
