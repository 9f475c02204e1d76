// p2p/src/host/discovery.rs - finds other nodes over UDP: discv5 under Waku's protocol id (33/WAKU2-DISCV5).
//!
//! One task a host, on its network thread; the library's own tasks run beside it. A panic in any of them, and a socket
//! that cannot be opened, end discovery with an event that says why, and nothing else: the host goes on, and discovery
//! may be started again. The library keeps its list of banned addresses for the whole process, not for a host.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use discv5::{ConfigBuilder, Discv5, Enr, ListenConfig, ProtocolIdentity};
use enr::{CombinedKey, EnrPublicKey, NodeId};
use futures::future::BoxFuture;
use futures::FutureExt;
use libp2p::identity::{secp256k1, Keypair, PublicKey};
use libp2p::PeerId;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::command::Refusal;
use super::event::Event;
use super::shared::{Lease, Shared};

/// Bootstrap records of one start.
pub const MAX_BOOTSTRAP: usize = 64;

/// Nothing else differs from the wire format of discv5.1; nodes of other networks cannot even read our headers.
const IDENTITY: ProtocolIdentity = ProtocolIdentity { protocol_id: *b"d5waku", protocol_version: [0, 1] };
/// Waits between look-ups: 2, 4, 8, 16 and then 30 s while few nodes are known, the last one when enough are.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const WAIT_WITH_FEW: Duration = Duration::from_secs(30);
const WAIT_WITH_ENOUGH: Duration = Duration::from_secs(300);
const ENOUGH: usize = 16;
/// A record is told once in that time, and no more than so many are: what strangers make up costs no more memory.
const FORGET_AFTER: Duration = Duration::from_secs(600);
const MAX_TOLD: usize = 4096;
const MAX_SESSIONS: usize = 1000;
/// Nodes in a bucket of 16 that came to us by themselves.
const MAX_INBOUND_IN_BUCKET: usize = 8;
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);
const PING_INTERVAL: Duration = Duration::from_secs(300);
/// Longer than between two pings, so that each peer's word on our address counts.
const VOTES_LAST: Duration = Duration::from_secs(360);

/// What to start with, all of it checked.
pub(crate) struct Plan {
    listen: SocketAddr,
    record: Enr,
    bootstrap: Vec<Enr>,
}

impl Plan {
    /// `bootstrap` is one record a line. `Invalid`: a record that does not verify, or whose key is not that of `own`;
    /// `TooLarge`: over MAX_BOOTSTRAP.
    pub(crate) fn parse(own: PeerId, ip: &str, port: u16, record: &str, bootstrap: &str) -> Result<Self, Refusal> {
        let ip: IpAddr = ip.parse().map_err(|_| Refusal::Invalid)?;
        let record = parse_record(record)?;
        if peer_of(&record) != Some(own) {
            return Err(Refusal::Invalid);
        }
        let lines: Vec<&str> = bootstrap.lines().take(MAX_BOOTSTRAP + 1).collect();
        if lines.len() > MAX_BOOTSTRAP {
            return Err(Refusal::TooLarge);
        }
        let bootstrap = lines.into_iter().map(parse_record).collect::<Result<_, _>>()?;
        Ok(Self { listen: SocketAddr::new(ip, port), record, bootstrap })
    }
}

fn parse_record(text: &str) -> Result<Enr, Refusal> {
    // The library takes a text without its prefix too, and verifies the signature.
    if !text.starts_with("enr:") {
        return Err(Refusal::Invalid);
    }
    text.parse().map_err(|_| Refusal::Invalid)
}

fn peer_of(record: &Enr) -> Option<PeerId> {
    let key = secp256k1::PublicKey::try_from_bytes(&record.public_key().encode()).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// Runs discovery until the host ends. The lease is held as long.
pub(crate) fn spawn(shared: Arc<Shared>, keypair: &Keypair, plan: Plan, lease: Lease) {
    let key = secret_of(keypair);
    tokio::spawn(async move {
        let work = async {
            match key {
                Some(key) => discover(&shared, key, plan).await,
                None => "the host's key is not secp256k1".into(),
            }
        };
        let reason = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|payload| {
            std::mem::forget(payload);
            shared.note_panic()
        });
        shared.totals.discv5_nodes.store(0, Ordering::Relaxed);
        drop(lease);
        shared.emit(&Event::Discv5Failed { reason });
    });
}

fn secret_of(keypair: &Keypair) -> Option<CombinedKey> {
    let keypair = keypair.clone().try_into_secp256k1().ok()?;
    // Wiped by the call.
    CombinedKey::secp256k1_from_bytes(&mut keypair.secret().to_bytes()).ok()
}

/// Why it ended.
async fn discover(shared: &Arc<Shared>, key: CombinedKey, plan: Plan) -> String {
    let (faults, mut fault) = mpsc::channel(1);
    let mut service = match start(shared, faults, key, &plan) {
        Ok(service) => service,
        Err(reason) => return reason,
    };
    if let Err(error) = service.discv5.start().await {
        return error.to_string();
    }
    let mut events = match service.discv5.event_stream().await {
        Ok(events) => events,
        Err(error) => return error.to_string(),
    };
    let mut wait = FIRST_WAIT;
    let mut lookup = service.look_up(Duration::ZERO);
    loop {
        service.tell_own_record();
        tokio::select! {
            Some(reason) = fault.recv() => return reason,
            event = events.recv() => match event {
                Some(event) => service.take(event),
                None => return fault.try_recv().unwrap_or_else(|_| "the service ended".into()),
            },
            found = &mut lookup => {
                count(&shared.totals.discv5_queries);
                for record in &found {
                    service.tell(record);
                }
                let known = service.note_known();
                lookup = service.look_up(if known < ENOUGH { wait } else { WAIT_WITH_ENOUGH });
                wait = (wait * 2).min(WAIT_WITH_FEW);
            }
        }
    }
}

struct Service {
    discv5: Discv5,
    shared: Arc<Shared>,
    bound: SocketAddr,
    bootstrap: Vec<Enr>,
    told: Told,
    told_own: Option<u64>,
}

type LookUp = BoxFuture<'static, Vec<Enr>>;

impl Service {
    /// A walk towards a random place, after a wait.
    fn look_up(&self, wait: Duration) -> LookUp {
        if self.discv5.connected_peers() == 0 {
            for record in &self.bootstrap {
                if let Err(error) = self.discv5.add_enr(record.clone()) {
                    tracing::debug!(node = %record.node_id(), error, "bootstrap node not taken");
                }
            }
        }
        let walk = self.discv5.find_node(NodeId::random());
        async move {
            tokio::time::sleep(wait).await;
            walk.await.unwrap_or_default()
        }
        .boxed()
    }

    fn take(&mut self, event: discv5::Event) {
        match event {
            discv5::Event::Discovered(record) => self.tell(&record),
            discv5::Event::SessionEstablished(record, _) => {
                count(&self.shared.totals.discv5_sessions);
                self.tell(&record);
            }
            discv5::Event::UnrecognizedFrame(_) => count(&self.shared.totals.discv5_unrecognized),
            discv5::Event::UnverifiableEnr { .. } => count(&self.shared.totals.discv5_unverifiable),
            _ => {}
        }
    }

    fn tell(&mut self, record: &Enr) {
        if self.told.is_news(record.node_id(), record.seq(), Instant::now()) {
            self.shared.emit(&Event::Discovered { record: record.to_base64() });
        }
    }

    /// Once, and again when votes of others have changed our address in it.
    fn tell_own_record(&mut self) {
        let own = self.discv5.local_enr();
        if self.told_own.replace(own.seq()) != Some(own.seq()) {
            let (address, record) = (self.bound.to_string(), own.to_base64());
            self.shared.emit(&Event::Discv5Listening { address, record });
        }
    }

    fn note_known(&self) -> usize {
        let known = self.discv5.connected_peers();
        self.shared.totals.discv5_nodes.store(known as u64, Ordering::Relaxed);
        known
    }
}

fn count(counter: &std::sync::atomic::AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Opens the socket; the library's tasks begin with its own `start`.
fn start(shared: &Arc<Shared>, faults: mpsc::Sender<String>, key: CombinedKey, plan: &Plan) -> Result<Service, String> {
    let socket = bind(plan.listen).map_err(|error| format!("{}: {error}", plan.listen))?;
    let bound = socket.local_addr().map_err(|error| error.to_string())?;
    let socket = Some(Arc::new(socket));
    let listen = match bound {
        SocketAddr::V4(_) => ListenConfig::FromSockets { ipv4: socket, ipv6: None },
        SocketAddr::V6(_) => ListenConfig::FromSockets { ipv4: None, ipv6: socket },
    };
    let mut config = ConfigBuilder::new(listen);
    config
        .protocol_identity(IDENTITY)
        .executor(Box::new(Contained { shared: shared.clone(), faults }))
        .session_cache_capacity(MAX_SESSIONS)
        .incoming_bucket_limit(MAX_INBOUND_IN_BUCKET)
        .query_timeout(QUERY_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .vote_duration(VOTES_LAST);
    // Outside, one address (or a /24) must not fill our table, 10 nodes of it and 2 of a bucket, nor our time. On
    // loopback everybody has the same address, and only this machine's user is kept out.
    if !bound.ip().is_loopback() {
        config.ip_limit().enable_packet_filter();
    }
    let mut record = plan.record.clone();
    complete(&mut record, &key, bound).map_err(|error| format!("the record has no room for the port: {error}"))?;
    let discv5 = Discv5::new(record, key, config.build()).map_err(str::to_owned)?;
    let bootstrap = plan.bootstrap.clone();
    Ok(Service { discv5, shared: shared.clone(), bound, bootstrap, told: Told::default(), told_own: None })
}

fn bind(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // The port of IPv4 may be another's.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Adds the port we got to a record that names none, with the address we listen at when the record names none either.
/// Without any, votes of others have to find it.
fn complete(record: &mut Enr, key: &CombinedKey, bound: SocketAddr) -> Result<(), enr::Error> {
    let (has_port, known) = match bound {
        SocketAddr::V4(_) => (record.udp4().is_some(), record.ip4().map(IpAddr::from)),
        SocketAddr::V6(_) => (record.udp6().is_some(), record.ip6().map(IpAddr::from)),
    };
    let own = Some(bound.ip()).filter(|ip| !ip.is_unspecified());
    match known.or(own) {
        Some(ip) if !has_port => record.set_udp_socket(SocketAddr::new(ip, bound.port()), key),
        _ => Ok(()),
    }
}

/// Which records were told lately.
#[derive(Default)]
struct Told {
    known: HashSet<(NodeId, u64)>,
    oldest_first: VecDeque<(Instant, (NodeId, u64))>,
}

impl Told {
    /// Remembers it as told when it is to be told now.
    fn is_news(&mut self, node: NodeId, seq: u64, now: Instant) -> bool {
        while self.oldest_first.front().is_some_and(|(since, _)| now - *since >= FORGET_AFTER) {
            self.oldest_first.pop_front().map(|(_, old)| self.known.remove(&old));
        }
        if self.known.len() >= MAX_TOLD || !self.known.insert((node, seq)) {
            return false;
        }
        self.oldest_first.push_back((now, (node, seq)));
        true
    }
}

/// Runs the library's tasks; a panic in one becomes a fault of discovery.
#[derive(Clone)]
struct Contained {
    shared: Arc<Shared>,
    faults: mpsc::Sender<String>,
}

impl discv5::Executor for Contained {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let Self { shared, faults } = self.clone();
        tokio::spawn(async move {
            if let Err(payload) = AssertUnwindSafe(task).catch_unwind().await {
                std::mem::forget(payload);
                // When it is full, a fault is on its way already.
                let _ = faults.try_send(shared.note_panic());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::panics;

    #[test]
    fn a_record_is_told_once_in_ten_minutes() {
        let (mut told, start, node) = (Told::default(), Instant::now(), NodeId::random());
        assert!(told.is_news(node, 1, start));
        assert!(!told.is_news(node, 1, start + FORGET_AFTER - Duration::from_secs(1)));
        assert!(told.is_news(node, 2, start), "a newer record");
        assert!(told.is_news(node, 1, start + FORGET_AFTER));
    }

    #[test]
    fn records_that_are_made_up_find_an_end() {
        let (mut told, start) = (Told::default(), Instant::now());
        let taken = (0..2 * MAX_TOLD).filter(|_| told.is_news(NodeId::random(), 1, start)).count();
        assert_eq!((taken, told.oldest_first.len()), (MAX_TOLD, MAX_TOLD));
        assert!(told.is_news(NodeId::random(), 1, start + FORGET_AFTER));
        assert_eq!(told.oldest_first.len(), 1);
    }

    #[test]
    fn a_panic_in_a_task_of_the_library_is_a_fault() -> std::io::Result<()> {
        panics::install();
        panics::watch_this_thread();
        let shared = Arc::new(Shared::new(Arc::new(|_| {})));
        let (faults, mut fault) = mpsc::channel(1);
        let library = Contained { shared: shared.clone(), faults };
        let reason = tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
            discv5::Executor::spawn(&library, Box::pin(async { std::panic::panic_any("a strange packet") }));
            fault.recv().await
        });
        assert!(reason.is_some_and(|reason| reason.starts_with("a strange packet at ")));
        assert_eq!(shared.totals.snapshot().panics, 1);
        Ok(())
    }

    const PORT: u16 = 9000;
    const OUTSIDE: [u8; 4] = [192, 0, 2, 1];

    /// The UDP address in a record of `ip` and `port` after `bound` was opened, and how often it was signed.
    fn completed(
        ip: Option<[u8; 4]>,
        port: Option<u16>,
        bound: [u8; 4],
    ) -> Result<(Option<SocketAddr>, u64), enr::Error> {
        let (key, mut builder) = (CombinedKey::generate_secp256k1(), Enr::builder());
        ip.map(|ip| builder.ip4(ip.into()));
        port.map(|port| builder.udp4(port));
        let mut record = builder.build(&key)?;
        complete(&mut record, &key, SocketAddr::from((bound, PORT)))?;
        Ok((record.udp4_socket().map(SocketAddr::from), record.seq()))
    }

    #[test]
    fn a_record_without_a_port_gets_the_one_that_is_bound() -> Result<(), enr::Error> {
        let loopback = [127, 0, 0, 1];
        assert_eq!(completed(None, None, loopback)?, (Some((loopback, PORT).into()), 2));
        assert_eq!(completed(Some(OUTSIDE), None, [0; 4])?, (Some((OUTSIDE, PORT).into()), 2));
        // Nobody could use it.
        assert_eq!(completed(None, None, [0; 4])?, (None, 1));
        Ok(())
    }

    #[test]
    fn a_port_that_is_forwarded_stays_as_it_is_named() -> Result<(), enr::Error> {
        assert_eq!(completed(Some(OUTSIDE), Some(443), [0; 4])?, (Some((OUTSIDE, 443).into()), 1));
        Ok(())
    }
}
