use super::conformance::{chunk, conformance, prepared};
use super::{Amendment, DirectoryRecords, MemoryRecords, RunRecords};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

#[tokio::test]
async fn records_in_memory_keep_every_promise() {
    conformance(async || Arc::new(MemoryRecords::new()) as Arc<dyn RunRecords>).await;
}

#[tokio::test]
async fn records_in_a_directory_keep_every_promise() {
    let folder = TempDir::new().unwrap();
    let place = |number: usize| folder.path().join(format!("not/there/yet/{number}"));
    let used = std::cell::Cell::new(0);
    conformance(async || {
        used.set(used.get() + 1);
        Arc::new(DirectoryRecords::new(place(used.get()))) as Arc<dyn RunRecords>
    })
    .await;
}

fn only_unit_file(root: &Path) -> std::path::PathBuf {
    fs::read_dir(root.join("sync/units")).unwrap().next().unwrap().unwrap().path()
}

#[tokio::test]
async fn records_survive_the_process_and_lock_out_others() {
    let folder = TempDir::new().unwrap();
    let first = DirectoryRecords::new(folder.path());
    let ticket = first.begin("sync").await.unwrap();
    first.prepare(&ticket, "u/ü", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    let second = DirectoryRecords::new(folder.path());
    assert_eq!(second.begin("sync").await.unwrap_err().code(), "CD0730");
    drop(first);
    let ticket = second.begin("sync").await.unwrap();
    assert_eq!(ticket.run, 2);
    assert_eq!(
        second.unit(&ticket, "u/ü").await.unwrap().prepared,
        Some(prepared("t1", "1", vec![chunk(0)]))
    );
}

#[tokio::test]
async fn a_commit_cut_off_between_its_files_is_repeated_without_a_double() {
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path());
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    let unit = only_unit_file(folder.path());
    let before = fs::read(&unit).unwrap();
    records.commit(&ticket, "u", "t1", Amendment::default()).await.unwrap();
    fs::write(&unit, before).unwrap();
    records.commit(&ticket, "u", "t1", Amendment::default()).await.unwrap();
    assert_eq!(records.row_errors("sync", 1, 0, 9).await.unwrap(), [chunk(0)]);
    assert_eq!(records.unit(&ticket, "u").await.unwrap().streams["s"].read, 10);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_named_and_not_guessed_at() {
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path());
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![])).await.unwrap();
    let unit = only_unit_file(folder.path());
    for (content, part) in
        [("{", "EOF"), ("{\"format\":2}", "format 2"), ("{\"format\":1,\"commits\":-1}", "invalid")]
    {
        fs::write(&unit, content).unwrap();
        let error = records.unit(&ticket, "u").await.unwrap_err();
        assert_eq!(error.code(), "CD0733");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = DirectoryRecords::new(&file).begin("sync").await.unwrap_err();
    assert_eq!(error.code(), "CD0732");
    assert!(error.to_string().contains("file"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_rows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path().join("r"));
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&only_unit_file(&folder.path().join("r"))), 0o600);
    assert_eq!(mode(&folder.path().join("r/sync")), 0o700);
}

#[tokio::test]
async fn names_of_syncs_and_units_never_meet_and_never_leave_the_folder() {
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path().join("r"));
    let long = "x".repeat(300);
    let longer = "x".repeat(301);
    let names = ["..", "a/b", "a%2fb", "A", "a", "", long.as_str(), longer.as_str(), "é"];
    for name in names {
        let ticket = records.begin(name).await.unwrap();
        assert_eq!(ticket.run, 1, "{name}");
        records.prepare(&ticket, name, prepared("t", "1", vec![])).await.unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
