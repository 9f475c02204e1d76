// p2p/tests/discovery.rs - discv5 under Waku's protocol id: who is found, who is not answered, and what it survives.

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use discv5::{ConfigBuilder, Discv5, Enr, ListenConfig, ProtocolIdentity};
use enr::CombinedKey;
use libp2p::identity::Keypair;
use noroshi_p2p::host::{Event, Refusal, MAX_BOOTSTRAP};
use support::{Node, PATIENCE};

const LOOPBACK: &str = "127.0.0.1";
const WAKU: ProtocolIdentity = ProtocolIdentity { protocol_id: *b"d5waku", protocol_version: [0, 1] };

/// A host, and the key that signs its records.
struct Finder {
    node: Node,
    key: Keypair,
}

impl Finder {
    fn start() -> Self {
        let key = Keypair::generate_secp256k1();
        let node = Node::with(|config| config.keypair = key.clone());
        Self { node, key }
    }

    fn signer(&self) -> CombinedKey {
        let secret = self.key.clone().try_into_secp256k1().expect("secp256k1").secret().to_bytes();
        CombinedKey::secp256k1_from_bytes(&mut secret.clone()).expect("a key")
    }

    /// What the C++ side would make: the network and its shard, and no port yet.
    fn own_record(&self) -> String {
        let rs: [u8; 5] = [0, 16, 1, 0, 32];
        Enr::builder().add_value("rs", &rs.as_slice()).build(&self.signer()).expect("a record").to_base64()
    }

    fn discover(&self, bootstrap: &[&str]) -> (SocketAddr, String) {
        self.node.host.discover(LOOPBACK, 0, &self.own_record(), &bootstrap.join("\n")).expect("discover is taken");
        self.wait_listening()
    }

    fn wait_listening(&self) -> (SocketAddr, String) {
        self.node.wait("DISCV5_LISTENING", |event| match event {
            Event::Discv5Listening { address, record } => Some((address.parse().expect("ip:port"), record.clone())),
            _ => None,
        })
    }

    fn wait_discovered(&self, other: &Self) -> Enr {
        let id = node_id(&other.own_record());
        self.node.wait("DISCOVERED", |event| match event {
            Event::Discovered { record } if node_id(record) == id => record.parse().ok(),
            _ => None,
        })
    }

    fn wait_failed(&self) -> String {
        self.node.wait("DISCV5_FAILED", |event| match event {
            Event::Discv5Failed { reason } => Some(reason.clone()),
            _ => None,
        })
    }
}

fn node_id(record: &str) -> enr::NodeId {
    record.parse::<Enr>().expect("a record").node_id()
}

/// A node of the library itself, which waits for an answer but a moment.
struct Stranger {
    runtime: tokio::runtime::Runtime,
    discv5: Discv5,
}

impl Stranger {
    fn start(identity: ProtocolIdentity) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let key = CombinedKey::generate_secp256k1();
        let record = Enr::builder().build(&key).expect("a record");
        let mut config = ConfigBuilder::new(ListenConfig::Ipv4 { ip: [127, 0, 0, 1].into(), port: 0 });
        config.protocol_identity(identity).request_timeout(Duration::from_millis(500)).request_retries(0);
        let _context = runtime.enter();
        let mut discv5 = Discv5::new(record, key, config.build()).expect("a node");
        runtime.block_on(discv5.start()).expect("a socket");
        drop(_context);
        Self { runtime, discv5 }
    }

    fn is_answered_by(&self, record: &str) -> bool {
        self.runtime.block_on(self.discv5.send_ping(record.parse().expect("a record"))).is_ok()
    }

    /// Asks until there is an answer: a busy machine may not give it at once.
    fn wait_answered_by(&self, record: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_answered_by(record) {
            assert!(Instant::now() < deadline, "no answer");
        }
    }
}

#[test]
fn three_hosts_find_each_other_through_one_of_them() {
    let hosts = [Finder::start(), Finder::start(), Finder::start()];
    let (_, bootstrap) = hosts[0].discover(&[]);
    for host in &hosts[1..] {
        host.discover(&[&bootstrap]);
    }
    for (host, other) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let record = hosts[host].wait_discovered(&hosts[other]);
        assert!(record.udp4_socket().is_some_and(|socket| socket.ip().is_loopback()));
        assert!(record.get_raw_rlp("rs").is_some(), "what the network needs is kept");
    }
}

#[test]
fn the_record_learns_the_port_that_is_bound() {
    let host = Finder::start();
    let (address, record) = host.discover(&[]);
    let record: Enr = record.parse().expect("a record");
    assert_eq!(record.udp4_socket().map(SocketAddr::from), Some(address));
    assert!(record.verify());
    assert_eq!(record.node_id(), node_id(&host.own_record()));
}

#[test]
fn a_node_of_another_network_is_not_answered() {
    let host = Finder::start();
    let (_, record) = host.discover(&[]);
    assert!(!Stranger::start(ProtocolIdentity::default()).is_answered_by(&record));
    Stranger::start(WAKU).wait_answered_by(&record);
}

#[test]
fn records_that_are_not_ours_or_do_not_verify_are_refused() {
    let (host, other) = (Finder::start(), Finder::start());
    let own = host.own_record();
    let discover = |ip: &str, record: &str, bootstrap: &str| host.node.host.discover(ip, 0, record, bootstrap);
    assert_eq!(discover(LOOPBACK, &other.own_record(), ""), Err(Refusal::Invalid));
    assert_eq!(discover(LOOPBACK, "", ""), Err(Refusal::Invalid));
    assert_eq!(discover(LOOPBACK, own.trim_start_matches("enr:"), ""), Err(Refusal::Invalid));
    assert_eq!(discover("localhost", &own, ""), Err(Refusal::Invalid));
    assert_eq!(discover(LOOPBACK, &own, "enr:nonsense"), Err(Refusal::Invalid));
    // One bit of the signature, which begins behind the lengths.
    let forged = own.replacen(&own[10..11], if &own[10..11] == "A" { "B" } else { "A" }, 1);
    assert_eq!(discover(LOOPBACK, &forged, ""), Err(Refusal::Invalid));
    let many = vec![own.as_str(); MAX_BOOTSTRAP + 1].join("\n");
    assert_eq!(discover(LOOPBACK, &own, &many), Err(Refusal::TooLarge));
    // Nothing of it has had an effect.
    host.discover(&[]);
    assert_eq!(discover(LOOPBACK, &own, ""), Err(Refusal::Exists));
}

#[test]
fn a_port_in_use_is_named_and_discovery_can_be_started_again() {
    let host = Finder::start();
    let taken = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    host.node.host.discover(LOOPBACK, port, &host.own_record(), "").unwrap();
    let reason = host.wait_failed();
    assert!(reason.contains(&format!("{LOOPBACK}:{port}")) && reason.contains("in use"), "{reason}");
    drop(taken);
    host.node.host.discover(LOOPBACK, port, &host.own_record(), "").unwrap();
    assert_eq!(host.wait_listening().0.port(), port);
    host.node.settle();
}

#[test]
fn the_socket_ends_with_the_host() {
    let mut host = Finder::start();
    let (address, _) = host.discover(&[]);
    assert!(UdpSocket::bind(address).is_err());
    host.node.host.stop().unwrap();
    UdpSocket::bind(address).expect("the port is free");
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// A datagram that a node of our network sends to that host first.
fn real_datagram(host: &Finder) -> Vec<u8> {
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let diverted = Enr::builder().ip4([127, 0, 0, 1].into()).udp4(port).build(&host.signer()).expect("a record");
    assert!(!Stranger::start(WAKU).is_answered_by(&diverted.to_base64()));
    let mut buffer = [0; 1280];
    let len = socket.recv(&mut buffer).unwrap();
    buffer[..len].to_vec()
}

#[test]
fn thousands_of_bad_datagrams_do_no_harm() {
    let host = Finder::start();
    let (address, record) = host.discover(&[]);
    let real = real_datagram(&host);
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let mut numbers = Numbers(1);
    for round in 0..4000 {
        let datagram = if round % 2 == 0 {
            let len = numbers.next() as usize % 1500;
            numbers.bytes(len)
        } else {
            let mut datagram = real.clone();
            datagram.truncate(datagram.len() - numbers.next() as usize % 8);
            let at = numbers.next() as usize % datagram.len();
            datagram[at] ^= numbers.next() as u8;
            datagram
        };
        socket.send_to(&datagram, address).unwrap();
        // The socket's own queue is short: what it drops would test nothing.
        if round % 50 == 0 {
            host.node.settle();
        }
    }
    Stranger::start(WAKU).wait_answered_by(&record);
    let counters = host.node.counters();
    assert!(counters.discv5_unrecognized >= 1000, "{counters:?}");
    assert_eq!(counters.panics, 0);
}
