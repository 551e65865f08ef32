//! What well-known programs do, by their subcommands and flags.
//!
//! Duty: tables for rules. It must not judge, and what is not in them does nothing as far as rules know.

use crate::script::{Command, Word};

/// Clients that a recovery cannot do without when it uses them.
pub(crate) const CLIENTS: [&str; 36] = [
    "age",
    "ansible-playbook",
    "argocd",
    "aws",
    "az",
    "cmctl",
    "dig",
    "etcdctl",
    "etcdutl",
    "flux",
    "gcloud",
    "gpg",
    "helm",
    "istioctl",
    "jq",
    "kubectl",
    "kubeseal",
    "kustomize",
    "mongorestore",
    "mysql",
    "nsupdate",
    "oc",
    "patronictl",
    "pg_restore",
    "psql",
    "pulumi",
    "rclone",
    "redis-cli",
    "restic",
    "skopeo",
    "sops",
    "terraform",
    "tofu",
    "vault",
    "velero",
    "yq",
];

/// Subcommands that change something, by program. Of `aws` and `az` it is the verb at the end that counts.
const CHANGES: [(&str, &[&str]); 13] = [
    (
        "kubectl",
        &[
            "annotate", "apply", "cordon", "create", "delete", "drain", "label", "patch", "replace", "rollout",
            "scale", "set", "taint", "uncordon",
        ],
    ),
    ("oc", &["apply", "create", "delete", "patch", "replace", "scale"]),
    ("helm", &["delete", "install", "rollback", "uninstall", "upgrade"]),
    ("velero", &["backup", "create", "delete", "install", "restore", "schedule"]),
    ("flux", &["bootstrap", "create", "delete", "install", "reconcile", "resume", "suspend", "uninstall"]),
    ("argocd", &["app", "appset", "cluster", "repo"]),
    ("terraform", &["apply", "destroy", "import", "state"]),
    ("tofu", &["apply", "destroy", "import", "state"]),
    ("pulumi", &["destroy", "import", "refresh", "up"]),
    ("patronictl", &["edit-config", "failover", "pause", "reinit", "restart", "resume", "switchover"]),
    ("etcdctl", &["del", "member", "put", "snapshot"]),
    ("etcdutl", &["defrag", "migrate", "snapshot"]),
    ("vault", &["delete", "kv", "operator", "write"]),
];
/// Subcommands below those that only look.
const LOOKS: [&str; 15] = [
    "describe",
    "diff",
    "download",
    "get",
    "history",
    "list",
    "logs",
    "ls",
    "manifests",
    "pull",
    "resources",
    "save",
    "show",
    "status",
    "wait",
];
/// Subcommands of `vault` that only look; they stand one or two words deeper than those of others.
const VAULT_LOOKS: [&str; 8] = ["diagnose", "get", "get-config", "key-status", "list", "list-peers", "members", "save"];
/// Programs that are there to change something.
const CHANGERS: [&str; 9] = [
    "ansible-playbook",
    "createdb",
    "dropdb",
    "mongorestore",
    "nsupdate",
    "pg_ctl",
    "pg_restore",
    "pg_basebackup",
    "restic",
];
/// Subcommands of those that only look.
const CHANGERS_LOOK: [(&str, &[&str]); 2] = [
    ("pg_ctl", &["status"]),
    ("restic", &["cat", "check", "diff", "dump", "find", "list", "ls", "mount", "snapshots", "stats", "version"]),
];
/// Verbs that only look, in the clouds' own clients.
const CLOUD_LOOKS: [&str; 22] = [
    "batch-get",
    "check",
    "describe",
    "download",
    "exists",
    "export",
    "filter",
    "get",
    "head",
    "help",
    "list",
    "lookup",
    "ls",
    "presign",
    "query",
    "scan",
    "show",
    "simulate-custom-policy",
    "simulate-principal-policy",
    "tail",
    "test-dns-answer",
    "wait",
];

/// Whether a command changes something, as far as its text says.
pub(crate) fn changes(program: &str, command: &Command) -> bool {
    let verbs = command.verbs();
    let dry = command.flag(&["--dry-run"]).is_some_and(|it| it.value() != Some("none"));
    if dry || command.has(&["--help"]) {
        return false;
    }
    if let Some((_, known)) = CHANGES.iter().find(|(name, _)| *name == program) {
        let second = verbs.get(1).copied().unwrap_or_default();
        let looks = match program {
            "vault" => verbs.iter().skip(1).take(3).any(|verb| VAULT_LOOKS.contains(verb)),
            _ => LOOKS.contains(&second),
        };
        return verbs.first().is_some_and(|verb| known.contains(verb)) && !looks;
    }
    match program {
        "aws" => verbs.get(1).is_some_and(|verb| !cloud_looks(verb)) && verbs.first() != Some(&"sts"),
        "az" if verbs.first() == Some(&"rest") => {
            let method = command.flag(&["--method", "-m"]);
            method.is_some_and(|it| it.value().is_some_and(|it| !it.eq_ignore_ascii_case("get")))
        }
        "az" => {
            let verb = verbs.iter().rev().find(|it| !it.contains(['/', '.', '='])).copied().unwrap_or_default();
            verbs.len() > 1 && !cloud_looks(verb) && !matches!(verbs.first(), Some(&("account" | "login" | "config")))
        }
        _ => {
            let looks = CHANGERS_LOOK.iter().find(|(name, _)| *name == program);
            let looks = looks.is_some_and(|(_, known)| verbs.first().is_some_and(|verb| known.contains(verb)));
            CHANGERS.contains(&program) && !looks
        }
    }
}

fn cloud_looks(verb: &str) -> bool {
    CLOUD_LOOKS.iter().any(|it| verb == *it || verb.strip_prefix(it).is_some_and(|rest| rest.starts_with('-')))
}

/// What a command destroys for good; `None` when it does not, as far as its text says.
pub(crate) fn destroys(program: &str, command: &Command) -> Option<&'static str> {
    let verbs = command.verbs();
    let verb = |at: usize| verbs.get(at).copied().unwrap_or_default();
    let dry = command.flag(&["--dry-run"]).is_some_and(|it| it.value() != Some("none"));
    if dry {
        return None;
    }
    match program {
        "terraform" | "tofu" => {
            let destroys = verb(0) == "destroy" || verb(0) == "apply" && command.has(&["-destroy", "--destroy"]);
            destroys.then_some("everything that the module made")
        }
        "pulumi" => (verb(0) == "destroy").then_some("everything that the stack made"),
        "kubectl" | "oc" if verb(0) == "delete" => {
            // `all,pvc`: each of the kinds.
            verb(1).split(',').find_map(|kind| deletes_kind(kind.split(['/', '.']).next().unwrap_or_default()))
        }
        "velero" => {
            let deletes =
                verb(0) == "backup" && verb(1) == "delete" || verb(0) == "delete" && verb(1).starts_with("backup");
            deletes.then_some("backups")
        }
        "aws" => {
            let (service, verb) = (verb(0), verb(1));
            let data = [
                "delete-db",
                "delete-global",
                "delete-cluster",
                "delete-volume",
                "delete-snapshot",
                "delete-file-system",
            ];
            let whole = [
                "delete-bucket",
                "delete-replication-group",
                "delete-stack",
                "delete-table",
                "schedule-key-deletion",
                "terminate-instances",
            ];
            let data = data.iter().any(|it| verb.starts_with(it)) || whole.contains(&verb);
            let bucket = service == "s3" && (verb == "rb" || verb == "rm" && command.has(&["--recursive"]));
            let recovery_point = service == "backup" && verb.starts_with("delete-");
            (data || bucket || recovery_point).then_some("data, or the machines that hold it")
        }
        "az" => {
            let deletes = verbs.len() > 1 && verbs.iter().any(|it| matches!(*it, "delete" | "delete-batch" | "purge"));
            let small = ["record-set", "endpoint", "lock", "role", "rule", "extension", "tag"];
            (deletes && !verbs.iter().any(|it| small.contains(it))).then_some("resources of Azure")
        }
        "gcloud" => {
            let data = ["sql", "disks", "clusters", "instances", "buckets", "snapshots", "projects"];
            let storage = verb(0) == "storage" && verb(1) == "rm" && command.has(&["-r", "-R", "--recursive"]);
            (storage || verbs.contains(&"delete") && verbs.iter().any(|it| data.contains(it)))
                .then_some("resources of Google Cloud")
        }
        "eksctl" => (verb(0) == "delete" && verb(1) == "cluster").then_some("a cluster"),
        "argocd" => {
            let cascade = command.flag(&["--cascade"]);
            let keeps = cascade.is_some_and(|it| it.word.constant() == Some("--cascade=false"));
            (verb(0) == "app" && verb(1) == "delete" && !keeps).then_some("everything that the application made")
        }
        "dropdb" => Some("a database"),
        "psql" | "mysql" => statement(program, command).is_some_and(drops_data).then_some("data in a database"),
        "etcdctl" => {
            let everything = matches!(verb(1).trim_end_matches('/'), "" | "/registry");
            let all = command.has(&["--from-key"]) || command.has(&["--prefix"]) && everything;
            (verb(0) == "del" && all).then_some("all keys of etcd")
        }
        _ => None,
    }
}

fn deletes_kind(kind: &str) -> Option<&'static str> {
    match kind.to_ascii_lowercase().as_str() {
        "ns" | "namespace" | "namespaces" => Some("a namespace with everything in it"),
        "pvc" | "persistentvolumeclaim" | "persistentvolumeclaims" => Some("a claim, and mostly its volume"),
        "pv" | "persistentvolume" | "persistentvolumes" => Some("a volume"),
        "crd" | "crds" | "customresourcedefinition" | "customresourcedefinitions" => {
            Some("a kind with all of its objects")
        }
        _ => None,
    }
}

/// What a client of a database is told to do by its arguments.
fn statement<'a>(program: &str, command: &'a Command) -> Option<&'a str> {
    let (letter, long, switches) =
        if program == "psql" { ('c', "--command", "AabeEnqStxX") } else { ('e', "--execute", "ABNfnqrstvwX") };
    // `-Atc`: several switches, and the last one takes a value.
    let takes_next = |text: &str| {
        let letters = text.strip_prefix('-').and_then(|it| it.strip_suffix(letter));
        text == long || letters.is_some_and(|it| it.chars().all(|it| switches.contains(it)))
    };
    let words = &command.arguments;
    let at = words.iter().position(|word| word.constant().is_some_and(takes_next));
    if let Some(at) = at {
        return words.get(at + 1)?.constant();
    }
    words.iter().filter_map(Word::constant).find_map(|text| {
        let long = text.strip_prefix(long).and_then(|it| it.strip_prefix('='));
        long.or_else(|| text.strip_prefix('-')?.strip_prefix(letter))
    })
}

/// Whether an SQL text drops a table or more.
pub(crate) fn drops_data(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let words: Vec<&str> = text.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).collect();
    words.windows(2).any(|it| matches!(it, ["DROP", "DATABASE" | "TABLE" | "SCHEMA"] | ["TRUNCATE", _]))
}

/// Whether a Kubernetes client asks or changes a cluster with this command; other subcommands work with files alone.
pub(crate) fn touches_a_cluster(program: &str, command: &Command) -> bool {
    let verbs = command.verbs();
    let verb = |at: usize| verbs.get(at).copied().unwrap_or_default();
    match program {
        "kubectl" | "oc" => {
            let alone = ["", "completion", "config", "help", "kustomize", "options", "plugin"];
            let client = verb(0) == "version" && command.has(&["--client"])
                || command.flag(&["--dry-run"]).is_some_and(|it| it.value() == Some("client"));
            !alone.contains(&verb(0)) && !client
        }
        "helm" => {
            let there = [
                "delete",
                "get",
                "history",
                "install",
                "list",
                "ls",
                "rollback",
                "status",
                "test",
                "uninstall",
                "upgrade",
            ];
            there.contains(&verb(0))
        }
        "velero" => !["", "client", "completion", "help", "version"].contains(&verb(0)),
        "flux" => {
            let there = [
                "bootstrap",
                "check",
                "create",
                "delete",
                "events",
                "export",
                "get",
                "install",
                "logs",
                "reconcile",
                "resume",
                "stats",
                "suspend",
                "tree",
                "trace",
                "uninstall",
            ];
            there.contains(&verb(0)) && !command.has(&["--export"])
        }
        _ => false,
    }
}

/// The words of a command that can be read, one behind the other.
pub(crate) fn words(command: &Command) -> String {
    command.arguments.iter().filter_map(Word::constant).collect::<Vec<_>>().join(" ")
}

/// Whether a `velero` command begins a backup or a restore, and which.
pub(crate) fn velero_begins(program: &str, command: &Command) -> Option<&'static str> {
    let verbs = command.verbs();
    let asks = match (program, verbs.first().copied(), verbs.get(1).copied()) {
        ("velero", Some(what), Some("create")) | ("velero", Some("create"), Some(what)) => what,
        _ => "",
    };
    match asks {
        "restore" | "restores" => Some("restore"),
        "backup" | "backups" => Some("backup"),
        _ => None,
    }
}

/// Whether a command looks at backups and restores of Velero in a way that something can be decided by.
pub(crate) fn reads_velero(program: &str, command: &Command) -> bool {
    let text = words(command);
    let there = match program {
        "velero" => velero_begins(program, command).is_none(),
        "kubectl" | "oc" => text.contains("restore") || text.contains("backup"),
        _ => false,
    };
    there && !text.contains("delete")
}

/// Which of these flags a command lacks, for people: `` `--a` and no `--b` ``; `None` when it has all of them, or may have.
pub(crate) fn lacking(command: &Command, flags: &[&str]) -> Option<String> {
    let missing = flags.iter().filter(|flag| !command.has(&[flag])).map(|flag| format!("`{flag}`"));
    let missing: Vec<String> = missing.collect();
    (!missing.is_empty() && !command.may_have_more()).then(|| missing.join(" and no "))
}
