// p2p/src/host/gossip.rs - gossipsub as Waku's relay wants it: exact protocol id, no author, scores, SHA-256 message ids.
//!
//! The numbers that are not in `Config` are those of the Waku reference node's relay.

use std::time::Duration;

use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds, TopicScoreParams,
    ValidationMode, Version,
};
use sha2::{Digest, Sha256};

use super::config::Config;

/// What identifies a message in the mesh: the SHA-256 of its data (not Waku's deterministic message hash).
pub(crate) fn message_id(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

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
        // Messages that wait for one slow peer; the library's 5000 could hold hundreds of megabytes.
        .connection_handler_queue_len(256);
    let config_of_gossip = builder.build().map_err(|error| error.to_string())?;
    let mut behaviour = Behaviour::new(MessageAuthenticity::Anonymous, config_of_gossip)?;
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
