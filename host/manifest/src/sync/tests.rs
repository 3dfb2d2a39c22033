use std::path::Path;

use serde_json::json;

use super::{Comparison, Mode, RejectPolicy, RowData, RunOptions, StreamSelection, SyncFile};
use crate::{Access, ConfigFault};

const MOVIES: &str = r#"
sync = 1
name = "movies"

[source]
connector = "../target/components/http-manifest.wasm"
[source.config]
base_url = "http://127.0.0.1:8080/api"
since = 1990-05-27
[[source.config.headers]]
name = "a"
[[source.grants.hosts]]
url = "http://127.0.0.1:8080"
methods = ["GET"]
[[source.grants.addresses]]
address = "127.0.0.1"
port = 8080
[source.grants.directories]
data = { path = "./data" }
[source.limits]
cpu_ms = "2 min"

[[transforms]]
name = "clean"
connector = "/opt/transform.wasm"
[transforms.config]
drop = ["a"]

[destination]
connector = "files.wasm"
[destination.grants.directories]
out = { path = "/srv/out", access = "write" }

[[streams]]
name = "movies"
mode = "upsert"
fields = ["title", "year"]
limit = 100
filter = [
  { field = "year", comparison = "greater", value = 1990 },
  { field = "title", comparison = "is-not-null" },
]
[[streams]]
name = "Ratings 2"

[rejects]
policy = "fail"
row_data = "off"
max_count = 1000
max_rate = 0.05

[run]
parallel_groups = 4
attempts = 3
commit_bytes = "16 MiB"
commit_every = "10 s"
"#;

fn sync(body: &str) -> String {
    format!(
        "sync = 1\nname = \"a\"\nsource.connector = \"a.wasm\"\ndestination.connector = \"b.wasm\"\n{body}"
    )
}

fn check(body: &str, expected: &[&str]) {
    let text = sync(body);
    let faults = SyncFile::parse("sync.toml", &text).expect_err(&text);
    let shown = |fault: &crate::Fault| {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {} {}: {}{hint}", fault.line, fault.column, fault.code, fault.path, fault.message)
    };
    assert_eq!(faults.faults.iter().map(shown).collect::<Vec<_>>(), expected, "{body}");
}

#[test]
fn a_whole_sync_is_read() {
    let sync = SyncFile::parse("sync.toml", MOVIES).unwrap();
    assert_eq!(sync.name, "movies");
    let config =
        json!({"base_url": "http://127.0.0.1:8080/api", "since": "1990-05-27", "headers": [{"name": "a"}]});
    assert_eq!(sync.source.config, config);
    assert_eq!(sync.source.grants.hosts[0].pattern.to_string(), "GET http://127.0.0.1:8080");
    assert_eq!(sync.source.grants.addresses[0].port, 8080);
    assert_eq!(sync.source.grants.directories["data"].access, Access::Read);
    assert_eq!(sync.source.limits.cpu_ms, Some(120_000));
    assert_eq!(sync.transforms[0].name, "clean");
    assert_eq!(sync.destination.grants.directories["out"].access, Access::Write);
    let streams = sync.streams.as_ref().unwrap();
    assert_eq!((streams[0].mode, streams[1].mode), (Mode::Upsert, Mode::Append));
    assert_eq!(streams[0].filter[0].comparison, Comparison::Greater);
    assert_eq!(streams[0].filter[1].value, json!(null));
    assert_eq!(StreamSelection::faults(streams), []);
    assert_eq!((sync.rejects.policy, sync.rejects.max_rate), (RejectPolicy::Fail, Some(0.05)));
    assert_eq!(sync.rejects.row_data, RowData::Off);
    let run = RunOptions {
        parallel_groups: 4,
        attempts: 3,
        commit_bytes: 16 * 1024 * 1024,
        commit_every_ms: 10_000,
    };
    assert_eq!(sync.run, run);

    let carried = serde_json::to_string(&sync).unwrap();
    assert_eq!(
        serde_json::from_str::<SyncFile>(&carried).unwrap(),
        sync,
        "crosses a process boundary unchanged"
    );
}

#[test]
fn the_smallest_sync_moves_every_stream() {
    let sync = SyncFile::parse("sync.toml", &sync("")).unwrap();
    assert_eq!(sync.streams, None);
    assert_eq!(sync.source.config, json!({}));
    assert_eq!((sync.rejects.policy, sync.rejects.row_data), (RejectPolicy::Quarantine, RowData::Stored));
    assert_eq!(sync.run, RunOptions::default());
}

#[test]
fn paths_are_taken_from_where_the_document_lies() {
    let mut sync = SyncFile::parse("sync.toml", MOVIES).unwrap();
    sync.rebase(Path::new("/home/user/movies"));
    let source = Path::new("/home/user/movies/../target/components/http-manifest.wasm");
    assert_eq!(sync.source.connector, source);
    assert_eq!(sync.source.grants.directories["data"].path, Path::new("/home/user/movies/./data"));
    assert_eq!(sync.transforms[0].connector, Path::new("/opt/transform.wasm"));
    assert_eq!(sync.destination.grants.directories["out"].path, Path::new("/srv/out"));
}

#[test]
fn a_grant_names_the_host_itself() {
    check(
        "[[source.grants.hosts]]\nurl = \"https://${config.a}.example.com\"\n",
        &["6:7 CD0108 source.grants.hosts[0].url: a grant names the host itself, without `${…}`"],
    );
}

#[test]
fn addresses_are_literals_in_their_usual_spelling() {
    let address = |address: &str, message: &str| {
        let body = format!("[[source.grants.addresses]]\naddress = \"{address}\"\nport = 80\n");
        check(&body, &[&format!("6:11 CD0105 source.grants.addresses[0].address: {message}")]);
    };
    address("localhost", "`localhost` is a name, not an address");
    address("127.1", "`127.1` is an address in disguise (write `127.0.0.1`)");
    address("fe80::1%eth0", "`fe80::1%eth0` names a zone; only this machine knows what it means");
    address("10.0.0.0/8", "`/` stands in `10.0.0.0/8`, no host has it");
    check(
        "[[source.grants.addresses]]\naddress = \"::1\"\nport = 0\n[[source.grants.addresses]]\naddress = \"::1\"\n",
        &[
            "7:8 CD0105 source.grants.addresses[0].port: must be from 1 to 65535",
            "8:1 CD0103 source.grants.addresses[1]: `port` is missing",
        ],
    );
}

#[test]
fn a_granted_credential_is_the_name_of_a_stored_one() {
    let text = sync(
        "[source.grants.credentials]\napi = \"github.api\"\nlogin = { use = \"github\", reveal = true }\n",
    );
    let read = SyncFile::parse("sync.toml", &text).unwrap();
    let credentials = &read.source.grants.credentials;
    assert_eq!((credentials["api"].stored.as_str(), credentials["api"].reveal), ("github.api", false));
    assert_eq!((credentials["login"].stored.as_str(), credentials["login"].reveal), ("github", true));
    let carried = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<SyncFile>(&carried).unwrap(), read);

    let hint = "(a stored credential has a name such as `github.api`: parts of `a` to `z`, `0` to `9` and `-`, with dots between)";
    let wrong = |name: &str, shown: &str| {
        let message = format!("`{shown}` is not the name of a stored credential {hint}");
        check(
            &format!("[source.grants.credentials]\napi = \"{name}\"\n"),
            &[&format!("6:7 CD0105 source.grants.credentials.api: {message}")],
        );
    };
    wrong("", "");
    wrong("GitHub.api", "GitHub.api");
    wrong("github..api", "github..api");
    wrong("../api", "../api");
    wrong("ghp_0123456789abcdef", "ghp_0123456789abcdef");
    check(
        "[source.grants.credentials]\napi = { reveal = \"yes\", us = \"a\" }\nb = true\n",
        &[
            "6:7 CD0103 source.grants.credentials.api: `use` is missing",
            "6:18 CD0104 source.grants.credentials.api.reveal: expected `true` or `false`, found string",
            "6:25 CD0102 source.grants.credentials.api: unknown key `us` (did you mean `use`?)",
            "7:5 CD0104 source.grants.credentials.b: expected a table, found boolean",
        ],
    );
}

#[test]
fn a_private_network_may_be_granted_as_a_whole_and_nothing_else() {
    let network = |network: &str, message: &str| {
        let body = format!("[[source.grants.addresses]]\nnetwork = \"{network}\"\nport = 80\n");
        check(&body, &[&format!("6:11 CD0105 source.grants.addresses[0].network: {message}")]);
    };
    network("10.1.2.3", "`10.1.2.3` is not a network (write it as `10.1.0.0/16`)");
    network("10.1.2.3/16", "`10.1.2.3/16` names an address within a network (write `10.1.0.0/16`)");
    let kinds =
        "(networks lie within `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `100.64.0.0/10`, `fc00::/7`)";
    for wide in
        ["0.0.0.0/0", "10.0.0.0/7", "127.0.0.0/8", "169.254.0.0/16", "::/0", "fe80::/10", "8.8.8.0/24"]
    {
        network(
            wide,
            &format!("`{wide}` is not part of a private network, and is granted address by address {kinds}"),
        );
    }
    check(
        "[[source.grants.addresses]]\naddress = \"10.0.0.1\"\nnetwork = \"10.0.0.0/8\"\nport = 80\n",
        &[
            "7:11 CD0105 source.grants.addresses[0].network: `address` is there too; a grant is one or the other",
        ],
    );
    let granted = MOVIES.replace("address = \"127.0.0.1\"", "network = \"10.1.0.0/16\"");
    let sync = SyncFile::parse("sync.toml", &granted).unwrap();
    let grant = sync.source.grants.addresses[0];
    assert_eq!((grant.network.to_string().as_str(), grant.port, grant.single()), ("10.1.0.0/16", 8080, None));
}

#[test]
fn an_authority_of_the_connections_own_lies_beside_the_document() {
    let mut sync =
        SyncFile::parse("sync.toml", &format!("{MOVIES}[destination.grants.tls]\nca = \"ca.pem\"\n"))
            .unwrap();
    assert_eq!(sync.source.grants.tls, None);
    sync.rebase(Path::new("/etc/syncs"));
    assert_eq!(sync.destination.grants.tls.unwrap().ca, crate::Authority::File("/etc/syncs/ca.pem".into()));
    check(
        "[source.grants.tls]\nca = 7\ninsecure = true\n",
        &[
            "6:6 CD0104 source.grants.tls.ca: expected a string, found integer",
            "7:1 CD0102 source.grants.tls: unknown key `insecure` (known here: `ca`)",
        ],
    );
}

#[test]
fn faults_of_every_part_are_reported_together() {
    check(
        "surce = 1\n[[transforms]]\nconnector = \"t.wasm\"\n[source.grants.directories]\ndata = \"./data\"\n\
         [[streams]]\nname = \"a\"\nmode = \"upsrt\"\nfields = []\nfilter = [{ field = \"a\", comparison = \"is-null\", value = 1 }]\n\
         [[streams]]\nname = \"b\"\nfilter = [{ field = \"a\", comparison = \"less\" }]\nlimit = -1\n\
         [rejects]\npolicy = \"ignore\"\nmax_rate = 5\n[run]\nattempts = 0\ncommit_bytes = \"65 MiB\"\ncommit_every = \"2 min\"\n",
        &[
            "5:1 CD0102 : unknown key `surce` (did you mean `source`?)",
            "6:1 CD0103 transforms[0]: `name` is missing",
            "9:8 CD0104 source.grants.directories.data: expected a table, found string",
            "12:8 CD0105 streams[0].mode: `upsrt` is not `append`, `upsert`, `mirror` or `replace` (did you mean `upsert`?)",
            "13:10 CD0105 streams[0].fields: names no field (leave `fields` out to move every field)",
            "14:58 CD0105 streams[0].filter[0].value: a comparison with null has no value",
            "17:11 CD0103 streams[1].filter[0]: `value` is missing",
            "18:9 CD0105 streams[1].limit: `-1` is not a number from 0 to 18446744073709551615",
            "20:10 CD0105 rejects.policy: `ignore` is not `fail`, `skip` or `quarantine`",
            "21:12 CD0105 rejects.max_rate: must be a number from 0 to 1",
            "23:12 CD0105 run.attempts: must be from 1 to 100",
            "24:16 CD0105 run.commit_bytes: must be from 1 to 67108864",
            "25:16 CD0105 run.commit_every: must be from 1 to 60000",
        ],
    );
}

#[test]
fn what_is_kept_of_rejected_rows_is_one_of_three_words() {
    let words = [("off", RowData::Off), ("local", RowData::Local), ("stored", RowData::Stored)];
    for (word, row_data) in words {
        let text = sync(&format!("[rejects]\nrow_data = \"{word}\"\n"));
        assert_eq!(SyncFile::parse("sync.toml", &text).unwrap().rejects.row_data, row_data);
    }
    check(
        "[rejects]\nrow_data = \"of\"\nrow_dat = \"off\"\n",
        &[
            "6:12 CD0105 rejects.row_data: `of` is not `off`, `local` or `stored` (did you mean `off`?)",
            "7:1 CD0102 rejects: unknown key `row_dat` (did you mean `row_data`?)",
        ],
    );
    check(
        "[rejects]\nrow_data = false\n",
        &["6:12 CD0104 rejects.row_data: expected a string, found boolean"],
    );
}

#[test]
fn names_stand_once() {
    check(
        "[[streams]]\nname = \"a\"\n[[streams]]\nname = \"a\"\n[[transforms]]\nname = \"t\"\nconnector = \"t\"\n\
         [[transforms]]\nname = \"t\"\nconnector = \"t\"\n",
        &[
            "7:1 CD0113 streams[1]: the stream `a` stands twice",
            "12:1 CD0113 transforms[1]: the transform `t` stands twice",
        ],
    );
    check(
        "streams = []\n",
        &["5:11 CD0105 streams: names no stream (leave `streams` out to move every stream)"],
    );
}

#[test]
fn faults_of_a_configuration_get_their_places_in_the_document() {
    let faults = [ConfigFault::new("/headers/0/name", "wrong"), ConfigFault::new("", "`token` is missing")];
    let located = SyncFile::locate("sync.toml", MOVIES, "/source/config", &faults);
    let places: Vec<(usize, usize, &str)> =
        located.faults.iter().map(|fault| (fault.line, fault.column, fault.path.as_str())).collect();
    assert_eq!(places, [(7, 1, "source.config"), (11, 8, "source.config.headers[0].name")]);
}

#[test]
fn a_secret_in_a_document_is_shown_nowhere() {
    let text = sync(
        "[source.config]\nlogin = { token = \"s3cr\\\"et-ü\", page = 1 }\nother = 1\nkey = \"\"\"\ns3cret\n\"\"\"\n",
    );
    let secret = |path: &str| ConfigFault { is_secret: true, ..ConfigFault::new(path, "is a secret") };
    let faults = [ConfigFault::new("/login/page", "wrong"), secret("/login/token"), secret("/key")];
    let located = SyncFile::locate("sync.toml", &text, "/source/config", &faults);
    let shown = located.to_string();
    assert!(!shown.contains("3cr") && !shown.contains("et-"), "{shown}");
    assert!(shown.contains("login = { token = *************, page = 1 }"), "{shown}");
    let places: Vec<(usize, usize)> = located.faults.iter().map(|fault| (fault.line, fault.column)).collect();
    assert_eq!(places, [(6, 19), (6, 41), (8, 7)]);
    assert_eq!((located.faults[0].code.as_str(), located.faults[1].code.as_str()), ("CD0116", "CD0110"));
}
