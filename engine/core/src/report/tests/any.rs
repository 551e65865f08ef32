//! Damaged logs: any part of real ones, in any order, with any plan.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::logs;
use crate::{
    evidence::{Event, Record},
    report::{
        json::{full, show},
        markdown,
        story::Story,
        summary, text,
    },
};

/// Every record of every log; the events are what counts, and steps are shared between the logs.
static POOL: LazyLock<Vec<Record>> =
    LazyLock::new(|| logs::all().into_iter().flat_map(|(_, records)| records).collect());

fn plan() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        Just(Some(super::log::plan())),
        Just(Some(json!({"nodes": [{"id": "network", "kind": "barrier"}, {"id": "network"}, {"id": 7}, null]}))),
        Just(Some(json!([1, 2]))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_is_too_damaged(
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..10_000_000, 0_u64..4), 0..120),
        first in any::<bool>(),
        plan in plan(),
    ) {
        let mut records: Vec<Record> = Vec::new();
        if first {
            records.extend(POOL.first().cloned());
        }
        for (pick, elapsed_ms, token) in picks {
            let mut record = pick.get(&POOL).clone();
            record.stamp.elapsed_ms = elapsed_ms;
            record.stamp.token = token;
            records.push(record);
        }
        let told = Story::of(&records, plan.as_ref());
        let created = records.iter().any(|record| matches!(record.event, Event::RunCreated(_)));
        prop_assert_eq!(told.is_some(), created);
        let Some(story) = told else { return Ok(()) };
        for line in text(&story).lines() {
            prop_assert!(line.chars().count() <= 80, "{}", line);
        }
        prop_assert!(summary(&story).lines().count() <= 12);
        prop_assert!(markdown(&story, None).starts_with("# "));
        prop_assert_eq!(&show(&story)["version"], &json!(1));
        prop_assert_eq!(&full(&story)["version"], &json!(1));
        prop_assert_eq!(story.records, records.len());
    }
}
