//! The Go modules whose servers are built, and the versions they are pinned to.
//!
//! A directory below `modules/` is one Go module that has no code of its own: its `go.mod` names what is built (as
//! `tool`) and all versions, its `go.sum` all hashes. To update one, change the version there, run `go mod tidy` in
//! it, and `cargo xtask cluster --build`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, cache,
    go::{self, Go},
    server,
};

/// Changed when the way of building changes, so that what was built another way is not used.
const RECIPE: &str = "1";

/// Every so often a build says that it goes on.
const STILL: Duration = Duration::from_secs(30);

/// A Go module below `modules/`.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) go_mod: &'static str,
    pub(crate) go_sum: &'static str,
    /// Import paths of the programs; the last element is the program's name.
    programs: &'static [&'static str],
    /// The module that has the programs.
    from: &'static str,
    /// A variable that the linker sets to the version of `from`: a release build does so, and servers tell it.
    version: Option<&'static str>,
    /// Other variables, and what the linker sets them to: for what no argument of the program changes.
    settings: &'static [(&'static str, &'static str)],
}

macro_rules! module {
    ($name:literal, $from:literal, $program:literal, $version:expr, $settings:expr) => {
        Module {
            name: $name,
            go_mod: include_str!(concat!("../modules/", $name, "/go.mod")),
            go_sum: include_str!(concat!("../modules/", $name, "/go.sum")),
            programs: &[concat!($from, $program)],
            from: $from,
            version: $version,
            settings: $settings,
        }
    };
}

/// The store of the control plane.
pub(crate) static ETCD: Module = module!("etcd", "go.etcd.io/etcd/server/v3", "", None, &[]);

/// The control plane.
pub(crate) static KUBERNETES: Module = Module {
    name: "kubernetes",
    go_mod: include_str!("../modules/kubernetes/go.mod"),
    go_sum: include_str!("../modules/kubernetes/go.sum"),
    programs: &[
        "k8s.io/kubernetes/cmd/kube-apiserver",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-scheduler",
    ],
    from: "k8s.io/kubernetes",
    version: Some("k8s.io/component-base/version.gitVersion"),
    settings: &[],
};

/// Nodes and their pods.
pub(crate) static KWOK: Module = module!("kwok", "sigs.k8s.io/kwok", "/cmd/kwok", None, &[]);

/// An S3 server.
pub(crate) static S3: Module = module!("s3", "github.com/versity/versitygw", "/cmd/versitygw", None, &[]);

/// Velero.
pub(crate) static VELERO: Module = module!(
    "velero",
    "github.com/vmware-tanzu/velero",
    "/cmd/velero",
    Some("github.com/vmware-tanzu/velero/pkg/buildinfo.Version"),
    // Beside the metrics whose address is an argument, it serves others at port 8080 of all addresses: two of them could
    // not run on one machine. `0` is for none.
    &[("sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress", "0")]
);

/// Velero's plugin for S3, a program of its own.
pub(crate) static VELERO_AWS: Module =
    module!("velero-aws", "github.com/vmware-tanzu/velero-plugin-for-aws", "/velero-plugin-for-aws", None, &[]);

/// All of them, the one that is needed first first.
pub(crate) static ALL: [&Module; 6] = [&ETCD, &KUBERNETES, &KWOK, &S3, &VELERO, &VELERO_AWS];

impl Module {
    /// Directory of the programs in the cache, whether it is there or not.
    fn directory_name(&self) -> String {
        let mut parts = vec![RECIPE, go::VERSION, self.go_mod, self.go_sum];
        let flags = self.linker_flags();
        parts.extend(self.programs);
        parts.push(&flags);
        format!("{}-{}", self.name, cache::digest(&parts))
    }

    /// The path of one of its programs.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, Error> {
        let directory = cache::directory()?.join(self.directory_name());
        let program = directory.join(name);
        if program.is_file() { Ok(program) } else { Err(Error::NotBuilt { module: self.name, directory }) }
    }

    /// Whether all is there.
    pub(crate) fn is_built(&self) -> Result<bool, Error> {
        Ok(cache::directory()?.join(self.directory_name()).is_dir())
    }

    /// The version of a required module, as `go.mod` has it.
    pub(crate) fn version_of(&self, path: &str) -> Option<&'static str> {
        version_in(self.go_mod, path)
    }

    /// Builds it unless it is built.
    pub(crate) fn build(&'static self, go: &Go, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        cache::once(&self.directory_name(), |directory| self.build_in(directory, go, say)).map(drop)
    }

    fn build_in(&'static self, directory: &Path, go: &Go, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let names: Vec<&str> = self.programs.iter().map(|path| program_name(path)).collect();
        say(&format!("building {} ({}); this is done once, and takes minutes", self.name, names.join(", ")));
        // A copy: a build can then not change what is pinned, and needs no checkout.
        let source = directory.join("source");
        fs::create_dir(&source).map_err(Error::io(format!("making {}", source.display())))?;
        for (name, text) in [("go.mod", self.go_mod), ("go.sum", self.go_sum)] {
            fs::write(source.join(name), text).map_err(Error::io(format!("writing {name} of {}", self.name)))?;
        }
        let log_path = cache::directory()?.join(format!("{}.log", self.directory_name()));
        let log = File::create(&log_path).map_err(Error::io(format!("making {}", log_path.display())))?;
        let began = Instant::now();
        let mut child = go
            .command()
            .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", &self.linker_flags(), "-o"])
            .arg(directory)
            .args(self.programs)
            .current_dir(&source)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(Error::io("sharing a log"))?)
            .stderr(log.try_clone().map_err(Error::io("sharing a log"))?)
            .spawn()
            .map_err(Error::io("starting go"))?;
        let mut told = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(Error::io("waiting for go"))? {
                break status;
            }
            if told.elapsed() >= STILL {
                told = Instant::now();
                say(&format!("building {}: {} s", self.name, began.elapsed().as_secs()));
            }
            thread::sleep(Duration::from_millis(200));
        };
        if !status.success() {
            let text = fs::read_to_string(&log_path).map_err(Error::io(format!("reading {}", log_path.display())))?;
            let tail = server::last_lines(&text, 15);
            return Err(Error::Build { module: self.name, why: format!("go build: {status}"), tail, log: log_path });
        }
        fs::remove_dir_all(&source).map_err(Error::io(format!("removing {}", source.display())))?;
        // Of a build that went well, nobody reads the log.
        drop(fs::remove_file(&log_path));
        say(&format!("built {} in {} s", self.name, began.elapsed().as_secs()));
        Ok(())
    }

    fn linker_flags(&self) -> String {
        // Without symbols the programs are a third smaller; nobody debugs them here.
        let mut flags = "-s -w".to_owned();
        let version = self.version_of(self.from).unwrap_or("v0.0.0");
        let version = self.version.map(|variable| (variable, version));
        for (variable, value) in version.iter().chain(self.settings) {
            flags.push_str(&format!(" -X {variable}={value}"));
        }
        flags
    }
}

/// What Go calls the program of a package: the last element of its path that is no major version.
fn program_name(path: &str) -> &str {
    let is_version = |part: &&str| part.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
    path.rsplit('/').find(|part| !is_version(part)).unwrap_or(path)
}

/// The version in a line such as `k8s.io/api v0.36.3`, alone or in a list.
fn version_in<'text>(go_mod: &'text str, path: &str) -> Option<&'text str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim_start().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(path)).then(|| words.next()).flatten().filter(|word| word.starts_with('v'))
    })
}

/// Builds what is not built yet. Says what it does, line by line.
///
/// # Errors
/// When there is no Go, or a module cannot be built or downloaded: which one, the last lines, and where all are.
pub fn build_missing(say: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if !is_missing()? {
        return Ok(());
    }
    let go = Go::find(say)?;
    for module in ALL {
        if !module.is_built()? {
            module.build(&go, say)?;
        }
    }
    crate::crds::fetch(&go, say)
}

/// Whether [`build_missing`] has anything to do.
///
/// # Errors
/// When it is not known where built servers are kept.
pub fn is_missing() -> Result<bool, Error> {
    for module in ALL {
        if !module.is_built()? {
            return Ok(true);
        }
    }
    Ok(!crate::crds::are_fetched()?)
}

#[cfg(test)]
mod tests {
    use super::{ALL, program_name, version_in};

    #[test]
    fn every_module_pins_what_it_builds() {
        for module in ALL {
            assert!(module.version_of(module.from).is_some(), "{}: no version of {}", module.name, module.from);
            for program in module.programs {
                assert!(module.go_mod.contains(program), "{}: `{program}` is no tool of its go.mod", module.name);
            }
            assert!(!module.go_sum.is_empty());
        }
    }

    #[test]
    fn programs_are_called_what_go_calls_them() {
        assert_eq!(program_name("go.etcd.io/etcd/server/v3"), "server");
        assert_eq!(program_name("sigs.k8s.io/kwok/cmd/kwok"), "kwok");
    }

    #[test]
    fn versions_are_found_in_lists_and_alone() {
        let text =
            "require a.b/c v1.2.3\nrequire (\n\ta.b/d v0.1.0 // indirect\n)\nreplace (\n\ta.b/e => a.b/e v9.9.9\n)";
        assert_eq!(version_in(text, "a.b/c"), Some("v1.2.3"));
        assert_eq!(version_in(text, "a.b/d"), Some("v0.1.0"));
        assert_eq!(version_in(text, "a.b/e"), None);
    }
}
