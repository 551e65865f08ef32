//! The pure part of Lifeboat. There is no clock, file, socket, process, randomness or async in here.
//!
//! The rooms, each of which may look only at those before it:
//!
//! - `source`, `duration`, `diagnostic`: a file, a place in it, a length of time, a finding
//! - `words`: how people are told lengths of time, instants, lists, and the texts of others
//! - `model`: what authors write, and how text becomes it
//! - `fix`: changes to a text that leave the rest of it as it is; of `model` it looks at `yaml`, and at `parse` to prove them
//! - `scope`, `template`, `expr`: what texts can see, Handlebars, CEL
//! - `action`, `check`: the specification of each
//! - `mask`: secrets out of everything that leaves
//! - `kube`: what is known about Kubernetes objects, as functions over their JSON
//! - `graph`, `plan`: order
//! - `script`: what scripts and command lines do, as far as their text says
//! - `policy`: retry, objectives: decisions only
//! - `evidence`: the vocabulary of the log, and its chain
//! - `machine`: (state, input, now) → commands, the only place where a decision is made
//! - `lint`, `report`, `diff`: they only read
//! - `starter`: runbooks to begin with

#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "tests read fixtures, and say how long they took"
    )
)]

pub mod action;
pub mod check;
pub mod diagnostic;
pub mod diff;
pub mod duration;
pub mod evidence;
pub mod expr;
pub mod fix;
pub mod graph;
pub mod kube;
pub mod lint;
pub mod machine;
pub mod mask;
pub mod model;
pub mod notify;
pub mod plan;
pub mod policy;
pub mod report;
pub mod schema;
pub mod scope;
pub mod script;
pub mod source;
pub mod starter;
pub mod template;
pub mod words;
