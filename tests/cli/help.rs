//! The help of every command is its documentation.

use crate::snapshot;
use crate::world::World;

const COMMANDS: [&str; 36] = [
    "run",
    "check",
    "discover",
    "preview",
    "inspect",
    "build",
    "connect",
    "credentials",
    "runs",
    "checkpoints",
    "errors",
    "reprocess",
    "reload",
    "backup",
    "restore",
    "keys",
    "doctor",
    "serve",
    "login",
    "logout",
    "account",
    "operators",
    "organizations",
    "members",
    "invitations",
    "tokens",
    "zones",
    "break-glass",
    "connectors",
    "connections",
    "syncs",
    "endpoints",
    "retention",
    "audit",
    "explain",
    "completion",
];
/// Commands with commands of their own.
const FAMILIES: [(&str, &[&str]); 19] = [
    ("credentials", &["list", "rotate", "revoke"]),
    ("runs", &["list", "show", "logs", "watch"]),
    ("checkpoints", &["show", "edit", "reset"]),
    ("errors", &["list", "show", "export", "delete"]),
    ("keys", &["status", "rotate", "verify", "export", "import", "recovery-key"]),
    (
        "account",
        &[
            "first-operator",
            "join",
            "show",
            "password",
            "second-factor",
            "enable-second-factor",
            "disable-second-factor",
            "delete",
            "delete-person",
            "sessions",
            "end-session",
            "end-other-sessions",
        ],
    ),
    ("operators", &["list", "invitations", "invite", "revoke", "dismiss"]),
    (
        "organizations",
        &[
            "list",
            "create",
            "show",
            "rename",
            "deletion",
            "delete",
            "keep",
            "confirm-deletion",
            "certificate",
        ],
    ),
    ("members", &["list", "show", "change", "remove"]),
    ("invitations", &["list", "create", "revoke", "accept"]),
    ("tokens", &["list", "create", "revoke"]),
    ("zones", &["show", "set"]),
    ("break-glass", &["list", "show", "request", "approve", "end"]),
    ("connectors", &["list", "install", "show", "release", "remove"]),
    (
        "connections",
        &[
            "list",
            "create",
            "validate",
            "show",
            "change",
            "remove",
            "asks",
            "grant",
            "directories",
            "withdraw",
            "credentials",
            "enter",
            "authorize",
            "revoke",
            "check",
            "discover",
            "catalog",
        ],
    ),
    (
        "syncs",
        &[
            "list",
            "create",
            "validate",
            "show",
            "change",
            "delete",
            "start",
            "pause",
            "stop",
            "run",
            "preview",
            "previews",
            "queue",
            "cancel",
            "live",
            "report",
            "rejected",
            "position",
            "position-changes",
            "times",
        ],
    ),
    ("endpoints", &["show", "create", "rotate", "turn-off", "sign", "unsign", "queue", "clear"]),
    ("retention", &["show", "set"]),
    ("audit", &["list", "export", "verify", "checkpoint", "compare", "inclusion", "consistency"]),
];

#[test]
fn help_says_what_there_is() {
    let world = World::new();
    snapshot!("help", world.run(&["--help"]));
    for command in COMMANDS {
        snapshot!(format!("help-{command}"), world.run(&[command, "--help"]));
    }
}

#[test]
fn every_command_has_a_snapshot_of_its_help() {
    let world = World::new();
    assert_eq!(listed(&world.run(&["--help"]).stdout), COMMANDS);
    for (family, commands) in FAMILIES {
        assert_eq!(listed(&world.run(&[family, "--help"]).stdout), commands);
        for command in commands {
            snapshot!(format!("help-{family}-{command}"), world.run(&[family, command, "--help"]));
        }
    }
}

fn listed(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .collect()
}

#[test]
fn a_wrong_command_line_is_the_users_fault() {
    let world = World::new();
    for arguments in [&["rum"][..], &["run"], &["run", "a", "b"], &["preview", "a", "b", "-n", "0"], &[]] {
        let ran = world.run(arguments);
        assert_eq!(ran.status, Some(1), "{arguments:?}: {}", ran.report());
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{}", ran.report());
    }
    assert!(world.run(&["rum"]).stderr.contains("'run'"), "a near miss is told");
}

#[test]
fn the_version_is_told() {
    let ran = World::new().run(&["--version"]).succeeded();
    assert_eq!(ran.stdout, format!("cofferdam {}\n", env!("CARGO_PKG_VERSION")));
}
