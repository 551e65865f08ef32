//! What has come by.

use std::collections::BTreeMap;

/// Requests by what they asked for, and watches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    requests: BTreeMap<(String, String), usize>,
    /// Watches that are open now.
    pub open_watches: usize,
    /// Watches that were asked for.
    pub total_watches: usize,
    /// Connections that were accepted.
    pub connections: usize,
}

impl Counts {
    /// How many requests had this verb (`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`,
    /// `deletecollection`) and resource (`deployments`, `pods/log`; a path, such as `/version`, when there is none).
    #[must_use]
    pub fn of(&self, verb: &str, resource: &str) -> usize {
        self.requests.get(&(verb.to_owned(), resource.to_owned())).copied().unwrap_or(0)
    }

    /// All requests, by verb and resource.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        self.requests.iter().map(|((verb, resource), count)| (verb.as_str(), resource.as_str(), *count))
    }

    /// How many requests there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.requests.values().sum()
    }

    /// How many requests wanted to change something.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.all().filter(|(verb, ..)| !["get", "list", "watch"].contains(verb)).map(|(.., count)| count).sum()
    }

    pub(super) fn add(&mut self, asked: &Asked) {
        *self.requests.entry((asked.verb.to_owned(), asked.resource.clone())).or_default() += 1;
        if asked.verb == "watch" {
            self.total_watches += 1;
        }
    }

    pub(super) fn reset(&mut self) {
        *self = Self { open_watches: self.open_watches, ..Self::default() };
    }
}

/// A request, in the words of RBAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) verb: &'static str,
    pub(super) resource: String,
    pub(super) path: String,
}

impl Asked {
    /// From what is on the wire.
    pub(super) fn new(method: &str, path: &str, query: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // What follows the group and its version.
        let rest = match parts.as_slice() {
            ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
            _ => &[],
        };
        let rest = match rest {
            // Also the namespace itself is found below `namespaces`.
            ["namespaces", _, "status" | "finalize"] => rest,
            ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
            _ => rest,
        };
        let resource = match rest {
            [] => path.to_owned(),
            [plural] | [plural, _] => (*plural).to_owned(),
            [plural, _, below, ..] => format!("{plural}/{below}"),
        };
        let named = rest.len() > 1;
        let watch = query.split('&').any(|part| ["watch=true", "watch=1", "watch"].contains(&part));
        let verb = match method {
            "GET" | "HEAD" if watch => "watch",
            "GET" | "HEAD" if named || rest.is_empty() => "get",
            "GET" | "HEAD" => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if named => "delete",
            "DELETE" => "deletecollection",
            _ => "other",
        };
        Self { verb, resource, path: path.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn requests_are_told_in_the_words_of_rbac() {
        let is = |method: &str, path: &str, query: &str, verb: &str, resource: &str| {
            let asked = Asked::new(method, path, query);
            assert_eq!((asked.verb, asked.resource.as_str()), (verb, resource), "{method} {path}?{query}");
        };
        is("GET", "/version", "", "get", "/version");
        is("GET", "/apis/apps/v1", "", "get", "/apis/apps/v1");
        is("GET", "/api/v1/namespaces", "limit=5", "list", "namespaces");
        is("GET", "/api/v1/namespaces/a", "", "get", "namespaces");
        is("PATCH", "/api/v1/namespaces/a/status", "", "patch", "namespaces/status");
        is("GET", "/api/v1/namespaces/a/pods", "watch=true&resourceVersion=1", "watch", "pods");
        is("GET", "/api/v1/namespaces/a/pods/b/log", "follow=true", "get", "pods/log");
        is("POST", "/apis/apps/v1/namespaces/a/deployments", "", "create", "deployments");
        is("PUT", "/apis/apps/v1/namespaces/a/deployments/b/scale", "", "update", "deployments/scale");
        is("DELETE", "/api/v1/nodes/a", "", "delete", "nodes");
        is("DELETE", "/api/v1/namespaces/a/pods", "", "deletecollection", "pods");
    }
}
