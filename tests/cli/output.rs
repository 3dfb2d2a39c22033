//! Where output goes when the other side is not a patient reader.

use std::fs::OpenOptions;
use std::io::pipe;
use std::process::Stdio;

use crate::commands::FAKER_TO_NULL;
use crate::world::{World, ran};

#[test]
fn a_broken_pipe_is_no_error() {
    let world = World::with(FAKER_TO_NULL);
    // The first run says where its key is.
    world.run(&["run", "sync.toml"]).succeeded();
    for arguments in
        [&["explain"][..], &["--help"], &["run", "sync.toml"], &["discover", "sync.toml", "--json"]]
    {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = world.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let ended = ran(output);
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_broken_pipe_does_not_hide_a_failure() {
    let world = World::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ended = ran(world.command(&["run", "nothing.toml", "--json"]).stdout(writer).output().unwrap());
    assert_eq!(ended.status, Some(1));
}

#[test]
fn a_full_disk_behind_standard_output_is_told() {
    let world = World::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = ran(world.command(&["explain"]).stdout(full).stderr(Stdio::piped()).output().unwrap());
    assert_eq!(ended.status, Some(1));
    assert!(
        ended.stderr.starts_with("error[CD0806]: failed to write to standard output: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_a_home_there_is_no_cache() {
    let world = World::with(FAKER_TO_NULL);
    let mut command = world.command(&["run", "sync.toml"]);
    command.env_remove("XDG_CACHE_HOME").env("HOME", "not/absolute");
    let ended = ran(command.output().unwrap());
    assert_eq!(ended.status, Some(1), "{}", ended.report());
    assert!(ended.stderr.contains("error[CD0804]: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("--cache DIR"), "{}", ended.stderr);
    let cache = world.path("cache");
    let mut command = world.command(&["run", "sync.toml", "--cache", cache.to_str().unwrap()]);
    ran(command.env_remove("XDG_CACHE_HOME").output().unwrap()).succeeded();
    assert!(cache.join("key").exists());
}
