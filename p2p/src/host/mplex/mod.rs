// p2p/src/host/mplex/mod.rs - mplex (/mplex/6.7.0), the only muxer that js-waku offers: streams over one connection.
//!
//! The protocol has no flow control: a peer may send for a stream as much as it likes. Here a connection is not read from
//! while MAX_UNREAD bytes of it wait in its streams, and TCP tells the peer; memory is bounded without a stream being
//! lost. All reading and writing of the connection is done by `StreamMuxer::poll`, so that it has one waker.

mod frames;
mod session;
#[cfg(test)]
mod tests;

use std::future::{ready, Ready};
use std::io;
use std::iter;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};

use self::frames::Id;
use self::session::Session;
use super::shared::lock;

/// Bytes read from the connection before its streams get a turn.
const TURN: usize = 64 * 1024;
const READ_BYTES: usize = 16 * 1024;

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) max_streams: usize,
}

impl UpgradeInfo for Config {
    type Info = &'static str;
    type InfoIter = iter::Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/mplex/6.7.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> InboundConnectionUpgrade<C> for Config {
    type Output = Mplex<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<Mplex<C>>>;

    fn upgrade_inbound(self, socket: C, _: Self::Info) -> Self::Future {
        ready(Ok(Mplex::new(socket, self.max_streams)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> OutboundConnectionUpgrade<C> for Config {
    type Output = Mplex<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<Mplex<C>>>;

    fn upgrade_outbound(self, socket: C, _: Self::Info) -> Self::Future {
        ready(Ok(Mplex::new(socket, self.max_streams)))
    }
}

pub(crate) struct Mplex<C> {
    connection: Arc<Mutex<Connection<C>>>,
}

struct Connection<C> {
    io: C,
    session: Session,
    /// The task that polls the muxer.
    task: Option<Waker>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Mplex<C> {
    fn new(io: C, max_streams: usize) -> Self {
        Self { connection: Arc::new(Mutex::new(Connection { io, session: Session::new(max_streams), task: None })) }
    }

    fn stream(&self, id: Id) -> Stream<C> {
        Stream { id, connection: self.connection.clone() }
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> Connection<C> {
    /// Sends what waits and reads what there is room for; an error ends the connection.
    fn drive(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.send(cx)?;
        let mut turn = TURN;
        let mut buffer = [0; READ_BYTES];
        while turn > 0 {
            let room = self.session.room().min(turn).min(READ_BYTES);
            if room == 0 {
                return self.send(cx);
            }
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer[..room]) {
                Poll::Pending => return self.send(cx),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Poll::Ready(Ok(got)) => {
                    self.session.take_in(&buffer[..got])?;
                    turn -= got;
                }
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        cx.waker().wake_by_ref();
        self.send(cx)
    }

    fn send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.session.to_send().is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, self.session.to_send()) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(sent)) => self.session.sent(sent),
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Wakes the task when a call on a stream has left it something to do.
    fn nudge(&mut self) {
        if self.session.has_work() {
            if let Some(task) = &self.task {
                task.wake_by_ref();
            }
        }
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Mplex<C> {
    type Substream = Stream<C>;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        let mut connection = lock(&self.connection);
        connection.task = Some(cx.waker().clone());
        match connection.session.accept() {
            Some(id) => Poll::Ready(Ok(self.stream(id))),
            None => Poll::Pending,
        }
    }

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        match lock(&self.connection).session.open(cx) {
            Some(id) => {
                cx.waker().wake_by_ref();
                Poll::Ready(Ok(self.stream(id)))
            }
            None => Poll::Pending,
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        let mut connection = lock(&self.connection);
        connection.task = Some(cx.waker().clone());
        match connection.drive(cx) {
            Ok(()) => Poll::Pending,
            Err(error) => {
                connection.session.fail(error.kind());
                Poll::Ready(Err(error))
            }
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut connection = lock(&self.connection);
        connection.session.fail(io::ErrorKind::NotConnected);
        connection.send(cx)?;
        if !connection.session.to_send().is_empty() {
            return Poll::Pending;
        }
        Pin::new(&mut connection.io).poll_close(cx)
    }
}

/// One stream. Dropped unfinished it is reset.
pub(crate) struct Stream<C: AsyncRead + AsyncWrite + Unpin> {
    id: Id,
    connection: Arc<Mutex<Connection<C>>>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Stream<C> {
    fn with<T>(&self, call: impl FnOnce(&mut Session, Id) -> T) -> T {
        let mut connection = lock(&self.connection);
        let result = call(&mut connection.session, self.id);
        connection.nudge();
        result
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<C> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.with(|session, id| session.read(id, buffer, cx))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<C> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|session, id| session.write(id, buffer, cx))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|session, id| session.flush(id, cx))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|session, id| session.finish(id, cx))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> Drop for Stream<C> {
    fn drop(&mut self) {
        self.with(|session, id| session.forget(id));
    }
}
