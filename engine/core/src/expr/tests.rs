use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scope::Clock;

fn scope() -> Scope {
    let names = json!({
        "exitCode": 0,
        "value": 0,
        "ratio": 0.04,
        "huge": u64::MAX,
        "none": null,
        "text": "abc\n",
        "json": {"count": 3, "items": [{"n": 1}, {"n": 2}], "nil": null},
        "rows": [{"n": 5}],
        "answers": ["10.0.0.1"],
        "steps": {"count-before": {"outputs": {"cases": 5}}, "net": {"outputs": {"lb": "10.0.0.1"}}},
        "inputs": {"namespaces": ["a", "b"], "region": "eu-2"},
    });
    let Value::Object(names) = names else { return Scope::default() };
    let clock = Clock { since_outage: Some(4 * 3_600_000), since_declared: None, elapsed: Some(1_500) };
    Scope { names, clock }
}

fn compile(text: &str) -> Expression {
    Expression::compile(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

fn value(text: &str) -> Result<Value, String> {
    compile(text).evaluate(&scope())
}

fn problems(text: &str) -> Vec<Problem> {
    let problems = Expression::compile(text).err().unwrap_or_else(|| panic!("{text:.60} compiles"));
    assert!(!problems.is_empty());
    for problem in &problems {
        assert!(problem.range.start <= problem.range.end && problem.range.end <= text.len(), "{text:.60} {problem:?}");
        assert!(text.get(problem.range.clone()).is_some(), "{text:.60} {problem:?}");
        assert!(!problem.message.contains("Syntax error"), "{problem:?}");
    }
    problems
}

/// The paths as written, `…` for dynamic ones, and the text that they cover.
fn paths(text: &str) -> Vec<(String, String)> {
    let shown = |r: Reference| {
        let dots = if r.dynamic { ".…" } else { "" };
        (r.path.join(".") + dots, text.get(r.range).unwrap_or("?").to_owned())
    };
    compile(text).references().into_iter().map(shown).collect()
}

#[test]
fn is_send_and_sync() {
    fn both<T: Send + Sync + fmt::Debug>() {}
    both::<Expression>();
}

#[test]
fn compares_as_authors_expect() {
    for text in [
        "exitCode == 0",
        "exitCode == 0.0",
        "json.count >= 3",
        "json.count > 2.5",
        "value < 0.05",
        "ratio < 0.05",
        "ratio > 0",
        "huge > 1",
        "huge == 18446744073709551615u",
        "rows[0].n >= steps['count-before'].outputs.cases",
        "answers == [steps['net'].outputs.lb]",
        "steps.net.outputs.lb in answers",
        "json.items.all(x, x.n > 0) && json.items.exists(x, x.n == 2)",
        "json.items.map(i, i.n) == [1, 2]",
        "has(json.count) && !has(json.missing)",
        "'count' in json",
        "none == null && none != 0 && json.nil == null",
        "text.trim() == 'abc' && text.size() == 4",
        "text.matches('^abc')",
        "'a,b'.split(',').join('-') == 'a-b'",
        "clock.sinceOutage > duration('3h30m')",
        "clock.elapsed == duration('1500ms')",
        "clock.sinceDeclared == null",
        "type(exitCode) == int && type(ratio) == double",
        "inputs.region != 'eu-1' // a comment (((",
        "timestamp('2026-01-31T12:00:00Z') - timestamp('2026-01-31T11:00:00Z') == duration('1h')",
    ] {
        assert_eq!(compile(text).test(&scope()), Ok(true), "{text}");
    }
}

#[test]
fn gives_json() {
    for (text, expected) in [
        ("1 + 2", json!(3)),
        ("1u", json!(1)),
        ("huge", json!(u64::MAX)),
        ("1.5", json!(1.5)),
        ("'a' + 'b'", json!("ab")),
        ("b'abc'", json!("YWJj")),
        ("json", scope().names.get("json").cloned().unwrap_or_default()),
        ("{'b': [1, null], 'a': {2: true}}", json!({"a": {"2": true}, "b": [1, null]})),
        ("duration('1h30m')", json!("5400s")),
        ("duration('-1500ms')", json!("-1.5s")),
        ("timestamp('2026-01-31T12:00:00+01:00')", json!("2026-01-31T11:00:00Z")),
        ("clock", json!({"elapsed": "1.5s", "sinceDeclared": null, "sinceOutage": "14400s"})),
        ("inputs.namespaces", json!(["a", "b"])),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
    let keys = value("{'z': 1, 'm': 1, 'a': 1, 'q': 1, 'b': 1}").map(|map| map.to_string());
    assert_eq!(keys.as_deref(), Ok(r#"{"a":1,"b":1,"m":1,"q":1,"z":1}"#), "the order is certain");
}

#[test]
fn says_what_it_expected_and_found() {
    for (text, expected) in [
        ("none < 3", "`none < 3`: `<` cannot take null and an int; `none` is null"),
        ("json.nil > 3", "`json.nil > 3`: `>` cannot take null and an int; `json.nil` is null"),
        (
            "clock.sinceDeclared > duration('1h')",
            "`clock.sinceDeclared > duration('1h')`: `>` cannot take null and a duration; `clock.sinceDeclared` is null",
        ),
        ("text < 3", "`text < 3`: `<` cannot take a string and an int"),
        ("json.cuont > 1", "`json.cuont > 1`: there is no `cuont` in `json`, which has `count`, `items`, `nil`"),
        ("clock.foo", "`clock.foo`: there is no `foo` in `clock`, which has `sinceOutage`, `sinceDeclared`, `elapsed`"),
        ("nothing == 1", "`nothing == 1`: there is no `nothing`"),
        ("text.x", "`text.x`: expected a map, found a string"),
        ("rows[7].n", "`rows[7].n`: the list has no item 7"),
        ("ratio * 2", "`ratio * 2`: `*` cannot take 0.04 and 2; write `double(x)` around the whole number"),
        ("json.count / exitCode", "`json.count / exitCode`: 3 is divided by zero"),
        ("json.count % 0", "`json.count % 0`: 3 has no remainder by zero"),
        ("9223372036854775807 + 1", "`9223372036854775807 + 1`: 9223372036854775807 + 1 is out of range"),
        ("-(-9223372036854775807 - 1)", "`-(-9223372036854775807 - 1)`: -(-9223372036854775808) is too large a number"),
        ("exitCode ? 1 : 2", "`exitCode ? 1 : 2`: expected true or false, found an int"),
        ("exitCode.all(x, true)", "`exitCode.all(x, true)`: expected a list or a map, found an int"),
        (
            "duration('soon') > duration('1h')",
            "`duration('soon') > duration('1h')`: `duration`: expected a length of time such as `90s` or `1h30m`",
        ),
        ("1.0 / 0.0", "expected a number that JSON can hold, found inf"),
        ("type(1)", ""),
    ] {
        let found = value(text);
        if expected.is_empty() {
            assert!(found.is_ok(), "{found:?}");
        } else {
            assert_eq!(found, Err(expected.to_owned()), "{text}");
        }
    }
    assert_eq!(compile("rows[0].n").test(&scope()), Err("expected true or false from `rows[0].n`, found 5".to_owned()));
}

#[test]
fn nothing_at_run_time_panics() {
    for text in [
        "-9223372036854775808 / -1",
        "-9223372036854775808 % -1",
        "9223372036854775807 * 2",
        "0u - 1u",
        "int(1e300)",
        "uint(-1)",
        "int('x')",
        "'a'.matches('(')",
        "'a'.matches('(a{1000}){1000}')",
        "timestamp('9999-12-31T23:59:59Z') + duration('100000h')",
        "timestamp('x')",
        "timestamp('2026-01-01T00:00:00Z').getHours('Nowhere/At/All')",
        "duration('99999999999h')",
        "duration('9223372036s') + duration('9223372036s')",
        "[1][-1]",
        "[1][9223372036854775807]",
        "{1: 2, 1: 3}",
        "{[1]: 2}",
        "'é'.substring(1, 0)",
        "'é'.charAt(99)",
        "'é'.indexOf('x', 99)",
        "'é'.lastIndexOf('x', -1)",
        "'a'.split('', 9223372036854775807)",
        "string(b'\\xff')",
        "size(1)",
        "text.contains(1)",
        "[none].join(',')",
        "none.all(x, x)",
        "!none",
        "-none",
        "none && true",
        "none[0]",
        "none.x",
        "has(none.x)",
        "0.0 / 0.0 < 1.0",
    ] {
        let outcome = value(text);
        assert!(
            outcome.is_err() || text.contains("0.0 /") || text.contains("split") || text.contains("join"),
            "{text} {outcome:?}"
        );
        assert!(!outcome.err().is_some_and(|error| error.contains("gave up")), "{text}");
    }
}

#[test]
fn null_clocks_and_absurd_ones() {
    let mut scope = scope();
    scope.clock.since_outage = Some(u64::MAX);
    let outcome = compile("clock.sinceOutage > duration('1h')").test(&scope);
    assert!(outcome.is_err_and(|error| error.contains("longer than")));
    assert!(compile("exitCode == 0").test(&scope).is_ok(), "the clock is not looked at");
}

#[test]
fn finds_references() {
    let pairs =
        |text: &str| paths(text).into_iter().map(|(path, shown)| format!("{path} @ {shown}")).collect::<Vec<_>>();
    for (text, expected) in [
        ("steps.count.outputs.n", vec!["steps.count.outputs.n @ steps.count.outputs.n"]),
        ("steps['count-before'].outputs.n > 1", vec!["steps.count-before.outputs.n @ steps['count-before'].outputs.n"]),
        ("rows[0].n", vec!["rows @ rows"]),
        ("steps[x]", vec!["steps.… @ steps", "x @ x"]),
        ("steps[x.y].outputs[z]", vec!["steps.… @ steps", "x.y @ x.y", "z @ z"]),
        ("steps['a' + 'b'].c", vec!["steps.… @ steps"]),
        ("has(a.b.c)", vec!["a.b.c @ a.b.c"]),
        ("a.b.all(x, x.c > d.e && x in f)", vec!["a.b @ a.b", "d.e @ d.e", "f @ f"]),
        ("a.map(x, x.b.map(y, x + y + z))", vec!["a @ a", "z @ z"]),
        ("a.filter(x, x > 1).exists(y, y == x)", vec!["a @ a", "x @ x"]),
        ("a.exists(a, a == 1)", vec!["a @ a"]),
        ("a.exists_one(x, x == .x)", vec!["a @ a", "x @ x"]),
        ("inputs.name.startsWith('x')", vec!["inputs.name @ inputs.name"]),
        ("type(a) == int && b == string", vec!["a @ a", "b @ b"]),
        ("type(a) == google.protobuf.Duration", vec!["a @ a"]),
        ("{'a': b, c: [d]}", vec!["b @ b", "c @ c", "d @ d"]),
        ("a ? b : c", vec!["a @ a", "b @ b", "c @ c"]),
        ("'é🦀' + a . b [ 'ü' ] . c", vec!["a.b.ü.c @ a . b [ 'ü' ] . c"]),
        ("a[\"b\"]['''c''']", vec!["a.b.c @ a[\"b\"]['''c''']"]),
        ("(a).b", vec!["a.b @ a"]),
        ("size(a.b) + size(a.b)", vec!["a.b @ a.b", "a.b @ a.b"]),
        ("1 + 2 == 3", vec![]),
        ("[1].map(x, x)", vec![]),
        ("clock.sinceOutage > duration('1h')", vec!["clock.sinceOutage @ clock.sinceOutage"]),
    ] {
        assert_eq!(pairs(text), expected, "{text}");
    }
}

#[test]
fn says_where_the_syntax_is_wrong() {
    for (text, shown, message) in [
        ("1 +", "", "expected a value, found the end"),
        ("a b", "b", "expected an operator or the end, found `b`"),
        ("(1", "", "expected `)`, found the end"),
        ("1)", ")", "expected an operator or the end, found `)`"),
        ("a = b", "=", "CEL has no `=`"),
        ("'é' + a & b", "&", "CEL has no `&`"),
        ("é == 1", "é", "CEL has no `é`"),
        ("a.in", "in", "CEL cannot read `.in`"),
        ("has(a)", "a", "expected a field such as `has(json.count)`"),
        ("[1].all(1, true)", "1", "expected the name of a variable"),
        ("'abc", "'abc", "expected a closing `'`, found the end of the line"),
        ("a == '''abc'", "'''abc'", "expected a closing `'''`, found the end of the text"),
        ("a.matches('\\d+')", "\\d", "expected an escape such as `\\n`, `\\\\` or `\\u00e9`, found `\\d`"),
        ("a.?b", ".", "there are no optional fields"),
        ("if", "if", "`if` is a word of CEL, not a name"),
        ("99999999999999999999", "99999999999999999999", "invalid int literal"),
        ("  ", "  ", "expected an expression, found nothing"),
        ("a == 1 &&\n  + 2", "+", "expected a value, found `+`"),
    ] {
        let found = problems(text).swap_remove(0);
        assert_eq!(found.message, message, "{text}");
        assert_eq!(text.get(found.range.clone()), Some(shown), "{text} {found:?}");
    }
    assert_eq!(problems("a # b # c").len(), 2, "all of them");
    let help = problems("clock.sinceOutage > 30m").swap_remove(0).help;
    assert_eq!(help.as_deref(), Some("a length of time is written `duration('1h30m')`"));
}

#[test]
fn names_the_nearest_function() {
    for (text, shown, message, help) in [
        ("lenght(a) > 1 && a.startswith('x')", "lenght", "there is no function `lenght`", ""),
        ("a.startswith('x')", "startswith", "there is no function `startswith`", "did you mean `startsWith`?"),
        ("Size(a)", "Size", "there is no function `Size`", "did you mean `size`?"),
        ("contains(a, 'x')", "contains", "`contains` is not called like this", "it is written `x.contains(…)`"),
        ("a.duration()", "duration", "`duration` is not called like this", "it is written `duration(x)`"),
        ("a.all(x > 1)", "all", "`all` cannot take this", "it is written `list.all(x, x > 0)`"),
        ("optional.of(1)", "of", "there is no function `of`", ""),
        ("_foo_(1)", "_foo_", "there is no function `_foo_`", ""),
        ("Case{id: 1}", "Case", "there is no message type `Case`", "a map is written `{'name': value}`"),
    ] {
        let found = problems(text).swap_remove(0);
        assert_eq!(found.message, message, "{text}");
        assert_eq!(text.get(found.range.clone()), Some(shown), "{text}");
        if !help.is_empty() {
            assert_eq!(found.help.as_deref(), Some(help), "{text}");
        }
    }
    assert_eq!(problems("foo(bar(a), a.baz())").len(), 3, "all of them");
}

#[test]
fn every_listed_function_exists() {
    for name in FUNCTIONS.iter().filter(|name| **name != "has") {
        let call = format!("{name}(none, none, none)");
        assert!(value(&call).is_err_and(|error| error.contains("cannot take")), "{call} {:?}", value(&call));
    }
    for name in
        METHODS.iter().filter(|name| !["all", "exists", "existsOne", "exists_one", "filter", "map"].contains(name))
    {
        let call = format!("none.{name}()");
        assert!(value(&call).is_err_and(|error| error.contains("cannot take")), "{call} {:?}", value(&call));
    }
}

#[test]
fn hostile_depth_is_refused_or_survives_a_small_stack() {
    let deep = 100_000;
    let texts = [
        "(".repeat(deep),
        "(".repeat(8_000) + &")".repeat(8_000),
        "!".repeat(deep),
        "!".repeat(16_000) + "a",
        "-".repeat(16_000),
        "[".repeat(16_000),
        "{1:".repeat(5_000),
        vec!["a"; 8_000].join("+"),
        vec!["a"; 8_000].join("."),
        vec!["a"; 5_000].join("&&"),
        vec!["a"; 5_000].join("||"),
        vec!["a"; 4_000].join("?"),
        vec!["a"; 2_000].join("?a:"),
        "a?".repeat(5_000),
        "a".to_owned() + &"[0]".repeat(5_000),
        "a".to_owned() + &"()".repeat(5_000),
        "a".to_owned() + &".all(x,x".repeat(2_000),
        format!("[{}]", vec!["1"; 8_000].join(",")),
        "'\\q((((((".repeat(2_000),
        "'".repeat(16_000),
        "'''((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((".to_owned(),
        "a".repeat(16_000),
        "\u{0}".repeat(16_000),
        "é".repeat(8_000),
        "1".repeat(16_000),
        "# ".repeat(8_000),
    ];
    for text in texts {
        let shown: String = text.chars().take(20).collect();
        let outcome =
            std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || match Expression::compile(&text) {
                Ok(expression) => drop(expression.evaluate(&scope())),
                Err(problems) => assert!(!problems.is_empty()),
            });
        assert!(outcome.is_ok_and(|thread| thread.join().is_ok()), "{shown}");
    }
}

#[test]
fn what_is_allowed_is_evaluated_on_a_small_stack() {
    let brackets = size::BRACKETS;
    let texts = [
        "(".repeat(brackets) + "1" + &")".repeat(brackets),
        "[".repeat(brackets) + "1" + &"]".repeat(brackets),
        "int(".repeat(brackets) + "1" + &")".repeat(brackets),
        "(1+".repeat(brackets) + "1" + &")".repeat(brackets),
        "[1].all(x,".repeat(brackets) + "true" + &")".repeat(brackets),
        "[1].map(x,".repeat(brackets) + "x" + &")".repeat(brackets),
        vec!["1"; 60].join("+"),
        vec!["exitCode == 0"; 500].join(" && "),
        "true ? 1 : ".repeat(50) + "2",
    ];
    for text in texts {
        let shown: String = text.chars().take(20).collect();
        let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(move || {
            let expression = compile(&text);
            assert!(expression.evaluate(&scope()).is_ok(), "{:?}", expression.evaluate(&scope()));
        });
        assert!(thread.is_ok_and(|thread| thread.join().is_ok()), "{shown}");
    }
}

#[test]
fn long_texts_are_refused() {
    let text = format!("'{}' == 'a'", "a".repeat(LONGEST));
    assert!(problems(&text).swap_remove(0).message.contains("at most 16384 bytes"));
}

#[test]
fn deep_values_are_refused() {
    let mut scope = Scope::default();
    let mut value = json!(1);
    for _ in 0..1_000 {
        value = json!([value]);
    }
    scope.names.insert("a".to_owned(), value);
    assert!(compile("a == a").evaluate(&scope).is_err_and(|error| error.contains("levels")));
}

fn tokens() -> impl Strategy<Value = String> {
    let words = [
        "a",
        "b",
        "x",
        ".",
        ".",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ",",
        ":",
        "?",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "==",
        "<",
        "&&",
        "||",
        "in",
        "1",
        "2.5",
        "'s'",
        "'é'",
        "\"",
        "'",
        "'''",
        "r'\\'",
        "b'x'",
        "\\",
        "null",
        "true",
        "has(",
        ".all(x,",
        ".map(x,",
        "size(",
        ".size()",
        "duration('1h')",
        " ",
        "\n",
        "é",
        "🦀",
        "#",
        "`",
        "@",
        "//",
        "1u",
        "0x",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..24).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_panics(text in tokens()) {
        match Expression::compile(&text) {
            Err(_) => { let found = problems(&text); prop_assert!(!found.iter().any(|p| p.message.contains("gave up")), "{:?}", found); }
            Ok(expression) => {
                for reference in expression.references() {
                    prop_assert!(text.get(reference.range.clone()).is_some_and(|shown| !shown.is_empty()), "{reference:?}");
                    prop_assert!(!reference.path.is_empty());
                }
                let outcome = expression.evaluate(&scope());
                prop_assert!(!outcome.err().is_some_and(|error| error.contains("gave up")));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
        if Expression::compile(&text).is_err() {
            problems(&text);
        }
    }

    #[test]
    fn numbers_survive(number in any::<i64>(), other in any::<u64>(), float in -1e300_f64..1e300) {
        let mut scope = Scope::default();
        scope.names.insert("a".to_owned(), json!([number, other, float]));
        prop_assert_eq!(compile("a").evaluate(&scope), Ok(json!([number, other, float])));
    }
}
