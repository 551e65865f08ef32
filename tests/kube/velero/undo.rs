//! Taking it back: what a restore has created, and no more; a backup, from the bucket too.

use super::*;

const FAILS: &str = "  fails:\n    phase: validate\n    exec: ['false']\n    effect: reads\n";

#[test]
fn a_namespace_that_the_restore_has_created_goes_with_all_of_it() {
    let _velero = running();
    let site = shop("undo");
    backed_up(&site, &site.namespace);
    let to = format!("{}-new", site.namespace);
    let runbook = format!("{}{FAILS}", restoring(&site, &to, ""));
    start(&site, &runbook).end(LONG).code(3);
    assert_eq!(get(site.client, &format!("/api/v1/namespaces/{to}")), Value::Null);
    assert!(restores(&site).is_empty(), "the Restore is gone, too");
    assert_eq!(
        get(site.client, &site.path("apps/v1", "deployments", "web"))["status"]["readyReplicas"],
        2,
        "what is live stays"
    );
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn what_was_there_before_stays() {
    let _velero = running();
    let site = shop("stays");
    backed_up(&site, &site.namespace);
    let to = site.client.new_namespace("before").expect("a namespace");
    let config = |name: &str, data: &Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": to}, "data": data});
    for object in [config("mine", &json!({"a": "b"})), config("counts", &json!({"rows": "42"}))] {
        site.client.create(&object).expect("it can be made");
    }
    let runbook = format!("{}{FAILS}", restoring(&site, &to, ""));
    start(&site, &runbook).end(LONG).code(3);
    assert_eq!(get(site.client, &path("v1", "configmaps", &to, "mine"))["data"], json!({"a": "b"}));
    assert_eq!(get(site.client, &path("v1", "configmaps", &to, "counts"))["data"], json!({"rows": "42"}));
    for (version, plural, name) in [
        ("apps/v1", "deployments", "web"),
        ("v1", "services", "web"),
        ("v1", "secrets", "keys"),
        ("v1", "serviceaccounts", "shop"),
        ("v1", "persistentvolumeclaims", "data"),
    ] {
        assert_eq!(get(site.client, &path(version, plural, &to, name)), Value::Null, "{plural} {name}");
    }
    assert!(get(site.client, &path("v1", "serviceaccounts", &to, "default")).is_object());
}

#[test]
fn a_backup_is_made_and_taken_back_from_the_bucket_too() {
    let _velero = running();
    let site = shop("backup");
    let steps = format!(
        "  save:\n    phase: bootstrap\n    timeout: 2m\n    undo: auto\n    velero-backup: {{cluster: dr, namespaces: [NS], ttl: \
         2h}}\n    outputs:\n      backup: {{cel: result.backup}}\n      items: {{cel: result.items}}\n      phase: {{cel: \
         result.phase}}\n    restores: true\n{FAILS}"
    );
    start(&site, &site.runbook(&steps)).end(LONG).code(3);
    let records = site.place.records();
    let saved = of_kind(&records, "action-finished")[0]["outputs"].clone();
    assert_eq!(saved["phase"], "Completed");
    assert!(saved["items"].as_u64().is_some_and(|items| items >= 8), "{saved}");
    let name = saved["backup"].as_str().expect("a name").to_owned();
    // If it were in the bucket still, Velero would bring it back within two seconds.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(get(site.client, &of_velero("backups", &name)), Value::Null);
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}
