//! What is read of scripts, and that nothing else happens whatever stands in them.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Script {
    of_shell(text, Options::STRICT)
}

/// The only command of that program.
fn one<'a>(script: &'a Script, program: &str) -> &'a Command {
    let found: Vec<_> = script.commands.iter().filter(|it| it.program() == Some(program)).collect();
    assert_eq!(found.len(), 1, "{program} in {:#?}", script.commands);
    found[0]
}

fn programs(text: &str) -> Vec<String> {
    read(text).commands.iter().map(|it| it.program().unwrap_or("?").to_owned()).collect()
}

#[test]
fn words_are_what_a_shell_makes_of_them() {
    let script = read(r#"a 'b c' "d $E f" g\ h "${I:-j}"k $'l\n' "m\"n" o"p"q $R "$@" *.yaml ~/x "" "a  b""#);
    let words: Vec<_> = one(&script, "a").arguments.iter().map(Word::constant).collect();
    assert_eq!(words[0], Some("b c"));
    assert_eq!(words[1], None);
    assert_eq!(words[2], Some("g h"));
    assert_eq!(words[4], Some("l\n"));
    assert_eq!(words[5], Some("m\"n"));
    assert_eq!(words[6], Some("opq"));
    assert_eq!(&words[7..9], [None, None]);
    assert_eq!(&words[9..], [Some("*.yaml"), Some("~/x"), Some(""), Some("a  b")]);
    let arguments = &one(&script, "a").arguments;
    assert_eq!(
        arguments[1].pieces,
        [Piece::Text("d ".to_owned()), Piece::Variable("E".to_owned()), Piece::Text(" f".to_owned())]
    );
    assert_eq!(arguments[3].variables().collect::<Vec<_>>(), ["I"]);
    assert!(arguments[9].glob && arguments[8].list && arguments[7].splits && !arguments[1].splits);
}

#[test]
fn what_is_asked_of_a_variable_is_not_its_value() {
    let script = read(r#"a "${T:+set}" ${T+set} "${#T}" "${T:+$T}" ${FLAGS:+--yes} "${T:-x}" "${T##*/}""#);
    let names: Vec<Vec<_>> = one(&script, "a").arguments.iter().map(|it| it.variables().collect()).collect();
    assert_eq!(names[..3], [vec![], vec![], Vec::<&str>::new()]);
    assert_eq!(names[3..], [vec!["T"], vec!["FLAGS"], vec!["T"], vec!["T"]]);
    assert!(one(&script, "a").arguments.iter().all(|it| it.constant().is_none()));
}

#[test]
fn commands_are_found_wherever_they_stand() {
    let text = "if a; then b; elif c; then d; else e; fi\nwhile f; do g; done\nfor x in $(h); do i; done\ncase $x in y) j ;; esac
(k)\n{ l; }\nm() { n; }\no && p || q\nr | s\nt=$(u)\nv <(w) > \"$(x)\"\n! y\nz <<EOF\n$(aa)\nEOF\nexport B=$(bb)\n[ \"$(cc)\" = 1 ]";
    assert_eq!(programs(text).join(" "), "a b c d e f g h i j k l n o p q r s u v w x y z aa bb cc");
    assert!(read(text).complete);
    assert_eq!(read(text).functions, ["m"]);
}

#[test]
fn wrappers_are_seen_through() {
    for text in [
        "sudo -n -u admin kubectl get pods",
        "timeout -k 5 5m kubectl get pods",
        "env A=b kubectl get pods",
        "nice -n 5 /usr/bin/env A=\"$X\" timeout 10s sudo -E command kubectl get pods",
        "bash -c 'kubectl get pods'",
        "sudo bash -euc \"kubectl get pods\"",
        "exec kubectl get pods",
        "/usr/local/bin/kubectl get pods",
    ] {
        let script = read(text);
        let kubectl = one(&script, "kubectl");
        assert_eq!(kubectl.verbs(), ["get", "pods"], "{text}");
        assert!(text[kubectl.range.clone()].contains("kubectl"), "{text}");
    }
    assert_eq!(programs("command -v kubectl"), ["command"]);
    assert_eq!(programs("sudo -i"), ["sudo"]);
    let script = read("bash -c 'kubectl get pods'");
    let at = &one(&script, "kubectl").range;
    assert_eq!(&"bash -c 'kubectl get pods'"[at.clone()], "kubectl get pods");
    assert!(one(&read("a | xargs -n 1 kubectl delete"), "kubectl").may_have_more());
    let script = read("A=b env C=\"$D\" kubectl");
    let names: Vec<_> = one(&script, "kubectl").assignments.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["A", "C"]);
    let arguments: Vec<_> = one(&script, "kubectl").assignments.iter().map(|it| it.argument).collect();
    assert_eq!(arguments, [false, true]);
}

#[test]
fn streams_and_status_are_followed() {
    let of = |text: &str| {
        let script = read(text);
        let it = one(&script, "x");
        (it.stdout.clone(), it.status.clone())
    };
    assert_eq!(of("x"), (Sink::Step, Status::Counts));
    assert_eq!(of("x | y"), (Sink::Pipe, Status::Counts));
    assert_eq!(of("v=$(x)"), (Sink::Variable("v".to_owned()), Status::Counts));
    assert_eq!(of("local v=$(x)"), (Sink::Variable("v".to_owned()), Status::Lost));
    assert_eq!(of("y \"$(x)\""), (Sink::Argument, Status::Lost));
    assert_eq!(of("x > f"), (Sink::File, Status::Counts));
    assert_eq!(of("x > /dev/null 2>&1"), (Sink::Null, Status::Counts));
    assert_eq!(of("x >&2"), (Sink::Step, Status::Counts));
    assert_eq!(of("x || true"), (Sink::Step, Status::Ignored(2..9)));
    assert_eq!(of("x && y || :"), (Sink::Step, Status::Ignored(7..11)));
    assert_eq!(of("x || y"), (Sink::Step, Status::Decides));
    for nothing in ["{ true; }", "(true)", "/bin/true", "echo no", "{ printf 'no\\n' >&2; :; }"] {
        assert_eq!(of(&format!("x || {nothing}")).1, Status::Ignored(2..5 + nothing.len()), "{nothing}");
    }
    assert!(matches!(of("x || echo no >&2").1, Status::Ignored(_)));
    for something in ["echo no > f", "{ echo no; exit 1; }", "echo \"$(y)\"", "printf -v z no", "{ z=1; true; }"] {
        assert_eq!(of(&format!("x || {something}")).1, Status::Decides, "{something}");
    }
    assert_eq!(of("v=$(x || echo no)").1, Status::Decides);
    assert_eq!(of("(x || echo no) > f").1, Status::Decides);
    assert_eq!(of("y || x"), (Sink::Step, Status::Counts));
    assert_eq!(of("if x; then y; fi"), (Sink::Step, Status::Decides));
    assert_eq!(of("if y; then x; fi"), (Sink::Step, Status::Counts));
    assert_eq!(of("! x"), (Sink::Step, Status::Decides));
    assert_eq!(of("x &"), (Sink::Step, Status::Lost));
    assert_eq!(of("f() { x; }"), (Sink::Caller, Status::Counts));
    assert_eq!(of("{ x; y; } > f || true"), (Sink::File, Status::Ignored(14..21)));
    assert_eq!(of("bash -c 'x' > f || true"), (Sink::File, Status::Ignored(16..23)));
    let script = of_shell("x | y", Options::default());
    assert_eq!(one(&script, "x").status, Status::Lost);
    let script = read("x | y | z > f");
    let behind: Vec<_> = script.behind_in_pipeline(one(&script, "x")).iter().filter_map(|it| it.program()).collect();
    assert_eq!(behind, ["y", "z"]);
    assert_eq!(one(&script, "y").stdin, Input::Pipe);
    let script = read("x <<EOF | y\nselect 1\nEOF\n");
    assert_eq!((&one(&script, "x").stdout, &one(&script, "y").stdin), (&Sink::Pipe, &Input::Pipe));
    let Input::Text(range) = &one(&script, "x").stdin else { panic!("{script:?}") };
    assert_eq!("x <<EOF | y\nselect 1\nEOF\n"[range.clone()].trim(), "select 1");
}

#[test]
fn what_the_shell_does_by_itself_is_known_at_each_command() {
    let script = read("a\nset +e\nb\n(set -e; c)\nd\nset -eux\ne");
    let on: Vec<_> = script.commands.iter().map(|it| (it.program().unwrap_or("?"), it.options.errexit)).collect();
    assert_eq!(
        on,
        [
            ("a", true),
            ("set", false),
            ("b", false),
            ("set", true),
            ("c", true),
            ("d", false),
            ("set", true),
            ("e", true)
        ]
    );
    assert_eq!(one(&script, "b").options.relaxed, Some(2..8));
    assert!(one(&script, "e").options.xtrace && one(&script, "e").options.relaxed.is_none());
}

#[test]
fn a_status_that_is_read_decides() {
    let of = |text: &str| one(&read(text), "x").status.clone();
    for text in ["set +e\nx\nrc=$?", "set +e; x > f; # why\n[ $? -eq 0 ]", "set +e\nx | y\na=(\"${PIPESTATUS[@]}\")"] {
        assert_eq!(of(text), Status::Decides, "{text}");
    }
    assert_eq!(of("set +e\nif y; then { z; x; }\nrc=$?; fi"), Status::Decides);
    assert_eq!(of("set +e\nx\ny\nrc=$?"), Status::Counts);
    assert_eq!(of("set +e\n{ x; y; }\nrc=$?"), Status::Counts);
    assert_eq!(of("x\nrc=$?"), Status::Counts);
}

#[test]
fn flags_in_all_forms() {
    let script = read("x -n ns --context=\"$C\" --kubeconfig /k -ojson -it get -- --after");
    let it = one(&script, "x");
    assert_eq!(it.flag(&["-n"]).and_then(|it| it.value().map(str::to_owned)).as_deref(), Some("ns"));
    assert_eq!(it.flag(&["-o"]).and_then(|it| it.value().map(str::to_owned)).as_deref(), Some("json"));
    assert_eq!(it.flag(&["--context"]).map(|it| it.value().is_some()), Some(false));
    assert_eq!(it.flag(&["--kubeconfig"]).and_then(|it| it.value().map(str::to_owned)).as_deref(), Some("/k"));
    assert!(it.has_switch('t') && !it.has(&["--after", "--kube", "--context-x"]));
    let script = read("velero -n velero --kubecontext c restore create r --from-backup b");
    assert_eq!(one(&script, "velero").verbs(), ["restore", "create", "r"]);
    assert!(one(&script, "velero").does("velero", &["restore", "create"]));
    assert!(!one(&script, "velero").does("velero", &["restore", "get"]));
}

#[test]
fn the_verb_of_a_cloud_ends_where_its_own_flags_begin() {
    for (text, verbs) in [
        ("az network dns record-set a add-record -g g -z z -n n -a 1.2.3.4", "network dns record-set a add-record"),
        ("az keyvault secret list --vault-name kv", "keyvault secret list"),
        ("az --only-show-errors --subscription s group list --tag a", "group list"),
        ("aws --region \"$R\" rds --profile=p delete-db-cluster --db-cluster-identifier x", "rds delete-db-cluster"),
        ("gcloud sql --project p instances delete -q x", "sql instances delete x"),
        ("gcloud storage rm -r gs://b", "storage rm"),
    ] {
        let script = read(text);
        assert_eq!(script.commands[0].verbs().join(" "), verbs, "{text}");
    }
}

#[test]
fn an_argument_list_is_one_command() {
    let script = of_argv(&["sudo", "kubectl", "--context={{inputs.c}}", "get", "pods", "{{each.ns}}"]);
    let it = one(&script, "kubectl");
    assert_eq!(it.verbs(), ["get", "pods"]);
    assert!(it.flag(&["--context"]).is_some_and(|it| it.value().is_none()));
    assert_eq!(it.arguments[3].pieces, [Piece::Template(45..56)]);
    let script = of_argv(&["bash", "-c", "a | b"]);
    assert_eq!(script.commands.len(), 3);
    assert_eq!(script.commands[1].range, 8..9);
    assert!(of_argv(&[]).commands.is_empty());
}

#[test]
fn letters_of_every_script_are_parts_of_words() {
    // `{` and a letter beyond the first planes once made the parser read memory that is not its own.
    for text in ["a {\u{1F574}", "b{1\u{1F574}..\u{10FFFF}}", "echo \"{\u{1D158}\" é{ü", "a\u{0}b {\u{0}"] {
        inside(text);
    }
    let script = read("kubectl 日本 \"é $x ü\" 'ß'\u{A0}\u{3000}b");
    let words: Vec<_> = one(&script, "kubectl").arguments.iter().map(Word::constant).collect();
    assert_eq!(words, [Some("日本"), None, Some("ß\u{A0}\u{3000}b")]);
    assert_eq!(one(&script, "kubectl").arguments[1].head(), "é ");
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let script = read("a\nif b; then c\n");
    assert!(!script.complete);
    let long = "a\n".repeat(LONGEST);
    assert!(read(&long).commands.is_empty() && !read(&long).complete);
    let many = "a\n".repeat(MOST_COMMANDS + 10);
    assert!(read(&many).commands.len() == MOST_COMMANDS && !read(&many).complete);
}

#[test]
fn a_long_script_is_read_as_a_whole() {
    let text = SEED.repeat(LONGEST / SEED.len());
    let script = read(&text);
    assert!(script.commands.len() > 500 && script.complete, "{}", script.commands.len());
}

#[test]
fn depth_costs_neither_stack_nor_time() {
    for (open, close) in
        [("$(", ")"), ("(", ")"), ("{ ", "; }"), ("\"$(", ")\""), ("if ", "; then a; fi"), ("${x:-", "}"), ("`", "`")]
    {
        for depth in [100, 3_000] {
            let text = format!("{}a{}", open.repeat(depth), close.repeat(depth));
            inside(&text);
            inside(&open.repeat(depth));
        }
    }
    inside(&"a <<E\n".repeat(2_000));
    inside(&"a || ".repeat(9_000));
    inside(&"a | ".repeat(9_000));
    inside(&"a | ".repeat(MOST_PIPES));
    inside(&"\u{0}\"'`$((<<".repeat(2_000));
    inside(&format!("a <<{}\n", "E".repeat(3_000)));
}

/// Every range stands in the text, at the bounds of letters.
fn inside(text: &str) {
    let script = read(text);
    let fits = |range: &Range<usize>| assert!(text.get(range.clone()).is_some(), "{range:?} in {text:?}");
    let word = |word: &Word| {
        fits(&word.range);
        word.substitutions().for_each(fits);
    };
    for command in &script.commands {
        fits(&command.range);
        word(&command.name);
        command.arguments.iter().for_each(word);
        command.assignments.iter().for_each(|it| word(&it.value));
        if let Input::Text(range) = &command.stdin {
            fits(range);
        }
        if let Status::Ignored(range) = &command.status {
            fits(range);
        }
        command.options.relaxed.iter().for_each(fits);
    }
    script.assignments.iter().for_each(|it| {
        fits(&it.range);
        word(&it.value);
    });
}

const SEED: &str = "set -euo pipefail\nfor ns in $(kubectl get ns -o name | tail -n1); do\n  velero restore create \"r-$ns\" --wait || true
done\ncat <<EOF > f\n${x:-y}\nEOF\nbash -c 'a \"$b\" && c' | tee -a \"$d\" >&2\nif ! x; then case $y in é*) z ;; esac; fi\n";

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        inside(&text);
    }

    #[test]
    fn what_looks_like_a_script_is_read(parts in prop::collection::vec(
        prop::sample::select(vec![
            "$(", ")", "(", "{", "}", "\"", "'", "`", "\n", " ", "|", "||", "&&", "&", ";", ";;", "<<E", "<<-'E'", "E", ">", "<(", "$((",
            "))", "[[", "]]", "if", "then", "fi", "case", "in", "esac", "do", "done", "for", "x", "=", "$", "${", "\\", "é", "#", "bash -c ",
            "sudo ", "set +e", "a=", "!", "\t", "\u{0}", "function ", "~", "*", "-",
        ]), 0..80))
    {
        inside(&parts.concat());
    }

    #[test]
    fn a_mutated_script_is_read(cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<char>>()), 1..8)) {
        let mut letters: Vec<char> = SEED.chars().collect();
        for (at, letter) in cuts {
            let at = at.index(letters.len());
            match letter {
                Some(letter) => letters.insert(at, letter),
                None => drop(letters.remove(at)),
            }
        }
        inside(&letters.into_iter().collect::<String>());
    }
}
