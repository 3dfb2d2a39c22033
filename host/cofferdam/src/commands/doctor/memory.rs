//! Memory: what the machine and the group of this process have.

use runtime::Limits;

use super::cgroup;
use super::finding::{Finding, Topic::Memory};
use super::small;
use crate::units;

/// What a process has beside its guests: measured, compiling a component of 2.6 MB included.
const HOST_BYTES: u64 = 150 << 20;
/// Both ends of a sync.
const INSTANCES: u64 = 2;

#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Of the machine, that can be had without taking it from others; none: it does not say.
    available_bytes: Option<u64>,
    /// Of the group; none: as much as the machine has.
    group_bytes: Option<u64>,
    /// What an instance may have where its manifest asks for nothing else.
    instance_bytes: u64,
}

pub(super) fn findings() -> Vec<Finding> {
    let machine = small::text("/proc/meminfo").unwrap_or_default();
    let reading = Reading {
        available_bytes: kib(&machine, "MemAvailable"),
        group_bytes: cgroup::least("memory", &["memory.max", "memory.high", "memory.limit_in_bytes"]),
        instance_bytes: Limits::defaults().get("memory_bytes").unwrap_or_default(),
    };
    vec![judge(reading)]
}

fn kib(text: &str, name: &str) -> Option<u64> {
    small::field(text, name)?.strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn judge(reading: Reading) -> Finding {
    let (bytes, whose) = match (reading.available_bytes, reading.group_bytes) {
        (None, None) => return Finding::ok(Memory, "the system does not say how much there is"),
        (Some(machine), Some(group)) if group < machine => (group, "the group of this process may have"),
        (None, Some(group)) => (group, "the group of this process may have"),
        (Some(machine), _) => (machine, "the machine has free"),
    };
    let seen = format!("{} of memory are what {whose}", units::bytes(bytes));
    let sync_bytes = HOST_BYTES.saturating_add(reading.instance_bytes.saturating_mul(INSTANCES));
    let fix = "give the machine or its group more (`MemoryMax=` in the unit, `--memory` of the container), or the \
               connectors less (`memory_bytes` under `limits` in the sync)";
    if bytes < HOST_BYTES {
        let why = format!("compiling a component takes up to {}", units::bytes(HOST_BYTES));
        return Finding::fault(Memory, seen, &why, fix);
    }
    if bytes < sync_bytes {
        let why = format!(
            "a sync whose two connectors use all that they may, {} each, takes up to {}",
            units::bytes(reading.instance_bytes),
            units::bytes(sync_bytes)
        );
        return Finding::warning(Memory, seen, &why, fix);
    }
    Finding::ok(Memory, seen)
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::{Reading, judge, kib};

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_lesser_of_machine_and_group_counts() {
        let cases = [
            (None, None, State::Ok, "does not say"),
            (Some(4096), None, State::Ok, "4.0 GiB of memory are what the machine has free"),
            (Some(4096), Some(8192), State::Ok, "the machine has"),
            (Some(4096), Some(661), State::Warning, "661.0 MiB of memory are what the group"),
            (Some(4096), Some(662), State::Ok, "the group"),
            (None, Some(149), State::Fault, "the group"),
            (Some(150), None, State::Warning, "256.0 MiB each, takes up to 662.0 MiB"),
        ];
        for (machine, group, state, said) in cases {
            let reading = Reading {
                available_bytes: machine.map(|mib: u64| mib * MIB),
                group_bytes: group.map(|mib: u64| mib * MIB),
                instance_bytes: 256 * MIB,
            };
            let finding = judge(reading);
            assert_eq!(finding.state(), state, "{reading:?}");
            assert!(finding.text().contains(said), "{}", finding.text());
        }
    }

    #[test]
    fn amounts_of_the_machine_are_in_kib() {
        assert_eq!(kib("MemTotal: 8 kB\nMemAvailable:   2 kB\n", "MemAvailable"), Some(2048));
        assert_eq!(kib("MemAvailable: many\n", "MemAvailable"), None);
    }
}
