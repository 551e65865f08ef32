//! `flux-reconcile`: Flux brings a cluster to what Git says.

use lifeboat_core::{
    action::flux_reconcile::FluxReconcile,
    kube::{
        children::children,
        flux::{FORCE_AT, REQUESTED_AT, RESET_AT, current_revision, judge_flux},
        judged::Outcome,
        object::{self, text},
        revision,
    },
    model::Template,
};
use serde_json::{Value, json};

use super::{
    Context, Done, Found,
    gitops::{Controller, Look, follow, same, there},
    inventory,
    objects::{self, Target},
    or,
};

/// Which group has a kind, and which controller looks at it.
const KINDS: [(&str, &str, &str); 7] = [
    ("Kustomization", "kustomize.toolkit.fluxcd.io", "kustomize-controller"),
    ("HelmRelease", "helm.toolkit.fluxcd.io", "helm-controller"),
    ("GitRepository", "source.toolkit.fluxcd.io", "source-controller"),
    ("OCIRepository", "source.toolkit.fluxcd.io", "source-controller"),
    ("HelmRepository", "source.toolkit.fluxcd.io", "source-controller"),
    ("HelmChart", "source.toolkit.fluxcd.io", "source-controller"),
    ("Bucket", "source.toolkit.fluxcd.io", "source-controller"),
];
/// How often a request is made again that somebody else's has taken the place of.
const TRIES: usize = 5;
/// A source of a source of a source: more there never are.
const DEEPEST: usize = 3;

/// How an object has ended.
enum End {
    Well(Value),
    Badly(Value, String),
    /// Somebody has asked after us, so that nobody will ever answer us.
    Overwritten,
}

async fn target(cx: &Context<'_>, kind: &str, namespace: &str, name: &str) -> Result<Target, String> {
    let Some((kind, group, _)) = KINDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(kind)) else {
        let kinds = KINDS.map(|(kind, ..)| kind).join(", ");
        return Err(format!("kind: expected one of {kinds}, found `{kind}`"));
    };
    let kind =
        cx.ask.kind(&format!("{kind}.{group}"), None).await.map_err(|why| format!("Flux is not there: {why}"))?;
    Target::new(kind, Some(namespace), name)
}

fn wanted(flux: &FluxReconcile) -> Option<&str> {
    flux.revision.as_ref().map(Template::as_str).map(str::trim).filter(|revision| !revision.is_empty())
}

pub(super) async fn prepare(cx: &Context<'_>, flux: &FluxReconcile) -> Result<Found, String> {
    let kind = or(flux.kind.as_ref(), "Kustomization");
    let target = target(cx, kind, or(flux.namespace.as_ref(), "flux-system"), flux.name.as_str()).await?;
    let object = there(cx, &target).await?;
    let token = token(cx, &object);
    ready_to_ask(&target, &object, &token)?;
    if (flux.force || flux.reset) && target.kind.kind != "HelmRelease" {
        return Err(format!("expected a HelmRelease for `force` and `reset`, found a {}", target.kind.kind));
    }
    if flux.children {
        if !matches!(target.kind.kind.as_str(), "Kustomization" | "HelmRelease") {
            return Err(format!("children: expected a kind that applies objects, found a {}", target.kind.kind));
        }
        if object.pointer("/spec/kubeConfig").is_some_and(|config| !config.is_null()) {
            return Err(format!(
                "children: {} applies to another cluster (spec.kubeConfig), where this step cannot look; use `verify` with \
                 that cluster",
                target.shown
            ));
        }
    }
    let mut sources = Vec::new();
    if flux.with_source {
        for (source, object) in chain(cx, &target, &object).await? {
            ready_to_ask(&source, &object, &token)?;
            sources.push(facts(&source, &object));
        }
    }
    let at = current_revision(&object);
    cx.teller.say(&match at {
        "" => format!("asks for {}, which has no revision yet", target.shown),
        at => format!("asks for {}, which is at {at}", target.shown),
    });
    let mut facts = facts(&target, &object);
    facts["token"] = token.into();
    facts["sources"] = sources.into();
    Ok(Found { facts, ..Found::default() })
}

fn facts(target: &Target, object: &Value) -> Value {
    let mut facts = target.facts();
    facts["uid"] = object::uid(object).into();
    facts["generation"] = object::generation(object).into();
    facts["revisionBefore"] = Some(current_revision(object)).filter(|it| !it.is_empty()).into();
    facts
}

/// What the request is known by. An earlier attempt's request that is still going on is gone on with: a new one would make
/// Flux begin anew.
fn token(cx: &Context<'_>, object: &Value) -> String {
    let asked = object::annotation(object, REQUESTED_AT);
    let goes_on = |token: &&str| asked == Some(token) && text(object, "/status/lastHandledReconcileAt") != *token;
    let earlier = cx.earlier.iter().filter_map(|attempt| attempt.facts["token"].as_str());
    earlier.rev().find(goes_on).unwrap_or(&cx.order.object).to_owned()
}

/// Whether asking makes sense: what is suspended would never answer.
fn ready_to_ask(target: &Target, object: &Value, token: &str) -> Result<(), String> {
    match judge_flux(object, token, None).outcome {
        Outcome::Failed { why, .. } => Err(format!("{} {why}", target.shown)),
        Outcome::Pending { .. } | Outcome::Succeeded => Ok(()),
    }
}

/// What an object gets its contents from.
fn source(object: &Value) -> Option<(String, String, String)> {
    let of = |field: &str| object.pointer(field).filter(|it| it.is_object());
    let chart = text(object, "/status/helmChart");
    let reference = match object::kind(object) {
        // It makes a HelmChart of its own; before the first time there is only what that will be made from.
        "HelmRelease" => match (of("/spec/chartRef"), chart.split_once('/')) {
            (Some(reference), _) => reference,
            (None, Some((namespace, name))) => {
                return Some(("HelmChart".to_owned(), namespace.to_owned(), name.to_owned()));
            }
            (None, None) => of("/spec/chart/spec/sourceRef")?,
        },
        _ => of("/spec/sourceRef")?,
    };
    let namespace = match text(reference, "/namespace") {
        "" => object::namespace(object).unwrap_or_default(),
        namespace => namespace,
    };
    Some((text(reference, "/kind").to_owned(), namespace.to_owned(), text(reference, "/name").to_owned()))
}

/// Its source and the source of that, in the order in which they are reconciled.
async fn chain(cx: &Context<'_>, target: &Target, object: &Value) -> Result<Vec<(Target, Value)>, String> {
    let mut chain: Vec<(Target, Value)> = Vec::new();
    let mut next = source(object);
    if next.is_none() {
        return Err(format!("withSource: {} has no source of its own", target.shown));
    }
    while let Some((kind, namespace, name)) = next.take().filter(|_| chain.len() < DEEPEST) {
        let source = self::target(cx, &kind, &namespace, &name).await.map_err(|why| format!("withSource: {why}"))?;
        let found = there(cx, &source).await.map_err(|why| format!("withSource: {why}"))?;
        // Nothing reconciles it: the chart itself is fetched from there.
        if kind == "HelmRepository" && text(&found, "/spec/type") == "oci" {
            break;
        }
        next = self::source(&found);
        chain.push((source, found));
    }
    chain.reverse();
    Ok(chain)
}

pub(super) async fn carry_out(cx: &Context<'_>, flux: &FluxReconcile, found: &Value) -> Result<Done, String> {
    let token = text(found, "/token");
    for source in object::list(found, "/sources") {
        let target = Target::from_facts(cx.ask, source).await?;
        match reconcile(cx, &target, text(source, "/uid"), token, &[]).await? {
            Ok(object) => cx.teller.say(&format!("{} is at {}", target.shown, current_revision(&object))),
            Err((object, why)) => return Ok(Done::badly(result(&object, token), why)),
        }
    }
    let target = Target::from_facts(cx.ask, found).await?;
    let switches = [(FORCE_AT, flux.force), (RESET_AT, flux.reset)];
    let switches: Vec<&str> = switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
    let object = loop {
        let object = match reconcile(cx, &target, text(found, "/uid"), token, &switches).await? {
            Ok(object) => object,
            Err((object, why)) => return Ok(Done::badly(result(&object, token), why)),
        };
        match at_revision(cx, flux, &target, &object).await? {
            At::Wanted => break object,
            At::Soon(why) => cx.teller.say(&why),
            At::Never(why) => return Ok(Done::badly(result(&object, token), why)),
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    };
    if flux.children {
        let all = children(&object);
        let parent = object.clone();
        let behind = move |child: &Value| behind(child, &parent);
        if let Err(why) = inventory::ready(cx, &target.shown, &all, &behind).await? {
            return Ok(Done::badly(result(&object, token), why));
        }
    }
    cx.teller.say(&format!("{} is ready at {}", target.shown, current_revision(&object)));
    Ok(Done::well(result(&object, token)))
}

fn result(object: &Value, token: &str) -> Value {
    let ready = object::condition(object, "Ready");
    json!({
        "revision": current_revision(object),
        "token": token,
        "reason": ready.map_or("", |ready| ready.reason),
        "message": ready.map_or("", |ready| ready.message),
        "objects": children(object).len(),
    })
}

type Reconciled = Result<Value, (Value, String)>;

/// Has an object reconciled by the request of this token; if that was made before, it is only followed.
async fn reconcile(
    cx: &Context<'_>,
    target: &Target,
    uid: &str,
    token: &str,
    switches: &[&str],
) -> Result<Reconciled, String> {
    let (.., controller) = KINDS.iter().find(|(kind, ..)| *kind == target.kind.kind).unwrap_or(&KINDS[0]);
    let controller = Controller { kinds: &["Deployment"], label: "app.kubernetes.io/component", name: controller };
    for _ in 0..TRIES {
        request(cx, target, uid, token, switches).await?;
        let ended = follow(cx, target, uid, controller, |object| {
            let handled = text(object, "/status/lastHandledReconcileAt") == token;
            let at_work = object::condition(object, "Reconciling").is_some_and(|it| it.is_true());
            if !handled && object::annotation(object, REQUESTED_AT) != Some(token) {
                return Look::Ended(End::Overwritten);
            }
            match judge_flux(object, token, None).outcome {
                Outcome::Succeeded => Look::Ended(End::Well(object.clone())),
                Outcome::Failed { why, .. } => Look::Ended(End::Badly(object.clone(), why)),
                Outcome::Pending { progress } if handled || at_work => Look::Waits(progress),
                Outcome::Pending { progress } => Look::Unheard(progress),
            }
        });
        match ended.await? {
            End::Well(object) => return Ok(Ok(object)),
            End::Badly(object, why) => return Ok(Err((object, format!("{} {why}", target.shown)))),
            End::Overwritten => {
                cx.teller.say(&format!("{}: somebody else has asked at the same time; asks again", target.shown));
            }
        }
    }
    Err(format!(
        "{}: others ask for it again and again, so that nobody can tell whose request was handled",
        target.shown
    ))
}

/// Asks, unless that was done.
async fn request(cx: &Context<'_>, target: &Target, uid: &str, token: &str, switches: &[&str]) -> Result<(), String> {
    let object = same(cx, target, uid).await?;
    let asked = object::annotation(&object, REQUESTED_AT) == Some(token);
    if asked || text(&object, "/status/lastHandledReconcileAt") == token {
        cx.teller.say(&format!("{}: the request was made before; follows it", target.shown));
        return Ok(());
    }
    let mut annotations = json!({REQUESTED_AT: token});
    for switch in switches {
        annotations[switch] = token.into();
    }
    // The UID keeps it from another object of the name; twice the same token is one request.
    let patch = json!({"metadata": {"uid": uid, "annotations": annotations}});
    match objects::merge(cx.ask, &target.path, &patch).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_missing() || error.conflicts() => {
            same(cx, target, uid).await?;
            Err(error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the revision is the one that was asked for.
enum At {
    Wanted,
    Soon(String),
    Never(String),
}

/// A pinned revision is what must have been applied; with `withSource`, it is what the source has now.
async fn at_revision(cx: &Context<'_>, flux: &FluxReconcile, target: &Target, object: &Value) -> Result<At, String> {
    let have = current_revision(object);
    let pin = wanted(flux);
    if pin.is_some_and(|pin| same_revision(have, pin)) || (pin.is_none() && !flux.with_source) {
        return Ok(At::Wanted);
    }
    let Some((kind, namespace, name)) = source(object) else {
        let pin = pin.unwrap_or_default();
        return Ok(At::Never(format!("{} is at {}, wanted is {pin}", target.shown, nothing(have))));
    };
    let source = self::target(cx, &kind, &namespace, &name).await?;
    let there = there(cx, &source).await?;
    let offers = current_revision(&there);
    Ok(match pin {
        Some(pin) if same_revision(offers, pin) => {
            At::Soon(format!("{} is at {}; its source has {offers}", target.shown, nothing(have)))
        }
        Some(pin) => At::Never(format!(
            "{} is at {}, wanted is {pin}; its source {} is at {}",
            target.shown,
            nothing(have),
            source.shown,
            nothing(offers)
        )),
        // The version of a chart is not what its repository calls its own index.
        None if same_revision(have, offers) || target.kind.kind == "HelmRelease" => At::Wanted,
        None => At::Soon(format!("{} is at {}; its source has {offers}", target.shown, nothing(have))),
    })
}

/// A chart from an OCI registry has the digest behind its version: `1.2.3+1234567890ab`.
fn same_revision(have: &str, wanted: &str) -> bool {
    revision::is(have, wanted) || have.split_once('+').is_some_and(|(version, _)| version == wanted)
}

fn nothing(revision: &str) -> &str {
    if revision.is_empty() { "no revision" } else { revision }
}

/// A Kustomization from the same source that still is at an older revision was ready before, and says so.
fn behind(child: &Value, parent: &Value) -> Option<String> {
    if object::kind(child) != "Kustomization" || source(child) != source(parent) {
        return None;
    }
    let (have, wanted) = (current_revision(child), current_revision(parent));
    (have != wanted).then(|| format!("is at {}, {} is at {wanted}", nothing(have), object::describe(parent)))
}
