//! Who speaks with an API server, and the kubeconfig that says so.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::{Value, json};

use crate::{Error, yaml};

/// How somebody proves who they are.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// A bearer token.
    Token(String),
    /// A certificate and its key, as PEM.
    Certificate {
        /// The certificate.
        certificate: String,
        /// Its key.
        key: String,
    },
}

impl Identity {
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Token(token) => Some(token),
            Self::Certificate { .. } => None,
        }
    }

    /// TLS that trusts only this authority, and shows the certificate, if that is the identity.
    pub(crate) fn tls(&self, ca_pem: &str) -> Result<ClientConfig, Error> {
        let bad = |what: &str, why: &dyn std::fmt::Display| Error::Certificate(format!("{what}: {why}"));
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            let certificate = certificate.map_err(|error| bad("the authority's certificate", &error))?;
            roots.add(certificate).map_err(|error| bad("the authority's certificate", &error))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| bad("TLS", &error))?
            .with_root_certificates(roots);
        match self {
            Self::Token(_) => Ok(builder.with_no_client_auth()),
            Self::Certificate { certificate, key } => {
                let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.as_bytes())
                    .collect::<Result<_, _>>()
                    .map_err(|error| bad("a client's certificate", &error))?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| bad("its key", &error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| bad("a client's certificate", &error))
            }
        }
    }

    fn as_kubeconfig(&self) -> Value {
        match self {
            Self::Token(token) => json!({ "token": token }),
            Self::Certificate { certificate, key } => json!({
                "client-certificate-data": base64(certificate.as_bytes()),
                "client-key-data": base64(key.as_bytes()),
            }),
        }
    }
}

/// A kubeconfig with one context a user, all for the same cluster. Users and contexts have the same names, and the
/// first is the current one. It is JSON, which is YAML.
pub(crate) fn kubeconfig(cluster: &str, url: &str, ca_pem: &str, users: &[(&str, Identity)]) -> String {
    let contexts: Vec<Value> = users
        .iter()
        .map(|(name, _)| json!({ "name": name, "context": { "cluster": cluster, "user": name } }))
        .collect();
    let identities: Vec<Value> =
        users.iter().map(|(name, identity)| json!({ "name": name, "user": identity.as_kubeconfig() })).collect();
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": cluster,
            "cluster": { "server": url, "certificate-authority-data": base64(ca_pem.as_bytes()) },
        }],
        "contexts": contexts,
        "users": identities,
        "current-context": users.first().map(|(name, _)| *name),
    });
    format!("{config:#}\n")
}

/// What the current context of a kubeconfig says: address, the authority's certificate, and who one is.
pub(crate) fn current(path: &Path) -> Result<(String, String, Identity), Error> {
    let text = fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))?;
    let config = yaml::read(&text).map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
    let missing = |what: &str| Error::Input(format!("{}: no {what} that the tests can use", path.display()));
    let named = |list: &str, name: &str| -> Option<Value> {
        config.get(list)?.as_array()?.iter().find(|one| one["name"] == name).cloned()
    };
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let context = text(&config, "/current-context")
        .and_then(|name| named("contexts", &name))
        .ok_or_else(|| missing("current context"))?;
    let cluster = text(&context, "/context/cluster").and_then(|name| named("clusters", &name));
    let user = text(&context, "/context/user").and_then(|name| named("users", &name));
    let (cluster, user) = (cluster.unwrap_or_default(), user.unwrap_or_default());
    // Either the text itself, as base64, or the path of a file, which is relative to the kubeconfig.
    let pem = |value: &Value, name: &str| -> Result<Option<String>, Error> {
        if let Some(data) = text(value, &format!("{name}-data")) {
            return Ok(from_base64(&data));
        }
        let Some(file) = text(value, name) else { return Ok(None) };
        let file = path.parent().map_or_else(|| PathBuf::from(&file), |directory| directory.join(&file));
        fs::read_to_string(&file).map(Some).map_err(Error::io(format!("reading {}", file.display())))
    };
    let url = text(&cluster, "/cluster/server").ok_or_else(|| missing("server"))?;
    let ca = pem(&cluster, "/cluster/certificate-authority")?.ok_or_else(|| missing("certificate authority"))?;
    let identity = match (text(&user, "/user/token"), pem(&user, "/user/client-certificate")?) {
        (Some(token), _) => Identity::Token(token),
        (None, Some(certificate)) => Identity::Certificate {
            certificate,
            key: pem(&user, "/user/client-key")?.ok_or_else(|| missing("client key"))?,
        },
        (None, None) => return Err(missing("token or client certificate")),
    };
    Ok((url, ca, identity))
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding, as kubeconfigs and Secrets have it.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = (group >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    text
}

/// The text in base64; `None` when it is not base64 or not UTF-8.
#[must_use]
pub fn from_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut group, mut bits) = (0_u32, 0);
    for digit in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        group = (group << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((group >> bits) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{base64, from_base64};

    #[test]
    fn base64_goes_both_ways() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(plain.as_bytes()), coded);
            assert_eq!(from_base64(coded).as_deref(), Some(plain));
        }
        assert_eq!(from_base64("%"), None);
    }
}
