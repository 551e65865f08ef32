//! `PersistentVolumeClaim` and `PersistentVolume`.
//!
//! Duty: whether a claim has its volume, and why not. It must not decide when to look: a claim whose class waits for
//! its first consumer is bound only after the workload that mounts it, and says so.

use serde_json::Value;

use super::{Around, Verdict, failed, pending};
use crate::kube::object;

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// Set by the scheduler when a pod that uses the claim has got a node.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A claim is ready when it is bound.
pub(super) fn claim(object: &Value, around: &Around<'_>) -> Verdict {
    let volume = object::text(object, "/spec/volumeName");
    match object::text(object, "/status/phase") {
        "Bound" => return Ok(()),
        "Lost" => {
            return failed(format!(
                "has lost its volume: PersistentVolume {volume} is gone or belongs to another claim; its data is \
                 reachable only through the storage itself"
            ));
        }
        _ => {}
    }
    if !volume.is_empty() {
        return pending(format!("waits to be bound to PersistentVolume {volume}, which it names"));
    }
    let name = object.pointer("/spec/storageClassName").and_then(Value::as_str);
    if name == Some("") {
        return pending("waits for a volume that somebody makes by hand: it asks for no storage class");
    }
    let Some(classes) = around.storage_classes else { return pending("has no volume yet") };
    let class = match name {
        Some(name) => classes.iter().find(|class| object::name(class) == name),
        None => classes.iter().find(|class| object::annotation(class, DEFAULT_CLASS) == Some("true")),
    };
    let Some(class) = class else {
        return pending(match name {
            Some(name) => format!("its storage class `{name}` does not exist in this cluster"),
            None => "names no storage class, and this cluster has no default one".to_owned(),
        });
    };
    let name = object::name(class);
    if let Some(node) = object::annotation(object, SELECTED_NODE) {
        return pending(format!("its volume of storage class `{name}` is being made for node {node}"));
    }
    if object::text(class, "/volumeBindingMode") == "WaitForFirstConsumer" {
        return pending(format!(
            "waits for its first consumer: storage class `{name}` makes a volume only when a pod uses the claim; check \
             it after the workload that mounts it"
        ));
    }
    pending(format!("waits for `{}` to make its volume (storage class `{name}`)", object::text(class, "/provisioner")))
}

/// A volume is ready when it is bound, or can be.
pub(super) fn volume(object: &Value) -> Verdict {
    let claim = || {
        format!("{}/{}", object::text(object, "/spec/claimRef/namespace"), object::text(object, "/spec/claimRef/name"))
    };
    match object::text(object, "/status/phase") {
        "Bound" | "Available" => Ok(()),
        // A retained volume keeps its claimRef, and with it is bound to nobody.
        "Released" => failed(match object::text(object, "/spec/persistentVolumeReclaimPolicy") {
            "Delete" => format!("its claim {} is gone, and it is to be deleted", claim()),
            _ => format!(
                "is still reserved for {}, which is gone; clear spec.claimRef to let it be bound again",
                claim()
            ),
        }),
        "Failed" => failed(format!("could not be reclaimed ({})", object::text(object, "/status/message"))),
        _ => pending("is not available yet"),
    }
}
