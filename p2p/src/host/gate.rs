// p2p/src/host/gate.rs - holds back what a peer sends: while its gate is closed nothing is read, and TCP tells the peer.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{ready, Context, Poll};
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};
use libp2p::PeerId;
use tokio::time::{Instant, Sleep};

use super::shared::lock;

/// The gates of all connected peers.
pub(crate) struct Gates {
    since: Instant,
    by_peer: Mutex<HashMap<PeerId, Arc<AtomicU64>>>,
}

impl Default for Gates {
    fn default() -> Self {
        Self { since: Instant::now(), by_peer: Mutex::default() }
    }
}

impl Gates {
    pub(crate) fn close(&self, peer: &PeerId, time: Duration) {
        if let Some(until) = lock(&self.by_peer).get(peer) {
            let end = (self.since.elapsed() + time).as_millis();
            until.store(u64::try_from(end).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// The same for all connections of a peer.
    pub(crate) fn put_before(&self, peer: PeerId, muxer: StreamMuxerBox) -> StreamMuxerBox {
        let until = self.of(peer);
        StreamMuxerBox::new(Gated { inner: muxer, gate: Gate { until, since: self.since, sleep: None } })
    }

    /// Forgets those whose connections have ended, also those that were refused after their handshake: they come with a
    /// new name each time.
    fn of(&self, peer: PeerId) -> Arc<AtomicU64> {
        let mut gates = lock(&self.by_peer);
        gates.retain(|_, until| Arc::strong_count(until) > 1);
        gates.entry(peer).or_default().clone()
    }
}

/// One reader's view of a gate.
struct Gate {
    /// Milliseconds after `since`.
    until: Arc<AtomicU64>,
    since: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Gate {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let end = self.since + Duration::from_millis(self.until.load(Ordering::Relaxed));
            if end <= Instant::now() {
                self.sleep = None;
                return Poll::Ready(());
            }
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
            if sleep.deadline() != end {
                sleep.as_mut().reset(end);
            }
            ready!(sleep.as_mut().poll(cx));
        }
    }

    fn copy(&self) -> Self {
        Self { until: self.until.clone(), since: self.since, sleep: None }
    }
}

/// Both the connection and its streams have to wait: what yamux has buffered for a stream would be read all the same.
struct Gated<T> {
    inner: T,
    gate: Gate,
}

impl StreamMuxer for Gated<StreamMuxerBox> {
    type Substream = Gated<SubstreamBox>;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        ready!(self.gate.poll_open(cx));
        let inner = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(Gated { inner, gate: self.gate.copy() }))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        let inner = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(Gated { inner, gate: self.gate.copy() }))
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        ready!(self.gate.poll_open(cx));
        Pin::new(&mut self.inner).poll(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl AsyncRead for Gated<SubstreamBox> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.gate.poll_open(cx));
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Gated<SubstreamBox> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_kept_as_long_as_a_connection_and_no_longer() {
        let (gates, peer) = (Gates::default(), PeerId::random());
        let one = gates.of(peer);
        gates.close(&peer, Duration::from_secs(9));
        let other = gates.of(peer);
        drop(one);
        assert!(other.load(Ordering::Relaxed) >= 9000, "the second connection has the same gate");
        drop(other);
        assert_eq!(gates.of(peer).load(Ordering::Relaxed), 0);
        for _ in 0..1000 {
            gates.of(PeerId::random());
        }
        assert_eq!(lock(&gates.by_peer).len(), 1);
    }
}
