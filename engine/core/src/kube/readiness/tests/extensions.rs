//! `CustomResourceDefinition` and `APIService`.

use serde_json::{Value, json};

use super::*;
use crate::kube::readiness::serves;

#[test]
fn definitions() {
    let definition = |served: bool, conditions: Value| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": "restores.velero.io", "generation": 1},
               "spec": {"versions": [{"name": "v1", "served": served}, {"name": "v2", "served": false}]},
               "status": {"conditions": conditions}})
    };
    let accepted = condition("NamesAccepted", "True", "NoConflicts", "no conflicts found");
    let established = |status: &str, reason: &str| condition("Established", status, reason, "text");
    check_all([
        (definition(true, json!([accepted, established("True", "InitialNamesAccepted")])), ready()),
        (definition(true, json!([])), pending("is not established yet")),
        (definition(true, json!([accepted, established("False", "Installing")])), pending("is not established yet")),
        (
            definition(true, json!([accepted, established("False", "NotAccepted")])),
            failed("is not established (NotAccepted: text)"),
        ),
        (
            definition(
                true,
                json!([condition("NamesAccepted", "False", "PluralConflict", "\"restores\" is already in use")]),
            ),
            failed(
                "its names are not accepted (PluralConflict: \"restores\" is already in use); another definition has them",
            ),
        ),
        (
            definition(false, json!([accepted, established("True", "InitialNamesAccepted")])),
            failed("serves no version; look at spec.versions"),
        ),
    ]);
    assert_eq!(serves(&definition(true, json!([])), "v1"), Ok(()));
    assert_eq!(serves(&definition(true, json!([])), "v2"), Err("does not serve v2, only v1".to_owned()));
    assert_eq!(serves(&definition(false, json!([])), "v1"), Err("does not serve v1, no version".to_owned()));
}

#[test]
fn aggregated_apis() {
    let api = |conditions: Value| {
        json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
               "metadata": {"name": "v1beta1.metrics.k8s.io"}, "status": {"conditions": conditions}})
    };
    check_all([
        (api(json!([condition("Available", "True", "Passed", "")])), ready()),
        (
            api(json!([condition(
                "Available",
                "False",
                "MissingEndpoints",
                "endpoints for service/metrics-server have no addresses"
            )])),
            pending("is not available (MissingEndpoints: endpoints for service/metrics-server have no addresses)"),
        ),
        (api(json!([])), pending("its availability is not known yet")),
    ]);
}
