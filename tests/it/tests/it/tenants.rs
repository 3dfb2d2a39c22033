//! What one connector leaves behind for the next in the same slot of the pool: nothing, in memory, tables and globals.

use crate::harness::{budget, open, target, tight};
use crate::hostile_wat::build::{Guest, component};
use runtime::{Component, Connection, Grants, Runtime, Settings, Source};
use serde_json::json;

/// Looks through all that it has for anything but zeros, and traps where it finds something; then it leaves its mark everywhere.
const LOOKS_AND_MARKS: &str = "
    (table $t 1000 funcref)
    (global $g (mut i64) (i64.const 0))
    (func $mark) (elem declare func $mark)
    (func $memory (param $at i32) (param $end i32)
        (loop $next
            (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
    (func $table (param $at i32)
        (loop $next
            (if (i32.eqz (ref.is_null (table.get $t (local.get $at)))) (then unreachable))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 1000)))))
    (func $looks
        (call $memory (i32.const 65536) (i32.const 0x400000))
        (if (i32.eq (memory.size) (i32.const 64)) (then (drop (memory.grow (i32.const 64)))))
        (call $memory (i32.const 0x400000) (i32.const 0x800000))
        (call $table (i32.const 0))
        (if (i64.ne (global.get $g) (i64.const 0)) (then unreachable)))
    (func $marks
        (memory.fill (i32.const 65536) (i32.const 0xc5) (i32.const 0x7f0000))
        (table.fill $t (i32.const 0) (ref.func $mark) (i32.const 1000))
        (global.set $g (i64.const 0xc5c5c5c5)))";

fn tenant(beside: &str) -> Vec<u8> {
    let next = "(call $looks) (call $marks) (i32.const 64)";
    let memory = "(memory (export \"memory\") 64)";
    component(&Guest { memory, module: LOOKS_AND_MARKS, next, beside: (beside, 1), ..Guest::default() })
}

fn source(component: &Component) -> Source {
    let grants = Grants { limits: tight(), ..Grants::none() };
    Source::new(Connection::new(component.clone(), &json!({}), grants).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn h52_a_slot_has_nothing_of_the_tenant_before_in_memory_tables_or_globals() {
    let mut settings = Settings::new(target().join("it-cache"));
    settings.live_instances = 1;
    let runtime = Runtime::new(settings).unwrap();
    let tenants = [
        runtime.load(tenant("(module)")).await.unwrap(),
        runtime.load(tenant("(module (memory 1))")).await.unwrap(),
    ];
    for turn in 0..10 {
        let mut reader = loop {
            // The one slot is given back a moment after its reader is gone.
            match open(&source(&tenants[turn % 2])).await {
                Ok(reader) => break reader,
                Err(failure) => assert_eq!(failure.code(), "CD0622", "{failure}"),
            }
            tokio::task::yield_now().await;
        };
        reader.next(budget()).await.unwrap_or_else(|failure| panic!("in turn {turn}: {failure}"));
        // It would have found something: its own marks are where it looks.
        assert_eq!(reader.next(budget()).await.unwrap_err().code(), "CD0610");
    }
}
