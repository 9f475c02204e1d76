// p2p/examples/flood.rs - load for a relay node: one peer publishes at a steady rate, another counts what arrives.
//   flood ADDRESS COUNT BYTES TOPIC RATE    prints {"sent":..,"received":..,"seconds":..}; RATE a second, 0: at once

use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use libp2p::gossipsub::MessageAcceptance;
use libp2p::identity::Keypair;
use noroshi_p2p::host::{Config, Event, Host};

const CONTENT_TOPIC: &str = "/noroshi/1/alerts/proto";
/// Messages that may be on their way: more than one peer's send queue holds would be dropped.
const WINDOW: u64 = 100;
/// Without a message for so long, what is missing does not come.
const SILENCE: Duration = Duration::from_secs(5);
/// Meshes stand after a few heartbeats.
const MESH_TIME: Duration = Duration::from_secs(4);

struct Peer {
    host: Host,
    events: Receiver<Event>,
}

fn peer(topic: &str, address: &str) -> Peer {
    let mut config = Config::with_key(Keypair::generate_secp256k1());
    config.heartbeat = Duration::from_millis(500);
    config.ip_colocation_threshold = 0;
    let (sender, events) = channel();
    let host = Host::start(config, Arc::new(move |event| drop(sender.send(event.clone())))).expect("host starts");
    // A node of another cluster, or without the protocol, would be thrown out.
    host.accept_protocol("/vac/waku/metadata/1.0.0", 8).expect("metadata is accepted");
    host.subscribe(topic).expect("subscribe is taken");
    host.dial(1, address).expect("dial is taken");
    Peer { host, events }
}

/// Answers what every peer must, and gives the topic's messages to `on_message`.
fn serve(peer: &Peer, topic: &str, event: Event, on_message: &mut dyn FnMut(&[u8])) {
    match event {
        Event::Message { peer: from, id, data, .. } => {
            on_message(&data);
            let _ = peer.host.verdict(&id, &from.to_string(), MessageAcceptance::Accept);
        }
        Event::StreamIn { id, .. } => {
            let parts: Vec<u8> = topic.rsplit('/').take(2).filter_map(|part| part.parse().ok()).collect();
            let (shard, cluster) = (parts[0], parts[1]);
            let _ = peer.host.write_stream(id, &[5, 8, cluster, 26, 1, shard]);
            let _ = peer.host.finish_stream(id);
        }
        _ => {}
    }
}

fn message(number: u64, bytes: usize) -> Vec<u8> {
    let mut payload = vec![7u8; bytes];
    payload[..8].copy_from_slice(&number.to_be_bytes());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let mut out = vec![0x0a];
    varint(&mut out, bytes as u64);
    out.extend(payload);
    out.push(0x12);
    varint(&mut out, CONTENT_TOPIC.len() as u64);
    out.extend(CONTENT_TOPIC.bytes());
    out.push(0x50);
    varint(&mut out, now << 1);
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Serves both until `end`.
fn serve_until(end: Instant, from: &Peer, to: &Peer, topic: &str, on_message: &mut dyn FnMut(&[u8])) {
    loop {
        while let Ok(event) = from.events.try_recv() {
            if let Event::PublishResult { failure: Some(failure), .. } = event {
                panic!("not published: {failure:?}");
            }
            serve(from, topic, event, &mut |_| {});
        }
        match to.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(event) => serve(to, topic, event, on_message),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => panic!("the host has stopped"),
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, count, bytes, topic, rate] = &arguments[..] else {
        eprintln!("usage: flood ADDRESS COUNT BYTES TOPIC RATE");
        std::process::exit(2);
    };
    let (count, bytes): (u64, usize) = (count.parse().expect("COUNT"), bytes.parse().expect("BYTES"));
    let rate: f64 = rate.parse().expect("RATE");
    let (from, to) = (peer(topic, address), peer(topic, address));
    serve_until(Instant::now() + MESH_TIME, &from, &to, topic, &mut |_| {});
    let begun = Instant::now();
    let (mut sent, mut received, mut last) = (0u64, 0u64, begun);
    while sent < count || (received < count && last.elapsed() < SILENCE) {
        let due = if rate > 0.0 { ((begun.elapsed().as_secs_f64() * rate) as u64).min(count) } else { count };
        while sent < due && sent < received + WINDOW {
            from.host.publish(sent, topic, &message(sent, bytes)).expect("publish is taken");
            sent += 1;
        }
        serve_until(Instant::now() + Duration::from_micros(500), &from, &to, topic, &mut |_| {
            received += 1;
            last = Instant::now();
        });
    }
    let seconds = last.duration_since(begun).as_secs_f64();
    println!("{{\"sent\":{sent},\"received\":{received},\"seconds\":{seconds:.3}}}");
}
