// p2p/src/host/stream_state.rs - what callers and the task of a stream share: queue of writes, credit, and its end.

use std::collections::{hash_map::Entry, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use libp2p::swarm::ConnectionId;
use tokio::sync::Notify;

use super::command::Refusal;
use super::event::{Event, StreamEnd};
use super::shared::{lock, Shared, Slot};
use super::{FIRST_INBOUND_STREAM, MAX_STREAMS};

/// Writes waiting in one stream.
pub const MAX_STREAM_QUEUE: usize = 16;
/// Written bytes waiting in one stream; one write is at most that.
pub const MAX_STREAM_BYTES: usize = 2 * 1024 * 1024;

/// All streams of a host by id.
#[derive(Default)]
pub(crate) struct StreamTable {
    map: Mutex<Streams>,
}

#[derive(Default)]
struct Streams {
    by_id: HashMap<u64, Arc<StreamState>>,
    inbound_made: u64,
}

impl StreamTable {
    pub(crate) fn find(&self, id: u64) -> Result<Arc<StreamState>, Refusal> {
        lock(&self.map).by_id.get(&id).cloned().ok_or(Refusal::NotFound)
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.map).by_id.len()
    }

    /// Wakes the streams of a connection that is gone, so that none waits for ever.
    pub(crate) fn connection_gone(&self, connection: ConnectionId) {
        let all: Vec<_> = lock(&self.map).by_id.values().cloned().collect();
        for state in all {
            state.connection_gone(connection);
        }
    }
}

/// One stream.
#[derive(Default)]
pub(crate) struct StreamState {
    inner: Mutex<Inner>,
    pub(crate) read_signal: Notify,
    pub(crate) write_signal: Notify,
    pub(crate) cancel_signal: Notify,
}

#[derive(Default)]
struct Inner {
    connection: Option<ConnectionId>,
    queue: VecDeque<Vec<u8>>,
    queued_bytes: usize,
    credit: u64,
    finished: bool,
    gone: bool,
    /// A write was refused and the caller waits for WRITABLE.
    refused: bool,
    #[cfg(feature = "test-hooks")]
    panic: bool,
}

/// What the writer is to do next.
pub(crate) enum NextWrite {
    /// `announce`: tell the caller that there is room again.
    Chunk {
        bytes: Vec<u8>,
        announce: bool,
    },
    Finish,
    Gone,
    Wait,
}

/// What the reader may do next.
pub(crate) enum NextRead {
    UpTo(u64),
    Gone,
    Wait,
}

impl StreamState {
    pub(crate) fn write(&self, data: &[u8]) -> Result<(), Refusal> {
        if data.is_empty() {
            return Err(Refusal::Invalid);
        }
        if data.len() > MAX_STREAM_BYTES {
            return Err(Refusal::TooLarge);
        }
        {
            let mut inner = lock(&self.inner);
            if inner.finished {
                return Err(Refusal::Stopped);
            }
            if inner.queue.len() >= MAX_STREAM_QUEUE || inner.queued_bytes + data.len() > MAX_STREAM_BYTES {
                inner.refused = true;
                return Err(Refusal::Busy);
            }
            inner.queued_bytes += data.len();
            inner.queue.push_back(data.to_vec());
        }
        self.write_signal.notify_one();
        Ok(())
    }

    pub(crate) fn grant(&self, bytes: u64) {
        {
            let mut inner = lock(&self.inner);
            inner.credit = inner.credit.saturating_add(bytes);
        }
        self.read_signal.notify_one();
    }

    pub(crate) fn finish(&self) {
        lock(&self.inner).finished = true;
        self.write_signal.notify_one();
    }

    pub(crate) fn cancel(&self) {
        self.cancel_signal.notify_one();
    }

    pub(crate) fn bind(&self, connection: ConnectionId) {
        lock(&self.inner).connection = Some(connection);
    }

    fn connection_gone(&self, connection: ConnectionId) {
        {
            let mut inner = lock(&self.inner);
            if inner.connection != Some(connection) {
                return;
            }
            inner.gone = true;
        }
        self.read_signal.notify_one();
        self.write_signal.notify_one();
    }

    pub(crate) fn next_write(&self) -> NextWrite {
        let mut inner = lock(&self.inner);
        if inner.gone {
            return NextWrite::Gone;
        }
        match inner.queue.pop_front() {
            Some(bytes) => {
                inner.queued_bytes -= bytes.len();
                NextWrite::Chunk { bytes, announce: std::mem::take(&mut inner.refused) }
            }
            None if inner.finished => NextWrite::Finish,
            None => NextWrite::Wait,
        }
    }

    /// True when nothing waits to be written: the time to flush.
    pub(crate) fn is_drained(&self) -> bool {
        lock(&self.inner).queue.is_empty()
    }

    pub(crate) fn next_read(&self) -> NextRead {
        let inner = lock(&self.inner);
        match inner.credit {
            0 if inner.gone => NextRead::Gone,
            0 => NextRead::Wait,
            credit => NextRead::UpTo(credit),
        }
    }

    pub(crate) fn spend(&self, bytes: u64) {
        let mut inner = lock(&self.inner);
        inner.credit = inner.credit.saturating_sub(bytes);
    }

    #[cfg(feature = "test-hooks")]
    pub(crate) fn test_panic(&self) {
        lock(&self.inner).panic = true;
        self.write_signal.notify_one();
    }

    #[cfg(feature = "test-hooks")]
    pub(crate) fn wants_panic(&self) -> bool {
        lock(&self.inner).panic
    }
}

/// Owns a stream's place in the table. However it goes (return, panic, host stopped), dropping it frees the id and tells
/// the caller of the end, once.
pub(crate) struct StreamGuard {
    shared: Arc<Shared>,
    pub(crate) id: u64,
    pub(crate) state: Arc<StreamState>,
    end: (StreamEnd, String),
    silent: bool,
    _slot: Option<Slot>,
}

impl StreamGuard {
    /// A stream of ours. `Exists` and `TooLarge` (MAX_STREAMS) leave no trace.
    pub(crate) fn create(shared: &Arc<Shared>, id: u64) -> Result<Self, Refusal> {
        let mut map = lock(&shared.streams.map);
        if map.by_id.len() >= MAX_STREAMS {
            return Err(Refusal::TooLarge);
        }
        let state = match map.by_id.entry(id) {
            Entry::Occupied(_) => return Err(Refusal::Exists),
            Entry::Vacant(entry) => entry.insert(Arc::default()).clone(),
        };
        drop(map);
        Ok(Self::new(shared, id, state, None))
    }

    /// A stream of a peer; None when there is no room.
    pub(crate) fn create_inbound(shared: &Arc<Shared>, slot: Slot) -> Option<Self> {
        let mut map = lock(&shared.streams.map);
        if map.by_id.len() >= MAX_STREAMS {
            return None;
        }
        let id = FIRST_INBOUND_STREAM + map.inbound_made;
        map.inbound_made += 1;
        let state: Arc<StreamState> = Arc::default();
        map.by_id.insert(id, state.clone());
        drop(map);
        Some(Self::new(shared, id, state, Some(slot)))
    }

    fn new(shared: &Arc<Shared>, id: u64, state: Arc<StreamState>, slot: Option<Slot>) -> Self {
        let end = (StreamEnd::Cancelled, "the host stops".into());
        Self { shared: shared.clone(), id, state, end, silent: false, _slot: slot }
    }

    /// How the stream will be said to have ended.
    pub(crate) fn end_as(&mut self, end: StreamEnd, reason: impl Into<String>) {
        self.end = (end, reason.into());
    }

    /// Frees the id without an event.
    pub(crate) fn withdraw(mut self) {
        self.silent = true;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        lock(&self.shared.streams.map).by_id.remove(&self.id);
        if !self.silent {
            let (end, reason) = std::mem::replace(&mut self.end, (StreamEnd::Cancelled, String::new()));
            self.shared.emit(&Event::StreamEnd { id: self.id, end, reason });
        }
    }
}
