//! What a cluster has written into an object.
//!
//! Duty: taking it out, so that what was read can be written again, there or elsewhere. What an author or a controller
//! wants of the object stays.

use serde_json::Value;

/// Takes out what belongs to the life of one object in one cluster: its status, uid, versions, times and bookkeeping.
/// With them a write would be refused, or would mean an object that is gone.
pub fn portable(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for field in [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    ] {
        metadata.remove(field);
    }
}
