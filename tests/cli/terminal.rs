//! On a terminal: progress while a run goes on, colours that carry no meaning of their own, and nothing of it elsewhere.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::stopped::SLOW;
use crate::world::World;

/// What a terminal on standard error is sent.
pub(crate) fn on_terminal(mut command: Command) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let side = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut child = command.env("TERM", "xterm").stdout(Stdio::null()).stderr(side).spawn().unwrap();
    // The command holds the other side too.
    drop(command);
    let mut sent = Vec::new();
    let mut part = [0; 4096];
    let mut terminal = File::from(terminal);
    // Reading fails when the program has closed its side.
    while let Ok(count @ 1..) = terminal.read(&mut part) {
        sent.extend_from_slice(&part[..count]);
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&sent).into_owned()
}

fn slow() -> World {
    let world = World::with(&SLOW.replace("rows = 2_000", "rows = 200"));
    world.folder("out");
    world
}

#[test]
fn a_run_shows_progress_for_each_stream() {
    let world = slow();
    let sent = on_terminal(world.command(&["run", "sync.toml"]));
    assert!(sent.contains("people"), "{sent:?}");
    assert!(sent.contains(" rows ") && sent.contains(" rejected "), "{sent:?}");
    assert!(sent.contains("memory  source "), "{sent:?}");
}

#[test]
fn there_is_no_progress_for_machines_and_in_continuous_integration() {
    let quiet = |command| on_terminal(command);
    let world = slow();
    // The first run says where its key is.
    world.run(&["run", "sync.toml"]).succeeded();
    assert_eq!(quiet(world.command(&["run", "sync.toml", "--json"])), "");
    world.edit("rows = 200", "rows = 400");
    let mut command = world.command(&["run", "sync.toml"]);
    command.env("CI", "true");
    assert_eq!(quiet(command), "");
}

#[test]
fn errors_are_coloured_on_a_terminal_unless_told_otherwise() {
    let world = World::new();
    let failing = || world.command(&["run", "nothing.toml"]);
    assert!(on_terminal(failing()).contains("\u{1b}["));
    for (variable, value) in [("NO_COLOR", "1"), ("CI", "true")] {
        let mut command = failing();
        command.env(variable, value);
        let sent = on_terminal(command);
        assert!(!sent.contains('\u{1b}') && sent.starts_with("error[CD0801]: "), "{variable}: {sent:?}");
    }
}

/// The program with a terminal of its own, at which a person answers each of these prompts. What the terminal has shown,
/// and how the program ended.
pub(crate) fn typed(world: &World, arguments: &[&str], answers: &[(&str, &str)]) -> (String, Option<i32>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let side = || OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = in_session(world, arguments, "--ctty");
    let mut child = command.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
    drop(command);
    let mut terminal = File::from(terminal);
    let (mut shown, mut answers) = (String::new(), answers.iter());
    let mut next = answers.next();
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = terminal.read(&mut part) {
        shown.push_str(&String::from_utf8_lossy(&part[..count]));
        if let Some((prompt, answer)) = next
            && shown.ends_with(prompt)
        {
            terminal.write_all(format!("{answer}\n").as_bytes()).unwrap();
            next = answers.next();
        }
    }
    assert!(next.is_none(), "never asked for: {next:?} in {shown}");
    world.saw(shown.clone());
    (shown, child.wait().unwrap().code())
}

/// The program without any terminal.
pub(crate) fn alone(world: &World, arguments: &[&str]) -> crate::world::Ran {
    let mut command = in_session(world, arguments, "--wait");
    command.stdin(Stdio::null());
    world.ended(command)
}

fn in_session(world: &World, arguments: &[&str], option: &str) -> Command {
    let own = world.command(arguments);
    let mut command = Command::new("setsid");
    command.args(["--wait", option]).arg(own.get_program()).args(own.get_args());
    command
        .current_dir(own.get_current_dir().unwrap())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}
