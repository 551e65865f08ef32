//! Whose key is whose: OpenSSH's `allowed_signers`, and signatures by `ssh-keygen -Y`.
//!
//! Duty: to ask `ssh-keygen`, which knows every kind of key that people have (agents, hardware tokens, certificates), and
//! not to judge by itself. The file is frozen with the run, so that whoever edits the original later changes nothing.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use lifeboat_core::evidence::chain;

use crate::process;

/// What signatures over acts are for; one over anything else does not count.
pub const NAMESPACE: &str = "lifeboat-act";
/// Its name in a run's directory.
pub const FILE: &str = "allowed_signers";

/// The frozen `allowed_signers` of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    file: PathBuf,
    digest: String,
}

impl Signers {
    /// The file of a run that was begun with this digest.
    #[must_use]
    pub fn new(run: &Path, digest: String) -> Self {
        Self { file: run.join(FILE), digest }
    }

    /// The fingerprint of the key by which `who` signed these bytes.
    ///
    /// # Errors
    /// Why it does not count as theirs.
    pub fn verify(&self, who: &str, bytes: &[u8], signature: &str) -> Result<String, String> {
        let now = fs::read(&self.file).map_err(|error| format!("{} cannot be read: {error}", self.file.display()))?;
        if chain::digest(&now) != self.digest {
            return Err(format!("{} is not the file that the run began with", self.file.display()));
        }
        let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        file.write_all(signature.as_bytes()).map_err(|error| error.to_string())?;
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let (signers, signature) = (path(&self.file), path(file.path()));
        let arguments = ["-Y", "verify", "-f", &signers, "-I", who, "-n", NAMESPACE, "-s", &signature];
        let answer = process::ask("ssh-keygen", &arguments, bytes)?;
        if !answer.succeeded {
            let why = answer.stderr.lines().chain(answer.stdout.lines()).next().unwrap_or("the signature does not fit");
            return Err(why.trim().to_owned());
        }
        // `Good "lifeboat-act" signature for alice@example.org with ED25519 key SHA256:…`
        let key = answer.stdout.split_whitespace().find(|word| word.starts_with("SHA256:"));
        key.map(str::to_owned)
            .ok_or_else(|| format!("ssh-keygen did not say which key it was: {}", answer.stdout.trim()))
    }
}

/// Signs bytes with a private key, or by an agent that has the private half of a public one.
///
/// # Errors
/// What `ssh-keygen` says.
pub fn sign(bytes: &[u8], key: &Path) -> Result<String, String> {
    let key = key.to_string_lossy().into_owned();
    let answer = process::ask("ssh-keygen", &["-Y", "sign", "-f", &key, "-n", NAMESPACE], bytes)?;
    if answer.succeeded && answer.stdout.starts_with("-----BEGIN SSH SIGNATURE-----") {
        return Ok(answer.stdout);
    }
    Err(format!("it could not be signed with {key}: {}", answer.stderr.trim()))
}
