// p2p/tests/mplex.rs - our mplex and that of rust-libp2p: they understand each other, and who is not read from waits.

mod support;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse};
use libp2p::core::upgrade::Version;
use libp2p::core::Endpoint;
use libp2p::identity::Keypair;
use libp2p::{noise, tcp, Transport};
use noroshi_p2p::host::Event;
use support::{Node, ECHO};

const PLENTY: u64 = 1 << 30;
const MIB: usize = 1024 * 1024;

/// A connection of rust-libp2p's mplex, with frames as large as there are.
async fn dial(node: &Node, address: &str) -> StreamMuxerBox {
    let mut config = libp2p_mplex::Config::new();
    config.set_split_send_size(MIB);
    let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(&Keypair::generate_secp256k1()).unwrap())
        .multiplex(config);
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let (peer, muxer) = transport.dial(address.parse().unwrap(), options).unwrap().await.unwrap();
    assert_eq!(peer, node.host.peer_id());
    StreamMuxerBox::new(muxer)
}

async fn open(muxer: &mut StreamMuxerBox) -> SubstreamBox {
    let mut stream = poll_fn(|cx| Pin::new(&mut *muxer).poll_outbound(cx)).await.unwrap();
    let mut hello = b"\x13/multistream/1.0.0\n".to_vec();
    hello.push(ECHO.len() as u8 + 1);
    hello.extend_from_slice(ECHO.as_bytes());
    hello.push(b'\n');
    stream.write_all(&hello).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = vec![0; hello.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, hello);
    stream
}

fn plain(address: &str) -> String {
    address.split("/p2p/").next().unwrap().into()
}

fn wait_in(node: &Node) -> u64 {
    node.wait("STREAM_IN", |event| match event {
        Event::StreamIn { id, protocol, .. } if protocol == ECHO => Some(*id),
        _ => None,
    })
}

/// All bytes of a stream up to its end.
fn read_all(node: &Node, stream: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let next = node.wait("STREAM_DATA", |event| match event {
            Event::StreamData { id, data } if *id == stream => Some(data.clone()),
            Event::StreamEof { id } if *id == stream => Some(Vec::new()),
            _ => None,
        });
        if next.is_empty() {
            return bytes;
        }
        bytes.extend(next);
    }
}

fn sample(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n * 7 % 253) as u8).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn large_requests_and_answers_cross_between_the_two_implementations() {
    let node = Node::start();
    node.host.accept_protocol(ECHO, 8).unwrap();
    let address = plain(&node.listen());
    runtime().block_on(async {
        let mut muxer = dial(&node, &address).await;
        for round in 1..4 {
            let sent = sample(round * 400_000);
            let mut stream = open(&mut muxer).await;
            let theirs = wait_in(&node);
            node.host.credit_stream(theirs, PLENTY).unwrap();
            stream.write_all(&sent).await.unwrap();
            stream.close().await.unwrap();
            assert!(read_all(&node, theirs) == sent, "round {round}");
            node.host.write_stream(theirs, &sent[..200_000]).unwrap();
            node.host.finish_stream(theirs).unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).await.unwrap();
            assert!(got == sent[..200_000], "round {round}");
        }
    });
}

#[test]
fn who_is_not_read_from_waits_and_loses_nothing() {
    let node = Node::start();
    node.host.accept_protocol(ECHO, 8).unwrap();
    let address = plain(&node.listen());
    let runtime = runtime();
    let (sent, written) = (sample(64 * MIB), Arc::<AtomicUsize>::default());
    let (mut stream, theirs) = runtime.block_on(async {
        let mut muxer = dial(&node, &address).await;
        let stream = open(&mut muxer).await;
        (stream, wait_in(&node))
    });
    let (data, count) = (sent.clone(), written.clone());
    let writer = runtime.spawn(async move {
        for part in data.chunks(MIB) {
            stream.write_all(part).await.unwrap();
            count.fetch_add(part.len(), Ordering::Relaxed);
        }
        stream.close().await.unwrap();
        stream
    });
    runtime.block_on(async { tokio::time::sleep(Duration::from_secs(1)).await });
    let unread = written.load(Ordering::Relaxed);
    assert!(unread < 32 * MIB, "{unread} bytes are somewhere, and nobody has read one");

    // Others are not held up by it.
    runtime.block_on(async {
        let mut muxer = dial(&node, &address).await;
        let mut stream = open(&mut muxer).await;
        let other = wait_in(&node);
        node.host.credit_stream(other, PLENTY).unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.close().await.unwrap();
        assert_eq!(read_all(&node, other), b"hello");
    });

    node.host.credit_stream(theirs, PLENTY).unwrap();
    let reading = std::thread::scope(|scope| {
        let reading = scope.spawn(|| read_all(&node, theirs));
        // Held until all is read: with it the socket would be closed.
        let _stream = runtime.block_on(writer).unwrap();
        reading.join().unwrap()
    });
    assert!(reading == sent);
}
