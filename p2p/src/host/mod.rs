// p2p/src/host/mod.rs - the handle of a host: checks each call, queues it, and owns the network thread.
//!
//! One thread, "noroshi-p2p", runs a current-thread tokio runtime with the swarm and every stream. Calls come in through
//! a bounded queue (or, for streams, through the stream's own bounded state) and never block; events leave through the
//! sink, on that thread only.

mod address_limit;
mod command;
mod config;
mod counters;
mod dial;
mod discovery;
mod event;
mod execute;
mod gate;
mod gossip;
mod log;
mod mplex;
mod names;
mod pace;
mod panics;
mod raw_stream;
mod runner;
mod shared;
mod stream_state;
mod stream_task;
mod swarm;
mod tls;

use std::sync::atomic::Ordering;
use std::sync::{mpsc as std_mpsc, Arc};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use libp2p::gossipsub::MessageAcceptance;
use libp2p::swarm::StreamProtocol;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

pub use command::Refusal;
pub use config::{Config, DEFAULT_AGENT, DEFAULT_RELAY_PROTOCOL};
pub use counters::Counters;
pub use discovery::MAX_BOOTSTRAP;
pub use event::{DialReason, Event, Judge, Judgement, PublishFailure, Sink, StreamEnd};

use command::Command;
use shared::{Shared, Stop};
use stream_state::StreamGuard;

/// Longest text taken: addresses, topics, protocols, peer ids, agent.
pub const MAX_TEXT: usize = 1024;
/// Commands waiting for the network thread.
pub const MAX_COMMANDS: usize = 256;
/// Published bytes waiting for the network thread.
pub const MAX_COMMAND_BYTES: usize = 8 * 1024 * 1024;
/// What a gossip RPC has at most around the data and topic of its message: the tags and lengths of protobuf.
const MAX_RPC_FRAME: usize = 16;
/// Raw streams of one host, both directions.
pub const MAX_STREAMS: usize = 2048;
/// Accepted protocols of one host.
pub const MAX_PROTOCOLS: usize = 64;
/// Ids of inbound streams start here; the caller's own are below, from 1.
pub const FIRST_INBOUND_STREAM: u64 = 1 << 32;

pub use stream_state::{MAX_STREAM_BYTES, MAX_STREAM_QUEUE};

/// A running host. Methods may be called from any thread; `stop` (and drop) not from the network thread.
pub struct Host {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    thread: Option<JoinHandle<()>>,
    thread_id: ThreadId,
    peer_id: PeerId,
    gossip: bool,
    max_transmit: usize,
}

type Reply = Result<(), Refusal>;

impl Host {
    /// Starts a host; returns when its thread runs. Errors: `Invalid` configuration, `Busy` when no thread or runtime
    /// could be had.
    pub fn start(config: Config, sink: Sink) -> Result<Self, Refusal> {
        config.validate()?;
        panics::install();
        let peer_id = config.keypair.public().to_peer_id();
        let gossip = config.gossip_enabled;
        let max_transmit = config.max_transmit_bytes;
        let shared = Arc::new(Shared::new(sink));
        let (commands, queue) = mpsc::channel(MAX_COMMANDS);
        let (started, start) = std_mpsc::channel();
        let parts = runner::Parts { config, shared: shared.clone(), queue };
        let thread = thread::Builder::new()
            .name("noroshi-p2p".into())
            .spawn(move || runner::thread_main(parts, started))
            .map_err(|_| Refusal::Busy)?;
        let thread_id = thread.thread().id();
        match start.recv() {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => {
                let _ = thread.join();
                return Err(refusal);
            }
            Err(_) => {
                let _ = thread.join();
                return Err(Refusal::Busy);
            }
        }
        Ok(Self { shared, commands, thread: Some(thread), thread_id, peer_id, gossip, max_transmit })
    }

    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    pub fn listen(&self, address: &str) -> Reply {
        self.send(Command::Listen(parse_address(address)?))
    }

    pub fn add_external_address(&self, address: &str) -> Reply {
        self.send(Command::AddExternalAddress(parse_address(address)?))
    }

    pub fn dial(&self, request_id: u64, address: &str) -> Reply {
        if request_id == 0 {
            return Err(Refusal::Invalid);
        }
        self.send(Command::Dial { request_id, address: parse_address(address)? })
    }

    /// Begins to look for other nodes over UDP; `record` is our own ENR, `bootstrap` those of others, one a line.
    /// `Exists` while it runs.
    pub fn discover(&self, ip: &str, port: u16, record: &str, bootstrap: &str) -> Reply {
        for text in [ip, record] {
            check_length(text)?;
        }
        let plan = discovery::Plan::parse(self.peer_id, ip, port, record, bootstrap)?;
        self.check_running()?;
        let lease = self.shared.lease_discovery().ok_or(Refusal::Exists)?;
        self.send(Command::Discover { plan: Box::new(plan), lease })
    }

    pub fn disconnect(&self, peer: &str) -> Reply {
        self.send(Command::Disconnect(parse_peer(peer)?))
    }

    pub fn ban(&self, peer: &str, on: bool) -> Reply {
        self.send(Command::Ban { peer: parse_peer(peer)?, on })
    }

    pub fn subscribe(&self, topic: &str) -> Reply {
        self.send_gossip(topic, Command::Subscribe)
    }

    pub fn unsubscribe(&self, topic: &str) -> Reply {
        self.send_gossip(topic, Command::Unsubscribe)
    }

    pub fn mesh(&self, request_id: u64, topic: &str) -> Reply {
        self.send_gossip(topic, |topic| Command::Mesh { request_id, topic })
    }

    /// The bytes count against MAX_COMMAND_BYTES until the network thread has taken them.
    pub fn publish(&self, request_id: u64, topic: &str, data: &[u8]) -> Reply {
        if !self.gossip {
            return Err(Refusal::Unsupported);
        }
        check_topic(topic)?;
        // The library looks at the data alone; what its codec then refuses to send would be lost without a word.
        if data.len() + topic.len() + MAX_RPC_FRAME > self.max_transmit {
            return Err(Refusal::TooLarge);
        }
        let Some(data) = self.shared.reserve(data) else {
            return Err(self.busy());
        };
        self.send(Command::Publish { request_id, topic: topic.to_owned(), data })
    }

    pub fn verdict(&self, message_id: &[u8], peer: &str, acceptance: MessageAcceptance) -> Reply {
        if !self.gossip {
            return Err(Refusal::Unsupported);
        }
        if message_id.len() != 32 {
            return Err(Refusal::Invalid);
        }
        let peer = parse_peer(peer)?;
        self.send(Command::Verdict { message_id: message_id.to_vec(), peer, acceptance })
    }

    /// From now on each gossip message is judged at once. To be called before `listen` and `dial`; `Exists` the second time.
    pub fn judge_gossip(&self, judge: Judge) -> Reply {
        if !self.gossip {
            return Err(Refusal::Unsupported);
        }
        self.shared.judge.set(judge).map_err(|_| Refusal::Exists)
    }

    pub fn accept_protocol(&self, protocol: &str, max_concurrent: u32) -> Reply {
        if max_concurrent == 0 || max_concurrent as usize > MAX_STREAMS {
            return Err(Refusal::Invalid);
        }
        self.check_running()?;
        self.shared.protocols.accept(parse_protocol(protocol)?, max_concurrent)?;
        // The connections learn of it when the network thread wakes up.
        let woken = self.send(Command::ProtocolsChanged);
        if woken.is_err() {
            self.shared.protocols.forget(protocol);
        }
        woken
    }

    pub fn open_stream(&self, id: u64, peer: &str, protocol: &str, timeout: Duration) -> Reply {
        if id == 0 || id >= FIRST_INBOUND_STREAM || timeout.is_zero() || timeout > Duration::from_secs(600) {
            return Err(Refusal::Invalid);
        }
        let peer = parse_peer(peer)?;
        let protocol = parse_protocol(protocol)?;
        self.check_running()?;
        let guard = StreamGuard::create(&self.shared, id)?;
        self.send(Command::OpenStream { guard, peer, protocol, timeout })
    }

    pub fn write_stream(&self, id: u64, data: &[u8]) -> Reply {
        self.check_running()?;
        self.shared.streams.find(id)?.write(data)
    }

    pub fn credit_stream(&self, id: u64, bytes: u64) -> Reply {
        self.check_running()?;
        self.shared.streams.find(id)?.grant(bytes);
        Ok(())
    }

    pub fn finish_stream(&self, id: u64) -> Reply {
        self.check_running()?;
        self.shared.streams.find(id)?.finish();
        Ok(())
    }

    pub fn reset_stream(&self, id: u64) -> Reply {
        self.check_running()?;
        self.shared.streams.find(id)?.cancel();
        Ok(())
    }

    pub fn stats(&self, request_id: u64) -> Reply {
        self.send(Command::Stats { request_id })
    }

    /// Panics on the network thread: 0 in the main loop, 1 in a connection task, 2 in the task of stream `id`.
    #[cfg(feature = "test-hooks")]
    pub fn test_panic(&self, place: u32, id: u64) -> Reply {
        match place {
            0 | 1 => self.send(Command::TestPanic { in_task: place == 1 }),
            2 => {
                self.shared.streams.find(id)?.test_panic();
                Ok(())
            }
            _ => Err(Refusal::Invalid),
        }
    }

    /// Ends the network thread and joins it. `Deadlock` on that thread itself: nothing is done.
    pub fn stop(&mut self) -> Reply {
        if thread::current().id() == self.thread_id {
            return Err(Refusal::Deadlock);
        }
        // A flag of its own: a full command queue cannot hold it up.
        self.shared.stop(Stop::Requested);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        Ok(())
    }

    fn send_gossip(&self, topic: &str, command: impl FnOnce(String) -> Command) -> Reply {
        if !self.gossip {
            return Err(Refusal::Unsupported);
        }
        check_topic(topic)?;
        self.send(command(topic.to_owned()))
    }

    fn send(&self, command: Command) -> Reply {
        self.check_running()?;
        match self.commands.try_send(command) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(command)) => {
                command.withdraw();
                Err(self.busy())
            }
            Err(mpsc::error::TrySendError::Closed(command)) => {
                command.withdraw();
                Err(Refusal::Stopped)
            }
        }
    }

    fn busy(&self) -> Refusal {
        self.shared.totals.commands_refused.fetch_add(1, Ordering::Relaxed);
        Refusal::Busy
    }

    fn check_running(&self) -> Reply {
        if self.shared.is_stopped() {
            return Err(Refusal::Stopped);
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn parse_address(text: &str) -> Result<Multiaddr, Refusal> {
    check_length(text)?;
    // The library takes no text at all for an address of no parts.
    if text.is_empty() {
        return Err(Refusal::Invalid);
    }
    text.parse().map_err(|_| Refusal::Invalid)
}

fn parse_peer(text: &str) -> Result<PeerId, Refusal> {
    check_length(text)?;
    text.parse().map_err(|_| Refusal::Invalid)
}

fn parse_protocol(text: &str) -> Result<StreamProtocol, Refusal> {
    check_length(text)?;
    // A newline would break both the negotiation's framing and the list of protocols in the identify event.
    if text.chars().any(char::is_control) {
        return Err(Refusal::Invalid);
    }
    StreamProtocol::try_from_owned(text.to_owned()).map_err(|_| Refusal::Invalid)
}

fn check_topic(text: &str) -> Reply {
    if text.is_empty() {
        return Err(Refusal::Invalid);
    }
    check_length(text)
}

fn check_length(text: &str) -> Reply {
    if text.len() > MAX_TEXT {
        return Err(Refusal::Invalid);
    }
    Ok(())
}
