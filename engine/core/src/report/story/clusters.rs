//! The clusters of a run: who they are, and how well they answered.
//!
//! Duty: to note what the records tell of them.

use super::{Moment, Story};
use crate::evidence::{Event, event::ClusterMet};

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStory {
    /// As it said of itself, the last time it was met.
    pub met: ClusterMet,
    /// When it was first met.
    pub at: Moment,
    /// Requests to its API, as far as they are told.
    pub requests: u64,
    /// How often it did not answer as it should.
    pub retries: u64,
    /// The last of them: what was asked for, and what came.
    pub last_retry: Option<(Moment, String)>,
    /// Another one that was met under its name, and refused.
    pub refused: Option<(Moment, String)>,
}

pub(super) fn note(story: &mut Story, event: &Event, at: Moment) {
    let find = |story: &mut Story, name: &str| story.clusters.iter().position(|known| known.met.cluster == name);
    match event {
        Event::ClusterMet(met) => match find(story, &met.cluster) {
            Some(known) => story.clusters[known].met = met.clone(),
            None => story.clusters.push(ClusterStory {
                met: met.clone(),
                at,
                requests: 0,
                retries: 0,
                last_retry: None,
                refused: None,
            }),
        },
        Event::ClusterAsked { cluster, requests } => {
            if let Some(known) = find(story, cluster) {
                story.clusters[known].requests += requests;
            }
        }
        Event::ApiRetried { cluster, request, reason, .. } => {
            if let Some(known) = find(story, cluster) {
                let known = &mut story.clusters[known];
                known.retries += 1;
                known.last_retry = Some((at, format!("{request}: {reason}")));
            }
        }
        Event::ClusterRefused { cluster, found, .. } => {
            if let Some(known) = find(story, cluster) {
                story.clusters[known].refused = Some((at, found.clone()));
            }
        }
        _ => {}
    }
}
