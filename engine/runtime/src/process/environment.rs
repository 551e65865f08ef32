//! What a process inherits: a small base, by name.
//!
//! Duty: the table, and nothing else. It must not read the engine's own environment: that is an argument.

use std::collections::BTreeMap;

/// Variables that every process gets from the engine's environment, where they are set.
pub const BASE_NAMES: &[&str] = &[
    // Who and where.
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "HOSTNAME",
    // How to print.
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "NO_COLOR",
    // Agents and sockets of the person.
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "GNUPGHOME",
    // The way out: both spellings, as programs differ.
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    // Whom to trust.
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    // Kubernetes and containers.
    "KUBECONFIG",
    "KUBE_CONFIG_PATH",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
];

/// Beginnings of names of further variables that every process gets.
pub const BASE_PREFIXES: &[&str] = &[
    "LC_",
    "AWS_",
    "AZURE_",
    "ARM_",
    "GOOGLE_",
    "CLOUDSDK_",
    "OCI_",
    "OS_",
    "HCLOUD_",
    "DIGITALOCEAN_",
    "VAULT_",
    "CONSUL_",
    "NOMAD_",
    "TF_",
    "HELM_",
];

/// The environment of a step's processes: the base, and what tells them where they are.
pub(crate) fn marked(
    base: &BTreeMap<String, String>,
    run: &str,
    step: &str,
    attempt: u32,
    mode: &str,
) -> BTreeMap<String, String> {
    let mut environment = base.clone();
    environment.extend([
        ("LIFEBOAT_RUN_ID".to_owned(), run.to_owned()),
        ("LIFEBOAT_STEP".to_owned(), step.to_owned()),
        ("LIFEBOAT_ATTEMPT".to_owned(), attempt.to_string()),
        ("LIFEBOAT_MODE".to_owned(), mode.to_owned()),
    ]);
    environment
}

/// The base environment out of the engine's own one, and with it the variables that the runbook declares
/// (`requires.env`): what it names there, its steps shall see. Empty variables are kept: they may be meant to be empty.
pub fn base_environment(
    all: impl IntoIterator<Item = (String, String)>,
    declared: &[String],
) -> BTreeMap<String, String> {
    all.into_iter()
        .filter(|(name, _)| {
            BASE_NAMES.contains(&name.as_str())
                || BASE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                || declared.contains(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_named_and_nothing_else() {
        let all = "PATH LC_ALL AWS_PROFILE no_proxy LD_PRELOAD BASH_ENV LIFEBOAT_RUN_ID AWS ZONE";
        let all: Vec<_> = all.split(' ').map(|name| (name.to_owned(), "x".to_owned())).collect();
        let names = |declared: &[&str]| {
            let declared: Vec<String> = declared.iter().map(|name| (*name).to_owned()).collect();
            base_environment(all.clone(), &declared).into_keys().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&[]), "AWS_PROFILE LC_ALL PATH no_proxy");
        assert_eq!(names(&["ZONE", "UNSET"]), "AWS_PROFILE LC_ALL PATH ZONE no_proxy");
    }
}
