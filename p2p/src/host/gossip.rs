// p2p/src/host/gossip.rs - gossipsub as Waku's relay wants it: exact protocol id, no author, scores, SHA-256 message ids.
//!
//! The numbers that are not in `Config` are those of the Waku reference node's relay.

use std::io;
use std::time::Duration;

use libp2p::gossipsub::{
    ConfigBuilder, DataTransform, MaxCountSubscriptionFilter, Message, MessageAuthenticity, MessageId, PeerScoreParams,
    PeerScoreThresholds, RawMessage, TopicHash, TopicScoreParams, TopicSubscriptionFilter, ValidationMode, Version,
};
use sha2::{Digest, Sha256};

use super::config::Config;

/// What identifies a message in the mesh: the SHA-256 of its data (not Waku's deterministic message hash).
pub(crate) fn message_id(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// Topics that a peer may be subscribed to, and change in one RPC: more than a cluster has shards.
const MAX_TOPICS: usize = 1100;
/// Of a topic's name; Waku's have 30 at most.
const MAX_TOPIC_BYTES: usize = 128;
/// Messages of one RPC that are looked at; others send one or a few.
const MAX_MESSAGES_PER_RPC: usize = 500;

/// gossipsub keeps the topics of every peer: without bounds one could fill the memory with names.
#[derive(Default, Clone)]
pub(crate) struct ShortNames;

impl TopicSubscriptionFilter for ShortNames {
    fn can_subscribe(&mut self, topic: &TopicHash) -> bool {
        topic.as_str().len() <= MAX_TOPIC_BYTES
    }
}

/// StrictNoSign: the library itself refuses author, number and signature, but passes a key on, for which other
/// implementations would punish us.
#[derive(Default, Clone)]
pub(crate) struct NoKey;

impl DataTransform for NoKey {
    fn inbound_transform(&self, raw: RawMessage) -> Result<Message, io::Error> {
        if raw.key.is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message with a key"));
        }
        Ok(Message { source: raw.source, data: raw.data, sequence_number: raw.sequence_number, topic: raw.topic })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> Result<Vec<u8>, io::Error> {
        Ok(data)
    }
}

pub(crate) type Filter = MaxCountSubscriptionFilter<ShortNames>;
pub(crate) type Behaviour = libp2p::gossipsub::Behaviour<NoKey, Filter>;

pub(crate) fn behaviour(config: &Config) -> Result<Behaviour, String> {
    let mut builder = ConfigBuilder::default();
    builder
        // `protocol_id_prefix` would add a version to the id, and nobody in Waku knows it by that name.
        .protocol_id(config.relay_protocol.clone(), Version::V1_1)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| MessageId::new(&message_id(&message.data)))
        .mesh_n(config.mesh_n)
        .mesh_n_low(config.mesh_n_low)
        .mesh_n_high(config.mesh_n_high)
        .mesh_outbound_min(config.mesh_outbound_min)
        .gossip_lazy(config.gossip_lazy)
        .gossip_factor(0.25)
        .heartbeat_interval(config.heartbeat)
        .heartbeat_initial_delay(config.heartbeat_initial_delay)
        .history_length(config.history_length)
        .history_gossip(config.history_gossip)
        .max_transmit_size(config.max_transmit_bytes)
        .duplicate_cache_time(Duration::from_secs(120))
        .fanout_ttl(Duration::from_secs(60))
        .prune_backoff(Duration::from_secs(60))
        .unsubscribe_backoff(Duration::from_secs(5))
        .flood_publish(true)
        .max_publish_messages(MAX_MESSAGES_PER_RPC)
        // Messages that wait for one slow peer, forwarded ones for a second; the library's 5000 could hold hundreds of
        // megabytes. A burst that fits must not cost an honest peer its connection.
        .connection_handler_queue_len(256);
    let config_of_gossip = builder.build().map_err(|error| error.to_string())?;
    let filter =
        Filter { filter: ShortNames, max_subscribed_topics: MAX_TOPICS, max_subscriptions_per_request: MAX_TOPICS };
    let mut behaviour =
        Behaviour::new_with_subscription_filter(MessageAuthenticity::Anonymous, config_of_gossip, filter)?;
    behaviour.with_peer_score(peer_score(config.ip_colocation_threshold), thresholds())?;
    Ok(behaviour)
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -100.0,
        publish_threshold: -1_000.0,
        graylist_threshold: -10_000.0,
        opportunistic_graft_threshold: 0.0,
        ..PeerScoreThresholds::default()
    }
}

fn peer_score(ip_colocation_threshold: u32) -> PeerScoreParams {
    let off = ip_colocation_threshold == 0;
    PeerScoreParams {
        topic_score_cap: 0.0,
        ip_colocation_factor_weight: if off { 0.0 } else { -50.0 },
        ip_colocation_factor_threshold: f64::from(ip_colocation_threshold.max(1)),
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 0.0,
        behaviour_penalty_decay: 0.986,
        decay_interval: Duration::from_secs(12),
        decay_to_zero: 0.01,
        retain_score: Duration::from_secs(600),
        ..PeerScoreParams::default()
    }
}

/// To be set for each topic when it is subscribed: a topic without parameters has no scores.
pub(crate) fn topic_score() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 10.0,
        first_message_deliveries_weight: 1.0,
        first_message_deliveries_decay: 0.5,
        first_message_deliveries_cap: 10.0,
        // A quiet shard is normal: nobody is blamed for silence.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -100.0,
        invalid_message_deliveries_decay: 0.5,
        ..TopicScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_tables_are_valid() {
        assert_eq!(topic_score().validate(), Ok(()));
        assert_eq!(thresholds().validate(), Ok(()));
        assert_eq!(peer_score(5).validate(), Ok(()));
        assert_eq!(peer_score(0).validate(), Ok(()));
    }

    #[test]
    fn colocation_threshold_zero_turns_the_penalty_off() {
        assert_eq!(peer_score(0).ip_colocation_factor_weight, 0.0);
        assert_eq!(peer_score(5).ip_colocation_factor_weight, -50.0);
    }

    #[test]
    fn message_id_is_the_sha256_of_the_data() {
        // The digest of "abc" from FIPS 180-4.
        assert_eq!(message_id(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
