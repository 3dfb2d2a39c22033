//! The other direction: what a worker makes of a parent that says what none says. It ends, or answers that it has nothing of the
//! kind; it does not wait for ever and does not take a name for another.

use pipeline::failure::Cause;
use pipeline::model::PageBudget;
use proptest::prelude::*;
use runtime::Limits;
use serde_bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::serve;
use crate::frame::{Broken, FRAME_BYTES_MAX, decoded, encoded, read};
use crate::message::{Beginning, Call, PartOf, Piece, Refusal, Setup, ToParent, ToWorker, VERSION};
use crate::walls::{Wall, Walls};

/// A worker in a task, and the parent's end of its socket.
struct Started {
    parent: UnixStream,
    ended: JoinHandle<Result<(), Broken>>,
}

impl Started {
    async fn new() -> Self {
        let (mut parent, socket) = UnixStream::pair().unwrap();
        let setup = Setup {
            version: VERSION,
            directories: Vec::new(),
            memory_bytes: 1 << 30,
            pooled: false,
            live_instances: 1,
            guest_threads: 1,
            ceilings: Limits::ceilings(),
            code_key: [0; runtime::CODE_KEY_BYTES],
        };
        let walls = Walls { resources: Wall::Holds, files: Wall::Holds, calls: Wall::Holds };
        let ended = tokio::spawn(serve(socket, setup, walls));
        let ready = read(&mut parent).await.unwrap();
        assert!(matches!(decoded(&ready).unwrap(), ToParent::Ready { version: VERSION, .. }));
        Self { parent, ended }
    }

    async fn says(&mut self, message: &ToWorker<'_, '_>) {
        self.parent.write_all(&encoded(message).unwrap()).await.unwrap();
    }

    /// The cause of the failure that the next reply is.
    async fn hears_failure(&mut self, expected: u64) -> Cause {
        let frame = read(&mut self.parent).await.unwrap();
        match decoded(&frame).unwrap() {
            ToParent::Reply { call, outcome, .. } if call == expected => outcome.unwrap_err().cause,
            other => panic!("{other:?}"),
        }
    }
}

fn head(bytes: usize) -> Vec<u8> {
    u32::try_from(bytes).unwrap().to_le_bytes().to_vec()
}

#[tokio::test]
async fn a_parent_that_says_what_none_says_ends_its_worker() {
    let behind = {
        let mut frame = encoded(&ToWorker::Close { handle: 1 }).unwrap();
        frame.push(0);
        frame[0] += 1;
        frame
    };
    for (what, bytes, expected) in [
        ("a frame over the cap", head(FRAME_BYTES_MAX + 1), Some("at most 41943040 are allowed")),
        ("the longest length there is", vec![0xff; 4], Some("at most 41943040 are allowed")),
        ("an empty frame", head(0), Some("is no message")),
        ("a frame of garbage", [head(3), vec![200, 1, 2]].concat(), Some("is no message")),
        ("bytes behind a message", behind, Some("1 bytes behind its message")),
        // As when the parent dies: there is nobody to tell.
        ("half a frame, and the end", [head(10), vec![0; 3]].concat(), None),
        ("half a length, and the end", vec![1, 0], None),
        ("the end", Vec::new(), None),
    ] {
        let mut started = Started::new().await;
        started.parent.write_all(&bytes).await.unwrap();
        started.parent.shutdown().await.unwrap();
        let ended = started.ended.await.unwrap();
        match (ended, expected) {
            (Ok(()), None) => {}
            (Err(broken), Some(words)) => assert!(broken.to_string().contains(words), "{what}: {broken}"),
            (ended, _) => panic!("{what}: {ended:?}"),
        }
    }
}

#[tokio::test]
async fn what_a_worker_does_not_have_is_no_other_thing() {
    let mut started = Started::new().await;
    let refusal = || Refusal::of_guest(String::new());
    for message in [
        ToWorker::Close { handle: 9 },
        ToWorker::Stop { connection: 9 },
        ToWorker::CutOff { connection: 9 },
        ToWorker::Unbind { connection: 9 },
        ToWorker::Abandon { call: 9 },
        ToWorker::Pull { request: 9 },
        ToWorker::Dropped { request: 9 },
        ToWorker::Answered { request: 9, answer: Err(refusal()) },
        ToWorker::Piece { request: 9, piece: Piece::End },
        ToWorker::Part { component: 9, of: PartOf::Code, bytes: Bytes::new(b"code") },
    ] {
        started.says(&message).await;
    }
    let bind = Call::Bind {
        component: 9,
        config: "{}".into(),
        limits: Box::new(Limits::defaults()),
        directories: Vec::new(),
    };
    let next = Call::Next { handle: 9, budget: PageBudget { max_rows: 1, max_bytes: 1, deadline_ms: 1 } };
    for (call, what) in [(1, Call::SourceCheck), (2, next), (3, bind)] {
        started.says(&ToWorker::Call { call, connection: 9, what }).await;
        let cause = started.hears_failure(call).await;
        assert!(matches!(cause, Cause::Host(_)), "{call}: {cause}");
    }
    // Of this one came code and no component.
    started.says(&ToWorker::Call { call: 4, connection: 9, what: Call::Load { component: 9 } }).await;
    let cause = started.hears_failure(4).await;
    assert!(matches!(&cause, Cause::Load { code, .. } if code == "CD0401"), "{cause}");
    drop(started.parent);
    started.ended.await.unwrap().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever comes is a message, or is refused: on both sides, and in the first frame.
    #[test]
    fn no_bytes_bring_a_reader_of_frames_down(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        kind in 0_u8..24,
        is_of_a_kind in any::<bool>(),
    ) {
        // Most of what is random names no message.
        let bytes = if is_of_a_kind { [vec![kind], bytes].concat() } else { bytes };
        // A message that is read is one that can be said.
        if let Ok(message) = decoded::<ToWorker<'_, '_>>(&bytes) {
            encoded(&message).unwrap();
        }
        if let Ok(message) = decoded::<ToParent>(&bytes) {
            encoded(&message).unwrap();
        }
        if let Ok(beginning) = decoded::<Beginning>(&bytes) {
            encoded(&beginning).unwrap();
        }
    }
}
