// p2p/timer/src/lib.rs - futures-timer's Delay over the timer of the tokio runtime that it is made in.
//!
//! gossipsub makes a Delay for each message that it passes on. The crate of that name wakes a thread of its own each
//! time, which cost more than the message; in tokio a timer that is dropped unasked costs an allocation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// Ready after its time. To be made, polled and reset within a tokio runtime that has its timer on; panics elsewhere.
pub struct Delay(Pin<Box<Sleep>>);

impl Delay {
    /// Begins now.
    pub fn new(duration: Duration) -> Self {
        Self(Box::pin(tokio::time::sleep(duration)))
    }

    /// Starts anew from now.
    pub fn reset(&mut self, duration: Duration) {
        // Times beyond what a clock can say are as good as never.
        const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
        let now = Instant::now();
        let deadline = now.checked_add(duration).unwrap_or_else(|| now + NEVER);
        self.0.as_mut().reset(deadline.into());
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Delay").finish()
    }
}
