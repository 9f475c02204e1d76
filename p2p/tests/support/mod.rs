// p2p/tests/support/mod.rs - a host whose events a test can wait for, and pairs of hosts that are connected.
#![allow(dead_code)]

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use libp2p::identity::Keypair;
use noroshi_p2p::host::{Config, Event, Host};

/// Far above what anything takes here; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const ANY_PORT: &str = "/ip4/127.0.0.1/tcp/0";
pub const ECHO: &str = "/noroshi/test/1";
pub const TOPIC: &str = "/waku/2/rs/16/32";

#[derive(Default)]
struct Inbox {
    events: Mutex<Vec<Event>>,
    arrived: Condvar,
}

pub struct Node {
    pub host: Host,
    inbox: Arc<Inbox>,
}

impl Node {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    /// Heartbeats are fast, so that a mesh stands within a second.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::with_key(Keypair::generate_secp256k1());
        config.heartbeat = Duration::from_millis(200);
        config.heartbeat_initial_delay = Duration::from_millis(50);
        config.ip_colocation_threshold = 0;
        change(&mut config);
        let inbox: Arc<Inbox> = Arc::default();
        let sink = inbox.clone();
        let host = Host::start(config, Arc::new(move |event| sink.put(event.clone()))).expect("host starts");
        Self { host, inbox }
    }

    pub fn id(&self) -> String {
        self.host.peer_id().to_string()
    }

    /// Listens on loopback; the whole address with /p2p/.
    pub fn listen(&self) -> String {
        self.host.listen(ANY_PORT).expect("listen is taken");
        self.wait("LISTENING", |event| match event {
            Event::Listening { address } => Some(address.clone()),
            _ => None,
        })
    }

    /// Takes out the first event that `pick` wants, also one that came before the call; the others stay.
    pub fn wait<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        match self.wait_for(PATIENCE, &pick) {
            Some(value) => value,
            None => panic!("no {what} came, but {:#?}", self.inbox.events.lock().expect("inbox")),
        }
    }

    pub fn wait_for<T>(&self, patience: Duration, pick: &impl Fn(&Event) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut events = self.inbox.events.lock().expect("inbox");
        loop {
            if let Some((at, value)) = events.iter().enumerate().find_map(|(at, event)| Some((at, pick(event)?))) {
                events.remove(at);
                return Some(value);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            events = self.inbox.arrived.wait_timeout(events, left).expect("inbox").0;
        }
    }

    /// Whether such an event has come and not been taken.
    pub fn has(&self, pick: impl Fn(&Event) -> bool) -> bool {
        self.inbox.events.lock().expect("inbox").iter().any(pick)
    }

    pub fn count(&self) -> usize {
        self.inbox.events.lock().expect("inbox").len()
    }

    pub fn wait_connected(&self, peer: &Node) -> (u64, bool) {
        let id = peer.host.peer_id();
        self.wait("CONNECTED", |event| match event {
            Event::Connected { peer, request_id, inbound, .. } if *peer == id => Some((*request_id, *inbound)),
            _ => None,
        })
    }

    pub fn wait_closed(&self, peer: &Node) {
        let id = peer.host.peer_id();
        self.wait("CLOSED", |event| match event {
            Event::Closed { peer, remaining: 0, .. } if *peer == id => Some(()),
            _ => None,
        });
    }

    /// The protocols that the peer announced, one a line.
    pub fn wait_identified(&self, peer: &Node) -> (String, String) {
        let id = peer.host.peer_id();
        self.wait("IDENTIFIED", |event| match event {
            Event::Identified { peer, agent, protocols, .. } if *peer == id => Some((agent.clone(), protocols.clone())),
            _ => None,
        })
    }

    pub fn wait_subscribed(&self, peer: &Node) {
        let id = peer.host.peer_id();
        self.wait("PEER_SUBSCRIBED", |event| match event {
            Event::PeerSubscribed { peer, topic } if *peer == id && topic == TOPIC => Some(()),
            _ => None,
        });
    }

    pub fn counters(&self) -> noroshi_p2p::host::Counters {
        self.host.stats(7).expect("stats is taken");
        self.wait("STATS", |event| match event {
            Event::Stats { request_id: 7, counters } => Some(*counters),
            _ => None,
        })
    }

    /// Ends when the network thread has carried out all commands before this call.
    pub fn settle(&self) {
        self.counters();
    }
}

impl Inbox {
    fn put(&self, event: Event) {
        self.events.lock().expect("inbox").push(event);
        self.arrived.notify_all();
    }
}

/// `from` dials `to`; both know of it when this returns.
pub fn connect(from: &Node, to: &Node) {
    let address = to.listen();
    from.host.dial(1, &address).expect("dial is taken");
    assert_eq!(from.wait_connected(to), (1, false));
    assert_eq!(to.wait_connected(from), (0, true));
}
