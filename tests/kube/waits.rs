//! Many that wait cost the API server little.

use std::fmt::Write as _;

use lifeboat_test_cluster::proxy::Proxy;
use serde_json::json;

use super::{Site, api};

/// A Service has more to be looked at than itself; that is watched, too, and not asked for by each look of each check.
#[test]
fn who_waits_does_not_ask_again_and_again() {
    let site = Site::new(api(), "many");
    let proxy = Proxy::start(api()).expect("a proxy");
    let mut steps = String::new();
    for at in 0..10 {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("s{at}"), "namespace": site.namespace},
            "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
        });
        site.client.create(&service).expect("it can be made");
        _ = writeln!(
            steps,
            "  s{at}: {{phase: validate, needs: [], onFailure: continue, verify: [{{within: 5s, every: 200ms, kube: {{cluster: dr, \
             kind: Service, namespace: NS, name: s{at}}}}}]}}"
        );
    }
    let runbook = site.runbook_at("admin", &proxy.kubeconfig().display().to_string(), &steps);
    let ended = site.place.run(&runbook);
    assert_ne!(ended.code, 0, "nobody is behind them: {ended}");
    let counts = proxy.counts();
    // Each has looked once at first; then there are two watches. By asking it would be 500.
    assert!(counts.total() < 80, "{:?}", counts.all().collect::<Vec<_>>());
    assert!(counts.total_watches <= 4, "{}", counts.total_watches);
}
