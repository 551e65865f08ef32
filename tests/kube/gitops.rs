//! Flux and Argo CD. Their definitions are real, their controllers are played: a test writes the status that they would.
//!
//! Every engine goes through a proxy of its own, so that a test knows what was asked of the API server, and how often.

use std::{sync::OnceLock, time::Duration};

use lifeboat_test_cluster::{Cluster, Crds, Options, proxy::Proxy};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::Site;
use crate::harness::{Ended, Going, of_kind, records, wait_for};

mod argocd;
mod flux;
mod rebuild;

/// The longest that anything here may take. Generous: the machine may be busy.
const LONG: Duration = Duration::from_secs(120);

const COMMIT: &str = "c0ffee5d0a2b3c4d5e6f708192a3b4c5d6e7f809";
const OTHER: &str = "deadbeef0a2b3c4d5e6f708192a3b4c5d6e7f809";

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        Cluster::start(Options::api_only().crds([Crds::Flux, Crds::ArgoCd])).expect("an API server with definitions")
    })
}

/// A namespace, and an engine's way to it.
struct Stage {
    site: Site,
    proxy: Proxy,
}

impl Stage {
    /// With a runbook of these steps.
    fn new(name: &str, steps: &str) -> Self {
        let site = Site::new(cluster(), name);
        let proxy = Proxy::start(cluster()).expect("a proxy");
        let runbook = site.runbook_at("admin", &proxy.kubeconfig().display().to_string(), steps);
        site.place.file("r.yaml", &runbook);
        Self { site, proxy }
    }

    fn create(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["metadata"]["namespace"] = self.site.namespace.as_str().into();
        self.site.client.create(&object).expect("it can be made")
    }

    fn start(&self) -> Going {
        self.site.place.start(&["run", "r.yaml", "--no-input", "--verbose"])
    }

    fn resume(&self) -> Going {
        self.site.place.start(&["resume", "@latest", "--no-input", "--verbose"])
    }

    /// Starts, is killed without a warning, and starts again.
    fn kill(&self, going: Going) -> Going {
        going.signal(Signal::KILL);
        assert_eq!(going.end(LONG).code, 137);
        self.resume()
    }

    /// What the last attempt at the step `sync` returned.
    fn finished(&self) -> Value {
        let records = records(&self.site.place.only_run());
        let all = of_kind(&records, "action-finished");
        all.into_iter().rfind(|record| record["step"] == "sync").expect("it has ended").clone()
    }

    /// What it found before it changed anything.
    fn prepared(&self) -> Value {
        let records = records(&self.site.place.only_run());
        let all = of_kind(&records, "action-prepared");
        all.last().expect("it has looked")["facts"].clone()
    }

    /// How often anything was asked to be changed.
    fn patches(&self, resource: &str) -> usize {
        self.proxy.counts().of("patch", resource)
    }
}

/// Waits until the engine says something, in whatever lines.
#[track_caller]
fn says(going: &mut Going, text: &str) {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = flat(text);
    let began = std::time::Instant::now();
    loop {
        let said = going.so_far();
        if flat(&said).contains(&wanted) {
            return;
        }
        assert!(!going.over(), "it has ended and has not said `{text}`: {said}");
        assert!(began.elapsed() < LONG, "waited for `{text}`: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
        "lastTransitionTime": "2026-11-21T02:30:00Z",
    })
}

fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A run that ended because the step failed, and was taken back.
#[track_caller]
fn failed(ended: Ended, why: &str) {
    assert!(ended.code != 0, "it must not succeed: {ended}");
    ended.sound().says(why);
}
