// p2p/src/host/command.rs - what a caller can ask of the network thread, and why a call can be refused at once.

use std::time::Duration;

use libp2p::gossipsub::MessageAcceptance;
use libp2p::swarm::StreamProtocol;
use libp2p::{Multiaddr, PeerId};

use super::discovery::Plan;
use super::shared::{Lease, Reserved};
use super::stream_state::StreamGuard;

/// Why a call had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such stream.
    NotFound,
    /// A queue is full, or the system has no thread to give.
    Busy,
    /// That stream id or protocol is in use, or discovery runs already.
    Exists,
    /// Malformed text or a value out of its range.
    Invalid,
    /// The host has stopped, or this side of the stream is finished.
    Stopped,
    /// Stop was called on the network thread.
    Deadlock,
    /// Over a limit.
    TooLarge,
    /// Gossip is off.
    Unsupported,
    /// The TLS certificate or its key cannot be used.
    Certificate,
    /// The extra roots cannot be used.
    Roots,
}

pub(crate) enum Command {
    Listen(Multiaddr),
    AddExternalAddress(Multiaddr),
    Dial {
        request_id: u64,
        address: Multiaddr,
    },
    Disconnect(PeerId),
    Ban {
        peer: PeerId,
        on: bool,
    },
    Subscribe(String),
    Unsubscribe(String),
    Mesh {
        request_id: u64,
        topic: String,
    },
    Publish {
        request_id: u64,
        topic: String,
        data: Reserved,
    },
    Verdict {
        message_id: Vec<u8>,
        peer: PeerId,
        acceptance: MessageAcceptance,
    },
    ProtocolsChanged,
    Discover {
        plan: Box<Plan>,
        lease: Lease,
    },
    OpenStream {
        guard: StreamGuard,
        peer: PeerId,
        protocol: StreamProtocol,
        timeout: Duration,
    },
    Stats {
        request_id: u64,
    },
    #[cfg(feature = "test-hooks")]
    TestPanic {
        in_task: bool,
    },
}

impl Command {
    /// Drops a command that was not taken: it must leave no event behind.
    pub(crate) fn withdraw(self) {
        if let Command::OpenStream { guard, .. } = self {
            guard.withdraw();
        }
    }
}
