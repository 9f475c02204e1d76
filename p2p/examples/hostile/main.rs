// p2p/examples/hostile/main.rs - a crowd that attacks one node; the load of test/integration/waku_hostile.test.mjs.
//!
//! hostile ADDRESS SECONDS [KIND]: 500 peers dial ADDRESS again and again, through forwarders that give them the addresses
//! 127.0.1.1 to 127.0.1.8; those that get in do harm in every way at once until the time is over, only that of KIND (0 to
//! 6) when it is given. KIND "mplex": 128 peers that speak mplex.
//! Prints "attacking", and at the end a line of JSON: what was done.

mod mplex;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream as Blocking};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use libp2p::identity::Keypair;
use noroshi_p2p::host::{Config, Event, Host};
use tokio::net::{TcpSocket, TcpStream};

const PEERS: usize = 500;
const ADDRESSES: usize = 8;
const SILENT: u16 = 100;
const MPLEX_PEERS: usize = 128;
const RELAY: &str = "/vac/waku/relay/2.0.0";
const PUSH: &str = "/vac/waku/lightpush/3.0.0";
const STORE: &str = "/vac/waku/store-query/3.0.0";
const FILTER: &str = "/vac/waku/filter-subscribe/2.0.0-beta1";
const FILTER_PUSH: &str = "/vac/waku/filter-push/2.0.0-beta1";
const METADATA: &str = "/vac/waku/metadata/1.0.0";
const SHARD: &[u8] = b"/waku/2/rs/16/32";
/// Not that of honest clients: nobody could take all of it.
const TOPIC: &[u8] = b"/flood/1/all/proto";
const MIB: usize = 1024 * 1024;

/// What a peer of the crowd does. The first two are one of each.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// 10,000 small gossip messages a second.
    Flood,
    /// Large gossip messages, as fast as they are taken.
    LargeFlood,
    /// Opens streams and leaves them.
    HalfOpen,
    /// Sends a byte of a request now and then.
    Dribble,
    /// Lengths that are too large or never end, and bytes that are no request.
    Malformed,
    /// Asks for everything, subscribes to everything, reads nothing.
    SlowReader,
    /// Requests of a MiB that lack their last byte.
    Hoard,
}

#[derive(Default)]
struct Seen {
    connected: AtomicBool,
    connections: AtomicU64,
    streams_ended: AtomicU64,
}

struct Peer {
    host: Host,
    kind: Kind,
    seen: Arc<Seen>,
    next_stream: u64,
    began: bool,
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

fn bytes_field(number: usize, bytes: &[u8]) -> Vec<u8> {
    [&varint(number << 3 | 2)[..], &varint(bytes.len()), bytes].concat()
}

fn number_field(number: usize, value: usize) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&varint(body.len())[..], body].concat()
}

fn now_ns() -> usize {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as usize)
}

fn gossip(payload: &[u8]) -> Vec<u8> {
    let message = [bytes_field(1, payload), bytes_field(2, TOPIC), number_field(10, now_ns() * 2)].concat();
    framed(&bytes_field(2, &[bytes_field(2, &message), bytes_field(4, SHARD)].concat()))
}

impl Peer {
    fn start(index: usize, only: Option<usize>) -> Self {
        let all = [
            Kind::Flood,
            Kind::LargeFlood,
            Kind::HalfOpen,
            Kind::Dribble,
            Kind::Malformed,
            Kind::SlowReader,
            Kind::Hoard,
        ];
        let kind = all[only.unwrap_or(if index < 2 { index } else { 2 + index % 5 })];
        let mut config = Config::with_key(Keypair::generate_secp256k1());
        config.gossip_enabled = false;
        config.log_level = 0;
        let seen: Arc<Seen> = Arc::default();
        let noted = seen.clone();
        let sink = move |event: &Event| match event {
            Event::Connected { .. } => {
                noted.connected.store(true, Ordering::Relaxed);
                noted.connections.fetch_add(1, Ordering::Relaxed);
            }
            Event::Closed { .. } => noted.connected.store(false, Ordering::Relaxed),
            Event::StreamEnd { .. } => {
                noted.streams_ended.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        };
        let host = Host::start(config, Arc::new(sink)).expect("a host starts");
        for protocol in [RELAY, FILTER_PUSH] {
            host.accept_protocol(protocol, 64).expect("a protocol is accepted");
        }
        Self { host, kind, seen, next_stream: 1, began: false }
    }

    /// Opens a stream, writes `bytes` and says what stream it is. Refusals are what an attacker lives with.
    fn send(&mut self, victim: &str, protocol: &str, bytes: &[u8]) -> u64 {
        let stream = self.next_stream;
        self.next_stream += 1;
        let _ = self.host.open_stream(stream, victim, protocol, Duration::from_secs(10));
        if !bytes.is_empty() {
            let _ = self.host.write_stream(stream, bytes);
        }
        stream
    }

    /// Ten times a second.
    fn act(&mut self, victim: &str, turn: usize) {
        let first = !std::mem::replace(&mut self.began, true);
        match self.kind {
            Kind::Flood => {
                if first {
                    self.send(victim, RELAY, &[]);
                }
                let batch: Vec<u8> = (0..1000).flat_map(|n| gossip(format!("{turn} {n}").as_bytes())).collect();
                let _ = self.host.write_stream(self.next_stream - 1, &batch);
            }
            Kind::LargeFlood => {
                if first {
                    self.send(victim, RELAY, &[]);
                }
                let mut payload = vec![0x5a; 130_000];
                payload[..8].copy_from_slice(&(turn as u64).to_be_bytes());
                for n in 0..4 {
                    payload[8] = n;
                    let _ = self.host.write_stream(self.next_stream - 1, &gossip(&payload));
                }
            }
            Kind::HalfOpen => {
                for protocol in [METADATA, PUSH, STORE, FILTER] {
                    self.send(victim, protocol, &[]);
                }
            }
            Kind::Dribble if first => {
                self.send(victim, PUSH, &varint(MIB));
            }
            Kind::Dribble => {
                if self.host.write_stream(self.next_stream - 1, &[0]).is_err() {
                    self.began = false;
                }
            }
            Kind::Malformed => {
                let endless: &[u8] = &[0xff; 11];
                for bytes in [varint(1 << 40).as_slice(), endless, &framed(&[0xff; 64]), &[1, 0, 0]] {
                    self.send(victim, [METADATA, PUSH, STORE, FILTER][turn % 4], bytes);
                }
            }
            Kind::SlowReader => {
                let subscribe =
                    [bytes_field(1, b"r"), number_field(2, 1), bytes_field(10, SHARD), bytes_field(11, TOPIC)];
                let query = [bytes_field(1, b"r"), number_field(2, 1), number_field(53, 100)];
                if first || turn.is_multiple_of(100) {
                    self.send(victim, FILTER, &framed(&subscribe.concat()));
                }
                self.send(victim, STORE, &framed(&query.concat()));
            }
            Kind::Hoard => {
                let mut part = varint(MIB);
                part.resize(MIB, 0x5a);
                self.send(victim, PUSH, &part);
            }
        }
    }
}

async fn connect_from(from: [u8; 4], to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// Connections that say nothing.
async fn be_silent(address: SocketAddr) -> Vec<TcpStream> {
    let mut out = Vec::new();
    for n in 0..SILENT {
        out.extend(connect_from([127, 0, 2, 1 + (n % 8) as u8], address).await);
    }
    out
}

/// Passes connections on to `victim` from the address `from`; the port on which it takes them.
fn forward(from: [u8; 4], victim: SocketAddr) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("a port").port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let copy = |mut from: Blocking, mut to: Blocking| {
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    };
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = runtime.block_on(connect_from(from, victim)).and_then(TcpStream::into_std);
            let Ok(far) = far else { continue };
            let blocking = far.set_nonblocking(false).and_then(|()| Ok((near.try_clone()?, far.try_clone()?)));
            if let Ok((near_too, far_too)) = blocking {
                copy(near, far_too);
                copy(far, near_too);
            }
        }
    });
    port
}

async fn speak_mplex(forwarders: &[String], end: Instant) {
    let (connections, sent): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
    for index in 0..MPLEX_PEERS {
        let address = forwarders[index % ADDRESSES].parse().expect("an address");
        tokio::spawn(mplex::attack(address, connections.clone(), sent.clone()));
    }
    println!("attacking");
    tokio::time::sleep_until(end.into()).await;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!("{{\"connections\":{},\"mib_sent\":{}}}", read(&connections), read(&sent) / MIB as u64);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, seconds, kind @ ..] = arguments.as_slice() else {
        eprintln!("usage: hostile ADDRESS SECONDS [KIND]");
        std::process::exit(2);
    };
    let parts: Vec<&str> = address.split('/').collect();
    let victim = *parts.last().expect("an address ends with a peer id");
    let socket: SocketAddr = format!("{}:{}", parts[2], parts[4]).parse().expect("/ip4/A/tcp/P/p2p/ID");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let forwarders: Vec<String> = (0..ADDRESSES)
        .map(|n| format!("/ip4/127.0.0.1/tcp/{}", forward([127, 0, 1, 1 + n as u8], socket)))
        .collect();
    let lasts = Duration::from_secs(seconds.parse().expect("SECONDS"));
    if kind.first().is_some_and(|kind| kind == "mplex") {
        runtime.block_on(speak_mplex(&forwarders, Instant::now() + lasts));
        std::process::exit(0);
    }
    let only = kind.first().map(|kind| kind.parse().expect("KIND is a number or mplex"));
    let _silent = runtime.block_on(be_silent(socket));
    let forwarders: Vec<String> = forwarders.iter().map(|address| format!("{address}/p2p/{victim}")).collect();
    let mut peers: Vec<Peer> = (0..PEERS).map(|index| Peer::start(index, only)).collect();
    println!("attacking");
    // It takes seconds until all of them are there.
    let end = Instant::now() + lasts;
    let mut turn = 0;
    while Instant::now() < end {
        for (index, peer) in peers.iter_mut().enumerate() {
            if peer.seen.connected.load(Ordering::Relaxed) {
                peer.act(victim, turn);
            } else if turn.is_multiple_of(10) {
                peer.began = false;
                let _ = peer.host.dial(turn as u64 + 1, &forwarders[index % ADDRESSES]);
            }
        }
        turn += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    let sum = |of: fn(&Seen) -> &AtomicU64| peers.iter().map(|p| of(&p.seen).load(Ordering::Relaxed)).sum::<u64>();
    let (connections, ended) = (sum(|seen| &seen.connections), sum(|seen| &seen.streams_ended));
    let connected = peers.iter().filter(|peer| peer.seen.connected.load(Ordering::Relaxed)).count();
    println!("{{\"connections\":{connections},\"connected\":{connected},\"streams_ended\":{ended},\"turns\":{turn}}}");
    // The hosts are not stopped one by one: the process ends.
    std::process::exit(0);
}
