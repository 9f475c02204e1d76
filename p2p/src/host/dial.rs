// p2p/src/host/dial.rs - turns the library's nested dial errors into one of a few named reasons.

use std::error::Error;
use std::{fmt, io};

use libp2p::allow_block_list::Blocked;
use libp2p::connection_limits::Exceeded;
use libp2p::core::transport::TransportError;
use libp2p::swarm::DialError;

use super::event::DialReason;

/// The error of a socket. It names itself as its source, because the layers above only pass on the source of what they
/// wrap: an `io::Error` as such would be out of reach for `explain`.
#[derive(Debug)]
pub(crate) struct SocketError(pub(crate) io::Error);

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SocketError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The reason, and the whole text for a log.
pub(crate) fn explain(error: &DialError) -> (DialReason, String) {
    let reason = match error {
        DialError::LocalPeerId { .. } => DialReason::Own,
        DialError::NoAddresses => DialReason::UnsupportedAddress,
        DialError::DialPeerConditionFalse(_) => DialReason::Already,
        DialError::Aborted => DialReason::Aborted,
        DialError::WrongPeerId { .. } => DialReason::WrongPeer,
        DialError::Denied { cause } if cause.downcast_ref::<Blocked>().is_some() => DialReason::Banned,
        DialError::Denied { cause } if cause.downcast_ref::<Exceeded>().is_some() => DialReason::Limit,
        DialError::Denied { .. } => DialReason::Other,
        DialError::Transport(attempts) => match attempts.last() {
            Some((_, TransportError::MultiaddrNotSupported(_))) => DialReason::UnsupportedAddress,
            Some((_, TransportError::Other(error))) => of_io(error),
            None => DialReason::Other,
        },
    };
    (reason, error.to_string())
}

fn of_io(error: &io::Error) -> DialReason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => DialReason::Refused,
        io::ErrorKind::NotFound => DialReason::Name,
        io::ErrorKind::TimedOut => DialReason::Timeout,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::PermissionDenied => DialReason::Unreachable,
        _ => match error.get_ref() {
            Some(inner) => of_any(inner),
            // The connection stood, and ended before both sides had agreed.
            None => DialReason::Handshake,
        },
    }
}

/// `io::Error::source` skips the error it wraps, so the chain is walked by hand.
fn of_any(error: &(dyn Error + 'static)) -> DialReason {
    if let Some(io) = error.downcast_ref::<io::Error>() {
        return of_io(io);
    }
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return DialReason::Certificate;
    }
    if let Some(source) = error.source() {
        return of_any(source);
    }
    // The transport's own timeout has a generic type that cannot be named here.
    match error.to_string().contains("Timeout") {
        true => DialReason::Timeout,
        false => DialReason::Handshake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_refusal_under_layers_of_wrapping() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = io::Error::other(io::Error::other(refused));
        assert_eq!(of_io(&wrapped), DialReason::Refused);
    }

    #[test]
    fn unknown_failure_counts_as_handshake() {
        assert_eq!(of_io(&io::Error::other("no agreement")), DialReason::Handshake);
    }
}
