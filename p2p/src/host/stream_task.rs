// p2p/src/host/stream_task.rs - the task of one stream: waits for it to open, then reads by credit and writes its queue.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::future::{select, try_join, Either};
use futures::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use futures::FutureExt;
use libp2p::swarm::Stream;
use libp2p::PeerId;

use super::event::{Event, StreamEnd};
use super::raw_stream::{OpenFailure, Opening};
use super::shared::Shared;
use super::stream_state::{NextRead, NextWrite, StreamGuard, StreamState};

const READ_BYTES: usize = 16 * 1024;

/// Whose stream it is, for the event that announces it.
pub(crate) struct Opened {
    pub(crate) peer: PeerId,
    pub(crate) protocol: String,
}

/// Runs a stream of ours from the request to its end.
pub(crate) fn spawn_outbound(guard: StreamGuard, opened: Opened, opening: Opening, timeout: Duration) {
    let (shared, state, id) = (guard.shared().clone(), guard.state.clone(), guard.id);
    state.bind(opening.connection);
    spawn(guard, async move {
        let stream = match tokio::time::timeout(timeout, opening.answer).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(_)) => return Err((StreamEnd::Reset, "the connection went away".into())),
            Err(_) => return Err((StreamEnd::TimedOut, "the peer did not answer in time".into())),
        };
        let Opened { peer, protocol } = opened;
        shared.emit(&Event::StreamOpen { id, peer, protocol });
        transfer(&shared, &state, id, stream).await
    });
}

/// Runs a stream that a peer has opened.
pub(crate) fn spawn_inbound(guard: StreamGuard, opened: Opened, stream: Stream) {
    let (shared, state, id) = (guard.shared().clone(), guard.state.clone(), guard.id);
    let Opened { peer, protocol } = opened;
    shared.emit(&Event::StreamIn { id, peer, protocol });
    spawn(guard, async move { transfer(&shared, &state, id, stream).await });
}

/// The guard lives outside of the caught future: its event is sent whatever happens in there.
fn spawn(mut guard: StreamGuard, work: impl Future<Output = Result<(), OpenFailure>> + Send + 'static) {
    tokio::spawn(async move {
        let state = guard.state.clone();
        let cancelled = std::pin::pin!(state.cancel_signal.notified());
        let work = Box::pin(AssertUnwindSafe(work).catch_unwind());
        match select(cancelled, work).await {
            Either::Left(_) => guard.end_as(StreamEnd::Cancelled, "reset by us"),
            Either::Right((Ok(Ok(())), _)) => guard.end_as(StreamEnd::Clean, ""),
            Either::Right((Ok(Err((end, reason))), _)) => guard.end_as(end, reason),
            Either::Right((Err(_), _)) => {
                let note = guard.shared().note_panic();
                guard.end_as(StreamEnd::Panicked, note);
            }
        }
    });
}

/// Both directions until both are finished, or one fails.
async fn transfer(shared: &Shared, state: &StreamState, id: u64, stream: Stream) -> Result<(), OpenFailure> {
    let (reader, writer) = stream.split();
    try_join(read(shared, state, id, reader), write(shared, state, id, writer)).await?;
    Ok(())
}

async fn read(shared: &Shared, state: &StreamState, id: u64, mut reader: ReadHalf<Stream>) -> Result<(), OpenFailure> {
    let mut buffer = Vec::new();
    loop {
        let credit = match state.next_read() {
            NextRead::UpTo(credit) => credit,
            NextRead::Gone => return Err(gone()),
            NextRead::Wait => {
                state.read_signal.notified().await;
                continue;
            }
        };
        // Streams without credit, which are most of the waiting ones, cost no buffer.
        buffer.resize(READ_BYTES, 0);
        let room = usize::try_from(credit).unwrap_or(READ_BYTES).min(READ_BYTES);
        let got = reader.read(&mut buffer[..room]).await.map_err(reset)?;
        if got == 0 {
            shared.emit(&Event::StreamEof { id });
            return Ok(());
        }
        state.spend(got as u64);
        shared.emit(&Event::StreamData { id, data: buffer[..got].to_vec() });
    }
}

async fn write(
    shared: &Shared,
    state: &StreamState,
    id: u64,
    mut writer: WriteHalf<Stream>,
) -> Result<(), OpenFailure> {
    loop {
        #[cfg(feature = "test-hooks")]
        if state.wants_panic() {
            std::panic::panic_any("test panic in a stream");
        }
        match state.next_write() {
            NextWrite::Chunk { bytes, announce } => {
                if announce {
                    shared.emit(&Event::StreamWritable { id });
                }
                writer.write_all(&bytes).await.map_err(reset)?;
                if state.is_drained() {
                    writer.flush().await.map_err(reset)?;
                }
            }
            NextWrite::Finish => return writer.close().await.map_err(reset),
            NextWrite::Gone => return Err(gone()),
            NextWrite::Wait => state.write_signal.notified().await,
        }
    }
}

fn gone() -> OpenFailure {
    (StreamEnd::Reset, "the connection went away".into())
}

fn reset(error: std::io::Error) -> OpenFailure {
    (StreamEnd::Reset, error.to_string())
}
