//! Attacks on the processor and the stack.

use crate::{Attack, Context};
use cofferdam_sdk::{Error, Result, Step};
use std::hint::black_box;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("loop", empty_loop),
    ("loop-with-host-calls", loop_with_host_calls),
    ("recurse", |_| recurse_forever()),
    ("recurse-indirectly", |_| recurse_indirectly()),
    ("recurse-with-huge-frames", |_| recurse_with_huge_frames()),
    ("sort-forever", sort_forever),
    ("panic", panic_deep),
    ("panic-in-drop", panic_in_drop),
    ("panic-while-panicking", panic_while_panicking),
    ("abort", |_| std::process::abort()),
    ("exit-success", |_| std::process::exit(0)),
    ("exit-failure", |_| std::process::exit(1)),
    ("unreachable", |_| core::arch::wasm32::unreachable()),
    ("bad-indirect-call", bad_indirect_call),
    ("busy-then-end", busy_then_end),
    ("return-bug", |_| Err(Error::bug("I am wrong"))),
    ("empty-pages-forever", empty_pages),
];

fn empty_loop(_: &Context) -> Result<Step> {
    loop {
        black_box(());
    }
}

fn loop_with_host_calls(_: &Context) -> Result<Step> {
    loop {
        black_box(std::time::Instant::now());
    }
}

#[expect(unconditional_recursion, reason = "that is the attack")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    recurse(frame[0] + 1) + frame[7]
}

fn recurse_forever() -> Result<Step> {
    black_box(recurse(0));
    Ok(Step::End)
}

fn recurse_indirectly() -> Result<Step> {
    fn even(depth: u64, other: fn(u64) -> u64) -> u64 {
        black_box(other)(depth + 1) + depth
    }
    fn odd(depth: u64) -> u64 {
        black_box(even as fn(u64, fn(u64) -> u64) -> u64)(depth + 1, odd) + depth
    }
    black_box(odd(0));
    Ok(Step::End)
}

fn recurse_with_huge_frames() -> Result<Step> {
    #[expect(unconditional_recursion, reason = "that is the attack")]
    fn huge(depth: u8) -> u8 {
        let frame = black_box([depth; 512 << 10]);
        huge(frame[usize::from(depth)]).wrapping_add(frame[1])
    }
    black_box(huge(0));
    Ok(Step::End)
}

fn sort_forever(_: &Context) -> Result<Step> {
    let mut values: Vec<u64> = (0..1 << 16).collect();
    loop {
        values.reverse();
        values.sort_by(|one, other| black_box(one.cmp(other)));
    }
}

/// Panics two functions deep, so that a backtrace has names to show.
fn panic_deep(_: &Context) -> Result<Step> {
    #[inline(never)]
    fn parse_cursor(text: &str) -> usize {
        let parts: Vec<&str> = text.split(',').collect();
        parts[black_box(7)].len()
    }
    black_box(parse_cursor(black_box("a,b,c")));
    Ok(Step::End)
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("dropped badly");
    }
}

fn panic_in_drop(_: &Context) -> Result<Step> {
    drop(PanicsInDrop);
    Ok(Step::End)
}

fn panic_while_panicking(_: &Context) -> Result<Step> {
    let _second = PanicsInDrop;
    panic!("the first of two");
}

fn bad_indirect_call(_: &Context) -> Result<Step> {
    let function: fn(u64, u64) -> u64 = unsafe { std::mem::transmute(black_box(empty_loop as *const ())) };
    black_box(function(1, 2));
    Ok(Step::End)
}

/// Uses about 100 ms of the processor and ends well.
fn busy_then_end(_: &Context) -> Result<Step> {
    let began = std::time::Instant::now();
    while began.elapsed().as_millis() < 100 {
        for value in 0..10_000_u32 {
            black_box(value);
        }
    }
    Ok(Step::End)
}

fn empty_pages(_: &Context) -> Result<Step> {
    Ok(Step::Page(crate::pages::empty()))
}
