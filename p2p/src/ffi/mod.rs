// p2p/src/ffi/mod.rs - the functions of include/noroshi_p2p.h: check pointers, contain panics, call `host`.
//!
//! The header is the contract of every function here; it says what callers must uphold, which is what each `SAFETY`
//! comment below relies on.
#![allow(clippy::missing_safety_doc)]

mod deliver;
mod types;
mod words;

use std::ffi::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use libp2p::identity::{secp256k1, Keypair};

use crate::host::{Config, Host, Refusal};
use types::{code_of, Callback, Slice, EINVAL, EMSGSIZE, OK, PANIC};

type Answer = Result<(), Refusal>;

/// Runs the body of an entry point; a panic becomes a code and does not cross into C.
fn contained(body: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        PANIC
    })
}

/// Calls `body` with the host behind the handle.
unsafe fn with_host(host: *const Host, body: impl FnOnce(&Host) -> Answer) -> i32 {
    contained(|| {
        // SAFETY: null, or a handle that nrp2p_new gave and nrp2p_free has not yet taken.
        let Some(host) = (unsafe { host.as_ref() }) else { return EINVAL };
        body(host).map_or_else(code_of, |()| OK)
    })
}

unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> Result<&'a [u8], Refusal> {
    match (ptr.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Refusal::Invalid),
        _ if isize::try_from(len).is_err() => Err(Refusal::Invalid),
        // SAFETY: the caller's pointer and length, valid during the call.
        _ => Ok(unsafe { std::slice::from_raw_parts(ptr, len) }),
    }
}

unsafe fn text<'a>(ptr: *const c_char, len: usize) -> Result<&'a str, Refusal> {
    // SAFETY: as for `bytes`.
    let bytes = unsafe { bytes(ptr.cast(), len) }?;
    std::str::from_utf8(bytes).map_err(|_| Refusal::Invalid)
}

#[no_mangle]
pub extern "C" fn nrp2p_abi_version() -> u32 {
    types::ABI_VERSION
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_config_default(config: *mut types::Config) -> i32 {
    contained(|| {
        // SAFETY: null, or the caller's struct, whose size the field says.
        let Some(config) = (unsafe { config.as_mut() }) else { return EINVAL };
        if (config.struct_size as usize) < std::mem::size_of::<types::Config>() {
            return EINVAL;
        }
        // Any key will do: it is not copied.
        let defaults = Config::with_key(Keypair::generate_secp256k1());
        fill(config, &defaults);
        OK
    })
}

fn fill(config: &mut types::Config, defaults: &Config) {
    config.max_connections = defaults.max_connections;
    config.max_connections_per_peer = defaults.max_connections_per_peer;
    config.max_streams_per_connection = defaults.max_streams_per_connection as u32;
    config.idle_timeout_s = defaults.idle_timeout.as_secs() as u32;
    config.gossip_enabled = u32::from(defaults.gossip_enabled);
    config.hide_listen_addrs = u32::from(defaults.hide_listen_addrs);
    config.mesh_n = defaults.mesh_n as u32;
    config.mesh_n_low = defaults.mesh_n_low as u32;
    config.mesh_n_high = defaults.mesh_n_high as u32;
    config.mesh_outbound_min = defaults.mesh_outbound_min as u32;
    config.gossip_lazy = defaults.gossip_lazy as u32;
    config.heartbeat_ms = defaults.heartbeat.as_millis() as u32;
    config.heartbeat_initial_delay_ms = defaults.heartbeat_initial_delay.as_millis() as u32;
    config.max_transmit_bytes = defaults.max_transmit_bytes as u32;
    config.history_length = defaults.history_length as u32;
    config.history_gossip = defaults.history_gossip as u32;
    config.ip_colocation_threshold = defaults.ip_colocation_threshold;
    config.log_level = u32::from(defaults.log_level);
    config.secret_key = [0; 32];
    config.max_connections_per_ip = defaults.max_connections_per_ip;
    config.gossip_messages_per_s = defaults.gossip_messages_per_s;
    config.gossip_kib_per_s = (defaults.gossip_bytes_per_s / 1024) as u32;
    config.agent = Slice::of(crate::host::DEFAULT_AGENT.as_bytes());
    config.relay_protocol = Slice::of(crate::host::DEFAULT_RELAY_PROTOCOL.as_bytes());
    config.tls_certificate = Slice::EMPTY;
    config.tls_key = Slice::EMPTY;
    config.extra_roots = Slice::EMPTY;
}

unsafe fn config_of(config: &types::Config) -> Result<Config, Refusal> {
    if (config.struct_size as usize) < std::mem::size_of::<types::Config>() {
        return Err(Refusal::Invalid);
    }
    // `try_from_bytes` wipes what it was given.
    let mut key = config.secret_key;
    let secret = secp256k1::SecretKey::try_from_bytes(&mut key).map_err(|_| Refusal::Invalid)?;
    let flag = |value: u32| match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Refusal::Invalid),
    };
    Ok(Config {
        keypair: secp256k1::Keypair::from(secret).into(),
        // SAFETY: the caller's slices, valid during the call.
        agent: unsafe { text(config.agent.ptr.cast(), config.agent.len) }?.to_owned(),
        // SAFETY: as above.
        relay_protocol: unsafe { text(config.relay_protocol.ptr.cast(), config.relay_protocol.len) }?.to_owned(),
        max_connections: config.max_connections,
        max_connections_per_peer: config.max_connections_per_peer,
        max_streams_per_connection: config.max_streams_per_connection as usize,
        idle_timeout: Duration::from_secs(u64::from(config.idle_timeout_s)),
        gossip_enabled: flag(config.gossip_enabled)?,
        hide_listen_addrs: flag(config.hide_listen_addrs)?,
        mesh_n: config.mesh_n as usize,
        mesh_n_low: config.mesh_n_low as usize,
        mesh_n_high: config.mesh_n_high as usize,
        mesh_outbound_min: config.mesh_outbound_min as usize,
        gossip_lazy: config.gossip_lazy as usize,
        heartbeat: Duration::from_millis(u64::from(config.heartbeat_ms)),
        heartbeat_initial_delay: Duration::from_millis(u64::from(config.heartbeat_initial_delay_ms)),
        max_transmit_bytes: config.max_transmit_bytes as usize,
        history_length: config.history_length as usize,
        history_gossip: config.history_gossip as usize,
        ip_colocation_threshold: config.ip_colocation_threshold,
        max_connections_per_ip: config.max_connections_per_ip,
        gossip_messages_per_s: config.gossip_messages_per_s,
        gossip_bytes_per_s: u64::from(config.gossip_kib_per_s) * 1024,
        log_level: u8::try_from(config.log_level).map_err(|_| Refusal::Invalid)?,
        // SAFETY: as above.
        tls_certificate_pem: unsafe { bytes(config.tls_certificate.ptr, config.tls_certificate.len) }?.to_vec(),
        // SAFETY: as above.
        tls_key_pem: unsafe { bytes(config.tls_key.ptr, config.tls_key.len) }?.to_vec(),
        // SAFETY: as above.
        extra_roots_pem: unsafe { bytes(config.extra_roots.ptr, config.extra_roots.len) }?.to_vec(),
    })
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_new(
    config: *const types::Config,
    callback: Option<Callback>,
    user: *mut c_void,
    out: *mut *mut Host,
) -> i32 {
    contained(|| {
        if out.is_null() {
            return EINVAL;
        }
        // SAFETY: not null, the caller's variable.
        unsafe { *out = std::ptr::null_mut() };
        // SAFETY: null, or the caller's struct.
        let (Some(config), Some(callback)) = (unsafe { config.as_ref() }, callback) else { return EINVAL };
        // SAFETY: its slices are valid during the call.
        let started =
            unsafe { config_of(config) }.and_then(|config| Host::start(config, deliver::sink(callback, user)));
        match started {
            Ok(host) => {
                // SAFETY: checked above.
                unsafe { *out = Box::into_raw(Box::new(host)) };
                OK
            }
            Err(refusal) => code_of(refusal),
        }
    })
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_free(host: *mut Host) -> i32 {
    contained(|| {
        // SAFETY: null, or a handle that is not used by anybody else now.
        let Some(running) = (unsafe { host.as_mut() }) else { return OK };
        if let Err(refusal) = running.stop() {
            return code_of(refusal);
        }
        // SAFETY: made by nrp2p_new with Box::into_raw; freed once.
        drop(unsafe { Box::from_raw(host) });
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_peer_id(host: *const Host, buf: *mut c_char, cap: usize, len: *mut usize) -> i32 {
    contained(|| {
        // SAFETY: null, or a handle; null, or the caller's variable.
        let (Some(host), Some(len)) = (unsafe { host.as_ref() }, unsafe { len.as_mut() }) else { return EINVAL };
        let id = host.peer_id().to_string();
        *len = id.len();
        if id.len() > cap {
            return EMSGSIZE;
        }
        if buf.is_null() {
            return EINVAL;
        }
        // SAFETY: `buf` has room for `cap` bytes, which is enough.
        unsafe { std::ptr::copy_nonoverlapping(id.as_ptr(), buf.cast(), id.len()) };
        OK
    })
}

/// Defines entry points that take one text argument.
macro_rules! text_calls {
    ($($name:ident($($arg:ident: $kind:ty),*) => |$host:ident, $text:ident| $body:expr;)*) => {$(
        #[no_mangle]
        pub unsafe extern "C" fn $name(host: *const Host, $($arg: $kind,)* ptr: *const c_char, len: usize) -> i32 {
            // SAFETY: the caller's handle and text, as the header asks.
            unsafe { with_host(host, |$host| { let $text = text(ptr, len)?; $body }) }
        }
    )*};
}

text_calls! {
    nrp2p_listen() => |host, address| host.listen(address);
    nrp2p_add_external_addr() => |host, address| host.add_external_address(address);
    nrp2p_dial(request_id: u64) => |host, address| host.dial(request_id, address);
    nrp2p_disconnect() => |host, peer| host.disconnect(peer);
    nrp2p_gossip_subscribe() => |host, topic| host.subscribe(topic);
    nrp2p_gossip_unsubscribe() => |host, topic| host.unsubscribe(topic);
    nrp2p_gossip_mesh(request_id: u64) => |host, topic| host.mesh(request_id, topic);
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_ban(host: *const Host, peer: *const c_char, peer_len: usize, on: i32) -> i32 {
    // SAFETY: the caller's handle and text.
    unsafe { with_host(host, |host| host.ban(text(peer, peer_len)?, on != 0)) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_gossip_publish(
    host: *const Host,
    request_id: u64,
    topic: *const c_char,
    topic_len: usize,
    data: *const u8,
    data_len: usize,
) -> i32 {
    // SAFETY: the caller's handle, text and bytes.
    unsafe { with_host(host, |host| host.publish(request_id, text(topic, topic_len)?, bytes(data, data_len)?)) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_gossip_verdict(
    host: *const Host,
    message_id: *const u8,
    message_id_len: usize,
    peer: *const c_char,
    peer_len: usize,
    verdict: i32,
) -> i32 {
    let Some(acceptance) = types::acceptance_of(verdict) else { return EINVAL };
    // SAFETY: the caller's handle, bytes and text.
    unsafe {
        with_host(host, |host| host.verdict(bytes(message_id, message_id_len)?, text(peer, peer_len)?, acceptance))
    }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_gossip_judge(
    host: *const Host,
    judge: Option<types::JudgeCallback>,
    user: *mut c_void,
) -> i32 {
    let Some(judge) = judge else { return EINVAL };
    // SAFETY: the caller's handle; its pointer is only ever given back to it.
    unsafe { with_host(host, |host| host.judge_gossip(deliver::judge(judge, user))) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_protocol_accept(
    host: *const Host,
    protocol: *const c_char,
    protocol_len: usize,
    max_concurrent: u32,
) -> i32 {
    // SAFETY: the caller's handle and text.
    unsafe { with_host(host, |host| host.accept_protocol(text(protocol, protocol_len)?, max_concurrent)) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_stream_open(
    host: *const Host,
    stream_id: u64,
    peer: *const c_char,
    peer_len: usize,
    protocol: *const c_char,
    protocol_len: usize,
    timeout_ms: u32,
) -> i32 {
    let timeout = Duration::from_millis(u64::from(timeout_ms));
    // SAFETY: the caller's handle and texts.
    unsafe {
        with_host(host, |host| {
            host.open_stream(stream_id, text(peer, peer_len)?, text(protocol, protocol_len)?, timeout)
        })
    }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_stream_write(host: *const Host, stream_id: u64, data: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's handle and bytes.
    unsafe {
        with_host(host, |host| match bytes(data, len)? {
            [] => Err(Refusal::Invalid),
            data => host.write_stream(stream_id, data),
        })
    }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_stream_credit(host: *const Host, stream_id: u64, bytes: u64) -> i32 {
    // SAFETY: the caller's handle.
    unsafe { with_host(host, |host| host.credit_stream(stream_id, bytes)) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_stream_finish(host: *const Host, stream_id: u64) -> i32 {
    // SAFETY: the caller's handle.
    unsafe { with_host(host, |host| host.finish_stream(stream_id)) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_stream_reset(host: *const Host, stream_id: u64) -> i32 {
    // SAFETY: the caller's handle.
    unsafe { with_host(host, |host| host.reset_stream(stream_id)) }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_discv5_start(
    host: *const Host,
    ip: *const c_char,
    ip_len: usize,
    port: u16,
    record: *const c_char,
    record_len: usize,
    bootstrap: *const c_char,
    bootstrap_len: usize,
) -> i32 {
    // SAFETY: the caller's handle and texts.
    unsafe {
        with_host(host, |host| {
            host.discover(text(ip, ip_len)?, port, text(record, record_len)?, text(bootstrap, bootstrap_len)?)
        })
    }
}

#[no_mangle]
pub unsafe extern "C" fn nrp2p_stats(host: *const Host, request_id: u64) -> i32 {
    // SAFETY: the caller's handle.
    unsafe { with_host(host, |host| host.stats(request_id)) }
}

#[cfg(feature = "test-hooks")]
#[no_mangle]
pub unsafe extern "C" fn nrp2p_test_panic(host: *const Host, place: u32, stream_id: u64) -> i32 {
    // SAFETY: the caller's handle.
    unsafe { with_host(host, |host| host.test_panic(place, stream_id)) }
}
