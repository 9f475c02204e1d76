// p2p/tests/abi.rs - the C ABI as a C caller sees it: declared here a second time, from include/noroshi_p2p.h alone.

use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use enr::CombinedKey;
// The crate is linked for its exported functions only.
use noroshi_p2p as _;

const OK: i32 = 0;
const ENOENT: i32 = -2;
const EEXIST: i32 = -17;
const EINVAL: i32 = -22;
const EDEADLK: i32 = -35;
const EMSGSIZE: i32 = -90;
const ENOTSUP: i32 = -95;
const NO_PEERS: i32 = -201;
const BAD_CERTIFICATE: i32 = -301;
const BAD_ROOTS: i32 = -302;

#[repr(C)]
#[derive(Clone, Copy)]
struct Slice {
    ptr: *const u8,
    len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Config {
    struct_size: u32,
    max_connections: u32,
    max_connections_per_peer: u32,
    max_streams_per_connection: u32,
    idle_timeout_s: u32,
    gossip_enabled: u32,
    hide_listen_addrs: u32,
    mesh_n: u32,
    mesh_n_low: u32,
    mesh_n_high: u32,
    mesh_outbound_min: u32,
    gossip_lazy: u32,
    heartbeat_ms: u32,
    heartbeat_initial_delay_ms: u32,
    max_transmit_bytes: u32,
    history_length: u32,
    history_gossip: u32,
    ip_colocation_threshold: u32,
    log_level: u32,
    secret_key: [u8; 32],
    max_connections_per_ip: u32,
    agent: Slice,
    relay_protocol: Slice,
    tls_certificate: Slice,
    tls_key: Slice,
    extra_roots: Slice,
    gossip_messages_per_s: u32,
    gossip_kib_per_s: u32,
}

#[repr(C)]
struct Event {
    struct_size: u32,
    kind: u32,
    code: i32,
    reserved: u32,
    id: u64,
    value: u64,
    peer: Slice,
    text: Slice,
    extra: Slice,
    data: Slice,
}

enum HostHandle {}
type Callback = extern "C" fn(user: *mut c_void, event: *const Event);
type JudgeCallback = extern "C" fn(user: *mut c_void, topic: Slice, data: Slice) -> i32;

extern "C" {
    fn nrp2p_abi_version() -> u32;
    fn nrp2p_config_default(config: *mut Config) -> i32;
    fn nrp2p_new(
        config: *const Config,
        callback: Option<Callback>,
        user: *mut c_void,
        out: *mut *mut HostHandle,
    ) -> i32;
    fn nrp2p_free(host: *mut HostHandle) -> i32;
    fn nrp2p_peer_id(host: *const HostHandle, buf: *mut c_char, cap: usize, len: *mut usize) -> i32;
    fn nrp2p_listen(host: *mut HostHandle, addr: *const u8, len: usize) -> i32;
    fn nrp2p_dial(host: *mut HostHandle, request: u64, addr: *const u8, len: usize) -> i32;
    fn nrp2p_gossip_subscribe(host: *mut HostHandle, topic: *const u8, len: usize) -> i32;
    fn nrp2p_gossip_publish(
        host: *mut HostHandle,
        request: u64,
        topic: *const u8,
        topic_len: usize,
        data: *const u8,
        data_len: usize,
    ) -> i32;
    fn nrp2p_gossip_verdict(
        host: *mut HostHandle,
        id: *const u8,
        id_len: usize,
        peer: *const u8,
        peer_len: usize,
        verdict: i32,
    ) -> i32;
    fn nrp2p_gossip_judge(host: *mut HostHandle, judge: Option<JudgeCallback>, user: *mut c_void) -> i32;
    fn nrp2p_protocol_accept(host: *mut HostHandle, protocol: *const u8, len: usize, max: u32) -> i32;
    fn nrp2p_stream_open(
        host: *mut HostHandle,
        stream: u64,
        peer: *const u8,
        peer_len: usize,
        protocol: *const u8,
        protocol_len: usize,
        timeout_ms: u32,
    ) -> i32;
    fn nrp2p_stream_write(host: *mut HostHandle, stream: u64, data: *const u8, len: usize) -> i32;
    fn nrp2p_stream_credit(host: *mut HostHandle, stream: u64, bytes: u64) -> i32;
    fn nrp2p_discv5_start(
        host: *mut HostHandle,
        ip: *const u8,
        ip_len: usize,
        port: u16,
        record: *const u8,
        record_len: usize,
        bootstrap: *const u8,
        bootstrap_len: usize,
    ) -> i32;
    fn nrp2p_stats(host: *mut HostHandle, request: u64) -> i32;
}

fn defaults() -> Config {
    // SAFETY: all zero is a valid value of a struct of integers and pointers; its size is set as the header asks.
    let mut config: Config = unsafe { std::mem::zeroed() };
    config.struct_size = size_of::<Config>() as u32;
    // SAFETY: a whole struct.
    assert_eq!(unsafe { nrp2p_config_default(&mut config) }, OK);
    config.secret_key = [0x11; 32];
    config
}

fn text(slice: Slice) -> String {
    if slice.len == 0 {
        return String::new();
    }
    // SAFETY: the host promises that it is valid during the callback.
    String::from_utf8(unsafe { std::slice::from_raw_parts(slice.ptr, slice.len) }.to_vec()).expect("text is UTF-8")
}

/// What a callback noted, for the test's thread.
#[derive(Default)]
struct Notes {
    list: Mutex<Vec<Note>>,
    arrived: Condvar,
    /// The host to free from inside the callback.
    host: Mutex<usize>,
}

#[derive(Clone, Debug, PartialEq)]
struct Note {
    kind: u32,
    code: i32,
    id: u64,
    text: String,
    data_len: usize,
}

extern "C" fn accept_untold(_: *mut c_void, _: Slice, _: Slice) -> i32 {
    16
}

extern "C" fn take_note(user: *mut c_void, event: *const Event) {
    // SAFETY: the test keeps its notes until the host is freed; the event lives during the call.
    let (notes, event) = unsafe { (&*user.cast::<Notes>(), &*event) };
    assert_eq!(event.struct_size as usize, size_of::<Event>());
    let (kind, code, id) = (event.kind, event.code, event.id);
    let mut note = Note { kind, code, id, text: text(event.text), data_len: event.data.len };
    let host = *notes.host.lock().expect("notes");
    if note.kind == 20 && host != 0 {
        // SAFETY: a live handle; the call is refused on this thread.
        note.code = unsafe { nrp2p_free(host as *mut HostHandle) };
    }
    notes.list.lock().expect("notes").push(note);
    notes.arrived.notify_all();
}

impl Notes {
    fn start(&self, config: &Config) -> *mut HostHandle {
        let mut host = null_mut();
        let user = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the config is whole, and the notes outlive the host in every test.
        assert_eq!(unsafe { nrp2p_new(config, Some(take_note), user, &mut host) }, OK);
        assert!(!host.is_null());
        host
    }

    fn wait(&self, kind: u32) -> Note {
        let list = self.list.lock().expect("notes");
        let missing = |list: &mut Vec<Note>| !list.iter().any(|note| note.kind == kind);
        let patience = Duration::from_secs(20);
        let list = self.arrived.wait_timeout_while(list, patience, missing).expect("notes").0;
        list.iter().find(|note| note.kind == kind).unwrap_or_else(|| panic!("no event {kind} in {list:?}")).clone()
    }
}

#[test]
fn version_is_that_of_the_header() {
    let header = include_str!("../include/noroshi_p2p.h");
    // SAFETY: no arguments.
    let version = unsafe { nrp2p_abi_version() };
    assert!(header.contains(&format!("#define NRP2P_ABI_VERSION {version}u")));
}

#[test]
fn every_function_of_the_header_is_exported() {
    let header = include_str!("../include/noroshi_p2p.h");
    let source = include_str!("../src/ffi/mod.rs");
    let mut checked = 0;
    for line in header.lines().filter(|line| line.starts_with("int32_t nrp2p_") || line.starts_with("uint32_t nrp2p_"))
    {
        let (_, rest) = line.split_once(' ').expect("a return type");
        let (name, _) = rest.split_once('(').expect("a parameter list");
        assert!(source.contains(&format!("fn {name}(")) || source.contains(&format!("    {name}(")), "{name}");
        checked += 1;
    }
    assert!(checked >= 23, "{checked}");
}

#[test]
fn null_pointers_are_refused() {
    let config = defaults();
    let notes = Notes::default();
    let host = notes.start(&config);
    let mut out = std::ptr::dangling_mut();
    let mut len = 0;
    // SAFETY: null is what is tested; everything else is valid.
    unsafe {
        assert_eq!(nrp2p_config_default(null_mut()), EINVAL);
        assert_eq!(nrp2p_new(&config, Some(take_note), null_mut(), null_mut()), EINVAL);
        assert_eq!(nrp2p_new(null(), Some(take_note), null_mut(), &mut out), EINVAL);
        assert!(out.is_null());
        assert_eq!(nrp2p_new(&config, None, null_mut(), &mut out), EINVAL);
        assert_eq!(nrp2p_free(null_mut()), OK);
        assert_eq!(nrp2p_peer_id(null(), null_mut(), 0, &mut len), EINVAL);
        assert_eq!(nrp2p_peer_id(host, null_mut(), 100, &mut len), EINVAL);
        assert_eq!(nrp2p_peer_id(host, null_mut(), 100, null_mut()), EINVAL);
        assert_eq!(nrp2p_listen(null_mut(), b"x".as_ptr(), 1), EINVAL);
        assert_eq!(nrp2p_listen(host, null(), 5), EINVAL);
        assert_eq!(nrp2p_dial(host, 1, null(), 0), EINVAL);
        assert_eq!(nrp2p_gossip_publish(host, 1, b"t".as_ptr(), 1, null(), 3), EINVAL);
        assert_eq!(nrp2p_gossip_verdict(host, null(), 32, b"x".as_ptr(), 1, 0), EINVAL);
        assert_eq!(nrp2p_gossip_judge(host, None, null_mut()), EINVAL);
        assert_eq!(nrp2p_gossip_judge(null_mut(), Some(accept_untold), null_mut()), EINVAL);
        assert_eq!(nrp2p_gossip_judge(host, Some(accept_untold), null_mut()), OK);
        assert_eq!(nrp2p_gossip_judge(host, Some(accept_untold), null_mut()), EEXIST);
        assert_eq!(nrp2p_stream_write(host, 1, null(), 0), EINVAL);
        assert_eq!(nrp2p_discv5_start(host, null(), 9, 0, b"enr:".as_ptr(), 4, null(), 0), EINVAL);
        assert_eq!(nrp2p_discv5_start(host, b"127.0.0.1".as_ptr(), 9, 0, null(), 4, null(), 0), EINVAL);
        assert_eq!(nrp2p_free(host), OK);
    }
}

#[test]
fn malformed_arguments_are_refused() {
    let notes = Notes::default();
    let host = notes.start(&defaults());
    let bad_utf8 = [b'/', 0xff, 0xfe];
    let id = [0; 32];
    // SAFETY: pointers and lengths belong together, but for the length that no memory has.
    unsafe {
        assert_eq!(nrp2p_listen(host, bad_utf8.as_ptr(), 3), EINVAL);
        assert_eq!(nrp2p_gossip_subscribe(host, bad_utf8.as_ptr(), 3), EINVAL);
        assert_eq!(nrp2p_protocol_accept(host, bad_utf8.as_ptr(), 3, 1), EINVAL);
        assert_eq!(nrp2p_listen(host, b"x".as_ptr(), usize::MAX), EINVAL);
        assert_eq!(nrp2p_gossip_verdict(host, id.as_ptr(), 32, b"x".as_ptr(), 1, 3), EINVAL);
        assert_eq!(nrp2p_gossip_verdict(host, id.as_ptr(), 32, b"x".as_ptr(), 1, -1), EINVAL);
        assert_eq!(nrp2p_stream_open(host, 1, b"x".as_ptr(), 1, b"/p".as_ptr(), 2, 1000), EINVAL);
        assert_eq!(nrp2p_stream_credit(host, 77, 1), ENOENT);
        assert_eq!(nrp2p_free(host), OK);
    }
}

#[test]
fn configurations_that_cannot_be_are_refused() {
    let refused = |change: fn(&mut Config)| {
        let mut config = defaults();
        change(&mut config);
        let mut host = null_mut();
        // SAFETY: a whole struct; nothing is called back, since no host comes to be.
        let code = unsafe { nrp2p_new(&config, Some(take_note), null_mut(), &mut host) };
        assert!(host.is_null());
        code
    };
    assert_eq!(refused(|config| config.secret_key = [0; 32]), EINVAL);
    // Not below the order of the group.
    assert_eq!(refused(|config| config.secret_key = [0xff; 32]), EINVAL);
    assert_eq!(refused(|config| config.struct_size = 100), EINVAL);
    assert_eq!(refused(|config| config.gossip_enabled = 2), EINVAL);
    assert_eq!(refused(|config| config.log_level = 6), EINVAL);
    assert_eq!(refused(|config| config.agent = Slice { ptr: null(), len: 4 }), EINVAL);
    assert_eq!(refused(|config| config.agent = Slice { ptr: [0xffu8].as_ptr(), len: 1 }), EINVAL);
    assert_eq!(refused(|config| config.extra_roots = Slice { ptr: null(), len: 4 }), EINVAL);
    assert_eq!(refused(|config| config.extra_roots = Slice { ptr: b"none".as_ptr(), len: 4 }), BAD_ROOTS);
    assert_eq!(refused(|config| config.tls_key = Slice { ptr: b"none".as_ptr(), len: 4 }), BAD_CERTIFICATE);
    let mut small = defaults();
    small.struct_size -= 1;
    // SAFETY: the struct is whole, only its own word for its size is not.
    assert_eq!(unsafe { nrp2p_config_default(&mut small) }, EINVAL);
}

#[test]
fn defaults_are_those_of_the_header() {
    let config = defaults();
    let numbers = [config.max_connections, config.max_connections_per_peer, config.max_streams_per_connection];
    assert_eq!(numbers, [50, 2, 64]);
    let mesh = [config.mesh_n, config.mesh_n_low, config.mesh_n_high, config.mesh_outbound_min, config.gossip_lazy];
    assert_eq!(mesh, [6, 4, 8, 3, 6]);
    assert_eq!([config.heartbeat_ms, config.heartbeat_initial_delay_ms, config.idle_timeout_s], [1000, 500, 600]);
    assert_eq!([config.max_transmit_bytes, config.history_length, config.history_gossip], [214 * 1024, 6, 3]);
    assert_eq!([config.gossip_enabled, config.hide_listen_addrs, config.log_level], [1, 0, 2]);
    assert_eq!([config.max_connections_per_ip, config.gossip_messages_per_s, config.gossip_kib_per_s], [0, 0, 0]);
    assert_eq!(text(config.agent), "noroshi");
    assert_eq!(text(config.relay_protocol), "/vac/waku/relay/2.0.0");
}

#[test]
fn peer_id_follows_from_the_key_and_says_the_room_it_needs() {
    let notes = Notes::default();
    let mut config = defaults();
    config.secret_key = [0; 32];
    config.secret_key[0] = 0xaa;
    config.secret_key[31] = 0x01;
    let host = notes.start(&config);
    let (mut len, mut buf) = (0, [0u8; 64]);
    // SAFETY: the buffer has the room that is named.
    unsafe {
        assert_eq!(nrp2p_peer_id(host, buf.as_mut_ptr().cast(), 10, &mut len), EMSGSIZE);
        assert_eq!(len, 53);
        assert_eq!(nrp2p_peer_id(host, buf.as_mut_ptr().cast(), buf.len(), &mut len), OK);
        assert_eq!(nrp2p_free(host), OK);
    }
    // The peer id that go-waku has with this node key.
    assert_eq!(&buf[..len], b"16Uiu2HAkwdaqR4NGxQ6cDsUtqGaMpsboURRkh2hvXaHxxCs6CXfW");
}

#[test]
fn free_in_the_callback_is_refused_and_does_nothing() {
    let notes = Notes::default();
    let host = notes.start(&defaults());
    *notes.host.lock().unwrap() = host as usize;
    // SAFETY: a live handle until it is freed.
    unsafe {
        assert_eq!(nrp2p_stats(host, 1), OK);
        assert_eq!(notes.wait(20).code, EDEADLK);
        // It still works.
        assert_eq!(nrp2p_listen(host, b"/ip4/127.0.0.1/tcp/0".as_ptr(), 20), OK);
        assert!(notes.wait(1).text.starts_with("/ip4/127.0.0.1/tcp/"));
        assert_eq!(nrp2p_free(host), OK);
    }
    assert_eq!(notes.list.lock().unwrap().last().map(|note| (note.kind, note.code)), Some((21, OK)));
}

#[test]
fn events_carry_the_numbers_of_the_header() {
    let notes = Notes::default();
    let host = notes.start(&defaults());
    // SAFETY: a live handle and matching lengths.
    unsafe {
        assert_eq!(nrp2p_gossip_subscribe(host, b"t".as_ptr(), 1), OK);
        assert_eq!(nrp2p_gossip_publish(host, 5, b"t".as_ptr(), 1, b"x".as_ptr(), 1), OK);
        assert_eq!(nrp2p_stats(host, 6), OK);
        let address = "/ip4/127.0.0.1/udp/1";
        assert_eq!(nrp2p_dial(host, 7, address.as_ptr(), address.len()), OK);
    }
    let published = notes.wait(11);
    assert_eq!((published.id, published.code, published.text.as_str()), (5, NO_PEERS, "t"));
    assert_eq!((notes.wait(20).id, notes.wait(20).data_len), (6, 136));
    let dialled = notes.wait(5);
    assert_eq!((dialled.id, dialled.code, dialled.text.as_str()), (7, 7, "unsupported address"));
    // SAFETY: the last use of the handle.
    assert_eq!(unsafe { nrp2p_free(host) }, OK);
}

/// Starts discovery at 127.0.0.1 with a record that is signed with `key`; gives what was answered, and the record.
fn discover(host: *mut HostHandle, key: u8, port: u16, bootstrap: &str) -> (i32, String) {
    let key = CombinedKey::secp256k1_from_bytes(&mut [key; 32]).unwrap();
    let record = enr::Enr::builder().ip4([127, 0, 0, 1].into()).udp4(port).build(&key).unwrap().to_base64();
    let (ip, record_len) = ("127.0.0.1", record.len());
    let (more, more_len) = (bootstrap.as_ptr(), bootstrap.len());
    // SAFETY: a live handle and matching lengths.
    let code =
        unsafe { nrp2p_discv5_start(host, ip.as_ptr(), ip.len(), port, record.as_ptr(), record_len, more, more_len) };
    (code, record)
}

#[test]
fn discovery_is_told_with_the_numbers_of_the_header() {
    let free_port = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (first, second) = (Notes::default(), Notes::default());
    let (host, other) = (first.start(&defaults()), second.start(&Config { secret_key: [0x22; 32], ..defaults() }));
    let port = free_port();
    assert_eq!(discover(host, 0x22, port, "").0, EINVAL);
    let (code, record) = discover(host, 0x11, port, "");
    assert_eq!(code, OK);
    let listening = first.wait(22);
    assert_eq!((listening.text, listening.data_len), (format!("127.0.0.1:{port}"), record.len()));
    assert_eq!(discover(host, 0x11, port, "").0, EEXIST);

    assert_eq!(discover(other, 0x22, port, "").0, OK);
    assert!(second.wait(24).text.contains("in use"));
    let (code, other_record) = discover(other, 0x22, free_port(), &record);
    assert_eq!(code, OK);
    assert_eq!(second.wait(23).data_len, record.len());
    assert_eq!(first.wait(23).data_len, other_record.len());
    // SAFETY: the last use of the handles.
    unsafe {
        assert_eq!(nrp2p_free(host), OK);
        assert_eq!(nrp2p_free(other), OK);
    }
}

#[test]
fn a_light_host_refuses_gossip() {
    let notes = Notes::default();
    let mut config = defaults();
    config.gossip_enabled = 0;
    let host = notes.start(&config);
    // SAFETY: a live handle and matching lengths.
    unsafe {
        assert_eq!(nrp2p_gossip_subscribe(host, b"t".as_ptr(), 1), ENOTSUP);
        assert_eq!(nrp2p_free(host), OK);
    }
}
