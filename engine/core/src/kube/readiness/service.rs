//! Service and Ingress.
//!
//! Duty: whether they lead anywhere: an address outside, somebody behind. Whether that somebody answers is a check's
//! to find out.

use serde_json::Value;

use super::{Around, Verdict, pending};
use crate::kube::{endpoints, object};

/// A Service is ready when a load balancer that it asks for has an address, and, where slices were given and it
/// selects pods, at least one endpoint is ready.
pub(super) fn service(object: &Value, around: &Around<'_>) -> Verdict {
    let kind = object::text(object, "/spec/type");
    if kind == "ExternalName" {
        return Ok(());
    }
    if kind == "LoadBalancer" && !has_address(object) {
        return pending("its load balancer has no address yet");
    }
    let selects = object.pointer("/spec/selector").and_then(Value::as_object).is_some_and(|all| !all.is_empty());
    if let (true, Some(slices)) = (selects, around.endpoint_slices) {
        let namespace = object::namespace(object).unwrap_or("default");
        if endpoints::ready(slices, namespace, object::name(object)) == 0 {
            return pending("has no ready endpoint: no pod that it selects is ready");
        }
    }
    Ok(())
}

/// An Ingress says nothing but the address it got. Controllers that were not told to publish one leave it empty for
/// ever; then a request is the check to make.
pub(super) fn ingress(object: &Value) -> Verdict {
    if has_address(object) { Ok(()) } else { pending("has no address yet") }
}

fn has_address(object: &Value) -> bool {
    object::list(object, "/status/loadBalancer/ingress")
        .iter()
        .any(|point| !object::text(point, "/ip").is_empty() || !object::text(point, "/hostname").is_empty())
}
