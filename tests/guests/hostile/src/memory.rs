//! Attacks on memory.

use crate::{Attack, Context};
use cofferdam_sdk::{Result, Step};
use std::hint::black_box;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("grow-at-once", grow_at_once),
    ("grow-by-pages", grow_by_pages),
    ("touch-everything", touch_everything),
    ("probe-allocations", probe_allocations),
    ("fill-in-a-loop", fill_in_a_loop),
    ("copy-in-a-loop", copy_in_a_loop),
    ("read-out-of-bounds", read_out_of_bounds),
    ("keep-global-state", keep_global_state),
    ("read-fresh-memory", read_fresh_memory),
];

fn grow_at_once(_: &Context) -> Result<Step> {
    core::arch::wasm32::memory_grow(0, 65_000);
    Ok(Step::End)
}

fn grow_by_pages(_: &Context) -> Result<Step> {
    while core::arch::wasm32::memory_grow(0, 1) != usize::MAX {}
    Ok(Step::End)
}

fn touch_everything(_: &Context) -> Result<Step> {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Asks again and again for what it cannot have.
fn probe_allocations(_: &Context) -> Result<Step> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(16 << 20).is_ok() {
            held.push(piece);
        }
    }
}

fn fill_in_a_loop(_: &Context) -> Result<Step> {
    let mut memory = vec![0_u8; 64 << 20];
    for value in (0..=u8::MAX).cycle() {
        memory.fill(black_box(value));
    }
    Ok(Step::End)
}

fn copy_in_a_loop(_: &Context) -> Result<Step> {
    let mut memory = vec![0_u8; 64 << 20];
    loop {
        memory.copy_within(0..32 << 20, 32 << 20);
        black_box(&mut memory);
    }
}

fn read_out_of_bounds(_: &Context) -> Result<Step> {
    let pointer = black_box(0xf000_0000_usize) as *const u8;
    // Past the end of any memory that this instance may have.
    let value = unsafe { pointer.read_volatile() };
    black_box(value);
    Ok(Step::End)
}

/// Says how often it was called in this memory: more than once means that memory outlived an instance.
fn keep_global_state(_: &Context) -> Result<Step> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static CALLS: AtomicU32 = AtomicU32::new(0);
    log::info!("calls {}", CALLS.fetch_add(1, Ordering::Relaxed) + 1);
    Ok(Step::End)
}

/// Looks through memory that it never wrote for anything but zeros, then leaves a mark for the next instance.
fn read_fresh_memory(_: &Context) -> Result<Step> {
    let pages = 256;
    let start = core::arch::wasm32::memory_grow(0, pages) * 65_536;
    let memory = unsafe { std::slice::from_raw_parts_mut(start as *mut u8, pages * 65_536) };
    let foreign = memory.iter().filter(|byte| **byte != 0).count();
    memory.fill(0xc5);
    log::info!("foreign bytes {foreign}");
    Ok(Step::End)
}
