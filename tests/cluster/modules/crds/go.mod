// Only definitions of custom resources are read out of these; nothing of them is built.
//
// This file and its go.sum are written by hand (`go mod tidy` would want packages that are imported): a version here,
// and the `Sum` that `go mod download -json <module>@<version>` prints there.
module lifeboat.test/cluster/crds

go 1.26.0

require (
	github.com/argoproj/argo-cd/v3 v3.5.7
	github.com/cert-manager/cert-manager v1.21.2
	github.com/external-secrets/external-secrets v1.3.2
	github.com/fluxcd/helm-controller v1.6.4
	github.com/fluxcd/kustomize-controller v1.9.6
	github.com/fluxcd/source-controller v1.9.6
	github.com/kubernetes-csi/external-snapshotter/client/v8 v8.7.0
	github.com/vmware-tanzu/velero v1.18.3
	sigs.k8s.io/kwok v0.8.0
)
