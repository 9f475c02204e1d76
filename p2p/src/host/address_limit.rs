// p2p/src/host/address_limit.rs - behaviour that refuses inbound connections of an address that has enough of them.
//!
//! Peer ids cost nothing, addresses do: one machine shall not take every place there is. Counted from the first packet,
//! so that connections which never finish their handshake count too. Dials of our own are never refused here.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::Endpoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    dummy, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

pub(crate) struct Behaviour {
    /// 0 is off.
    max: usize,
    used: HashMap<IpAddr, usize>,
    connections: HashMap<ConnectionId, IpAddr>,
}

#[derive(Debug)]
pub(crate) struct Exceeded;

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many connections from one address")
    }
}

impl std::error::Error for Exceeded {}

impl Behaviour {
    pub(crate) fn new(max: u32) -> Self {
        Self { max: max as usize, used: HashMap::new(), connections: HashMap::new() }
    }

    fn take(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        let Some(address) = key_of(remote) else { return Ok(()) };
        let used = self.used.entry(address).or_default();
        if self.max > 0 && *used >= self.max {
            return Err(ConnectionDenied::new(Exceeded));
        }
        *used += 1;
        self.connections.insert(connection, address);
        Ok(())
    }

    fn give_back(&mut self, connection: ConnectionId) {
        let Some(address) = self.connections.remove(&connection) else { return };
        if let Some(used) = self.used.get_mut(&address) {
            *used -= 1;
            if *used == 0 {
                self.used.remove(&address);
            }
        }
    }
}

/// What one owner has: an IPv4 address, or the 64 bits of a network of IPv6.
fn key_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(match ip.to_ipv4_mapped() {
            Some(mapped) => mapped.into(),
            None => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        }),
        _ => None,
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.take(connection, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.give_back(closed.connection_id),
            // Whoever refused it, or the handshake that failed.
            FromSwarm::ListenFailure(failure) => self.give_back(failure.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap_or_else(|_| panic!("no address: {text}"))
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let mut limit = Behaviour::new(2);
        let (one, other) = (address("/ip4/10.0.0.1/tcp/1"), address("/ip4/10.0.0.2/tcp/1"));
        let ids: Vec<_> = (0..4).map(ConnectionId::new_unchecked).collect();
        assert!(limit.take(ids[0], &one).is_ok());
        assert!(limit.take(ids[1], &address("/ip4/10.0.0.1/tcp/2/ws")).is_ok());
        assert!(limit.take(ids[2], &one).is_err());
        assert!(limit.take(ids[2], &other).is_ok());
        limit.give_back(ids[0]);
        limit.give_back(ids[0]);
        assert!(limit.take(ids[3], &one).is_ok());
        assert!(limit.take(ids[0], &one).is_err());
    }

    #[test]
    fn zero_is_off_and_nothing_is_kept_of_who_has_gone() {
        let mut limit = Behaviour::new(0);
        for id in 0..1000 {
            assert!(limit.take(ConnectionId::new_unchecked(id), &address("/ip4/10.0.0.1/tcp/1")).is_ok());
        }
        for id in 0..1000 {
            limit.give_back(ConnectionId::new_unchecked(id));
        }
        assert!(limit.used.is_empty() && limit.connections.is_empty());
    }

    #[test]
    fn a_network_of_ip6_is_one_address_and_mapped_ip4_is_ip4() {
        assert_eq!(key_of(&address("/ip6/2001:db8::1/tcp/1")), key_of(&address("/ip6/2001:db8::ffff:1/tcp/2")));
        assert_ne!(key_of(&address("/ip6/2001:db8::1/tcp/1")), key_of(&address("/ip6/2001:db8:0:1::1/tcp/1")));
        assert_eq!(key_of(&address("/ip6/::ffff:10.0.0.1/tcp/1")), key_of(&address("/ip4/10.0.0.1/tcp/1")));
    }
}
