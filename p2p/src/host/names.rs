// p2p/src/host/names.rs - a transport that asks the system's resolver for the names in the addresses it dials.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::FutureExt;
use libp2p::core::multiaddr::Protocol;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::{Multiaddr, Transport};

use super::dial::SocketError;

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried, one after the other.
const MOST_ADDRESSES: usize = 3;

/// `/dns/`, `/dns4/` and `/dns6/` at the front of a dialled address; others go to `inner` as they are. The system's
/// resolver is what the owner has set up; a library of its own would ask others.
pub(crate) struct Names<T> {
    inner: Arc<Mutex<T>>,
}

impl<T> Names<T> {
    pub(crate) fn new(inner: T) -> Self {
        Names { inner: Arc::new(Mutex::new(inner)) }
    }
}

fn locked<T>(inner: &Mutex<T>) -> MutexGuard<'_, T> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Transport for Names<T>
where
    T: Transport<Error = SocketError> + Send + Unpin + 'static,
    T::Dial: Send,
    T::Output: Send,
{
    type Output = T::Output;
    type Error = SocketError;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = BoxFuture<'static, Result<T::Output, SocketError>>;

    fn listen_on(&mut self, id: ListenerId, addr: Multiaddr) -> Result<(), TransportError<SocketError>> {
        locked(&self.inner).listen_on(id, addr)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        locked(&self.inner).remove_listener(id)
    }

    fn dial(&mut self, addr: Multiaddr, opts: DialOpts) -> Result<Self::Dial, TransportError<SocketError>> {
        match name_of(&addr) {
            None => Ok(locked(&self.inner).dial(addr, opts)?.boxed()),
            Some(name) => Ok(dial_name(self.inner.clone(), addr, name, opts).boxed()),
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, SocketError>> {
        Pin::new(&mut *locked(&self.inner)).poll(cx)
    }
}

/// A name, and which addresses of it will do.
struct Name {
    host: String,
    ip4: bool,
    ip6: bool,
}

fn name_of(addr: &Multiaddr) -> Option<Name> {
    let name = |host: &str, ip4, ip6| Some(Name { host: host.to_owned(), ip4, ip6 });
    match addr.iter().next()? {
        Protocol::Dns(host) => name(&host, true, true),
        Protocol::Dns4(host) => name(&host, true, false),
        Protocol::Dns6(host) => name(&host, false, true),
        _ => None,
    }
}

async fn dial_name<T>(
    inner: Arc<Mutex<T>>,
    addr: Multiaddr,
    name: Name,
    opts: DialOpts,
) -> Result<T::Output, SocketError>
where
    T: Transport<Error = SocketError>,
{
    let mut last = SocketError(io::Error::new(io::ErrorKind::NotFound, format!("no address of {}", name.host)));
    for ip in look_up(&name).await?.into_iter().take(MOST_ADDRESSES) {
        let Some(resolved) = addr.replace(0, |_| Some(ip.into())) else {
            continue;
        };
        let begun = locked(&inner).dial(resolved, opts);
        match begun {
            Ok(dial) => match dial.await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            },
            Err(TransportError::Other(error)) => last = error,
            Err(TransportError::MultiaddrNotSupported(address)) => {
                last = SocketError(io::Error::new(io::ErrorKind::Unsupported, address.to_string()));
            }
        }
    }
    Err(last)
}

async fn look_up(name: &Name) -> Result<Vec<IpAddr>, SocketError> {
    // One kind of error for all that can go wrong with a name: `explain` knows it by that.
    let fault = |why: &dyn std::fmt::Display| {
        SocketError(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address: {why}", name.host)))
    };
    let answer = tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((name.host.as_str(), 0)));
    let found = answer.await.map_err(|_| fault(&"timeout"))?.map_err(|error| fault(&error))?;
    Ok(found.map(|address| address.ip()).filter(|ip| if ip.is_ipv4() { name.ip4 } else { name.ip6 }).collect())
}
