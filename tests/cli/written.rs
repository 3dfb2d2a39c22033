//! What commands write while a credential is there, and what a process leaves that is cut off: no secret is in any of it.

use std::fs;
use std::process::{Command, Stdio};

use crate::canary::{ANOTHER, CANARY, bearer};
use crate::credentials::{ask, nothing_shows, shop};
use crate::guest_memory::Held;
use crate::placed::{GRANTED, sync_of};
use crate::world::World;

fn world(url: &str) -> World {
    let world = shop(&ask("api", "kind = \"bearer\""), url);
    world.file("sync.toml", sync_of(url, GRANTED));
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    world
}

#[test]
fn no_command_writes_a_secret_anywhere() {
    let world = world(&crate::api::serve_to(&[bearer()]));
    let commands = [
        "check sync.toml",
        "discover sync.toml",
        "preview sync.toml movies",
        "run sync.toml -vv",
        "runs list",
        "runs show 1 --json",
        "runs logs 1",
        "errors list",
        "checkpoints show sync.toml",
        "credentials list --json",
        "keys recovery-key recovery",
        "backup before.backup",
        "keys rotate --organization",
        "run sync.toml -vv",
        "keys export --to kept.export --recovery-key recovery",
        "backup kept.backup",
        "keys status",
        "keys verify",
    ];
    for command in commands {
        world.run(&command.split(' ').collect::<Vec<_>>()).succeeded();
    }
    world.secret("other", ANOTHER);
    world.run(&["credentials", "rotate", "shop.api", "--secret", "token=@other"]).succeeded();
    let refused = world.run(&["run", "sync.toml", "-vv"]);
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    nothing_shows(&world);

    let machine = World::new();
    for name in ["kept.backup", "kept.export", "recovery"] {
        machine.file(name, fs::read(world.path(name)).unwrap());
    }
    machine.must_not_show(CANARY);
    machine.run(&["keys", "import", "kept.export", "--recovery-key", "recovery"]).succeeded();
    machine.run(&["restore", "kept.backup"]).succeeded();
    let list = machine.run(&["credentials", "list"]).succeeded();
    assert!(list.stdout.contains("shop.api"), "{}", list.report());
    nothing_shows(&machine);
}

#[test]
fn a_process_that_crashes_leaves_no_image_of_its_memory() {
    let held = Held::start();
    let world = world(&format!("http://{}", held.address));
    let own = world.command(&["run", "sync.toml"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""])
        .arg(own.get_program())
        .args(own.get_args());
    command.current_dir(world.path("")).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (_head, _go) = held.waits();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let of_images = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert!(Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(!status.success() && status.code().is_none(), "{status}");
    assert_eq!(of_images.split_whitespace().filter(|word| *word == "0").count(), 2, "{of_images}");
    nothing_shows(&world);
}
