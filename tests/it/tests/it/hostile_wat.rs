//! Hostile components that no compiler of ours would make: broken allocators, values that are none, handles of nobody, too
//! much of everything at the start. Each ends in a typed failure, or does no harm, and a neighbour works right after it.

pub(crate) mod build;

use crate::harness::{budget, neighbour_works, read_of, runtime, schema_of, tight};
use crate::oracle::Expect::{Contract, Limit, Trap};
use crate::oracle::{Attack, By, suffers};
use build::{Guest, component};
use pipeline::connector::Source as _;
use pipeline::failure::Failure;
use pipeline::model::{Operations, Page, Step};
use runtime::{Connection, Error, Grants, Limits, Source};
use serde_json::json;
use wit_component::StringEncoding;

/// Make a pollable, which no connector made.
const STOP: &str = r#"
    (import "cofferdam:connector/run@0.1.0" "subscribe-stop" (func $pollable (result i32)))
    (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop_pollable (param i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))"#;

/// Read from standard input, which is empty, and wait for it.
const STDIN: &str = r#"
    (import "wasi:cli/stdin@0.2.12" "get-stdin" (func $stdin (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.subscribe" (func $subscribe (param i32) (result i32)))
    (import "wasi:io/streams@0.2.12" "[resource-drop]input-stream" (func $drop_stream (param i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))"#;

/// Make a request, and its body, which belongs to it.
const REQUEST: &str = r#"
    (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.body" (func $body (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]outgoing-request" (func $drop_request (param i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-body.write" (func $write (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]outgoing-body" (func $drop_body (param i32)))"#;

/// Write to standard output.
const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))"#;

/// 64 MiB.
const LARGE: &str = "(memory (export \"memory\") 1024)";

/// Log nothing.
const LOG: &str = r#"
    (import "cofferdam:connector/logging@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))"#;

async fn source(guest: &Guest<'_>) -> Source {
    source_with(guest, tight()).await
}

pub(crate) async fn source_with(guest: &Guest<'_>, limits: Limits) -> Source {
    let component = runtime().load(component(guest)).await.unwrap();
    let grants = Grants { limits, ..Grants::none() };
    Source::new(Connection::new(component, &json!({}), grants).unwrap()).unwrap()
}

/// Open its reader and call `next` once.
async fn read(guest: &Guest<'_>) -> Result<Step, Failure> {
    source(guest).await.open(read_of(schema_of("rows"))).await?.next(budget()).await
}

/// One test for each line: what is replaced, and what reading must come to.
macro_rules! reading {
    ($($test:ident: $($field:ident = $text:expr),+ => $expect:expr;)*) => {
        /// All of them.
        pub(crate) fn attacks() -> Vec<Attack> {
            vec![$({
                let guest = Guest { $($field: $text,)+ ..Guest::default() };
                Attack { test: stringify!($test), by: By::HandMade(guest), expect: $expect }
            }),*]
        }

        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let guest = Guest { $($field: $text,)+ ..Guest::default() };
            suffers(&Attack { test: stringify!($test), by: By::HandMade(guest), expect: $expect }).await;
        })*
    };
}

reading! {
    h10_realloc_answers_an_address_out_of_bounds: realloc = "(i32.const 0x7fffff00)"
        => Contract("realloc return: beyond end of memory");
    h10_realloc_answers_the_last_address: realloc = "(i32.const -1)"
        => Contract("realloc return");
    h10_realloc_answers_an_unaligned_address: realloc = "(i32.const 4097)"
        => Contract("realloc return: result not aligned");
    h11_realloc_calls_the_host: imports = LOG,
        realloc = "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 4096)"
        => Trap("cannot leave component instance");
    h12_realloc_never_returns: realloc = "(loop br 0) (i32.const 0)"
        => Limit("cpu_ms");
    h13_realloc_traps: realloc = "unreachable"
        => Trap("aborted without a message");
    h16_start_never_ends: module = "(func $start (loop br 0)) (start $start)"
        => Limit("cpu_ms");
    h16_start_traps: module = "(func $start unreachable) (start $start)"
        => Trap("aborted without a message");
    h16_start_calls_the_host: imports = LOG, module = "(func $start
            (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))) (start $start)"
        => Trap("uninitialized element");
    h03_data_beyond_the_memory: module = "(data (i32.const 131072) \"x\")"
        => Trap("outside of its memory");
    h08_table_grows_to_the_end: module = "(table $t 0 funcref)
            (func $start (drop (table.grow $t (ref.null func) (i32.const -1)))) (start $start)"
        => Limit("table_elements");
    h40_checkpoint_out_of_bounds: next = "(i32.store8 (i32.const 92) (i32.const 1))
            (i32.store (i32.const 96) (i32.const 0xfffffff0)) (i32.store (i32.const 100) (i32.const 8)) (i32.const 64)"
        => Contract("out of bounds");
    h40_checkpoint_of_four_gibibytes: next = "(i32.store8 (i32.const 92) (i32.const 1))
            (i32.store (i32.const 100) (i32.const -1)) (i32.const 64)"
        => Contract("out of bounds");
    h40_checkpoint_that_is_not_utf8: next = "(i32.store8 (i32.const 92) (i32.const 1))
            (i32.store8 (i32.const 200) (i32.const 0xff)) (i32.store (i32.const 96) (i32.const 200))
            (i32.store (i32.const 100) (i32.const 1)) (i32.const 64)"
        => Contract("utf-8");
    h40_checkpoint_that_is_a_lone_surrogate: next = "(i32.store8 (i32.const 92) (i32.const 1))
            (i32.store (i32.const 200) (i32.const 0x80a0ed)) (i32.store (i32.const 96) (i32.const 200))
            (i32.store (i32.const 100) (i32.const 3)) (i32.const 64)"
        => Contract("utf-8");
    h41_as_many_batches_as_a_number_holds: next = "(i32.store (i32.const 80) (i32.const -1)) (i32.const 64)"
        => Contract("out of bounds");
    h40_batches_at_an_odd_address: next = "(i32.store (i32.const 76) (i32.const 201))
            (i32.store (i32.const 80) (i32.const 1)) (i32.const 64)"
        => Contract("not aligned");
    h40_a_result_out_of_bounds: next = "(i32.const -8)"
        => Contract("pointer");
    h40_a_result_at_an_odd_address: next = "(i32.const 65)"
        => Contract("not aligned");
    h42_a_result_that_is_neither: next = "(i32.store8 (i32.const 64) (i32.const 2)) (i32.const 64)"
        => Contract("discriminant");
    h42_a_step_that_is_none: next = "(i32.store8 (i32.const 72) (i32.const 4)) (i32.const 64)"
        => Contract("discriminant");
    h42_an_error_that_is_none: next = "(i32.store8 (i32.const 64) (i32.const 1))
            (i32.store8 (i32.const 72) (i32.const 7)) (i32.const 64)"
        => Contract("discriminant");
    h42_an_option_that_is_neither: next = "(i32.store8 (i32.const 92) (i32.const 255)) (i32.const 64)"
        => Contract("discriminant");
    h33_a_reader_that_was_never_made: open = "(i32.store (i32.const 136) (i32.const 9)) (i32.const 128)"
        => Contract("handle");
    h33_a_reader_that_is_a_pollable: imports = STOP,
        open = "(i32.store (i32.const 136) (call $pollable)) (i32.const 128)"
        => Contract("handle");
    h33_a_reader_that_was_dropped: open = "(i32.store (i32.const 136) (call $new (i32.const 7)))
            (call $drop (i32.load (i32.const 136))) (i32.const 128)"
        => Contract("handle");
    h33_drops_what_it_gave_away: next = "(call $drop (i32.const 1)) (i32.const 64)"
        => Contract("handle");
    h33_drops_a_pollable_twice: imports = STOP, module = "(global $p (mut i32) (i32.const 0))",
        next = "(global.set $p (call $pollable)) (call $drop_pollable (global.get $p))
            (call $drop_pollable (global.get $p)) (i32.const 64)"
        => Contract("handle");
    h33_waits_for_a_pollable_that_it_dropped: imports = STOP, module = "(global $p (mut i32) (i32.const 0))",
        next = "(global.set $p (call $pollable)) (call $drop_pollable (global.get $p))
            (call $block (global.get $p)) (i32.const 64)"
        => Contract("handle");
    h34_drops_a_stream_and_then_waits_on_what_belongs_to_it: imports = STDIN,
        module = "(global $s (mut i32) (i32.const 0)) (global $p (mut i32) (i32.const 0))",
        next = "(global.set $s (call $stdin)) (global.set $p (call $subscribe (global.get $s)))
            (call $drop_stream (global.get $s)) (call $block (global.get $p)) (i32.const 64)"
        => Contract("children");
    h34_drops_a_body_and_then_the_stream_into_it: imports = REQUEST,
        module = "(global $r (mut i32) (i32.const 0))",
        next = "(global.set $r (call $request (call $fields))) (call $body (global.get $r) (i32.const 200))
            (call $write (i32.load (i32.const 204)) (i32.const 216)) (call $drop_body (i32.load (i32.const 204)))
            (i32.const 64)"
        => Contract("children");
    h38_writes_nothing_forever: imports = STDOUT, module = "(global $o (mut i32) (i32.const 0))",
        next = "(global.set $o (call $stdout))
            (loop (call $write (global.get $o) (i32.const 0) (i32.const 0) (i32.const 200)) (br 0)) (i32.const 64)"
        => Limit("cpu_ms");
    h33_waits_for_a_reader: imports = STOP, module = "(global $r (mut i32) (i32.const 0))",
        next = "(call $block (call $new (i32.const 1))) (i32.const 64)"
        => Contract("handle");
    h07_fills_its_whole_memory_again_and_again: memory = LARGE,
        next = "(loop (memory.fill (i32.const 65536) (i32.const 7) (i32.const 0x3fe0000)) (br 0)) (i32.const 64)"
        => Limit("cpu_ms");
    h21_copies_half_its_memory_again_and_again: memory = LARGE,
        next = "(loop (memory.copy (i32.const 0x2000000) (i32.const 0x10000) (i32.const 0x1ff0000)) (br 0)) (i32.const 64)"
        => Limit("cpu_ms");
    h21_fills_a_table_again_and_again: module = "(table $t 90000 funcref)",
        next = "(loop (table.fill $t (i32.const 0) (ref.null func) (i32.const 90000)) (br 0)) (i32.const 64)"
        => Limit("cpu_ms");
    h21_copies_a_table_again_and_again: module = "(table $t 45000 funcref) (table $u 45000 funcref)",
        next = "(loop (table.copy $t $u (i32.const 0) (i32.const 0) (i32.const 45000)) (br 0)) (i32.const 64)"
        => Limit("cpu_ms");
    h21_fills_past_the_end_of_its_memory:
        next = "(memory.fill (i32.const 0) (i32.const 7) (i32.const -1)) (i32.const 64)"
        => Trap("outside of its memory");
    h21_copies_past_the_end_of_a_table: module = "(table $t 10 funcref)",
        next = "(table.copy $t $t (i32.const 0) (i32.const 5) (i32.const 6)) (i32.const 64)"
        => Trap("table");
    h08_grows_a_table_by_one_forever: module = "(table $t 0 funcref)",
        next = "(loop (drop (table.grow $t (ref.null func) (i32.const 1))) (br 0)) (i32.const 64)"
        => Limit("table_elements");
    h19_recurses_in_the_allocator: module = "(func $deep (call $deep))",
        realloc = "(call $deep) (i32.const 4096)"
        => Limit("stack_bytes");
    h23_divides_by_zero: next = "(i32.div_s (i32.const 1) (i32.const 0))"
        => Trap("divide by zero");
    h23_divides_the_least_number_by_minus_one: next = "(i32.div_s (i32.const 0x80000000) (i32.const -1))"
        => Trap("overflow");
    h23_converts_what_is_no_number: next = "(i32.trunc_f64_s (f64.const nan))"
        => Trap("integer");
    h23_calls_nothing: module = "(table $t 1 funcref) (type $f (func (result i32)))",
        next = "(call_indirect $t (type $f) (i32.const 0))"
        => Trap("element");
    h23_calls_past_the_end_of_a_table: module = "(table $t 1 funcref) (type $f (func (result i32)))",
        next = "(call_indirect $t (type $f) (i32.const 7))"
        => Trap("table");
    h10_realloc_answers_two_times_the_same_address: module = "(global $n (mut i32) (i32.const 0))",
        realloc = "(global.set $n (i32.add (global.get $n) (i32.const 1)))
            (if (i32.gt_u (global.get $n) (i32.const 3)) (then unreachable)) (i32.const 4096)"
        => Trap("aborted without a message");
    h33_a_reader_of_the_highest_number: open = "(i32.store (i32.const 136) (i32.const -1)) (i32.const 128)"
        => Contract("handle");
    h33_a_pollable_of_the_highest_number: imports = STOP, next = "(call $block (i32.const -1)) (i32.const 64)"
        => Contract("handle");
    h33_gives_a_reader_away_twice: module = "(global $r (mut i32) (i32.const 0))",
        open = "(global.set $r (call $new (i32.const 1))) (call $drop (global.get $r))
            (i32.store (i32.const 136) (global.get $r)) (i32.const 128)"
        => Contract("handle");
    h33_makes_readers_without_end: next = "(loop (drop (call $new (i32.const 1))) (br 0)) (i32.const 64)"
        => Limit("handles");
    h15_reads_standard_input_forever: imports = STDIN, module = "(global $s (mut i32) (i32.const 0))",
        next = "(global.set $s (call $stdin)) (loop (drop (call $subscribe (global.get $s))) (br 0)) (i32.const 64)"
        => Limit("handles");
    h28_logs_a_line_out_of_its_memory: imports = LOG,
        next = "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0xffffff00) (i32.const 0x1000)) (i32.const 64)"
        => Contract("bounds");
    h28_logs_a_line_of_four_gibibytes: imports = LOG,
        next = "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)) (i32.const 64)"
        => Contract("bounds");
    h29_logs_a_line_that_is_not_utf8: imports = LOG, module = "(data (i32.const 400) \"\\ff\\fe\")",
        next = "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 400) (i32.const 2)) (i32.const 64)"
        => Contract("utf-8");
    h42_logs_at_a_level_that_is_none: imports = LOG,
        next = "(call $log (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 64)"
        => Contract("discriminant");
    h40_utf16_at_an_odd_address: encoding = StringEncoding::UTF16,
        next = "(i32.store8 (i32.const 92) (i32.const 1)) (i32.store (i32.const 96) (i32.const 201))
            (i32.store (i32.const 100) (i32.const 1)) (i32.const 64)"
        => Contract("aligned");
    h40_utf16_of_a_lone_surrogate: encoding = StringEncoding::UTF16,
        next = "(i32.store8 (i32.const 92) (i32.const 1)) (i32.store (i32.const 96) (i32.const 200))
            (i32.store (i32.const 100) (i32.const 1)) (i32.store16 (i32.const 200) (i32.const 0xd800)) (i32.const 64)"
        => Contract("unpaired surrogate");
    h40_utf16_of_twice_the_memory: encoding = StringEncoding::UTF16,
        next = "(i32.store8 (i32.const 92) (i32.const 1)) (i32.store (i32.const 96) (i32.const 200))
            (i32.store (i32.const 100) (i32.const 0x7fffffff)) (i32.const 64)"
        => Contract("bounds");
    h40_latin1_at_an_odd_address: encoding = StringEncoding::CompactUTF16,
        next = "(i32.store8 (i32.const 92) (i32.const 1)) (i32.store (i32.const 96) (i32.const 201))
            (i32.store (i32.const 100) (i32.const 0x80000001)) (i32.const 64)"
        => Contract("aligned");
    h40_latin1_that_is_a_lone_surrogate: encoding = StringEncoding::CompactUTF16,
        next = "(i32.store8 (i32.const 92) (i32.const 1)) (i32.store (i32.const 96) (i32.const 200))
            (i32.store (i32.const 100) (i32.const 0x80000001)) (i32.store16 (i32.const 200) (i32.const 0xdfff)) (i32.const 64)"
        => Contract("unpaired surrogate");
    h40_latin1_that_is_no_json: encoding = StringEncoding::CompactUTF16,
        next = "(i32.store8 (i32.const 92) (i32.const 1)) (i32.store (i32.const 96) (i32.const 200))
            (i32.store (i32.const 100) (i32.const 1)) (i32.store8 (i32.const 200) (i32.const 0xe4)) (i32.const 64)"
        => Contract("JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_attacks_are_made_from_behaves() {
    assert_eq!(read(&Guest::default()).await.unwrap(), Step::Page(Page::default()));
    let source = source(&Guest::default()).await;
    source.check().await.unwrap();
    assert_eq!(source.discover().await.unwrap().streams, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn h10_an_allocator_that_gives_the_address_zero_hurts_only_itself() {
    let guest = Guest { realloc: "(i32.const 0)", ..Guest::default() };
    // The host writes where it is told; the text of the configuration now lies there.
    let result = source(&guest).await.open(read_of(schema_of("rows"))).await;
    assert!(result.is_ok());
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h42_a_bool_of_two_is_true_and_bits_of_no_flag_are_nothing() {
    let two = Guest { next: "(i32.store8 (i32.const 104) (i32.const 2)) (i32.const 64)", ..Guest::default() };
    let expect = Page { transaction_end: true, ..Page::default() };
    assert_eq!(read(&two).await.unwrap(), Step::Page(expect));
    // One stream at 256, whose name is the text at 400; its operations are at 296.
    let discover = r#"(i32.store (i32.const 72) (i32.const 256)) (i32.store (i32.const 76) (i32.const 1))
        (i32.store (i32.const 256) (i32.const 400)) (i32.store (i32.const 260) (i32.const 4))
        (i32.store8 (i32.const 296) (i32.const 0xf1)) (i32.const 64)"#;
    let guest = Guest { discover, module: "(data (i32.const 400) \"rows\")", ..Guest::default() };
    let catalog = source(&guest).await.discover().await.unwrap();
    let insert = Operations { insert: true, ..Operations::default() };
    assert_eq!(
        (catalog.streams[0].schema.stream.as_str(), catalog.streams[0].schema.operations),
        ("rows", insert)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn h42_an_enum_that_is_none_is_refused() {
    let discover = r#"(i32.store (i32.const 72) (i32.const 256)) (i32.store (i32.const 76) (i32.const 1))
        (i32.store8 (i32.const 296) (i32.const 1)) (i32.store8 (i32.const 297) (i32.const 2)) (i32.const 64)"#;
    let failure = source(&Guest { discover, ..Guest::default() }).await.discover().await.unwrap_err();
    assert_eq!(failure.code(), "CD0611", "{failure}");
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h18_what_runs_after_a_result_is_bounded_too() {
    for (after_check, code) in [("(loop br 0)", "CD0501"), ("unreachable", "CD0610")] {
        let failure = source(&Guest { after_check, ..Guest::default() }).await.check().await.unwrap_err();
        assert_eq!(failure.code(), code, "{failure}");
    }
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h35_a_destructor_that_never_ends_holds_nobody_up() {
    for destructor in ["(loop br 0)", "unreachable"] {
        let guest = Guest { destructor, ..Guest::default() };
        assert_eq!(read(&guest).await.unwrap(), Step::Page(Page::default()));
        // Here the guest drops a reader of its own, so that its destructor runs.
        let next = "(call $drop (call $new (i32.const 1))) (i32.const 64)";
        read(&Guest { destructor, next, ..Guest::default() }).await.unwrap_err();
    }
    neighbour_works().await;
}

/// Either it is refused when it is loaded, or when it is instantiated; never by the machine's own limits.
async fn too_much(guest: &Guest<'_>, words: &str) {
    let text = match runtime().load(component(guest)).await {
        Err(error @ (Error::Compile { .. } | Error::TooMuch { .. } | Error::Corrupt { .. })) => {
            error.to_string()
        }
        Err(error) => panic!("refused in other words: {error}"),
        Ok(_) => {
            let failure = read(guest).await.expect_err("it was instantiated");
            assert_eq!(failure.code(), "CD0501", "{failure}");
            failure.to_string()
        }
    };
    assert!(text.contains(words), "{text}");
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h04_sixty_four_memories_of_nested_instances_are_refused() {
    let beside = ("(module (memory 1) (memory 1))", 32);
    too_much(&Guest { beside, ..Guest::default() }, "memor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h04_more_memories_of_one_module_than_instances_are_allowed_are_refused() {
    let memory = format!("(memory (export \"memory\") 2) {}", "(memory 1)".repeat(64));
    too_much(&Guest { memory: &memory, ..Guest::default() }, "memor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h09_a_thousand_tables_are_refused() {
    let fifty = format!("(module {})", "(table 1 funcref)".repeat(50));
    too_much(&Guest { beside: (&fifty, 20), ..Guest::default() }, "table").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h58_a_thousand_instances_in_one_are_refused() {
    too_much(&Guest { beside: ("(module)", 1000), ..Guest::default() }, "instance").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h09_a_table_of_every_element_is_refused() {
    let module = "(table 0xffffffff funcref)";
    too_much(&Guest { module, ..Guest::default() }, "table").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h01_a_memory_that_begins_at_its_maximum_is_refused() {
    let memory = "(memory (export \"memory\") 65536)";
    too_much(&Guest { memory, ..Guest::default() }, "memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h03_sixteen_mebibytes_of_data_are_paid_from_the_memory_of_the_guest() {
    let data = format!("(data (i32.const 0x10000) \"{}\")", "x".repeat(16 << 20));
    let memory = "(memory (export \"memory\") 1024)";
    let guest = Guest { memory, module: &data, ..Guest::default() };
    let source = source(&guest).await;
    let mut reader = source.open(read_of(schema_of("rows"))).await.unwrap();
    reader.next(budget()).await.unwrap();
    let used = reader.budget().into_iter().find(|usage| usage.limit == "memory_bytes").unwrap();
    // Beside it the stack and the engine's own records are charged.
    assert!((66 << 20..67 << 20).contains(&used.used), "{used:?}");
    assert_eq!(used.allowed, 128 << 20);
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h03_a_hundred_thousand_pieces_of_data_are_laid_out_or_refused() {
    let module = "(data (i32.const 512) \"x\")".repeat(100_000);
    let guest = Guest { module: &module, ..Guest::default() };
    assert_eq!(read(&guest).await.unwrap(), Step::Page(Page::default()));
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h42_a_contract_of_other_types_is_refused_when_it_is_loaded() {
    // Contract 0.1 has no characters, so a surrogate can only come in a function of another type.
    let text = r#"(component
        (core module $m (func (export "check") (result i32) (i32.const 0xd800)))
        (core instance $i (instantiate $m))
        (func $check (result char) (canon lift (core func $i "check")))
        (instance $role (export "check" (func $check)))
        (export "cofferdam:connector/source@0.1.0" (instance $role))
        (@custom "cofferdam:contract" "0.1.0")
        (@custom "cofferdam:manifest" "manifest = 1\nname = \"test\"\npublisher = \"test\"\nversion = \"0.1.0\"\ncontract = \"0.1.0\"\nroles = [\"source\"]\ntitle = \"Test\"\n"))"#;
    let Err(error) = runtime().load(wat::parse_str(text).unwrap()).await else { panic!("it was loaded") };
    assert!(matches!(error, Error::WrongExports { .. }), "{error}");
}
