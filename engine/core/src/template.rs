//! Texts with names in them, in Handlebars.
//!
//! Duty: text to a checked template, the names it uses, and the text it gives in a scope. It must not know which names
//! exist (that is lint's), compute anything, or escape anything: what is rendered is an argument or a body, not HTML.
//!
//! It is a strict subset of Handlebars, small enough that every name it uses is known without running it:
//!
//! - `{{inputs.zone}}`, `{{{…}}}`, `{{steps.[count-before].outputs.n}}`, `{{rows.0.n}}`;
//! - `{{#if path}}…{{else}}…{{/if}}`, `{{#unless path}}…{{/unless}}`;
//! - `{{#each path}}…{{else}}…{{/each}}` over a list or a map; inside of it `{{this}}`, `{{this.name}}`, `{{@index}}`,
//!   `{{@key}}`, `{{@first}}`, `{{@last}}` are of the innermost item, and other names are written `{{@root.inputs.zone}}`,
//!   as a bare name means a field of the item to Handlebars, which a reader does not see;
//! - comments, `\{{` for two braces, `~` to trim white space.
//!
//! Partials, decorators, raw blocks, subexpressions, literals, `../` and other helpers are refused. The `handlebars`
//! crate parses; rendering is done here over its tree, because the crate's own strict mode lets `null` through as an
//! empty text and writes lists in a form of its own. In Handlebars both are silent; in a recovery neither may be.

use std::{fmt, ops::Range};

use handlebars::{
    JsonTruthy,
    template::{Parameter, TemplateElement},
};
use serde_json::Value;

use crate::{
    duration::Duration,
    scope::{Clock, Problem, Reference, Scope},
};

mod tags;

use tags::{Block, Path, Root, Tag, TagKind};

/// The longest template, in bytes.
pub const LONGEST: usize = 256 * 1024;
/// How many blocks may be open at once.
pub const DEEPEST: usize = 64;
/// How many `{{…}}` a template may have: the crate counts the lines anew for each.
pub const MOST_TAGS: usize = 1_000;
/// The longest text that a template may become, in bytes.
pub const LONGEST_RENDERED: usize = 4 * 1024 * 1024;
/// How many pieces may be rendered; loops in loops multiply.
const MOST_PIECES: usize = 1_000_000;

/// A Handlebars template whose syntax has been checked.
pub struct Template {
    text: String,
    /// `None`: there is nothing to replace.
    nodes: Option<Vec<Node>>,
    references: Vec<Reference>,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text).finish()
    }
}

#[derive(Debug, PartialEq)]
enum Node {
    Text(String),
    Value(Path),
    Block { block: Block, path: Path, inside: Vec<Node>, otherwise: Vec<Node> },
}

impl Template {
    /// Reads a template. A text without `{{` is a template as it is, backslashes included.
    ///
    /// # Errors
    ///
    /// The first thing that is not in the subset of Handlebars that this module describes, and text that is longer
    /// than [`LONGEST`], deeper than [`DEEPEST`] or has more than [`MOST_TAGS`] tags.
    pub fn compile(text: &str) -> Result<Self, Problem> {
        if !text.contains("{{") {
            return Ok(Self { text: text.to_owned(), nodes: None, references: Vec::new() });
        }
        if text.len() > LONGEST {
            return Err(Problem {
                message: format!("expected a template of at most {LONGEST} bytes, found {}", text.len()),
                range: 0..text.len(),
                help: Some("keep long texts in a file of the runbook".to_owned()),
            });
        }
        // Before the crate sees it: its parser recurses for every block, and it knows much that is not ours.
        let tags = tags::scan(text)?;
        let nodes = plain(text, &tags).map_or_else(|| by_the_crate(text, &tags), Ok)?;
        let references = tags.iter().filter_map(Tag::reference).collect();
        Ok(Self { text: text.to_owned(), nodes: Some(nodes), references })
    }

    /// Every path that the template uses, in the order of the text; the range is that of the path.
    ///
    /// Paths below `this` are left out, as they are fields of an item of a list whose own path is reported. An index
    /// is part of the path: `rows.0.n` is `["rows", "0", "n"]`. No path is dynamic.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.references.clone()
    }

    /// Whether the text is what it gives, in every scope.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.nodes.is_none()
    }

    /// The text in a scope: strings as they are, numbers, `true` and `false` as in JSON, lists and maps as compact
    /// JSON, the clocks such as `1h30m`.
    ///
    /// # Errors
    ///
    /// A name that is not there, by its path; a value that is null; `#each` over what is neither a list nor a map; a
    /// text that grows beyond [`LONGEST_RENDERED`].
    pub fn render(&self, scope: &Scope) -> Result<String, String> {
        let Some(nodes) = &self.nodes else { return Ok(self.text.clone()) };
        let clock = scope.names.get("clock").cloned().unwrap_or_else(|| clock(scope.clock));
        let mut out = Renderer { scope, clock: &clock, text: String::new(), pieces: 0 };
        out.nodes(nodes, None)?;
        Ok(out.text)
    }
}

/// The nodes of a text that has values and nothing else: no block, comment, escape, sign that trims, or brace beside those of a
/// tag. There the crate has nothing to decide, and its parser takes some ten times as long as all that was done before.
fn plain(text: &str, tags: &[Tag]) -> Option<Vec<Node>> {
    if text.contains(['\\', '~']) || text.contains("{{!") {
        return None;
    }
    let mut nodes = Vec::with_capacity(2 * tags.len() + 1);
    let mut from = 0;
    for tag in tags {
        let TagKind::Value(path) = &tag.kind else { return None };
        let (before, behind) = (text.get(from..tag.whole.start)?, text.get(tag.whole.end..)?);
        let triple = text.get(tag.whole.clone())?.starts_with("{{{");
        if triple || before.ends_with('{') || behind.starts_with('}') {
            return None;
        }
        if !before.is_empty() {
            nodes.push(Node::Text(before.to_owned()));
        }
        nodes.push(Node::Value(path.clone()));
        from = tag.whole.end;
    }
    let end = text.get(from..)?;
    if !end.is_empty() {
        nodes.push(Node::Text(end.to_owned()));
    }
    Some(nodes)
}

fn by_the_crate(text: &str, tags: &[Tag]) -> Result<Vec<Node>, Problem> {
    let parsed = handlebars::Template::compile(text).map_err(|error| problem(text, &error))?;
    let mut rest = tags.iter();
    let nodes = build(&parsed, &mut rest);
    match (nodes, rest.find(|tag| tag.is_shown())) {
        (Some(nodes), None) => Ok(nodes),
        // Two readers who disagree: neither is to be trusted.
        _ => Err(Problem {
            message: "this template can be read in two ways".to_owned(),
            range: 0..text.len(),
            help: Some("write `\\{{` for two braces that are text".to_owned()),
        }),
    }
}

/// The crate's tree with our paths in it; `None` when the two do not agree.
fn build<'a>(parsed: &handlebars::Template, tags: &mut (impl Iterator<Item = &'a Tag> + Clone)) -> Option<Vec<Node>> {
    let mut nodes = Vec::with_capacity(parsed.elements.len());
    for element in &parsed.elements {
        match element {
            TemplateElement::RawString(text) => nodes.push(Node::Text(text.clone())),
            TemplateElement::Comment(_) => {}
            TemplateElement::Expression(found) | TemplateElement::HtmlExpression(found) => {
                let tag = tags.find(|tag| tag.is_shown())?;
                let plain = found.params.is_empty() && found.hash.is_empty() && !found.block;
                let TagKind::Value(path) = &tag.kind else { return None };
                if !plain || !same(&found.name, &path.raw) {
                    return None;
                }
                nodes.push(Node::Value(path.clone()));
            }
            TemplateElement::HelperBlock(found) => {
                let tag = tags.find(|tag| tag.is_shown())?;
                let TagKind::Open(block, path) = &tag.kind else { return None };
                let [parameter] = found.params.as_slice() else { return None };
                let plain = found.hash.is_empty() && found.block_param.is_none() && !found.is_chained();
                if !plain || !same(&found.name, block.name()) || !same(parameter, &path.raw) {
                    return None;
                }
                let inside = found.template.as_ref().map_or(Some(Vec::new()), |inner| build(inner, tags))?;
                let otherwise = found.inverse.as_ref().map_or(Some(Vec::new()), |inner| build(inner, tags))?;
                nodes.push(Node::Block { block: *block, path: path.clone(), inside, otherwise });
            }
            _ => return None,
        }
    }
    Some(nodes)
}

fn same(parameter: &Parameter, text: &str) -> bool {
    parameter.as_name() == Some(text)
}

fn problem(text: &str, error: &handlebars::TemplateError) -> Problem {
    let start = error.pos().map_or(0, |(line, column)| {
        let start = match line {
            0 | 1 => 0,
            _ => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
        };
        let rest = text.get(start..).unwrap_or_default();
        start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
    });
    let length = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Problem {
        message: format!("this is not a Handlebars template: {}", error.reason()),
        range: start..start + length,
        help: Some("write `\\{{` for two braces that are text".to_owned()),
    }
}

fn clock(clock: Clock) -> Value {
    let text = |millis: Option<u64>| millis.map(|millis| Duration::from_millis(millis).to_string());
    serde_json::json!({
        "sinceOutage": text(clock.since_outage),
        "sinceDeclared": text(clock.since_declared),
        "elapsed": text(clock.elapsed),
    })
}

/// One turn of an `#each`.
struct Item<'a> {
    value: &'a Value,
    index: usize,
    key: Option<&'a str>,
    last: bool,
}

struct Renderer<'a> {
    scope: &'a Scope,
    clock: &'a Value,
    text: String,
    pieces: usize,
}

impl<'a> Renderer<'a> {
    fn nodes(&mut self, nodes: &[Node], item: Option<&Item<'a>>) -> Result<(), String> {
        for node in nodes {
            self.pieces += 1;
            if self.pieces > MOST_PIECES {
                return Err(format!(
                    "expected a template of at most {MOST_PIECES} pieces, found more: `#each` in `#each`?"
                ));
            }
            match node {
                Node::Text(text) => self.push(text)?,
                Node::Value(path) => self.value(path, item)?,
                Node::Block { block, path, inside, otherwise } => match block {
                    Block::If | Block::Unless => {
                        let wanted = matches!(block, Block::If);
                        let branch = if self.truth(path, item)? == wanted { inside } else { otherwise };
                        self.nodes(branch, item)?;
                    }
                    Block::Each => self.each(path, inside, otherwise, item)?,
                },
            }
        }
        Ok(())
    }

    fn each(
        &mut self,
        path: &Path,
        inside: &[Node],
        otherwise: &[Node],
        item: Option<&Item<'a>>,
    ) -> Result<(), String> {
        let value = match path.root {
            Root::Index | Root::Key | Root::First | Root::Last => None,
            Root::Scope | Root::This => Some(self.look_up(path, item)?),
        };
        match value {
            Some(Value::Array(items)) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    let item = Item { value, index, key: None, last: index + 1 == items.len() };
                    self.nodes(inside, Some(&item))?;
                }
                Ok(())
            }
            Some(Value::Object(fields)) if !fields.is_empty() => {
                for (index, (key, value)) in fields.iter().enumerate() {
                    let item = Item { value, index, key: Some(key), last: index + 1 == fields.len() };
                    self.nodes(inside, Some(&item))?;
                }
                Ok(())
            }
            Some(Value::Array(_) | Value::Object(_)) => self.nodes(otherwise, item),
            Some(other) => Err(format!("`#each` expected a list or a map in `{}`, found {}", path.raw, kind(other))),
            None => Err(format!("`#each` expected a list or a map in `{}`", path.raw)),
        }
    }

    fn truth(&self, path: &Path, item: Option<&Item<'a>>) -> Result<bool, String> {
        match (path.root, item) {
            (Root::Index, Some(item)) => Ok(item.index != 0),
            (Root::Key, Some(item)) => Ok(item.key.is_some_and(|key| !key.is_empty())),
            (Root::First, Some(item)) => Ok(item.index == 0),
            (Root::Last, Some(item)) => Ok(item.last),
            _ => Ok(self.look_up(path, item)?.is_truthy(false)),
        }
    }

    fn value(&mut self, path: &Path, item: Option<&Item<'a>>) -> Result<(), String> {
        match (path.root, item) {
            (Root::Index, Some(item)) => self.push(&item.index.to_string()),
            // In a list the key is the index, as in Handlebars.
            (Root::Key, Some(Item { key: None, index, .. })) => {
                Err(format!("`@key` is of a map, and item {index} is of a list: write `@index`"))
            }
            (Root::Key, Some(Item { key: Some(key), .. })) => self.push(key),
            (Root::First, Some(item)) => self.push(if item.index == 0 { "true" } else { "false" }),
            (Root::Last, Some(item)) => self.push(if item.last { "true" } else { "false" }),
            _ => match self.look_up(path, item)? {
                Value::Null => Err(format!("expected a value in `{}`, found null", path.raw)),
                Value::String(text) => self.push(text),
                other => self.push(&other.to_string()),
            },
        }
    }

    fn look_up(&self, path: &Path, item: Option<&Item<'a>>) -> Result<&'a Value, String> {
        let (mut value, names) = if let (Root::This, Some(item)) = (path.root, item) {
            (item.value, path.names.as_slice())
        } else {
            let Some((root, names)) = path.names.split_first() else {
                return Err(format!("there is no `{}`", path.raw));
            };
            let value = match self.scope.names.get(root) {
                Some(value) => value,
                None if root == "clock" => self.clock,
                None => return Err(format!("there is no `{root}`, which `{}` needs", path.raw)),
            };
            (value, names)
        };
        for name in names {
            let next = match value {
                Value::Object(fields) => fields.get(name),
                Value::Array(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            value = next.ok_or_else(|| match value {
                Value::Object(_) => format!("there is no `{}`: no `{name}`", path.raw),
                Value::Array(items) => format!("there is no `{}`: no item `{name}` of {}", path.raw, items.len()),
                other => format!("there is no `{}`: before `{name}` stands {}", path.raw, kind(other)),
            })?;
        }
        Ok(value)
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        if self.text.len() + text.len() > LONGEST_RENDERED {
            return Err(format!("expected a text of at most {LONGEST_RENDERED} bytes, found a longer one"));
        }
        self.text.push_str(text);
        Ok(())
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// For [`tags`]: a problem at a place.
fn at(range: Range<usize>, message: impl Into<String>, help: &str) -> Problem {
    Problem { message: message.into(), range, help: Some(help.to_owned()) }
}

#[cfg(test)]
mod tests;
