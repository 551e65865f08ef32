//! The grammar; and real programs in a directory that is the whole `PATH`.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::process::ByteFilter;

struct Clear;

impl ByteFilter for Clear {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

#[test]
fn requirements_are_compared_as_numbers() {
    for (requirement, version, does) in [
        ("*", "0.0", true),
        (">=1.9", "1.10", true),
        (">=1.9", "1.9.0", true),
        (">=1.9", "1.8.99", false),
        (">=1.9, <2", "1.99.1", true),
        (">=1.9, <2", "2.0", false),
        (">=1.9,<2", "2.0.1", false),
        ("=1.2.3", "1.2.3", true),
        ("=1.2", "1.2.0", true),
        ("=1.2.3", "1.2.4", false),
        ("1.2.3", "1.2.3", true),
        (">1", "1.0.1", true),
        (">1", "1.0", false),
        ("<= 2.5", "2.5", true),
        ("<=2.5", "2.5.1", false),
        (">= v1.4", "1.4.2", true),
        (">=2024.01", "2024.1", true),
    ] {
        let wanted = Wanted::parse(requirement).unwrap();
        assert_eq!(wanted.allows(&super::version(version).unwrap()), does, "{version} {requirement}");
        assert_eq!(Wanted::parse(&wanted.to_string()).unwrap(), wanted);
    }
    for bad in ["", ">=", "~1.2", "1.x", ">=1.9,", "latest", "^1", "1..2", ">=1.9 <2", "99999999999999999999"] {
        let error = Wanted::parse(bad).unwrap_err();
        assert!(error.contains("such as"), "{bad}: {error}");
    }
}

#[test]
fn the_first_version_is_found() {
    for (text, found) in [
        ("Terraform v1.9.8\non linux_amd64", Some(vec![1, 9, 8])),
        ("git version 2.39.5 (Apple Git-154)", Some(vec![2, 39, 5])),
        ("aws-cli/2.17.0 Python/3.11.8", Some(vec![2, 17, 0])),
        ("psql (PostgreSQL) 16.4 (Debian 16.4-1)", Some(vec![16, 4])),
        ("jq-1.7", Some(vec![1, 7])),
        ("version 7.", None),
        ("build 4711", None),
        ("... 1.2 ...", Some(vec![1, 2])),
        ("1.30.0-rc.1", Some(vec![1, 30, 0])),
        ("5.2.21(1)-release", Some(vec![5, 2, 21])),
        ("99999999999999999999.1", None),
        ("", None),
    ] {
        assert_eq!(first_version(text), found, "{text}");
    }
}

fn tool(directory: &Path, name: &str, script: &str) {
    let file = directory.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn all_that_is_missing_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    tool(path, "good", "echo good v1.9.8");
    tool(path, "old", "echo old 1.2.3");
    tool(path, "second", "[ \"$1\" = version ] && echo 3.1 || { echo 'unknown flag' >&2; exit 2; }");
    tool(path, "loud", "echo 4.5 >&2; exit 1");
    // As kubectl does: no such flag, the client by itself, and otherwise a server that does not answer.
    let kubectl = "[ \"$2\" = --client ] && echo 1.30.2 && exit; [ \"$1\" = --version ] && echo 'flag 9.9' && exit 1; exec sleep 1000";
    tool(path, "client", kubectl);
    tool(path, "silent", "exit 0");
    tool(path, "secretive", "exit 0");
    std::fs::write(path.join("plain"), "").unwrap();
    std::fs::set_permissions(path.join("plain"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let tools = [
        ("good", ">=1.9, <2"),
        ("old", ">=1.9"),
        ("second", "=3.1"),
        ("loud", ">4"),
        ("silent", "*"),
        ("secretive", ">=1"),
        ("absent", "*"),
        ("plain", "*"),
        ("good", "newest"),
        ("client", ">=1.30, <2"),
    ]
    .map(|(tool, requirement)| (tool.to_owned(), Requirement(requirement.to_owned())));
    let search = format!("{}:/usr/bin:/bin", path.display());
    let base: BTreeMap<String, String> = [("PATH", search.as_str()), ("SET", "hush"), ("EMPTY", "")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    let variables = ["SET", "EMPTY", "UNSET"].map(str::to_owned);
    let filter: Filters = Arc::new(|| Box::new(Clear));
    let findings = look(&tools, &variables, &base, path, &filter).await;

    let passed: Vec<bool> = findings.iter().map(|finding| finding.passed).collect();
    assert_eq!(
        passed,
        [true, false, true, true, true, false, false, false, false, true, true, false, false],
        "{findings:#?}"
    );
    assert_eq!(findings[0].requirement, "good >=1.9, <2");
    assert_eq!(findings[0].found, format!("1.9.8 at {}/good", path.display()));
    assert_eq!(findings[1].found, format!("1.2.3 at {}/old", path.display()));
    assert!(findings[1].help.as_ref().unwrap().contains("install old >=1.9"));
    assert!(findings[6].found.contains("PATH was searched"), "{:?}", findings[6]);
    assert!(findings[7].found.contains("chmod +x"), "{:?}", findings[7]);
    assert!(findings[8].help.as_ref().unwrap().contains("runbook"));
    for finding in &findings {
        assert_eq!(finding.help.is_none(), finding.passed, "{finding:?}");
        assert!(!finding.found.contains("hush"));
    }
}
