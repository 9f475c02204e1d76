// p2p/src/host/swarm.rs - the swarm: TCP and WebSocket with Noise, yamux and mplex, and the behaviours of a host.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::{SelectUpgrade, Version};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{identify, noise, ping, tcp, yamux, PeerId, Swarm, Transport};
use libp2p_websocket as websocket;

use super::config::Config;
use super::counters::Counted;
use super::names::Names;
use super::shared::{Shared, Stop};
use super::{address_limit, dial, gossip, mplex, raw_stream};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The whole of what a WebSocket message may carry; the library's default is 256 MiB.
const MAX_WEBSOCKET_MESSAGE: usize = 4 * 1024 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// The order matters: who is banned or too many is refused before any other part hears of the connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) banned: allow_block_list::Behaviour<BlockedPeers>,
    addresses: address_limit::Behaviour,
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    /// Off in a light node, which must not announce the relay protocol.
    pub(crate) gossip: Toggle<gossip::Behaviour>,
    pub(crate) streams: raw_stream::Behaviour,
}

/// Everything that can fail for a bad configuration happens here. Wants a tokio runtime around it.
pub(crate) fn build(
    config: &Config,
    tls: websocket::tls::Config,
    shared: &Arc<Shared>,
) -> Result<Swarm<Behaviour>, String> {
    let gossip = match config.gossip_enabled {
        true => Some(gossip::behaviour(config)?),
        false => None,
    };
    let behaviour = Behaviour {
        banned: allow_block_list::Behaviour::default(),
        addresses: address_limit::Behaviour::new(config.max_connections_per_ip),
        limits: connection_limits::Behaviour::new(limits(config)),
        identify: identify::Behaviour::new(identity(config)),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT)),
        gossip: gossip.into(),
        streams: raw_stream::Behaviour::new(shared.protocols.clone()),
    };
    let owner = shared.clone();
    // A panic in a connection's task leaves the swarm with a connection that is not there: the host has to end.
    let swarm_config = libp2p::swarm::Config::with_executor(move |task| contain(owner.clone(), task))
        .with_idle_connection_timeout(config.idle_timeout);
    let transport = transport(config, tls, shared)?;
    Ok(Swarm::new(transport, behaviour, config.keypair.public().to_peer_id(), swarm_config))
}

type Task = std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

/// Runs a task of the swarm; its panic stops the host.
pub(crate) fn contain(shared: Arc<Shared>, task: Task) {
    tokio::spawn(async move {
        if let Err(payload) = std::panic::AssertUnwindSafe(task).catch_unwind().await {
            std::mem::forget(payload);
            let note = shared.note_panic();
            shared.stop(Stop::Panicked(note));
        }
    });
}

fn transport(
    config: &Config,
    tls: websocket::tls::Config,
    shared: &Arc<Shared>,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, String> {
    let noise = noise::Config::new(&config.keypair).map_err(|error| error.to_string())?;
    let sockets = || {
        let totals = shared.totals.clone();
        let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
            .map(move |stream, _| Counted::new(stream, totals.clone()))
            .map_err(dial::SocketError);
        Names::new(tcp)
    };
    let gates = shared.gates.clone();
    let mut websocket = websocket::Config::new(sockets());
    websocket.set_max_data_size(MAX_WEBSOCKET_MESSAGE).set_tls_config(tls);
    let transport = websocket
        .or_transport(sockets())
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(muxers(config))
        .timeout(HANDSHAKE_TIMEOUT)
        .map(move |(peer, muxer), _| (peer, gates.put_before(peer, StreamMuxerBox::new(muxer))));
    Ok(transport.boxed())
}

/// yamux is preferred; js-waku offers mplex alone.
fn muxers(config: &Config) -> SelectUpgrade<yamux::Config, mplex::Config> {
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(config.max_streams_per_connection);
    SelectUpgrade::new(yamux, mplex::Config { max_streams: config.max_streams_per_connection })
}

fn identity(config: &Config) -> identify::Config {
    identify::Config::new("ipfs/0.1.0".into(), config.keypair.public())
        .with_agent_version(config.agent.clone())
        .with_hide_listen_addrs(config.hide_listen_addrs)
        // Addresses that strangers claim are of no use here: we dial what the caller names.
        .with_cache_size(0)
}

/// A quarter of the places is never given to who comes by himself: with all of them taken we could reach nobody.
fn limits(config: &Config) -> ConnectionLimits {
    let pending = config.max_connections.max(8);
    ConnectionLimits::default()
        .with_max_established_incoming(Some(config.max_connections - config.max_connections / 4))
        .with_max_established(Some(config.max_connections))
        .with_max_established_per_peer(Some(config.max_connections_per_peer))
        .with_max_pending_incoming(Some(pending))
        .with_max_pending_outgoing(Some(pending))
}
