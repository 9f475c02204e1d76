// p2p/src/host/execute.rs - the commands of the main loop, one function each.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::atomic::Ordering;

use libp2p::gossipsub::{IdentTopic, MessageAcceptance, MessageId, PublishError, TopicHash};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

use super::command::Command;
use super::event::{DialReason, Event, PublishFailure};
use super::runner::Runner;
use super::stream_task::Opened;
use super::{dial, discovery, gossip};

const MAX_BANNED: usize = 4096;

impl Runner {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Listen(address) => self.listen(address),
            Command::AddExternalAddress(address) => self.swarm.add_external_address(address),
            Command::Dial { request_id, address } => self.dial(request_id, address),
            Command::Disconnect(peer) => {
                // An error says that there was no connection, which is what was asked for.
                let _ = self.swarm.disconnect_peer_id(peer);
            }
            Command::Ban { peer, on } => self.ban(peer, on),
            Command::Subscribe(topic) => self.subscribe(topic),
            Command::Unsubscribe(topic) => {
                if let Some(gossip) = self.gossip() {
                    gossip.unsubscribe(&IdentTopic::new(topic));
                }
            }
            Command::Mesh { request_id, topic } => self.mesh(request_id, topic),
            Command::Publish { request_id, topic, data } => self.publish(request_id, topic, data.take()),
            Command::Verdict { message_id, peer, acceptance } => self.verdict(message_id, peer, acceptance),
            Command::ProtocolsChanged => self.swarm.behaviour_mut().streams.protocols_changed(),
            Command::Discover { plan, lease } => {
                discovery::spawn(self.shared.clone(), &self.keypair, *plan, lease);
            }
            Command::OpenStream { guard, peer, protocol, timeout } => {
                let opened = Opened { peer, protocol: protocol.to_string() };
                self.open_stream(guard, opened, protocol, timeout);
            }
            Command::Stats { request_id } => self.stats(request_id),
            #[cfg(feature = "test-hooks")]
            Command::TestPanic { in_task } => {
                if !in_task {
                    std::panic::panic_any("test panic in the main loop");
                }
                let task = async { std::panic::panic_any("test panic in a connection") };
                super::swarm::contain(self.shared.clone(), Box::pin(task));
            }
        }
    }

    fn gossip(&mut self) -> Option<&mut gossip::Behaviour> {
        self.swarm.behaviour_mut().gossip.as_mut()
    }

    fn listen(&mut self, address: Multiaddr) {
        if let Err(error) = probe(&address) {
            return self.listen_closed(&address, &error.to_string());
        }
        if let Err(error) = self.swarm.listen_on(address.clone()) {
            self.listen_closed(&address, &error.to_string());
        }
    }

    fn dial(&mut self, request_id: u64, address: Multiaddr) {
        let named = address.iter().find_map(|part| match part {
            Protocol::P2p(peer) => Some(peer),
            _ => None,
        });
        if named == Some(*self.swarm.local_peer_id()) {
            // Our dials come from the port that we listen on: TCP would connect the socket with itself.
            let detail = "the address is our own".into();
            return self.emit(Event::DialError { request_id, peer: named, reason: DialReason::Own, detail });
        }
        let options = match named {
            // Other nodes allow one connection a peer: a second one is never tried.
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![address])
                .build(),
            None => DialOpts::unknown_peer_id().address(address).build(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, request_id);
            }
            Err(error) => {
                let (reason, detail) = dial::explain(&error);
                self.emit(Event::DialError { request_id, peer: named, reason, detail });
            }
        }
    }

    fn ban(&mut self, peer: PeerId, on: bool) {
        let banned = &mut self.swarm.behaviour_mut().banned;
        if !on {
            banned.unblock_peer(peer);
        } else if banned.blocked_peers().len() < MAX_BANNED {
            banned.block_peer(peer);
        } else {
            tracing::warn!(%peer, "not banned: the list is full");
        }
    }

    fn subscribe(&mut self, topic: String) {
        let topic = IdentTopic::new(topic);
        let Some(gossip) = self.gossip() else { return };
        if let Err(error) = gossip.set_topic_params(topic.clone(), gossip::topic_score()) {
            tracing::error!(%topic, %error, "no scores for topic");
        }
        if let Err(error) = gossip.subscribe(&topic) {
            tracing::error!(%topic, %error, "not subscribed");
        }
    }

    fn publish(&mut self, request_id: u64, topic: String, data: Vec<u8>) {
        let id = gossip::message_id(&data);
        let Some(gossip) = self.gossip() else { return };
        let result = gossip.publish(TopicHash::from_raw(topic.clone()), data);
        let (failure, detail) = match result {
            Ok(_) => {
                self.shared.totals.messages_published.fetch_add(1, Ordering::Relaxed);
                (None, String::new())
            }
            Err(error) => {
                let failure = match &error {
                    PublishError::NoPeersSubscribedToTopic => PublishFailure::NoPeers,
                    PublishError::Duplicate => PublishFailure::Duplicate,
                    PublishError::MessageTooLarge => PublishFailure::TooLarge,
                    PublishError::AllQueuesFull(_) => PublishFailure::QueuesFull,
                    _ => PublishFailure::Other,
                };
                (Some(failure), error.to_string())
            }
        };
        self.emit(Event::PublishResult { request_id, topic, id, failure, detail });
    }

    pub(super) fn verdict(&mut self, message_id: Vec<u8>, peer: PeerId, acceptance: MessageAcceptance) {
        let id = MessageId(message_id);
        if let Some(gossip) = self.gossip() {
            if !gossip.report_message_validation_result(&id, &peer, acceptance) {
                tracing::info!(message = %id, "verdict came too late or twice");
            }
        }
    }

    fn mesh(&mut self, request_id: u64, topic: String) {
        let hash = TopicHash::from_raw(topic.clone());
        let Some(gossip) = self.gossip() else { return };
        let mesh: Vec<PeerId> = gossip.mesh_peers(&hash).copied().collect();
        let mut lines = Vec::new();
        for (peer, topics) in gossip.all_peers() {
            if topics.contains(&&hash) {
                let place = if mesh.contains(peer) { "mesh" } else { "peer" };
                let score = gossip.peer_score(peer).unwrap_or(0.0);
                lines.push(format!("{peer} {place} {score:.3}"));
            }
        }
        let size = mesh.len() as u64;
        self.emit(Event::Mesh { request_id, topic, size, lines: lines.join("\n") });
    }

    fn stats(&self, request_id: u64) {
        let mut counters = self.shared.totals.snapshot();
        let network = self.swarm.network_info();
        counters.connections = u64::from(network.connection_counters().num_established());
        counters.peers = network.num_peers() as u64;
        counters.streams = self.shared.streams.len() as u64;
        self.emit(Event::Stats { request_id, counters });
    }
}

/// Fails when somebody listens at the address. The transport shares its ports (SO_REUSEPORT): two nodes of one user
/// would silently get every other connection of each other.
fn probe(address: &Multiaddr) -> io::Result<()> {
    let parts: Vec<_> = address.iter().take(2).collect();
    let (ip, port) = match parts[..] {
        [Protocol::Ip4(ip), Protocol::Tcp(port)] => (IpAddr::from(ip), port),
        // An unspecified one would also take the port of IPv4 here, which may be ours.
        [Protocol::Ip6(ip), Protocol::Tcp(port)] if !ip.is_unspecified() => (IpAddr::from(ip), port),
        _ => return Ok(()),
    };
    TcpListener::bind((ip, port)).map(drop)
}
