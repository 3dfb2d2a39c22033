//! A replay that leaves its recording: it says so once, and what it goes on with is the same each time.

use std::fs;

use cassette::{Error, Player};

use crate::{asked, exchanged, folder, played, played_by, recorder, recording};

const MIB: usize = 1 << 20;

#[test]
fn an_instance_that_was_not_recorded_has_a_time_and_a_chance_of_its_own_in_each_replay() {
    let folder = folder();
    let recorder = recorder(folder.path());
    drop(recording(&recorder, ""));
    recorder.finish(1, true).unwrap();
    let (one, again) = (played(folder.path(), "new").unwrap(), played(folder.path(), "new").unwrap());
    let (other, recorded) = (played(folder.path(), "other").unwrap(), played(folder.path(), "").unwrap());
    assert_eq!(one.seed(), again.seed());
    assert!(one.seed() != other.seed() && one.seed() != recorded.seed());
    assert_eq!([one.wall_ms(), again.wall_ms()], [1_001; 2], "the recording began at 1,000");
}

#[test]
fn what_led_off_first_is_what_is_told() {
    let folder = folder();
    let recorder = recorder(folder.path());
    drop(recording(&recorder, ""));
    recorder.finish(1, true).unwrap();
    let player = Player::open(folder.path()).unwrap();
    let tape = played_by(&player, "").unwrap();
    for request in ["first", "second"] {
        tape.note(Error::Unmatched { request: request.to_owned(), differs: Vec::new() });
    }
    for fault in [tape.fault(), player.fault()] {
        assert!(matches!(&fault, Some(Error::Unmatched { request, .. }) if request == "first"), "{fault:?}");
    }
}

#[test]
fn a_tape_that_is_damaged_ends_the_whole_replay() {
    let folder = folder();
    let recorder = recorder(folder.path());
    drop(recording(&recorder, ""));
    recorder.finish(1, true).unwrap();
    fs::remove_file(folder.path().join("source/source.open.1/tape.jsonl")).unwrap();
    let player = Player::open(folder.path()).unwrap();
    assert!(player.fault().is_none());
    assert_eq!(played_by(&player, "").err().unwrap().code(), "CD0853");
    assert_eq!(player.fault().unwrap().code(), "CD0853");
}

/// The differences from the nearest of these recordings, which were made in this order.
fn differences(was: &[(&str, &[u8])], told: Option<usize>, is: (&str, &[u8])) -> Vec<String> {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    let request = |(url, body): (&str, &[u8])| asked("PUT", url, &[], body);
    for one in was {
        exchanged(&tape, &request(*one), one.1, &[]);
    }
    drop(tape);
    recorder.finish(1, true).unwrap();
    let tape = played(folder.path(), "").unwrap();
    if let Some(told) = told.and_then(|told| was.get(told)) {
        tape.answer(&request(*told)).unwrap();
    }
    match tape.answer(&request(is)).err() {
        Some(Error::Unmatched { differs, .. }) => differs,
        error => panic!("{error:?}"),
    }
}

#[test]
fn of_recordings_that_are_as_near_the_one_that_was_not_told_yet_is_shown() {
    let was = [("http://a.test/?page=1", &b""[..]), ("http://a.test/?page=2", b"")];
    for (told, shown) in [(None, "0001.json"), (Some(0), "0002.json"), (Some(1), "0001.json")] {
        let differs = differences(&was, told, ("http://a.test/?page=3", b""));
        assert!(differs[0].contains(shown), "{differs:?}");
    }
}

#[test]
fn bodies_that_part_far_behind_say_behind_which_byte() {
    let body = |last: &[u8]| [vec![b'x'; MIB].as_slice(), last].concat();
    let differs = differences(&[("http://a.test/", &body(b"y"))], None, ("http://a.test/", &body(b"z")));
    assert_eq!(differs[1], "the body (of 1048577 bytes) behind byte 1048576");
}

#[test]
fn another_host_is_farther_than_another_path_with_another_query() {
    let was = [("http://b.test/items?page=1", &b""[..]), ("http://a.test/other?page=2", b"")];
    let differs = differences(&was, None, ("http://a.test/items?page=1", b""));
    assert!(differs[0].contains("0002.json"), "{differs:?}");
}

#[test]
fn what_is_long_or_said_several_times_is_shown_in_short() {
    let was = [("http://a.test/?tag=1&tag=2", &b""[..])];
    let differs = differences(&was, None, ("http://a.test/?tag=1&tag=3", b""));
    assert_eq!(differs[1], "the query parameter `tag`: `1, 2` recorded, `1, 3` now");
    let long = format!("http://a.test/?tag={}", "t".repeat(81));
    let differs = differences(&was, None, (&long, b""));
    let shown = "t".repeat(80);
    assert_eq!(differs[1], format!("the query parameter `tag`: `1, 2` recorded, `{shown}…` now"));
}

#[test]
fn a_body_that_shrinks_while_it_is_told_is_damaged() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    let request = asked("GET", "http://a.test/", &[], b"");
    exchanged(&tape, &request, b"", &[&[0xff; 3_000], &[0xff; 3_000]]);
    drop(tape);
    recorder.finish(1, true).unwrap();
    let tape = played(folder.path(), "").unwrap();
    let (_, mut body) = tape.answer(&request).unwrap().response.unwrap();
    assert_eq!(body.part().unwrap().map(|part| part.len()), Some(3_000));
    let file = folder.path().join("source/source.open.1/0001.response");
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len(4_000).unwrap();
    let error = body.part().unwrap_err();
    assert!(error.code() == "CD0853" && error.to_string().contains("ends before its end"), "{error}");
}
