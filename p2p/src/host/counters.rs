// p2p/src/host/counters.rs - counters of a host, and the wrapper that counts the bytes of each connection.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};

/// A snapshot; each field as in `nrp2p_counters` of the C header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub connections: u64,
    pub peers: u64,
    pub streams: u64,
    pub streams_refused: u64,
    pub messages_received: u64,
    pub messages_published: u64,
    pub commands_refused: u64,
    pub log_lines_dropped: u64,
    pub panics: u64,
    pub discv5_nodes: u64,
    pub discv5_unrecognized: u64,
    pub discv5_unverifiable: u64,
    pub discv5_sessions: u64,
    pub discv5_queries: u64,
}

/// The running totals behind `Counters`.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) bytes_received: AtomicU64,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) streams_refused: AtomicU64,
    pub(crate) messages_received: AtomicU64,
    pub(crate) messages_published: AtomicU64,
    pub(crate) commands_refused: AtomicU64,
    pub(crate) log_lines_dropped: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) discv5_nodes: AtomicU64,
    pub(crate) discv5_unrecognized: AtomicU64,
    pub(crate) discv5_unverifiable: AtomicU64,
    pub(crate) discv5_sessions: AtomicU64,
    pub(crate) discv5_queries: AtomicU64,
}

impl Totals {
    /// The gauges of the swarm stay 0.
    pub(crate) fn snapshot(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            bytes_received: read(&self.bytes_received),
            bytes_sent: read(&self.bytes_sent),
            streams_refused: read(&self.streams_refused),
            messages_received: read(&self.messages_received),
            messages_published: read(&self.messages_published),
            commands_refused: read(&self.commands_refused),
            log_lines_dropped: read(&self.log_lines_dropped),
            panics: read(&self.panics),
            discv5_nodes: read(&self.discv5_nodes),
            discv5_unrecognized: read(&self.discv5_unrecognized),
            discv5_unverifiable: read(&self.discv5_unverifiable),
            discv5_sessions: read(&self.discv5_sessions),
            discv5_queries: read(&self.discv5_queries),
            ..Counters::default()
        }
    }
}

/// A byte stream whose traffic is counted.
pub(crate) struct Counted<S> {
    inner: S,
    totals: Arc<Totals>,
}

impl<S> Counted<S> {
    pub(crate) fn new(inner: S, totals: Arc<Totals>) -> Self {
        Self { inner, totals }
    }
}

fn add(counter: &AtomicU64, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    if let Poll::Ready(Ok(bytes)) = &result {
        counter.fetch_add(*bytes as u64, Ordering::Relaxed);
    }
    result
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        add(&self.totals.bytes_received, result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        add(&self.totals.bytes_sent, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        add(&self.totals.bytes_sent, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
