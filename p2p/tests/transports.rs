// p2p/tests/transports.rs - WebSocket and names: listening, dialling, and what comes of addresses that lead nowhere.

mod support;

use noroshi_p2p::host::{DialReason, Event};
use support::{Node, TOPIC};

fn listen_on(node: &Node, address: &str) -> String {
    node.host.listen(address).unwrap();
    node.wait("LISTENING", |event| match event {
        Event::Listening { address } => Some(address.clone()),
        _ => None,
    })
}

fn dial_error(from: &Node, address: &str) -> DialReason {
    from.host.dial(1, address).unwrap();
    from.wait("DIAL_ERROR", |event| match event {
        Event::DialError { reason, .. } => Some(*reason),
        _ => None,
    })
}

#[test]
fn gossip_crosses_a_websocket() {
    let (a, b) = (Node::start(), Node::start());
    let address = listen_on(&b, "/ip4/127.0.0.1/tcp/0/ws");
    assert!(address.contains("/ws/p2p/"), "{address}");
    for node in [&a, &b] {
        node.host.subscribe(TOPIC).unwrap();
    }
    a.host.dial(1, &address).unwrap();
    a.wait_connected(&b);
    a.wait_subscribed(&b);
    a.host.publish(2, TOPIC, b"over a websocket").unwrap();
    let data = b.wait("MESSAGE", |event| match event {
        Event::Message { data, .. } => Some(data.clone()),
        _ => None,
    });
    assert_eq!(&data[..], b"over a websocket");
}

#[test]
fn a_host_listens_on_tcp_and_websocket_at_once() {
    let (a, b, c) = (Node::start(), Node::start(), Node::start());
    let tcp = listen_on(&c, "/ip4/127.0.0.1/tcp/0");
    let ws = listen_on(&c, "/ip4/127.0.0.1/tcp/0/ws");
    a.host.dial(1, &tcp).unwrap();
    a.wait_connected(&c);
    b.host.dial(1, &ws).unwrap();
    b.wait_connected(&c);
}

#[test]
fn tcp_at_a_websocket_port_is_given_up() {
    let (a, b) = (Node::start(), Node::start());
    let address = listen_on(&b, "/ip4/127.0.0.1/tcp/0/ws").replace("/ws", "");
    // Both sides wait equally long: whoever ends first, we by our own time or they by closing.
    assert!(matches!(dial_error(&a, &address), DialReason::Timeout | DialReason::Handshake));
}

#[test]
fn a_closed_websocket_port_is_named_refused() {
    let a = Node::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(dial_error(&a, &format!("/ip4/127.0.0.1/tcp/{port}/ws")), DialReason::Refused);
}

#[test]
fn a_name_is_resolved_for_tcp_and_websocket() {
    for suffix in ["", "/ws"] {
        let (a, b) = (Node::start(), Node::start());
        let address = listen_on(&b, &format!("/ip4/127.0.0.1/tcp/0{suffix}"));
        a.host.dial(1, &address.replace("/ip4/127.0.0.1", "/dns4/localhost")).unwrap();
        a.wait_connected(&b);
    }
}

#[test]
fn a_name_without_address_is_named_so() {
    let a = Node::start();
    assert_eq!(dial_error(&a, "/dns4/no-such-host.invalid/tcp/1"), DialReason::Name);
    assert_eq!(dial_error(&Node::start(), "/dns4/no-such-host.invalid/tcp/1/ws"), DialReason::Name);
}
