//! Settings from three places, and all faults at once.

use super::{Settings, Sources};
use crate::arguments::Arguments;
use crate::arguments::Command;
use crate::problem::{Own, Problem};
use crate::serve::directories::away;
use api::Transport;
use clap::Parser;
use std::fs;
use tempfile::TempDir;

fn gather(flags: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Own> {
    let arguments = Arguments::try_parse_from([&["cofferdam", "serve"], flags].concat()).unwrap();
    let Command::Serve(command) = arguments.command else { panic!("it is another command") };
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    let sources = Sources::gather(&command, find)?;
    let away = away(&command, &sources);
    Settings::judge(sources, &away)
}

fn faults(flags: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    match gather(flags, variables) {
        Ok(_) => Vec::new(),
        Err(own) => Problem::from(own).details,
    }
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    fs::write(&file, "listen = \"127.0.0.1:1\"\nregion = \"eu-1\"\nproxies = [\"10.0.0.0/8\", \"::1\"]\nrequests-per-second = 7\n")
        .unwrap();
    let config = file.to_str().unwrap();
    let variables =
        [("COFFERDAM_CONFIG", config), ("COFFERDAM_LISTEN", "127.0.0.1:2"), ("COFFERDAM_REGION", "eu-2")];
    let settings = gather(&["--listen", "127.0.0.1:3"], &variables).unwrap();
    assert_eq!(settings.options.address.port(), 3);
    assert_eq!(settings.region.as_str(), "eu-2");
    assert_eq!(settings.options.proxies.len(), 2);
    assert_eq!(settings.options.rates.caller_per_second.get(), 7);
    let nothing = gather(&[], &[]).unwrap();
    assert_eq!(nothing.options.address.to_string(), "127.0.0.1:8080");
    assert!(matches!(nothing.options.transport, Transport::Plain));
}

#[test]
fn all_faults_are_told_at_once_with_their_places() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    fs::write(&file, "lisen = \"x\"\nregion = \"EU\"\norigin = 1.5\nzebra = 1\n").unwrap();
    let config = file.to_str().unwrap();
    let flags =
        ["--config", config, "--listen", "here", "--tls-key", "key.pem", "--password-characters", "7"];
    let variables = [("COFFERDAM_PROXIES", "10.0.0.0/8,canary"), ("COFFERDAM_REQUESTS_AT_ONCE", "0")];
    let found = faults(&flags, &variables);
    for expected in [
        format!("`lisen` in `{config}`: there is no such setting; is `listen` meant?"),
        format!("`region` in `{config}`: expected small letters, digits and hyphens, such as `eu-1`"),
        format!("`origin` in `{config}`: it is a text, a number, `true` or `false`, or a list of texts"),
        "`--listen`: expected an address and a port, such as `127.0.0.1:8080`".to_owned(),
        "`--tls-key`: `tls-certificate` is needed beside it".to_owned(),
        "`--password-characters`: expected a number of at least 8".to_owned(),
        "`COFFERDAM_PROXIES`: expected addresses or ranges, such as `10.0.0.0/8`".to_owned(),
        "`COFFERDAM_REQUESTS_AT_ONCE`: expected a number of at least 1".to_owned(),
    ] {
        assert!(found.contains(&expected), "{expected} is not among {found:#?}");
    }
    assert_eq!(found.len(), 9, "{found:#?}");
    assert!(!found.concat().contains("canary"));
}

#[test]
fn an_origin_is_what_a_browser_sends() {
    for (text, is_taken) in [
        ("https://a.example", true),
        ("https://A.example:8443/", true),
        ("http://localhost:8080", true),
        ("a.example", false),
        ("https://a.example/x", false),
        ("https://u@a.example", false),
        ("ftp://a.example", false),
        ("", false),
    ] {
        assert_eq!(faults(&["--origin", text], &[]).is_empty(), is_taken, "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let Err(own) = gather(&["--config", "/nowhere/server.toml"], &[]) else { panic!("it was taken") };
    assert_eq!(Problem::from(own).code, "CD0801");
}

#[test]
fn certificates_come_by_acme_where_it_is_said_for_which_names_and_terms_were_agreed_to() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    fs::write(&file, "acme-names = [\"A.example\", \"b.example\"]\nacme-terms-agreed = true\n").unwrap();
    let settings = gather(&["--config", file.to_str().unwrap(), "--listen", "0.0.0.0:443"], &[]).unwrap();
    assert!(matches!(settings.options.transport, Transport::Given(_)) && settings.certified.is_some());
    assert!(gather(&[], &[]).unwrap().certified.is_none());
}

#[test]
fn what_does_not_go_together_about_certificates_is_told_at_once() {
    let names = ["--acme-names", "a.example"];
    let agreed = [&names[..], &["--acme-terms-agreed", "true"]].concat();
    let with = |more: &[&'static str]| [&agreed[..], more].concat();
    for (flags, expected) in [
        (names.to_vec(), "`--acme-names`: `acme-terms-agreed` is needed beside it"),
        ([&names[..], &["--acme-terms-agreed", "yes"]].concat(), "`--acme-terms-agreed`: expected `true`"),
        (vec!["--acme-contact", "a@a.example"], "`--acme-contact`: `acme-names` is needed beside it"),
        (
            vec!["--acme-names", "*.a.example", "--acme-terms-agreed", "true"],
            "`--acme-names`: expected names",
        ),
        (vec!["--acme-names", "192.0.2.1", "--acme-terms-agreed", "true"], "`--acme-names`: expected names"),
        (vec!["--acme-names", "", "--acme-terms-agreed", "true"], "`--acme-names`: expected names"),
        (with(&["--acme-directory", "http://a.example"]), "`--acme-directory`: expected a URL of `https`"),
        (with(&["--acme-contact", "nobody"]), "`--acme-contact`: expected an address of e-mail"),
        (with(&["--acme-key-id", "kid"]), "`acme-key-id` and `acme-key-file` are given together"),
        (with(&["--tls-certificate", "c.pem", "--tls-key", "k.pem"]), "by ACME or from files"),
    ] {
        let found = faults(&flags, &[]);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
    let all = ["--acme-names", "a", "--tls-key", "k.pem", "--acme-directory", "x", "--acme-key-file", "k"];
    assert_eq!(faults(&all, &[]).len(), 4);
}
