//! `tls`: a handshake, and what the certificate says.
//!
//! Duty: to see an expired, foreign or misnamed certificate as what it is, and not as "the handshake failed". So the
//! handshake goes on whatever the certificate is; only the proof that the server has its key is always required.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use lifeboat_core::check::tls::Order;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// What the certificate turned out to be.
#[derive(Debug, Clone, Default)]
struct Seen {
    certificate: Vec<u8>,
    untrusted: Option<String>,
    misnamed: Option<String>,
}

#[derive(Debug)]
struct Recorder {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Seen>>,
}

impl Recorder {
    fn examine(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Seen {
        let mut seen = Seen { certificate: end_entity.as_ref().to_vec(), ..Seen::default() };
        match ParsedCertificate::try_from(end_entity) {
            Ok(parsed) => {
                let algorithms = self.provider.signature_verification_algorithms.all;
                let chain =
                    verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms);
                seen.untrusted = chain.err().map(|error| in_words(&error));
                seen.misnamed = verify_server_name(&parsed, name).err().map(|error| in_words(&error));
            }
            Err(error) => {
                seen.untrusted = Some(in_words(&error));
                seen.misnamed.clone_from(&seen.untrusted);
            }
        }
        seen
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = self.examine(end_entity, intermediates, server_name, now);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

pub(super) async fn observe(order: &Order, directory: &Path, timeout: Duration) -> Result<Value, String> {
    let began = Instant::now();
    // A trailing dot is DNS: neither SNI nor certificates have it.
    let name = ServerName::try_from(order.server_name.trim_end_matches('.').to_owned())
        .map_err(|_| format!("`{}` is neither a host name nor an address", order.server_name))?;
    let file = order.ca_file.as_ref().map(|file| directory.join(file));
    let roots = tokio::task::spawn_blocking(move || roots(file.as_deref()))
        .await
        .map_err(|_| "the engine is shutting down".to_owned())??;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let recorder = Arc::new(Recorder { roots, provider: Arc::clone(&provider), seen: Mutex::new(None) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();

    let handshake = async {
        let stream = super::tcp::connect(&order.address, timeout).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.map(drop).map_err(|error| format!("no handshake: {error}"))
    };
    let handshake = tokio::time::timeout(timeout, handshake)
        .await
        .unwrap_or_else(|_| Err(format!("{}: timed out after {timeout:?} in the handshake", order.address)));
    let seen = recorder.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(describe(order, handshake.err(), &seen.unwrap_or_default(), began))
}

/// The roots of a file, or those of the system.
fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(file) = file else {
        let native = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(native.certs);
        if store.is_empty() {
            let why: Vec<String> = native.errors.iter().map(ToString::to_string).collect();
            return Err(format!(
                "this system has no roots to trust (install ca-certificates, or give `caFile`) {}",
                why.join("; ")
            ));
        }
        return Ok(store);
    };
    let bad = |why: String| format!("the roots in {} cannot be used: {why}", file.display());
    let pem = std::fs::read(file).map_err(|error| bad(error.to_string()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        store.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if store.is_empty() { Err(bad("there is no certificate in it".to_owned())) } else { Ok(store) }
}

fn describe(order: &Order, failed: Option<String>, seen: &Seen, began: Instant) -> Value {
    let connected = failed.is_none();
    let known = !seen.certificate.is_empty();
    let parsed = X509Certificate::from_der(&seen.certificate).ok().map(|(_, certificate)| certificate);
    let instant =
        |seconds: i64| jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string());
    let validity = parsed.as_ref().map(|parsed| parsed.validity());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days_left = validity.map_or(0, |validity| {
        let left = validity.not_after.timestamp().saturating_sub(i64::try_from(now).unwrap_or(i64::MAX));
        left.div_euclid(86_400)
    });
    let mut wrong: Vec<String> = failed.into_iter().chain(seen.untrusted.clone()).collect();
    if let Some(misnamed) = &seen.misnamed
        && !wrong.contains(misnamed)
    {
        wrong.push(misnamed.clone());
    }
    json!({
        "connected": connected,
        "trusted": connected && known && seen.untrusted.is_none(),
        "nameMatches": connected && known && seen.misnamed.is_none(),
        "names": parsed.as_ref().map(names).unwrap_or_default(),
        "subject": parsed.as_ref().map(|parsed| parsed.subject().to_string()).unwrap_or_default(),
        "issuer": parsed.as_ref().map(|parsed| parsed.issuer().to_string()).unwrap_or_default(),
        "notBefore": validity.map(|validity| instant(validity.not_before.timestamp())).unwrap_or_default(),
        "notAfter": validity.map(|validity| instant(validity.not_after.timestamp())).unwrap_or_default(),
        "daysLeft": days_left,
        "minDaysLeft": order.min_days_left,
        "error": wrong.join("; "),
        "durationMs": super::milliseconds(began),
    })
}

/// DNS names and addresses, as they stand in the certificate.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
                Ok(four) => Some(std::net::Ipv4Addr::from(four).to_string()),
                Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|all| std::net::Ipv6Addr::from(all).to_string()),
            },
            _ => None,
        })
        .collect()
}

fn in_words(error: &Error) -> String {
    let Error::InvalidCertificate(error) = error else { return error.to_string() };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "its issuer is not trusted, or the server does not send the certificate of its issuer".to_owned()
        }
        CertificateError::BadSignature => {
            "its issuer is not trusted: a trusted one has the same name, but another key".to_owned()
        }
        CertificateError::NotValidForName => "the certificate is for other names".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented = if presented.is_empty() { "no name".to_owned() } else { presented.join(", ") };
            format!("the certificate is not for {} but for {presented}", expected.to_str())
        }
        _ => error.to_string(),
    }
}
