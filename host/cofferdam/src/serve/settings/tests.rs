//! Settings from three places, and all faults at once.

use super::{Settings, Sources};
use crate::arguments::Arguments;
use crate::arguments::Command;
use crate::problem::{Own, Problem};
use api::Transport;
use clap::Parser;
use std::fs;
use tempfile::TempDir;

fn gather(flags: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Own> {
    let arguments = Arguments::try_parse_from([&["cofferdam", "serve"], flags].concat()).unwrap();
    let Command::Serve(command) = arguments.command else { panic!("it is another command") };
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    Settings::judge(Sources::gather(&command, find)?)
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
    fs::write(&file, "lisen = \"x\"\nregion = \"EU\"\norigin = true\nzebra = 1\n").unwrap();
    let config = file.to_str().unwrap();
    let flags =
        ["--config", config, "--listen", "here", "--tls-key", "key.pem", "--password-characters", "7"];
    let variables = [("COFFERDAM_PROXIES", "10.0.0.0/8,canary"), ("COFFERDAM_REQUESTS_AT_ONCE", "0")];
    let found = faults(&flags, &variables);
    for expected in [
        format!("`lisen` in `{config}`: there is no such setting; is `listen` meant?"),
        format!("`region` in `{config}`: expected small letters, digits and hyphens, such as `eu-1`"),
        format!("`origin` in `{config}`: it is a text, a number, or a list of texts"),
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
