//! The servers do what the tests of Lifeboat rely on. They have to be built: `cargo xtask cluster --build`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says why and stops")]
#![expect(clippy::print_stdout, reason = "one of them is a process that another one reads")]

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use lifeboat_test_cluster::{
    Client, Cluster, Crds, Error, Options, Part, base64, path,
    proxy::{Fault, Proxy, Rule},
    users, velero, wait_until,
};
use serde_json::{Value, json};

/// Longest time that anything here may take. Generous: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

fn deployment(namespace: &str, name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "main", "image": "example.test/web:1" }] },
            },
        },
    })
}

fn job(namespace: &str, name: &str, code: &str) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": { "annotations": { "lifeboat.test/exit-code": code } },
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{ "name": "main", "image": "example.test/job:1" }],
                },
            },
        },
    })
}

fn claim(namespace: &str, name: &str, class: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": class,
            "resources": { "requests": { "storage": "1Gi" } },
        },
    })
}

fn ready_replicas(client: &Client, namespace: &str, name: &str, replicas: u32) {
    let deployment = path("apps/v1", "deployments", namespace, name);
    wait_until(&format!("{replicas} ready replicas of {name}"), LIMIT, || {
        let ready = &client.get(&deployment)?["status"]["readyReplicas"];
        Ok((ready.as_u64().unwrap_or(0) == u64::from(replicas)).then_some(()))
    })
    .unwrap();
}

fn phase(client: &Client, at: &str, expected: &str) {
    wait_until(&format!("{at} to be {expected}"), LIMIT, || {
        let object = client.get(at)?;
        let phase = &object["status"]["phase"];
        let bad = ["Failed", "PartiallyFailed", "FailedValidation"].iter().any(|bad| phase == bad);
        assert!(!bad || phase == expected, "{at}: {:#}", object["status"]);
        Ok((phase == expected).then_some(()))
    })
    .unwrap();
}

fn condition(client: &Client, at: &str, kind: &str) {
    wait_until(&format!("{at} to be {kind}"), LIMIT, || {
        let object = client.get(at)?;
        let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        Ok(conditions.any(|one| one["type"] == kind && one["status"] == "True").then_some(()))
    })
    .unwrap();
}

#[test]
fn workloads_get_ready_and_complete() {
    let cluster = Cluster::shared().unwrap();
    let client = cluster.client();
    let namespace = client.new_namespace("work").unwrap();
    client.apply(&deployment(&namespace, "web", 2)).unwrap();
    client.apply(&job(&namespace, "good", "0")).unwrap();
    client.apply(&job(&namespace, "bad", "3")).unwrap();
    ready_replicas(client, &namespace, "web", 2);
    condition(client, &path("batch/v1", "jobs", &namespace, "good"), "Complete");
    condition(client, &path("batch/v1", "jobs", &namespace, "bad"), "Failed");

    // A pod that is told to be unready is, and gets ready again.
    let pods = format!("{}?labelSelector=app=web", path("v1", "pods", &namespace, ""));
    let pod = client.list(&pods).unwrap()[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let pod_path = path("v1", "pods", &namespace, &pod);
    for (ready, replicas) in [("false", 1), ("true", 2)] {
        let annotation = json!({ "metadata": { "annotations": { "lifeboat.test/ready": ready } } });
        client.patch(&pod_path, &annotation).unwrap();
        ready_replicas(client, &namespace, "web", replicas);
    }

    let log = format!("{pod_path}/log");
    assert_eq!(client.text(&log).unwrap(), "started\n");
    cluster.pod_logs(&namespace, &pod, &["listening", "ready to serve"]).unwrap();
    cluster.pod_prints(&namespace, &pod, "stopping").unwrap();
    assert_eq!(client.text(&log).unwrap(), "listening\nready to serve\nstopping\n");
    assert_eq!(client.text(&format!("{log}?tailLines=1")).unwrap(), "stopping\n");

    client.apply(&deployment(&namespace, "web", 0)).unwrap();
    wait_until("its pods to be gone", LIMIT, || Ok(client.list(&pods)?.is_empty().then_some(()))).unwrap();
    client.delete(&path("v1", "namespaces", "", &namespace)).unwrap();
    wait_until("the namespace to be gone", LIMIT, || {
        Ok(client.find(&path("v1", "namespaces", "", &namespace))?.is_none().then_some(()))
    })
    .unwrap();
}

#[test]
fn claims_bind_at_once_and_when_a_pod_wants_them() {
    let cluster = Cluster::shared().unwrap();
    let client = cluster.client();
    let namespace = client.new_namespace("claims").unwrap();
    client.apply(&claim(&namespace, "now", "immediate")).unwrap();
    client.apply(&claim(&namespace, "later", "wait-for-first-consumer")).unwrap();
    let at = |name: &str| path("v1", "persistentvolumeclaims", &namespace, name);
    phase(client, &at("now"), "Bound");
    assert_eq!(client.get(&at("later")).unwrap()["status"]["phase"], "Pending");
    let mut consumer = deployment(&namespace, "consumer", 1);
    consumer["spec"]["template"]["spec"]["volumes"] =
        json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "later" } }]);
    client.apply(&consumer).unwrap();
    phase(client, &at("later"), "Bound");
    ready_replicas(client, &namespace, "consumer", 1);
}

#[test]
fn users_may_do_what_their_names_say() {
    let cluster = Cluster::shared().unwrap();
    let namespace = cluster.client().new_namespace("users").unwrap();
    let made = deployment(&namespace, "web", 0);
    let deployments = path("apps/v1", "deployments", &namespace, "");
    let status = |done: Result<Value, Error>| match done {
        Ok(_) => 200,
        Err(Error::Refused { status, .. }) => status,
        Err(other) => panic!("{other}"),
    };
    for (user, read, write) in [
        (users::ADMIN, 200, 200),
        (users::ADMIN_CERTIFICATE, 200, 200),
        (users::EDITOR, 200, 200),
        (users::VIEWER, 200, 403),
        (users::OUTSIDER, 403, 403),
        (users::EXPIRED, 401, 401),
    ] {
        let client = cluster.client_as(user).unwrap();
        assert_eq!(status(client.get(&deployments)), read, "{user} reads");
        // Not `apply`: it asks for the kind first, which is refused as well.
        assert_eq!(status(client.post(&format!("{deployments}?dryRun=All"), &made)), write, "{user} writes");
    }
    let rules = json!([{ "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"] }]);
    let account = cluster.account(&namespace, "lister", &rules).unwrap();
    assert_eq!(status(account.client.get(&deployments)), 200);
    assert_eq!(status(account.client.get(&path("v1", "pods", &namespace, ""))), 403);
    assert!(account.kubeconfig.is_file());
}

#[test]
fn other_projects_resources_are_known() {
    let cluster = Cluster::shared().unwrap();
    for (version, plural) in [
        ("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
        ("helm.toolkit.fluxcd.io/v2", "helmreleases"),
        ("source.toolkit.fluxcd.io/v1", "gitrepositories"),
        ("argoproj.io/v1alpha1", "applications"),
        ("cert-manager.io/v1", "certificates"),
        ("snapshot.storage.k8s.io/v1", "volumesnapshots"),
        ("external-secrets.io/v1", "externalsecrets"),
        ("velero.io/v1", "backups"),
    ] {
        let listed = cluster.client().list(&path(version, plural, "", ""));
        assert!(listed.is_ok(), "{version} {plural}: {listed:?}");
    }
}

#[test]
fn velero_backs_up_and_restores_into_another_namespace() {
    let cluster = Cluster::shared().unwrap();
    let client = cluster.client();
    let from = client.new_namespace("shop").unwrap();
    let to = format!("{from}-restored");
    client.apply(&deployment(&from, "web", 2)).unwrap();
    client.apply(&claim(&from, "data", "immediate")).unwrap();
    let metadata = |name: &str| json!({ "name": name, "namespace": from });
    client
        .apply(
            &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("settings"), "data": { "a": "b" } }),
        )
        .unwrap();
    let hidden = base64(b"hidden");
    client
        .apply(&json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata("keys"), "data": { "k": hidden } }))
        .unwrap();
    client
        .apply(&json!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": metadata("site"),
            "spec": { "secretName": "site", "dnsNames": ["shop.test"], "issuerRef": { "name": "nobody" } },
        }))
        .unwrap();
    ready_replicas(client, &from, "web", 2);
    phase(client, &path("v1", "persistentvolumeclaims", &from, "data"), "Bound");

    client.create(&velero::backup(&from, &from)).unwrap();
    let backup = path("velero.io/v1", "backups", velero::NAMESPACE, &from);
    phase(client, &backup, "Completed");
    client.create(&velero::restore(&from, &from, &from, &to)).unwrap();
    phase(client, &path("velero.io/v1", "restores", velero::NAMESPACE, &from), "Completed");

    ready_replicas(client, &to, "web", 2);
    let restored = |version: &str, plural: &str, name: &str| client.get(&path(version, plural, &to, name)).unwrap();
    assert_eq!(restored("v1", "configmaps", "settings")["data"]["a"], "b");
    assert_eq!(restored("v1", "secrets", "keys")["data"]["k"], hidden);
    assert_eq!(restored("cert-manager.io/v1", "certificates", "site")["spec"]["secretName"], "site");
    restored("v1", "persistentvolumeclaims", "data");

    // What Velero signs for whoever wants to read a log of it.
    let request = json!({
        "apiVersion": "velero.io/v1",
        "kind": "DownloadRequest",
        "metadata": { "name": from, "namespace": velero::NAMESPACE },
        "spec": { "target": { "kind": "BackupLog", "name": from } },
    });
    client.create(&request).unwrap();
    let url = wait_until("a signed address", LIMIT, || {
        let request = client.get(&path("velero.io/v1", "downloadrequests", velero::NAMESPACE, &from))?;
        Ok(request["status"]["downloadURL"].as_str().map(str::to_owned))
    })
    .unwrap();
    let http = reqwest::blocking::Client::builder().tls_backend_preconfigured(tls(cluster.ca_pem(), false));
    let log = http.no_proxy().build().unwrap().get(&url).send().unwrap();
    assert!(log.status().is_success(), "{url}: {}", log.status());
    assert!(!log.bytes().unwrap().is_empty());
}

#[test]
fn parts_of_a_second_cluster_stop_and_start() {
    Cluster::shared().unwrap();
    let cluster = Cluster::start(Options::workloads().nodes(1)).unwrap();
    let client = cluster.client();
    let namespace = client.new_namespace("parts").unwrap();
    cluster.stop(Part::ControllerManager).unwrap();
    client.apply(&deployment(&namespace, "web", 1)).unwrap();
    assert!(!cluster.is_running(Part::ControllerManager));
    cluster.pause(Part::Kwok).unwrap();
    cluster.start_part(Part::ControllerManager).unwrap();
    let pods = path("v1", "pods", &namespace, "");
    wait_until("a pod on a node", LIMIT, || {
        let pods = client.list(&pods)?;
        Ok(pods.iter().any(|pod| pod["spec"]["nodeName"].is_string()).then_some(()))
    })
    .unwrap();
    assert_eq!(client.list(&pods).unwrap()[0]["status"]["phase"], "Pending");
    cluster.resume(Part::Kwok).unwrap();
    ready_replicas(client, &namespace, "web", 1);

    // What is stored outlives the API server and its store.
    cluster.terminate(Part::ControllerManager).unwrap();
    cluster.stop(Part::ApiServer).unwrap();
    assert!(matches!(client.get(&pods), Err(Error::Unreachable { .. })));
    cluster.stop(Part::Etcd).unwrap();
    cluster.start_part(Part::Etcd).unwrap();
    cluster.start_part(Part::ApiServer).unwrap();
    assert_eq!(client.list(&pods).unwrap().len(), 1);
    assert!(cluster.log_tail(Part::ApiServer, 3).unwrap().lines().count() == 3);
}

/// Whether a process is there, and is more than a name that nobody has asked for yet.
fn runs(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains("zombie"))
}

/// All processes that have this in their command line.
fn mentioning(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| {
        let bytes = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
    });
    lines.filter(|line| line.contains(text)).collect()
}

const PARTS: [Part; 7] =
    [Part::Etcd, Part::ApiServer, Part::ControllerManager, Part::Scheduler, Part::Kwok, Part::S3, Part::Velero];

fn nothing_is_left(directory: &Path, pids: &[u32]) {
    let began = Instant::now();
    loop {
        let left: Vec<&u32> = pids.iter().filter(|pid| runs(**pid)).collect();
        let mentioning = mentioning(&directory.display().to_string());
        if left.is_empty() && mentioning.is_empty() && !directory.exists() {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "left: {left:?} {mentioning:#?}, directory {}: {}",
            directory.display(),
            directory.exists()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_left_of_a_cluster_that_is_dropped() {
    let cluster = Cluster::start(Options::api_only()).unwrap();
    let pids: Vec<u32> = PARTS.iter().filter_map(|part| cluster.pid(*part)).collect();
    assert_eq!(pids.len(), 2);
    let directory = cluster.directory().to_owned();
    cluster.pause(Part::Etcd).unwrap();
    drop(cluster);
    nothing_is_left(&directory, &pids);
}

#[test]
fn nothing_is_left_of_a_process_that_is_killed() {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_process_that_is_killed", "--nocapture"])
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map(Result::unwrap).find_map(|line| line.split_once("CLUSTER ").map(|(_, told)| told.to_owned()));
    let told = told.expect("it says what it has started");
    let [directory, volume, pids] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    assert!(Path::new(volume).is_dir());
    let pids: Vec<u32> = pids.split(',').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 7);
    // A process that Velero has started, not we. It looks after the S3 server by it every few seconds.
    let plugin = format!("{directory}/velero-plugins/velero-plugin-for-aws");
    let began = Instant::now();
    while mentioning(&plugin).is_empty() {
        assert!(began.elapsed() < LIMIT, "no plugin runs");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_is_left(Path::new(directory), &pids);
    assert!(!Path::new(volume).exists(), "{volume}");
}

#[test]
#[ignore = "started by another test, which kills it"]
fn a_process_that_is_killed() {
    // The thread that has started the cluster ends, and the cluster goes on.
    let cluster = thread::spawn(|| Cluster::start(Options::workloads().velero()).unwrap()).join().unwrap();
    let pids: Vec<String> = PARTS.iter().filter_map(|part| cluster.pid(*part)).map(|pid| pid.to_string()).collect();
    let client = cluster.client();
    client.apply(&claim("default", "data", "immediate")).unwrap();
    let at = path("v1", "persistentvolumeclaims", "default", "data");
    phase(client, &at, "Bound");
    let name = client.get(&at).unwrap()["spec"]["volumeName"].as_str().unwrap().to_owned();
    let volume = client.get(&path("v1", "persistentvolumes", "", &name)).unwrap();
    let volume = volume["spec"]["hostPath"]["path"].as_str().unwrap();
    println!("CLUSTER {} {volume} {}", cluster.directory().display(), pids.join(","));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A watch of the config maps of a namespace, and the thread that reads it.
fn watching(url: &str, ca_pem: &str, token: &str, namespace: &str) -> thread::JoinHandle<(u16, String, bool)> {
    let http = reqwest::blocking::Client::builder()
        .tls_backend_preconfigured(tls(ca_pem, true))
        .no_proxy()
        .timeout(LIMIT)
        .build()
        .unwrap();
    let url = format!("{url}{}?watch=true", path("v1", "configmaps", namespace, ""));
    let request = http.get(url).bearer_auth(token);
    thread::spawn(move || {
        let mut answer = request.send().unwrap();
        let mut text = Vec::new();
        let ended_well = answer.read_to_end(&mut text).is_ok();
        (answer.status().as_u16(), String::from_utf8(text).unwrap(), ended_well)
    })
}

fn tls(ca_pem: &str, http2: bool) -> rustls::ClientConfig {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    if http2 {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    config
}

#[test]
fn the_proxy_answers_with_faults() {
    let cluster = Cluster::start(Options::api_only()).unwrap();
    let proxy = Proxy::start(&cluster).unwrap();
    let client = proxy.client(users::ADMIN).unwrap();
    let namespace = client.new_namespace("faults").unwrap();
    assert_eq!(proxy.counts().of("create", "namespaces"), 1);
    let map = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace } });
    let status = |done: Result<Value, Error>| match done {
        Err(Error::Refused { status, reason, .. }) => (status, reason),
        other => panic!("{other:?}"),
    };

    let throttled = proxy.inject(Rule::new(Fault::throttle(1)).verb("create").path("/configmaps").times(1));
    assert_eq!(status(client.create(&map("a"))), (429, "TooManyRequests".to_owned()));
    client.create(&map("a")).unwrap();
    assert_eq!(proxy.applied(throttled), 1);

    let broken = proxy.inject(Rule::new(Fault::status(503)));
    assert_eq!(status(client.get(&client.path_of(&map("a")).unwrap())).0, 503);
    proxy.remove(broken);

    let swallowed = proxy.inject(Rule::new(Fault::Swallow).verb("create").times(1));
    assert!(matches!(client.create(&map("b")), Err(Error::Unreachable { .. })));
    assert_eq!(proxy.applied(swallowed), 1);
    assert!(cluster.client().find(&path("v1", "configmaps", &namespace, "b")).unwrap().is_some());

    proxy.inject(Rule::new(Fault::Cut).verb("create").times(1));
    assert!(matches!(client.create(&map("c")), Err(Error::Unreachable { .. })));
    assert!(cluster.client().find(&path("v1", "configmaps", &namespace, "c")).unwrap().is_none());

    proxy.inject(Rule::new(Fault::Delay(Duration::from_millis(300))).verb("get").times(1));
    let began = Instant::now();
    client.get(&path("v1", "configmaps", &namespace, "a")).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));

    proxy.expire_token(cluster.admin_token().unwrap());
    assert_eq!(status(client.get("/api/v1/nodes")), (401, "Unauthorized".to_owned()));
    assert!(proxy.client(users::OUTSIDER).unwrap().get("/version").is_ok());
    proxy.clear();

    proxy.go_down().unwrap();
    assert!(matches!(client.get("/version"), Err(Error::Unreachable { .. })));
    proxy.come_up().unwrap();
    client.get("/version").unwrap();
}

#[test]
fn the_proxy_cuts_watches_and_tells_them_that_their_past_is_gone() {
    let cluster = Cluster::start(Options::api_only().crds([Crds::Snapshots])).unwrap();
    let proxy = Proxy::start(&cluster).unwrap();
    let namespace = cluster.client().new_namespace("watches").unwrap();
    let watch = || watching(proxy.url(), cluster.ca_pem(), cluster.admin_token().unwrap(), &namespace);

    let watches = [watch(), watch()];
    wait_until("two watches", LIMIT, || Ok((proxy.counts().open_watches == 2).then_some(()))).unwrap();
    assert_eq!(proxy.counts().of("watch", "configmaps"), 2);
    assert_eq!(proxy.cut_watches(), 2);
    for watch in watches {
        let (status, _, ended_well) = watch.join().unwrap();
        assert_eq!((status, ended_well), (200, false));
    }
    wait_until("no watches", LIMIT, || Ok((proxy.counts().open_watches == 0).then_some(()))).unwrap();
    assert_eq!(proxy.counts().total_watches, 2);

    proxy.inject(Rule::new(Fault::Gone).times(1));
    let (status, text, ended_well) = watch().join().unwrap();
    assert_eq!((status, ended_well), (200, true));
    let event: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&"ERROR".into(), &410.into()));
    proxy.inject(Rule::new(Fault::status(410)).verb("watch").times(1));
    assert_eq!(watch().join().unwrap().0, 410);
}
