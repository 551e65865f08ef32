//! Roles that are bound to SSH keys: what is signed by the right key counts, and nothing else.

use std::{fs, path::PathBuf, process::Command};

use crate::harness::{Place, of_kind, runbook_with};

const GATE: &str = "  promote: {phase: data, restores: true, approval: {by: dba}, shell: echo done >> effects}\n";
const ROLES: &str = "roles: {dba: [alice@example.org]}\n";

/// A key pair made by `ssh-keygen`: its private file, and the public line.
fn key(place: &Place, name: &str) -> (PathBuf, String) {
    let path = place.path(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path).status();
    assert!(made.expect("ssh-keygen, of the package openssh-client").success());
    let public = fs::read_to_string(path.with_extension("pub")).expect("a public key");
    (path, public.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// A run that waits for alice, who is bound to her key.
fn bound() -> (Place, PathBuf, PathBuf) {
    let place = Place::new();
    let ((alice, public), (mallory, _)) = (key(&place, "alice"), key(&place, "mallory"));
    place.file("signers", format!("alice@example.org {public}\n"));
    place.file("r.yaml", runbook_with(ROLES, GATE));
    place.lifeboat(&["run", "r.yaml", "--no-input", "--allowed-signers", "signers"]).code(5);
    (place, alice, mallory)
}

fn approve(place: &Place, key: Option<&PathBuf>) {
    let key = key.map(|key| key.to_string_lossy().into_owned());
    let mut call = vec!["approve", "@latest", "promote", "--as", "alice@example.org"];
    call.extend(key.iter().flat_map(|key| ["--sign-key", key]));
    place.lifeboat(&call).code(5);
}

fn refusals(place: &Place) -> Vec<String> {
    let records = place.records();
    of_kind(&records, "act").iter().filter_map(|act| Some(act["refusal"].as_str()?.to_owned())).collect()
}

#[test]
fn signed_by_her_own_key() {
    let (place, alice, _) = bound();
    approve(&place, Some(&alice));
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    assert!(place.path("effects").exists());
    let records = place.records();
    let how = of_kind(&records, "act")[0]["how"].as_str().expect("how").to_owned();
    assert!(how.starts_with("ssh:SHA256:"), "{how}");
    place.lifeboat(&["report", "@latest"]).code(0).says("ssh:SHA256:");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn forged_unsigned_and_changed_ones_are_refused_and_recorded() {
    let (place, alice, mallory) = bound();
    approve(&place, Some(&mallory));
    approve(&place, None);
    // Her own signature, but under something else than she signed.
    approve(&place, Some(&alice));
    let inbox = place.only_run().join("inbox");
    let mut letters: Vec<PathBuf> =
        fs::read_dir(&inbox).expect("an inbox").flatten().map(|entry| entry.path()).collect();
    letters.sort();
    let last = letters.last().expect("a letter");
    let text = fs::read_to_string(last).expect("it can be read").replace("approve", "skip");
    let text = text.replace("\\\"who\\\"", "\\\"reason\\\":\\\"x\\\",\\\"who\\\"");
    fs::write(last, text).expect("it can be written");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(5);
    assert!(!place.path("effects").exists(), "nobody has approved");
    let refusals = refusals(&place);
    assert_eq!(refusals.len(), 3, "{refusals:#?}");
    assert!(refusals[1].contains("found no signature"), "{refusals:#?}");
    assert!(refusals.iter().all(|why| why.contains("allowed_signers")), "{refusals:#?}");
    let report = place.lifeboat(&["report", "@latest"]).code(0);
    assert!(report.out.contains("tried to approve"), "{report}");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// A signed act is for one run, and once.
#[test]
fn a_letter_cannot_be_used_again() {
    let (place, alice, _) = bound();
    approve(&place, Some(&alice));
    let inbox = place.only_run().join("inbox");
    let letter = fs::read_dir(&inbox).expect("an inbox").flatten().next().expect("a letter").path();
    let copy = fs::read(&letter).expect("it can be read");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(0);
    let first = place.only_run();
    place.lifeboat(&["run", "r.yaml", "--no-input", "--allowed-signers", "signers"]).code(5);
    let second = place.runs().into_iter().find(|run| *run != first).expect("a second run");
    let same = second.join("inbox").join(letter.file_name().expect("a name"));
    fs::write(same, &copy).expect("it can be written");
    // Nor is it another act because its file has another name.
    fs::write(second.join("inbox/00000000000000000001-a.json"), copy).expect("it can be written");
    let name = second.file_name().expect("a name").to_string_lossy().into_owned();
    place.lifeboat(&["resume", &name, "--no-input"]).code(5);
    let records = crate::harness::records(&second);
    let acts = of_kind(&records, "act");
    assert_eq!(acts.len(), 1, "{acts:#?}");
    assert!(acts[0]["refusal"].as_str().is_some_and(|why| why.contains("an act for the run")), "{acts:#?}");
    assert!(second.join("inbox/00000000000000000001-a.unreadable").exists(), "it is kept, and is no letter");
}

#[test]
fn other_keys_than_those_of_the_beginning_do_not_count() {
    let (place, _, mallory) = bound();
    let public = fs::read_to_string(mallory.with_extension("pub")).expect("a public key");
    fs::write(place.only_run().join("allowed_signers"), format!("alice@example.org {public}"))
        .expect("it can be written");
    approve(&place, Some(&mallory));
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(5);
    assert!(refusals(&place)[0].contains("not the file that the run began with"), "{:?}", refusals(&place));
    place.lifeboat(&["verify", "@latest"]).code(7).says("allowed_signers");
}
