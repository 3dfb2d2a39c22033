//! Seccomp: the system calls that a worker makes, by name, and no others. What is not on the list fails as if the kernel did
//! not have it, and libraries go another way or say so.

use super::Wall;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;

/// For threads, memory, time and the one socket, whatever a guest does.
const ALWAYS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    // Images of memories that instances share; nothing can be run out of one.
    libc::SYS_memfd_create,
    libc::SYS_mincore,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Older names of some of them.
#[cfg(target_arch = "x86_64")]
const OLDER: &[i64] = &[libc::SYS_epoll_wait, libc::SYS_poll];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];

/// For files, where a directory was granted; without one a worker cannot so much as open a file.
const FILES: &[i64] = &[
    libc::SYS_copy_file_range,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_getdents64,
    libc::SYS_linkat,
    libc::SYS_mkdirat,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_readlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_statx,
    libc::SYS_symlinkat,
    libc::SYS_sync_file_range,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
];

pub(super) fn raise(has_directories: bool) -> Wall {
    let filter = match filter(has_directories) {
        Ok(filter) => filter,
        Err(error) => return Wall::Missing(error.to_string()),
    };
    match seccompiler::apply_filter(&filter) {
        Ok(()) => Wall::Holds,
        Err(error) => Wall::Missing(error.to_string()),
    }
}

fn filter(has_directories: bool) -> Result<BpfProgram, BackendError> {
    let files = if has_directories { FILES } else { &[] };
    let free = ALWAYS.iter().chain(OLDER).chain(files).map(|number| (*number, Vec::new()));
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = free.collect();
    rules.extend(bound()?);
    let refused = u32::try_from(libc::ENOSYS).map_or(SeccompAction::KillProcess, SeccompAction::Errno);
    let target = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, refused, SeccompAction::Allow, target)?.try_into()
}

/// Those of which one use is needed, and others would be a way out.
fn bound() -> Result<Vec<(i64, Vec<SeccompRule>)>, BackendError> {
    let wide = SeccompCmpArgLen::Qword;
    let number = |value: i64| u64::try_from(value).unwrap_or(u64::MAX);
    let equal = |argument: u8, value: i64| only(argument, SeccompCmpOp::Eq, number(value));
    let threads = number(libc::CLONE_THREAD.into());
    let own = SeccompCondition::new(0, wide.clone(), SeccompCmpOp::Eq, u64::from(std::process::id()))?;
    // Of 64 bits: nothing is read where a new limit would stand.
    let no_limit = SeccompCondition::new(2, wide, SeccompCmpOp::Eq, 0)?;
    let this_thread =
        |argument| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0);
    Ok(vec![
        // Threads and no processes. `clone3` hides its flags from us, so there is none of it.
        (libc::SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(threads), threads)?]),
        (libc::SYS_ioctl, vec![equal(1, ioctl(libc::FIONBIO))?, equal(1, ioctl(libc::FIOCLEX))?]),
        (libc::SYS_prctl, vec![equal(0, libc::PR_SET_NAME.into())?]),
        (libc::SYS_prlimit64, vec![SeccompRule::new(vec![no_limit])?]),
        // A thread of long calls goes behind others, and the clock's before them; no other thread is to be touched. `PRIO_PROCESS` is 0 as well.
        (libc::SYS_getpriority, vec![SeccompRule::new(vec![this_thread(0)?, this_thread(1)?])?]),
        (libc::SYS_sched_setattr, vec![SeccompRule::new(vec![this_thread(0)?])?]),
        // The pair by which signals come to the threads that wait for them.
        (libc::SYS_socketpair, vec![equal(0, libc::AF_UNIX.into())?]),
        // An abort ends this process, and the clock interrupts its threads: of no other.
        (libc::SYS_tgkill, vec![SeccompRule::new(vec![own])?]),
    ])
}

#[expect(clippy::useless_conversion, reason = "the type differs between C libraries")]
fn ioctl(request: libc::c_ulong) -> i64 {
    i64::try_from(u64::from(request)).unwrap_or(i64::MAX)
}

fn only(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?])
}
