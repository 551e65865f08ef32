//! Velero: a server outside of the cluster, whose plugin keeps backups in the S3 server.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::{
    Client, Error, S3, client,
    directory::Directory,
    modules, ports,
    server::{Program, Server},
};

/// The namespace of its objects.
pub const NAMESPACE: &str = "velero";

/// The name of the place where backups are.
pub const LOCATION: &str = "default";

/// Makes what it needs to be there before it starts.
pub(crate) fn prepare(client: &Client, s3: &S3) -> Result<(), Error> {
    client.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }))?;
    client.apply(&json!({
        "apiVersion": "velero.io/v1",
        "kind": "BackupStorageLocation",
        "metadata": { "name": LOCATION, "namespace": NAMESPACE },
        "spec": {
            "provider": "aws",
            "default": true,
            "objectStorage": { "bucket": s3.bucket },
            "config": { "region": s3.region, "s3ForcePathStyle": "true", "s3Url": s3.url },
            // Backups that were made elsewhere, in the bucket, become objects within this time.
            "backupSyncPeriod": "2s",
            "validationFrequency": "5s",
        },
    }))?;
    // Restores look up in it how their helpers are to run. Without pods: Velero runs outside.
    let version = modules::VELERO.version_of("github.com/vmware-tanzu/velero").unwrap_or_default();
    let labels = json!({ "component": "velero" });
    client.apply(&json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "velero", "namespace": NAMESPACE, "labels": labels },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "velero", "image": format!("velero/velero:{version}") }] },
            },
        },
    }))?;
    Ok(())
}

/// Starts it.
pub(crate) fn start(directory: &Directory, kubeconfig: &Path, s3: &S3) -> Result<Server, Error> {
    let keys = format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", s3.access_key, s3.secret_key);
    let keys = directory.write("velero-keys", keys)?;
    let plugins = directory.below("velero-plugins")?;
    let velero = modules::VELERO.program("velero")?;
    // Velero starts its plugins, and itself as one of them, and does not end them when it is killed. Each is therefore
    // started by a script, by which it dies with Velero. Plugins tell Velero their own path, by which it starts them
    // again, so they have to believe that they are the script.
    guard(&plugins.join("velero-plugin-for-aws"), &modules::VELERO_AWS.program("velero-plugin-for-aws")?)?;
    let itself = directory.below("velero")?.join("velero");
    guard(&itself, &velero)?;
    let program = Program::new("velero", itself)
        .argument("server")
        .flag("kubeconfig", kubeconfig)
        .flag("namespace", NAMESPACE)
        .flag("plugin-dir", plugins)
        .flag("log-level", "debug")
        .flag("backup-sync-period", "2s")
        .flag("store-validation-frequency", "5s")
        .flag("item-operation-sync-frequency", "1s")
        .flag("terminating-resource-timeout", "1m")
        .flag("client-qps", "300")
        .flag("client-burst", "600")
        .flag("metrics-address", format!("127.0.0.1:{}", ports::free()?))
        .flag("profiler-address", format!("127.0.0.1:{}", ports::free()?))
        .env("AWS_SHARED_CREDENTIALS_FILE", keys)
        .env("VELERO_NAMESPACE", NAMESPACE);
    Server::start(program, directory.path())
}

/// Writes a script that runs a program so that it dies with whoever started it, and takes the script for itself.
fn guard(script: &Path, program: &Path) -> Result<(), Error> {
    // Only bash can run a program by another name.
    let text = format!(
        "#!/bin/sh\nexec setpriv --pdeathsig KILL -- bash -c 'exec -a \"$0\" \"$@\"' \"$0\" '{}' \"$@\"\n",
        program.display()
    );
    fs::write(script, text)
        .and_then(|()| fs::set_permissions(script, fs::Permissions::from_mode(0o755)))
        .map_err(Error::io(format!("writing {}", script.display())))
}

/// Whether Velero has found the place for backups usable; `None` until it has looked.
pub(crate) fn is_ready(client: &Client) -> Result<Option<()>, Error> {
    let path = client::path("velero.io/v1", "backupstoragelocations", NAMESPACE, LOCATION);
    let location = client.get(&path)?;
    Ok((location["status"]["phase"] == "Available").then_some(()))
}

/// A backup of one namespace.
#[must_use]
pub fn backup(name: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "velero.io/v1",
        "kind": "Backup",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "includedNamespaces": [namespace], "storageLocation": LOCATION },
    })
}

/// A restore of a backup, from one namespace into another.
#[must_use]
pub fn restore(name: &str, backup: &str, from: &str, to: &str) -> Value {
    json!({
        "apiVersion": "velero.io/v1",
        "kind": "Restore",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "backupName": backup, "includedNamespaces": [from], "namespaceMapping": { from: to } },
    })
}
