//! How soon the system takes the processor from a thread that computes, when another one wakes.

/// Beside a thread that wakes, one that computes goes on until its slice is over, unless its slice is due later than that of the other.
/// So this is longer than what threads have by themselves: 0.7 ms to 3, by the version of Linux and the number of processors (of
/// `sched_runtime`, from 6.12 on; others pass it over). It is hardly longer, since a thread that yields gives up what is left of it: with
/// 100 ms, beside threads of others that compute without end, long calls got next to nothing.
#[cfg(target_os = "linux")]
const SLICE_NS: u64 = 4_000_000;

/// From here on this thread goes behind every other that wakes and has had less than its share. Where the system has no such thing,
/// or does not allow it, all threads are alike.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a call of the system that no crate offers in safe clothes")]
pub(crate) fn behind_those_that_wake() {
    let Ok(nice) = rustix::process::getpriority_process(None) else { return };
    let wanted = libc::sched_attr {
        size: size_of::<libc::sched_attr>().try_into().unwrap_or(u32::MAX),
        sched_policy: libc::SCHED_OTHER.try_into().unwrap_or_default(),
        sched_flags: 0,
        sched_nice: nice,
        sched_priority: 0,
        sched_runtime: SLICE_NS,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: reads `wanted`, which is as long as it says, and writes nothing of ours (sched_setattr(2)). 0: the calling thread.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
}

/// Other systems have no such thing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn behind_those_that_wake() {}
