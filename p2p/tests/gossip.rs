// p2p/tests/gossip.rs - messages through the relay: forwarding by verdict, and the named failures of a publish.

mod support;

use libp2p::gossipsub::MessageAcceptance;
use noroshi_p2p::host::{Event, Judgement, PublishFailure, Refusal};
use support::{connect, Node, PATIENCE, TOPIC};

fn publish(node: &Node, request: u64, data: &[u8]) -> Option<PublishFailure> {
    node.host.publish(request, TOPIC, data).unwrap();
    node.wait("PUBLISH_RESULT", |event| match event {
        Event::PublishResult { request_id, failure, .. } if *request_id == request => Some(*failure),
        _ => None,
    })
}

/// Waits for a message with these bytes; its id and who passed it on.
fn receive(node: &Node, bytes: &[u8]) -> (Vec<u8>, String) {
    node.wait("MESSAGE", |event| match event {
        Event::Message { peer, topic, id, data, judged: false } if data == bytes && topic == TOPIC => {
            Some((id.clone(), peer.to_string()))
        }
        _ => None,
    })
}

fn receive_and_answer(node: &Node, bytes: &[u8], acceptance: MessageAcceptance) {
    let (id, peer) = receive(node, bytes);
    node.host.verdict(&id, &peer, acceptance).unwrap();
}

/// Waits until the mesh of `node` has `size` members.
fn wait_mesh(node: &Node, size: u64) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        node.host.mesh(9, TOPIC).unwrap();
        let (now, lines) = node.wait("MESH", |event| match event {
            Event::Mesh { request_id: 9, size, lines, .. } => Some((*size, lines.clone())),
            _ => None,
        });
        if now == size {
            assert_eq!(lines.lines().filter(|line| line.contains(" mesh ")).count() as u64, size, "{lines}");
            return;
        }
        assert!(std::time::Instant::now() < deadline, "the mesh has {now} members: {lines}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// a - b - c in a row, all subscribed and in each other's mesh.
fn row() -> [Node; 3] {
    let nodes = [Node::start(), Node::start(), Node::start()];
    for node in &nodes {
        node.host.subscribe(TOPIC).unwrap();
    }
    let [a, b, c] = &nodes;
    connect(a, b);
    connect(b, c);
    wait_mesh(b, 2);
    a.wait_subscribed(b);
    c.wait_subscribed(b);
    nodes
}

#[test]
fn an_accepted_message_reaches_the_third_host_through_the_second() {
    let [a, b, c] = row();
    assert_eq!(publish(&a, 1, b"hello"), None);
    let (id, peer) = receive(&b, b"hello");
    assert_eq!(peer, a.id());
    assert!(!c.has(|event| matches!(event, Event::Message { .. })), "forwarded before the verdict");
    b.host.verdict(&id, &peer, MessageAcceptance::Accept).unwrap();
    assert_eq!(receive(&c, b"hello"), (id, b.id()));
}

#[test]
fn rejected_and_ignored_messages_go_no_further() {
    let [a, b, c] = row();
    publish(&a, 1, b"bad");
    receive_and_answer(&b, b"bad", MessageAcceptance::Reject);
    publish(&a, 2, b"unwanted");
    receive_and_answer(&b, b"unwanted", MessageAcceptance::Ignore);
    // What comes after them on the same way has arrived: so would they have.
    publish(&b, 3, b"good");
    receive(&c, b"good");
    assert!(!c.has(|event| matches!(event, Event::Message { .. })));
}

#[test]
fn an_accepted_message_is_given_to_a_host_once() {
    let [a, b, c] = row();
    // A triangle: c hears of it from both.
    connect(&a, &c);
    wait_mesh(&a, 2);
    publish(&a, 1, b"once");
    for node in [&b, &c] {
        receive_and_answer(node, b"once", MessageAcceptance::Accept);
    }
    publish(&b, 2, b"after");
    receive(&c, b"after");
    assert!(!c.has(|event| matches!(event, Event::Message { .. })));
    assert_eq!(c.counters().messages_received, 2);
}

#[test]
fn message_id_is_the_sha256_of_the_data() {
    let [a, b, _] = row();
    publish(&a, 1, b"abc");
    // FIPS 180-4
    assert_eq!(receive(&b, b"abc").0[..8], [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
}

#[test]
fn publish_without_anybody_there_is_named_no_peers() {
    let a = Node::start();
    a.host.subscribe(TOPIC).unwrap();
    assert_eq!(publish(&a, 1, b"x"), Some(PublishFailure::NoPeers));
    assert_eq!(a.counters().messages_published, 0);
}

#[test]
fn a_message_that_found_no_peers_can_be_published_again() {
    let (a, b) = (Node::start(), Node::start());
    a.host.subscribe(TOPIC).unwrap();
    b.host.subscribe(TOPIC).unwrap();
    assert_eq!(publish(&a, 1, b"x"), Some(PublishFailure::NoPeers));
    connect(&a, &b);
    a.wait_subscribed(&b);
    assert_eq!(publish(&a, 2, b"x"), None);
    receive(&b, b"x");
}

#[test]
fn the_same_bytes_again_are_named_duplicate() {
    let [a, _b, _c] = row();
    assert_eq!(publish(&a, 1, b"x"), None);
    assert_eq!(publish(&a, 2, b"x"), Some(PublishFailure::Duplicate));
}

#[test]
fn what_does_not_fit_is_named_too_large() {
    let (a, b) = (Node::with(|config| config.max_transmit_bytes = 2048), Node::start());
    a.host.subscribe(TOPIC).unwrap();
    b.host.subscribe(TOPIC).unwrap();
    connect(&a, &b);
    a.wait_subscribed(&b);
    // Over the limit by itself, over it only with the frame around it, just within it.
    let room = 2048 - TOPIC.len() - 16;
    assert_eq!(a.host.publish(1, TOPIC, &[0; 2049]), Err(Refusal::TooLarge));
    assert_eq!(a.host.publish(2, TOPIC, &vec![0; room + 1]), Err(Refusal::TooLarge));
    assert_eq!(publish(&a, 3, &vec![0; room]), None);
    receive(&b, &vec![0; room]);
}

#[test]
fn a_message_of_the_largest_size_in_waku_arrives_whole() {
    let [a, b, _] = row();
    let data = vec![0x5a; 150 * 1024];
    assert_eq!(publish(&a, 1, &data), None);
    receive(&b, &data);
}

#[test]
fn a_topic_that_was_left_is_heard_of_no_more() {
    let (a, b) = (Node::start(), Node::start());
    a.host.subscribe(TOPIC).unwrap();
    b.host.subscribe(TOPIC).unwrap();
    connect(&a, &b);
    a.wait_subscribed(&b);
    b.host.unsubscribe(TOPIC).unwrap();
    a.wait("PEER_UNSUBSCRIBED", |event| match event {
        Event::PeerUnsubscribed { topic, .. } if topic == TOPIC => Some(()),
        _ => None,
    });
    assert_eq!(publish(&a, 1, b"x"), Some(PublishFailure::NoPeers));
}

#[test]
fn a_judge_decides_on_the_spot_what_is_forwarded_and_told() {
    let [a, b, c] = row();
    let judged = |data: &[u8]| match data {
        b"pass on" => Judgement::Now { acceptance: MessageAcceptance::Accept, told: false },
        b"pass on and tell" => Judgement::Now { acceptance: MessageAcceptance::Accept, told: true },
        b"drop" => Judgement::Now { acceptance: MessageAcceptance::Reject, told: false },
        _ => Judgement::Later,
    };
    let judge = move |topic: &str, data: &[u8]| {
        assert_eq!(topic, TOPIC);
        judged(data)
    };
    b.host.judge_gossip(Box::new(judge)).unwrap();
    assert_eq!(b.host.judge_gossip(Box::new(judge)), Err(Refusal::Exists));
    for data in [&b"drop"[..], b"pass on", b"pass on and tell"] {
        assert_eq!(publish(&a, 1, data), None);
    }
    receive(&c, b"pass on");
    receive(&c, b"pass on and tell");
    // In order: what was dropped would have come before.
    assert!(!c.has(|event| matches!(event, Event::Message { data, .. } if data == b"drop")));
    let told = |event: &Event| match event {
        Event::Message { judged, data, .. } => Some((*judged, data.clone())),
        _ => None,
    };
    assert_eq!(b.wait("MESSAGE", told), (true, b"pass on and tell".to_vec()));
    assert_eq!(publish(&a, 2, b"anything else"), None);
    receive_and_answer(&b, b"anything else", MessageAcceptance::Accept);
    receive(&c, b"anything else");
}

#[test]
fn malformed_verdicts_are_refused() {
    let a = Node::start();
    assert_eq!(a.host.verdict(&[0; 31], &a.id(), MessageAcceptance::Accept), Err(Refusal::Invalid));
    assert_eq!(a.host.verdict(&[0; 32], "nobody", MessageAcceptance::Accept), Err(Refusal::Invalid));
    assert_eq!(a.host.verdict(&[0; 32], &a.id(), MessageAcceptance::Accept), Ok(()));
    assert_eq!(a.host.publish(1, "", b"x"), Err(Refusal::Invalid));
}
