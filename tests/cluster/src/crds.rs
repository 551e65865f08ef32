//! Custom resource definitions, read out of the modules of the projects that own them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{Error, cache, go::Go};

const GO_MOD: &str = include_str!("../modules/crds/go.mod");
const GO_SUM: &str = include_str!("../modules/crds/go.sum");

/// Changed when what is read changes.
const RECIPE: &str = "1";

/// The custom resources of one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Crds {
    /// Sources, `Kustomization` and `HelmRelease` of Flux.
    Flux,
    /// `Application` and `AppProject` of Argo CD.
    ArgoCd,
    /// `Certificate`, `Issuer` and what belongs to them of cert-manager.
    CertManager,
    /// `VolumeSnapshot`, its class and its content.
    Snapshots,
    /// `ExternalSecret`, `SecretStore` and their cluster-wide kinds.
    ExternalSecrets,
    /// What Velero needs; a cluster with Velero has them anyway.
    Velero,
    /// `Logs` of kwok: what a pod has printed. A cluster with nodes has it anyway.
    Kwok,
}

/// A file of definitions: whose, of which module, where in it.
struct Source {
    set: Crds,
    module: &'static str,
    directory: &'static str,
    /// How the names of its files begin.
    files: &'static [&'static str],
}

const SOURCES: &[Source] = &[
    Source {
        set: Crds::Flux,
        module: "github.com/fluxcd/source-controller",
        directory: "config/crd/bases",
        files: &[""],
    },
    Source {
        set: Crds::Flux,
        module: "github.com/fluxcd/kustomize-controller",
        directory: "config/crd/bases",
        files: &[""],
    },
    Source {
        set: Crds::Flux,
        module: "github.com/fluxcd/helm-controller",
        directory: "config/crd/bases",
        files: &[""],
    },
    Source {
        set: Crds::ArgoCd,
        module: "github.com/argoproj/argo-cd/v3",
        directory: "manifests/crds",
        files: &["application-crd", "appproject-crd"],
    },
    Source {
        set: Crds::CertManager,
        module: "github.com/cert-manager/cert-manager",
        directory: "deploy/crds",
        files: &["cert-manager.io_", "acme.cert-manager.io_"],
    },
    Source {
        set: Crds::Snapshots,
        module: "github.com/kubernetes-csi/external-snapshotter/client/v8",
        directory: "config/crd",
        files: &["snapshot.storage.k8s.io_"],
    },
    Source {
        set: Crds::ExternalSecrets,
        module: "github.com/external-secrets/external-secrets",
        directory: "config/crds/bases",
        files: &["external-secrets.io_"],
    },
    Source {
        set: Crds::Velero,
        module: "github.com/vmware-tanzu/velero",
        directory: "config/crd/v1/bases",
        files: &["velero.io_"],
    },
    Source {
        set: Crds::Velero,
        module: "github.com/vmware-tanzu/velero",
        directory: "config/crd/v2alpha1/bases",
        files: &["velero.io_"],
    },
    Source {
        set: Crds::Kwok,
        module: "sigs.k8s.io/kwok",
        directory: "kustomize/crd/bases",
        files: &["kwok.x-k8s.io_logs"],
    },
];

impl Crds {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Flux, Self::ArgoCd, Self::CertManager, Self::Snapshots, Self::ExternalSecrets, Self::Velero, Self::Kwok];

    fn file(self) -> String {
        format!("{self:?}.json")
    }

    /// The definitions, as objects.
    pub(crate) fn read(self) -> Result<Vec<Value>, Error> {
        let directory = cache::directory()?.join(directory_name());
        let path = directory.join(self.file());
        if !path.is_file() {
            return Err(Error::NotBuilt { module: "crds", directory });
        }
        let text = fs::read(&path).map_err(Error::io(format!("reading {}", path.display())))?;
        serde_json::from_slice(&text).map_err(|error| Error::Input(format!("{}: {error}", path.display())))
    }
}

fn directory_name() -> String {
    let sources: Vec<String> =
        SOURCES.iter().map(|source| format!("{:?} {} {:?}", source.set, source.directory, source.files)).collect();
    format!("crds-{}", cache::digest(&[RECIPE, GO_MOD, GO_SUM, &sources.join("\n")]))
}

/// Whether [`fetch`] has nothing to do.
pub(crate) fn are_fetched() -> Result<bool, Error> {
    Ok(cache::directory()?.join(directory_name()).is_dir())
}

/// Downloads the modules unless that has been done, and keeps the definitions as JSON.
pub(crate) fn fetch(go: &Go, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
    cache::once(&directory_name(), |directory| {
        say("fetching definitions of custom resources");
        for set in Crds::ALL {
            let mut all = Vec::new();
            for source in SOURCES.iter().filter(|source| source.set == set) {
                all.extend(read_source(go, source, directory)?);
            }
            let text = Value::Array(all).to_string();
            let path = directory.join(set.file());
            fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
        }
        Ok(())
    })
    .map(drop)
}

fn read_source(go: &Go, source: &Source, scratch: &Path) -> Result<Vec<Value>, Error> {
    let Source { module, directory, files, .. } = source;
    let pinned = |text: &str| {
        text.lines().map(str::trim).find_map(|line| line.strip_prefix(module)?.strip_prefix(' ').map(str::to_owned))
    };
    let unpinned = || Error::Input(format!("{module} is not pinned in modules/crds"));
    let version = pinned(GO_MOD).ok_or_else(unpinned)?;
    let sum = pinned(GO_SUM).ok_or_else(unpinned)?;
    let fetched = go.download(&format!("{module}@{version}"), scratch)?;
    if sum != format!("{version} {}", fetched.sum) {
        return Err(Error::Go(format!("{module}@{version} has the hash {}, expected {sum}", fetched.sum)));
    }
    let place = fetched.directory.join(directory);
    let context = || Error::io(format!("reading {}", place.display()));
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&place).map_err(context())? {
        let entry = entry.map_err(context())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let yaml = Path::new(&name).extension().is_some_and(|extension| extension == "yaml");
        if yaml && files.iter().any(|start| name.starts_with(start)) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Error::Input(format!("{module}@{version} has no definitions in {directory}")));
    }
    paths.iter().map(|path| definition(path)).collect()
}

fn definition(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))?;
    let mut object: Value =
        crate::yaml::read(&text).map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
    // It is the API server's to fill, and some generators leave an empty one that it would refuse.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    // Whoever converts between versions is not here. Without a webhook the stored version is served as every other.
    object["spec"]["conversion"] = serde_json::json!({ "strategy": "None" });
    Ok(object)
}
