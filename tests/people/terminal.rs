//! A person at a real pseudo-terminal. What they see is in snapshots, which somebody has looked at.

use std::{
    fs,
    io::{Read as _, Write},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::harness::{LIMIT, Place, of_kind, runbook_with, wait_for};

/// The binary at a terminal.
struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    fn start(place: &Place, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(arguments);
        command.cwd(place.path(""));
        command.env("LIFEBOAT_STORE", place.path("store"));
        command.env("TERM", "xterm-256color");
        command.env("NO_COLOR", "1");
        let child = pair.slave.spawn_command(command).expect("the binary starts");
        drop(pair.slave);
        // A large scrollback: what has left the screen can still be read, as in a real terminal.
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 1000)));
        let mut reader = pair.master.try_clone_reader().expect("its other end");
        let shown = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                shown.lock().expect("a screen").process(&bytes[..length]);
            }
        });
        let keyboard = pair.master.take_writer().expect("a keyboard");
        Self { master: Some(pair.master), keyboard: Some(keyboard), child, screen }
    }

    fn text(&self) -> String {
        let screen = self.screen.lock().expect("a screen");
        screen.screen().contents()
    }

    #[track_caller]
    fn sees(&mut self, text: &str) -> &mut Self {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let began = std::time::Instant::now();
        while !flat(&self.text()).contains(&flat(text)) {
            assert!(began.elapsed() < LIMIT, "expected `{text}` on the screen:\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
        self
    }

    fn types(&mut self, text: &str) -> &mut Self {
        let keyboard = self.keyboard.as_mut().expect("a keyboard");
        keyboard.write_all(text.as_bytes()).and_then(|()| keyboard.flush()).expect("a keyboard");
        self
    }

    fn enters(&mut self, line: &str) -> &mut Self {
        self.types(&format!("{line}\r"))
    }

    /// The screen, without what differs from run to run.
    fn snapshot(&self, name: &str) {
        thread::sleep(Duration::from_millis(150));
        let text = self.text();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(r"\d{8}t\d{6}z-[a-z]+-[0-9a-f]{4}", "20261121t022009z-test-0000");
        settings.add_filter(r"\d\d:\d\d  ", "00:00  ");
        settings.add_filter(r"\b\d+(\.\d+)?(ms|s)\b", "1s");
        settings.add_filter(r"\d+m\d+s left", "59m59s left");
        settings.add_filter(r#""durationMs":\d+"#, r#""durationMs":1"#);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }

    #[track_caller]
    fn ends(&mut self, code: u32) -> String {
        let ended = wait_for("the end", LIMIT, || self.child.try_wait().expect("a child"));
        // The last bytes may still be on their way.
        thread::sleep(Duration::from_millis(100));
        assert_eq!(ended.exit_code(), code, "{}", self.text());
        self.text()
    }

    /// The window is closed.
    fn hangs_up(&mut self) {
        self.keyboard = None;
        self.master = None;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

const SIZE: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);
const ROLES: &str = "roles: {dba: [alice@example.org, bob@example.org]}\n";
const RESTORE: &str = "  restore:\n    phase: data\n    title: Restore the orders\n    shell: echo restored >> effects\n    \
                       estimate: 12m\n    undo: {shell: echo unrestored >> effects, estimate: 3m}\n    \
                       verify: [{name: every order is there, shell: test -e effects}]\n";
const PROMOTE: &str = "  promote:\n    phase: data\n    needs: [restore]\n    title: Promote the replica\n    restores: true\n    \
                       approval: {by: dba, count: 2, message: Look at the replication lag first}\n    \
                       exec: [sh, -c, 'echo promoted >> effects', \"{{inputs.zone}}\"]\n    undo: {shell: echo demoted >> effects}\n";

fn attended(steps: &str, size: (u16, u16), more: &[&str]) -> (Place, Terminal) {
    let place = Place::new();
    let inputs = "inputs: {zone: {type: string, default: eu-west-1}}\n";
    place.file("r.yaml", runbook_with(&format!("{ROLES}{inputs}"), steps));
    let mut arguments = vec!["run", "r.yaml", "--as", "alice@example.org"];
    arguments.extend(more);
    let terminal = Terminal::start(&place, &arguments, size);
    (place, terminal)
}

fn effects(place: &Place) -> String {
    fs::read_to_string(place.path("effects")).unwrap_or_default().replace('\n', " ")
}

#[test]
fn approvals_lead_to_success() {
    for (name, size) in [("approval_80x24", SIZE), ("approval_120x40", LARGE)] {
        let (place, mut terminal) = attended(&format!("{RESTORE}{PROMOTE}"), size, &[]);
        terminal.sees("needs 2 of 2 from role dba");
        terminal.snapshot(name);
        terminal.enters("approve").sees("needs 1 of 2 from role dba").enters("approve").sees("approved already");
        // The other one is at a terminal of their own.
        place.lifeboat(&["approve", "@latest", "promote", "--as", "bob@example.org"]).code(0);
        let end = terminal.ends(0);
        assert!(end.contains("PASSED"), "{end}");
        assert_eq!(effects(&place), "restored promoted ");
        place.lifeboat(&["verify", "@latest"]).code(0);
    }
}

#[test]
fn one_failure_is_retried_and_another_one_left_out() {
    let steps = "  flaky: {phase: data, title: Copy the files, restores: true, shell: 'test -e fixed || { echo no route to host >&2; exit 7; }'}\n  \
                 page: {phase: validate, title: Look at the page, effect: reads, verify: [{name: the page is up, shell: 'echo 503; exit 1', expect: exitCode == 0}]}\n";
    let (place, mut terminal) = attended(steps, SIZE, &[]);
    terminal.sees("retry run it again");
    terminal.snapshot("failure_80x24");
    place.file("fixed", "");
    terminal.enters("r").sees("FAILED page");
    terminal.snapshot("failed_check_80x24");
    terminal.enters("skip").sees("add the reason").enters("skip the board is known to lie");
    terminal.ends(0);
    let report = place.lifeboat(&["report", "@latest"]).code(0);
    for part in ["alice@example.org retried", "alice@example.org skipped", "the board is known to lie"] {
        assert!(report.out.contains(part), "no `{part}` in {report}");
    }
}

#[test]
fn an_abort_at_an_approval_is_looked_at_first() {
    let (place, mut terminal) = attended(&format!("{RESTORE}{PROMOTE}"), SIZE, &[]);
    terminal.sees("needs 2 of 2").enters("a").sees("`abort REASON` does it");
    terminal.snapshot("abort_preview_80x24");
    assert_eq!(effects(&place), "restored ", "a preview changes nothing");
    terminal.enters("abort wrong region").sees("ABORTED, ROLLED BACK");
    terminal.ends(3);
    assert_eq!(effects(&place), "restored unrestored ");
}

#[test]
fn every_step_is_asked_for_and_shown() {
    let (place, mut terminal) = attended(RESTORE, SIZE, &["--step"]);
    terminal.sees("NEXT STEP restore");
    terminal.snapshot("card_80x24");
    terminal.enters("e").sees("\"stdin\": null").enters("?").sees("Ctrl-C");
    assert_eq!(effects(&place), "", "nothing starts before somebody says so");
    terminal.enters("").sees("every order is there: ok");
    // No step says that it restores.
    terminal.ends(0);
    assert_eq!(effects(&place), "restored ");
}

#[test]
fn ctrl_c_pauses_and_a_second_one_aborts() {
    let slow = RESTORE.replace("echo restored >> effects\n", "echo restored >> effects; sleep 30\n");
    let (place, mut terminal) = attended(&slow, SIZE, &[]);
    terminal.sees("start restore");
    wait_for("the effect", LIMIT, || (effects(&place) == "restored ").then_some(()));
    terminal.types("\u{3}").sees("PAUSED the run").sees("nothing new starts");
    terminal.types("\u{3}").sees("ABORTED, ROLLED BACK");
    terminal.ends(3);
    assert_eq!(effects(&place), "restored unrestored ");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn a_lost_terminal_leaves_a_run_that_can_be_attached_to() {
    let long = "  long: {phase: data, restores: true, shell: 'until test -e go; do sleep 0.05; done'}\n  \
                later: {phase: validate, effect: reads, onFailure: continue, approval: {by: dba, expires: 1h}, shell: 'true'}\n";
    let (place, mut terminal) = attended(long, SIZE, &[]);
    terminal.sees("start long");
    terminal.hangs_up();
    wait_for("the loss", LIMIT, || (!of_kind(&place.records(), "terminal-lost").is_empty()).then_some(()));
    let mut other = Terminal::start(&place, &["attach", "@latest", "--as", "alice@example.org"], SIZE);
    other.sees("ATTACHED to").sees("the terminal is gone");
    place.file("go", "");
    other.sees("later waits for: approve");
    other.snapshot("attached_80x24");
    other.enters("approve").sees("succeeded: every step is done");
    other.ends(0);
    let ended = wait_for("the engine", LIMIT, || terminal.child.try_wait().expect("a child"));
    assert_eq!(ended.exit_code(), 0);
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn missing_inputs_are_asked_for_and_secrets_are_not_shown() {
    let place = Place::new();
    let inputs = "inputs:\n  count: {type: integer, description: how many replicas}\n  password: {type: secret}\n";
    let steps = "  restore: {phase: data, restores: true, env: {P: \"{{inputs.password}}\"}, shell: 'test \"$P\" = s3cr3t-word', effect: reads}\n  \
                 scale: {phase: workloads, exec: [test, \"{{inputs.count}}\", -eq, \"3\"], effect: reads}\n";
    place.file("r.yaml", runbook_with(inputs, steps));
    let mut terminal = Terminal::start(&place, &["run", "r.yaml"], SIZE);
    terminal.sees("input count (how many replicas)").enters("three").sees("expected").enters("3");
    terminal.sees("secret password").enters("s3cr3t-word").sees("PASSED");
    let end = terminal.ends(0);
    assert!(!end.contains("s3cr3t-word"), "{end}");
}

#[test]
fn what_is_done_by_hand_can_bring_files_along() {
    let steps = "  cable:\n    phase: provision\n    title: Plug the cable in again\n    manual: {instructions: Look at row 4, attach: [photo, protocol]}\n    \
                 outputs: {missing: {cel: result.missing}}\n    irreversible: true\n";
    let (place, mut terminal) = attended(&format!("{steps}{RESTORE}"), SIZE, &[]);
    place.file("img.png", "not really");
    terminal.sees("TO DO BY HAND cable").sees("attach photo: `attach FILE photo`");
    terminal.snapshot("manual_80x24");
    terminal.enters("attach nowhere.png photo").sees("expected a file at nowhere.png");
    terminal.enters("attach img.png photo").sees("attach-file");
    terminal.enters("done plugged in at the left").sees("every order is there: ok");
    terminal.ends(0);
    let records = place.records();
    let ended = of_kind(&records, "action-finished");
    assert_eq!(ended[0]["outputs"]["missing"], serde_json::json!(["protocol"]));
    place.lifeboat(&["report", "@latest"]).code(0).says("plugged in at the left");
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// The window is closed while it is undone: the engine goes on with that.
#[test]
fn a_terminal_that_is_lost_during_the_rollback_changes_nothing() {
    let slow = RESTORE.replace("echo unrestored", "sleep 1; echo unrestored");
    let (place, mut terminal) = attended(&format!("{slow}{PROMOTE}"), SIZE, &[]);
    terminal.sees("needs 2 of 2").enters("abort wrong region").sees("undo restore");
    terminal.hangs_up();
    let ended = wait_for("the engine", LIMIT, || terminal.child.try_wait().expect("a child"));
    assert_eq!((ended.exit_code(), effects(&place)), (3, "restored unrestored ".to_owned()));
    place.lifeboat(&["verify", "@latest"]).code(0);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let place = Place::new();
    place.file("r.yaml", runbook_with(ROLES, RESTORE));
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 });
    let pair = pair.expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(["run", "r.yaml"]);
    command.cwd(place.path(""));
    command.env("LIFEBOAT_STORE", place.path("store"));
    command.env("TERM", "dumb");
    let mut child = pair.slave.spawn_command(command).expect("the binary starts");
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().expect("its other end");
    let mut bytes = Vec::new();
    // Reading a terminal that nobody has any more is an error, and the end.
    drop(reader.read_to_end(&mut bytes));
    assert!(child.wait().expect("a child").success());
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("every order is there: ok") && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_gate_whose_time_is_over_is_denied() {
    let gate = PROMOTE.replace("count: 2,", "count: 1, expires: 700ms,");
    let (place, mut terminal) = attended(&format!("{RESTORE}{gate}"), SIZE, &[]);
    terminal.sees("needs 1 of 1 from role dba to start it, denied at");
    terminal.sees("its approval expired: nobody answered in time").sees("FAILED promote");
    terminal.enters("abort nobody was there").sees("ABORTED, ROLLED BACK");
    terminal.ends(3);
    assert_eq!(effects(&place), "restored unrestored ");
    assert_eq!(of_kind(&place.records(), "approval-expired").len(), 1);
}

/// The clock of the RTO began when the outage did, and not when somebody started the engine.
#[test]
fn what_is_left_of_the_rto_counts_from_the_outage() {
    let (_place, mut terminal) = attended(&format!("{RESTORE}{PROMOTE}"), SIZE, &["--outage-at", "-25m"]);
    terminal.sees("RTO: 34m").enters("abort enough");
    terminal.ends(3);
    let (_place, mut terminal) = attended(&format!("{RESTORE}{PROMOTE}"), SIZE, &["--outage-at", "-2h"]);
    terminal.sees("RTO MISSED by 1h").enters("abort enough");
    terminal.ends(3);
}

#[test]
fn a_new_runbook_is_chosen_with_the_arrow_keys() {
    const DOWN: &str = "\u{1b}[B";
    let place = Place::new();
    let mut terminal = Terminal::start(&place, &["new", "x.yaml"], LARGE);
    terminal.sees("What for").sees("dependency-outage");
    terminal.types(&DOWN.repeat(4)).sees("> region-failure").types("\r");
    terminal.sees("How much is lost").types(DOWN).sees("> journey").types("\r");
    let end = terminal.ends(0);
    assert!(end.contains("wrote x.yaml, for region-failure of scope journey"), "{end}");
    assert!(place.path("x.yaml").is_file());
    let mut terminal = Terminal::start(&place, &["new", "y.yaml"], SIZE);
    terminal.sees("What for").types("\u{1b}");
    assert!(terminal.ends(2).contains("nothing was written"));
    assert!(!place.path("y.yaml").exists());
}
