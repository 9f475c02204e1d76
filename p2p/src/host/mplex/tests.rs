// p2p/src/host/mplex/tests.rs - two sessions that are each other's peer, and peers that keep to nothing.

use std::io;
use std::task::{Context, Poll};

use futures::task::noop_waker_ref;

use super::frames::{put_frame, Id, Kind};
use super::session::{Session, MAX_UNREAD};

fn cx() -> Context<'static> {
    Context::from_waker(noop_waker_ref())
}

/// A stream of the peer's, as we see it.
fn theirs(number: u64) -> Id {
    Id { number, ours: false }
}

/// The bytes that a peer sends on its own stream.
fn frames(parts: &[(u64, Kind, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, kind, data) in parts {
        put_frame(Id { number: *number, ours: true }, *kind, data, &mut out);
    }
    out
}

/// Passes on what there is room for, until nothing moves.
fn exchange(a: &mut Session, b: &mut Session) {
    fn pass(from: &mut Session, to: &mut Session) {
        let now = from.to_send().len().min(to.room());
        to.take_in(&from.to_send()[..now]).unwrap();
        from.sent(now);
    }
    for _ in 0..1000 {
        pass(a, b);
        pass(b, a);
    }
}

fn write(session: &mut Session, id: Id, data: &[u8]) -> Poll<usize> {
    session.write(id, data, &cx()).map(|written| written.expect("it can be written to"))
}

fn read(session: &mut Session, id: Id) -> Poll<io::Result<Vec<u8>>> {
    let mut buffer = vec![0; 100_000];
    session.read(id, &mut buffer, &cx()).map_ok(|got| buffer[..got].to_vec())
}

fn read_all(session: &mut Session, id: Id) -> Vec<u8> {
    match read(session, id) {
        Poll::Ready(Ok(data)) => data,
        other => panic!("nothing to read: {other:?}"),
    }
}

#[test]
fn bytes_cross_both_ways_and_both_ends_are_seen() {
    let (mut a, mut b) = (Session::new(8), Session::new(8));
    let ours = a.open(&cx()).unwrap();
    assert_eq!(write(&mut a, ours, b"question"), Poll::Ready(8));
    assert!(a.finish(ours, &cx()).is_pending(), "until it is sent");
    exchange(&mut a, &mut b);
    assert!(matches!(a.finish(ours, &cx()), Poll::Ready(Ok(()))));
    let there = b.accept().unwrap();
    assert_eq!(b.accept(), None);
    assert_eq!(read_all(&mut b, there), b"question");
    assert_eq!(read_all(&mut b, there), b"", "the end");
    assert_eq!(write(&mut b, there, b"answer"), Poll::Ready(6));
    assert!(read(&mut a, ours).is_pending());
    exchange(&mut a, &mut b);
    assert_eq!(read_all(&mut a, ours), b"answer");
    assert!(read(&mut a, ours).is_pending());
    assert!(a.write(ours, b"more", &cx()).map(|w| w.is_err()) == Poll::Ready(true), "it is finished");
}

#[test]
fn a_stream_that_is_dropped_is_reset_after_what_was_sent() {
    let (mut a, mut b) = (Session::new(8), Session::new(8));
    let ours = a.open(&cx()).unwrap();
    assert_eq!(write(&mut a, ours, b"half"), Poll::Ready(4));
    a.forget(ours);
    exchange(&mut a, &mut b);
    let there = b.accept().unwrap();
    assert_eq!(read_all(&mut b, there), b"half");
    assert!(matches!(read(&mut b, there), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset));
    assert!(matches!(b.write(there, b"x", &cx()), Poll::Ready(Err(_))));
}

#[test]
fn streams_of_both_sides_with_one_number_are_two() {
    let (mut a, mut b) = (Session::new(8), Session::new(8));
    let (from_a, from_b) = (a.open(&cx()).unwrap(), b.open(&cx()).unwrap());
    assert_eq!(write(&mut a, from_a, b"of a"), Poll::Ready(4));
    assert_eq!(write(&mut b, from_b, b"of b"), Poll::Ready(4));
    exchange(&mut a, &mut b);
    assert_eq!(read_all(&mut b, theirs(0)), b"of a");
    assert_eq!(read_all(&mut a, theirs(0)), b"of b");
    assert!(read(&mut a, from_a).is_pending());
}

#[test]
fn a_large_frame_is_taken_piece_by_piece_and_no_more_than_there_is_room_for() {
    let mut session = Session::new(8);
    let sent: Vec<u8> = (0..1024 * 1024).map(|n| (n % 251) as u8).collect();
    let bytes = frames(&[(0, Kind::Open, b""), (0, Kind::Data, &sent)]);
    let (mut at, mut got) = (0, Vec::new());
    while got.len() < sent.len() {
        let now = session.room().min(bytes.len() - at);
        session.take_in(&bytes[at..at + now]).unwrap();
        at += now;
        assert!(at - got.len() <= MAX_UNREAD + 32);
        if at < bytes.len() {
            assert_eq!(session.room(), MAX_UNREAD.min(MAX_UNREAD + got.len() + 6 - at));
        }
        got.extend(read_all(&mut session, theirs(0)));
    }
    assert_eq!(got, sent);
}

#[test]
fn a_full_connection_is_asked_for_more_when_it_has_been_read_from() {
    let mut session = Session::new(8);
    session.take_in(&frames(&[(0, Kind::Open, b""), (1, Kind::Open, b"")])).unwrap();
    let half = vec![1; MAX_UNREAD / 2];
    session.take_in(&frames(&[(0, Kind::Data, &half), (1, Kind::Data, &half)])).unwrap();
    assert_eq!(session.room(), 0);
    assert!(!session.has_work());
    assert_eq!(read_all(&mut session, theirs(0)).len(), half.len());
    assert!(session.has_work());
    assert_eq!(session.room(), half.len());
    assert!(!session.has_work(), "it has been asked for");
}

#[test]
fn what_a_dropped_stream_held_is_free_and_the_rest_of_its_frame_is_passed_over() {
    let mut session = Session::new(8);
    let bytes = frames(&[(0, Kind::Open, b""), (0, Kind::Data, &[1; 1000]), (1, Kind::Open, b""), (1, Kind::Data, b"x")]);
    session.take_in(&bytes[..500]).unwrap();
    assert!(session.room() < MAX_UNREAD);
    session.forget(theirs(0));
    assert_eq!(session.room(), MAX_UNREAD);
    session.take_in(&bytes[500..]).unwrap();
    assert_eq!(read_all(&mut session, theirs(1)), b"x");
    assert_eq!(session.room(), MAX_UNREAD);
}

#[test]
fn too_many_streams_are_refused_and_who_reads_no_refusal_is_cut_off() {
    let mut session = Session::new(2);
    session.take_in(&frames(&[(0, Kind::Open, b""), (1, Kind::Open, b"name"), (2, Kind::Open, b"")])).unwrap();
    assert_eq!([session.accept(), session.accept(), session.accept()], [Some(theirs(0)), Some(theirs(1)), None]);
    let mut refusal = Vec::new();
    put_frame(theirs(2), Kind::Reset, b"", &mut refusal);
    assert_eq!(session.to_send(), refusal);
    assert!(session.open(&cx()).is_none(), "ours count too");
    session.forget(theirs(0));
    assert!(session.open(&cx()).is_some());
    let endless = (3..200_000).find(|number| session.take_in(&frames(&[(*number, Kind::Open, b"")])).is_err());
    assert!(endless.is_some());
    assert!(session.to_send().len() < 200_000);
}

#[test]
fn a_stream_opened_twice_ends_the_connection() {
    let mut session = Session::new(8);
    assert!(session.take_in(&frames(&[(0, Kind::Open, b""), (0, Kind::Open, b"")])).is_err());
}

#[test]
fn a_writer_waits_while_the_peer_does_not_read() {
    let (mut a, mut b) = (Session::new(8), Session::new(8));
    let ours = a.open(&cx()).unwrap();
    let mut written = 0;
    while let Poll::Ready(now) = write(&mut a, ours, &[7; 10_000]) {
        written += now;
        assert!(written < 1_000_000);
    }
    exchange(&mut a, &mut b);
    let mut got = 0;
    for _ in 0..100 {
        while let Poll::Ready(Ok(data)) = read(&mut b, theirs(0)) {
            got += data.len();
        }
        exchange(&mut a, &mut b);
    }
    assert_eq!(got, written);
    assert!(write(&mut a, ours, b"again").is_ready());
}

#[test]
fn an_ended_connection_ends_its_streams() {
    let mut session = Session::new(8);
    session.take_in(&frames(&[(0, Kind::Open, b""), (0, Kind::Data, b"last")])).unwrap();
    session.fail(io::ErrorKind::UnexpectedEof);
    assert_eq!(read_all(&mut session, theirs(0)), b"last");
    assert!(matches!(read(&mut session, theirs(0)), Poll::Ready(Err(_))));
    assert!(matches!(session.write(theirs(0), b"x", &cx()), Poll::Ready(Err(_))));
}

/// Any bytes, with whatever done to the streams meanwhile: no panic, and the bounds hold.
#[test]
fn random_bytes_and_calls_break_no_bound() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for _ in 0..300 {
        let (mut session, mut held) = (Session::new(4), Vec::new());
        for _ in 0..300 {
            let kinds = [Kind::Open, Kind::Data, Kind::Close, Kind::Reset];
            let mut bytes = Vec::new();
            let id = Id { number: random(6), ours: random(2) == 0 };
            put_frame(id, kinds[random(4) as usize], &vec![1; random(3000) as usize], &mut bytes);
            if random(200) == 0 {
                bytes = (0..50).map(|_| random(256) as u8).collect();
            }
            bytes.truncate(session.room());
            if session.take_in(&bytes).is_err() {
                break;
            }
            held.extend(session.accept());
            if random(4) == 0 {
                held.extend(session.open(&cx()));
            }
            if let Some(&id) = held.get(random(8) as usize) {
                match random(6) {
                    0 => held.retain(|other| *other != id || { session.forget(id); false }),
                    1 => drop(session.finish(id, &cx())),
                    2 => drop(session.write(id, &[1; 100], &cx())),
                    _ => drop(read(&mut session, id)),
                }
            }
            let sent = random(1 + session.to_send().len() as u64) as usize;
            session.sent(sent);
            assert!(session.room() <= MAX_UNREAD && held.len() <= 4);
        }
        held.into_iter().for_each(|id| session.forget(id));
        while let Some(id) = session.accept() {
            session.forget(id);
        }
        assert_eq!(session.room(), MAX_UNREAD, "nothing is kept for nobody");
    }
}
