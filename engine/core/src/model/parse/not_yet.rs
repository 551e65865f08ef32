//! Keys of the designed language that this version does not have.
//!
//! Duty: to know them, so that their author hears "not yet" and what to do meanwhile, and not "unknown".

struct Coming {
    /// A key that only the mapping in question knows, by which it is recognized.
    known_by: &'static str,
    keys: &'static [&'static str],
    meanwhile: &'static str,
}

const ACTIONS: &[&str] = &["dns-update"];

const COMING: &[Coming] = &[
    Coming {
        known_by: "injectsOutage",
        keys: ACTIONS,
        meanwhile: "use `exec` or `shell` with the tool's own command, for example `nsupdate`",
    },
    Coming {
        known_by: "injectsOutage",
        keys: &["cluster"],
        meanwhile: "name the cluster in the action: `scale: {cluster: …}`; for `exec` and `shell`, in the command",
    },
    Coming {
        known_by: "injectsOutage",
        keys: &["runsOn"],
        meanwhile: "reach the other machine by `exec`, for example with `ssh`",
    },
    // An undo; steps have an `estimate` too, but they have been met above.
    Coming {
        known_by: "estimate",
        keys: ACTIONS,
        meanwhile: "use `exec` or `shell` with the tool's own command, for example `nsupdate`",
    },
    Coming {
        known_by: "mustFailFirst",
        keys: &["postgres", "prometheus"],
        meanwhile: "use `exec` or `shell` with the tool's own command, and judge its output by `expect`",
    },
];

/// What to use instead of a key that is not in this version yet; `known` are the keys of the mapping it stands in.
pub(super) fn meanwhile(key: &str, known: &[&str]) -> Option<&'static str> {
    COMING
        .iter()
        .find(|coming| coming.keys.contains(&key) && known.contains(&coming.known_by))
        .map(|coming| coming.meanwhile)
}

/// Whether a key is an action that is not in this version yet.
pub(super) fn is_action(key: &str) -> bool {
    ACTIONS.contains(&key)
}
