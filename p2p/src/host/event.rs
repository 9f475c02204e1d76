// p2p/src/host/event.rs - everything a host tells, as values; the C ABI mirrors them one to one.

use std::sync::Arc;

use libp2p::gossipsub::MessageAcceptance;
use libp2p::PeerId;

use super::counters::Counters;

/// Receives every event, on the network thread only. It must return soon and not panic.
pub type Sink = Arc<dyn Fn(&Event) + Send + Sync>;

/// What a judge says of a gossip message.
#[derive(Debug, Clone, Copy)]
pub enum Judgement {
    /// Whoever gets the event answers with `Host::verdict`.
    Later,
    /// The verdict; `told`: the event is wanted as well.
    Now { acceptance: MessageAcceptance, told: bool },
}

/// Judges topic and data of each gossip message on the network thread, before anything is copied. It must return soon
/// and not panic.
pub type Judge = Box<dyn Fn(&str, &[u8]) -> Judgement + Send + Sync>;

#[derive(Debug, Clone)]
pub enum Event {
    Listening {
        address: String,
    },
    ListenClosed {
        address: String,
        reason: String,
    },
    Connected {
        request_id: u64,
        peer: PeerId,
        address: String,
        inbound: bool,
        connections: u32,
    },
    Closed {
        peer: PeerId,
        address: String,
        reason: String,
        remaining: u32,
    },
    DialError {
        request_id: u64,
        peer: Option<PeerId>,
        reason: DialReason,
        detail: String,
    },
    /// `protocols` one a line.
    Identified {
        peer: PeerId,
        agent: String,
        observed: String,
        protocols: String,
    },
    PingRtt {
        peer: PeerId,
        micros: u64,
    },
    PeerSubscribed {
        peer: PeerId,
        topic: String,
    },
    PeerUnsubscribed {
        peer: PeerId,
        topic: String,
    },
    /// To be answered with `Host::verdict` exactly once, unless `judged`.
    Message {
        judged: bool,
        peer: PeerId,
        topic: String,
        id: Vec<u8>,
        data: Vec<u8>,
    },
    PublishResult {
        request_id: u64,
        topic: String,
        id: [u8; 32],
        failure: Option<PublishFailure>,
        detail: String,
    },
    /// `lines`: one subscriber a line: peer id, "mesh" or "peer", score.
    Mesh {
        request_id: u64,
        topic: String,
        size: u64,
        lines: String,
    },
    StreamIn {
        id: u64,
        peer: PeerId,
        protocol: String,
    },
    StreamOpen {
        id: u64,
        peer: PeerId,
        protocol: String,
    },
    StreamData {
        id: u64,
        data: Vec<u8>,
    },
    StreamEof {
        id: u64,
    },
    StreamWritable {
        id: u64,
    },
    /// The last event of a stream.
    StreamEnd {
        id: u64,
        end: StreamEnd,
        reason: String,
    },
    /// `level` 1 (error) to 5 (trace).
    Log {
        level: u8,
        line: String,
        target: &'static str,
    },
    Stats {
        request_id: u64,
        counters: Counters,
    },
    /// `address` "ip:port" as bound; `record` our own ENR as it is now. Comes again when the record changes.
    Discv5Listening {
        address: String,
        record: String,
    },
    /// The ENR of another node, unchecked but for its signature.
    Discovered {
        record: String,
    },
    /// Discovery has ended, the host has not.
    Discv5Failed {
        reason: String,
    },
    /// The last event of a host; `panicked` when a panic ended it.
    Stopped {
        panicked: bool,
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFailure {
    NoPeers,
    Duplicate,
    TooLarge,
    QueuesFull,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// Both sides finished.
    Clean,
    NotConnected,
    Unsupported,
    TimedOut,
    /// By the peer, or the connection went away.
    Reset,
    /// By the caller, or the host stops.
    Cancelled,
    Panicked,
}

/// Values are those of the C header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum DialReason {
    Other = 1,
    Refused = 2,
    Timeout = 3,
    Unreachable = 4,
    WrongPeer = 5,
    Handshake = 6,
    UnsupportedAddress = 7,
    Already = 8,
    Own = 9,
    Limit = 10,
    Banned = 11,
    Aborted = 12,
    Name = 13,
    Certificate = 14,
}

impl DialReason {
    /// The stable name that the C header documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Refused => "refused",
            Self::Name => "name",
            Self::Certificate => "certificate",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::WrongPeer => "wrong peer",
            Self::Handshake => "handshake",
            Self::UnsupportedAddress => "unsupported address",
            Self::Already => "already connected",
            Self::Own => "self",
            Self::Limit => "limit",
            Self::Banned => "banned",
            Self::Aborted => "aborted",
        }
    }
}
