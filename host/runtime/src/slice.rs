//! How soon the system takes the processor from a thread that computes, when another one wakes.

/// Beside a thread that wakes, one that computes goes on until its slice is over, unless its slice is due later than that of the other.
/// So this is longer than what threads have by themselves: 0.7 ms to 3, by the version of Linux and the number of processors (of
/// `sched_runtime`, from 6.12 on; others pass it over). It is hardly longer, since a thread that yields gives up what is left of it: with
/// 100 ms, beside threads of others that compute without end, long calls got next to nothing.
const BEHIND_NS: u64 = 4_000_000;
/// A thread that has had more than its share does not get the processor when it wakes, whatever its slice is, until the others have caught
/// up. The less a thread weighs the sooner it does. This makes it weigh a tenth: beside one of another program it has that much, where
/// the two are not in groups of their own (`cpu.weight`), and beside none all that there is.
const NICER: i32 = 10;
/// The least that Linux knows: due before all others, so that nothing keeps the thread from its turn.
const BEFORE_NS: u64 = 100_000;

/// From here on this thread goes behind every other that wakes.
pub(crate) fn go_behind_others() {
    #[cfg(target_os = "linux")]
    linux::have(NICER, BEHIND_NS);
}

/// From here on this thread goes before every other whenever it wakes, as long as it hardly does anything.
pub(crate) fn go_before_others() {
    #[cfg(target_os = "linux")]
    linux::have(0, BEFORE_NS);
}

#[cfg(target_os = "linux")]
mod linux {
    /// The nicest that a thread can be.
    pub(super) const NICEST: i32 = 19;

    /// Be nicer than the process by so much, with slices of so long. Where the system has no such thing, or does not allow it, all threads
    /// are alike.
    #[expect(unsafe_code, reason = "a call of the system that no crate offers in safe clothes")]
    pub(super) fn have(nicer: i32, slice_ns: u64) {
        let Ok(nice) = rustix::process::getpriority_process(None) else { return };
        let wanted = libc::sched_attr {
            size: size_of::<libc::sched_attr>().try_into().unwrap_or(u32::MAX),
            sched_policy: libc::SCHED_OTHER.try_into().unwrap_or_default(),
            sched_flags: 0,
            sched_nice: (nice + nicer).min(NICEST),
            sched_priority: 0,
            sched_runtime: slice_ns,
            sched_deadline: 0,
            sched_period: 0,
        };
        // SAFETY: reads `wanted`, which is as long as it says, and writes nothing of ours (sched_setattr(2)). 0: the calling thread.
        unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod tests {
    use super::linux::NICEST;
    use super::{BEFORE_NS, BEHIND_NS, NICER, go_before_others, go_behind_others};
    use std::fs::read_to_string;

    /// What the system has written down of a thread.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub(crate) struct Scheduled {
        nice: i32,
        /// In nanoseconds, where the system says so.
        slice: Option<f64>,
    }

    impl Scheduled {
        /// This thread.
        pub(crate) fn now() -> Self {
            let figures = read_to_string("/proc/thread-self/stat").unwrap();
            let (_, behind_the_name) = figures.rsplit_once(')').unwrap();
            Self {
                nice: behind_the_name.split_whitespace().nth(16).unwrap().parse().unwrap(),
                slice: slice(),
            }
        }

        /// As a thread of this kind that goes behind others.
        pub(crate) fn behind_others(self) -> Self {
            Self { nice: (self.nice + NICER).min(NICEST), slice: self.with(BEHIND_NS) }
        }

        fn before_others(self) -> Self {
            Self { slice: self.with(BEFORE_NS), ..self }
        }

        /// Some systems show slices, and take none that is asked for.
        fn with(self, slice_ns: u64) -> Option<f64> {
            let release = read_to_string("/proc/sys/kernel/osrelease").unwrap();
            let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
            let takes_slices = (numbers.next(), numbers.next()) >= (Some(6), Some(12));
            self.slice.map(|own| if takes_slices { slice_ns as f64 } else { own })
        }
    }

    fn slice() -> Option<f64> {
        let figures = read_to_string("/proc/thread-self/sched").ok()?;
        let (_, slice) = figures.lines().find(|line| line.starts_with("se.slice"))?.split_once(':')?;
        slice.trim().parse().ok()
    }

    /// On a thread of its own, after this.
    fn after(change: fn()) -> Scheduled {
        let on_it = move || {
            change();
            Scheduled::now()
        };
        std::thread::spawn(on_it).join().unwrap()
    }

    #[test]
    fn a_thread_is_nice_and_has_its_slice_and_no_other_thread_has() {
        let own = Scheduled::now();
        assert_eq!(after(go_behind_others), own.behind_others());
        assert_eq!(after(go_before_others), own.before_others());
        assert_eq!(after(|| {}), own);
        assert_eq!(Scheduled::now(), own);
    }
}
