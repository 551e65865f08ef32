//! `lint` for machines elsewhere: annotations and SARIF.

use std::{fs, path::Path, process::Command, sync::LazyLock};

use jsonschema::Validator;
use serde_json::Value;

use crate::harness::{Place, repository};

/// Under which name OASIS published it.
const PUBLISHED_ID: &str = "oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json";
const MISTAKES: &str = include_str!("../fixtures/ten-mistakes.yaml");

/// What we write of SARIF, and what GitHub wants of it: stricter than the standard.
static OURS: LazyLock<Validator> = LazyLock::new(|| schema(&repository().join("tests/fixtures/sarif/schema.json")));
/// The standard.
static PUBLISHED: LazyLock<Validator> = LazyLock::new(|| schema(&published()));

fn schema(path: &Path) -> Validator {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // A bracket that browsers take for a letter, and stricter readers of regular expressions for a mistake.
    let text = text.replace("[a-zA-Z]{2}]?$", r"[a-zA-Z]{2}\\]?$");
    jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a schema")
}

/// The schema that OASIS published is a file of a package that the tests depend on; Cargo knows where it lies.
fn published() -> std::path::PathBuf {
    let said = |program: &str, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).current_dir(repository()).output().expect("it can be started");
        assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("text")
    };
    let version = said("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let known = said(&cargo, &["metadata", "--locked", "--format-version=1", "--filter-platform", host]);
    let known: Value = serde_json::from_str(&known).expect("JSON");
    let mut packages = known["packages"].as_array().expect("packages").iter();
    let package = packages.find(|package| package["name"] == "serde-sarif").expect("the package");
    Path::new(package["manifest_path"].as_str().expect("a path")).with_file_name("src").join("schema.json")
}

#[track_caller]
fn sarif(place: &Place, arguments: &[&str]) -> Value {
    let log = place.lifeboat(&[&["lint", "--format", "sarif"], arguments].concat()).json();
    for schema in [&*OURS, &*PUBLISHED] {
        let wrong: Vec<String> =
            schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    drop(serde_json::from_value::<serde_sarif::sarif::Sarif>(log.clone()).expect("another reader takes it"));
    log
}

/// Otherwise it would prove nothing that our logs are taken.
#[test]
fn the_published_schema_takes_not_everything() {
    let place = Place::new();
    place.file("ten.yaml", MISTAKES);
    let log = sarif(&place, &["ten.yaml"]);
    let id = PUBLISHED_ID;
    assert!(fs::read_to_string(published()).expect("text").contains(id), "it is the one of {id}");
    for (pointer, wrong) in [
        ("/version", Value::from("2.0.0")),
        ("/runs/0/results/0/level", "bad".into()),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", 0.into()),
        ("/runs/0/tool/driver/name", Value::Null),
    ] {
        let mut log = log.clone();
        *log.pointer_mut(pointer).expect("it is there") = wrong;
        assert!(!PUBLISHED.is_valid(&log), "{pointer}");
    }
}

#[test]
fn annotations_have_a_place_and_a_title() {
    let place = Place::new();
    place.file("a b/ten.yaml", MISTAKES);
    let ended = place.lifeboat(&["lint", "./a b", "--format", "github"]).code(2);
    let json = place.lifeboat(&["lint", "a b", "--format", "json"]).code(2).json();
    let found = json["diagnostics"].as_array().expect("diagnostics");
    assert_eq!(ended.out.lines().count(), found.len());
    for (line, one) in ended.out.lines().zip(found) {
        let at = &one["span"]["start"]["line"];
        let severity = one["severity"].as_str().unwrap_or_default();
        assert!(line.starts_with(&format!("::{severity} file=a b/ten.yaml,line={at},")), "{line}\n{one:#}");
        assert!(line.contains(&format!(",title={}::", one["code"].as_str().unwrap_or_default())), "{line}");
    }
    assert!(ended.err.contains("note: GitHub shows 10 errors"), "{ended}");
}

#[test]
fn sarif_is_what_the_schema_says() {
    let place = Place::new();
    place.file("a b/ten.yaml", MISTAKES);
    place.file("twice.yaml", format!("{MISTAKES}kind: Runbook # 🚢\n"));
    let log = sarif(&place, &["a b/ten.yaml", "./twice.yaml"]);
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert!(results.len() > 20, "{}", results.len());
    for result in results {
        let number = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        assert_eq!(run["tool"]["driver"]["rules"][number]["id"], result["ruleId"]);
    }
    let uris: Vec<&Value> =
        results.iter().map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]).collect();
    assert_eq!((uris[0], uris[uris.len() - 1]), (&Value::from("a%20b/ten.yaml"), &Value::from("twice.yaml")));
    assert!(results.iter().any(|result| result["ruleId"] == "duplicate-key" && result["relatedLocations"].is_array()));
    // The same whatever the way to the file is written like, and nothing of this machine.
    let whole = place.path("a b").canonicalize().expect("it is there");
    let other = sarif(&place, &[&whole.join("ten.yaml").to_string_lossy(), "twice.yaml"]);
    assert_eq!(other, log);
    assert!(!log.to_string().contains(&*place.path("").to_string_lossy()));
}

#[test]
fn nothing_found_is_a_log_without_results() {
    let place = Place::new();
    let quickstart = repository().join("runbooks/quickstart.yaml");
    let log = sarif(&place, &[&quickstart.to_string_lossy()]);
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn what_github_does_not_take_is_left_out_and_said() {
    let place = Place::new();
    let inputs = (0..25_010).map(|n| format!("  i{n}: {{type: string}}\n")).collect::<Vec<_>>().concat();
    let text = crate::harness::runbook_with(
        &format!("inputs:\n{inputs}"),
        "  a: {phase: data, exec: [a], effect: reads, restores: true}\n",
    );
    place.file("large.yaml", text);
    let ended = place.lifeboat(&["lint", "--format", "sarif", "large.yaml"]).code(0);
    assert_eq!(ended.json()["runs"][0]["results"].as_array().map(Vec::len), Some(25_000));
    assert!(ended.err.contains("note: 10 findings left out") && ended.err.contains("shows 5000"), "{}", ended.err);
}

/// A log without results says that all is well, so what could not be looked at stands in it.
#[test]
fn what_cannot_be_read_is_in_every_form() {
    let place = Place::new();
    place.file("good.yaml", crate::harness::runbook("  a: {phase: data, exec: [a], restores: true}\n"));
    fs::write(place.path("bad.yaml"), [0xff, 0xfe, 0x00]).expect("a file");
    let log = sarif(&place, &["good.yaml", "bad.yaml", "gone.yaml"]);
    let told = &log["runs"][0]["invocations"][0];
    assert_eq!(told["executionSuccessful"], false, "{log:#}");
    for (at, name) in ["bad.yaml", "gone.yaml"].into_iter().enumerate() {
        let text = told["toolExecutionNotifications"][at]["message"]["text"].as_str().expect("a text");
        assert!(text.contains(name), "{text}");
    }
    assert!(sarif(&place, &["good.yaml"])["runs"][0]["invocations"].is_null());
    let found = place.lifeboat(&["lint", "--format", "json", "good.yaml", "bad.yaml"]).code(2).json();
    assert_eq!(found["summary"]["unreadable"].as_array().map(Vec::len), Some(1), "{found:#}");
}
