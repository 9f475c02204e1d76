// p2p/src/host/pace.rs - how fast each peer's gossip may come in, when all together may come only so fast.
//!
//! gossipsub remembers each message id for two minutes and keeps the bytes of each message for six heartbeats: only a
//! rate bounds that memory. The rate is shared by the peers that send; who sends more than its share has to wait
//! (gate.rs), and the others do not.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Seconds of its rate that a peer may send at once.
const BURST: f64 = 5.0;
/// Who has sent nothing for so long has no share.
const ACTIVE: Duration = Duration::from_secs(10);

/// Messages and bytes a second of all peers together; 0 has no bound.
pub(crate) struct Pace {
    messages: f64,
    bytes: f64,
    peers: HashMap<PeerId, Account>,
}

/// Seconds of its share that a peer has left; below 0: so long it has to wait.
struct Account {
    messages: f64,
    bytes: f64,
    at: Instant,
}

impl Pace {
    pub(crate) fn new(messages: u32, bytes: u64) -> Self {
        Self { messages: f64::from(messages), bytes: bytes as f64, peers: HashMap::new() }
    }

    /// Counts a message; how long its sender is to be held back, if at all.
    pub(crate) fn spend(&mut self, peer: PeerId, bytes: usize, now: Instant) -> Option<Duration> {
        if self.messages == 0.0 && self.bytes == 0.0 {
            return None;
        }
        if !self.peers.contains_key(&peer) {
            self.peers.retain(|_, account| now.saturating_duration_since(account.at) < ACTIVE);
            self.peers.insert(peer, Account { messages: BURST, bytes: BURST, at: now });
        }
        let share = 1.0 / self.peers.len() as f64;
        let account = self.peers.get_mut(&peer)?;
        let gone = now.saturating_duration_since(account.at).as_secs_f64();
        account.at = now;
        let spent = |left: &mut f64, rate: f64, amount: f64| {
            if rate > 0.0 {
                *left = (*left + gone).min(BURST) - amount / (rate * share);
            }
            -*left
        };
        let wait =
            spent(&mut account.messages, self.messages, 1.0).max(spent(&mut account.bytes, self.bytes, bytes as f64));
        (wait > 0.0).then(|| Duration::from_secs_f64(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pace: &mut Pace, peer: PeerId, count: usize, now: Instant) -> Option<Duration> {
        (0..count).map(|_| pace.spend(peer, 10, now)).last().flatten()
    }

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let (start, peer) = (Instant::now(), PeerId::random());
        let mut pace = Pace::new(100, 0);
        assert_eq!(waits(&mut pace, peer, 499, start), None);
        assert_eq!(waits(&mut pace, peer, 11, start).map(|wait| wait.as_millis()), Some(100));
        assert_eq!(waits(&mut pace, peer, 180, start + Duration::from_secs(2)), None);
        assert!(waits(&mut pace, peer, 20, start + Duration::from_secs(2)).is_some());
    }

    #[test]
    fn who_keeps_to_his_share_does_not_wait_for_who_does_not() {
        let (start, flooder, modest) = (Instant::now(), PeerId::random(), PeerId::random());
        let mut pace = Pace::new(100, 0);
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            waits(&mut pace, flooder, 10_000, now);
            assert_eq!(waits(&mut pace, modest, 40, now), None);
        }
        assert!(waits(&mut pace, flooder, 1, start + Duration::from_secs(60)).is_some());
    }

    #[test]
    fn bytes_count_too() {
        let (start, peer) = (Instant::now(), PeerId::random());
        let mut pace = Pace::new(0, 1000);
        assert_eq!(pace.spend(peer, 4999, start), None);
        assert_eq!(pace.spend(peer, 501, start).map(|wait| wait.as_millis()), Some(500));
    }

    #[test]
    fn zero_has_no_bound_and_keeps_nothing() {
        let (start, peer) = (Instant::now(), PeerId::random());
        let mut pace = Pace::new(0, 0);
        assert_eq!(waits(&mut pace, peer, 100_000, start), None);
        assert!(pace.peers.is_empty());
    }
}
