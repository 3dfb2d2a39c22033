//! Memory that was freed, and that the C library keeps for later use: given back to the system instead.
//!
//! Each thread has an arena of its own, and one that was full once stays as large. Rows are allocated on guests' threads and
//! freed on the host's, and the compiler runs on threads that never allocate again, so that nobody uses what is kept.

/// Blocks of at least so many bytes have pages of their own, which go with them. The C library begins with the same value, and
/// raises it to that of the largest block that was ever freed. Most columns of a
/// full page are larger, and nearly all else in a run is smaller.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BYTES: std::ffi::c_int = 128 << 10;

/// Lets each large block go when it is freed, from here on.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library that no crate offers in safe clothes")]
pub(crate) fn let_large_blocks_go() {
    // SAFETY: takes no pointer, and may be called by any thread at any time (mallopt(3)). A refusal leaves things as they are.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES) };
}

/// Gives back what is free in all arenas. What a process holds beyond that is in use.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library that no crate offers in safe clothes")]
pub fn give_back_freed_memory() {
    // SAFETY: takes no pointer, and may be called by any thread at any time (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators do it by themselves, or cannot be asked.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn let_large_blocks_go() {}

/// Other allocators do it by themselves, or cannot be asked.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back_freed_memory() {}
