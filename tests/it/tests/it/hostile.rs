//! Hostile connectors: each attack ends in a typed failure that names what happened, and a neighbour's run beside it is whole.
//!
//! A line is a test: its name with the case of the list, the attack of the guest `hostile`, the call in which it runs, and what
//! must come of it.

use crate::oracle::Expect::{Bug, Config, Contract, Data, Limit, Run, Trap};
use crate::oracle::{Attack, By, suffers};

macro_rules! attacks {
    ($($test:ident: $name:literal at $at:literal => $expect:expr;)*) => {
        /// All of them.
        pub(crate) fn attacks() -> Vec<Attack> {
            vec![$(Attack { test: stringify!($test), by: By::Configured($name, $at), expect: $expect }),*]
        }

        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            suffers(&Attack { test: stringify!($test), by: By::Configured($name, $at), expect: $expect }).await;
        })*
    };
}

attacks! {
    h01_grows_to_the_maximum_at_once: "grow-at-once" at "next" => Limit("memory_bytes");
    h02_grows_page_by_page: "grow-by-pages" at "next" => Limit("memory_bytes");
    h05_touches_every_page: "touch-everything" at "next" => Limit("memory_bytes");
    h06_probes_allocations_forever: "probe-allocations" at "next" => Limit("memory_bytes");
    h07_fills_memory_in_a_loop: "fill-in-a-loop" at "next" => Limit("cpu_ms");
    h07_copies_memory_in_a_loop: "copy-in-a-loop" at "next" => Limit("cpu_ms");
    h14_loops: "loop" at "next" => Limit("cpu_ms");
    h15_loops_with_host_calls: "loop-with-host-calls" at "next" => Limit("cpu_ms");
    h17_loops_in_check: "loop" at "check" => Limit("cpu_ms");
    h17_loops_in_discover: "loop" at "discover" => Limit("cpu_ms");
    h17_loops_in_open: "loop" at "open" => Limit("cpu_ms");
    h17_panics_in_check: "panic" at "check" => Trap("index out of bounds");
    h17_panics_in_discover: "panic" at "discover" => Trap("index out of bounds");
    h19_recurses: "recurse" at "next" => Limit("stack_bytes");
    h19_recurses_indirectly: "recurse-indirectly" at "next" => Limit("stack_bytes");
    h20_recurses_with_huge_frames: "recurse-with-huge-frames" at "next" => Trap("crashed");
    h22_sleeps: "sleep" at "next" => Limit("host_call_ms");
    h22_polls_forever: "poll-forever" at "next" => Limit("host_call_ms");
    h23_reaches_unreachable: "unreachable" at "next" => Trap("aborted without a message");
    h23_calls_a_function_of_another_type: "bad-indirect-call" at "next" => Trap("indirect call");
    h23_reads_out_of_bounds: "read-out-of-bounds" at "next" => Trap("outside of its memory");
    h23_panics: "panic" at "next" => Trap("index out of bounds: the len is 3 but the index is 7");
    h24_sorts_forever: "sort-forever" at "next" => Limit("cpu_ms");
    h27_calls_the_host_ten_million_times: "call-ten-million-times" at "next" => Limit("cpu_ms");
    h28_logs_a_million_lines: "log-lines" at "next" => Limit("log_lines");
    h28_logs_a_gigabyte: "log-bytes" at "next" => Limit("log_bytes");
    h28_logs_one_huge_line: "log-one-huge-line" at "next" => Limit("hostcall_bytes");
    h28_prints_forever: "print-forever" at "next" => Limit("log_lines");
    h28_prints_without_an_end_of_line: "print-without-newline" at "next" => Limit("log_bytes");
    h33_leaks_handles: "leak-handles" at "next" => Limit("handles");
    h35_panics_in_drop: "panic-in-drop" at "next" => Trap("dropped badly");
    h35_panics_while_panicking: "panic-while-panicking" at "next" => Trap("panicked at");
    h36_hammers_randomness: "random-hammer" at "next" => Limit("cpu_ms");
    h36_asks_for_too_much_randomness: "random-huge" at "next" => Contract("exceeds limit");
    h37_asks_ten_thousand_hosts: "request-many-hosts" at "next" => Limit("cpu_ms");
    h40_returns_text_that_is_not_utf8: "text-not-utf8" at "next" => Contract("UTF-8");
    h40_cuts_text_inside_a_character: "text-cut-inside-a-character" at "next" => Contract("within a character");
    h41_returns_more_than_the_host_takes: "result-of-a-gigabyte" at "next" => Limit("memory_bytes");
    h43_says_a_thousand_rows_and_sends_ten: "count-too-high" at "next" => Contract("`number`");
    h43_sends_a_column_too_few: "column-missing" at "next" => Contract("columns");
    h43_sends_a_column_too_many: "column-too-many" at "next" => Contract("columns");
    h43_sends_another_type: "column-of-other-type" at "next" => Contract("`number`");
    h43_sends_too_few_values: "values-too-few" at "next" => Contract("`number`");
    h43_sends_too_many_values: "values-too-many" at "next" => Contract("`number`");
    h43_sends_a_layout_that_it_did_not_declare: "layout-not-declared" at "next" => Contract("JSON lines, but the schema says columns");
    h43_sends_falling_offsets: "offsets-falling" at "next" => Contract("`text`");
    h43_sends_negative_offsets: "offsets-negative" at "next" => Contract("`text`");
    h43_sends_offsets_that_do_not_start_at_zero: "offsets-not-from-zero" at "next" => Contract("`text`");
    h43_sends_offsets_past_the_end: "offsets-past-the-end" at "next" => Contract("`text`");
    h43_sends_too_few_offsets: "offsets-too-few" at "next" => Contract("`text`");
    h43_sends_a_bitmap_that_is_too_short: "bitmap-too-short" at "next" => Contract("`number`");
    h43_sends_a_bitmap_that_is_too_long: "presence-too-long" at "next" => Contract("`number`");
    h43_sends_a_reserved_column: "reserved-column" at "next" => Contract("reserved");
    h43_sends_too_few_operations: "operations-too-few" at "next" => Contract("operation");
    h43_sends_an_unknown_operation: "operation-unknown" at "next" => Contract("operation");
    h43_sends_an_operation_that_it_did_not_declare: "operation-not-declared" at "next" => Contract("delete");
    h43_sends_an_unknown_stream: "stream-unknown" at "next" => Contract("other");
    h43_sends_an_unknown_schema_version: "schema-version-unknown" at "next" => Contract("version");
    h44_overflows_the_row_count: "count-overflow" at "next" => Limit("page_rows");
    h46_repeats_a_field: "catalog-duplicate-field" at "discover" => Contract("number");
    h46_names_a_field_nothing: "catalog-empty-field" at "discover" => Contract("empty");
    h46_names_a_field_with_a_megabyte: "catalog-field-of-a-megabyte" at "discover" => Contract("bytes");
    h46_has_a_hundred_thousand_fields: "catalog-many-fields" at "discover" => Contract("fields");
    h46_uses_a_reserved_type: "catalog-reserved-type" at "discover" => Contract("reserved");
    h46_names_an_unknown_key: "catalog-key-unknown" at "discover" => Contract("nowhere");
    h46_has_an_impossible_decimal: "catalog-bad-decimal" at "discover" => Contract("decimal");
    h46_repeats_a_stream: "catalog-duplicate-stream" at "discover" => Contract("rows");
    h47_returns_a_huge_error: "error-text-huge" at "next" => Data("bytes more");
    h47_returns_an_error_with_escapes: "error-text-escapes" at "next" => Data("<script>\\u{1b}[31m\\u{202e}");
    h47_says_that_it_is_wrong_itself: "return-bug" at "next" => Bug("I am wrong");
    h48_sends_a_page_over_its_budget: "page-over-budget" at "next" => Contract("rows");
    h48_sends_a_page_of_empty_batches: "page-of-many-empty-batches" at "next" => Contract("batches");
    h48_sends_a_broken_checkpoint: "checkpoint-not-json" at "next" => Contract("JSON");
    h48_sends_a_huge_checkpoint: "checkpoint-huge" at "next" => Limit("checkpoint_bytes");
    h48_sends_a_deep_checkpoint: "checkpoint-deep" at "next" => Contract("JSON");
    h50_goes_back_in_its_schema: "schema-goes-back" at "next" => Contract("version");
    h55_aborts: "abort" at "next" => Trap("aborted without a message");
    h55_exits_with_success: "exit-success" at "next" => Bug("status 0");
    h55_exits_with_failure: "exit-failure" at "next" => Bug("status 1");
    h43_rejects_with_a_bad_code: "reject-code-bad" at "next" => Contract("code");
    h43_rejects_a_row_that_is_not_there: "reject-row-unknown" at "next" => Contract("row");
    h43_rejects_in_a_batch_that_is_not_there: "reject-batch-unknown" at "next" => Contract("batch");
    h36_asks_for_too_much_insecure_randomness: "random-insecure-huge" at "next" => Contract("exceeds limit");
    h37_holds_requests: "hold-requests" at "next" => Limit("handles");
    h39_sends_headers_without_end: "headers-without-end" at "next" => Limit("request_head_bytes");
    h39_asks_for_a_url_of_a_megabyte: "url-of-a-megabyte" at "next" => Config("bytes more");
    h22_polls_nothing: "poll-nothing" at "next" => Contract("empty poll list");
    h22_polls_the_same_a_million_times: "poll-a-million-times-the-same" at "next" => Limit("handles");
    h43_names_a_stream_with_a_megabyte: "stream-of-a-megabyte" at "next" => Contract("x…` was not asked for");
    h43_rejects_more_than_it_was_asked_for: "reject-flood" at "next" => Limit("page_rows");
    h43_rejects_in_a_stream_that_is_not_there: "reject-stream-unknown" at "next" => Contract("`elsewhere` was not asked for");
    h43_rejects_with_a_code_of_a_megabyte: "reject-code-huge" at "next" => Contract("the reject code");
    h45_sends_a_decimal_of_more_digits_than_it_declared: "extreme-decimal-too-precise" at "next" => Contract("more than 6 digits");
    h45_sends_a_decimal_of_all_bits: "extreme-decimal-far-too-precise" at "next" => Contract("more than 6 digits");
    h45_sends_half_a_decimal: "extreme-decimal-words-missing" at "next" => Contract("5 words for 3 rows");
    h46_makes_a_list_of_itself: "catalog-cycle" at "discover" => Contract("`list` is reserved");
    h46_makes_a_struct_of_itself: "catalog-struct-of-itself" at "discover" => Contract("`struct` is reserved");
    h46_names_a_field_that_turns_around: "catalog-field-that-turns-around" at "discover" => Contract("control character");
    h46_names_a_field_with_escapes: "catalog-field-with-escapes" at "discover" => Contract("control character");
    h46_names_a_stream_nothing: "catalog-stream-of-nothing" at "discover" => Contract("the name of a stream is empty");
    h46_has_a_hundred_thousand_keys: "catalog-many-keys" at "discover" => Contract("named twice");
    h46_has_a_hundred_thousand_streams: "catalog-many-streams" at "discover" => Limit("hostcall_bytes");
    h46_declares_no_operation: "catalog-no-operation" at "discover" => Contract("no operation is declared");
    h47_returns_twenty_thousand_faults: "error-of-many-faults" at "next" => Config("faults more)");
    h47_returns_a_fault_at_a_path_of_a_megabyte: "error-with-a-path-of-a-megabyte" at "next" => Config("bytes more");
    h48_sends_empty_pages_forever: "empty-pages-forever" at "next" => Run("CD0741", "501 times in a row");
    h48_stands_still: "checkpoint-that-stands-still" at "next" => Run("CD0741", "501 times in a row");
    h48_moves_on_forever_and_brings_nothing: "cursor-goes-nowhere" at "next" => Limit("cpu_ms");
    h50_changes_its_schema_forever: "schema-changes-forever" at "next" => Run("CD0741", "501 times in a row");
    h50_changes_the_schema_of_another_stream: "schema-changes-another-stream" at "next" => Contract("but it was not asked for");
    h50_changes_a_schema_twice_at_once: "schema-changes-twice-at-once" at "next" => Contract("changes twice at once");
    h50_changes_nothing_forever: "schema-changes-to-nothing" at "next" => Run("CD0741", "501 times in a row");
    h55_panics_in_the_middle_of_a_stream: "behave-then-panic" at "next" => Trap("in the middle of a stream");
}
