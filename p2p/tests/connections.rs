// p2p/tests/connections.rs - listening, dialling, identify, bans, limits, and how a host ends.

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use libp2p::identity::Keypair;
use noroshi_p2p::host::{Config, DialReason, Event, Host, Refusal};
use support::{connect, Node, ANY_PORT, ECHO};

fn dial_error(node: &Node, request: u64) -> DialReason {
    node.wait("DIAL_ERROR", |event| match event {
        Event::DialError { request_id, reason, .. } if *request_id == request => Some(*reason),
        _ => None,
    })
}

#[test]
fn two_hosts_connect_and_identify_each_other() {
    let (a, b) = (Node::with(|config| config.agent = "agent a".into()), Node::start());
    b.host.accept_protocol(ECHO, 4).unwrap();
    connect(&a, &b);
    assert_eq!(b.wait_identified(&a).0, "agent a");
    let (agent, protocols) = a.wait_identified(&b);
    assert_eq!(agent, "noroshi");
    let listed: Vec<_> = protocols.lines().collect();
    assert!(listed.contains(&ECHO), "{listed:?}");
    assert!(listed.contains(&"/vac/waku/relay/2.0.0"), "{listed:?}");
}

#[test]
fn a_protocol_accepted_later_is_announced_anew() {
    let (a, b) = (Node::start(), Node::start());
    connect(&a, &b);
    assert!(!a.wait_identified(&b).1.contains(ECHO));
    b.host.accept_protocol(ECHO, 4).unwrap();
    assert!(a.wait_identified(&b).1.contains(ECHO));
}

#[test]
fn a_light_node_does_not_announce_relay() {
    let (a, b) = (Node::start(), Node::with(|config| config.gossip_enabled = false));
    connect(&a, &b);
    let (_, protocols) = a.wait_identified(&b);
    assert!(!protocols.contains("relay"), "{protocols}");
    assert_eq!(b.host.subscribe("t"), Err(Refusal::Unsupported));
    assert_eq!(b.host.publish(1, "t", b"x"), Err(Refusal::Unsupported));
    assert_eq!(b.host.mesh(1, "t"), Err(Refusal::Unsupported));
}

#[test]
fn disconnect_closes_both_ends_and_a_new_dial_connects_again() {
    let (a, b) = (Node::start(), Node::start());
    let address = b.listen();
    a.host.dial(1, &address).unwrap();
    a.wait_connected(&b);
    b.wait_connected(&a);
    a.host.disconnect(&b.id()).unwrap();
    a.wait_closed(&b);
    b.wait_closed(&a);
    a.host.dial(2, &address).unwrap();
    assert_eq!(a.wait_connected(&b).0, 2);
}

#[test]
fn a_connected_peer_is_not_dialled_again() {
    let (a, b) = (Node::start(), Node::start());
    let address = b.listen();
    a.host.dial(1, &address).unwrap();
    a.wait_connected(&b);
    a.host.dial(2, &address).unwrap();
    assert_eq!(dial_error(&a, 2), DialReason::Already);
    assert_eq!(a.counters().connections, 1);
}

#[test]
fn a_closed_port_is_named_refused() {
    let a = Node::start();
    // Bound and given back: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    a.host.dial(3, &format!("/ip4/127.0.0.1/tcp/{port}")).unwrap();
    assert_eq!(dial_error(&a, 3), DialReason::Refused);
}

#[test]
fn another_identity_at_the_address_is_named_wrong_peer() {
    let (a, b) = (Node::start(), Node::start());
    let address = b.listen();
    let (plain, _) = address.split_once("/p2p/").unwrap();
    let other = Keypair::generate_secp256k1().public().to_peer_id();
    a.host.dial(4, &format!("{plain}/p2p/{other}")).unwrap();
    assert_eq!(dial_error(&a, 4), DialReason::WrongPeer);
}

#[test]
fn dialling_oneself_is_named() {
    let a = Node::start();
    let address = a.listen();
    a.host.dial(5, &address).unwrap();
    assert_eq!(dial_error(&a, 5), DialReason::Own);
}

#[test]
fn a_peer_that_is_no_libp2p_node_is_named_handshake() {
    let a = Node::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || drop(listener.accept()));
    a.host.dial(6, &format!("/ip4/127.0.0.1/tcp/{port}")).unwrap();
    assert_eq!(dial_error(&a, 6), DialReason::Handshake);
    server.join().unwrap();
}

#[test]
fn other_transports_are_named_unsupported() {
    let a = Node::start();
    a.host.dial(7, "/ip4/127.0.0.1/udp/9/quic-v1").unwrap();
    assert_eq!(dial_error(&a, 7), DialReason::UnsupportedAddress);
}

#[test]
fn a_ban_closes_the_connection_and_refuses_both_directions() {
    let (a, b) = (Node::start(), Node::start());
    let (at_a, at_b) = (a.listen(), b.listen());
    a.host.dial(1, &at_b).unwrap();
    a.wait_connected(&b);
    b.wait_connected(&a);
    a.host.ban(&b.id(), true).unwrap();
    b.wait_closed(&a);
    a.wait_closed(&b);
    a.host.dial(2, &at_b).unwrap();
    assert_eq!(dial_error(&a, 2), DialReason::Banned);
    b.host.dial(3, &at_a).unwrap();
    // The ban is judged after the handshake: the dialler sees a connection that is closed at once, or none.
    b.wait("CLOSED or DIAL_ERROR", |event| match event {
        Event::Closed { .. } | Event::DialError { request_id: 3, .. } => Some(()),
        _ => None,
    });
    assert_eq!(a.counters().connections, 0);
    a.host.ban(&b.id(), false).unwrap();
    a.host.dial(4, &at_b).unwrap();
    a.wait_connected(&b);
}

#[test]
fn more_connections_than_allowed_are_refused() {
    let (a, b, c) = (Node::with(|config| config.max_connections = 1), Node::start(), Node::start());
    connect(&a, &b);
    a.host.dial(2, &c.listen()).unwrap();
    assert_eq!(dial_error(&a, 2), DialReason::Limit);
}

#[test]
fn an_address_in_use_is_told() {
    let (a, b) = (Node::start(), Node::start());
    let address = a.listen();
    let (plain, _) = address.split_once("/p2p/").unwrap();
    b.host.listen(plain).unwrap();
    let told = b.wait("LISTEN_CLOSED", |event| match event {
        Event::ListenClosed { address, reason } => Some((address.clone(), reason.clone())),
        _ => None,
    });
    assert_eq!(told.0, plain);
    assert!(told.1.contains("in use"), "{}", told.1);
}

#[test]
fn malformed_arguments_are_refused_at_once() {
    let a = Node::start();
    assert_eq!(a.host.dial(0, ANY_PORT), Err(Refusal::Invalid));
    assert_eq!(a.host.dial(1, "127.0.0.1:1"), Err(Refusal::Invalid));
    assert_eq!(a.host.listen(&"/ip4/127.0.0.1".repeat(100)), Err(Refusal::Invalid));
    assert_eq!(a.host.disconnect("nobody"), Err(Refusal::Invalid));
    assert_eq!(a.host.accept_protocol("no-slash", 1), Err(Refusal::Invalid));
    assert_eq!(a.host.accept_protocol("/with\nnewline", 1), Err(Refusal::Invalid));
    assert_eq!(a.host.accept_protocol(ECHO, 0), Err(Refusal::Invalid));
    assert_eq!(a.host.accept_protocol(ECHO, 1), Ok(()));
    assert_eq!(a.host.accept_protocol(ECHO, 1), Err(Refusal::Exists));
}

#[test]
fn impossible_configurations_are_refused() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::with_key(Keypair::generate_secp256k1());
        change(&mut config);
        Host::start(config, std::sync::Arc::new(|_| {})).err()
    };
    assert_eq!(refused(|config| config.max_connections = 0), Some(Refusal::Invalid));
    assert_eq!(refused(|config| config.mesh_n_low = 7), Some(Refusal::Invalid));
    assert_eq!(refused(|config| config.mesh_outbound_min = 4), Some(Refusal::Invalid));
    assert_eq!(refused(|config| config.relay_protocol = "relay".into()), Some(Refusal::Invalid));
    assert_eq!(refused(|config| config.heartbeat = Duration::ZERO), Some(Refusal::Invalid));
    assert_eq!(refused(|config| config.history_gossip = 7), Some(Refusal::Invalid));
}

#[test]
fn stop_is_quick_and_no_event_comes_after_it() {
    let (mut a, b) = (Node::start(), Node::start());
    connect(&a, &b);
    let begun = Instant::now();
    a.host.stop().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    a.wait("STOPPED", |event| match event {
        Event::Stopped { panicked: false, .. } => Some(()),
        _ => None,
    });
    let count = a.count();
    b.wait_closed(&a);
    assert_eq!(a.count(), count);
    assert_eq!(a.host.dial(2, ANY_PORT), Err(Refusal::Stopped));
    assert_eq!(a.host.stats(1), Err(Refusal::Stopped));
    assert_eq!(a.host.stop(), Ok(()));
}
