use super::{
    Limits, PageContext, Violation, batch, capabilities, catalog, checkpoint, commit_report, last_commit,
    page, schema_changed, stream_schema, transform_plan, transformed, verdicts, write_report,
};
use crate::failure::Cause;
use crate::fixtures::{column, columns_batch, field, lines_batch, schema, texts};
use crate::model::{
    Batch, Capabilities, Catalog, Column, ColumnData, CommitReport, DataType, FieldFate, FieldVerdict,
    JsonLines, LateReject, Layout, Layouts, Mode, Modes, Operation, Operations, Output, Page, PageBudget,
    Pushdown, ReadGroup, Reject, RejectedRow, RowOperations, Rows, SourceReject, StreamInfo, StreamPlan,
    StreamSchema, StreamVerdict, TransformPlan, Transformed, VarData, WriteReport,
};
use proptest::prelude::{any, proptest};
use std::collections::BTreeMap;

fn says(result: Result<(), Violation>, part: &str) {
    let text = result.expect_err("a violation").to_string();
    assert!(text.contains(part), "`{text}` does not say `{part}`");
}

fn one_column(data_type: DataType, row_count: u32, given: Column) -> Result<(), Violation> {
    let schema = schema("s", &[("c", data_type)], Layout::Columns);
    batch(&columns_batch("s", row_count, vec![given]), &schema, &Limits::default())
}

fn text_column(offsets: &[i32], data: &[u8]) -> Column {
    column(ColumnData::Text(VarData { offsets: offsets.to_vec(), data: data.to_vec() }))
}

#[test]
fn columns_have_the_rows_that_they_say() {
    says(
        one_column(DataType::Int64, 3, column(ColumnData::Int64(vec![1, 2]))),
        "column `c`: 2 values for 3 rows",
    );
    says(one_column(DataType::Int64, u32::MAX, column(ColumnData::Int64(vec![1]))), "1 values");
    says(
        one_column(DataType::Boolean, 9, column(ColumnData::Boolean(vec![1]))),
        "a bitmap has 1 bytes, 9 rows need 2",
    );
    says(
        one_column(DataType::Decimal { precision: 5, scale: 0 }, 1, column(ColumnData::Decimal(vec![1]))),
        "1 words for 1 rows",
    );
    let narrow = Column { validity: Some(vec![]), presence: None, data: ColumnData::Date(vec![0]) };
    says(one_column(DataType::Date, 1, narrow), "validity: a bitmap has 0 bytes");
    let wide = Column { validity: None, presence: Some(vec![0, 0]), data: ColumnData::Date(vec![0]) };
    says(one_column(DataType::Date, 1, wide), "presence: a bitmap has 2 bytes");
    one_column(DataType::Boolean, 9, column(ColumnData::Boolean(vec![255, 255]))).unwrap();
}

#[test]
fn columns_have_the_number_and_types_of_their_fields() {
    says(
        one_column(DataType::Time(crate::model::Zone::Utc), 1, column(ColumnData::Int64(vec![1]))),
        "values of type int64, the field is time(utc)",
    );
    let two = schema("s", &[("a", DataType::Int64), ("b", DataType::Int64)], Layout::Columns);
    says(batch(&columns_batch("s", 0, vec![]), &two, &Limits::default()), "0 columns for 2 fields");
    says(
        batch(&lines_batch("s", &["{}"]), &two, &Limits::default()),
        "JSON lines, but the schema says columns",
    );
}

#[test]
fn offsets_begin_at_zero_never_fall_and_end_with_the_data() {
    let check = |offsets: &[i32], data: &[u8], part: &str| {
        says(one_column(DataType::Text, 2, text_column(offsets, data)), part)
    };
    check(&[0, 1], b"ab", "2 offsets for 2 rows");
    check(&[], b"", "0 offsets");
    check(&[1, 1, 2], b"ab", "the first offset is not 0");
    check(&[0, 2, 1], b"ab", "offset 2 is 1 after 2");
    check(&[0, -1, 2], b"ab", "offset 1 is -1 after 0");
    check(&[0, 1, 3], b"ab", "the last offset is 3, the data has 2 bytes");
    check(&[0, 1, 1], b"ab", "the last offset is 1");
    one_column(DataType::Text, 2, text_column(&[0, 0, 2], b"ab")).unwrap();
}

#[test]
fn text_is_utf8_in_each_value() {
    says(one_column(DataType::Text, 1, text_column(&[0, 2], b"a\xff")), "not UTF-8 at byte 1");
    says(
        one_column(DataType::Text, 2, text_column(&[0, 1, 2], "é".as_bytes())),
        "row 1 begins within a character",
    );
    let bytes = column(ColumnData::Bytes(VarData { offsets: vec![0, 1], data: vec![255] }));
    one_column(DataType::Bytes, 1, bytes).unwrap();
    let json = column(ColumnData::Json(VarData { offsets: vec![0, 1], data: vec![255] }));
    says(one_column(DataType::Json, 1, json), "not UTF-8");
}

#[test]
fn decimals_have_at_most_their_precision_of_digits_where_there_is_a_value() {
    let data_type = DataType::Decimal { precision: 2, scale: 0 };
    let words = |value: i128| vec![value as u64, (value >> 64) as u64];
    one_column(data_type, 1, column(ColumnData::Decimal(words(-99)))).unwrap();
    says(one_column(data_type, 1, column(ColumnData::Decimal(words(-100)))), "row 0 has more than 2 digits");
    says(one_column(data_type, 1, column(ColumnData::Decimal(words(i128::MIN)))), "more than 2 digits");
    let null = Column { validity: Some(vec![0]), presence: None, data: ColumnData::Decimal(words(100)) };
    one_column(data_type, 1, null).unwrap();
    let widest = DataType::Decimal { precision: 38, scale: 0 };
    says(one_column(widest, 1, column(ColumnData::Decimal(words(i128::MAX)))), "more than 38 digits");
}

#[test]
fn json_lines_are_as_many_lines_of_utf8_as_they_say() {
    let schema = schema("s", &[], Layout::JsonLines);
    let lines = |row_count: u32, data: &[u8]| Batch {
        rows: Rows::JsonLines(JsonLines { row_count, data: data.to_vec() }),
        ..lines_batch("s", &[])
    };
    let check = |given: Batch, part: &str| says(batch(&given, &schema, &Limits::default()), part);
    check(lines(2, b"{}\n"), "1 lines for 2 rows");
    check(lines(1, b"{}"), "does not end with a line feed");
    check(lines(1, b"{}\n{}"), "does not end with a line feed");
    check(lines(1, b"\xc3\n"), "not UTF-8 at byte 0");
    let limits = Limits { row_bytes_max: 4, ..Limits::default() };
    says(batch(&lines(2, b"{}\n12345\n"), &schema, &limits), "line 1 has 5 bytes");
    batch(&lines(0, b""), &schema, &Limits::default()).unwrap();
}

#[test]
fn operations_are_known_declared_and_one_for_each_row() {
    let schema = schema("s", &[], Layout::JsonLines);
    let check = |operations: RowOperations, part: &str| {
        let given = Batch { operations, ..lines_batch("s", &["{}", "{}"]) };
        says(batch(&given, &schema, &Limits::default()), part);
    };
    check(RowOperations::All(Operation::Delete), "the operation `delete` was not declared");
    check(RowOperations::Each(vec![0]), "operations: 1 values for 2 rows");
    check(RowOperations::Each(vec![0, 4]), "row 1 has the unknown operation 4");
    check(RowOperations::Each(vec![0, 2]), "the operation `upsert` was not declared");
}

#[test]
fn a_batch_is_of_the_current_version_and_within_the_sizes() {
    let schema = schema("s", &[], Layout::JsonLines);
    let old = Batch { schema_version: 7, ..lines_batch("s", &["{}"]) };
    says(batch(&old, &schema, &Limits::default()), "schema version 7, the current one is 0");
    let limits = Limits { batch_bytes_max: 5, row_bytes_max: 8, ..Limits::default() };
    says(batch(&lines_batch("s", &["{}", "{}"]), &schema, &limits), "6 bytes in 2 rows, allowed are 5");
    batch(&lines_batch("s", &["{    }"]), &schema, &limits).unwrap();
    says(batch(&lines_batch("s", &["{     }  "]), &schema, &limits), "allowed are 8");
}

fn judge(given: &Page, budget: PageBudget) -> Result<(), Violation> {
    judge_within(given, budget, &Limits { checkpoint_bytes_max: 10, ..Limits::default() })
}

fn judge_within(given: &Page, budget: PageBudget, limits: &Limits) -> Result<(), Violation> {
    let streams = BTreeMap::from([("s".to_owned(), schema("s", &[], Layout::JsonLines))]);
    page(given, &PageContext { streams: &streams, budget, limits })
}

fn pages(lines: &[&str]) -> Page {
    Page { batches: vec![lines_batch("s", lines)], ..Page::default() }
}

const BUDGET: PageBudget = PageBudget { max_rows: 2, max_bytes: 6, deadline_ms: 1 };

#[test]
fn a_page_keeps_its_budget_but_one_row_may_be_larger() {
    judge(&pages(&["{}", "{}"]), BUDGET).unwrap();
    judge(&pages(&["{       }"]), BUDGET).unwrap();
    says(judge(&pages(&["{}", "{}", "{}"]), BUDGET), "a page of 3 rows, asked for were at most 2");
    says(judge(&pages(&["{}", "{ }"]), BUDGET), "a page of 7 bytes, asked for were at most 6");
    let unknown = Page { batches: vec![lines_batch("t", &[])], ..Page::default() };
    says(judge(&unknown, BUDGET), "the stream `t` was not asked for");
}

#[test]
fn a_checkpoint_is_one_json_value_within_its_size() {
    checkpoint("{\"a\":1}", 10).unwrap();
    says(checkpoint("[1,2,3,4,5]", 10), "11 bytes, allowed are 10");
    says(checkpoint("{} {}", 10), "not JSON");
    says(checkpoint("", 10), "not JSON");
    says(judge(&Page { checkpoint: Some("{".into()), ..Page::default() }, BUDGET), "not JSON");
}

#[test]
fn a_page_over_a_limit_names_it_and_one_over_what_was_asked_for_breaks_the_contract() {
    let cause = |page: &Page, limits: &Limits| judge_within(page, BUDGET, limits).unwrap_err().into_cause();
    let name = |cause: Cause| match cause {
        Cause::Limit { name, allowed, .. } => format!("{name} {allowed}"),
        other => format!("{other:?}"),
    };
    let (rows, bytes) = (pages(&["{}", "{}", "{}"]), pages(&["{}", "{ }"]));
    let limits =
        Limits { page_rows_max: 2, batch_bytes_max: 6, checkpoint_bytes_max: 3, ..Limits::default() };
    assert_eq!(name(cause(&rows, &limits)), "page_rows 2 rows");
    assert_eq!(name(cause(&bytes, &limits)), "page_bytes 6 bytes");
    let checkpoint = Page { checkpoint: Some("\"long\"".into()), ..Page::default() };
    assert_eq!(name(cause(&checkpoint, &limits)), "checkpoint_bytes 3 bytes");
    for page in [rows, bytes] {
        assert!(matches!(cause(&page, &Limits::default()), Cause::Contract(_)));
    }
}

#[test]
fn source_rejects_name_rows_of_their_page() {
    let reject = |stream: &str, row: RejectedRow, code: &str| SourceReject {
        stream: stream.into(),
        row,
        code: code.into(),
        message: String::new(),
        retryable: false,
    };
    let at = |batch, row| RejectedRow::At { batch, row };
    let check = |rejects: Vec<SourceReject>, part: &str| {
        says(
            judge(&Page { batches: vec![lines_batch("s", &["{}"])], rejects, ..Page::default() }, BUDGET),
            part,
        );
    };
    check(vec![reject("s", at(1, 0), "c")], "batch 1 is named, but the page has 1 batches");
    check(vec![reject("s", at(0, 1), "c")], "row 1 of batch 0 is named, but it has 1 rows");
    check(vec![reject("s", at(0, 0), "c"), reject("s", at(0, 0), "d")], "rejected twice");
    check(vec![reject("x", RejectedRow::Raw(vec![]), "c")], "`x` was not asked for");
    check(vec![reject("s", RejectedRow::Raw(vec![]), "Not ok")], "the reject code `Not ok`");
    check(vec![reject("s", RejectedRow::Raw(vec![]), "")], "the reject code");
    check(vec![reject("s", RejectedRow::Raw(vec![]), "c"); 3], "a page of 3 rejects");
}

#[test]
fn names_are_given_once_bounded_and_printable() {
    let check = |fields: &[&str], part: &str| {
        let fields: Vec<_> = fields.iter().map(|name| (*name, DataType::Text)).collect();
        says(stream_schema(&schema("s", &fields, Layout::Columns), &Limits::default()), part);
    };
    check(&["a", "a"], "the field `a` is declared twice");
    check(&[""], "the name of a field is empty");
    check(&[&"x".repeat(257)], "has 257 bytes, allowed are 256");
    check(&["a\u{1b}[31m"], "`a\\u{1b}[31m` holds a control character");
    check(&["a\u{202e}b"], "holds a control character");
    let many = vec![field("f", DataType::Text); 4_097];
    let mut wide = schema("s", &[], Layout::Columns);
    wide.schema.fields = many;
    says(stream_schema(&wide, &Limits::default()), "4097 fields, allowed are 4096");
    says(
        stream_schema(&schema("", &[], Layout::Columns), &Limits::default()),
        "the name of a stream is empty",
    );
}

#[test]
fn keys_types_and_operations_of_a_schema_make_sense() {
    let base = || schema("s", &[("a", DataType::Text)], Layout::Columns);
    let check = |given: StreamSchema, part: &str| says(stream_schema(&given, &Limits::default()), part);
    check(StreamSchema { keys: vec!["b".into()], ..base() }, "the key field `b` is not declared");
    check(StreamSchema { keys: vec!["a".into(), "a".into()], ..base() }, "the key field `a` is named twice");
    check(StreamSchema { operations: Operations::default(), ..base() }, "no operation");
    let decimal =
        |precision, scale| schema("s", &[("d", DataType::Decimal { precision, scale })], Layout::Columns);
    check(decimal(39, 0), "precision 39");
    check(decimal(0, 0), "precision 0");
    check(decimal(3, 4), "scale 4");
}

fn info(stream: &str, group: Option<&str>) -> StreamInfo {
    StreamInfo {
        schema: schema(stream, &[("a", DataType::Text)], Layout::Columns),
        group: group.map(str::to_owned),
        cursor_fields: Vec::new(),
        incremental: true,
        pushdown: Pushdown::default(),
        estimated_rows: None,
        description: None,
    }
}

#[test]
fn a_catalog_lists_each_stream_and_group_once() {
    let group = |name: &str| ReadGroup { name: name.into(), marks_transactions: false };
    let check = |given: Catalog, part: &str| says(catalog(&given, &Limits::default()), part);
    check(Catalog { streams: vec![info("s", None), info("s", None)], groups: vec![] }, "`s` is listed twice");
    check(
        Catalog { streams: vec![info("s", Some("g"))], groups: vec![group("g"), group("g")] },
        "`g` is listed twice",
    );
    check(
        Catalog { streams: vec![info("s", None)], groups: vec![group("g")] },
        "no stream is in the read group `g`",
    );
    check(
        Catalog { streams: vec![info("s", Some(""))], groups: vec![] },
        "the name of a read group is empty",
    );
    let cursor = StreamInfo { cursor_fields: vec!["z".into()], ..info("s", None) };
    check(Catalog { streams: vec![cursor], groups: vec![] }, "the cursor field `z` is not declared");
    catalog(
        &Catalog { streams: vec![info("s", Some("g")), info("t", Some("g"))], groups: vec![group("g")] },
        &Limits::default(),
    )
    .unwrap();
}

#[test]
fn a_change_of_schema_counts_up() {
    let current = BTreeMap::from([("s".to_owned(), schema("s", &[], Layout::Columns))]);
    let next = StreamSchema { version: 1, ..schema("s", &[], Layout::Columns) };
    let limits = Limits::default();
    schema_changed(std::slice::from_ref(&next), &current, &limits).unwrap();
    says(
        schema_changed(&[schema("s", &[], Layout::Columns)], &current, &limits),
        "changes to version 0 after 0",
    );
    says(schema_changed(&[next.clone(), next.clone()], &current, &limits), "changes twice");
    says(
        schema_changed(&[StreamSchema { stream: "x".into(), ..next }], &current, &limits),
        "`x` changes, but",
    );
}

fn reject(row: u32) -> Reject {
    Reject { row, code: "c".into(), message: String::new(), retryable: false }
}

#[test]
fn reports_name_rows_that_were_written_once() {
    write_report(&WriteReport { rejected: vec![reject(1), reject(0)] }, 2).unwrap();
    says(
        write_report(&WriteReport { rejected: vec![reject(2)] }, 2),
        "row 2 is rejected, but the batch has 2 rows",
    );
    says(write_report(&WriteReport { rejected: vec![reject(0), reject(0)] }, 2), "row 0 is rejected twice");
    says(write_report(&WriteReport { rejected: vec![reject(0), reject(0)] }, 1), "2 rejects for 1 rows");
    let late = |batch, row| CommitReport { rejected: vec![LateReject { batch, reject: reject(row) }] };
    commit_report(&late(1, 4), &[3, 5], true).unwrap();
    says(commit_report(&late(1, 4), &[3, 5], false), "do not have `late-rejects`");
    commit_report(&CommitReport::default(), &[3, 5], false).unwrap();
    last_commit(&late(7, 4)).unwrap();
    says(commit_report(&late(2, 0), &[3, 5], true), "batch 2 is named, 2 were written");
    says(commit_report(&late(u64::MAX, 0), &[3, 5], true), "is named, 2 were written");
    says(commit_report(&late(0, 3), &[3, 5], true), "row 3 of batch 0 is named, but it has 3 rows");
}

#[test]
fn verdicts_answer_what_was_asked() {
    let plan = StreamPlan {
        schema: schema("s", &[("a", DataType::Text)], Layout::Columns),
        mode: Mode::Append,
        generation: 0,
    };
    let verdict = |stream: &str, layout, fields: &[&str]| StreamVerdict {
        stream: stream.into(),
        layout,
        fields: fields
            .iter()
            .map(|name| FieldVerdict { field: (*name).into(), fate: FieldFate::Stored })
            .collect(),
    };
    let layouts = Layouts { columns: true, json_lines: false };
    let plans = [plan.clone(), StreamPlan { schema: schema("t", &[], Layout::Columns), ..plan }];
    let good = || vec![verdict("t", Layout::Columns, &[]), verdict("s", Layout::Columns, &["a"])];
    verdicts(&good(), &plans, layouts).unwrap();
    says(verdicts(&[], &plans, layouts), "0 verdicts for 2 streams");
    says(verdicts(&[good().remove(0), good().remove(0)], &plans, layouts), "two verdicts on the stream `t`");
    says(
        verdicts(&[good().remove(0), verdict("u", Layout::Columns, &[])], &plans, layouts),
        "`u`, which was not asked about",
    );
    says(
        verdicts(&[good().remove(0), verdict("s", Layout::Columns, &[])], &plans, layouts),
        "does not name its fields",
    );
    says(
        verdicts(&[good().remove(0), verdict("s", Layout::JsonLines, &["a"])], &plans, layouts),
        "not among the capabilities",
    );
}

#[test]
fn a_destination_can_do_something() {
    let able = Capabilities {
        layouts: Layouts { columns: true, json_lines: false },
        modes: Modes { append: true, ..Modes::default() },
        operations: Operations { insert: true, ..Operations::default() },
        ..Capabilities::default()
    };
    capabilities(&able).unwrap();
    says(capabilities(&Capabilities { layouts: Layouts::default(), ..able }), "without any layout");
    says(capabilities(&Capabilities { modes: Modes::default(), ..able }), "without any mode");
    says(capabilities(&Capabilities { operations: Operations::default(), ..able }), "without any operation");
}

#[test]
fn a_transform_answers_for_rows_that_it_was_given() {
    let limits = Limits::default();
    let plan = |outputs, input_layouts| TransformPlan { outputs, input_layouts };
    let both = Layouts { columns: true, json_lines: true };
    let out = schema("o", &[], Layout::JsonLines);
    transform_plan(&plan(vec![out.clone()], both), &limits).unwrap();
    says(transform_plan(&plan(vec![out.clone(), out.clone()], both), &limits), "`o` is planned twice");
    says(transform_plan(&plan(vec![], Layouts::default()), &limits), "no layout");
    let outputs = BTreeMap::from([("o".to_owned(), out)]);
    let made = |stream: &str, lines: &[&str], origin: Vec<u32>| Transformed {
        outputs: vec![Output { batch: lines_batch(stream, lines), origin }],
        rejected: Vec::new(),
    };
    transformed(&made("o", &["{}", "{}"], vec![1, 1]), 2, &outputs, &limits).unwrap();
    says(transformed(&made("x", &[], vec![]), 2, &outputs, &limits), "the output stream `x` was not planned");
    says(transformed(&made("o", &["{}"], vec![]), 2, &outputs, &limits), "0 origins for 1 rows");
    says(
        transformed(&made("o", &["{}"], vec![2]), 2, &outputs, &limits),
        "origin 2, but the input has 2 rows",
    );
    let rejected = Transformed { rejected: vec![reject(2)], ..Transformed::default() };
    says(transformed(&rejected, 2, &outputs, &limits), "row 2 is rejected");
}

proptest! {
    #[test]
    fn what_passes_can_be_read_value_by_value(offsets in proptest::collection::vec(-1_i32..9, 0..6), data in any::<Vec<u8>>()) {
        let rows = u32::try_from(offsets.len().saturating_sub(1)).unwrap();
        let given = text_column(&offsets, &data);
        if one_column(DataType::Text, rows, given).is_ok() {
            let var = VarData { offsets, data };
            for row in 0..rows as usize {
                std::str::from_utf8(var.value(row).unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn good_text_passes(values in proptest::collection::vec("\\PC{0,5}", 0..8)) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let rows = u32::try_from(values.len()).unwrap();
        one_column(DataType::Text, rows, column(ColumnData::Text(texts(&values)))).unwrap();
    }
}
