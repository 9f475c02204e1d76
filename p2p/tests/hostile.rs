// p2p/tests/hostile.rs - peers that mean harm: floods, forged authors, endless frames, stolen places.

mod support;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use noroshi_p2p::host::{DialReason, Event, StreamEnd};
use support::{connect, Node, TOPIC};

const RELAY: &str = "/vac/waku/relay/2.0.0";

/// A victim that is subscribed, and a peer that writes what it likes on its gossip stream 1.
fn victim_and_liar(rate: u32) -> (Node, Node) {
    let victim = Node::with(|config| config.gossip_messages_per_s = rate);
    let liar = Node::with(|config| config.gossip_enabled = false);
    // Without the protocol on its side the victim would not listen to it.
    liar.host.accept_protocol(RELAY, 8).unwrap();
    victim.host.subscribe(TOPIC).unwrap();
    connect(&liar, &victim);
    liar.host.open_stream(1, &victim.id(), RELAY, Duration::from_secs(10)).unwrap();
    (victim, liar)
}

/// One field of protobuf: bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len()), bytes].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn framed(rpc: &[u8]) -> Vec<u8> {
    [&varint(rpc.len())[..], rpc].concat()
}

/// An RPC with one message; `more` are further fields of it.
fn message(data: &[u8], more: &[u8]) -> Vec<u8> {
    framed(&field(2, &[&field(2, data)[..], &field(4, TOPIC.as_bytes()), more].concat()))
}

fn subscribe(topics: impl Iterator<Item = String>) -> Vec<u8> {
    let rpc: Vec<u8> =
        topics.flat_map(|topic| field(1, &[&[8, 1][..], &field(2, topic.as_bytes())].concat())).collect();
    framed(&rpc)
}

fn next_message(node: &Node) -> Vec<u8> {
    node.wait("MESSAGE", |event| match event {
        Event::Message { data, .. } => Some(data.clone()),
        _ => None,
    })
}

#[test]
fn a_message_with_author_number_signature_or_key_is_not_taken() {
    let (victim, liar) = victim_and_liar(0);
    for (number, forged) in [(1, "author"), (3, "number"), (5, "signature"), (6, "key")] {
        liar.host.write_stream(1, &message(forged.as_bytes(), &field(number, &[7; 8]))).unwrap();
    }
    liar.host.write_stream(1, &message(b"anonymous", &[])).unwrap();
    assert_eq!(next_message(&victim), b"anonymous");
    victim.settle();
    assert!(!victim.has(|event| matches!(event, Event::Message { .. })));
}

#[test]
fn fields_of_gossip_that_nobody_knows_are_passed_over() {
    let (victim, liar) = victim_and_liar(0);
    liar.host.write_stream(1, &message(b"with more", &field(15, &[0xff; 300]))).unwrap();
    assert_eq!(next_message(&victim), b"with more");
}

#[test]
fn a_gossip_frame_over_the_limit_and_an_endless_length_end_their_stream() {
    let oversize = [&varint(1 << 30)[..], &[0; 300 * 1024]].concat();
    for bytes in [oversize, vec![0xff; 11]] {
        let (victim, liar) = victim_and_liar(0);
        liar.host.write_stream(1, &bytes).unwrap();
        liar.host.credit_stream(1, 1).unwrap();
        liar.wait("end of the stream", |event| match event {
            Event::StreamEof { id: 1 } => Some(()),
            Event::StreamEnd { id: 1, end, .. } => (*end != StreamEnd::Clean).then_some(()),
            _ => None,
        });
        let honest = Node::start();
        connect(&honest, &victim);
    }
}

#[test]
fn a_peer_cannot_fill_us_with_names_of_topics() {
    let (victim, liar) = victim_and_liar(0);
    let long = format!("{TOPIC:0>129}");
    let mut flood = subscribe([TOPIC.to_string(), long].into_iter());
    for lot in 0..20 {
        flood.extend(subscribe((0..100).map(|n| format!("/waku/2/rs/1/{}", 100 * lot + n))));
    }
    flood.extend(message(b"the end", &[]));
    liar.host.write_stream(1, &flood).unwrap();
    assert_eq!(next_message(&victim), b"the end");
    victim.wait_subscribed(&liar);
    let mut kept = 0;
    while victim.has(|event| matches!(event, Event::PeerSubscribed { .. })) {
        let topic = victim.wait("PEER_SUBSCRIBED", |event| match event {
            Event::PeerSubscribed { topic, .. } => Some(topic.clone()),
            _ => None,
        });
        assert!(topic.len() <= 128);
        kept += 1;
    }
    assert_eq!(kept, 1000, "the lot that would be too much is passed over, and all after it");
}

#[test]
fn a_topic_that_is_no_text_does_no_harm() {
    let (victim, liar) = victim_and_liar(0);
    let not_utf8 = field(1, &[&[8, 1][..], &field(2, &[0xff, 0xfe])].concat());
    liar.host.write_stream(1, &framed(&not_utf8)).unwrap();
    let honest = Node::start();
    honest.host.subscribe(TOPIC).unwrap();
    connect(&honest, &victim);
    victim.wait_subscribed(&honest);
}

#[test]
fn a_flood_of_gossip_waits_in_its_sender_and_others_do_not() {
    let (victim, liar) = victim_and_liar(100);
    victim.host.accept_protocol(support::ECHO, 1).unwrap();
    let honest = Node::start();
    connect(&honest, &victim);
    honest.host.open_stream(9, &victim.id(), support::ECHO, Duration::from_secs(10)).unwrap();
    let stream = victim.wait("STREAM_IN", |event| match event {
        Event::StreamIn { id, .. } => Some(*id),
        _ => None,
    });
    victim.host.credit_stream(stream, 10).unwrap();
    let start = Instant::now();
    let payload = |n: u32| n.to_be_bytes().repeat(250);
    let flood: Vec<u8> = (0..800).flat_map(|n| message(&payload(n), &[])).collect();
    liar.host.write_stream(1, &flood).unwrap();
    for _ in 0..501 {
        next_message(&victim);
    }
    // The burst of five seconds is used up: the flood waits; others speak and come in.
    honest.host.write_stream(9, b"x").unwrap();
    victim.wait("STREAM_DATA", |event| matches!(event, Event::StreamData { .. }).then_some(()));
    let newcomer = Node::start();
    newcomer.host.dial(1, &victim.listen()).unwrap();
    newcomer.wait_connected(&victim);
    let last = payload(799);
    assert!(
        !victim.has(|event| matches!(event, Event::Message { data, .. } if *data == last)),
        "the flood is not over"
    );
    for _ in 501..800 {
        next_message(&victim);
    }
    assert!(start.elapsed() >= Duration::from_millis(2900), "300 messages too many at 100 a second");
}

#[test]
fn one_address_gets_so_many_places_also_for_handshakes_that_never_end() {
    let victim = Node::with(|config| config.max_connections_per_ip = 2);
    let address = victim.listen();
    let port: u16 = address.split('/').nth(4).unwrap().parse().unwrap();
    let silent = [TcpStream::connect(("127.0.0.1", port)).unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap()];
    let honest = Node::start();
    let mut request = 0;
    let mut dial = || {
        request += 1;
        honest.host.dial(request, &address).unwrap();
        honest.wait("end of the dial", |event| match event {
            Event::Connected { .. } => Some(None),
            Event::DialError { reason, .. } => Some(Some(*reason)),
            _ => None,
        })
    };
    // Both must have been accepted before; that is seen by the refusal alone.
    let deadline = Instant::now() + support::PATIENCE;
    while dial().is_none() {
        assert!(Instant::now() < deadline);
        honest.host.disconnect(&victim.id()).unwrap();
        honest.wait_closed(&victim);
    }
    drop(silent);
    while let Some(reason) = dial() {
        assert_eq!(reason, DialReason::Handshake);
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn a_quarter_of_the_places_is_kept_for_dials_of_our_own() {
    let victim = Node::with(|config| config.max_connections = 4);
    let address = victim.listen();
    let strangers = [Node::start(), Node::start(), Node::start(), Node::start()];
    for stranger in &strangers {
        stranger.host.dial(1, &address).unwrap();
        stranger.wait_connected(&victim);
    }
    for stranger in &strangers[..3] {
        victim.wait_connected(stranger);
    }
    strangers[3].wait_closed(&victim);
    let friend = Node::start();
    victim.host.dial(1, &friend.listen()).unwrap();
    victim.wait_connected(&friend);
    assert_eq!(victim.counters().connections, 4);
}
