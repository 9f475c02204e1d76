// p2p/tests/streams.rs - raw streams: credit, back-pressure, half-close, reset, limits, and the named failures to open.

mod support;

use std::time::Duration;

use noroshi_p2p::host::{Event, Refusal, StreamEnd, MAX_STREAMS, MAX_STREAM_BYTES, MAX_STREAM_QUEUE};
use support::{connect, Node, ECHO};

const SECOND: Duration = Duration::from_secs(1);
const PLENTY: u64 = 1 << 30;

fn wait_in(node: &Node) -> u64 {
    node.wait("STREAM_IN", |event| match event {
        Event::StreamIn { id, protocol, .. } if protocol == ECHO => Some(*id),
        _ => None,
    })
}

fn wait_open(node: &Node, stream: u64) {
    node.wait("STREAM_OPEN", |event| match event {
        Event::StreamOpen { id, .. } if *id == stream => Some(()),
        _ => None,
    });
}

fn wait_eof(node: &Node, stream: u64) {
    node.wait("STREAM_EOF", |event| match event {
        Event::StreamEof { id } if *id == stream => Some(()),
        _ => None,
    });
}

fn wait_end(node: &Node, stream: u64) -> StreamEnd {
    node.wait("STREAM_END", |event| match event {
        Event::StreamEnd { id, end, .. } if *id == stream => Some(*end),
        _ => None,
    })
}

/// The next `size` bytes of a stream.
fn read(node: &Node, stream: u64, size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < size {
        bytes.extend(node.wait("STREAM_DATA", |event| match event {
            Event::StreamData { id, data } if *id == stream => Some(data.clone()),
            _ => None,
        }));
    }
    assert_eq!(bytes.len(), size);
    bytes
}

fn has_data(node: &Node, stream: u64) -> bool {
    node.has(|event| matches!(event, Event::StreamData { id, .. } if *id == stream))
}

/// Two connected hosts of which the second accepts ECHO.
fn pair(max_concurrent: u32) -> (Node, Node) {
    let (a, b) = (Node::start(), Node::start());
    b.host.accept_protocol(ECHO, max_concurrent).unwrap();
    connect(&a, &b);
    (a, b)
}

/// A stream from `a` to `b`, by both of its ids.
fn open(a: &Node, b: &Node, id: u64) -> (u64, u64) {
    a.host.open_stream(id, &b.id(), ECHO, SECOND * 10).unwrap();
    wait_open(a, id);
    (id, wait_in(b))
}

#[test]
fn a_request_and_its_answer_with_half_close() {
    let (a, b) = pair(4);
    // All at once, before the stream is open, as a request is made.
    a.host.open_stream(1, &b.id(), ECHO, SECOND * 10).unwrap();
    a.host.write_stream(1, b"ask").unwrap();
    a.host.finish_stream(1).unwrap();
    a.host.credit_stream(1, PLENTY).unwrap();
    let theirs = wait_in(&b);
    assert!(theirs >= 1 << 32);
    b.host.credit_stream(theirs, PLENTY).unwrap();
    assert_eq!(read(&b, theirs, 3), b"ask");
    wait_eof(&b, theirs);
    b.host.write_stream(theirs, b"answer").unwrap();
    b.host.finish_stream(theirs).unwrap();
    assert_eq!(read(&a, 1, 6), b"answer");
    wait_eof(&a, 1);
    assert_eq!(wait_end(&a, 1), StreamEnd::Clean);
    assert_eq!(wait_end(&b, theirs), StreamEnd::Clean);
}

#[test]
fn nothing_is_read_without_credit_and_never_more_than_it() {
    let (a, b) = pair(4);
    let (ours, theirs) = open(&a, &b, 1);
    a.host.write_stream(ours, b"0123456789").unwrap();
    // A second stream that went all the way: the first one's bytes are there by now.
    let (second, marker) = open(&a, &b, 2);
    a.host.write_stream(second, b"x").unwrap();
    b.host.credit_stream(marker, 10).unwrap();
    read(&b, marker, 1);
    assert!(!has_data(&b, theirs));
    b.host.credit_stream(theirs, 3).unwrap();
    assert_eq!(read(&b, theirs, 3), b"012");
    b.settle();
    assert!(!has_data(&b, theirs));
    b.host.credit_stream(theirs, 7).unwrap();
    assert_eq!(read(&b, theirs, 7), b"3456789");
}

#[test]
fn a_reader_without_credit_holds_the_writer_back() {
    let (a, b) = pair(4);
    let (ours, theirs) = open(&a, &b, 1);
    let chunk = vec![7; 64 * 1024];
    let mut taken = 0;
    // A refusal that comes once could be the network thread being behind; it counts when nothing moves any more.
    let refused = loop {
        match a.host.write_stream(ours, &chunk) {
            Ok(()) => taken += 1,
            Err(refusal) => {
                let moves = |event: &Event| matches!(event, Event::StreamWritable { id } if *id == ours).then_some(());
                if a.wait_for(SECOND / 2, &moves).is_none() {
                    break refusal;
                }
            }
        }
        assert!(taken < 200, "12 MB went into a stream that nobody reads");
    };
    assert_eq!(refused, Refusal::Busy);
    assert!(taken >= MAX_STREAM_QUEUE);
    b.host.credit_stream(theirs, PLENTY).unwrap();
    read(&b, theirs, taken * chunk.len());
    a.wait("STREAM_WRITABLE", |event| match event {
        Event::StreamWritable { id } if *id == ours => Some(()),
        _ => None,
    });
    a.host.write_stream(ours, b"again").unwrap();
    assert_eq!(read(&b, theirs, 5), b"again");
}

#[test]
fn the_largest_write_arrives_whole() {
    let (a, b) = pair(4);
    let (ours, theirs) = open(&a, &b, 1);
    let data: Vec<u8> = (0..MAX_STREAM_BYTES).map(|i| (i % 251) as u8).collect();
    assert_eq!(a.host.write_stream(ours, &[0; MAX_STREAM_BYTES + 1]), Err(Refusal::TooLarge));
    assert_eq!(a.host.write_stream(ours, &[]), Err(Refusal::Invalid));
    a.host.write_stream(ours, &data).unwrap();
    b.host.credit_stream(theirs, PLENTY).unwrap();
    assert!(read(&b, theirs, data.len()) == data);
}

#[test]
fn no_write_after_finish() {
    let (a, b) = pair(4);
    let (ours, _) = open(&a, &b, 1);
    a.host.finish_stream(ours).unwrap();
    assert_eq!(a.host.write_stream(ours, b"x"), Err(Refusal::Stopped));
    assert_eq!(a.host.finish_stream(ours), Ok(()));
}

#[test]
fn reset_ends_both_sides_and_frees_the_id() {
    let (a, b) = pair(4);
    let (ours, theirs) = open(&a, &b, 1);
    b.host.reset_stream(theirs).unwrap();
    assert_eq!(wait_end(&b, theirs), StreamEnd::Cancelled);
    a.host.credit_stream(ours, PLENTY).unwrap();
    // Reading, a reset looks like the end; the next write says what it was.
    wait_eof(&a, ours);
    a.host.write_stream(ours, b"x").unwrap();
    assert_eq!(wait_end(&a, ours), StreamEnd::Reset);
    assert_eq!(a.host.write_stream(ours, b"x"), Err(Refusal::NotFound));
    open(&a, &b, 1);
}

#[test]
fn a_peer_without_the_protocol_is_named_unsupported() {
    let (a, b) = pair(4);
    a.host.open_stream(1, &b.id(), "/no/such/1", SECOND * 10).unwrap();
    assert_eq!(wait_end(&a, 1), StreamEnd::Unsupported);
    open(&a, &b, 2);
}

#[test]
fn a_stream_to_a_stranger_is_named_not_connected() {
    let (a, b) = (Node::start(), Node::start());
    a.host.open_stream(1, &b.id(), ECHO, SECOND).unwrap();
    assert_eq!(wait_end(&a, 1), StreamEnd::NotConnected);
}

#[test]
fn the_end_of_the_connection_ends_its_streams() {
    let (a, b) = pair(4);
    let (ours, theirs) = open(&a, &b, 1);
    a.host.disconnect(&b.id()).unwrap();
    assert_eq!(wait_end(&a, ours), StreamEnd::Reset);
    assert_eq!(wait_end(&b, theirs), StreamEnd::Reset);
}

#[test]
fn more_streams_than_accepted_are_refused_and_counted() {
    let (a, b) = pair(1);
    let (_, first) = open(&a, &b, 1);
    a.host.open_stream(2, &b.id(), ECHO, SECOND * 10).unwrap();
    a.host.credit_stream(2, PLENTY).unwrap();
    wait_eof(&a, 2);
    assert_eq!(b.counters().streams_refused, 1);
    assert_eq!(b.counters().streams, 1);
    // The place comes back with the end of the first one.
    b.host.reset_stream(first).unwrap();
    wait_end(&b, first);
    open(&a, &b, 3);
}

#[test]
fn stream_ids_are_checked() {
    let (a, b) = pair(4);
    open(&a, &b, 1);
    assert_eq!(a.host.open_stream(1, &b.id(), ECHO, SECOND), Err(Refusal::Exists));
    assert_eq!(a.host.open_stream(0, &b.id(), ECHO, SECOND), Err(Refusal::Invalid));
    assert_eq!(a.host.open_stream(1 << 32, &b.id(), ECHO, SECOND), Err(Refusal::Invalid));
    assert_eq!(a.host.open_stream(2, &b.id(), ECHO, Duration::ZERO), Err(Refusal::Invalid));
    for refused in [a.host.write_stream(9, b"x"), a.host.credit_stream(9, 1), a.host.finish_stream(9)] {
        assert_eq!(refused, Err(Refusal::NotFound));
    }
}

#[test]
fn a_host_has_room_for_so_many_streams_and_no_more() {
    let roomy = || Node::with(|config| config.max_streams_per_connection = 512);
    let (a, peers) = (roomy(), [roomy(), roomy(), roomy(), roomy(), roomy()]);
    for peer in &peers {
        peer.host.accept_protocol(ECHO, MAX_STREAMS as u32).unwrap();
        connect(&a, peer);
    }
    let open = |id: usize| a.host.open_stream(id as u64, &peers[id % peers.len()].id(), ECHO, SECOND * 60);
    for id in 1..=MAX_STREAMS {
        assert_eq!(open(id), Ok(()));
        wait_open(&a, id as u64);
    }
    assert_eq!(open(MAX_STREAMS + 1), Err(Refusal::TooLarge));
    a.host.reset_stream(1).unwrap();
    wait_end(&a, 1);
    assert_eq!(open(MAX_STREAMS + 1), Ok(()));
}

#[test]
fn stop_ends_open_streams_before_the_last_event() {
    let (mut a, b) = pair(4);
    let (ours, _) = open(&a, &b, 1);
    a.host.stop().unwrap();
    assert_eq!(wait_end(&a, ours), StreamEnd::Cancelled);
}
