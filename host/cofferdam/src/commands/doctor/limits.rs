//! Limits of the system on one process.

use rustix::process::{Resource, getrlimit};

use super::cgroup;
use super::finding::{Finding, Topic::Limits};
use crate::host::LIVE_INSTANCES;
use crate::units::{bytes, count};

/// One connector may have a thousand handles, each of which may be a file or a connection.
const FILES_MIN: u64 = 1_000;
/// Both ends of a sync and what stands between them, with the files of storage.
const FILES_WANTED: u64 = 8 << 10;
/// The host's own threads and those of guests, with room for those that compile.
const TASKS_WANTED: u64 = 256;
/// The pool of a command's connectors reserves 1.01 TiB, which it never fills.
const ADDRESS_BYTES_WANTED: u64 = 2 << 40;
/// Storage and connectors write files of that size.
const FILE_BYTES_WANTED: u64 = 1 << 30;

/// None everywhere: no limit.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// What cofferdam may raise its limit to, which it does.
    open_files: Option<u64>,
    address_bytes: Option<u64>,
    file_bytes: Option<u64>,
    /// Processes and threads of the group.
    tasks: Option<u64>,
    /// By the memory maps that one process may have.
    instances: usize,
}

pub(super) fn findings() -> Vec<Finding> {
    judge(Reading {
        open_files: getrlimit(Resource::Nofile).maximum,
        address_bytes: getrlimit(Resource::As).current,
        file_bytes: getrlimit(Resource::Fsize).current,
        tasks: cgroup::least("pids", &["pids.max"]),
        instances: runtime::instances_allowed(),
    })
}

fn judge(reading: Reading) -> Vec<Finding> {
    let Reading { open_files, address_bytes, file_bytes, tasks, instances } = reading;
    let bad = [
        open_files.and_then(judge_open_files),
        address_bytes.and_then(judge_addresses),
        file_bytes.and_then(judge_file_size),
        tasks.and_then(judge_tasks),
        judge_instances(instances),
    ];
    let bad: Vec<Finding> = bad.into_iter().flatten().collect();
    if !bad.is_empty() {
        return bad;
    }
    let files = open_files.map_or("any number of".to_owned(), count);
    vec![Finding::ok(
        Limits,
        format!("{files} open files, {} connectors at one time", count(instances as u64)),
    )]
}

fn judge_open_files(files: u64) -> Option<Finding> {
    let seen = format!("a process may have {} open files at most", count(files));
    let why = "one connector alone may have 1,000, and storage and connections to servers need theirs";
    let fix = format!(
        "`LimitNOFILE={FILES_WANTED}` in the unit, `--ulimit nofile={FILES_WANTED}` of the container, or `nofile` in \
         /etc/security/limits.conf"
    );
    match files {
        ..FILES_MIN => Some(Finding::fault(Limits, seen, why, fix)),
        FILES_MIN..FILES_WANTED => Some(Finding::warning(Limits, seen, why, fix)),
        _ => None,
    }
}

fn judge_addresses(addresses: u64) -> Option<Finding> {
    (addresses < ADDRESS_BYTES_WANTED).then(|| {
        Finding::warning(
            Limits,
            format!("a process may have addresses for {} at most", bytes(addresses)),
            "the engine has no room for its pool of memories then, and makes one for each connector anew, which is slower",
            "`ulimit -v unlimited`, or leave `LimitAS=` out of the unit; `MemoryMax=` limits what is really used",
        )
    })
}

fn judge_file_size(file_bytes: u64) -> Option<Finding> {
    (file_bytes < FILE_BYTES_WANTED).then(|| {
        Finding::warning(
            Limits,
            format!("a file may have {} at most", bytes(file_bytes)),
            "the database, backups and what connectors write grow beyond that",
            "`ulimit -f unlimited`, or leave `LimitFSIZE=` out of the unit",
        )
    })
}

fn judge_tasks(tasks: u64) -> Option<Finding> {
    (tasks < TASKS_WANTED).then(|| {
        Finding::warning(
            Limits,
            format!("the group of this process may have {} processes and threads at most", count(tasks)),
            "connectors run on threads of their own, and compiling takes one for each processor",
            format!(
                "`TasksMax={TASKS_WANTED}` in the unit, or `--pids-limit {TASKS_WANTED}` of the container"
            ),
        )
    })
}

fn judge_instances(instances: usize) -> Option<Finding> {
    (instances < LIVE_INSTANCES).then(|| {
        Finding::warning(
            Limits,
            format!("memory maps are enough for {} connectors at one time", count(instances as u64)),
            "connectors beyond that wait for others to end",
            "`sysctl -w vm.max_map_count=65530`, kept in a file below /etc/sysctl.d",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::{Reading, judge};

    const FREE: Reading =
        Reading { open_files: None, address_bytes: None, file_bytes: None, tasks: None, instances: 9_588 };

    #[test]
    fn each_limit_is_judged_by_what_is_needed_of_it() {
        let cases = [
            (FREE, State::Ok, "any number of open files, 9,588 connectors"),
            (Reading { open_files: Some(8_192), ..FREE }, State::Ok, "8,192 open files"),
            (Reading { open_files: Some(8_191), ..FREE }, State::Warning, "LimitNOFILE=8192"),
            (Reading { open_files: Some(999), ..FREE }, State::Fault, "999 open files at most"),
            (Reading { address_bytes: Some(2 << 40), ..FREE }, State::Ok, ""),
            (Reading { address_bytes: Some(8 << 30), ..FREE }, State::Warning, "8.0 GiB"),
            (Reading { file_bytes: Some(1 << 30), ..FREE }, State::Ok, ""),
            (Reading { file_bytes: Some(1 << 20), ..FREE }, State::Warning, "1.0 MiB"),
            (Reading { tasks: Some(256), ..FREE }, State::Ok, ""),
            (Reading { tasks: Some(255), ..FREE }, State::Warning, "TasksMax=256"),
            (Reading { instances: 64, ..FREE }, State::Ok, "64 connectors"),
            (Reading { instances: 63, ..FREE }, State::Warning, "vm.max_map_count"),
        ];
        for (reading, state, said) in cases {
            let findings = judge(reading);
            assert_eq!(findings.len(), 1, "{reading:?}");
            assert_eq!(findings[0].state(), state, "{reading:?}");
            assert!(findings[0].text().contains(said), "{}", findings[0].text());
        }
    }

    #[test]
    fn all_that_is_too_low_is_told_at_once() {
        let low =
            Reading { open_files: Some(64), address_bytes: Some(1), tasks: Some(1), instances: 1, ..FREE };
        assert_eq!(judge(low).len(), 4);
    }
}
