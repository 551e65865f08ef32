//! Users that every cluster has, which are also the contexts of its kubeconfig.

use std::{fs, io::Read as _};

use crate::{Error, certificates::Authority, identity::Identity};

/// May do everything; proves who they are by a token.
pub const ADMIN: &str = "admin";
/// May do everything; proves who they are by a client certificate.
pub const ADMIN_CERTIFICATE: &str = "admin-certificate";
/// May read most things in all namespaces (the role `view`: no Secrets, nothing cluster-wide).
pub const VIEWER: &str = "viewer";
/// May change most things in all namespaces (the role `edit`: no roles, nothing cluster-wide).
pub const EDITOR: &str = "editor";
/// Is known, and may do nothing.
pub const OUTSIDER: &str = "outsider";
/// Has a token that the API server does not know, such as one that has expired.
pub const EXPIRED: &str = "expired";

/// All users, the admin first; those of servers begin with `system:`.
pub(super) fn known_users(authority: &Authority) -> Result<Vec<(&'static str, Identity)>, Error> {
    let signed = authority.client(ADMIN_CERTIFICATE, "system:masters")?;
    let mut all = Vec::new();
    let certificate = Identity::Certificate { certificate: signed.certificate, key: signed.key };
    for user in [
        ADMIN,
        VIEWER,
        EDITOR,
        OUTSIDER,
        EXPIRED,
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:kwok",
    ] {
        all.push((user, Identity::Token(random()?)));
    }
    all.insert(1, (ADMIN_CERTIFICATE, certificate));
    Ok(all)
}

/// What the API server knows of tokens: all but the expired one.
pub(super) fn token_file(identities: &[(&str, Identity)]) -> String {
    let known = identities.iter().filter(|(user, _)| *user != EXPIRED);
    known
        .filter_map(|(user, identity)| {
            let groups = match *user {
                ADMIN => ",system:masters",
                // Their own roles would need service accounts for each controller, which takes longer to start.
                server if server.starts_with("system:") => ",system:masters",
                _ => "",
            };
            Some(format!("{},{user},{user}{groups}\n", identity.token()?))
        })
        .collect()
}

/// A token that nobody guesses.
pub(super) fn random() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Error::io("reading /dev/urandom"))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}
