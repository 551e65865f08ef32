//! A test file that no `mod` reaches would never run, and nobody would notice.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn reach(file: &Path, reached: &mut BTreeSet<PathBuf>) {
    reached.insert(file.to_owned());
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let parent = file.parent().expect("a file has a parent");
    let below = if matches!(stem, "main" | "mod") { parent.to_owned() } else { parent.join(stem) };
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    for name in text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')) {
        let candidates = [below.join(format!("{name}.rs")), below.join(name).join("mod.rs")];
        let found = candidates.iter().find(|path| path.is_file());
        reach(found.unwrap_or_else(|| panic!("{}: no file for `mod {name}`", file.display())), reached);
    }
}

fn every(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the tests are readable").flatten() {
        let path = entry.path();
        if path.join("Cargo.toml").is_file() {
            // A package of its own, whose tests are found by what it says.
            continue;
        }
        if path.is_dir() {
            every(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
}

#[test]
fn no_forgotten_test_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (mut there, mut reached) = (BTreeSet::new(), BTreeSet::new());
    every(&root, &mut there);
    reach(&root.join("main.rs"), &mut reached);
    let forgotten: Vec<_> = there.difference(&reached).collect();
    assert!(forgotten.is_empty(), "no `mod` reaches these files, so their tests never run: {forgotten:#?}");
}
