// p2p/src/host/config.rs - what a host is made of, with the values that Waku nodes use as defaults.

use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::swarm::StreamProtocol;

use super::command::Refusal;
use super::MAX_TEXT;

/// Field by field as `nrp2p_config` of the C header, in Rust's types.
#[derive(Clone)]
pub struct Config {
    pub keypair: Keypair,
    pub agent: String,
    pub relay_protocol: String,
    pub max_connections: u32,
    pub max_connections_per_peer: u32,
    pub max_streams_per_connection: usize,
    pub idle_timeout: Duration,
    pub gossip_enabled: bool,
    pub hide_listen_addrs: bool,
    pub mesh_n: usize,
    pub mesh_n_low: usize,
    pub mesh_n_high: usize,
    pub mesh_outbound_min: usize,
    pub gossip_lazy: usize,
    pub heartbeat: Duration,
    pub heartbeat_initial_delay: Duration,
    pub max_transmit_bytes: usize,
    pub history_length: usize,
    pub history_gossip: usize,
    /// Peers of one IP before their score falls; 0 is off.
    pub ip_colocation_threshold: u32,
    /// Inbound connections of one address (IPv6: /64), also those in their handshake; 0 is off.
    pub max_connections_per_ip: u32,
    /// New gossip messages a second and their bytes, from all peers together, five seconds' worth at once; 0 is no bound.
    pub gossip_messages_per_s: u32,
    pub gossip_bytes_per_s: u64,
    /// 0 none to 5 trace.
    pub log_level: u8,
    /// Chain and key of a listener at /wss or /tls/ws; both empty: none.
    pub tls_certificate_pem: Vec<u8>,
    pub tls_key_pem: Vec<u8>,
    /// Believed beside the system's roots when we dial /wss.
    pub extra_roots_pem: Vec<u8>,
}

/// All roots that a system has are a quarter of it.
const MAX_PEM: usize = 1024 * 1024;

pub const DEFAULT_AGENT: &str = "noroshi";
pub const DEFAULT_RELAY_PROTOCOL: &str = "/vac/waku/relay/2.0.0";

impl Config {
    pub fn with_key(keypair: Keypair) -> Self {
        Self {
            keypair,
            agent: DEFAULT_AGENT.into(),
            relay_protocol: DEFAULT_RELAY_PROTOCOL.into(),
            max_connections: 50,
            max_connections_per_peer: 2,
            max_streams_per_connection: 64,
            idle_timeout: Duration::from_secs(600),
            gossip_enabled: true,
            hide_listen_addrs: false,
            mesh_n: 6,
            mesh_n_low: 4,
            mesh_n_high: 8,
            mesh_outbound_min: 3,
            gossip_lazy: 6,
            heartbeat: Duration::from_secs(1),
            heartbeat_initial_delay: Duration::from_millis(500),
            // A Waku message of 150 KiB, and 64 KiB for what shares its RPC.
            max_transmit_bytes: 214 * 1024,
            history_length: 6,
            history_gossip: 3,
            ip_colocation_threshold: 5,
            max_connections_per_ip: 0,
            gossip_messages_per_s: 0,
            gossip_bytes_per_s: 0,
            log_level: 2,
            tls_certificate_pem: Vec::new(),
            tls_key_pem: Vec::new(),
            extra_roots_pem: Vec::new(),
        }
    }

    /// Refuses what the libraries below would panic about or what could not work.
    pub fn validate(&self) -> Result<(), Refusal> {
        let within = [
            self.max_connections >= 1,
            self.max_connections_per_peer >= 1,
            (8..=512).contains(&self.max_streams_per_connection),
            !self.idle_timeout.is_zero(),
            self.agent.len() <= MAX_TEXT,
            self.relay_protocol.len() <= MAX_TEXT,
            self.heartbeat >= Duration::from_millis(100),
            (1024..=2 * 1024 * 1024).contains(&self.max_transmit_bytes),
            self.mesh_outbound_min <= self.mesh_n_low,
            self.mesh_outbound_min * 2 <= self.mesh_n,
            self.mesh_n_low <= self.mesh_n && self.mesh_n <= self.mesh_n_high,
            self.mesh_n_high <= 1000 && self.gossip_lazy <= 1000,
            (1..=100).contains(&self.history_length),
            self.history_gossip <= self.history_length,
            self.log_level <= 5,
            [&self.tls_certificate_pem, &self.tls_key_pem, &self.extra_roots_pem]
                .iter()
                .all(|pem| pem.len() <= MAX_PEM),
            StreamProtocol::try_from_owned(self.relay_protocol.clone()).is_ok(),
        ];
        if within.contains(&false) {
            return Err(Refusal::Invalid);
        }
        Ok(())
    }
}
