//! Which flags of well-known programs take the next word as their value.
//!
//! Duty: enough to tell subcommands from values. A flag that is missing here makes its value look like a word of its own
//! behind the subcommand, and never like a flag.

const KUBECTL: &[&str] = &[
    "--as",
    "--as-group",
    "--as-uid",
    "--cache-dir",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--cluster",
    "--container",
    "--context",
    "--field-manager",
    "--field-selector",
    "--filename",
    "--for",
    "--from-file",
    "--from-literal",
    "--grace-period",
    "--kubeconfig",
    "--kustomize",
    "--namespace",
    "--output",
    "--patch",
    "--replicas",
    "--request-timeout",
    "--selector",
    "--server",
    "--template",
    "--timeout",
    "--tls-server-name",
    "--token",
    "--type",
    "--user",
    "-c",
    "-f",
    "-k",
    "-l",
    "-n",
    "-o",
    "-p",
    "-s",
    "-v",
];
const HELM: &[&str] = &[
    "--kube-apiserver",
    "--kube-as-group",
    "--kube-as-user",
    "--kube-context",
    "--kube-token",
    "--kubeconfig",
    "--namespace",
    "--registry-config",
    "--repository-cache",
    "--repository-config",
    "--set",
    "--set-file",
    "--set-string",
    "--timeout",
    "--values",
    "--version",
    "-f",
    "-n",
    "-o",
];
const VELERO: &[&str] = &[
    "--kubeconfig",
    "--kubecontext",
    "--namespace",
    "--from-backup",
    "--from-schedule",
    "--include-namespaces",
    "--selector",
    "--exclude-namespaces",
    "--include-resources",
    "--exclude-resources",
    "--namespace-mappings",
    "--output",
    "--ttl",
    "-n",
    "-o",
    "-l",
];
const FLUX: &[&str] = &["--context", "--kubeconfig", "--namespace", "--timeout", "--cluster", "--source", "-n"];
const ARGOCD: &[&str] = &[
    "--server",
    "--auth-token",
    "--config",
    "--kube-context",
    "--argocd-context",
    "--core-context",
    "--timeout",
    "--app-namespace",
    "--resource",
    "--revision",
    "--output",
    "-N",
    "-l",
    "-o",
];
const AWS: &[&str] =
    &["--region", "--profile", "--output", "--query", "--endpoint-url", "--cli-read-timeout", "--cli-connect-timeout"];
const AZ: &[&str] = &["--subscription", "--output", "--query", "--resource-group", "--name", "-g", "-n", "-o"];
const GCLOUD: &[&str] =
    &["--project", "--account", "--configuration", "--format", "--impersonate-service-account", "--region", "--zone"];
const ETCD: &[&str] = &[
    "--endpoints",
    "--cacert",
    "--cert",
    "--key",
    "--command-timeout",
    "--dial-timeout",
    "--user",
    "--password",
    "--write-out",
    "-w",
];
const PATRONI: &[&str] =
    &["--config-file", "-c", "--dcs-url", "--dcs", "-d", "--candidate", "--leader", "--primary", "--group"];
const VAULT: &[&str] = &["-address", "-namespace", "-mount", "-field", "-format"];
const DROPDB: &[&str] = &["-h", "-p", "-U", "--host", "--port", "--username", "--maintenance-db"];
const PSQL: &[&str] = &[
    "-c",
    "--command",
    "-d",
    "--dbname",
    "-f",
    "--file",
    "-h",
    "--host",
    "-p",
    "--port",
    "-U",
    "--username",
    "-v",
    "--set",
    "-o",
    "--output",
];

const TERRAFORM: &[&str] = &[
    "--backup",
    "--lock-timeout",
    "--parallelism",
    "--replace",
    "--state",
    "--state-out",
    "--target",
    "--var",
    "--var-file",
    "-backup",
    "-lock-timeout",
    "-parallelism",
    "-replace",
    "-state",
    "-state-out",
    "-target",
    "-var",
    "-var-file",
];
const RESTIC: &[&str] = &["--repo", "--password-file", "--password-command", "--repository-file", "-o", "-p", "-r"];
const PG_CTL: &[&str] = &["--log", "--mode", "--options", "--pgdata", "--timeout", "-D", "-l", "-m", "-o", "-p", "-t"];

/// Switches that every subcommand of a cloud's client has.
pub(super) const CLOUD_SWITCHES: [&str; 8] = [
    "--debug",
    "--no-cli-pager",
    "--no-paginate",
    "--no-verify-ssl",
    "--only-show-errors",
    "--quiet",
    "--verbose",
    "-q",
];

/// Whether a program is the client of a cloud, with more flags than anybody can list.
pub(super) fn is_of_a_cloud(program: &str) -> bool {
    matches!(program, "aws" | "az" | "gcloud")
}

/// The flags of a program whose value is the next word.
pub(super) fn values(program: &str) -> &'static [&'static str] {
    match program {
        "kubectl" | "oc" => KUBECTL,
        "helm" => HELM,
        "velero" => VELERO,
        "flux" => FLUX,
        "argocd" => ARGOCD,
        "aws" => AWS,
        "az" => AZ,
        "gcloud" => GCLOUD,
        "etcdctl" | "etcdutl" => ETCD,
        "patronictl" => PATRONI,
        "vault" => VAULT,
        "dropdb" | "createdb" => DROPDB,
        "psql" => PSQL,
        "pg_ctl" => PG_CTL,
        "restic" => RESTIC,
        "terraform" | "tofu" => TERRAFORM,
        _ => &[],
    }
}
