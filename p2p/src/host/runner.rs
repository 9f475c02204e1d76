// p2p/src/host/runner.rs - the network thread: its main loop carries out commands and turns swarm events into ours.

use std::collections::HashMap;
use std::future::{poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{mpsc as std_mpsc, Arc};
use std::task::Poll;
use std::time::Instant;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::identity::Keypair;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{gossipsub, identify, ping, Multiaddr, PeerId, Swarm};
use tokio::sync::mpsc;

use super::command::{Command, Refusal};
use super::config::Config;
use super::event::{Event, Judgement, StreamEnd};
use super::log::{cut, LogEvents};
use super::pace::Pace;
use super::raw_stream::Inbound;
use super::shared::{Shared, Stop};
use super::stream_state::StreamGuard;
use super::stream_task::{self, Opened};
use super::swarm::{self, Behaviour, BehaviourEvent};
use super::{dial, panics, tls, MAX_TEXT};

const MAX_PROTOCOLS_TEXT: usize = 16 * 1024;
/// A connection whose pings fail so often in a row is dead, even when TCP does not know it yet.
const FAILED_PINGS: u32 = 2;

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: mpsc::Receiver<Command>,
}

/// Body of the thread. Answers on `started` exactly once; afterwards it always ends with the event STOPPED.
pub(crate) fn thread_main(parts: Parts, started: std_mpsc::Sender<Result<(), Refusal>>) {
    panics::watch_this_thread();
    let shared = parts.shared.clone();
    let running = {
        let _log = tracing::subscriber::set_default(LogEvents::new(shared.clone(), parts.config.log_level));
        catch_unwind(AssertUnwindSafe(|| run(parts, &started)))
    };
    match running {
        Ok(Ok(Stop::Requested)) => shared.emit_stopped(false, "asked to".into()),
        Ok(Ok(Stop::Panicked(note))) => shared.emit_stopped(true, note),
        Ok(Err(refusal)) => {
            let _ = started.send(Err(refusal));
        }
        Err(payload) => {
            // Dropping a payload runs code of whoever panicked, which could panic again.
            std::mem::forget(payload);
            let note = shared.note_panic();
            shared.emit_stopped(true, note);
        }
    }
}

/// Runtime, swarm and all tasks are gone when this returns; at most a look-up of a name still runs, and is told to nobody.
fn run(parts: Parts, started: &std_mpsc::Sender<Result<(), Refusal>>) -> Result<Stop, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| Refusal::Busy)?;
    let Parts { config, shared, queue } = parts;
    let tls = tls::config(&config)?;
    let swarm = {
        let _context = runtime.enter();
        swarm::build(&config, tls, &shared).map_err(|_| Refusal::Invalid)?
    };
    let pace = Pace::new(config.gossip_messages_per_s, config.gossip_bytes_per_s);
    let keypair = config.keypair.clone();
    // With it goes the key of the certificate.
    drop(config);
    let _ = started.send(Ok(()));
    let mut runner = Runner { swarm, keypair, shared, dials: HashMap::new(), failed_pings: HashMap::new(), pace };
    let why = runtime.block_on(runner.run(queue));
    drop(runner);
    // Not to be waited for is the system's resolver, which runs on threads of its own.
    runtime.shutdown_background();
    Ok(why)
}

pub(super) struct Runner {
    pub(super) swarm: Swarm<Behaviour>,
    /// For discovery, whose records are signed with it.
    pub(super) keypair: Keypair,
    pub(super) shared: Arc<Shared>,
    /// Request ids of the dials under way.
    pub(super) dials: HashMap<ConnectionId, u64>,
    failed_pings: HashMap<ConnectionId, u32>,
    pace: Pace,
}

enum Step {
    Stop,
    Command(Command),
    Swarm(Box<SwarmEvent<BehaviourEvent>>),
}

impl Runner {
    async fn run(&mut self, mut queue: mpsc::Receiver<Command>) -> Stop {
        let shared = self.shared.clone();
        let mut commands_first = true;
        loop {
            if let Some(why) = shared.stop_reason() {
                return why;
            }
            let mut stop = std::pin::pin!(shared.stop_signal().notified());
            // In turns, so that neither a busy network nor a busy caller keeps the other waiting.
            commands_first = !commands_first;
            let step = poll_fn(|cx| {
                if stop.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Step::Stop);
                }
                for command in [commands_first, !commands_first] {
                    if command {
                        match queue.poll_recv(cx) {
                            Poll::Ready(Some(command)) => return Poll::Ready(Step::Command(command)),
                            Poll::Ready(None) => return Poll::Ready(Step::Stop),
                            Poll::Pending => {}
                        }
                    } else if let Poll::Ready(Some(event)) = self.swarm.poll_next_unpin(cx) {
                        return Poll::Ready(Step::Swarm(Box::new(event)));
                    }
                }
                Poll::Pending
            })
            .await;
            match step {
                Step::Stop => return shared.stop_reason().unwrap_or(Stop::Requested),
                Step::Command(command) => self.carry_out(command),
                Step::Swarm(event) => self.on_event(*event),
            }
        }
    }

    pub(super) fn emit(&self, event: Event) {
        self.shared.emit(&event);
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, num_established, .. } => {
                let request_id = self.dials.remove(&connection_id).unwrap_or(0);
                self.emit(Event::Connected {
                    request_id,
                    peer: peer_id,
                    address: remote_of(&endpoint).to_string(),
                    inbound: endpoint.is_listener(),
                    connections: num_established.get(),
                });
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, endpoint, num_established, cause } => {
                self.failed_pings.remove(&connection_id);
                self.shared.streams.connection_gone(connection_id);
                self.emit(Event::Closed {
                    peer: peer_id,
                    address: remote_of(&endpoint).to_string(),
                    reason: cause.map_or_else(|| "closed by us".into(), |cause| cause.to_string()),
                    remaining: num_established,
                });
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                if let Some(request_id) = self.dials.remove(&connection_id) {
                    let (reason, detail) = dial::explain(&error);
                    self.emit(Event::DialError { request_id, peer: peer_id, reason, detail });
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(from = %send_back_addr, %error, "inbound connection failed");
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                let peer = *self.swarm.local_peer_id();
                self.emit(Event::Listening { address: with_peer(address, peer).to_string() });
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => self.listen_closed(&address, "the address went away"),
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                let reason = reason.map_or_else(|error| error.to_string(), |()| "closed".into());
                for address in addresses {
                    self.listen_closed(&address, &reason);
                }
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            _ => {}
        }
    }

    pub(super) fn listen_closed(&self, address: &Multiaddr, reason: &str) {
        self.emit(Event::ListenClosed { address: address.to_string(), reason: reason.to_owned() });
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.identified(peer_id, &info)
            }
            BehaviourEvent::Ping(event) => self.pinged(event),
            BehaviourEvent::Gossip(event) => self.gossiped(event),
            BehaviourEvent::Streams(inbound) => self.inbound_stream(inbound),
            _ => {}
        }
    }

    fn identified(&self, peer: PeerId, info: &identify::Info) {
        let mut protocols = String::new();
        for protocol in &info.protocols {
            let name = protocol.as_ref();
            if protocols.len() + name.len() + 1 > MAX_PROTOCOLS_TEXT {
                break;
            }
            // A name with a newline is not one that anybody could ask for.
            if !name.contains('\n') {
                protocols.push_str(if protocols.is_empty() { "" } else { "\n" });
                protocols.push_str(name);
            }
        }
        self.emit(Event::Identified {
            peer,
            agent: cut(&info.agent_version, MAX_TEXT).to_owned(),
            observed: info.observed_addr.to_string(),
            protocols,
        });
    }

    fn pinged(&mut self, event: ping::Event) {
        let ping::Event { peer, connection, result } = event;
        match result {
            Ok(time) => {
                self.failed_pings.remove(&connection);
                let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                self.emit(Event::PingRtt { peer, micros });
            }
            Err(ping::Failure::Unsupported) => {}
            Err(error) => {
                let failures = self.failed_pings.entry(connection).or_insert(0);
                *failures += 1;
                if *failures >= FAILED_PINGS {
                    tracing::info!(%peer, %error, "no answer to pings, closing the connection");
                    self.swarm.close_connection(connection);
                }
            }
        }
    }

    fn gossiped(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                self.shared.totals.messages_received.fetch_add(1, Ordering::Relaxed);
                if let Some(time) = self.pace.spend(propagation_source, message.data.len(), Instant::now()) {
                    self.shared.gates.close(&propagation_source, time);
                }
                let judge = self.shared.judge.get();
                let judgement = judge.map_or(Judgement::Later, |judge| judge(message.topic.as_str(), &message.data));
                if let Judgement::Now { acceptance, told } = judgement {
                    self.verdict(message_id.0.clone(), propagation_source, acceptance);
                    if !told {
                        return;
                    }
                }
                self.emit(Event::Message {
                    judged: matches!(judgement, Judgement::Now { .. }),
                    peer: propagation_source,
                    topic: message.topic.into_string(),
                    id: message_id.0,
                    data: message.data,
                });
            }
            gossipsub::Event::Subscribed { peer_id: peer, topic } => {
                let topic = topic.into_string();
                if topic.len() <= MAX_TEXT {
                    self.emit(Event::PeerSubscribed { peer, topic });
                }
            }
            gossipsub::Event::Unsubscribed { peer_id: peer, topic } => {
                let topic = topic.into_string();
                if topic.len() <= MAX_TEXT {
                    self.emit(Event::PeerUnsubscribed { peer, topic });
                }
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => {
                tracing::debug!(peer = %peer_id, "peer does not relay");
            }
            gossipsub::Event::SlowPeer { peer_id, .. } => {
                // What waits for it would stay until it reads; it comes again when it can.
                tracing::info!(peer = %peer_id, "peer is too slow for its messages, closing the connection");
                let _ = self.swarm.disconnect_peer_id(peer_id);
            }
        }
    }

    fn inbound_stream(&self, inbound: Inbound) {
        let Inbound { peer, connection, protocol, stream } = inbound;
        let slot = self.shared.protocols.take_slot(&protocol);
        let Some(guard) = slot.and_then(|slot| StreamGuard::create_inbound(&self.shared, slot)) else {
            // Dropping the stream resets it.
            self.shared.totals.streams_refused.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%peer, %protocol, "too many streams, one refused");
            return;
        };
        guard.state.bind(connection);
        stream_task::spawn_inbound(guard, Opened { peer, protocol: protocol.to_string() }, stream);
    }

    pub(super) fn open_stream(
        &mut self,
        mut guard: StreamGuard,
        opened: Opened,
        protocol: libp2p::StreamProtocol,
        timeout: std::time::Duration,
    ) {
        match self.swarm.behaviour_mut().streams.open(opened.peer, protocol, timeout) {
            Some(opening) => stream_task::spawn_outbound(guard, opened, opening, timeout),
            None => guard.end_as(StreamEnd::NotConnected, "not connected to that peer"),
        }
    }
}

fn remote_of(endpoint: &ConnectedPoint) -> &Multiaddr {
    endpoint.get_remote_address()
}

fn with_peer(address: Multiaddr, peer: PeerId) -> Multiaddr {
    address.with_p2p(peer).unwrap_or_else(|already| already)
}
