//! `lint --fix` and `--diff`: files that are mended, and those that are left alone.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
};

use crate::harness::{Place, runbook_with};

/// A runbook with an idle comment (safe to mend), a step that is written wrong and an unused input (suggestions).
fn bad() -> String {
    text("\n  # why\n  spare: {type: string} # nobody uses it", "frist", " # lifeboat: ignore[unknown-role] long ago")
}

fn safely() -> String {
    text("\n  # why\n  spare: {type: string} # nobody uses it", "frist", "")
}

fn wholly() -> String {
    text("\n  # why", "first", "")
}

fn text(inputs: &str, name: &str, end: &str) -> String {
    let steps = format!(
        "  first: {{phase: validate, exec: [a, \"{{{{inputs.zone}}}}\"], effect: reads}}{end}\n  \
         second: {{phase: validate, needs: [{name}], exec: [b], effect: reads, restores: true}}\n"
    );
    runbook_with(&format!("inputs:\n  zone: {{type: string}}{inputs}\n"), &steps).replace("level: L2", "level: L1")
}

fn read(place: &Place, name: &str) -> String {
    fs::read_to_string(place.path(name)).expect("a file can be read")
}

#[test]
fn what_is_safe_is_mended_and_the_rest_is_told() {
    let place = Place::new();
    place.file("r.yaml", bad());
    let told = place.lifeboat(&["lint", "r.yaml"]).code(2);
    told.says("fix: remove the comment (`lifeboat lint --fix`)")
        .says("fix: write `first` (`lifeboat lint --fix --unsafe`)")
        .says("1 error, 2 warnings in 1 runbook; 1 can be fixed by `--fix`, 2 more by `--fix --unsafe`");
    assert_eq!(read(&place, "r.yaml"), bad(), "nothing is written without being asked for");
    let ended = place.lifeboat(&["lint", "r.yaml", "--fix"]).code(2);
    ended.says("1 error, 1 warning in 1 runbook; 1 fixed; 2 can be fixed by `--fix --unsafe`");
    assert_eq!(read(&place, "r.yaml"), safely());
    let ended = place.lifeboat(&["lint", "r.yaml", "--fix", "--unsafe", "--deny", "warnings"]).code(0);
    ended.says("0 errors, 0 warnings in 1 runbook; 2 fixed");
    assert_eq!(read(&place, "r.yaml"), wholly());
    place.lifeboat(&["lint", "r.yaml", "--fix", "--unsafe"]).code(0).says("in 1 runbook; 0 fixed");
}

#[test]
fn differences_are_shown_and_nothing_is_written() {
    let place = Place::new();
    place.file("r.yaml", bad());
    for arguments in [&["lint", "r.yaml", "--diff"][..], &["lint", "r.yaml", "--diff", "--fix"]] {
        let ended = place.lifeboat(arguments).code(2);
        assert!(ended.out.starts_with("--- r.yaml\n+++ r.yaml\n@@ "), "{ended}");
        assert_eq!(ended.out.lines().filter(|line| line.starts_with(['+', '-'])).count(), 4, "{ended}");
        assert!(ended.out.contains(" # lifeboat: ignore[unknown-role] long ago\n+"), "{ended}");
        ended.says("1 runbook would change by 1 fix");
    }
    let all = place.lifeboat(&["lint", "r.yaml", "--diff", "--unsafe"]).code(2).says("by 3 fixes");
    assert!(all.out.contains("\n-  spare: {type: string} # nobody uses it\n"), "{all}");
    assert_eq!(read(&place, "r.yaml"), bad());
    place.file("r.yaml", wholly());
    let none = place.lifeboat(&["lint", "r.yaml", "--diff", "--unsafe"]).code(0);
    assert!(none.out.is_empty(), "{none}");
    for wrong in [&["--unsafe"][..], &["--diff", "--format", "json"], &["--rules", "--fix"]] {
        place.lifeboat(&[&["lint", "r.yaml"], wrong].concat()).code(2).says("error");
    }
}

#[test]
fn only_what_is_chosen_is_mended() {
    let place = Place::new();
    place.file("r.yaml", bad());
    place.lifeboat(&["lint", "r.yaml", "--fix", "--unsafe", "--ignore", "unused-ignore,unused-input"]).code(0);
    assert_eq!(read(&place, "r.yaml"), bad().replace("frist", "first"));
    place.file("r.yaml", bad());
    place.lifeboat(&["lint", "r.yaml", "--fix", "--unsafe", "--select", "unused-ignore"]).code(0);
    assert_eq!(read(&place, "r.yaml"), safely());
    let silenced = bad().replace("# nobody uses it", "# lifeboat: ignore[unused-input] for later");
    place.file("r.yaml", &silenced);
    place.file("lifeboat.toml", "[lint.rules]\n\"unused-ignore\" = \"off\"\n");
    place.lifeboat(&["lint", "r.yaml", "--fix", "--unsafe"]).code(0);
    assert_eq!(read(&place, "r.yaml"), silenced.replace("frist", "first"));
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_the_others_are() {
    let place = Place::new();
    let locked = place.file("locked.yaml", bad());
    fs::set_permissions(&locked, Permissions::from_mode(0o444)).expect("a mode");
    let open = place.file("open.yaml", bad());
    fs::set_permissions(&open, Permissions::from_mode(0o640)).expect("a mode");
    symlink("open.yaml", place.path("link.yaml")).expect("a link");
    let ended = place.lifeboat(&["lint", "--fix", "locked.yaml", "link.yaml", "gone.yaml"]).code(2);
    ended.says("expected a file that can be written, found `locked.yaml`").says("; 1 fixed");
    assert_eq!(read(&place, "locked.yaml"), bad());
    assert_eq!(read(&place, "open.yaml"), safely());
    assert!(fs::symlink_metadata(place.path("link.yaml")).expect("a link").is_symlink());
    assert_eq!(fs::metadata(&open).expect("a file").permissions().mode() & 0o777, 0o640);
    let names = fs::read_dir(place.path(".")).expect("a directory").flatten();
    let left: Vec<_> = names.map(|it| it.file_name()).filter(|it| it.to_string_lossy().starts_with(".life")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn line_ends_stay_and_the_order_of_files_does_not_matter() {
    let place = Place::new();
    let windows = bad().replacen("effect", "efect", 1).replace('\n', "\r\n");
    let include = runbook_with("", "  a: {phase: validate, runbook: {path: z.yaml, inputs: {zoen: x}}}\n")
        .replace("level: L2", "level: L1");
    for order in [["a.yaml", "z.yaml"], ["z.yaml", "a.yaml"]] {
        place.file("a.yaml", &include);
        place.file("z.yaml", windows.trim_end());
        place.lifeboat(&[&["lint", "--fix", "--unsafe"], &order[..]].concat());
        assert_eq!(read(&place, "z.yaml"), wholly().replace('\n', "\r\n").trim_end(), "{order:?}");
        // What it includes had a mistake when it was looked at, so nothing was known about it.
        assert_eq!(read(&place, "a.yaml"), include, "{order:?}");
        place.lifeboat(&[&["lint", "--fix", "--unsafe"], &order[..]].concat()).code(0);
        assert_eq!(read(&place, "a.yaml"), include.replace("zoen", "zone"), "{order:?}");
    }
}

#[test]
fn machines_are_told_what_would_mend_a_finding() {
    let place = Place::new();
    place.file("r.yaml", bad());
    let json = place.lifeboat(&["lint", "r.yaml", "--format", "json"]).code(2).json();
    assert!(json["summary"]["fixed"].is_null(), "{json:#}");
    let found = json["diagnostics"].as_array().expect("diagnostics");
    let mut text = bad();
    // Whoever applies the edits from the end gets what `--fix --unsafe` writes.
    for finding in found.iter().rev() {
        assert!(["safe", "unsafe"].contains(&finding["fix"]["safety"].as_str().unwrap_or_default()), "{finding:#}");
        for edit in finding["fix"]["edits"].as_array().expect("edits").iter().rev() {
            let at = |end: &str| usize::try_from(edit["span"][end]["offset"].as_u64().unwrap_or(0)).unwrap_or(0);
            text.replace_range(at("start")..at("end"), edit["text"].as_str().expect("a text"));
        }
    }
    assert_eq!(text, wholly());
    let sarif = place.lifeboat(&["lint", "r.yaml", "--format", "sarif"]).code(2).json();
    let change = &sarif["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "r.yaml", "{sarif:#}");
    assert!(change["replacements"][0]["deletedRegion"]["startLine"].is_u64());
    let fixed = place.lifeboat(&["lint", "r.yaml", "--fix", "--format", "json"]).code(2).json();
    assert_eq!(fixed["summary"]["fixed"], 1);
    let rules = place.lifeboat(&["lint", "--rules", "--format", "json"]).code(0).json();
    let fixes = |id: &str| rules["rules"].as_array().and_then(|all| all.iter().find(|it| it["id"] == id)?.get("fixes"));
    assert_eq!(fixes("pointless-every"), Some(&serde_json::json!(["safe", "unsafe"])));
    assert_eq!(fixes("no-restores"), Some(&serde_json::json!([])));
    place.lifeboat(&["explain", "unused-input"]).code(0).says("`lint --fix --unsafe` can mend it");
}

/// What the help says is not said again as the fix.
#[test]
fn a_help_that_is_the_fix_is_told_once() {
    let place = Place::new();
    place.file("r.yaml", bad().replace("phase: validate, exec: [a", "phase: valdate, exec: [a"));
    let ended =
        place.lifeboat(&["lint", "r.yaml"]).code(2).says("fix: write `validate` (`lifeboat lint --fix --unsafe`)");
    assert_eq!(ended.err.matches("write `validate`").count(), 1, "{ended}");
}

/// What is left out stands in the configuration, so nothing is touched while that cannot be read.
#[test]
fn nothing_is_mended_by_a_broken_configuration() {
    let place = Place::new();
    for broken in ["[lint]\nignore = [\"unused-input\"\n", "[lint]\nignores = [\"unused-input\"]\n"] {
        place.file("lifeboat.toml", broken);
        place.file("r.yaml", bad());
        for option in ["--fix", "--diff"] {
            let ended = place.lifeboat(&["lint", option, "--unsafe", "r.yaml"]).code(2);
            ended.says("lifeboat.toml").says("nothing is mended before the configuration of `lint` can be read");
            assert_eq!(read(&place, "r.yaml"), bad());
        }
    }
}
