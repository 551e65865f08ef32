//! The kinds of Velero.

use serde_json::{Value, json};

use super::*;

fn velero(kind: &str, spec: Value, status: Value) -> Value {
    json!({"apiVersion": "velero.io/v1", "kind": kind, "metadata": {"name": "default", "namespace": "velero"},
           "spec": spec, "status": status})
}

#[test]
fn locations() {
    let location = |spec: Value, status: Value| velero("BackupStorageLocation", spec, status);
    let status = |validated: &str, synced: &str| json!({"phase": "Available", "lastValidationTime": validated, "lastSyncedTime": synced});
    let recent = "2026-11-21T11:59:30Z";
    check_all([
        (location(json!({}), status(recent, recent)), ready()),
        (location(json!({}), json!({})), pending("has not been validated by Velero yet")),
        (
            location(json!({}), json!({"phase": "Unavailable", "message": "AccessDenied"})),
            pending("is Unavailable (AccessDenied)"),
        ),
        (
            location(json!({}), status("2026-11-21T09:00:00Z", recent)),
            pending("was last validated 3 h ago: does Velero run?"),
        ),
        (location(json!({"validationFrequency": "2h0m0s"}), status("2026-11-21T09:00:00Z", recent)), ready()),
        (location(json!({"validationFrequency": "0s"}), status("2026-11-01T09:00:00Z", recent)), ready()),
        (
            location(json!({}), status(recent, "")),
            pending("has not been read yet: the backups in it are not known to this cluster"),
        ),
        (location(json!({"backupSyncPeriod": "0s"}), status(recent, "")), ready()),
    ]);
}

#[test]
fn schedules_and_requests() {
    check_all([
        (velero("Schedule", json!({}), json!({"phase": "Enabled"})), ready()),
        (
            velero("Schedule", json!({"paused": true}), json!({"phase": "Enabled"})),
            pending("is paused: it makes no backups (spec.paused)"),
        ),
        (
            velero(
                "Schedule",
                json!({}),
                json!({"phase": "FailedValidation", "validationErrors": ["invalid schedule"]}),
            ),
            failed("is not valid (invalid schedule)"),
        ),
        (velero("Backup", json!({}), json!({"phase": "Completed"})), ready()),
        (velero("Backup", json!({}), json!({"phase": "InProgress"})), pending("is InProgress")),
        (velero("Backup", json!({}), json!({})), pending("is not taken up by Velero yet (no phase)")),
        (
            velero("Restore", json!({}), json!({"phase": "FailedValidation", "validationErrors": ["no backup"]})),
            failed("was refused by Velero: no backup"),
        ),
        (velero("Schedule", json!({}), json!({})), pending("has not been taken up by Velero yet")),
        (velero("DeleteBackupRequest", json!({}), json!({"phase": "Processed"})), ready()),
        (
            velero("DeleteBackupRequest", json!({}), json!({"phase": "Processed", "errors": ["no location"]})),
            failed("was processed with errors (no location)"),
        ),
        (
            velero("BackupRepository", json!({}), json!({"phase": "NotReady", "message": "x"})),
            pending("is NotReady (x)"),
        ),
        (velero("VolumeSnapshotLocation", json!({}), json!({})), ready()),
        (velero("PodVolumeRestore", json!({}), json!({"phase": "Canceled"})), failed("ended as Canceled")),
        (velero("DataDownload", json!({}), json!({"phase": "InProgress"})), pending("is InProgress")),
    ]);
}
