//! One attempt makes one Restore, whatever happens meanwhile; another attempt makes another.

use super::*;

#[test]
fn an_engine_that_takes_over_follows_the_same_restore() {
    let (site, velero) = prepared_shop("resume");
    let run = start(&site, &restoring(&site, &format!("{}-new", site.namespace), ""));
    restore_asked_for(&site);
    run.signal(Signal::KILL);
    run.end(LONG);
    let again = site.place.start(&["resume", "@latest", "--no-input"]);
    recorded(&site.place, "unknown-resolved");
    drop(velero);
    again.end(LONG).code(0);
    let records = site.place.records();
    assert_eq!(restores(&site).len(), 1, "never a second one");
    assert_eq!(of_kind(&records, "action-started").len(), 1, "one attempt, whoever carries it out");
    assert_eq!(of_kind(&records, "action-prepared").len(), 1, "the backup was chosen once");
    assert_eq!(of_kind(&records, "unknown-resolved")[0]["outcome"], "followed");
    assert_eq!(of_kind(&records, "action-finished")[0]["outputs"]["restore"], restores(&site)[0]["metadata"]["name"]);
    site.place.lifeboat(&["verify", "@latest"]).code(0);
}

/// A shop with a backup, made while Velero runs; then Velero is stopped.
fn prepared_shop(name: &str) -> (Site, Stopped) {
    let site = {
        let _velero = running();
        let site = shop(name);
        backed_up(&site, &site.namespace);
        site
    };
    (site, stopped())
}

#[test]
fn a_lost_answer_makes_no_second_restore() {
    let _velero = running();
    let site = shop("swallow");
    backed_up(&site, &site.namespace);
    let proxy = Proxy::start(cluster()).expect("a proxy");
    let lost = proxy.inject(Rule::new(Fault::Swallow).verb("create").path("/restores").times(1));
    let to = format!("{}-new", site.namespace);
    let runbook = restoring(&site, &to, "");
    let direct = cluster().kubeconfig().display().to_string();
    let runbook = runbook.replace(&direct, &proxy.kubeconfig().display().to_string());
    start(&site, &runbook).end(LONG).code(0);
    assert_eq!(proxy.applied(lost), 1);
    assert_eq!(restores(&site).len(), 1);
}

#[test]
fn after_a_restart_of_velero_the_next_attempt_makes_another_restore_from_the_same_backup() {
    let (site, velero) = prepared_shop("restart");
    let to = format!("{}-new", site.namespace);
    let runbook = restoring(&site, &to, "")
        .replace("    timeout: 2m\n", "    timeout: 2m\n    retry: {attempts: 2, delay: 1s}\n");
    let run = start(&site, &runbook);
    let first = restore_asked_for(&site);
    let name = first["metadata"]["name"].as_str().expect("a name").to_owned();
    // As Velero's server marks what it finds when it starts.
    let reason = "found a restore with status \"InProgress\" during the server starting, mark it as \"Failed\"";
    let status = json!({"status": {"phase": "Failed", "failureReason": reason}});
    site.client.patch(&of_velero("restores", &name), &status).expect("it can be patched");
    wait_for("a second Restore", LONG, || (restores(&site).len() == 2).then_some(()));
    drop(velero);
    run.end(LONG).code(0);
    let records = site.place.records();
    let failed = of_kind(&records, "action-finished")[0]["error"].as_str().unwrap_or_default().to_owned();
    assert!(failed.contains("trying again makes a new Restore"), "{failed}");
    let names: Vec<Value> = restores(&site).iter().map(|it| it["spec"]["backupName"].clone()).collect();
    assert_eq!(names, [site.namespace.as_str(), site.namespace.as_str()]);
    let prepared = of_kind(&records, "action-prepared");
    assert_eq!(prepared.len(), 2);
    assert_eq!(prepared[1]["facts"]["restore"], format!("{name}-2"));
}

#[test]
fn anothers_restore_of_the_same_name_is_left_alone() {
    let (site, _velero) = prepared_shop("foreign");
    let run = start(&site, &restoring(&site, &format!("{}-new", site.namespace), ""));
    let ours = restore_asked_for(&site);
    run.signal(Signal::KILL);
    run.end(LONG);
    let name = ours["metadata"]["name"].as_str().expect("a name");
    let whose = json!({"metadata": {"annotations": {"lifeboat.dev/run": "another"}}});
    site.client.patch(&of_velero("restores", name), &whose).expect("it can be patched");
    let ended = site.place.start(&["resume", "@latest", "--no-input"]).end(LONG);
    assert_ne!(ended.code, 0, "{ended}");
    ended.says("found one of the step `restore` of the run another");
    assert!(get(site.client, &of_velero("restores", name)).is_object(), "it is not ours to delete");
}
