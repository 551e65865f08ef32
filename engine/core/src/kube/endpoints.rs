//! Who stands behind a Service: the ready endpoints of its `EndpointSlice`s.
//!
//! Duty: counting. What a Service without endpoints means is for those who ask.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object;

/// The label by which an `EndpointSlice` says whose it is.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// How many endpoints of a Service are ready. One that has an IPv4 and an IPv6 address is in two slices, and counts
/// once; one that says nothing about being ready is (`discovery.k8s.io/v1` says so).
#[must_use]
pub fn ready(slices: &[Value], namespace: &str, service: &str) -> usize {
    let mine = slices.iter().filter(|slice| {
        object::namespace(slice) == Some(namespace) && object::label(slice, SERVICE_NAME) == Some(service)
    });
    let ready = mine
        .flat_map(|slice| object::list(slice, "/endpoints"))
        .filter(|endpoint| endpoint.pointer("/conditions/ready").and_then(Value::as_bool) != Some(false));
    let names: BTreeSet<&str> = ready
        .map(|endpoint| match object::text(endpoint, "/targetRef/name") {
            "" => object::text(endpoint, "/addresses/0"),
            name => name,
        })
        .collect();
    names.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice(service: &str, endpoints: &Value) -> Value {
        json!({
            "kind": "EndpointSlice",
            "metadata": {"name": format!("{service}-x"), "namespace": "shop", "labels": {SERVICE_NAME: service}},
            "endpoints": endpoints
        })
    }

    #[test]
    fn counts_ready_endpoints_once() {
        let pod = |name: &str, address: &str, ready: Value| json!({"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": name}});
        let slices = [
            slice("api", &json!([pod("a", "10.0.0.1", true.into()), pod("b", "10.0.0.2", false.into())])),
            slice("api", &json!([pod("a", "fd00::1", true.into()), {"addresses": ["10.0.0.9"]}])),
            slice("other", &json!([pod("c", "10.0.0.3", true.into())])),
            slice("empty", &json!(null)),
        ];
        for (namespace, service, count) in
            [("shop", "api", 2), ("shop", "other", 1), ("shop", "empty", 0), ("elsewhere", "api", 0), ("shop", "no", 0)]
        {
            assert_eq!(ready(&slices, namespace, service), count, "{namespace}/{service}");
        }
    }
}
