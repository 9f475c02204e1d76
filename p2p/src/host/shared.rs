// p2p/src/host/shared.rs - what the callers' threads and the network thread both hold of a host.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use libp2p::swarm::StreamProtocol;
use tokio::sync::Notify;

use super::command::Refusal;
use super::counters::Totals;
use super::event::{Event, Judge, Sink};
use super::gate::Gates;
use super::stream_state::StreamTable;
use super::{panics, MAX_COMMAND_BYTES, MAX_PROTOCOLS};

pub(crate) struct Shared {
    sink: Sink,
    pub(crate) judge: OnceLock<Judge>,
    stopped: AtomicBool,
    stop: Mutex<Option<Stop>>,
    stop_signal: Notify,
    queued_bytes: AtomicUsize,
    discovering: Arc<AtomicBool>,
    pub(crate) streams: StreamTable,
    pub(crate) protocols: Arc<Protocols>,
    pub(crate) totals: Arc<Totals>,
    pub(crate) gates: Arc<Gates>,
}

/// Why the main loop is to end.
#[derive(Clone)]
pub(crate) enum Stop {
    Requested,
    /// A panic in a task that the swarm depends on.
    Panicked(String),
}

impl Shared {
    pub(crate) fn new(sink: Sink) -> Self {
        Self {
            sink,
            judge: OnceLock::new(),
            stopped: AtomicBool::new(false),
            stop: Mutex::new(None),
            stop_signal: Notify::new(),
            queued_bytes: AtomicUsize::new(0),
            discovering: Arc::default(),
            streams: StreamTable::default(),
            protocols: Arc::default(),
            totals: Arc::default(),
            gates: Arc::default(),
        }
    }

    /// Gives an event to the caller. Network thread only, and never while one of our locks is held. After `Stopped`
    /// nothing goes out any more.
    pub(crate) fn emit(&self, event: &Event) {
        if !self.is_stopped() {
            (self.sink)(event);
        }
    }

    /// Sends the last event.
    pub(crate) fn emit_stopped(&self, panicked: bool, reason: String) {
        if !self.stopped.swap(true, Ordering::AcqRel) {
            (self.sink)(&Event::Stopped { panicked, reason });
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Asks the main loop to end; the first reason counts.
    pub(crate) fn stop(&self, why: Stop) {
        lock(&self.stop).get_or_insert(why);
        self.stop_signal.notify_one();
    }

    pub(crate) fn stop_reason(&self) -> Option<Stop> {
        lock(&self.stop).clone()
    }

    pub(crate) fn stop_signal(&self) -> &Notify {
        &self.stop_signal
    }

    /// Counts a contained panic and tells what is known of it.
    pub(crate) fn note_panic(&self) -> String {
        self.totals.panics.fetch_add(1, Ordering::Relaxed);
        panics::take_note()
    }

    /// None while somebody has it.
    pub(crate) fn lease_discovery(&self) -> Option<Lease> {
        (!self.discovering.swap(true, Ordering::AcqRel)).then(|| Lease(self.discovering.clone()))
    }

    /// A copy of `data` that counts against MAX_COMMAND_BYTES while it lives; None when that is used up.
    pub(crate) fn reserve(self: &Arc<Self>, data: &[u8]) -> Option<Reserved> {
        let within = |used: usize| used.checked_add(data.len()).filter(|sum| *sum <= MAX_COMMAND_BYTES);
        self.queued_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, within).ok()?;
        Some(Reserved { data: data.to_vec(), counted: data.len(), shared: self.clone() })
    }
}

/// The right to be the host's one discovery; given back when it is dropped.
pub(crate) struct Lease(Arc<AtomicBool>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Bytes on their way to the network thread.
pub(crate) struct Reserved {
    data: Vec<u8>,
    counted: usize,
    shared: Arc<Shared>,
}

impl Reserved {
    pub(crate) fn take(mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.shared.queued_bytes.fetch_sub(self.counted, Ordering::AcqRel);
    }
}

/// The protocols whose inbound streams are accepted, and how many of each are open.
#[derive(Default)]
pub(crate) struct Protocols {
    list: Mutex<HashMap<StreamProtocol, Quota>>,
}

struct Quota {
    max: usize,
    used: Arc<AtomicUsize>,
}

impl Protocols {
    pub(crate) fn accept(&self, protocol: StreamProtocol, max_concurrent: u32) -> Result<(), Refusal> {
        let mut list = lock(&self.list);
        if list.contains_key(&protocol) {
            return Err(Refusal::Exists);
        }
        if list.len() >= MAX_PROTOCOLS {
            return Err(Refusal::TooLarge);
        }
        list.insert(protocol, Quota { max: max_concurrent as usize, used: Arc::default() });
        Ok(())
    }

    pub(crate) fn forget(&self, protocol: &str) {
        lock(&self.list).retain(|known, _| known.as_ref() != protocol);
    }

    pub(crate) fn names(&self) -> Vec<StreamProtocol> {
        lock(&self.list).keys().cloned().collect()
    }

    /// Room for one more inbound stream; given back when the slot is dropped.
    pub(crate) fn take_slot(&self, protocol: &StreamProtocol) -> Option<Slot> {
        let list = lock(&self.list);
        let quota = list.get(protocol)?;
        if quota.used.load(Ordering::Acquire) >= quota.max {
            return None;
        }
        quota.used.fetch_add(1, Ordering::AcqRel);
        Some(Slot(quota.used.clone()))
    }
}

pub(crate) struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Locks even when a panic was contained while the lock was held: all that is kept under it is whole at every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
