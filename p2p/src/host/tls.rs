// p2p/src/host/tls.rs - TLS of the WebSockets: whom we believe when we dial, and who we are where we listen.
//!
//! Believed are the roots that Mozilla ships, which libp2p-websocket has compiled in and cannot be without; those of the
//! machine's store (SSL_CERT_FILE and SSL_CERT_DIR name another one); and the caller's own. Names are always checked: that
//! of /dns4/.., or the address of /ip4/...

use libp2p_websocket::tls::{Builder, Certificate, Config as Tls, PrivateKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::command::Refusal;
use super::config::Config;

/// Reads the machine's store, some milliseconds. Errors: `Roots`, `Certificate`.
pub(crate) fn config(config: &Config) -> Result<Tls, Refusal> {
    let mut tls = Tls::builder();
    let system = rustls_native_certs::load_native_certs();
    if let Some(error) = system.errors.first() {
        tracing::debug!(%error, "the system's roots could not all be read");
    }
    for root in system.certs {
        // A store may hold what is of no use as a root.
        let _ = tls.add_trust(&Certificate::new(root.to_vec()));
    }
    if !config.extra_roots_pem.is_empty() {
        for root in certificates(&config.extra_roots_pem).ok_or(Refusal::Roots)? {
            tls.add_trust(&root).map_err(|_| Refusal::Roots)?;
        }
    }
    if !config.tls_certificate_pem.is_empty() || !config.tls_key_pem.is_empty() {
        serve(&mut tls, &config.tls_certificate_pem, &config.tls_key_pem).ok_or(Refusal::Certificate)?;
    }
    Ok(tls.finish())
}

fn serve(tls: &mut Builder, certificate: &[u8], key: &[u8]) -> Option<()> {
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).ok()?;
    // `PrivateKey::new` panics about what this refuses.
    let key = PrivateKeyDer::try_from(key.secret_der().to_vec()).ok()?;
    tls.server(PrivateKey::new(key.secret_der().to_vec()), chain).ok()?;
    Some(())
}

/// All of a PEM text; None when there is none, or one is malformed.
fn certificates(pem: &[u8]) -> Option<Vec<Certificate>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.ok().filter(|all| !all.is_empty())?;
    Some(all.into_iter().map(|one| Certificate::new(one.to_vec())).collect())
}
