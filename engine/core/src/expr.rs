//! Boolean conditions and small computations, in CEL.
//!
//! Duty: text to a checked expression, the names it uses, and its value in a scope. It must not know which names exist
//! (that is lint's), and it must not follow hostile text: what is too long or too deep is refused before the parser
//! sees it, because that parser recurses, with frames so large that ten brackets fill the stack of a thread.
//!
//! The language is CEL's standard library with the macros `has`, `all`, `exists`, `exists_one`, `map` and `filter`,
//! and of its strings extension what helps with a program's output: `trim`, `split`, `join` and the like (see
//! [`METHODS`]). There are no message types and no optional syntax. Whole numbers of JSON are `int` (beyond it
//! `uint`), others `double`; comparisons between them work, arithmetic needs `double(x)`, as CEL has it.

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock},
};

use cel::{
    Context, Env, ExecutionError, Program, Value as Cel,
    common::{types::CelString, value::CowVal},
    objects::Key,
};
use serde_json::Value;

use crate::scope::{Problem, Reference, Scope};

mod explain;
mod size;
mod walk;

pub use walk::{FUNCTIONS, METHODS};

/// The longest expression, in bytes.
pub const LONGEST: usize = 16 * 1024;
/// The deepest value that an expression sees or gives.
const DEEPEST_VALUE: usize = 256;
/// An expression that is not deeper than this is read and evaluated where it is met, if there is [`ROOM`].
const SHALLOW: usize = 8;
/// Twice what reading such an expression takes in an unoptimised build, where a bracket costs 170 KiB; 8 KiB in an optimised one.
const ROOM: usize = 3 * 1024 * 1024;
/// Enough for the deepest expression that `size` lets through, in an unoptimised build, four times over.
const STACK: usize = 32 * 1024 * 1024;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(false);
    let added = env.add_extension(cel::extensions::strings);
    debug_assert!(added.is_ok(), "the standard library has no strings extension of its own");
    Arc::new(env)
});

/// A CEL expression whose syntax and functions have been checked.
pub struct Expression {
    text: String,
    program: Program,
    references: Vec<Reference>,
    /// Every identifier, bound ones too: what the scope has of them is what is converted for an evaluation.
    names: BTreeSet<String>,
    depth: usize,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// All syntax errors, unknown functions and message types that were found; and text that is longer than
    /// [`LONGEST`] or nested too deeply.
    pub fn compile(text: &str) -> Result<Self, Vec<Problem>> {
        let whole = 0..text.len();
        if text.len() > LONGEST {
            return Err(vec![Problem {
                message: format!("expected an expression of at most {LONGEST} bytes, found {}", text.len()),
                range: whole,
                help: Some("compute it in a step and use its `outputs`".to_owned()),
            }]);
        }
        if text.trim().is_empty() {
            return Err(vec![Problem {
                message: "expected an expression, found nothing".to_owned(),
                range: whole,
                help: Some("for example `status == 200`".to_owned()),
            }]);
        }
        let depth = size::depth(text).map_err(|problem| vec![problem])?;
        let compiled = where_there_is_room(depth, || {
            let program = ENV.compile(text).map_err(|errors| explain::syntax(text, &errors))?;
            let seen = walk::walk(text, &program);
            if seen.problems.is_empty() { Ok((program, seen)) } else { Err(seen.problems) }
        });
        let (program, seen) = compiled.unwrap_or_else(|| {
            Err(vec![Problem {
                message: "this expression cannot be read: the CEL parser gave up on it".to_owned(),
                range: whole,
                help: Some("write it in a simpler way".to_owned()),
            }])
        })?;
        Ok(Self { text: text.to_owned(), program, references: seen.references, names: seen.names, depth: seen.depth })
    }

    /// Every path of variables that the expression uses, in the order of the text.
    ///
    /// A path goes on through `.name` and `['name']` and ends before an index that is not a text: `rows[0].n` is
    /// `rows`. Names that macros bind, and the names of types (`int`, `string` …), are left out.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.references.clone()
    }

    /// The value of the expression.
    ///
    /// A timestamp becomes RFC 3339, a duration the seconds as CEL writes them (`5400s`), bytes base64. The keys of a
    /// map are sorted. Macros over a *map* visit its keys in no certain order: a list that is made from one must not
    /// be relied upon to have one.
    ///
    /// # Errors
    ///
    /// What the expression needed and what the scope had, for people.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, String> {
        let work = || {
            let value = self.run(scope)?;
            to_json(&value, 0)
        };
        where_there_is_room(self.depth, work)
            .unwrap_or_else(|| Err(format!("`{}` cannot be evaluated: CEL gave up on it", explain::short(&self.text))))
    }

    /// Whether the expression is true.
    ///
    /// # Errors
    ///
    /// As [`Expression::evaluate`], and a value that is neither true nor false.
    pub fn test(&self, scope: &Scope) -> Result<bool, String> {
        match self.evaluate(scope)? {
            Value::Bool(answer) => Ok(answer),
            other => Err(format!(
                "expected true or false from `{}`, found {}",
                explain::short(&self.text),
                explain::json(&other)
            )),
        }
    }

    fn run(&self, scope: &Scope) -> Result<Cel, String> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        for name in &self.names {
            if let Some(value) = scope.names.get(name) {
                context.add_variable_from_value(name, to_cel(value, 0)?);
            } else if name == "clock" {
                context.add_variable_from_value(name, clock(scope)?);
            }
        }
        self.program.execute(&context).map_err(|error| explain::execution(&self.text, &error, &self.references, scope))
    }
}

/// Runs it where there is room for the recursion of a parser or of an evaluation over this depth. `None`: it panicked, or there
/// is no memory to be had. Where it has to be made, it is a stack and not a thread, as to wait for another thread takes longer
/// than to read an expression; and it is not made for what fits, as the kernel's work for a stack takes as long as to read one.
fn where_there_is_room<T>(depth: usize, work: impl FnOnce() -> T) -> Option<T> {
    let room = if depth <= SHALLOW { ROOM } else { STACK };
    catch_unwind(AssertUnwindSafe(|| stacker::maybe_grow(room, STACK, work))).ok()
}

fn clock(scope: &Scope) -> Result<Cel, String> {
    let clock = scope.clock;
    let fields =
        [("sinceOutage", clock.since_outage), ("sinceDeclared", clock.since_declared), ("elapsed", clock.elapsed)];
    let map = fields
        .into_iter()
        .map(|(name, millis)| Ok((Key::from(name), millis.map_or(Ok(Cel::Null), duration)?)))
        .collect::<Result<std::collections::HashMap<_, _>, String>>()?;
    Ok(Cel::from(map))
}

/// By CEL's own function: its durations are of a crate that is not among ours.
fn duration(millis: u64) -> Result<Cel, String> {
    let text = vec![CowVal::owned(CelString::from(format!("{millis}ms")))];
    let made = ENV.find_overload("duration", &text).and_then(|function| function(text).ok());
    made.and_then(|value| Cel::try_from(value.as_ref()).ok())
        .ok_or_else(|| format!("{millis} ms are longer than a CEL duration can be"))
}

fn to_cel(value: &Value, depth: usize) -> Result<Cel, String> {
    if depth > DEEPEST_VALUE {
        return Err(format!("expected values of at most {DEEPEST_VALUE} levels, found a deeper one"));
    }
    Ok(match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Cel::Int(int),
            (None, Some(uint)) => Cel::UInt(uint),
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::from(text.as_str()),
        Value::Array(items) => {
            Cel::from(items.iter().map(|item| to_cel(item, depth + 1)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| Ok((Key::from(key.as_str()), to_cel(value, depth + 1)?)));
            Cel::from(fields.collect::<Result<std::collections::HashMap<_, _>, String>>()?)
        }
    })
}

fn to_json(value: &Cel, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST_VALUE {
        return Err(format!("expected values of at most {DEEPEST_VALUE} levels, found a deeper one"));
    }
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => Value::Bool(*value),
        Cel::Int(value) => Value::from(*value),
        Cel::UInt(value) => Value::from(*value),
        Cel::Float(value) => serde_json::Number::from_f64(*value)
            .map(Value::Number)
            .ok_or_else(|| format!("expected a number that JSON can hold, found {value}"))?,
        Cel::String(text) => Value::String(text.as_ref().clone()),
        // The crate's own conversion writes bytes as base64, which is CEL's way.
        Cel::Bytes(_) => value.json().map_err(|_| "these bytes cannot be written as JSON".to_owned())?,
        Cel::List(items) => Value::Array(items.iter().map(|item| to_json(item, depth + 1)).collect::<Result<_, _>>()?),
        Cel::Map(map) => {
            let mut fields = map
                .map
                .iter()
                .map(|(key, value)| Ok((key.to_string(), to_json(value, depth + 1)?)))
                .collect::<Result<Vec<_>, String>>()?;
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(fields.into_iter().collect())
        }
        Cel::Timestamp(_) | Cel::Duration(_) => Value::String(text_of(value)?),
        _ => return Err(format!("expected a value that JSON can hold, found a {}", value.type_of())),
    })
}

/// What CEL's `string(value)` gives.
fn text_of(value: &Cel) -> Result<String, String> {
    let none = || format!("a {} cannot be written as a text", value.type_of());
    let owned = Box::<dyn cel::common::value::Val>::try_from(value.clone()).map_err(|_: ExecutionError| none())?;
    let arguments = vec![CowVal::Owned(owned)];
    let function = ENV.find_overload("string", &arguments).ok_or_else(none)?;
    match function(arguments).ok().and_then(|text| Cel::try_from(text.as_ref()).ok()) {
        Some(Cel::String(text)) => Ok(text.as_ref().clone()),
        _ => Err(none()),
    }
}

#[cfg(test)]
mod tests;
