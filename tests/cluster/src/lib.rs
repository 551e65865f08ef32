//! Real Kubernetes servers for the tests of Lifeboat, as plain processes: no containers, no images, no root.
//!
//! ```no_run
//! use lifeboat_test_cluster::{Cluster, Error, Options};
//!
//! fn main() -> Result<(), Error> {
//!     let cluster = Cluster::start(Options::workloads())?;
//!     let namespace = cluster.client().new_namespace("shop")?;
//!     println!("kubectl --kubeconfig {} -n {namespace} get pods", cluster.kubeconfig().display());
//!     Ok(())
//! }
//! ```
//!
//! Duty: etcd, the API server, the controllers, the scheduler, nodes that kwok makes up, Velero with an S3 server; their
//! start, their end in any case, and what a test does to them. Not here: what Lifeboat does with a cluster.
//!
//! # The map
//! - [`Cluster`]: starting it, and its [`Part`]s, each of which can be stopped, started, paused and continued.
//! - [`Client`]: JSON in, JSON out.
//! - [`proxy`]: an API server with faults.
//! - [`velero`], [`kwok`]: what there is to know about these two; [`Crds`]: definitions of other projects' resources.
//! - [`build_missing`]: builds the servers once, from Go modules that are pinned beside this source.
//!
//! # Environment
//! | variable | meaning |
//! |---|---|
//! | `LIFEBOAT_TEST_CACHE` | where built servers are kept; else `$XDG_CACHE_HOME/lifeboat`, else `~/.cache/lifeboat` |
//! | `KUBEBUILDER_ASSETS` | a directory with `etcd` and `kube-apiserver` to use instead |
//! | `LIFEBOAT_TEST_KUBECONFIG` | a cluster that [`Cluster::shared`] uses instead of starting one |

mod cache;
mod certificates;
mod client;
mod cluster;
mod crds;
mod directory;
mod error;
mod go;
mod identity;
pub mod kwok;
mod modules;
mod ports;
pub mod proxy;
mod s3;
mod server;
pub mod velero;
mod yaml;

pub use self::{
    cache::directory as cache_directory,
    client::{Client, FIELD_MANAGER, path, wait_until},
    cluster::{Account, Cluster, Options, Part, users},
    crds::Crds,
    error::Error,
    go::is_installed as go_is_installed,
    identity::{base64, from_base64},
    modules::{build_missing, is_missing},
    s3::S3,
};
