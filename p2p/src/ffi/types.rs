// p2p/src/ffi/types.rs - the structs and numbers of include/noroshi_p2p.h, field by field.

use std::ffi::c_void;

use libp2p::gossipsub::MessageAcceptance;

use crate::host::Refusal;

pub const ABI_VERSION: u32 = 4;

pub const OK: i32 = 0;
pub const ENOENT: i32 = -2;
pub const EAGAIN: i32 = -11;
pub const EEXIST: i32 = -17;
pub const EINVAL: i32 = -22;
pub const EPIPE: i32 = -32;
pub const EDEADLK: i32 = -35;
pub const EMSGSIZE: i32 = -90;
pub const PANIC: i32 = -99;
pub const ENOTSUP: i32 = -95;
pub const ECONNRESET: i32 = -104;
pub const ENOTCONN: i32 = -107;
pub const ETIMEDOUT: i32 = -110;
pub const ECANCELED: i32 = -125;
pub const PUBLISH_NO_PEERS: i32 = -201;
pub const PUBLISH_DUPLICATE: i32 = -202;
pub const PUBLISH_TOO_LARGE: i32 = -203;
pub const PUBLISH_QUEUES_FULL: i32 = -204;
pub const PUBLISH_FAILED: i32 = -205;
pub const BAD_CERTIFICATE: i32 = -301;
pub const BAD_ROOTS: i32 = -302;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub ptr: *const u8,
    pub len: usize,
}

impl Slice {
    pub const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// Points to `bytes`; good for as long as they are.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::EMPTY;
        }
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}

#[repr(C)]
pub struct Config {
    pub struct_size: u32,
    pub max_connections: u32,
    pub max_connections_per_peer: u32,
    pub max_streams_per_connection: u32,
    pub idle_timeout_s: u32,
    pub gossip_enabled: u32,
    pub hide_listen_addrs: u32,
    pub mesh_n: u32,
    pub mesh_n_low: u32,
    pub mesh_n_high: u32,
    pub mesh_outbound_min: u32,
    pub gossip_lazy: u32,
    pub heartbeat_ms: u32,
    pub heartbeat_initial_delay_ms: u32,
    pub max_transmit_bytes: u32,
    pub history_length: u32,
    pub history_gossip: u32,
    pub ip_colocation_threshold: u32,
    pub log_level: u32,
    pub secret_key: [u8; 32],
    pub max_connections_per_ip: u32,
    pub agent: Slice,
    pub relay_protocol: Slice,
    pub tls_certificate: Slice,
    pub tls_key: Slice,
    pub extra_roots: Slice,
    pub gossip_messages_per_s: u32,
    pub gossip_kib_per_s: u32,
}

#[repr(C)]
pub struct Event {
    pub struct_size: u32,
    pub kind: u32,
    pub code: i32,
    pub reserved: u32,
    pub id: u64,
    pub value: u64,
    pub peer: Slice,
    pub text: Slice,
    pub extra: Slice,
    pub data: Slice,
}

#[repr(C)]
pub struct Counters {
    pub struct_size: u32,
    pub reserved: u32,
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub connections: u64,
    pub peers: u64,
    pub streams: u64,
    pub streams_refused: u64,
    pub messages_received: u64,
    pub messages_published: u64,
    pub commands_refused: u64,
    pub log_lines_dropped: u64,
    pub panics: u64,
    pub discv5_nodes: u64,
    pub discv5_unrecognized: u64,
    pub discv5_unverifiable: u64,
    pub discv5_sessions: u64,
    pub discv5_queries: u64,
}

pub type Callback = extern "C" fn(user: *mut c_void, event: *const Event);
pub type JudgeCallback = extern "C" fn(user: *mut c_void, topic: Slice, data: Slice) -> i32;

/// Added to a verdict of a judge that does not want the event.
pub const JUDGE_UNTOLD: i32 = 16;

/// A nrp2p_verdict; None for any other number.
pub fn acceptance_of(verdict: i32) -> Option<MessageAcceptance> {
    match verdict {
        0 => Some(MessageAcceptance::Accept),
        1 => Some(MessageAcceptance::Ignore),
        2 => Some(MessageAcceptance::Reject),
        _ => None,
    }
}

pub fn code_of(refusal: Refusal) -> i32 {
    match refusal {
        Refusal::NotFound => ENOENT,
        Refusal::Busy => EAGAIN,
        Refusal::Exists => EEXIST,
        Refusal::Invalid => EINVAL,
        Refusal::Stopped => EPIPE,
        Refusal::Deadlock => EDEADLK,
        Refusal::TooLarge => EMSGSIZE,
        Refusal::Unsupported => ENOTSUP,
        Refusal::Certificate => BAD_CERTIFICATE,
        Refusal::Roots => BAD_ROOTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    // The other side asserts the same numbers: whoever changes a struct meets both.
    #[test]
    fn layout_is_that_of_the_header() {
        assert_eq!(size_of::<Config>(), 200);
        assert_eq!(offset_of!(Config, secret_key), 76);
        assert_eq!(offset_of!(Config, agent), 112);
        assert_eq!(offset_of!(Config, extra_roots), 176);
        assert_eq!(size_of::<Event>(), 96);
        assert_eq!(offset_of!(Event, peer), 32);
        assert_eq!(size_of::<Counters>(), 136);
    }
}
