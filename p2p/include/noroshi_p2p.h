/* p2p/include/noroshi_p2p.h - the C ABI of the libp2p host: this header is the contract, the Rust crate follows it. */
#pragma once

/* How to use it
 *
 *   nrp2p_config config = {0};
 *   config.struct_size = sizeof config;
 *   nrp2p_config_default(&config);
 *   ... secret_key, agent, relay_protocol ...
 *   nrp2p_host *host = NULL;
 *   nrp2p_new(&config, on_event, user, &host);
 *   nrp2p_protocol_accept(host, ...);        before listen and dial: peers judge us by the protocols we announce
 *   nrp2p_listen(host, ...); nrp2p_dial(host, ...);
 *   ...
 *   nrp2p_free(host);
 *
 * Threads: every host has one thread of its own, "noroshi-p2p". All functions may be called from any thread, the
 * callback included, with one exception: nrp2p_free is refused on the network thread. No function blocks but nrp2p_new
 * (until the thread runs) and nrp2p_free (until it has ended). nrp2p_free must not race with another call on that host.
 * Calls from one thread take effect in their order.
 *
 * Callback: runs on the network thread. Copy and hand over, nothing else: while it runs, no connection makes progress
 * (stay below 1 ms, or wait on purpose: TCP then holds all peers back). It must not throw. Everything an event points to lives only during the call.
 *
 * Ownership: what is passed in is copied before the call returns. Only the host handle is ever given out.
 *
 * Text is UTF-8, pointer and length, not terminated. Peers are named by their base58 peer id, addresses are multiaddrs.
 *
 * Results: 0 or one of the negative NRP2P_E* codes. What needs the network comes later, as an event that carries the
 * caller's id. A function that returned an error has had no effect and no event follows.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Compare with nrp2p_abi_version() once at start. */
#define NRP2P_ABI_VERSION 4u

/** Result codes; Linux errno values, negated, where there is one. */
enum {
    NRP2P_OK = 0,
    NRP2P_ENOENT = -2,       /**< no such stream */
    NRP2P_EAGAIN = -11,      /**< a queue is full: try again later */
    NRP2P_EEXIST = -17,      /**< that stream id or protocol is already in use, or discovery runs */
    NRP2P_EINVAL = -22,      /**< null pointer, malformed text, out of range */
    NRP2P_EPIPE = -32,       /**< the host has stopped, or this side of the stream is finished */
    NRP2P_EDEADLK = -35,     /**< nrp2p_free on the network thread */
    NRP2P_EMSGSIZE = -90,    /**< longer than the limit named at the function */
    NRP2P_ENOTSUP = -95,     /**< gossip is off in the configuration; or the peer does not speak the protocol */
    NRP2P_ECONNRESET = -104, /**< the peer reset the stream, or the connection went away */
    NRP2P_ENOTCONN = -107,   /**< not connected to that peer */
    NRP2P_ETIMEDOUT = -110,  /**< the time given has passed */
    NRP2P_ECANCELED = -125,  /**< ended by nrp2p_stream_reset, or because the host stops */
    NRP2P_PANIC = -99,       /**< a Rust panic was contained */
    /* only as code of NRP2P_EVENT_PUBLISH_RESULT */
    NRP2P_PUBLISH_NO_PEERS = -201,  /**< nobody known to subscribe; the message is not queued */
    NRP2P_PUBLISH_DUPLICATE = -202, /**< the same bytes were published or seen within 120 s */
    NRP2P_PUBLISH_TOO_LARGE = -203, /**< over max_transmit_bytes */
    NRP2P_PUBLISH_QUEUES_FULL = -204, /**< every peer's send queue is full */
    NRP2P_PUBLISH_FAILED = -205,      /**< any other reason, in the event's data */
    /* only from nrp2p_new */
    NRP2P_BAD_CERTIFICATE = -301, /**< tls_certificate or tls_key is no PEM of its kind, or they don't belong together */
    NRP2P_BAD_ROOTS = -302        /**< extra_roots holds no certificate, or a malformed one */
};

/** Limits that the host enforces. */
#define NRP2P_MAX_TEXT 1024u            /**< addresses, topics, protocols, peer ids, agent: bytes each */
#define NRP2P_MAX_COMMANDS 256u         /**< commands waiting for the network thread */
#define NRP2P_MAX_COMMAND_BYTES 8388608u /**< published bytes waiting for the network thread */
#define NRP2P_MAX_STREAM_QUEUE 16u      /**< writes waiting in one stream */
#define NRP2P_MAX_STREAM_BYTES 2097152u /**< written bytes waiting in one stream; one write is at most that */
#define NRP2P_MAX_STREAMS 2048u         /**< raw streams of one host, both directions */
#define NRP2P_MAX_PROTOCOLS 64u         /**< accepted protocols of one host */
#define NRP2P_MAX_BOOTSTRAP 64u         /**< records given to nrp2p_discv5_start */
#define NRP2P_FIRST_INBOUND_STREAM 4294967296ull /**< ids of inbound streams start here; the caller's own are below */

/** Bytes or text of the other side, valid during the call only. `ptr` may be null when `len` is 0. */
typedef struct nrp2p_slice {
    const uint8_t *ptr;
    size_t len;
} nrp2p_slice;

/** What a host is made of. Set struct_size, call nrp2p_config_default, then change what differs. */
typedef struct nrp2p_config {
    uint32_t struct_size;                /**< sizeof(nrp2p_config) of the caller */
    uint32_t max_connections;            /**< default 50, at least 1; a quarter is kept for dials of ours */
    uint32_t max_connections_per_peer;   /**< default 2, at least 1 */
    uint32_t max_streams_per_connection; /**< yamux streams of one connection, both directions, 8 to 512, default 64;
                                              one more, from either side, ends the connection */
    uint32_t idle_timeout_s;             /**< connection without any use is closed, default 600 */
    uint32_t gossip_enabled;             /**< 0: light node, gossipsub is neither run nor announced; default 1 */
    uint32_t hide_listen_addrs;          /**< 1: identify does not tell our listen addresses; default 0 */
    uint32_t mesh_n;                     /**< gossipsub D, default 6 */
    uint32_t mesh_n_low;                 /**< D_low, default 4 */
    uint32_t mesh_n_high;                /**< D_high, default 8 */
    uint32_t mesh_outbound_min;          /**< D_out, default 3; at most mesh_n_low and mesh_n / 2 */
    uint32_t gossip_lazy;                /**< D_lazy, default 6 */
    uint32_t heartbeat_ms;               /**< default 1000, at least 100 */
    uint32_t heartbeat_initial_delay_ms; /**< default 500; the mesh stays empty until then */
    uint32_t max_transmit_bytes;         /**< whole gossip RPC, default 214 KiB, at least 1 KiB, at most 2 MiB */
    uint32_t history_length;             /**< heartbeats that a message waits for its verdict, default 6 */
    uint32_t history_gossip;             /**< heartbeats told to others, default 3, at most history_length */
    uint32_t ip_colocation_threshold;    /**< peers of one IP before score falls, default 5; 0 = off */
    uint32_t log_level;                  /**< 0 none, 1 error, 2 warn (default), 3 info, 4 debug, 5 trace */
    uint8_t secret_key[32];              /**< secp256k1, big-endian scalar; the peer id follows from it */
    uint32_t max_connections_per_ip;     /**< inbound ones of one IPv4 address or IPv6 /64, also those that have not
                                              finished their handshake, default 0 = off */
    nrp2p_slice agent;                   /**< agent string of identify, default "noroshi" */
    nrp2p_slice relay_protocol;          /**< exact gossipsub protocol id, default "/vac/waku/relay/2.0.0" */
    nrp2p_slice tls_certificate;         /**< PEM, chain with our own first: needed to listen at /wss or /tls/ws */
    nrp2p_slice tls_key;                 /**< PEM, PKCS#8, PKCS#1 or SEC1: the key of the first certificate */
    nrp2p_slice extra_roots;             /**< PEM certificates that a dialled /wss is believed for, beside Mozilla's
                                              roots, which are compiled in, and those of the system. At most 1 MiB each */
    uint32_t gossip_messages_per_s;      /**< new gossip messages from all peers together, five seconds' worth at once;
                                              what is more waits in the senders' sockets. Default 0 = no bound */
    uint32_t gossip_kib_per_s;           /**< the same for their bytes, KiB */
} nrp2p_config;

/** Kinds of event. Fields not named at a kind are 0 or empty. */
typedef enum nrp2p_event_kind {
    /** text: full own address with /p2p/<id>. One for each address that a listener got. */
    NRP2P_EVENT_LISTENING = 1,
    /** A listen address ended or could not be opened. text: address (may be empty), data: reason. */
    NRP2P_EVENT_LISTEN_CLOSED = 2,
    /** id: request id of nrp2p_dial, or 0. peer, text: remote address, code: 0 we dialled, 1 they did,
     *  value: connections with this peer now. */
    NRP2P_EVENT_CONNECTED = 3,
    /** peer, text: remote address, data: reason, value: connections with this peer that remain. */
    NRP2P_EVENT_CLOSED = 4,
    /** id: request id, peer (may be empty), code: nrp2p_dial_reason, text: its name ("refused"), data: details. */
    NRP2P_EVENT_DIAL_ERROR = 5,
    /** peer, text: agent, extra: our address as the peer sees it, data: protocols, one a line.
     *  Comes again when the peer's protocols change. At most 16 KiB of protocols. */
    NRP2P_EVENT_IDENTIFIED = 6,
    /** peer, value: round trip in microseconds. */
    NRP2P_EVENT_PING_RTT = 7,
    /** peer, text: topic. */
    NRP2P_EVENT_PEER_SUBSCRIBED = 8,
    /** peer, text: topic. */
    NRP2P_EVENT_PEER_UNSUBSCRIBED = 9,
    /** peer: who handed it to us, text: topic, extra: gossip message id (32 bytes), data: message.
     *  code 0: must be answered with nrp2p_gossip_verdict exactly once, within history_length heartbeats;
     *  code 1: the judge of nrp2p_gossip_judge has given the verdict. */
    NRP2P_EVENT_MESSAGE = 10,
    /** id: request id, code: 0 or NRP2P_PUBLISH_*, text: topic, extra: gossip message id (32 bytes, also on error). */
    NRP2P_EVENT_PUBLISH_RESULT = 11,
    /** id: request id, text: topic, value: size of the mesh,
     *  data: one line a subscriber: peer id, space, "mesh" or "peer", space, score as a decimal number. */
    NRP2P_EVENT_MESH = 12,
    /** A peer opened a stream. id: stream, peer, text: protocol. No byte is read before nrp2p_stream_credit. */
    NRP2P_EVENT_STREAM_IN = 13,
    /** Our stream is open. id: stream, peer, text: protocol. No byte is read before nrp2p_stream_credit. */
    NRP2P_EVENT_STREAM_OPEN = 14,
    /** id: stream, data: bytes (never empty, never more than the credit). */
    NRP2P_EVENT_STREAM_DATA = 15,
    /** id: stream. The peer has finished writing; we may still write. yamux tells a reader the same when the peer has
     *  reset the stream or the connection ended: only a length in the data proves that it is whole. */
    NRP2P_EVENT_STREAM_EOF = 16,
    /** id: stream. After a write was refused with NRP2P_EAGAIN: there is room again. */
    NRP2P_EVENT_STREAM_WRITABLE = 17,
    /** id: stream, code: 0 both sides finished; NRP2P_ENOTCONN, NRP2P_ENOTSUP, NRP2P_ETIMEDOUT (not opened);
     *  NRP2P_ECONNRESET, NRP2P_ECANCELED, NRP2P_PANIC. text: reason.
     *  Exactly one for each stream of STREAM_IN or accepted nrp2p_stream_open, and its last event: the id is free. */
    NRP2P_EVENT_STREAM_END = 18,
    /** code: level 1 to 5, text: line, extra: where it comes from. At most 100 a second; lost ones are counted. */
    NRP2P_EVENT_LOG = 19,
    /** id: request id, data: one nrp2p_counters. */
    NRP2P_EVENT_STATS = 20,
    /** code: 0 after nrp2p_free, or NRP2P_PANIC; text: reason. The last event ever of this host. All functions return
     *  NRP2P_EPIPE from now on; the host is still to be freed. */
    NRP2P_EVENT_STOPPED = 21,
    /** text: "ip:port" of the UDP socket, data: our own ENR as text. It comes again whenever the record has changed: the
     *  port we got was added to it, or the votes of other nodes have found our outside address. */
    NRP2P_EVENT_DISCV5_LISTENING = 22,
    /** data: the ENR of another node as text, "enr:...", at most 404 bytes: whatever was seen in look-ups and sessions, of
     *  any network, its signature verified and nothing else. A record comes once in 10 minutes, at most 4096 of them. */
    NRP2P_EVENT_DISCOVERED = 23,
    /** text: reason. The UDP socket could not be opened, or a panic was contained. The host goes on without discovery,
     *  which may be started again. */
    NRP2P_EVENT_DISCV5_FAILED = 24
} nrp2p_event_kind;

/** Why a dial failed; the name in quotes is the text of the event. */
typedef enum nrp2p_dial_reason {
    NRP2P_DIAL_OTHER = 1,               /**< "other" */
    NRP2P_DIAL_REFUSED = 2,             /**< "refused" */
    NRP2P_DIAL_TIMEOUT = 3,             /**< "timeout" */
    NRP2P_DIAL_UNREACHABLE = 4,         /**< "unreachable" */
    NRP2P_DIAL_WRONG_PEER = 5,          /**< "wrong peer": another identity answered at that address */
    NRP2P_DIAL_HANDSHAKE = 6,           /**< "handshake": no common security or muxer, or it was cut off */
    NRP2P_DIAL_UNSUPPORTED_ADDRESS = 7, /**< "unsupported address": only /ip4|ip6|dns|dns4|dns6/.../tcp/...[/ws|/wss] can be dialled */
    NRP2P_DIAL_ALREADY = 8,             /**< "already connected": or a dial to that peer is under way */
    NRP2P_DIAL_SELF = 9,                /**< "self" */
    NRP2P_DIAL_LIMIT = 10,              /**< "limit": max_connections or max_connections_per_peer */
    NRP2P_DIAL_BANNED = 11,             /**< "banned" */
    NRP2P_DIAL_ABORTED = 12,            /**< "aborted": nrp2p_disconnect or ban while dialling */
    NRP2P_DIAL_NAME = 13,               /**< "name": the system's resolver gave no address for /dns4/.. within 5 s */
    NRP2P_DIAL_CERTIFICATE = 14         /**< "certificate": that of a /wss address is of no known root, has expired, or is
                                             another name's */
} nrp2p_dial_reason;

/** One event. Check `struct_size >= sizeof(nrp2p_event)`; fields are only ever added at the end. */
typedef struct nrp2p_event {
    uint32_t struct_size;
    uint32_t kind; /**< nrp2p_event_kind */
    int32_t code;
    uint32_t reserved;
    uint64_t id;
    uint64_t value;
    nrp2p_slice peer;
    nrp2p_slice text;
    nrp2p_slice extra;
    nrp2p_slice data;
} nrp2p_event;

/** Data of NRP2P_EVENT_STATS; counters since the host was made, gauges where said. */
typedef struct nrp2p_counters {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t bytes_received;      /**< TCP payload */
    uint64_t bytes_sent;          /**< TCP payload */
    uint64_t connections;         /**< gauge */
    uint64_t peers;               /**< gauge */
    uint64_t streams;             /**< gauge: raw streams, both directions */
    uint64_t streams_refused;     /**< inbound, over max_concurrent or NRP2P_MAX_STREAMS */
    uint64_t messages_received;   /**< gossip messages given to the callback */
    uint64_t messages_published;  /**< successful publishes */
    uint64_t commands_refused;    /**< calls answered with NRP2P_EAGAIN for the command queue */
    uint64_t log_lines_dropped;
    uint64_t panics;              /**< contained panics */
    uint64_t discv5_nodes;        /**< gauge: nodes in the table that answer, as of the last look-up */
    uint64_t discv5_unrecognized; /**< datagrams that are none of ours: garbage, or of another network */
    uint64_t discv5_unverifiable; /**< sessions refused because the record names another address than its sender's */
    uint64_t discv5_sessions;     /**< sessions with other nodes that were established */
    uint64_t discv5_queries;      /**< look-ups that ended, each over several nodes */
} nrp2p_counters;

typedef enum nrp2p_verdict {
    NRP2P_VERDICT_ACCEPT = 0, /**< forward */
    NRP2P_VERDICT_IGNORE = 1, /**< do not forward, no blame: also the answer when the caller has no room */
    NRP2P_VERDICT_REJECT = 2  /**< do not forward, and the sender loses score */
} nrp2p_verdict;

/** What a judge may say besides a nrp2p_verdict. */
enum {
    NRP2P_JUDGE_LATER = -1, /**< MESSAGE follows and is answered with nrp2p_gossip_verdict */
    NRP2P_JUDGE_UNTOLD = 16 /**< added to a verdict: no MESSAGE is wanted */
};

typedef struct nrp2p_host nrp2p_host;
/** Judges one gossip message on the network thread; the rules of the callback hold for it too. Gives a nrp2p_verdict, or
 *  one and NRP2P_JUDGE_UNTOLD, or NRP2P_JUDGE_LATER, for which any other number is taken too. */
typedef int32_t (*nrp2p_judge)(void *user, nrp2p_slice topic, nrp2p_slice data);
typedef void (*nrp2p_callback)(void *user, const nrp2p_event *event);

/** NRP2P_ABI_VERSION of the library. */
uint32_t nrp2p_abi_version(void);

/** Fills everything but struct_size, which must be set, and secret_key, which becomes zero (and is refused by
 *  nrp2p_new). The two texts point to constants. EINVAL: null or struct_size too small. */
int32_t nrp2p_config_default(nrp2p_config *config);

/** Starts a host. `user` is given to each callback. On success *out is the handle; on error it is null.
 *  EINVAL: a field out of its range, or not a secp256k1 key; EAGAIN: no thread or no runtime could be had;
 *  BAD_CERTIFICATE, BAD_ROOTS. */
int32_t nrp2p_new(const nrp2p_config *config, nrp2p_callback callback, void *user, nrp2p_host **out);

/** Ends all streams and connections, sends STOPPED, joins the thread (well below 2 s while the callback returns) and
 *  frees the host. No callback comes after the return. Null is fine. EDEADLK on the network thread: nothing is done. */
int32_t nrp2p_free(nrp2p_host *host);

/** Own peer id as text into buf. *len is the length needed, also with EMSGSIZE when cap is too small. */
int32_t nrp2p_peer_id(const nrp2p_host *host, char *buf, size_t cap, size_t *len);

/** Listens on e.g. "/ip4/127.0.0.1/tcp/0", for WebSockets with /ws behind it, or /wss or /tls/ws when there is a
 *  certificate. LISTENING or LISTEN_CLOSED follows, the latter also when another node shares its port. */
int32_t nrp2p_listen(nrp2p_host *host, const char *addr, size_t addr_len);

/** An address under which others reach us (port forwarding); told by identify unless hide_listen_addrs. */
int32_t nrp2p_add_external_addr(nrp2p_host *host, const char *addr, size_t addr_len);

/** Dials "/ip4/A/tcp/P", better with "/p2p/<id>". CONNECTED or DIAL_ERROR with request_id (not 0) follows. A peer that
 *  is connected is not dialled again when the address names it. */
int32_t nrp2p_dial(nrp2p_host *host, uint64_t request_id, const char *addr, size_t addr_len);

/** Closes all connections with the peer. Not connected: no event. */
int32_t nrp2p_disconnect(nrp2p_host *host, const char *peer, size_t peer_len);

/** on = 1: close and refuse this peer in both directions; 0: allow again. At most 4096 are kept, more are logged. */
int32_t nrp2p_ban(nrp2p_host *host, const char *peer, size_t peer_len, int32_t on);

/** Joins a pubsub topic (exact string, no hashing). Twice is fine. ENOTSUP: gossip is off. */
int32_t nrp2p_gossip_subscribe(nrp2p_host *host, const char *topic, size_t topic_len);

/** Leaves a topic. Not joined is fine. ENOTSUP: gossip is off. */
int32_t nrp2p_gossip_unsubscribe(nrp2p_host *host, const char *topic, size_t topic_len);

/** Publishes without author, number and signature; the message id is the SHA-256 of data. PUBLISH_RESULT follows.
 *  EMSGSIZE: data, topic and 16 bytes are over max_transmit_bytes. ENOTSUP: gossip is off. */
int32_t nrp2p_gossip_publish(nrp2p_host *host, uint64_t request_id, const char *topic, size_t topic_len,
                             const uint8_t *data, size_t data_len);

/** Answers one MESSAGE: its `extra` (32 bytes), its `peer` and a nrp2p_verdict. Never accept what does not decode: peers
 *  punish the forwarder. ENOTSUP: gossip is off. */
int32_t nrp2p_gossip_verdict(nrp2p_host *host, const uint8_t *message_id, size_t message_id_len, const char *peer,
                             size_t peer_len, int32_t verdict);

/** Who judges each gossip message as it comes: what is only passed on need not be copied to another thread and back. To
 *  be called before nrp2p_listen and nrp2p_dial; the judge stays until nrp2p_free has returned, and is given `user` each
 *  time. EINVAL: null. EEXIST: there is one. ENOTSUP: gossip is off. */
int32_t nrp2p_gossip_judge(nrp2p_host *host, nrp2p_judge judge, void *user);

/** MESH follows. ENOTSUP: gossip is off. */
int32_t nrp2p_gossip_mesh(nrp2p_host *host, uint64_t request_id, const char *topic, size_t topic_len);

/** Announces a protocol ("/...") and accepts its streams, at most max_concurrent (1 to 2048) at a time; more are reset.
 *  EEXIST: already accepted. EMSGSIZE: more than NRP2P_MAX_PROTOCOLS. */
int32_t nrp2p_protocol_accept(nrp2p_host *host, const char *protocol, size_t protocol_len, uint32_t max_concurrent);

/** Opens a stream to a connected peer (it never dials). The caller chooses stream_id, 1 to 2^32 - 1, free of others.
 *  timeout_ms: 1 to 600000. STREAM_OPEN or STREAM_END follows. EEXIST: id in use. EMSGSIZE: NRP2P_MAX_STREAMS. */
int32_t nrp2p_stream_open(nrp2p_host *host, uint64_t stream_id, const char *peer, size_t peer_len,
                          const char *protocol, size_t protocol_len, uint32_t timeout_ms);

/** Queues bytes, all or none; allowed from nrp2p_stream_open on. EAGAIN: full, wait for STREAM_WRITABLE. EPIPE: after
 *  finish. ENOENT: no such stream. EMSGSIZE: over NRP2P_MAX_STREAM_BYTES. Nothing to write is EINVAL. */
int32_t nrp2p_stream_write(nrp2p_host *host, uint64_t stream_id, const uint8_t *data, size_t data_len);

/** Allows `bytes` more to be read. EOF is noticed only while credit remains: grant one byte more than is expected.
 *  Without credit nothing is read and the peer is held back. ENOENT: no such stream. */
int32_t nrp2p_stream_credit(nrp2p_host *host, uint64_t stream_id, uint64_t bytes);

/** Half-close: what is queued is written, then the peer sees the end. Twice is fine. ENOENT: no such stream. */
int32_t nrp2p_stream_finish(nrp2p_host *host, uint64_t stream_id);

/** Ends the stream at once, what is queued is lost; STREAM_END with ECANCELED follows. ENOENT: no such stream. */
int32_t nrp2p_stream_reset(nrp2p_host *host, uint64_t stream_id);

/** Looks for other nodes with discv5 (33/WAKU2-DISCV5) until the host ends: binds UDP ip:port (port 0: any), then
 *  DISCV5_LISTENING or DISCV5_FAILED follows, and DISCOVERED for what is found. Walks to random places of the network: at
 *  once, after 2, 4, 8, 16 s, then each 30 s, each 5 min when 16 nodes answer.
 *  record: our own ENR as text, "enr:...", signed with the host's key. The bound port is added to a record that names
 *  none, and the address (unless it is 0.0.0.0 or ::) to one that has none either.
 *  bootstrap: ENRs of others, one a line, may be empty. One that cannot be reached from the kind of ip is passed over.
 *  Unless ip is of loopback, where all have one address: at most 10 nodes of a /24 in the table, 2 in a bucket; of
 *  strangers, 10 requests a second are heard, and who sends more than 9 alone is not heard for an hour.
 *  EINVAL: a record that does not verify, or is not of our key. EMSGSIZE: over NRP2P_MAX_BOOTSTRAP. EEXIST: it runs. */
int32_t nrp2p_discv5_start(nrp2p_host *host, const char *ip, size_t ip_len, uint16_t port, const char *record,
                           size_t record_len, const char *bootstrap, size_t bootstrap_len);

/** STATS follows. */
int32_t nrp2p_stats(nrp2p_host *host, uint64_t request_id);

#ifdef NRP2P_TEST_HOOKS
/** For tests, only in a library built with the cargo feature "test-hooks": panics on the network thread, in its main loop
 *  (where 0), in a connection task (1) or in the task of the stream `stream_id` (2). */
int32_t nrp2p_test_panic(nrp2p_host *host, uint32_t where, uint64_t stream_id);
#endif

#ifdef __cplusplus
}
#endif
