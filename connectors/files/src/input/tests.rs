use std::{fs, io::Write};

use cofferdam_sdk::Error;
use flate2::{Compression, write::GzEncoder};

use super::{ByteStream, Fingerprint, Snapshot, Unclean, Window, find};

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

fn names(pattern: &str) -> Vec<String> {
    find(pattern).unwrap().files.into_iter().map(|file| file.name).collect()
}

#[test]
fn patterns_match_parts_of_the_path_in_the_order_of_names() {
    let (_keep, path) = folder();
    for name in ["b.csv", "a.csv", "a.txt", "x/c.csv", "x/y/d.csv", ".hidden.csv", "x/.git/e.csv"] {
        let file = format!("{path}/{name}");
        fs::create_dir_all(std::path::Path::new(&file).parent().unwrap()).unwrap();
        fs::write(file, "a\n1\n").unwrap();
    }
    assert_eq!(names(&format!("{path}/*.csv")), ["a.csv", "b.csv"]);
    assert_eq!(names(&format!("{path}/**/*.csv")), ["a.csv", "b.csv", "x/c.csv", "x/y/d.csv"]);
    assert_eq!(names(&format!("{path}/?/*.csv")), ["x/c.csv"]);
    assert_eq!(names(&format!("{path}/x/[a-c].csv")), ["c.csv"]);
    assert_eq!(names(&format!("{path}/*/y/d.csv")), ["x/y/d.csv"]);
    assert_eq!(names(&format!("{path}/a.csv")), ["a.csv"]);
    assert!(matches!(find(&format!("{path}/*.parquet")), Err(Error::Data(_))));
    assert!(matches!(find(&format!("{path}/../*.csv")), Err(Error::Config(_))));
    assert!(matches!(find("/no-such-directory/*.csv"), Err(Error::Denied(_))));
}

#[test]
fn a_fingerprint_tells_growth_from_rewriting() {
    let (_keep, path) = folder();
    let file = format!("{path}/f");
    fs::write(&file, vec![b'x'; 10_000]).unwrap();
    let mark = Fingerprint::of(&file, 10_000).unwrap();
    let mut grown = vec![b'x'; 10_000];
    grown.extend(b"more");
    fs::write(&file, &grown).unwrap();
    assert!(mark.still_holds(&file).unwrap());
    grown[9_999] = b'y';
    fs::write(&file, &grown).unwrap();
    assert!(!mark.still_holds(&file).unwrap());
    fs::write(&file, b"x").unwrap();
    assert!(!mark.still_holds(&file).unwrap());
}

#[test]
fn a_window_moves_over_all_bytes_and_grows_for_long_rows() {
    let (_keep, path) = folder();
    let bytes: Vec<u8> = (0..900_000_u32).map(|number| b'a' + (number % 26) as u8).collect();
    let file = format!("{path}/f.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&bytes[..500_000]).unwrap();
    let mut members = packed.finish().unwrap();
    let mut packed = GzEncoder::new(&mut members, Compression::fast());
    packed.write_all(&bytes[500_000..]).unwrap();
    packed.finish().unwrap();
    fs::write(&file, members).unwrap();
    let mut window = Window::new(ByteStream::open(&file, true).unwrap());
    let mut read = Vec::new();
    while window.fill().unwrap() {
        let some = window.bytes().len() / 3;
        read.extend_from_slice(&window.bytes()[..some]);
        window.consume(some);
    }
    read.extend_from_slice(window.bytes());
    assert!(read == bytes, "the bytes differ");
    window.skip_to(10).unwrap_err();
    let mut window = Window::new(ByteStream::open(&file, true).unwrap());
    window.skip_to(499_999).unwrap();
    window.fill().unwrap();
    assert_eq!((window.offset(), &window.bytes()[..4]), (499_999, &bytes[499_999..500_003]));
}

#[test]
fn bytes_that_are_no_text_are_found_once_and_at_their_place() {
    let (_keep, path) = folder();
    let file = format!("{path}/f");
    fs::write(&file, b"good\nb\xffd\nnul\0\n\xc3\xa4\n").unwrap();
    let mut window = Window::new(ByteStream::open(&file, false).unwrap());
    window.fill().unwrap();
    let mut faults = Vec::new();
    for length in [5, 4, 5, 3] {
        faults.push(window.check_text(length));
        window.consume(length);
    }
    assert_eq!(faults, [Ok(()), Err(Unclean::NotUtf8(1)), Err(Unclean::Nul(3)), Ok(())]);
}

#[test]
fn a_file_that_shrinks_or_changes_is_an_error_that_time_heals() {
    let (_keep, path) = folder();
    let file = format!("{path}/f");
    fs::write(&file, vec![b'x'; 1000]).unwrap();
    let mut stream = ByteStream::open(&file, false).unwrap();
    stream.skip_to(500).unwrap();
    fs::write(&file, vec![b'x'; 400]).unwrap();
    assert!(
        matches!(stream.read(&mut [0; 10]), Err(Error::Transient(hint)) if hint.message.contains("changed"))
    );
    let before = Snapshot::of(&file).unwrap();
    fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(b"more").unwrap();
    assert!(matches!(before.verify(&file, false), Err(Error::Transient(_))));
    assert_eq!(before.verify(&file, true), Ok(()));
    fs::remove_file(&file).unwrap();
    assert!(matches!(before.verify(&file, true), Err(Error::Transient(_))));
}

#[test]
fn broken_gzip_is_told_from_a_file_that_changes() {
    let (_keep, path) = folder();
    let file = format!("{path}/f.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&[b'x'; 5000]).unwrap();
    let packed = packed.finish().unwrap();
    let read = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let mut window = Window::new(ByteStream::open(&file, true).unwrap());
        window.fill().and_then(|_| window.fill())
    };
    let Err(Error::Data(message)) = read(&packed[..packed.len() - 12]) else { panic!("a cut file was read") };
    assert!(message.contains("cut off"), "{message}");
    let Err(Error::Data(message)) = read(b"not gzip at all") else { panic!("a wrong file was read") };
    assert!(message.contains("no sound gzip"), "{message}");
    assert_eq!(read(b""), Ok(false));
}
