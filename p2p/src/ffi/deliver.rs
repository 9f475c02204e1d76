// p2p/src/ffi/deliver.rs - one event of the host as the C struct, alive during the callback only.

use std::ffi::c_void;

use libp2p::PeerId;

use super::types::{self, Callback, Slice};
use crate::host::{Counters, Event, Judge, Judgement, PublishFailure, Sink, StreamEnd};

/// The caller's pointer, only ever given back to the caller.
#[derive(Clone, Copy)]
struct User(*mut c_void);

// SAFETY: the header says that the callback runs on another thread; the pointer is not read here.
unsafe impl Send for User {}
// SAFETY: as above; all calls come from the one network thread.
unsafe impl Sync for User {}

impl User {
    // A method, so that closures capture the wrapper and not the pointer in it.
    fn get(self) -> *mut c_void {
        self.0
    }
}

/// Values that are neither a verdict nor that with UNTOLD mean "later".
pub fn judge(judge: types::JudgeCallback, user: *mut c_void) -> Judge {
    let user = User(user);
    Box::new(move |topic, data| {
        let said = judge(user.get(), Slice::of(topic.as_bytes()), Slice::of(data));
        let told = said & types::JUDGE_UNTOLD == 0;
        match types::acceptance_of(said & !types::JUDGE_UNTOLD) {
            Some(acceptance) if said >= 0 => Judgement::Now { acceptance, told },
            _ => Judgement::Later,
        }
    })
}

pub fn sink(callback: Callback, user: *mut c_void) -> Sink {
    let user = User(user);
    std::sync::Arc::new(move |event| deliver(event, |event| callback(user.get(), event)))
}

fn blank(kind: u32) -> types::Event {
    types::Event {
        struct_size: std::mem::size_of::<types::Event>() as u32,
        kind,
        code: 0,
        reserved: 0,
        id: 0,
        value: 0,
        peer: Slice::EMPTY,
        text: Slice::EMPTY,
        extra: Slice::EMPTY,
        data: Slice::EMPTY,
    }
}

fn deliver(event: &Event, call: impl Fn(&types::Event)) {
    let peer = peer_of(event).map(|peer| peer.to_string()).unwrap_or_default();
    let peer = Slice::of(peer.as_bytes());
    let text = |text: &str| Slice::of(text.as_bytes());
    match event {
        Event::Listening { address } => call(&types::Event { text: text(address), ..blank(1) }),
        Event::ListenClosed { address, reason } => {
            call(&types::Event { text: text(address), data: text(reason), ..blank(2) })
        }
        Event::Connected { request_id, address, inbound, connections, .. } => call(&types::Event {
            id: *request_id,
            peer,
            text: text(address),
            code: i32::from(*inbound),
            value: u64::from(*connections),
            ..blank(3)
        }),
        Event::Closed { address, reason, remaining, .. } => call(&types::Event {
            peer,
            text: text(address),
            data: text(reason),
            value: u64::from(*remaining),
            ..blank(4)
        }),
        Event::DialError { request_id, reason, detail, .. } => call(&types::Event {
            id: *request_id,
            peer,
            code: *reason as i32,
            text: text(reason.name()),
            data: text(detail),
            ..blank(5)
        }),
        Event::Identified { agent, observed, protocols, .. } => {
            call(&types::Event { peer, text: text(agent), extra: text(observed), data: text(protocols), ..blank(6) })
        }
        Event::PingRtt { micros, .. } => call(&types::Event { peer, value: *micros, ..blank(7) }),
        Event::PeerSubscribed { topic, .. } => call(&types::Event { peer, text: text(topic), ..blank(8) }),
        Event::PeerUnsubscribed { topic, .. } => call(&types::Event { peer, text: text(topic), ..blank(9) }),
        Event::Message { judged, topic, id, data, .. } => call(&types::Event {
            peer,
            code: i32::from(*judged),
            text: text(topic),
            extra: Slice::of(id),
            data: Slice::of(data),
            ..blank(10)
        }),
        Event::PublishResult { request_id, topic, id, failure, detail } => call(&types::Event {
            id: *request_id,
            code: failure.map_or(types::OK, publish_code),
            text: text(topic),
            extra: Slice::of(id),
            data: text(detail),
            ..blank(11)
        }),
        Event::Mesh { request_id, topic, size, lines } => {
            call(&types::Event { id: *request_id, text: text(topic), value: *size, data: text(lines), ..blank(12) })
        }
        Event::StreamIn { id, protocol, .. } => {
            call(&types::Event { id: *id, peer, text: text(protocol), ..blank(13) })
        }
        Event::StreamOpen { id, protocol, .. } => {
            call(&types::Event { id: *id, peer, text: text(protocol), ..blank(14) })
        }
        Event::StreamData { id, data } => call(&types::Event { id: *id, data: Slice::of(data), ..blank(15) }),
        Event::StreamEof { id } => call(&types::Event { id: *id, ..blank(16) }),
        Event::StreamWritable { id } => call(&types::Event { id: *id, ..blank(17) }),
        Event::StreamEnd { id, end, reason } => {
            call(&types::Event { id: *id, code: end_code(*end), text: text(reason), ..blank(18) })
        }
        Event::Log { level, line, target } => {
            call(&types::Event { code: i32::from(*level), text: text(line), extra: text(target), ..blank(19) })
        }
        Event::Stats { request_id, counters } => {
            let counters = counters_of(counters);
            call(&types::Event { id: *request_id, data: Slice::of(as_bytes(&counters)), ..blank(20) })
        }
        Event::Discv5Listening { address, record } => {
            call(&types::Event { text: text(address), data: text(record), ..blank(22) })
        }
        Event::Discovered { record } => call(&types::Event { data: text(record), ..blank(23) }),
        Event::Discv5Failed { reason } => call(&types::Event { text: text(reason), ..blank(24) }),
        Event::Stopped { panicked, reason } => {
            let code = if *panicked { types::PANIC } else { types::OK };
            call(&types::Event { code, text: text(reason), ..blank(21) })
        }
    }
}

fn peer_of(event: &Event) -> Option<PeerId> {
    match event {
        Event::Connected { peer, .. }
        | Event::Closed { peer, .. }
        | Event::Identified { peer, .. }
        | Event::PingRtt { peer, .. }
        | Event::PeerSubscribed { peer, .. }
        | Event::PeerUnsubscribed { peer, .. }
        | Event::Message { peer, .. }
        | Event::StreamIn { peer, .. }
        | Event::StreamOpen { peer, .. } => Some(*peer),
        Event::DialError { peer, .. } => *peer,
        _ => None,
    }
}

fn publish_code(failure: PublishFailure) -> i32 {
    match failure {
        PublishFailure::NoPeers => types::PUBLISH_NO_PEERS,
        PublishFailure::Duplicate => types::PUBLISH_DUPLICATE,
        PublishFailure::TooLarge => types::PUBLISH_TOO_LARGE,
        PublishFailure::QueuesFull => types::PUBLISH_QUEUES_FULL,
        PublishFailure::Other => types::PUBLISH_FAILED,
    }
}

fn end_code(end: StreamEnd) -> i32 {
    match end {
        StreamEnd::Clean => types::OK,
        StreamEnd::NotConnected => types::ENOTCONN,
        StreamEnd::Unsupported => types::ENOTSUP,
        StreamEnd::TimedOut => types::ETIMEDOUT,
        StreamEnd::Reset => types::ECONNRESET,
        StreamEnd::Cancelled => types::ECANCELED,
        StreamEnd::Panicked => types::PANIC,
    }
}

fn counters_of(counters: &Counters) -> types::Counters {
    types::Counters {
        struct_size: std::mem::size_of::<types::Counters>() as u32,
        reserved: 0,
        bytes_received: counters.bytes_received,
        bytes_sent: counters.bytes_sent,
        connections: counters.connections,
        peers: counters.peers,
        streams: counters.streams,
        streams_refused: counters.streams_refused,
        messages_received: counters.messages_received,
        messages_published: counters.messages_published,
        commands_refused: counters.commands_refused,
        log_lines_dropped: counters.log_lines_dropped,
        panics: counters.panics,
        discv5_nodes: counters.discv5_nodes,
        discv5_unrecognized: counters.discv5_unrecognized,
        discv5_unverifiable: counters.discv5_unverifiable,
        discv5_sessions: counters.discv5_sessions,
        discv5_queries: counters.discv5_queries,
    }
}

fn as_bytes(counters: &types::Counters) -> &[u8] {
    // SAFETY: a plain struct of integers without padding (its size is asserted), read as bytes while it lives.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(counters).cast(), std::mem::size_of::<types::Counters>()) }
}
