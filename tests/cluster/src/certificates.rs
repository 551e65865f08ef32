//! A cluster's own certificate authority.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};

use crate::Error;

/// An authority that signs for the servers on this machine, and for clients.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

fn told(error: rcgen::Error) -> Error {
    Error::Certificate(format!("making a certificate: {error}"))
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(told)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = parameters.self_signed(&key).map_err(told)?.pem();
        Ok(Self { issuer: Issuer::new(parameters, key), pem })
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// For a server that is reached at 127.0.0.1, `localhost`, or by the names of the API inside of a cluster.
    pub(crate) fn server(&self, name: &str) -> Result<Signed, Error> {
        let names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
        let mut parameters = CertificateParams::new(names.map(str::to_owned)).map_err(told)?;
        parameters.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(parameters)
    }

    /// For a user: Kubernetes takes the name from the common name, the groups from the organisation.
    pub(crate) fn client(&self, user: &str, group: &str) -> Result<Signed, Error> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, user);
        parameters.distinguished_name.push(DnType::OrganizationName, group);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(parameters)
    }

    fn sign(&self, mut parameters: CertificateParams) -> Result<Signed, Error> {
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(told)?;
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(told)?;
        Ok(Signed { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A key by which service account tokens are signed, as PEM, and the one by which they are checked.
pub(crate) fn signing_key() -> Result<(String, String), Error> {
    let key = KeyPair::generate().map_err(told)?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

impl Signed {
    /// Writes `<name>.crt` and `<name>.key`.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> Result<(), Error> {
        for (end, text) in [("crt", &self.certificate), ("key", &self.key)] {
            let path = directory.join(format!("{name}.{end}"));
            fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
        }
        Ok(())
    }
}
