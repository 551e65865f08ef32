//! `can-i`: what somebody may do.
//!
//! Duty: to ask the API server, and to say when it could not tell.

use lifeboat_core::{check::can_i::Order, model::Template};
use serde_json::{Value, json};

use super::Context;

pub(super) async fn observe(order: &Order, cx: &Context) -> Result<Value, String> {
    let spec = &order.spec;
    let text = |text: &Option<Template>| text.as_ref().map_or("", Template::as_str).to_owned();
    let cluster = cx.clusters.get(&order.cluster, cx.step.as_deref()).await.map_err(|why| why.to_string())?;
    let ask = cluster.ask(cx.step.as_deref());
    let mut attributes = json!({
        "verb": spec.verb.as_str(),
        "group": text(&spec.group),
        "resource": spec.resource.as_str(),
    });
    for (name, value) in [("subresource", &spec.subresource), ("name", &spec.name), ("namespace", &spec.namespace)] {
        if value.is_some() {
            attributes[name] = text(value).into();
        }
    }
    let groups: Vec<&str> = spec.groups.iter().map(Template::as_str).collect();
    let (kind, who, subject) = match (&spec.service_account, &spec.user) {
        (Some(account), _) => {
            let account = account.as_str();
            let (namespace, name) = account
                .split_once('/')
                .ok_or_else(|| format!("serviceAccount: expected `<namespace>/<name>`, found `{account}`"))?;
            // A user without groups is in none, so that bindings to them would be missed.
            let mut all = vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ];
            all.extend(groups.iter().map(|group| (*group).to_owned()));
            let user = format!("system:serviceaccount:{namespace}:{name}");
            ("SubjectAccessReview", format!("service account {account}"), json!({"user": user, "groups": all}))
        }
        (None, Some(user)) => {
            let user = user.as_str();
            ("SubjectAccessReview", format!("user {user}"), json!({"user": user, "groups": groups}))
        }
        (None, None) => ("SelfSubjectAccessReview", "the engine".to_owned(), json!({})),
    };
    let mut review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": kind,
        "spec": {"resourceAttributes": attributes},
    });
    for (name, value) in subject.as_object().into_iter().flatten() {
        review["spec"][name] = value.clone();
    }
    let path = format!("/apis/authorization.k8s.io/v1/{}s", kind.to_lowercase());
    let answer = ask.review(&path, &review).await?;
    let status = &answer["status"];
    let allowed = status["allowed"].as_bool().unwrap_or_default();
    let trouble = status["evaluationError"].as_str().unwrap_or_default();
    if !allowed && !trouble.is_empty() {
        // Not a no: some authorizer could not be asked.
        return Err(format!("the API server could not tell: {trouble}"));
    }
    Ok(json!({"allowed": allowed, "reason": status["reason"].as_str().unwrap_or_default(), "as": who}))
}
