// p2p/tests/transports.rs - WebSocket, TLS and names: listening, dialling, and what comes of addresses that lead nowhere.

mod support;

use std::sync::Arc;

use libp2p::identity::Keypair;
use noroshi_p2p::host::{Config, DialReason, Event, Host, Refusal};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
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

/// An authority that a test can believe.
struct Authority {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

/// PEM of a certificate and its key.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { key, certificate }
    }

    fn issue(&self, name: &str) -> Identity {
        self.issue_with(name, |_| {})
    }

    fn issue_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.certificate, &self.key).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A node that believes it.
    fn believer(&self) -> Node {
        Node::with(|config| config.extra_roots_pem = self.certificate.pem().into())
    }
}

impl Identity {
    /// Its node, and the address of that under a name.
    fn listen(self, kind: &str) -> (Node, String) {
        let node = Node::with(|config| {
            config.tls_certificate_pem = self.certificate.into();
            config.tls_key_pem = self.key.into();
        });
        let address = listen_on(&node, &format!("/ip4/127.0.0.1/tcp/0{kind}"));
        assert!(address.contains(&format!("{kind}/p2p/")), "{address}");
        (node, address)
    }
}

fn by_name(address: &str) -> String {
    address.replace("/ip4/127.0.0.1", "/dns4/localhost")
}

#[test]
fn a_certificate_of_a_known_root_is_believed() {
    let authority = Authority::new();
    for kind in ["/wss", "/tls/ws"] {
        let (a, (b, address)) = (authority.believer(), authority.issue("localhost").listen(kind));
        a.host.dial(1, &by_name(&address)).unwrap();
        a.wait_connected(&b);
    }
}

#[test]
fn the_roots_of_the_system_are_believed() {
    let (authority, file) = (Authority::new(), std::env::temp_dir().join(format!("roots-{}.pem", std::process::id())));
    std::fs::write(&file, authority.certificate.pem()).unwrap();
    // For the whole process: one authority more disturbs no other test.
    std::env::set_var("SSL_CERT_FILE", &file);
    let (a, (b, address)) = (Node::start(), authority.issue("localhost").listen("/wss"));
    std::env::remove_var("SSL_CERT_FILE");
    std::fs::remove_file(&file).unwrap();
    a.host.dial(1, &by_name(&address)).unwrap();
    a.wait_connected(&b);
}

#[test]
fn a_certificate_may_be_of_an_address() {
    let authority = Authority::new();
    let (a, (b, address)) = (authority.believer(), authority.issue("127.0.0.1").listen("/wss"));
    a.host.dial(1, &address).unwrap();
    a.wait_connected(&b);
}

#[test]
fn a_certificate_of_an_unknown_root_is_refused_by_name() {
    let (_b, address) = Authority::new().issue("localhost").listen("/wss");
    assert_eq!(dial_error(&Node::start(), &by_name(&address)), DialReason::Certificate);
    assert_eq!(dial_error(&Authority::new().believer(), &by_name(&address)), DialReason::Certificate);
}

#[test]
fn a_certificate_of_another_name_is_refused_by_name() {
    let authority = Authority::new();
    let (_b, address) = authority.issue("other.example").listen("/wss");
    assert_eq!(dial_error(&authority.believer(), &by_name(&address)), DialReason::Certificate);
    assert_eq!(dial_error(&authority.believer(), &address), DialReason::Certificate);
}

#[test]
fn an_expired_certificate_is_refused_by_name() {
    let authority = Authority::new();
    let expired = authority.issue_with("localhost", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let (_b, address) = expired.listen("/wss");
    assert_eq!(dial_error(&authority.believer(), &by_name(&address)), DialReason::Certificate);
}

#[test]
fn without_a_certificate_there_is_no_tls_to_listen_with() {
    let node = Node::start();
    node.host.listen("/ip4/127.0.0.1/tcp/0/wss").unwrap();
    node.wait("LISTEN_CLOSED", |event| matches!(event, Event::ListenClosed { .. }).then_some(()));
}

#[test]
fn tls_that_cannot_be_is_refused_at_the_start() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::with_key(Keypair::generate_secp256k1());
        change(&mut config);
        Host::start(config, Arc::new(|_| {})).err()
    };
    let serve = |certificate: &str, key: &str| {
        refused(&|config| {
            config.tls_certificate_pem = certificate.into();
            config.tls_key_pem = key.into();
        })
    };
    let authority = Authority::new();
    let (one, other) = (authority.issue("localhost"), authority.issue("localhost"));
    let hollow = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(serve(&one.certificate, &one.key), None);
    assert_eq!(serve(&one.certificate, &other.key), Some(Refusal::Certificate));
    assert_eq!(serve(&one.certificate, ""), Some(Refusal::Certificate));
    assert_eq!(serve("", &one.key), Some(Refusal::Certificate));
    assert_eq!(serve(&one.certificate, hollow), Some(Refusal::Certificate));
    assert_eq!(serve(&one.key, &one.certificate), Some(Refusal::Certificate));
    let believe = |roots: &str| refused(&|config| config.extra_roots_pem = roots.into());
    assert_eq!(believe(&one.key), Some(Refusal::Roots));
    assert_eq!(believe(&hollow.replace("PRIVATE KEY", "CERTIFICATE")), Some(Refusal::Roots));
    assert_eq!(believe(&format!("{}{}", one.certificate, other.certificate)), None);
}
