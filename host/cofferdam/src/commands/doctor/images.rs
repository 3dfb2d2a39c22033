//! Images of memory: secrets that are placed lie in it, so none may be written when a process crashes.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

use super::finding::{Finding, Topic::Images};
use super::small;
use crate::text::plain_line;

/// It is told the limit, and keeps nothing where that is zero.
const HEEDS: &str = "systemd-coredump";

pub(super) fn findings() -> Vec<Finding> {
    let limit = getrlimit(Resource::Core).current;
    let pattern = small::text("/proc/sys/kernel/core_pattern").unwrap_or_default();
    vec![judge(limit, &pattern)]
}

/// By the limit that this process has set for itself, and by what the kernel does with images.
fn judge(limit: Option<u64>, pattern: &str) -> Finding {
    if limit != Some(0) {
        return Finding::fault(
            Images,
            "cofferdam could not forbid images of its memory",
            "a crash would leave secrets in a file",
            "start it with `ulimit -c 0`, or `LimitCORE=0` in the unit",
        );
    }
    let Some(command) = pattern.strip_prefix('|') else {
        return Finding::ok(Images, "none is written when cofferdam crashes");
    };
    let program = command.split_whitespace().next().unwrap_or_default();
    if Path::new(program).file_name().is_some_and(|name| name == HEEDS) {
        return Finding::ok(
            Images,
            format!("none is kept when cofferdam crashes: `{HEEDS}` heeds its limit"),
        );
    }
    Finding::warning(
        Images,
        format!("the kernel hands images of memory to `{}`", plain_line(program)),
        "for a program that takes them the kernel does not heed the limit by which cofferdam forbids them: a crash would \
         hand secrets over",
        "`sysctl -w kernel.core_pattern=core`, kept in a file below /etc/sysctl.d; or see that the program keeps none whose \
         limit is zero",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::judge;

    #[test]
    fn a_program_that_takes_images_is_warned_of_unless_it_heeds_the_limit() {
        let cases = [
            (Some(0), "core", State::Ok),
            (Some(0), "", State::Ok),
            (Some(0), "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h", State::Ok),
            (Some(0), "|/usr/share/apport/apport -p%p -s%s -c%c", State::Warning),
            (Some(0), "|", State::Warning),
            (None, "core", State::Fault),
            (Some(1), "core", State::Fault),
        ];
        for (limit, pattern, state) in cases {
            assert_eq!(judge(limit, pattern).state(), state, "{limit:?} {pattern}");
        }
    }
}
