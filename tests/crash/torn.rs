//! The machine died in the middle of a record.

use std::{fs::OpenOptions, io::Write as _};

use super::scenario::Scenario;
use crate::harness::of_kind;

#[test]
fn a_torn_last_line_is_cut_and_told() {
    for half in [&br#"{"seq":99,"at":"2026-11-21T02:2"#[..], b"{", b"\0\0\0\0", b"\xff\xfe"] {
        let mut scenario = Scenario::new();
        scenario.kill_at(20, &["drill", "r.yaml", "--no-input"]);
        let log = scenario.place.only_run().join("evidence.jsonl");
        let mut log = OpenOptions::new().append(true).open(log).expect("a log");
        log.write_all(half).expect("it can be written");
        scenario.finish();
        let records = scenario.place.records();
        let engines = of_kind(&records, "engine-started");
        let torn = engines.last().and_then(|engine| engine["tornBytes"].as_u64());
        assert_eq!(torn, Some(half.len() as u64), "the second engine tells what was torn: {engines:#?}");
    }
}
