//! What the commander reads when there is nothing to restore from, or when a restore has not restored.

use super::*;

#[test]
fn there_is_no_backup() {
    let _velero = running();
    let site = Site::new(cluster(), "none");
    let ended = start(&site, &restoring(&site, "elsewhere", ", schedule: nightly")).end(LONG).code(2);
    ended.says("there is no backup of schedule nightly").says("a bucket is read once a minute; was it read already?");
    assert!(restores(&site).is_empty());
}

#[test]
fn a_named_backup_of_something_else_is_refused() {
    let _velero = running();
    let (site, other) = (Site::new(cluster(), "other"), shop("made"));
    backed_up(&other, &other.namespace);
    let runbook = restoring(&site, "elsewhere", &format!(", backup: {}", other.namespace));
    let ended = start(&site, &runbook).end(LONG).code(2);
    ended.says(&format!("backup {} cannot be used: it was not made of {}", other.namespace, site.namespace));
}

#[test]
fn a_backup_is_too_old() {
    let _velero = running();
    let site = shop("stale");
    backed_up(&site, &site.namespace);
    let path = of_velero("backups", &site.namespace);
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(26);
    let started = json!({"status": {"startTimestamp": then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()}});
    site.client.patch(&path, &started).expect("it can be patched");
    let runbook = restoring(&site, "elsewhere", ", maxAge: 1h");
    let ended = start(&site, &runbook).end(LONG).code(2);
    ended.says(&format!("newest usable backup {} started 26 h", site.namespace)).says("the objective is 1 h");
    assert!(restores(&site).is_empty());
    // Without a limit it is taken, and the recovery point tells.
    let site = Site { place: Place::new(), ..site };
    let to = format!("{}-new", site.namespace);
    let ended = start(&site, &restoring(&site, &to, "")).end(LONG);
    assert_eq!(ended.code, 6, "the objective is missed: {ended}");
}

/// As a quota does in real life: some objects are made, others are refused.
#[test]
fn a_part_of_it_cannot_be_restored() {
    let _velero = running();
    let site = shop("partly");
    backed_up(&site, &site.namespace);
    let to = site.client.new_namespace("full").expect("a namespace");
    site.client
        .create(&json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full", "namespace": to},
            "spec": {"hard": {"secrets": "0"}},
        }))
        .expect("it can be made");
    let quota = path("v1", "resourcequotas", &to, "full");
    wait_for("the quota", LONG, || get(site.client, &quota)["status"]["hard"].is_object().then_some(()));
    let ended = start(&site, &restoring(&site, &to, "")).end(LONG);
    assert_eq!(ended.code, 3, "failed, and all of it taken back: {ended}");
    ended.says("ended as PartiallyFailed: 1 error").says("1 error: (").says("exceeded quota: full");
    let records = site.place.records();
    let finished = of_kind(&records, "action-finished")[0];
    let kept: Vec<&str> =
        finished["artifacts"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(kept, ["restore.json", "restore-results.json", "restore-resources.json"]);
    // With what is there it may be enough.
    let site = Site { place: Place::new(), ..site };
    start(&site, &restoring(&site, &to, ", allowPartial: true")).end(LONG).code(0);
}

#[test]
fn what_is_there_and_differs_is_not_passed_off_as_restored() {
    let _velero = running();
    let site = shop("differs");
    backed_up(&site, &site.namespace);
    let to = site.client.new_namespace("there").expect("a namespace");
    let there = |rows: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "counts", "namespace": to}, "data": {"rows": rows},
        })
    };
    site.client.create(&there("7")).expect("it can be made");
    let ended = start(&site, &restoring(&site, &to, "")).end(LONG).code(3);
    ended.says(&format!(
        "Velero kept 1 object that was in the cluster before and differ from the backup: ConfigMap {to}/counts"
    ));
    assert_eq!(get(site.client, &path("v1", "configmaps", &to, "counts"))["data"]["rows"], "7", "it is not touched");
    assert_eq!(get(site.client, &path("apps/v1", "deployments", &to, "web")), Value::Null, "the rest is taken back");
    let site = Site { place: Place::new(), ..site };
    start(&site, &restoring(&site, &to, ", existing: update")).end(LONG).code(0);
    assert_eq!(get(site.client, &path("v1", "configmaps", &to, "counts"))["data"]["rows"], "42");
}

#[test]
fn nothing_matched() {
    let _velero = running();
    let site = shop("nothing");
    backed_up(&site, &site.namespace);
    let ended = start(&site, &restoring(&site, &format!("{}-new", site.namespace), ", selector: app=nobody")).end(LONG);
    ended.code(3).says("restored nothing: no item of the backup matched");
}

/// What Velero keeps in its bucket explains an end; it is not needed for one.
#[test]
fn the_bucket_is_out_of_reach_from_here() {
    let _bucket = Elsewhere::new();
    let site = shop("bucket");
    backed_up(&site, &site.namespace);
    let to = format!("{}-new", site.namespace);
    let runbook = restoring(&site, &to, "");
    start(&site, &runbook).end(LONG).code(0);
    let finished = of_kind(&site.place.records(), "action-finished")[0].clone();
    let notes = finished["outputs"]["notes"].to_string();
    assert!(notes.contains("the RestoreResults cannot be had: 127.0.0.1:9: connection refused"), "{notes}");
    assert!(notes.contains("the RestoreResourceList cannot be had"), "{notes}");
    assert!(!notes.contains("X-Amz"), "an address is a permission: {notes}");
    assert_eq!(finished["outputs"]["restored"], json!({}));
    // Without Velero's list it is taken back by label and time.
    let site = Site { place: Place::new(), ..site };
    let third = format!("{}-third", site.namespace);
    let runbook = format!("{}{FAILS}", restoring(&site, &third, ""));
    start(&site, &runbook).end(LONG).code(3);
    assert_eq!(get(site.client, &format!("/api/v1/namespaces/{third}")), Value::Null);
    assert_eq!(
        get(site.client, &path("apps/v1", "deployments", &to, "web"))["spec"]["replicas"],
        2,
        "that is another's"
    );
}

/// The addresses that Velero gives lead nowhere while this is there; nobody else uses Velero meanwhile.
struct Elsewhere {
    _alone: RwLockWriteGuard<'static, ()>,
}

impl Elsewhere {
    fn new() -> Self {
        let alone = VELERO.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::lead(json!("http://127.0.0.1:9"));
        Self { _alone: alone }
    }

    fn lead(to: Value) {
        let location = of_velero("backupstoragelocations", velero::LOCATION);
        let config = json!({"spec": {"config": {"publicUrl": to}}});
        cluster().client().patch(&location, &config).expect("it can be patched");
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        Self::lead(Value::Null);
    }
}

#[test]
fn velero_does_not_run() {
    let _velero = stopped();
    let site = Site::new(cluster(), "silent");
    // One that has been there for long; Velero is not needed to choose it.
    let backup = json!({
        "apiVersion": "velero.io/v1", "kind": "Backup",
        "metadata": {"name": format!("{}-old", site.namespace), "namespace": velero::NAMESPACE},
        "spec": {"storageLocation": velero::LOCATION, "includedNamespaces": [site.namespace]},
        "status": {
            "phase": "Completed", "startTimestamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "progress": {"totalItems": 1, "itemsBackedUp": 1},
        },
    });
    site.client.create(&backup).expect("it can be made");
    let runbook = restoring(&site, "elsewhere", "").replace("timeout: 2m", "timeout: 65s");
    let ended = start(&site, &runbook).end(LONG).code(3);
    ended
        .says("not taken up by Velero yet (no phase), without a change for 1 m")
        .says("is Velero's server running? Deployment velero/velero is scaled to 0 replicas");
    assert!(restores(&site).is_empty(), "what Velero had not taken up is withdrawn");
    // Velero would do that itself, as there is nothing of it in the bucket.
    drop(site.client.delete(&of_velero("backups", &format!("{}-old", site.namespace))));
}
