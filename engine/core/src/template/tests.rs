use handlebars::{Handlebars, no_escape};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn scope() -> Scope {
    let names = json!({
        "inputs": {"zone": "a<b>&\"'", "list": ["x", "y"], "objects": [{"n": 1, "in": {"x": true}}, {"n": 2, "in": {"x": false}}],
            "map": {"k1": "v1", "k2": "v2"}, "empty": [], "none": null, "yes": true, "no": false, "zero": 0, "text": "", "float": 1.5,
            "matrix": [[1, 2], [3]]},
        "steps": {"provision-network": {"outputs": {"lb": "10.0.0.1"}}, "count-before": {"outputs": {"n": 5}}},
        "each": {"ns": "payments"},
        "elsewhere": "there",
        "äö": "ü",
    });
    let Value::Object(names) = names else { return Scope::default() };
    Scope { names, clock: Clock { since_outage: Some(5_400_000), since_declared: None, elapsed: Some(0) } }
}

fn compile(text: &str) -> Template {
    Template::compile(text).unwrap_or_else(|problem| panic!("{text:.80}: {problem:?}"))
}

fn render(text: &str) -> Result<String, String> {
    compile(text).render(&scope())
}

fn problem(text: &str) -> Problem {
    let problem = Template::compile(text).err().unwrap_or_else(|| panic!("{text:.80} compiles"));
    assert!(problem.range.start <= problem.range.end, "{text:.80} {problem:?}");
    assert!(text.get(problem.range.clone()).is_some(), "{text:.80} {problem:?}");
    problem
}

#[test]
fn is_send_and_sync() {
    fn both<T: Send + Sync + fmt::Debug>() {}
    both::<Template>();
}

#[test]
fn text_without_braces_is_left_alone() {
    for text in ["", "plain", "C:\\\\dir\\{x}", "\\{ {", "}}", "a\\\\", "äö { { ~}}"] {
        let template = compile(text);
        assert!(template.is_literal());
        assert_eq!(template.render(&Scope::default()).as_deref(), Ok(text));
        assert!(template.references().is_empty());
    }
    assert!(!compile("{{a}}").is_literal());
    assert!(!compile("\\{{a}}").is_literal(), "it loses a backslash");
}

#[test]
fn renders() {
    for (text, expected) in [
        ("{{inputs.zone}}", "a<b>&\"'"),
        ("{{{inputs.zone}}}", "a<b>&\"'"),
        ("{{ steps.provision-network.outputs.lb }}:443", "10.0.0.1:443"),
        ("{{steps.[count-before].outputs.n}}", "5"),
        ("{{[steps].count-before.outputs}}", "{\"n\":5}"),
        ("{{each.ns}}", "payments"),
        ("{{inputs.list}}", "[\"x\",\"y\"]"),
        ("{{inputs.list.1}}{{inputs.list.[0]}}", "yx"),
        ("{{inputs.yes}} {{inputs.zero}} {{inputs.float}} [{{inputs.text}}]", "true 0 1.5 []"),
        ("{{clock.sinceOutage}} {{clock.elapsed}}", "1h30m 0s"),
        ("{{äö}}", "ü"),
        ("{{[elsewhere]}}", "there"),
        ("\\{{inputs.zone}}", "{{inputs.zone}}"),
        ("\\\\{{each.ns}}", "\\payments"),
        ("a {{! a comment }}b{{!-- {{x}} --}}c", "a bc"),
        ("{{#if inputs.yes}}1{{else}}2{{/if}}{{#if inputs.no}}1{{else}}2{{/if}}", "12"),
        ("{{#unless inputs.none}}1{{/unless}}{{#if inputs.empty}}2{{^}}3{{/if}}", "13"),
        ("{{#each inputs.list}}{{@index}}={{this}}{{#unless @last}},{{/unless}}{{/each}}", "0=x,1=y"),
        ("{{#each inputs.map}}{{@key}}={{this}};{{/each}}", "k1=v1;k2=v2;"),
        ("{{#each inputs.empty}}x{{else}}none of {{each.ns}}{{/each}}", "none of payments"),
        (
            "{{#each inputs.objects}}{{this.n}}{{@root.each.ns}}{{#if this.in.x}}!{{/if}}{{/each}}",
            "1payments!2payments",
        ),
        ("{{#each inputs.matrix}}{{#each this}}{{this}}{{/each}};{{/each}}", "12;3;"),
        ("a  {{~ each.ns ~}}  b", "apaymentsb"),
        ("{{#if inputs.yes}}\nline\n{{/if}}\nend", "line\nend"),
        ("{\"a\": {\"b\": \"{{each.ns}}\"} }", "{\"a\": {\"b\": \"payments\"} }"),
    ] {
        assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn says_what_is_missing() {
    for (text, expected) in [
        ("{{inputs.zon}}", "there is no `inputs.zon`: no `zon`"),
        ("{{nothing.x}}", "there is no `nothing`, which `nothing.x` needs"),
        ("{{inputs.zone.x}}", "there is no `inputs.zone.x`: before `x` stands a text"),
        ("{{inputs.list.7}}", "there is no `inputs.list.7`: no item `7` of 2"),
        ("{{inputs.none}}", "expected a value in `inputs.none`, found null"),
        ("{{clock.sinceDeclared}}", "expected a value in `clock.sinceDeclared`, found null"),
        ("{{clock.x}}", "there is no `clock.x`: no `x`"),
        ("{{#if inputs.zon}}a{{/if}}", "there is no `inputs.zon`: no `zon`"),
        ("{{#each inputs.zone}}a{{/each}}", "`#each` expected a list or a map in `inputs.zone`, found a text"),
        ("{{#each inputs.none}}a{{/each}}", "`#each` expected a list or a map in `inputs.none`, found null"),
        ("{{#each inputs.list}}{{@key}}{{/each}}", "`@key` is of a map, and item 0 is of a list: write `@index`"),
        ("{{#each inputs.list}}{{this.x}}{{/each}}", "there is no `this.x`: before `x` stands a text"),
    ] {
        assert_eq!(render(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn finds_references() {
    let found = |text: &str| {
        let shown = |r: Reference| format!("{} @ {}", r.path.join("/"), text.get(r.range).unwrap_or("?"));
        compile(text).references().into_iter().map(shown).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("ä {{ inputs.zone }} {{{each.ns}}}", vec!["inputs/zone @ inputs.zone", "each/ns @ each.ns"]),
        ("{{steps.[count-before].outputs.n}}", vec!["steps/count-before/outputs/n @ steps.[count-before].outputs.n"]),
        ("{{#if a.b}}{{c}}{{else}}{{d}}{{/if}}{{e}}", vec!["a/b @ a.b", "c @ c", "d @ d", "e @ e"]),
        (
            "{{#each a}}{{this.b}}{{@index}}{{@root.c.d}}{{#each this.e}}{{this}}{{/each}}{{/each}}",
            vec!["a @ a", "c/d @ @root.c.d"],
        ),
        ("\\{{a}} {{! {{b}} }} \\\\{{c}}", vec!["c @ c"]),
        ("{{rows.0.n}}", vec!["rows/0/n @ rows.0.n"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn refuses_everything_else_where_it_stands() {
    for (text, shown, message) in [
        ("ä {{> partial}}", "{{> partial}}", "partials are not allowed in a template"),
        ("{{* deco}}", "{{* deco}}", "decorators are not allowed in a template"),
        ("{{#*inline \"x\"}}{{/inline}}", "{{#*inline \"x\"}}", "decorators are not allowed in a template"),
        ("{{#> x}}{{/x}}", "{{#> x}}", "partials are not allowed in a template"),
        ("{{{{raw}}}} {{{{/raw}}}}", "{{{{", "raw blocks are not allowed"),
        ("{{(lookup a b)}}", "{{(lookup a b)}}", "subexpressions are not allowed in a template"),
        ("{{#if (eq a b)}}x{{/if}}", "(", "expected a name such as `inputs.zone`, found `(`"),
        ("{{lookup a b}}", "a b", "expected `}}` behind the path, found `a b`"),
        ("{{upper inputs.zone}}", "inputs.zone", "expected `}}` behind the path, found `inputs.zone`"),
        ("{{#with a}}{{/with}}", "{{#with a}}", "`#with` is not allowed in a template"),
        ("{{#if a}}{{else if b}}{{/if}}", "{{else if b}}", "`{{else …}}` with a condition is not allowed"),
        ("{{#each a as |x|}}{{/each}}", "as |x|", "expected `}}` behind the path, found `as |x|`"),
        (
            "{{#if a includeZero=true}}{{/if}}",
            "includeZero=true",
            "expected `}}` behind the path, found `includeZero=true`",
        ),
        ("{{&a}}", "{{&a}}", "`{{&path}}` is not allowed in a template: nothing is escaped anyway"),
        ("{{'a'}}", "'", "expected a name such as `inputs.zone`, found `'`"),
        ("{{#if true}}{{/if}}", "true", "expected a path such as `inputs.zone`, found `true`"),
        ("{{../a}}", ".", "`..` and `./` are not allowed in a path"),
        ("{{a/b}}", "a/", "`/` in a path is not allowed"),
        ("{{a..b}}", "a..", "`..` and `./` are not allowed in a path"),
        ("{{}}", "}", "expected a name such as `inputs.zone`, found `}}`"),
        ("{{a.}}", "}", "expected a name such as `inputs.zone`, found `}}`"),
        ("x {{a", "{{", "expected `}}` for this, found the end"),
        ("{{{a}}", "{{", "expected as many braces at the end as at the beginning"),
        ("{{#if a}}x", "{{#if a", "expected a `{{/if}}` for this, found the end"),
        ("{{#if a}}x{{/each}}", "{{/each", "expected `{{/if}}`, found `{{/each}}`"),
        ("{{/if}}", "{{/if", "`{{/if}}` closes nothing"),
        ("{{else}}", "else", "`{{else}}` stands in no block"),
        ("{{#if a}}{{else}}{{else}}{{/if}}", "else", "this block has an `{{else}}` already"),
        ("{{this}}", "this", "`this` has a meaning inside of `#each` only"),
        ("{{@index}}", "@index", "`@index` has a meaning inside of `#each` only"),
        ("{{@foo}}", "@foo", "there is no `@foo`"),
        ("{{#each a}}{{b.c}}{{/each}}", "b.c", "inside of `#each`, `b.c` would be a field of the item"),
        ("{{#each a}}{{else}}{{this}}{{/each}}", "this", "`this` has a meaning inside of `#each` only"),
        ("{{elsewhere}}", "elsewhere", "a path cannot begin with `else`, found `elsewhere`"),
        ("{{! no end", "{{! no end", "expected a comment such as `{{! text }}`"),
        ("{{a.this}}", "a.this", "`this` can only stand at the beginning of a path"),
        ("{{a[0]}}", "[0]", "expected `}}` behind the path, found `[0]`"),
    ] {
        let found = problem(text);
        assert_eq!(found.message, message, "{text}");
        assert_eq!(text.get(found.range.clone()), Some(shown), "{text}");
        assert!(found.help.is_some(), "{text}");
    }
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let text = |piece: &str, count| piece.repeat(count);
    for text in [
        text("{{#if a}}", 20_000),
        text("{{#if a}}", 900) + &text("{{/if}}", 900),
        text("{{#if a}}{{! {{/if}}", 10_000),
        text("{{#if a}}\\{{/if}}", 10_000),
        text("{{#each a}}", 20_000),
        text("{{a}}", 40_000),
        text("{{", 100_000),
        text("{{{", 80_000),
        text("{{((((", 30_000),
        text("{{a (a ", 30_000),
        text("{{#if [[[[", 20_000),
        text("{{>", 60_000),
        text("{{{{a}}}}", 20_000),
        text("{{!--", 50_000),
        text("{{a", 50_000),
        text("{{a.", 50_000),
        text("{{[", 50_000),
        text("é", 200_000) + "{{",
    ] {
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
            problem(&text);
        });
        assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
    }
}

#[test]
fn the_deepest_and_longest_work() {
    let deep = "{{#if inputs.yes}}".repeat(DEEPEST) + "x" + &"{{/if}}".repeat(DEEPEST);
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || render(&deep));
    assert_eq!(thread.ok().and_then(|thread| thread.join().ok()), Some(Ok("x".to_owned())));
    let long = "é".repeat(LONGEST / 2 - 9 * MOST_TAGS) + &"{{each.ns}}".repeat(MOST_TAGS);
    assert!(render(&long).is_ok_and(|text| text.ends_with("payments")));
    let dotted = format!("{{{{a{}}}}}", ".a".repeat(50_000));
    assert!(render(&dotted).is_err());
}

#[test]
fn loops_in_loops_end() {
    let mut scope = scope();
    scope.names.insert("xs".to_owned(), json!(vec![1; 100]));
    for inner in ["", "x", "{{this}}"] {
        let text = "{{#each @root.xs}}".repeat(8) + inner + &"{{/each}}".repeat(8);
        let outcome = compile(&text).render(&scope);
        assert!(outcome.is_err_and(|error| error.contains("at most")));
    }
    scope.names.insert("big".to_owned(), json!("x".repeat(100_000)));
    let text = "{{#each xs}}{{@root.big}}{{/each}}";
    assert!(compile(text).render(&scope).is_err_and(|error| error.contains("at most 4194304 bytes")));
}

/// What the crate itself makes of it, in strict mode.
fn reference_rendering(text: &str) -> Option<String> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(no_escape);
    handlebars.render_template(text, &Value::Object(scope().names)).ok()
}

fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "{{inputs.zone}}",
        "{{inputs.yes}}",
        "{{{each.ns}}}",
        "{{~inputs.zone}}",
        "{{inputs.zero~}}",
        "{{#if inputs.yes}}",
        "{{#if inputs.no}}",
        "{{#unless inputs.text}}",
        "{{else}}",
        "{{^}}",
        "{{/if}}",
        "{{/if}}",
        "{{/unless}}",
        "{{#each inputs.list}}",
        "{{#each inputs.map}}",
        "{{/each}}",
        "{{/each}}",
        "{{this}}",
        "{{@index}}",
        "{{@first}}",
        "{{@root.each.ns}}",
        "{{~else~}}",
        "{{! c }}",
        "{{!-- {{ --}}",
        "\\{{",
        "\\\\{{inputs.zone}}",
        "\\",
        "\\{{{{",
        "{",
        "}}",
        " ",
        "\n",
        "  \n",
        "text",
        "é",
        "{{~#if inputs.yes~}}",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn renders_as_the_crate_does(text in pieces()) {
        if let Ok(template) = Template::compile(&text) {
            if template.is_literal() {
                return Ok(());
            }
            if let Ok(rendered) = template.render(&scope()) {
                prop_assert_eq!(Some(rendered), reference_rendering(&text), "{}", text);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "(\\{\\{|\\}\\}|[{}#/~^!&>*@.\\[\\]()'\" \\\\aé\n-]|else|if|each|this){0,24}") {
        match Template::compile(&text) {
            Err(_) => { let found = problem(&text); prop_assert!(!found.message.contains("two ways"), "{:?}", text); }
            Ok(template) => {
                drop(template.render(&scope()));
                for reference in template.references() {
                    prop_assert!(text.get(reference.range.clone()).is_some_and(|shown| !shown.is_empty()));
                }
            }
        }
    }
    #[test]
    fn what_is_plain_is_read_as_the_crate_does(text in "(\\{\\{ ?(a|b\\.c|\\[é 0\\]\\.x|this|true|null|as|else|@root\\.c|[0a-]{1,2}) ?\\}\\}|[{}.@\\[\\]é\\n :$0a!~-]|\\\\){0,6}") {
        if let Ok(tags) = tags::scan(&text) && !tags.is_empty() && let Some(nodes) = plain(&text, &tags) {
            let theirs = by_the_crate(&text, &tags);
            prop_assert_eq!(Ok(nodes), theirs.map_err(|problem| problem.message), "{:?}", text);
        }
    }
}
