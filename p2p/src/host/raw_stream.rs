// p2p/src/host/raw_stream.rs - behaviour that opens and accepts streams of any protocol and hands them over raw.
//!
//! It never dials, it opens on the oldest connection of a peer, and it gives every inbound stream to the main loop,
//! which knows the limits. What it keeps is bounded by the connections.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::{ready, Ready};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::core::Endpoint;
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, Stream, StreamProtocol, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::event::StreamEnd;
use super::shared::Protocols;

/// Why a stream could not be opened, with the text for the caller.
pub(crate) type OpenFailure = (StreamEnd, String);

/// An inbound stream of one of the accepted protocols.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) protocol: StreamProtocol,
    pub(crate) stream: Stream,
}

pub(crate) struct Behaviour {
    protocols: Arc<Protocols>,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    queue: VecDeque<ToSwarm<Inbound, HandlerCommand>>,
    waker: Option<Waker>,
}

impl Behaviour {
    pub(crate) fn new(protocols: Arc<Protocols>) -> Self {
        Self { protocols, connections: HashMap::new(), queue: VecDeque::new(), waker: None }
    }

    /// Starts opening a stream; None when the peer is not connected. The receiver fails when the connection goes away.
    pub(crate) fn open(&mut self, peer: PeerId, protocol: StreamProtocol, timeout: Duration) -> Option<Opening> {
        let connection = *self.connections.get(&peer)?.first()?;
        let (reply, answer) = oneshot::channel();
        let event = HandlerCommand::Open(Request { protocol, timeout, reply });
        self.notify(peer, connection, event);
        Some(Opening { connection, answer })
    }

    /// Lets every connection announce the accepted protocols anew.
    pub(crate) fn protocols_changed(&mut self) {
        let all: Vec<_> = self.connections.iter().flat_map(|(peer, ids)| ids.iter().map(|id| (*peer, *id))).collect();
        for (peer, connection) in all {
            self.notify(peer, connection, HandlerCommand::ProtocolsChanged);
        }
    }

    fn notify(&mut self, peer_id: PeerId, connection: ConnectionId, event: HandlerCommand) {
        let handler = NotifyHandler::One(connection);
        self.queue.push_back(ToSwarm::NotifyHandler { peer_id, handler, event });
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

pub(crate) struct Opening {
    pub(crate) connection: ConnectionId,
    pub(crate) answer: oneshot::Receiver<Result<Stream, OpenFailure>>,
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Inbound;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.protocols.clone()))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new(self.protocols.clone()))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                self.connections.entry(established.peer_id).or_default().push(established.connection_id);
            }
            FromSwarm::ConnectionClosed(closed) => {
                if let Some(ids) = self.connections.get_mut(&closed.peer_id) {
                    ids.retain(|id| *id != closed.connection_id);
                    if ids.is_empty() {
                        self.connections.remove(&closed.peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        (protocol, stream): THandlerOutEvent<Self>,
    ) {
        self.queue.push_back(ToSwarm::GenerateEvent(Inbound { peer, connection, protocol, stream }));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(event) = self.queue.pop_front() {
            return Poll::Ready(event);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[derive(Debug)]
pub(crate) enum HandlerCommand {
    Open(Request),
    ProtocolsChanged,
}

#[derive(Debug)]
pub(crate) struct Request {
    protocol: StreamProtocol,
    timeout: Duration,
    reply: oneshot::Sender<Result<Stream, OpenFailure>>,
}

type Reply = oneshot::Sender<Result<Stream, OpenFailure>>;

/// One connection's part.
pub(crate) struct Handler {
    protocols: Arc<Protocols>,
    requests: VecDeque<Request>,
    inbound: VecDeque<(StreamProtocol, Stream)>,
    waker: Option<Waker>,
}

impl Handler {
    fn new(protocols: Arc<Protocols>) -> Self {
        Self { protocols, requests: VecDeque::new(), inbound: VecDeque::new(), waker: None }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = HandlerCommand;
    type ToBehaviour = (StreamProtocol, Stream);
    type InboundProtocol = AnyOf;
    type OutboundProtocol = AnyOf;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Reply;

    fn listen_protocol(&self) -> SubstreamProtocol<AnyOf, ()> {
        SubstreamProtocol::new(AnyOf(self.protocols.names()), ())
    }

    fn on_behaviour_event(&mut self, event: HandlerCommand) {
        match event {
            HandlerCommand::Open(request) => self.requests.push_back(request),
            // Being polled again is enough: the connection then asks for `listen_protocol`.
            HandlerCommand::ProtocolsChanged => {}
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, AnyOf, AnyOf, (), Reply>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.inbound.push_back(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (_, stream), info }) => {
                let _ = info.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                let _ = info.send(Err(open_failure(error)));
            }
            _ => {}
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<AnyOf, Reply, (StreamProtocol, Stream)>> {
        if let Some(inbound) = self.inbound.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(inbound));
        }
        if let Some(Request { protocol, timeout, reply }) = self.requests.pop_front() {
            let protocol = SubstreamProtocol::new(AnyOf(vec![protocol]), reply).with_timeout(timeout);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn open_failure(error: StreamUpgradeError<Infallible>) -> OpenFailure {
    match error {
        StreamUpgradeError::Timeout => (StreamEnd::TimedOut, "the peer did not answer in time".into()),
        StreamUpgradeError::NegotiationFailed => {
            (StreamEnd::Unsupported, "the peer does not speak the protocol".into())
        }
        StreamUpgradeError::Io(error) => (StreamEnd::Reset, error.to_string()),
        StreamUpgradeError::Apply(never) => match never {},
    }
}

/// Negotiates one of the protocols and leaves the stream as it is.
#[derive(Debug)]
pub(crate) struct AnyOf(Vec<StreamProtocol>);

impl UpgradeInfo for AnyOf {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for AnyOf {
    type Output = (StreamProtocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}

impl OutboundUpgrade<Stream> for AnyOf {
    type Output = (StreamProtocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}
