//! What an expression uses: names and functions.
//!
//! Duty: one walk over the tree. It must not look at values.

use std::{collections::BTreeSet, ops::Range};

use cel::{
    IdedExpr, Program,
    common::ast::{EntryExpr, Expr, LiteralValue, operators},
};

use super::size::{self, Kind};
use crate::scope::{Problem, Reference};

/// The functions that an expression can call: `size(x)`.
pub const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "has",
    "int",
    "matches",
    "size",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// The functions that an expression can call on a value: `x.size()`.
pub const METHODS: &[&str] = &[
    "all",
    "charAt",
    "contains",
    "endsWith",
    "exists",
    "existsOne",
    "exists_one",
    "filter",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "indexOf",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "map",
    "matches",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "substring",
    "trim",
    "upperAscii",
];

/// Macros: when the tree still has one as a call, its arguments were not what it takes.
const MACROS: &[(&str, &str)] = &[
    ("all", "`list.all(x, x > 0)`"),
    ("exists", "`list.exists(x, x > 0)`"),
    ("existsOne", "`list.existsOne(x, x > 0)`"),
    ("exists_one", "`list.exists_one(x, x > 0)`"),
    ("filter", "`list.filter(x, x > 0)`"),
    ("has", "`has(json.count)`"),
    ("map", "`list.map(x, x.name)`"),
];

const TYPES: &[&str] = &["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"];

/// What was found.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) references: Vec<Reference>,
    pub(super) names: BTreeSet<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) depth: usize,
}

pub(super) fn walk(text: &str, program: &Program) -> Seen {
    let mut walker = Walker { text, program, bound: Vec::new(), seen: Seen::default() };
    walker.visit(program.expression(), 1);
    let mut seen = walker.seen;
    seen.references.sort_by_key(|reference| (reference.range.start, reference.range.end));
    seen.references.dedup();
    seen.problems.sort_by_key(|problem| (problem.range.start, problem.range.end));
    seen.problems.dedup();
    seen
}

struct Walker<'a> {
    text: &'a str,
    program: &'a Program,
    bound: Vec<&'a str>,
    seen: Seen,
}

impl<'a> Walker<'a> {
    fn visit(&mut self, node: &'a IdedExpr, depth: usize) {
        self.seen.depth = self.seen.depth.max(depth);
        let depth = depth + 1;
        match &node.expr {
            Expr::Ident(_) | Expr::Select(_) => self.path(node, depth),
            Expr::Call(call) if call.func_name == operators::INDEX => self.path(node, depth),
            Expr::Call(call) => {
                self.function(node.id, &call.func_name, call.target.is_some());
                call.target.iter().for_each(|target| self.visit(target, depth));
                call.args.iter().for_each(|argument| self.visit(argument, depth));
            }
            Expr::Comprehension(macro_) => {
                self.visit(&macro_.iter_range, depth);
                self.visit(&macro_.accu_init, depth);
                let outside = self.bound.len();
                self.bound.extend([macro_.iter_var.as_str(), macro_.accu_var.as_str()]);
                self.bound.extend(macro_.iter_var2.as_deref());
                for part in [&macro_.loop_cond, &macro_.loop_step, &macro_.result] {
                    self.visit(part, depth);
                }
                self.bound.truncate(outside);
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element, depth)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    self.entry(&entry.expr, depth);
                }
            }
            Expr::Struct(literal) => {
                let range = self.range(node.id, literal.type_name.trim_start_matches('.'));
                self.seen.problems.push(Problem {
                    message: format!("there is no message type `{}`", literal.type_name),
                    range,
                    help: Some("a map is written `{'name': value}`".to_owned()),
                });
                for entry in &literal.entries {
                    self.entry(&entry.expr, depth);
                }
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn entry(&mut self, entry: &'a EntryExpr, depth: usize) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, depth);
                self.visit(&entry.value, depth);
            }
        }
    }

    /// A chain of fields and indices. It is a reference when it begins with a name.
    fn path(&mut self, node: &'a IdedExpr, mut depth: usize) {
        let mut links = Vec::new();
        let mut base = node;
        loop {
            match &base.expr {
                Expr::Select(select) => {
                    links.push(Link::Name(&select.field));
                    base = &select.operand;
                }
                Expr::Call(call) if call.func_name == operators::INDEX && call.args.len() == 2 => {
                    let [inner, index] = call.args.as_slice() else { break };
                    links.push(match &index.expr {
                        Expr::Literal(LiteralValue::String(name)) => Link::Name(name.inner()),
                        Expr::Literal(_) => Link::End,
                        _ => {
                            self.visit(index, depth);
                            Link::Dynamic
                        }
                    });
                    base = inner;
                }
                _ => break,
            }
            depth += 1;
        }
        self.seen.depth = self.seen.depth.max(depth);
        let Expr::Ident(name) = &base.expr else {
            self.visit(base, depth);
            return;
        };
        let absolute = name.starts_with('.');
        let name = name.trim_start_matches('.');
        self.seen.names.insert(name.to_owned());
        if name.starts_with('@') || (!absolute && self.bound.contains(&name)) {
            return;
        }
        let mut path = vec![name.to_owned()];
        let mut dynamic = false;
        for link in links.iter().rev() {
            match link {
                Link::Name(name) => path.push((*name).to_owned()),
                Link::End => break,
                Link::Dynamic => {
                    dynamic = true;
                    break;
                }
            }
        }
        let a_type = links.is_empty() && TYPES.contains(&name);
        if a_type || path.starts_with(&["google".to_owned(), "protobuf".to_owned()]) {
            return;
        }
        let start = self.start(base.id);
        let range = start..self.extent(start, path.len());
        self.seen.references.push(Reference { path, dynamic, range });
    }

    fn start(&self, id: u64) -> usize {
        let start = self.program.source_info().offset_for(id).map_or(0, |(start, _)| start);
        usize::try_from(start).unwrap_or_default().min(self.text.len())
    }

    /// Where a path of so many names, which begins at `start`, ends in the text; it stops early where the text has
    /// something in between, for example brackets.
    fn extent(&self, start: usize, names: usize) -> usize {
        let mut end = start;
        let mut at = start;
        let mut left = names;
        let mut ready = true;
        let mut indexed = false;
        while left > 0 || indexed {
            let Ok(token) = size::token(self.text, at) else { break };
            let Some(shown) = self.text.get(at..at + token.length).filter(|shown| !shown.is_empty()) else { break };
            let indexing = matches!(shown, "[" | "]");
            match token.kind {
                Kind::Space => {}
                Kind::Dot => ready = true,
                Kind::Open if indexing && !indexed => (ready, indexed) = (true, true),
                Kind::Close if indexing && indexed => {
                    indexed = false;
                    end = at + token.length;
                }
                Kind::Operand if ready && left > 0 => {
                    left -= 1;
                    ready = false;
                    if !indexed {
                        end = at + token.length;
                    }
                }
                _ => break,
            }
            at += token.length;
        }
        end
    }

    fn function(&mut self, id: u64, name: &str, on_a_value: bool) {
        let operator = |name: &str| name.starts_with(['_', '@', '!', '-']) && !name.starts_with("__");
        let (known, others) = if on_a_value { (METHODS, FUNCTIONS) } else { (FUNCTIONS, METHODS) };
        // Only operators have signs that an identifier cannot have; `_foo` is someone's own.
        let is_operator = operator(name) && name.chars().any(|letter| !letter.is_ascii_alphanumeric() && letter != '_');
        let usage = MACROS.iter().find(|(macro_, _)| *macro_ == name);
        let (message, help) = if is_operator {
            return;
        } else if let Some((_, example)) = usage {
            (format!("`{name}` cannot take this"), format!("it is written {example}"))
        } else if known.contains(&name) {
            return;
        } else if others.contains(&name) {
            let right = if on_a_value { format!("{name}(x)") } else { format!("x.{name}(…)") };
            (format!("`{name}` is not called like this"), format!("it is written `{right}`"))
        } else {
            let near = known.iter().chain(others).min_by_key(|known| distance(known, name));
            let near = near.filter(|near| distance(near, name) <= 2.max(name.len() / 3));
            let help = near.map_or_else(
                || format!("there are {} and, on a value, {}", FUNCTIONS.join(", "), METHODS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            (format!("there is no function `{name}`"), help)
        };
        let range = self.range(id, name);
        self.seen.problems.push(Problem { message, range, help: Some(help) });
    }

    /// The place of a name whose call or literal was noted at its name, or at a bracket behind it.
    fn range(&self, id: u64, name: &str) -> Range<usize> {
        let near = self.start(id);
        let start = match self.text.get(near..) {
            Some(rest) if rest.starts_with(name) => Some(near),
            _ => self.text.get(..near).and_then(|before| before.rfind(name)).or_else(|| self.text.find(name)),
        };
        start.map_or(0..self.text.len(), |start| start..start + name.len())
    }
}

enum Link<'a> {
    Name(&'a str),
    /// An index that is a literal but not a text.
    End,
    Dynamic,
}

/// The number of letters to change, add or leave out, without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).map(|letter| letter.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().map(|letter| letter.to_ascii_lowercase()).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            left = (left + 1).min(above + 1).min(diagonal + usize::from(x != *y));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
