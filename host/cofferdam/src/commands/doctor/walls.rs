//! The walls that the kernel can put around a process: tried for real, on a thread that ends with them.
//!
//! A connector is in the sandbox of the engine anyway. These are what would be left if it ever got out of that.

use std::collections::BTreeMap;
use std::thread;

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};
use rustix::process::geteuid;
use seccompiler::{SeccompAction, SeccompFilter};

use super::finding::{Finding, Topic::Walls};

/// Files, TCP, and since Linux 6.12 signals to and sockets of other processes.
const NEWEST: ABI = ABI::V6;

/// One wall.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wall {
    Holds,
    /// All but what newer kernels add.
    Partly,
    Missing(String),
}

#[derive(Debug, Clone)]
struct Reading {
    files: Wall,
    calls: Wall,
    is_root: bool,
}

pub(super) fn findings() -> Vec<Finding> {
    // Both are of the thread that asks for them and can never be taken down again, so it is a thread for nothing else.
    let tried = thread::spawn(|| (files(), calls())).join();
    let unknown = || Wall::Missing("it could not be tried".to_owned());
    let (files, calls) = tried.unwrap_or_else(|_| (unknown(), unknown()));
    judge(&Reading { files, calls, is_root: geteuid().is_root() })
}

fn files() -> Wall {
    match restricted() {
        Ok(RestrictionStatus { ruleset: RulesetStatus::FullyEnforced, .. }) => Wall::Holds,
        Ok(RestrictionStatus { ruleset: RulesetStatus::PartiallyEnforced, .. }) => Wall::Partly,
        Ok(RestrictionStatus { landlock: LandlockStatus::NotEnabled, .. }) => {
            Wall::Missing("the kernel has it and was started without it".to_owned())
        }
        Ok(_) => Wall::Missing("the kernel does not have it".to_owned()),
        Err(error) => Wall::Missing(error.to_string()),
    }
}

fn restricted() -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .restrict_self()
}

/// A filter that forbids nothing shows as well as any other whether there are filters.
fn calls() -> Wall {
    let missing = |error: &dyn ToString| Wall::Missing(error.to_string());
    let target = match std::env::consts::ARCH.try_into() {
        Ok(target) => target,
        Err(error) => return missing(&error),
    };
    let filter = SeccompFilter::new(BTreeMap::new(), SeccompAction::Allow, SeccompAction::Trap, target);
    let filter: seccompiler::BpfProgram = match filter.and_then(TryInto::try_into) {
        Ok(filter) => filter,
        Err(error) => return missing(&error),
    };
    match seccompiler::apply_filter(&filter) {
        Ok(()) => Wall::Holds,
        Err(error) => missing(&error),
    }
}

fn judge(reading: &Reading) -> Vec<Finding> {
    let mut findings = vec![
        match &reading.files {
            Wall::Holds => {
                Finding::ok(Walls, "landlock keeps a process from files, ports and other processes")
            }
            Wall::Partly => Finding::warning(
                Walls,
                "landlock of this kernel keeps a process from files, and not from all else",
                "newer ones keep it from ports, signals and sockets of others too",
                "Linux 6.12 has all of it",
            ),
            Wall::Missing(why) => Finding::warning(
                Walls,
                format!("landlock cannot keep a process from files: {why}"),
                ALONE,
                "Linux 5.13 and later have it; `landlock` must stand in `lsm=` of the kernel's command line",
            ),
        },
        match &reading.calls {
            Wall::Holds | Wall::Partly => Finding::ok(Walls, "seccomp keeps a process from system calls"),
            Wall::Missing(why) => Finding::warning(
                Walls,
                format!("seccomp cannot keep a process from system calls: {why}"),
                ALONE,
                "use a kernel with `CONFIG_SECCOMP_FILTER`, and a container that does not forbid it",
            ),
        },
    ];
    findings.push(if reading.is_root {
        Finding::warning(
            Walls,
            "cofferdam is started by root",
            "it needs no right of root's, and whoever got out of a sandbox would have them all",
            "start it as a user of its own: `User=` or `DynamicUser=yes` in the unit, `--user` of the container",
        )
    } else {
        Finding::ok(Walls, "cofferdam is not started by root")
    });
    findings
}

const ALONE: &str = "the sandbox of the engine is the only wall between a connector and this machine then";

#[cfg(test)]
mod tests {
    use super::super::finding::State::{self, Ok, Warning};
    use super::{Reading, Wall, findings, judge};

    #[test]
    fn a_wall_that_does_not_stand_is_warned_of() {
        let missing = || Wall::Missing("not here".to_owned());
        let good = Reading { files: Wall::Holds, calls: Wall::Holds, is_root: false };
        let cases: [(Reading, [State; 3]); 5] = [
            (good.clone(), [Ok, Ok, Ok]),
            (Reading { files: Wall::Partly, ..good.clone() }, [Warning, Ok, Ok]),
            (Reading { files: missing(), ..good.clone() }, [Warning, Ok, Ok]),
            (Reading { calls: missing(), ..good.clone() }, [Ok, Warning, Ok]),
            (Reading { is_root: true, ..good }, [Ok, Ok, Warning]),
        ];
        for (reading, expected) in cases {
            let states: Vec<State> = judge(&reading).iter().map(|finding| finding.state()).collect();
            assert_eq!(states, expected, "{reading:?}");
        }
    }

    #[test]
    fn trying_the_walls_leaves_none_behind() {
        let walls = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let of_walls = |line: &&str| line.starts_with("Seccomp") || line.starts_with("NoNewPrivs");
            status.lines().filter(of_walls).map(ToOwned::to_owned).collect::<Vec<String>>()
        };
        let before = walls();
        assert_eq!(findings().len(), 3);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "still allowed").unwrap();
        std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(walls(), before);
    }
}
