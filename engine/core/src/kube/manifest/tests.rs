//! Texts and the objects, or the exact words, that become of them.

use serde_json::json;

use super::*;

fn ids(objects: &[Value]) -> Vec<String> {
    objects.iter().map(object::describe).collect()
}

#[test]
fn reads_documents() {
    let text = "\
# a comment and nothing else
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app, namespace: shop, labels: &labels {app: \"1\"}}
data:
  answer: y
  other: no
  mode: \"0644\"
---

---
{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"api\"}}
---
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {<<: *labels, tier: web}}
spec: {defaultMode: 0644, paused: true, ratio: 0.5}
...
";
    // An anchor lives in its own document.
    let mistake = parse(text).unwrap_err();
    assert!(mistake.to_string().starts_with("line 17: is not YAML: alias"), "{mistake}");
    let objects = parse(&text.replace("<<: *labels, ", "")).unwrap();
    assert_eq!(ids(&objects), ["ConfigMap shop/app", "Deployment api", "Pod a"]);
    assert_eq!(objects[0]["data"], json!({"answer": "y", "other": "no", "mode": "0644"}));
    assert_eq!(objects[2]["spec"], json!({"defaultMode": 0o644, "paused": true, "ratio": 0.5}));
    assert_eq!(parse("").unwrap(), Vec::<Value>::new());
    assert_eq!(parse("---\n---\n").unwrap(), Vec::<Value>::new());
}

#[test]
fn anchors_and_merge_keys() {
    let text = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: &l {app: x}, annotations: {<<: *l, note: y}}
data: *l
";
    let objects = parse(text).unwrap();
    assert_eq!(objects[0]["metadata"]["annotations"], json!({"app": "x", "note": "y"}));
    assert_eq!(objects[0]["data"], json!({"app": "x"}));
}

#[test]
fn json_with_tabs() {
    let text = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Namespace\",\n\t\"metadata\": {\"name\": \"a\"}\n}\n";
    assert_eq!(ids(&parse(text).unwrap()), ["Namespace a"]);
}

#[test]
fn lists_become_their_items() {
    let text = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: a}}
- apiVersion: v1
  kind: ConfigMapList
  items:
  - {metadata: {name: b, namespace: a}}
---
{apiVersion: example.com/v1, kind: AllowList, metadata: {name: c}, items: [1]}
---
{apiVersion: v1, kind: List, items: []}
";
    let objects = parse(text).unwrap();
    assert_eq!(ids(&objects), ["Namespace a", "ConfigMap a/b", "AllowList c"]);
    assert_eq!(objects[1]["apiVersion"], "v1");
}

#[test]
fn mistakes_say_where_and_what() {
    let good = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}\n---\n";
    for (text, message) in [
        ("a: [\n", "line 3: is not YAML: unclosed bracket '['"),
        ("a: 1\na: 2\n", "line 4: is not YAML: duplicate mapping key: a"),
        (
            "just text\n",
            "document 2, line 3: expected an object with `apiVersion`, `kind` and `metadata`, found something else",
        ),
        ("\n\nkind: Pod\n", "document 2, line 5: has no `apiVersion`"),
        ("{apiVersion: v1, metadata: {name: a}}\n", "document 2, line 3: has no `kind`"),
        ("{apiVersion: 1, kind: Pod}\n", "document 2, line 3: `apiVersion` must be a text"),
        ("{apiVersion: v1, kind: Pod}\n", "document 2, line 3: Pod has no `metadata.name`"),
        (
            "{apiVersion: batch/v1, kind: Job, metadata: {generateName: load-}}\n",
            "document 2, line 3: Job has `metadata.generateName` and no name: the cluster would choose one, and the \
             object could not be found again; give it a name",
        ),
        (
            "{apiVersion: v1, kind: Namespace, metadata: {name: 123}}\n",
            "document 2, line 3: the name of Namespace must be a text: put 123 in quotes",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {example.com/on: true}}}\n",
            "document 2, line 3: `example.com/on` in the annotations of Pod a must be a text: put true in quotes",
        ),
        (
            "{apiVersion: v2, kind: ConfigMap, metadata: {name: a, namespace: shop}}\n",
            "document 2, line 3: ConfigMap shop/a is in document 1 already",
        ),
        (
            "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}\n",
            "document 2, line 3: Pod has no `metadata.name`",
        ),
    ] {
        assert_eq!(parse(&format!("{good}{text}")).unwrap_err().to_string(), message);
    }
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
    assert!(parse(bomb).is_err());
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err().to_string().starts_with("has 33554433 bytes"));
}

#[test]
fn the_order_to_apply_in() {
    let kinds = [
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ("apiregistration.k8s.io/v1", "APIService"),
        ("example.com/v1", "Widget"),
        ("networking.k8s.io/v1", "Ingress"),
        ("batch/v1", "CronJob"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "PersistentVolume"),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshot"),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent"),
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("storage.k8s.io/v1", "StorageClass"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("v1", "ServiceAccount"),
        ("v1", "ResourceQuota"),
        ("v1", "Namespace"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ];
    let mut objects: Vec<Value> = kinds
        .iter()
        .map(|(api_version, kind)| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}))
        .collect();
    order(&mut objects);
    let got: Vec<&str> = objects.iter().map(object::kind).collect();
    // Backwards, but for those of one rank, which stay as they were.
    let wanted = [
        "CustomResourceDefinition",
        "Namespace",
        "ResourceQuota",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "StorageClass",
        "ConfigMap",
        "Secret",
        "VolumeSnapshotContent",
        "VolumeSnapshot",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Service",
        "StatefulSet",
        "Deployment",
        "CronJob",
        "Ingress",
        "Widget",
        "APIService",
        "ValidatingWebhookConfiguration",
    ];
    assert_eq!(got, wanted);
    let waves = waves(&objects);
    assert_eq!(waves.len(), 2);
    assert_eq!((waves[0].objects.len(), waves[0].establish.as_slice()), (1, &["a"][..]));
    assert_eq!((waves[1].objects.len(), waves[1].establish.is_empty()), (20, true));
}

#[test]
fn waves_are_never_empty() {
    assert_eq!(waves(&[]), []);
    let plain = [json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})];
    assert_eq!(waves(&plain), [Wave { objects: &plain, establish: vec![] }]);
}

#[test]
fn what_a_cluster_wrote_is_taken_out() {
    let mut object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "status": {"a": 1}, "data": {"k": "v"},
        "metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "generation": 2, "managedFields": [],
                     "creationTimestamp": "2026-11-21T02:00:00Z", "labels": {"app": "a"}}
    });
    portable(&mut object);
    assert_eq!(
        object,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"}, "metadata": {"name": "a", "labels": {"app": "a"}}})
    );
}
