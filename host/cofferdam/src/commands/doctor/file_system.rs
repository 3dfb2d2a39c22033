//! File systems: whether what was made durable is there after the power was cut, or the container is gone.

use std::path::Path;
use std::time::Duration;

use super::finding::{Finding, Topic::FileSystem};

/// Ten commits a second are too few for whoever watches a run; a disk that turns makes a hundred.
const SYNC_MAX: Duration = Duration::from_millis(100);

/// By the number that Linux gives (`statfs`, `include/uapi/linux/magic.h`).
const KNOWN: [(u64, &str, Kind); 18] = [
    (0xef53, "ext4", Kind::Disk),
    (0x5846_5342, "xfs", Kind::Disk),
    (0x9123_683e, "btrfs", Kind::Disk),
    (0x2fc1_2fc1, "zfs", Kind::Disk),
    (0xf2f5_2010, "f2fs", Kind::Disk),
    (0xca45_1a4e, "bcachefs", Kind::Disk),
    (0x0102_1994, "tmpfs", Kind::Memory),
    (0x8584_58f6, "ramfs", Kind::Memory),
    (0x794c_7630, "overlayfs", Kind::Layer),
    (0x6969, "nfs", Kind::Network),
    (0xff53_4d42, "cifs", Kind::Network),
    (0xfe53_4d42, "smb", Kind::Network),
    (0x517b, "smb", Kind::Network),
    (0x00c3_6400, "ceph", Kind::Network),
    (0x5346_414f, "afs", Kind::Network),
    (0x0102_1997, "9p", Kind::Network),
    (0x6573_5546, "fuse", Kind::Program),
    (0x4d44, "vfat", Kind::Simple),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Disk,
    Memory,
    Layer,
    Network,
    Program,
    Simple,
    Unknown,
}

/// Of the file system of the data directory.
pub(super) fn judge(path: &Path, number: u64, sync: Duration) -> Finding {
    // The number has 32 bits; where it is a signed one of that size, others stand above it.
    let number = number & 0xffff_ffff;
    let known = KNOWN.iter().find(|(known, ..)| *known == number);
    let (name, kind) =
        known.map_or((format!("{number:#x}"), Kind::Unknown), |(_, name, kind)| ((*name).to_owned(), *kind));
    let place = format!("`{}` is on {name}", path.display());
    let why = match kind {
        Kind::Disk => return by_time(&place, sync),
        Kind::Memory => "it is gone when the machine starts anew, and so is all that was kept",
        Kind::Layer => "the layer of a container goes with the container, and so does all that was kept",
        Kind::Network => {
            "what is made durable there depends on the server; locks and syncs of some are not kept"
        }
        Kind::Program => "what is made durable there depends on the program behind it",
        Kind::Simple => {
            "it has no owners of files and no journal, so a power cut may take more than the last write"
        }
        Kind::Unknown => "cofferdam does not know whether it keeps what was made durable",
    };
    let fix = match kind {
        Kind::Layer => "mount a volume there, or name a directory on one with `--data DIR`",
        _ => "name a directory on a local disk (ext4, xfs, btrfs or zfs) with `--data DIR`",
    };
    Finding::warning(FileSystem, place, why, fix)
}

fn by_time(place: &str, sync: Duration) -> Finding {
    let seen = format!("{place}, where a write is durable after {:.1} ms", sync.as_secs_f64() * 1_000.0);
    if sync <= SYNC_MAX {
        return Finding::ok(FileSystem, seen);
    }
    Finding::warning(
        FileSystem,
        seen,
        "each commit waits for it",
        "put the data directory on a faster disk, or end what keeps this one busy: `iostat -x 1` shows it",
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::super::finding::State;
    use super::{KNOWN, Kind, judge};

    const QUICK: Duration = Duration::from_millis(2);

    #[test]
    fn only_disks_of_this_machine_are_trusted() {
        for (number, name, kind) in KNOWN {
            let finding = judge(Path::new("data"), number, QUICK);
            assert_eq!(finding.state() == State::Ok, kind == Kind::Disk, "{name}");
            assert!(finding.text().contains(&format!("`data` is on {name}")), "{}", finding.text());
        }
        assert_eq!(judge(Path::new("data"), 7, QUICK).state(), State::Warning);
        // As a signed number of 32 bits becomes one of 64.
        assert_eq!(judge(Path::new("data"), 0xffff_ffff_9123_683e, QUICK).state(), State::Ok);
    }

    #[test]
    fn a_disk_that_takes_long_is_warned_of() {
        assert_eq!(judge(Path::new("data"), 0xef53, Duration::from_millis(100)).state(), State::Ok);
        let slow = judge(Path::new("data"), 0xef53, Duration::from_millis(101));
        assert_eq!(slow.state(), State::Warning);
        assert!(slow.text().contains("durable after 101.0 ms"), "{}", slow.text());
    }
}
