//! Claims, volumes and snapshots.

use serde_json::{Value, json};

use super::*;

fn claim(spec: Value, status: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"},
           "spec": spec, "status": status})
}

fn classes() -> [Value; 2] {
    [
        json!({"metadata": {"name": "zonal"}, "provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"}),
        json!({"metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
               "provisioner": "rbd.csi.ceph.com", "volumeBindingMode": "Immediate"}),
    ]
}

#[test]
fn claims() {
    let waits = json!({"phase": "Pending"});
    let classes = classes();
    let around = Around { storage_classes: Some(&classes), ..Around::alone(now()) };
    let none = Around { storage_classes: Some(&[]), ..Around::alone(now()) };
    let alone = Around::alone(now());
    let zonal = claim(json!({"storageClassName": "zonal"}), waits.clone());
    let mut selected = zonal.clone();
    selected["metadata"]["annotations"] = json!({"volume.kubernetes.io/selected-node": "node-a"});
    let unnamed = claim(json!({}), waits.clone());
    for (object, around, wanted) in [
        (claim(json!({}), json!({"phase": "Bound"})), &around, ready()),
        (
            claim(json!({"volumeName": "pvc-1"}), json!({"phase": "Lost"})),
            &around,
            failed(
                "has lost its volume: PersistentVolume pvc-1 is gone or belongs to another claim; its data is reachable \
                 only through the storage itself",
            ),
        ),
        (
            zonal.clone(),
            &around,
            pending(
                "waits for its first consumer: storage class `zonal` makes a volume only when a pod uses the claim; \
                 check it after the workload that mounts it",
            ),
        ),
        (selected, &around, pending("its volume of storage class `zonal` is being made for node node-a")),
        (zonal.clone(), &none, pending("its storage class `zonal` does not exist in this cluster")),
        (zonal, &alone, pending("has no volume yet")),
        (unnamed.clone(), &around, pending("waits for `rbd.csi.ceph.com` to make its volume (storage class `fast`)")),
        (unnamed, &none, pending("names no storage class, and this cluster has no default one")),
        (
            claim(json!({"storageClassName": ""}), waits.clone()),
            &around,
            pending("waits for a volume that somebody makes by hand: it asks for no storage class"),
        ),
        (
            claim(json!({"storageClassName": "", "volumeName": "pv-7"}), waits),
            &around,
            pending("waits to be bound to PersistentVolume pv-7, which it names"),
        ),
        (claim(json!({}), json!(null)), &alone, pending("has no volume yet")),
    ] {
        check(&object, around, &wanted);
    }
}

#[test]
fn volumes() {
    let volume = |phase: &str, policy: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-7"},
               "spec": {"persistentVolumeReclaimPolicy": policy, "claimRef": {"namespace": "shop", "name": "data"}},
               "status": {"phase": phase, "message": "no such disk"}})
    };
    check_all([
        (volume("Bound", "Retain"), ready()),
        (volume("Available", "Retain"), ready()),
        (volume("Pending", "Retain"), pending("is not available yet")),
        (
            volume("Released", "Retain"),
            failed("is still reserved for shop/data, which is gone; clear spec.claimRef to let it be bound again"),
        ),
        (volume("Released", "Delete"), failed("its claim shop/data is gone, and it is to be deleted")),
        (volume("Failed", "Delete"), failed("could not be reclaimed (no such disk)")),
    ]);
}

#[test]
fn snapshots() {
    let snapshot = |kind: &str, status: Value| object("snapshot.storage.k8s.io/v1", kind, json!({}), status);
    check_all([
        (snapshot("VolumeSnapshot", json!({"readyToUse": true, "boundVolumeSnapshotContentName": "c"})), ready()),
        (
            snapshot("VolumeSnapshot", json!({"readyToUse": true})),
            pending("is not bound to a VolumeSnapshotContent yet"),
        ),
        (
            snapshot("VolumeSnapshot", json!({"readyToUse": false, "boundVolumeSnapshotContentName": "c"})),
            pending("is not ready to use yet"),
        ),
        (
            snapshot("VolumeSnapshotContent", json!({"readyToUse": false, "error": {"message": "rpc error: quota"}})),
            pending("its last attempt failed (rpc error: quota); the snapshot controller tries again"),
        ),
        (snapshot("VolumeSnapshotContent", json!({"readyToUse": true, "error": null})), ready()),
        (snapshot("VolumeSnapshotContent", json!({})), pending("is not ready to use yet")),
    ]);
}
