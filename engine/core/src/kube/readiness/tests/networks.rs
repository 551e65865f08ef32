//! Service, Ingress, Gateway, routes.

use serde_json::{Value, json};

use super::*;

#[test]
fn services() {
    let service = |spec: Value, ingress: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api", "namespace": "shop"},
               "spec": spec, "status": {"loadBalancer": {"ingress": ingress}}})
    };
    let slice = |ready: bool| {
        json!({"metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "api"}},
               "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]})
    };
    let (up, down) = ([slice(true)], [slice(false)]);
    let around = |slices| Around { endpoint_slices: slices, ..Around::alone(now()) };
    let plain = service(json!({"selector": {"app": "api"}}), json!([]));
    let balanced = |ingress: Value| service(json!({"type": "LoadBalancer", "selector": {"app": "api"}}), ingress);
    let nobody = pending("has no ready endpoint: no pod that it selects is ready");
    for (object, slices, wanted) in [
        (plain.clone(), None, ready()),
        (plain.clone(), Some(&up[..]), ready()),
        (plain.clone(), Some(&down[..]), nobody.clone()),
        (plain, Some(&[][..]), nobody),
        (service(json!({}), json!([])), Some(&[][..]), ready()),
        (service(json!({"type": "ExternalName", "selector": {"a": "b"}}), json!([])), Some(&[][..]), ready()),
        (balanced(json!([])), Some(&up[..]), pending("its load balancer has no address yet")),
        (balanced(json!([{"ports": []}])), None, pending("its load balancer has no address yet")),
        (balanced(json!([{"ip": "192.0.2.7"}])), Some(&up[..]), ready()),
        (balanced(json!([{"hostname": "lb.example.net"}])), None, ready()),
    ] {
        check(&object, &around(slices), &wanted);
    }
    let ingress = |points: Value| {
        object("networking.k8s.io/v1", "Ingress", json!({}), json!({"loadBalancer": {"ingress": points}}))
    };
    check_all([(ingress(json!([{"ip": "192.0.2.7"}])), ready()), (ingress(json!([])), pending("has no address yet"))]);
}

fn at(kind: &str, status: &str, generation: i64) -> Value {
    let mut condition = condition(kind, status, "Reason", "text");
    condition["observedGeneration"] = generation.into();
    condition
}

#[test]
fn gateways() {
    let gateway = |own: Value, listener: Value| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
               "metadata": {"name": "edge", "namespace": "shop", "generation": 4},
               "status": {"conditions": own, "listeners": [{"name": "https", "conditions": listener}]}})
    };
    let good = || json!([at("Accepted", "True", 4), at("Programmed", "True", 4)]);
    let heard = || json!([at("Accepted", "True", 4), at("ResolvedRefs", "True", 4), at("Programmed", "True", 4)]);
    let mut conflict = heard();
    conflict.as_array_mut().unwrap().push(at("Conflicted", "True", 4));
    check_all([
        (gateway(good(), heard()), ready()),
        (gateway(json!([]), heard()), pending("has no condition Accepted yet")),
        (
            gateway(json!([at("Accepted", "True", 4), at("Programmed", "False", 4)]), heard()),
            pending("is not programmed (Reason: text)"),
        ),
        (
            gateway(json!([at("Accepted", "True", 3)]), heard()),
            pending("has a condition Accepted of generation 3, the object is at 4"),
        ),
        (
            gateway(good(), json!([at("Accepted", "True", 4), at("ResolvedRefs", "False", 4)])),
            pending("its listener `https` refers to what is not there or not allowed (Reason: text)"),
        ),
        (gateway(good(), conflict), pending("its listener `https` is in conflict with another one (Reason: text)")),
    ]);
}

#[test]
fn routes() {
    let route = |parents: Value, statuses: Value| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
               "metadata": {"name": "api", "namespace": "shop", "generation": 4},
               "spec": {"parentRefs": parents}, "status": {"parents": statuses}})
    };
    let good = || json!([at("Accepted", "True", 4), at("ResolvedRefs", "True", 4)]);
    let full = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "shop", "name": "edge"});
    let of = |reference: Value, conditions: Value| json!({"parentRef": reference, "conditions": conditions});
    let mut partly = good();
    partly.as_array_mut().unwrap().push(at("PartiallyInvalid", "True", 4));
    check_all([
        (route(json!([{"name": "edge"}]), json!([of(full.clone(), good())])), ready()),
        (
            route(json!([{"name": "edge"}, {"name": "inner"}]), json!([of(full.clone(), good())])),
            pending("its parent `inner` has not taken notice of it"),
        ),
        (
            route(json!([{"name": "edge", "sectionName": "https"}]), json!([of(full.clone(), good())])),
            pending("its parent `edge` has not taken notice of it"),
        ),
        (
            route(json!([{"name": "edge"}]), json!([of(full.clone(), json!([at("Accepted", "False", 4)]))])),
            pending("for its parent `edge` it is not accepted (Reason: text)"),
        ),
        (
            route(
                json!([{"name": "edge"}]),
                json!([of(full.clone(), json!([at("Accepted", "True", 4), at("ResolvedRefs", "False", 4)]))]),
            ),
            pending("for its parent `edge` it refers to what is not there or not allowed (Reason: text)"),
        ),
        (
            route(json!([{"name": "edge"}]), json!([of(full.clone(), json!([at("Accepted", "True", 3)]))])),
            pending("for its parent `edge` it has a condition Accepted of generation 3, the object is at 4"),
        ),
        (
            route(json!([{"name": "edge"}]), json!([of(full.clone(), partly)])),
            pending("for its parent `edge` it is partly invalid (Reason: text)"),
        ),
        // A status that a former parent left behind.
        (
            route(
                json!([{"name": "edge"}]),
                json!([of(full, good()), of(json!({"name": "old"}), json!([at("Accepted", "False", 2)]))]),
            ),
            ready(),
        ),
    ]);
}
