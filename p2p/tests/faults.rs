// p2p/tests/faults.rs - panics on the network thread, a full command queue, and a stop that nothing can hold up.
#![cfg(feature = "test-hooks")]

mod support;

use std::time::{Duration, Instant};

use noroshi_p2p::host::{Event, Refusal, StreamEnd, MAX_COMMANDS, MAX_COMMAND_BYTES};
use support::{connect, Node, ANY_PORT, ECHO, TOPIC};

fn wait_stopped(node: &Node) -> String {
    node.wait("STOPPED", |event| match event {
        Event::Stopped { panicked: true, reason } => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn a_panic_in_the_main_loop_stops_the_host_and_tells_why() {
    let (mut a, b) = (Node::start(), Node::start());
    connect(&a, &b);
    a.host.test_panic(0, 0).unwrap();
    let reason = wait_stopped(&a);
    assert!(reason.starts_with("test panic in the main loop at "), "{reason}");
    assert!(reason.contains("execute.rs:"), "{reason}");
    assert_eq!(a.host.dial(2, ANY_PORT), Err(Refusal::Stopped));
    // The process lives on, the other host sees only a closed connection, and this one can be freed.
    b.wait_closed(&a);
    assert_eq!(a.host.stop(), Ok(()));
}

#[test]
fn a_panic_in_a_connection_stops_the_host_and_tells_why() {
    let a = Node::start();
    a.host.test_panic(1, 0).unwrap();
    let reason = wait_stopped(&a);
    assert!(reason.starts_with("test panic in a connection at "), "{reason}");
}

#[test]
fn open_streams_are_told_to_have_ended_before_the_host_is() {
    let (a, b) = (Node::start(), Node::start());
    b.host.accept_protocol(ECHO, 4).unwrap();
    connect(&a, &b);
    a.host.open_stream(1, &b.id(), ECHO, Duration::from_secs(10)).unwrap();
    a.wait("STREAM_OPEN", |event| matches!(event, Event::StreamOpen { id: 1, .. }).then_some(()));
    a.host.test_panic(0, 0).unwrap();
    wait_stopped(&a);
    assert!(a.has(|event| matches!(event, Event::StreamEnd { id: 1, end: StreamEnd::Cancelled, .. })));
}

#[test]
fn a_panic_in_a_stream_ends_that_stream_only() {
    let (a, b) = (Node::start(), Node::start());
    b.host.accept_protocol(ECHO, 4).unwrap();
    connect(&a, &b);
    for id in [1, 2] {
        a.host.open_stream(id, &b.id(), ECHO, Duration::from_secs(10)).unwrap();
        a.wait("STREAM_OPEN", |event| matches!(event, Event::StreamOpen { id: open, .. } if *open == id).then_some(()));
    }
    a.host.test_panic(2, 1).unwrap();
    let reason = a.wait("STREAM_END", |event| match event {
        Event::StreamEnd { id: 1, end: StreamEnd::Panicked, reason } => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.starts_with("test panic in a stream at "), "{reason}");
    a.host.write_stream(2, b"still here").unwrap();
    assert_eq!(a.counters().panics, 1);
    assert_eq!(a.counters().connections, 1);
}

#[test]
fn another_host_of_the_process_is_not_touched() {
    let (a, b, c) = (Node::start(), Node::start(), Node::start());
    a.host.test_panic(0, 0).unwrap();
    wait_stopped(&a);
    connect(&b, &c);
}

/// A host whose network thread hangs in the callback until the sender is used or dropped.
struct Held {
    host: noroshi_p2p::host::Host,
    release: std::sync::mpsc::Sender<()>,
}

fn held() -> Held {
    use libp2p::identity::Keypair;
    use noroshi_p2p::host::{Config, Host};
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let (entered, entry) = std::sync::mpsc::channel();
    let gate = std::sync::Mutex::new(gate);
    let sink = move |event: &Event| {
        if matches!(event, Event::Stats { .. }) {
            entered.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
        }
    };
    let host = Host::start(Config::with_key(Keypair::generate_secp256k1()), std::sync::Arc::new(sink)).unwrap();
    host.stats(1).unwrap();
    entry.recv().unwrap();
    Held { host, release }
}

#[test]
fn a_full_command_queue_refuses_and_leaves_no_trace() {
    let held = held();
    let peer = held.host.peer_id().to_string();
    for _ in 0..MAX_COMMANDS {
        held.host.disconnect(&peer).unwrap();
    }
    assert_eq!(held.host.disconnect(&peer), Err(Refusal::Busy));
    assert_eq!(held.host.open_stream(1, &peer, ECHO, Duration::from_secs(1)), Err(Refusal::Busy));
    assert_eq!(held.host.accept_protocol(ECHO, 1), Err(Refusal::Busy));
    drop(held.release);
    // The id and the protocol are free, as if the calls had not been made.
    until_taken(|| held.host.open_stream(1, &peer, ECHO, Duration::from_secs(1)));
    until_taken(|| held.host.accept_protocol(ECHO, 1));
}

/// Repeats a call while the command queue is full.
fn until_taken(call: impl Fn() -> Result<(), Refusal>) {
    let deadline = Instant::now() + support::PATIENCE;
    let mut result = call();
    while result == Err(Refusal::Busy) && Instant::now() < deadline {
        std::thread::yield_now();
        result = call();
    }
    assert_eq!(result, Ok(()));
}

#[test]
fn published_bytes_that_wait_are_bounded() {
    let held = held();
    let data = vec![0; 200 * 1024];
    let mut taken = 0;
    while held.host.publish(1, TOPIC, &data) == Ok(()) {
        taken += data.len();
    }
    assert!(taken <= MAX_COMMAND_BYTES && taken + data.len() > MAX_COMMAND_BYTES, "{taken}");
    drop(held.release);
}

#[test]
fn stop_does_not_wait_for_a_full_queue() {
    let mut held = held();
    let peer = held.host.peer_id().to_string();
    while held.host.disconnect(&peer) == Ok(()) {}
    drop(held.release);
    let begun = Instant::now();
    held.host.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
}
