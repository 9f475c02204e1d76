// p2p/src/host/pace.rs - how fast gossip may come in; what is faster waits in the sockets of those who send it.
//!
//! gossipsub remembers each message id for two minutes and keeps the bytes of each message for six heartbeats: only a
//! rate bounds that memory. Whoever floods is held back by TCP; connections are served in turn, so that others are not.

use std::time::{Duration, Instant};

/// Seconds of the rate that may come at once.
const BURST: f64 = 5.0;

/// Two buckets: of messages and of their bytes. A rate of 0 has no bound.
pub(crate) struct Pace {
    messages: Bucket,
    bytes: Bucket,
}

struct Bucket {
    rate: f64,
    /// Below 0: so much was taken beforehand.
    left: f64,
    at: Instant,
}

impl Pace {
    pub(crate) fn new(messages: u32, bytes: u64, now: Instant) -> Self {
        let bucket = |rate: f64| Bucket { rate, left: rate * BURST, at: now };
        Self { messages: bucket(f64::from(messages)), bytes: bucket(bytes as f64) }
    }

    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        self.messages.spend(1.0, now);
        self.bytes.spend(bytes as f64, now);
    }

    /// How long nothing more is to be taken; None when something may.
    pub(crate) fn pause(&self, now: Instant) -> Option<Duration> {
        let wait = self.messages.debt(now).max(self.bytes.debt(now));
        (wait > 0.0).then(|| Duration::from_secs_f64(wait))
    }
}

impl Bucket {
    fn spend(&mut self, amount: f64, now: Instant) {
        self.left = self.left_at(now) - amount;
        self.at = now;
    }

    fn left_at(&self, now: Instant) -> f64 {
        let grown = now.saturating_duration_since(self.at).as_secs_f64() * self.rate;
        (self.left + grown).min(self.rate * BURST)
    }

    /// Seconds until what was taken beforehand has been paid.
    fn debt(&self, now: Instant) -> f64 {
        let left = self.left_at(now);
        if self.rate > 0.0 && left < 0.0 {
            return -left / self.rate;
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut pace = Pace::new(100, 0, start);
        for _ in 0..500 {
            pace.spend(10, start);
            assert_eq!(pace.pause(start), None);
        }
        pace.spend(10, start);
        assert_eq!(pace.pause(start), Some(Duration::from_millis(10)));
        let later = start + Duration::from_secs(2);
        for _ in 0..199 {
            pace.spend(10, later);
        }
        assert_eq!(pace.pause(later), None);
        pace.spend(10, later);
        assert!(pace.pause(later).is_some());
    }

    #[test]
    fn bytes_count_too() {
        let start = Instant::now();
        let mut pace = Pace::new(0, 1000, start);
        pace.spend(5000, start);
        assert_eq!(pace.pause(start), None);
        pace.spend(500, start);
        assert_eq!(pace.pause(start), Some(Duration::from_millis(500)));
        assert_eq!(pace.pause(start + Duration::from_millis(400)), Some(Duration::from_millis(100)));
    }

    #[test]
    fn zero_has_no_bound() {
        let start = Instant::now();
        let mut pace = Pace::new(0, 0, start);
        for _ in 0..100_000 {
            pace.spend(1_000_000, start);
        }
        assert_eq!(pace.pause(start), None);
    }
}
