//! Single objects: which one is meant, and where it is.

use lifeboat_core::model::Template;

use crate::cluster::{Ask, Kind};

/// An object, by its name.
pub(crate) struct Target {
    /// Its kind, as the server has it.
    pub kind: Kind,
    /// Where it is.
    pub path: String,
    /// For people: `Deployment shop/api`.
    pub shown: String,
}

impl Target {
    /// Finds out where an object is; not whether it is there.
    pub(crate) async fn of(
        ask: &Ask,
        kind: &Template,
        api_version: Option<&Template>,
        namespace: Option<&Template>,
        name: &Template,
    ) -> Result<Self, String> {
        let kind = ask.kind(kind.as_str(), api_version.map(Template::as_str)).await?;
        let namespace = namespace.map(Template::as_str).filter(|namespace| !namespace.is_empty());
        let path = kind.object(namespace, name.as_str())?;
        let shown = match namespace.filter(|_| kind.namespaced) {
            Some(namespace) => format!("{} {namespace}/{}", kind.kind, name.as_str()),
            None => format!("{} {}", kind.kind, name.as_str()),
        };
        Ok(Self { kind, path, shown })
    }
}
