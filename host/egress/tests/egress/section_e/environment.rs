//! E65: what the machine around says about the network, and nobody asked.

use std::process::Command;

use egress::{Dns, DnsResolver, Resolver};

use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, dns, fetch, get};

/// Set in the process that is run with the variables.
const MARK: &str = "EGRESS_TEST_WITH_PROXY_VARIABLES";

#[test]
fn e65_proxy_variables_scripts_and_files_of_passwords_are_ignored() {
    if std::env::var_os(MARK).is_some() {
        return run(fetches_straight());
    }
    // Nothing listens there: whoever believed the variables would reach nobody.
    let nobody = "http://127.0.0.1:1";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args([
            "--exact",
            "section_e::environment::e65_proxy_variables_scripts_and_files_of_passwords_are_ignored",
        ])
        .env(MARK, "1");
    for name in ["http_proxy", "https_proxy", "all_proxy", "ftp_proxy"] {
        child.env(name, nobody).env(name.to_ascii_uppercase(), nobody);
    }
    // A script that names a proxy, a file of passwords, aliases of names, and search domains.
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(home.path().join(name), text).unwrap();
        home.path().join(name)
    };
    let netrc = file(
        ".netrc",
        "machine 127.0.0.1 login me password of-the-file\ndefault login me password of-the-file\n",
    );
    let script = file("proxy.pac", "function FindProxyForURL() { return \"PROXY 127.0.0.1:1\" }");
    let script = format!("file://{}", script.display());
    child.env("HOME", home.path()).env("NETRC", netrc).env("auto_proxy", &script).env("PAC_URL", script);
    child.env("HOSTALIASES", file("aliases", "api.test nowhere.test\n")).env("LOCALDOMAIN", "evil.test");
    let output = child.env("no_proxy", "").env("NO_PROXY", "").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

async fn fetches_straight() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    assert_eq!(fetch(&client, get(server.url("/"))).await.unwrap(), "hi");
    assert_eq!(fetch(&client, get(format!("http://api.test:{}/", server.port()))).await.unwrap(), "hi");
    assert!(server.heads().iter().all(|head| !head.contains("authorization")), "{:?}", server.heads());
    let dns = dns::Dns::start().await;
    dns.addresses("api.test", &["127.0.0.1"]);
    let client = House::default()
        .client_asking(DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false }));
    assert_eq!(fetch(&client, get(format!("http://api.test:{}/", server.port()))).await.unwrap(), "hi");
    assert!(dns.asked().iter().all(|name| name == "api.test"), "{:?}", dns.asked());
}

#[tokio::test]
async fn e65_the_file_of_hosts_is_not_asked_unless_the_operator_wants_it() {
    let text = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let entries = text.lines().filter_map(|line| line.split('#').next()?.split_once(char::is_whitespace));
    let names =
        entries.flat_map(|(_, names)| names.split_whitespace()).filter(|name| !name.contains("local"));
    let names: Vec<&str> = names.collect();
    let dns = dns::Dns::start().await;
    let resolver = |hosts_file| DnsResolver::new(Dns { servers: vec![dns.address], hosts_file });
    for name in ["in-no-file.test"].iter().chain(&names) {
        dns.addresses(name, &["192.0.2.7"]);
        assert_eq!(
            resolver(false).resolve(name).await.unwrap(),
            [std::net::IpAddr::from([192, 0, 2, 7])],
            "{name}"
        );
        assert!(dns.asked().contains(&(*name).to_owned()), "{name}");
    }
    for name in names {
        assert_ne!(
            resolver(true).resolve(name).await.unwrap(),
            [std::net::IpAddr::from([192, 0, 2, 7])],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_name_without_dots_is_looked_up_as_it_is_and_in_no_search_domain() {
    let dns = dns::Dns::start().await;
    dns.addresses("intranet", &["192.0.2.7"]);
    let resolver = DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false });
    assert_eq!(resolver.resolve("intranet").await.unwrap().len(), 1);
    assert!(resolver.resolve("nowhere").await.is_err());
    assert!(dns.asked().iter().all(|name| name == "intranet" || name == "nowhere"), "{:?}", dns.asked());
}
