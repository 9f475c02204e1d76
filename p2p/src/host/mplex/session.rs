// p2p/src/host/mplex/session.rs - the streams of one mplex connection: bytes in, bytes out, no I/O.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
use std::task::{Context, Poll, Waker};

use super::frames::{put_frame, Head, HeadReader, Id, Kind};

/// Bytes that wait in the streams of a connection until they are read; none more are taken from it meanwhile.
pub(super) const MAX_UNREAD: usize = 64 * 1024;
/// Bytes that wait to be sent before writers have to.
const MAX_UNSENT: usize = 64 * 1024;
/// And what may come on top of it: short frames about streams that were refused or dropped.
const MAX_UNSENT_NOTES: usize = 64 * 1024;
const MAX_FRAME_SENT: usize = 16 * 1024;

#[derive(Default)]
struct State {
    unread: VecDeque<u8>,
    /// The peer sends no more.
    ended: bool,
    /// We send no more.
    finished: bool,
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The bytes of a frame that are still to come, and for whom.
struct Body {
    stream: Option<Id>,
    left: usize,
}

pub(super) struct Session {
    max_streams: usize,
    heads: HeadReader,
    body: Option<Body>,
    streams: HashMap<Id, State>,
    opened: VecDeque<Id>,
    next: u64,
    unread: usize,
    /// Reading has stopped because there was no room.
    full: bool,
    unsent: Vec<u8>,
    sent: usize,
    failed: Option<io::ErrorKind>,
    opener: Option<Waker>,
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl State {
    fn wake(&mut self) {
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

impl Session {
    pub(super) fn new(max_streams: usize) -> Self {
        Self {
            max_streams,
            heads: HeadReader::default(),
            body: None,
            streams: HashMap::new(),
            opened: VecDeque::new(),
            next: 0,
            unread: 0,
            full: false,
            unsent: Vec::new(),
            sent: 0,
            failed: None,
            opener: None,
        }
    }

    /// How many bytes `take_in` may be given. When there is none, `has_work` says when to ask again.
    pub(super) fn room(&mut self) -> usize {
        self.full = self.unread >= MAX_UNREAD;
        MAX_UNREAD - self.unread
    }

    /// Bytes of the connection; an error ends it.
    pub(super) fn take_in(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((&first, rest)) = bytes.split_first() {
            if let Some(body) = &mut self.body {
                let (now, later) = bytes.split_at(body.left.min(bytes.len()));
                body.left -= now.len();
                let stream = body.stream;
                if body.left == 0 {
                    self.body = None;
                }
                self.keep(stream, now);
                bytes = later;
            } else {
                bytes = rest;
                if let Some(head) = self.heads.put(first)? {
                    self.begin(head)?;
                }
            }
        }
        Ok(())
    }

    /// What comes for a stream that is not there, or has ended, is passed over: it may have been sent before our Reset came.
    fn keep(&mut self, stream: Option<Id>, bytes: &[u8]) {
        let Some(state) = stream.and_then(|id| self.streams.get_mut(&id)) else { return };
        if !state.ended && !state.reset {
            state.unread.extend(bytes);
            self.unread += bytes.len();
            wake(&mut state.reader);
        }
    }

    fn begin(&mut self, head: Head) -> io::Result<()> {
        let stream = (head.kind == Kind::Data).then_some(head.id);
        if head.length > 0 {
            self.body = Some(Body { stream, left: head.length });
        }
        match head.kind {
            Kind::Data => {}
            Kind::Open => self.begin_stream(head.id)?,
            Kind::Close => {
                if let Some(state) = self.streams.get_mut(&head.id) {
                    state.ended = true;
                    wake(&mut state.reader);
                }
            }
            Kind::Reset => {
                if let Some(state) = self.streams.get_mut(&head.id) {
                    state.reset = true;
                    state.wake();
                }
            }
        }
        Ok(())
    }

    fn begin_stream(&mut self, id: Id) -> io::Result<()> {
        if self.streams.contains_key(&id) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "mplex: a stream is opened twice"));
        }
        if self.streams.len() >= self.max_streams {
            return self.note(id, Kind::Reset);
        }
        self.streams.insert(id, State::default());
        self.opened.push_back(id);
        Ok(())
    }

    /// A peer that causes them and reads none loses its connection.
    fn note(&mut self, id: Id, kind: Kind) -> io::Result<()> {
        if self.to_send().len() > MAX_UNSENT + MAX_UNSENT_NOTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "mplex: the peer does not read"));
        }
        put_frame(id, kind, &[], &mut self.unsent);
        Ok(())
    }

    /// A stream that the peer has opened.
    pub(super) fn accept(&mut self) -> Option<Id> {
        self.opened.pop_front()
    }

    /// A new stream; None when there are too many.
    pub(super) fn open(&mut self, cx: &Context<'_>) -> Option<Id> {
        if self.streams.len() >= self.max_streams {
            self.opener = Some(cx.waker().clone());
            return None;
        }
        let id = Id { number: self.next, ours: true };
        self.next += 1;
        self.streams.insert(id, State::default());
        put_frame(id, Kind::Open, &[], &mut self.unsent);
        Some(id)
    }

    pub(super) fn to_send(&self) -> &[u8] {
        &self.unsent[self.sent..]
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent == self.unsent.len() {
            self.unsent = Vec::new();
            self.sent = 0;
        } else if self.sent > MAX_UNSENT {
            self.unsent.drain(..std::mem::take(&mut self.sent));
        }
        if self.to_send().len() < MAX_UNSENT {
            self.streams.values_mut().for_each(|state| wake(&mut state.writer));
        }
    }

    /// Whether the connection has to be polled: there is something to send, or room again.
    pub(super) fn has_work(&self) -> bool {
        !self.to_send().is_empty() || (self.full && self.unread <= MAX_UNREAD / 2)
    }

    /// The connection has ended: so have all streams.
    pub(super) fn fail(&mut self, kind: io::ErrorKind) {
        self.failed.get_or_insert(kind);
        self.streams.values_mut().for_each(State::wake);
    }

    pub(super) fn read(&mut self, id: Id, buffer: &mut [u8], cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let Some(state) = self.streams.get_mut(&id) else { return Poll::Ready(Ok(0)) };
        if !state.unread.is_empty() {
            let got = state.unread.read(buffer)?;
            self.unread -= got;
            if state.unread.is_empty() {
                state.unread = VecDeque::new();
            }
            return Poll::Ready(Ok(got));
        }
        if state.ended {
            return Poll::Ready(Ok(0));
        }
        if state.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if let Some(kind) = self.failed {
            return Poll::Ready(Err(kind.into()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn write(&mut self, id: Id, buffer: &[u8], cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let waiting = self.to_send().len();
        let Some(state) = self.streams.get_mut(&id) else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        if state.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if let Some(kind) = self.failed {
            return Poll::Ready(Err(kind.into()));
        }
        if waiting >= MAX_UNSENT {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let now = &buffer[..buffer.len().min(MAX_FRAME_SENT)];
        put_frame(id, Kind::Data, now, &mut self.unsent);
        Poll::Ready(Ok(now.len()))
    }

    /// Of the whole connection.
    pub(super) fn flush(&mut self, id: Id, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.to_send().is_empty() {
            return Poll::Ready(Ok(()));
        }
        if let Some(kind) = self.failed {
            return Poll::Ready(Err(kind.into()));
        }
        if let Some(state) = self.streams.get_mut(&id) {
            state.writer = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Half-close, then flush.
    pub(super) fn finish(&mut self, id: Id, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let Some(state) = self.streams.get_mut(&id) else { return Poll::Ready(Ok(())) };
        if !std::mem::replace(&mut state.finished, true) && !state.reset {
            self.note(id, Kind::Close)?;
        }
        self.flush(id, cx)
    }

    /// Nobody here holds the stream any more.
    pub(super) fn forget(&mut self, id: Id) {
        let Some(state) = self.streams.remove(&id) else { return };
        self.unread -= state.unread.len();
        if !state.reset && !state.finished && self.failed.is_none() {
            let kind = if state.ended { Kind::Close } else { Kind::Reset };
            // Too many of them: the connection is about to end.
            let _ = self.note(id, kind);
        }
        wake(&mut self.opener);
    }
}
