//! What Lifeboat knows about Kubernetes objects.
pub mod name;
