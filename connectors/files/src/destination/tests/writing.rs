//! What a writer makes of modes, names, operations and files that are there already.

use cofferdam_sdk::{
    Batch, DataType, Error, Field, FieldFate, Incoming, Layout, Mode, Operation, RowOperations, Schema,
    StreamPlan, StreamSchema,
};
use serde_json::json;

use super::{
    memory_disk::MemoryDisk,
    run::{Job, columns, schema, visible},
};

fn names(disk: &MemoryDisk) -> Vec<String> {
    disk.visible().into_keys().collect()
}

#[test]
fn parts_are_numbered_on_and_leave_other_files_alone() {
    let disk = MemoryDisk::default();
    disk.put("a-000002.jsonl", b"somebody else's\n");
    Job::new(json!({}), Mode::Append, 0..12).run(&disk, 1).unwrap();
    Job::new(json!({}), Mode::Append, 12..24).run(&disk, 2).unwrap();
    assert_eq!(names(&disk), ["a-000001.jsonl", "a-000002.jsonl", "a-000003.jsonl"]);
    assert_eq!(disk.visible()["a-000002.jsonl"], b"somebody else's\n");
}

#[test]
fn replace_removes_what_it_wrote_and_nothing_else() {
    let disk = MemoryDisk::default();
    disk.put("a-000001.jsonl", b"{\"n\":-1}\n");
    Job::new(json!({}), Mode::Append, 0..12).run(&disk, 1).unwrap();
    let replace = Job { generation: 5, ..Job::new(json!({}), Mode::Replace, 12..36) };
    replace.run(&disk, 2).unwrap();
    assert_eq!(names(&disk), ["a-000001.jsonl", "a-000003.jsonl", "a-000004.jsonl"]);
    // A generation without rows leaves nothing.
    let mut writer = Job { generation: 6, ..replace.clone() }.open(disk.clone(), Some(3)).unwrap();
    writer.prepare(&Job { generation: 6, ..replace.clone() }.plans(), false).unwrap();
    writer.commit("done", true).unwrap();
    assert_eq!(names(&disk), ["a-000001.jsonl"]);
    let older = Job { generation: 4, ..replace };
    let fault = older.open(disk, Some(4)).unwrap().prepare(&older.plans(), false).unwrap_err();
    assert!(fault.to_string().contains("generation 4 comes after generation 6"), "{fault}");
}

#[test]
fn a_generation_without_rows_empties_a_single_file() {
    let disk = MemoryDisk::default();
    let job = Job::new(json!({"single_file": true, "format": "csv"}), Mode::Replace, 0..12);
    job.run(&disk, 1).unwrap();
    let empty = Job { generation: 2, ..job };
    let mut writer = empty.open(disk.clone(), Some(2)).unwrap();
    writer.prepare(&empty.plans(), false).unwrap();
    writer.commit("done", true).unwrap();
    assert_eq!(disk.visible()["a.csv"], b"n\n");
}

#[test]
fn modes_that_files_cannot_do_are_refused_before_the_first_row() {
    for (mode, name) in [(Mode::Upsert, "upsert"), (Mode::Mirror, "mirror")] {
        let job = Job::new(json!({}), mode, 0..1);
        let mut writer = job.open(MemoryDisk::default(), Some(1)).unwrap();
        let Err(Error::Data(message)) = writer.prepare(&job.plans(), true) else {
            panic!("{name} was accepted")
        };
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn rows_that_ask_for_changes_are_refused_one_by_one() {
    let disk = MemoryDisk::default();
    let job = Job::new(json!({"format": "csv"}), Mode::Append, 0..4);
    let mut writer = job.open(disk.clone(), Some(1)).unwrap();
    writer.prepare(&job.plans(), false).unwrap();
    let schema = schema("a");
    let operations: RowOperations =
        [Operation::Insert, Operation::Update, Operation::Delete, Operation::Upsert].into_iter().collect();
    let batch = Batch::with_operations(&schema, operations, columns(0..4));
    let rejected = writer.write(0, Incoming { schema: &schema, batch }).unwrap().rejected;
    let told: Vec<_> = rejected.iter().map(|reject| (reject.row, reject.code.as_str())).collect();
    assert_eq!(told, [(1, "operation_not_supported"), (2, "operation_not_supported")]);
    writer.commit("t", true).unwrap();
    assert_eq!(visible(&disk).unwrap()["a"], [0, 3]);
}

#[test]
fn a_single_csv_file_keeps_its_columns() {
    let disk = MemoryDisk::default();
    let job = Job::new(json!({"single_file": true, "format": "csv"}), Mode::Append, 0..4);
    job.run(&disk, 1).unwrap();
    let fields = [Field::new("n", DataType::Int64), Field::new("new", DataType::Text)];
    let wider = StreamPlan {
        schema: StreamSchema::new("a", Schema::new(fields), Layout::Columns),
        mode: Mode::Append,
        generation: 0,
    };
    let mut writer = job.open(disk, Some(2)).unwrap();
    let verdicts = writer.prepare(&[wider], true).unwrap();
    assert!(
        verdicts[0]
            .fields
            .iter()
            .all(|field| matches!(&field.fate, FieldFate::Refused(why) if why.contains("`n`")))
    );
    let verdicts = writer.prepare(&job.plans(), true).unwrap();
    assert!(matches!(verdicts[0].fields[0].fate, FieldFate::Converted(_)));
}

#[test]
fn a_change_of_columns_begins_a_new_part() {
    let disk = MemoryDisk::default();
    let job = Job::new(json!({"format": "csv"}), Mode::Append, 0..4);
    let mut writer = job.open(disk.clone(), Some(1)).unwrap();
    let old = schema("a");
    let new = StreamSchema {
        version: 2,
        ..StreamSchema::new("a", Schema::new([Field::new("m", DataType::Int64)]), Layout::Columns)
    };
    for (number, schema) in [old, new].iter().enumerate() {
        let plan = StreamPlan { schema: schema.clone(), mode: Mode::Append, generation: 0 };
        writer.prepare(&[plan], false).unwrap();
        let batch = Batch::new(schema, Operation::Insert, columns(0..2));
        writer.write(number as u64, Incoming { schema, batch }).unwrap();
    }
    assert_eq!(names(&disk), Vec::<String>::new());
    writer.commit("t", true).unwrap();
    assert_eq!(disk.visible()["a-000001.csv"], b"n\n0\n1\n");
    assert_eq!(disk.visible()["a-000002.csv"], b"m\n0\n1\n");
}
