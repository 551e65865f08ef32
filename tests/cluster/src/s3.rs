//! An S3 server with one bucket.

use std::fs;

use crate::{
    Error,
    directory::Directory,
    modules, ports,
    server::{Program, Server},
};

/// How to reach it.
#[derive(Debug, Clone)]
pub struct S3 {
    /// Where it listens, as `http://127.0.0.1:<port>`; buckets are in the path, not in the name.
    pub url: String,
    /// The bucket that is there.
    pub bucket: String,
    /// What requests are signed for.
    pub region: String,
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
}

/// Starts it; its bucket is a directory of the cluster's.
pub(crate) fn start(directory: &Directory) -> Result<(Server, S3), Error> {
    let port = ports::free()?;
    let s3 = S3 {
        url: format!("http://127.0.0.1:{port}"),
        bucket: "velero".into(),
        region: "us-east-1".into(),
        access_key: "lifeboat".into(),
        secret_key: "lifeboat-secret".into(),
    };
    let buckets = directory.below("s3/buckets")?;
    let attributes = directory.below("s3/attributes")?;
    let bucket = buckets.join(&s3.bucket);
    fs::create_dir_all(&bucket).map_err(Error::io(format!("making {}", bucket.display())))?;
    let program = Program::new("s3", modules::S3.program("versitygw")?)
        .flag("access", &s3.access_key)
        .flag("secret", &s3.secret_key)
        .flag("region", &s3.region)
        .flag("port", format!("127.0.0.1:{port}"))
        .argument("posix")
        // Not every file system keeps attributes of files.
        .flag("sidecar", attributes)
        .argument(buckets);
    Ok((Server::start(program, directory.path())?, s3))
}
