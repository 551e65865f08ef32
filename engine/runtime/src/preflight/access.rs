//! The rights that the plan needs, each asked of the API server once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use lifeboat_core::{
    evidence::event::{Finding, Severity},
    kube::{
        access::{Access, Attributes, judge_review, self_subject_access_review},
        object, words,
    },
    machine::needs::{By, Place, What},
};
use serde_json::{Value, json};

use super::site::{Lost, Site, users};

/// Where the questions go.
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// Where it is asked who is asking.
const WHO: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
/// For so many names it is asked one by one.
const MOST_NAMES: usize = 20;

/// Objects that rights are about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Objects {
    group: String,
    resource: String,
    subresource: String,
    /// Empty: in all namespaces, or in none.
    namespace: String,
}

impl Objects {
    fn attributes<'a>(&'a self, verb: &'a str, name: &'a str) -> Attributes<'a> {
        Attributes {
            verb,
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            namespace: &self.namespace,
            name,
            ..Attributes::default()
        }
    }

    /// `deployments.apps/scale`.
    fn shown(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let below = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        format!("{}{group}{below}", self.resource)
    }
}

/// A right, and who needs it.
#[derive(Debug, Default)]
struct Wanted {
    /// Single objects; empty: any.
    names: BTreeSet<String>,
    /// It is done to any object.
    any: bool,
    /// All do without it.
    optional: bool,
    by: Vec<By>,
}

/// Rights to the same objects that are refused for the same reason.
#[derive(Debug, Default)]
struct Refused<'a> {
    verbs: Vec<&'a str>,
    by: Vec<&'a By>,
}

/// What came of a question.
enum Answered {
    Yes,
    No(String),
    Unclear(String),
}

pub(super) async fn look(site: &Site<'_>) -> Result<Vec<Finding>, Lost> {
    let (wanted, later) = wanted(site);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (who, answers) = tokio::join!(
        who(site),
        join_all(wanted.iter().map(|((objects, verb), wanted)| ask(site, objects, verb, wanted)))
    );
    let who = who?;
    let mut refused: BTreeMap<(&Objects, bool, String), Refused<'_>> = BTreeMap::new();
    let (mut unclear, mut allowed) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for (((objects, verb), wanted), answer) in wanted.iter().zip(answers) {
        match answer? {
            Answered::Yes => allowed.push(objects.attributes(verb, "").to_string()),
            Answered::No(reason) => {
                let refused = refused.entry((objects, wanted.optional, reason)).or_default();
                refused.verbs.push(verb);
                refused.by.extend(&wanted.by);
            }
            Answered::Unclear(why) => {
                unclear.entry(why).or_default().push(objects.attributes(verb, "").to_string());
            }
        }
    }
    let mut findings = Vec::new();
    if !allowed.is_empty() {
        let all = words::count(i64::try_from(wanted.len()).unwrap_or(i64::MAX), "right");
        let count =
            if allowed.len() == wanted.len() { format!("all {all}") } else { format!("{} of {all}", allowed.len()) };
        let later =
            if later == 0 { String::new() } else { format!("; {later} in namespaces that are known only later") };
        let found = format!(
            "{count}{}: {}{later}",
            who.as_ref().map(|who| format!(" of {who}")).unwrap_or_default(),
            words::list(&allowed, 4)
        );
        findings.push(Finding::met("the rights that its steps need", found));
    }
    for ((objects, optional, reason), refused) in refused {
        findings.push(refusal(site, objects, optional, &reason, &refused, who.as_deref()));
    }
    for (why, rights) in unclear {
        let requirement = format!("the right to {}", words::list(&rights, 4));
        let found = format!("no yes and no no: {why}");
        let help = "one of the API server's authorizers fails: whether it is allowed shows when it is tried";
        findings.push(Finding::missing(requirement, found, help).severity(Severity::Warning));
    }
    Ok(findings)
}

/// Every right once, and how many cannot be asked for yet.
fn wanted(site: &Site<'_>) -> (BTreeMap<(Objects, String), Wanted>, usize) {
    let mut all: BTreeMap<(Objects, String), Wanted> = BTreeMap::new();
    let mut later = 0;
    for need in &site.rights {
        let (group, resource, namespaced) = match (&need.what, site.find(&need.what)) {
            (What::Resource { group, resource }, _) => (group.clone(), resource.clone(), true),
            (_, Some(Ok(kind))) => (kind.group, kind.plural, kind.namespaced),
            // That it is not served is told.
            _ => continue,
        };
        let namespace = match &need.place {
            Place::Namespace(namespace) if namespaced => namespace.clone(),
            Place::Namespace(_) | Place::All => String::new(),
            Place::Unknown if !namespaced => String::new(),
            Place::Unknown => {
                later += need.verbs.len();
                continue;
            }
        };
        let subresource = need.subresource.clone().unwrap_or_default();
        let objects = Objects { group, resource, subresource, namespace };
        for verb in &need.verbs {
            let wanted = all
                .entry((objects.clone(), verb.clone()))
                .or_insert_with(|| Wanted { optional: true, ..Wanted::default() });
            // What one step does without, another one may have to have.
            if !need.optional && wanted.optional {
                *wanted = Wanted::default();
            }
            if need.optional == wanted.optional {
                wanted.any |= need.names.is_empty();
                wanted.names.extend(need.names.iter().cloned());
                wanted.by.extend(need.by.iter().cloned());
            }
        }
    }
    (all, later)
}

async fn ask(site: &Site<'_>, objects: &Objects, verb: &str, wanted: &Wanted) -> Result<Answered, Lost> {
    let answer = review(site, &objects.attributes(verb, "")).await?;
    if wanted.any || wanted.names.len() > MOST_NAMES || !matches!(answer, Answered::No(_)) {
        return Ok(answer);
    }
    // It may be allowed for these objects alone.
    let names: Vec<&String> = wanted.names.iter().collect();
    for answer in join_all(names.iter().map(|name| async { review(site, &objects.attributes(verb, name)).await })).await
    {
        match answer? {
            Answered::Yes => {}
            answer => return Ok(answer),
        }
    }
    Ok(Answered::Yes)
}

async fn review(site: &Site<'_>, attributes: &Attributes<'_>) -> Result<Answered, Lost> {
    Ok(match site.review(REVIEWS, &self_subject_access_review(attributes)).await? {
        Ok(review) => match judge_review(&review) {
            Access::Allowed => Answered::Yes,
            Access::Denied { reason } => Answered::No(reason),
            Access::Inconclusive { why } => Answered::Unclear(why),
        },
        Err(error) => Answered::Unclear(words::quote(&error.message)),
    })
}

/// Whose rights these are; servers before 1.28 do not say.
async fn who(site: &Site<'_>) -> Result<Option<String>, Lost> {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = site.review(WHO, &review).await?;
    Ok(answer
        .ok()
        .map(|review| object::text(&review, "/status/userInfo/username").to_owned())
        .filter(|who| !who.is_empty()))
}

fn refusal(
    site: &Site<'_>,
    objects: &Objects,
    optional: bool,
    reason: &str,
    refused: &Refused<'_>,
    who: Option<&str>,
) -> Finding {
    let Refused { verbs, by } = refused;
    let place =
        if objects.namespace.is_empty() { String::new() } else { format!(" in namespace {}", objects.namespace) };
    let requirement =
        format!("the right to {} {}{place}{}", verbs.join(", "), objects.shown(), users(by.iter().copied()));
    let who = who.unwrap_or("the identity of this context");
    let (kind, place) = if objects.namespace.is_empty() {
        ("ClusterRole", String::new())
    } else {
        ("Role", format!(" in the namespace {}", objects.namespace))
    };
    let below = if objects.subresource.is_empty() { String::new() } else { format!("/{}", objects.subresource) };
    let help = format!(
        "give {who} a {kind}{place} with the rule {{apiGroups: [\"{}\"], resources: [{}{below}], verbs: [{}]}}",
        objects.group,
        objects.resource,
        verbs.join(", ")
    );
    let finding = Finding::missing(requirement, format!("none: {reason}"), help);
    if optional {
        let found = format!("{}; the step does without, but slower or not as exactly", finding.found);
        return Finding { found, ..finding }.severity(Severity::Warning);
    }
    let binds = |object: &Value| object::group(object) == "rbac.authorization.k8s.io";
    let by: Vec<By> = by.iter().map(|by| (*by).clone()).collect();
    match site.excuse(&by, |maker| site.applied_by(maker).iter().any(binds)) {
        Some(steps) => {
            let found = format!("{}; {steps} before may give it", finding.found);
            Finding { found, ..finding }.severity(Severity::Warning)
        }
        None => finding,
    }
}
