//! The servers of the control plane and of the nodes, and their arguments.

use std::{env, path::PathBuf};

use super::{Cluster, Part};
use crate::{
    Error,
    directory::Directory,
    kwok, modules, ports,
    server::{Program, Server},
};

impl Cluster {
    pub(super) fn start_controllers(&mut self) -> Result<(), Error> {
        let directory = self.directory.path().to_owned();
        let serve = |program: Program| -> Result<Program, Error> {
            Ok(program
                .flag("leader-elect", "false")
                .flag("bind-address", "127.0.0.1")
                .flag("secure-port", ports::free()?.to_string())
                .flag("tls-cert-file", directory.join("server.crt"))
                .flag("tls-private-key-file", directory.join("server.key")))
        };
        let kubeconfig = self.server_kubeconfig("system:kube-controller-manager")?;
        let program = Program::new("kube-controller-manager", control_plane("kube-controller-manager")?)
            .flag("kubeconfig", kubeconfig)
            .flag("root-ca-file", directory.join("ca.crt"))
            .flag("service-account-private-key-file", directory.join("service-accounts.key"))
            .flag("enable-hostpath-provisioner", "true")
            // Tests stop kwok to see what then happens: nodes shall not go before that has been seen.
            .flag("node-monitor-grace-period", "1h")
            .flag("kube-api-qps", "300")
            .flag("kube-api-burst", "600");
        let server = Server::start(serve(program)?, &directory)?;
        self.parts.insert(Part::ControllerManager, server);
        let program = Program::new("kube-scheduler", control_plane("kube-scheduler")?)
            .flag("kubeconfig", self.server_kubeconfig("system:kube-scheduler")?);
        let server = Server::start(serve(program)?, &directory)?;
        self.parts.insert(Part::Scheduler, server);
        Ok(())
    }

    pub(super) fn start_kwok(&mut self, nodes: usize) -> Result<(), Error> {
        let directory = &self.directory;
        let log = directory.write("pod.log", kwok::log_file([kwok::DEFAULT_LOG]))?;
        let configuration = directory.write("kwok.yaml", kwok::configuration(&log.to_string_lossy()))?;
        let port = ports::free()?;
        let program = Program::new("kwok", modules::KWOK.program("kwok")?)
            .flag("kubeconfig", self.server_kubeconfig("system:kwok")?)
            .flag("config", configuration)
            .flag("manage-all-nodes", "true")
            .flag("enable-crds", "Logs")
            .flag("node-ip", "127.0.0.1")
            .flag("node-port", port.to_string())
            .flag("server-address", format!("127.0.0.1:{port}"))
            .flag("node-lease-duration-seconds", "40")
            .flag("tls-cert-file", directory.path().join("server.crt"))
            .flag("tls-private-key-file", directory.path().join("server.key"));
        let server = Server::start(program, directory.path())?;
        self.parts.insert(Part::Kwok, server);
        for index in 1..=nodes {
            self.admin.apply(&kwok::node(index))?;
        }
        Ok(())
    }
}

/// A program out of `KUBEBUILDER_ASSETS`, when that is set and has it.
pub(super) fn asset(name: &str) -> Option<PathBuf> {
    let directory = env::var_os("KUBEBUILDER_ASSETS").filter(|path| !path.is_empty())?;
    Some(PathBuf::from(directory).join(name)).filter(|path| path.is_file())
}

pub(super) fn control_plane(name: &str) -> Result<PathBuf, Error> {
    asset(name).map_or_else(|| modules::KUBERNETES.program(name), Ok)
}

pub(super) fn start_etcd(directory: &Directory, port: u16) -> Result<Server, Error> {
    let program = asset("etcd").map_or_else(|| modules::ETCD.program("server"), Ok)?;
    let url = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{}", ports::free()?);
    let program = Program::new("etcd", program)
        .flag("name", "default")
        .flag("data-dir", directory.path().join("etcd"))
        .flag("listen-client-urls", &url)
        .flag("advertise-client-urls", &url)
        .flag("listen-peer-urls", &peer)
        .flag("initial-advertise-peer-urls", &peer)
        .flag("initial-cluster", format!("default={peer}"))
        // Nobody's power fails here: what a killed etcd has written is there.
        .flag("unsafe-no-fsync", "true");
    Server::start(program, directory.path())
}

pub(super) fn start_api_server(directory: &Directory, port: u16, etcd: u16) -> Result<Server, Error> {
    let file = |name: &str| directory.path().join(name);
    let program = Program::new("kube-apiserver", control_plane("kube-apiserver")?)
        .flag("etcd-servers", format!("http://127.0.0.1:{etcd}"))
        .flag("bind-address", "127.0.0.1")
        .flag("advertise-address", "127.0.0.1")
        .flag("secure-port", port.to_string())
        .flag("tls-cert-file", file("server.crt"))
        .flag("tls-private-key-file", file("server.key"))
        .flag("client-ca-file", file("ca.crt"))
        .flag("token-auth-file", file("tokens.csv"))
        .flag("anonymous-auth", "false")
        .flag("authorization-mode", "RBAC")
        .flag("service-account-issuer", "https://kubernetes.default.svc")
        .flag("service-account-key-file", file("service-accounts.pub"))
        .flag("service-account-signing-key-file", file("service-accounts.key"))
        .flag("service-cluster-ip-range", "10.96.0.0/16")
        // There is no network in which anybody could reach the service `kubernetes`.
        .flag("endpoint-reconciler-type", "none")
        .flag("kubelet-certificate-authority", file("ca.crt"))
        .flag("kubelet-preferred-address-types", "InternalIP")
        .flag("allow-privileged", "true");
    Server::start(program, directory.path())
}
