//! Real processes. Nothing here sleeps to wait: it looks until a deadline.

use std::{os::unix::fs::PermissionsExt as _, time::Instant};

use serde_json::{Value, json};

use super::*;

/// Lets everything through.
struct Clear;

impl ByteFilter for Clear {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}

/// Holds everything back to the end, in upper case: a filter that cannot be overlooked.
#[derive(Default)]
struct Loud(Vec<u8>);

impl ByteFilter for Loud {
    fn push(&mut self, bytes: &[u8], _out: &mut Vec<u8>) {
        self.0.extend(bytes.to_ascii_uppercase());
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.0);
    }
}

fn clear() -> Filters {
    Arc::new(|| Box::new(Clear))
}

fn launch(argv: &[&str]) -> Launch {
    Launch {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: vec![("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())],
        cwd: std::env::temp_dir(),
        stdin: None,
        grace: Duration::from_millis(200),
        reach_marked: true,
    }
}

fn bash(script: &str) -> Launch {
    launch(&["bash", "-c", script])
}

/// With marks that no other test has.
fn marked(script: &str, step: &str) -> Launch {
    let mut launch = bash(script);
    let run = format!("test-{}", std::process::id());
    for (name, value) in MARKS.iter().zip([run.as_str(), step, "1"]) {
        launch.env.push(((*name).to_owned(), value.to_owned()));
    }
    launch
}

fn quiet() -> Sinks {
    Sinks { stdout: None, stderr: None, lines: None, filter: clear() }
}

async fn run(launch: Launch) -> Ended {
    start(launch, quiet()).await.unwrap().ended().await
}

async fn refused(launch: Launch) -> String {
    start(launch, quiet()).await.unwrap_err().to_string()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn alive(pid: u32) -> bool {
    kernel::Process::read(pid).is_some_and(|process| !matches!(process.state, 'Z' | 'X'))
}

/// A process id that a script wrote into a file, when it has.
fn pid_in(file: &Path) -> Option<u32> {
    std::fs::read_to_string(file).ok()?.strip_suffix('\n')?.parse().ok()
}

#[tokio::test]
async fn words_arrive_as_they_are() {
    let words = ["a b", "$HOME", "*", "'\"", "", "--", "é\n", ";true"];
    let mut argv = vec!["printf", "<%s>"];
    argv.extend(words);
    let ended = run(launch(&argv)).await;
    assert_eq!(ended.stdout.text(), words.map(|word| format!("<{word}>")).concat());
    let ended = run(launch(&["bash", "-c", "echo $0", "name"])).await;
    assert_eq!(ended.stdout.text(), "name\n");
}

#[tokio::test]
async fn the_result_has_exactly_the_fields_of_the_specification() {
    let ended = run(bash("echo '{\"a\": [1]}'; echo no >&2")).await;
    let result = ended.result();
    let fields: Vec<&String> = result.as_object().unwrap().keys().collect();
    let wanted: Vec<&str> = lifeboat_core::action::exec::RESULT.iter().map(|field| field.name).collect();
    assert_eq!(fields, wanted);
    assert_eq!(result["exitCode"], 0);
    assert_eq!(result["signal"], Value::Null);
    assert_eq!(result["json"], json!({"a": [1]}));
    assert_eq!(result["stderr"], "no\n");
    assert_eq!(result["truncated"], false);
    assert!(ended.succeeded() && ended.error().is_none());
}

#[tokio::test]
async fn nothing_is_inherited() {
    let mut launch = launch(&["env"]);
    launch.env.push(("ONLY".to_owned(), "this=one".to_owned()));
    let mut lines: Vec<String> = run(launch).await.stdout.text().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "ONLY=this=one");
    assert!(lines[1].starts_with("PATH="));
}

#[tokio::test]
async fn relative_programs_begin_at_the_working_directory() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("shift.sh");
    std::fs::write(&script, "#!/bin/sh\npwd\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut launch = launch(&["./shift.sh"]);
    launch.cwd = directory.path().to_owned();
    let ended = run(launch).await;
    assert_eq!(ended.stdout.text().trim(), directory.path().canonicalize().unwrap().to_str().unwrap());
}

#[tokio::test]
async fn says_why_it_cannot_start() {
    let text = refused(launch(&["no-such-tool-at-all"])).await;
    assert!(text.contains("`no-such-tool-at-all`") && text.contains("/usr/bin"), "{text}");
    let text = refused(launch(&["./no-such-file"])).await;
    assert!(text.contains("relative to") && text.contains(std::env::temp_dir().to_str().unwrap()), "{text}");
    let text = refused(Launch { cwd: "/no/such/place".into(), ..launch(&["true"]) }).await;
    assert!(text.contains("/no/such/place") && text.contains("does not exist"), "{text}");
    let text = refused(launch(&["/etc/passwd"])).await;
    assert!(text.contains("chmod +x"), "{text}");
    let text = refused(launch(&["/tmp"])).await;
    assert!(text.contains("directory"), "{text}");
    let text = refused(launch(&["echo", "a\0b"])).await;
    assert!(text.contains("argument 1") && text.contains("NUL"), "{text}");
    let text = refused(launch(&[])).await;
    assert!(text.contains("no program"), "{text}");
    let text = refused(Launch { env: vec![], ..launch(&["true"]) }).await;
    assert!(text.contains("no PATH"), "{text}");
    let mut secret = launch(&["true"]);
    secret.env.push(("TOKEN".into(), "hush\0".into()));
    let text = refused(secret).await;
    assert!(text.contains("TOKEN") && !text.contains("hush"), "{text}");
    let long = "x".repeat(200_000);
    let text = refused(launch(&["echo", &long])).await;
    assert!(text.contains("200001 bytes (argument 1)"), "{text}");

    let directory = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    for (name, first) in [("a", "#!/no/such/shell\n"), ("b", "just text\n")] {
        let script = directory.path().join(name);
        std::fs::write(&script, first).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        text.push(refused(launch(&[script.to_str().unwrap()])).await);
    }
    assert!(text[0].contains("#!"), "{text:?}");
    assert!(text[1].contains("neither a program"), "{text:?}");
}

#[tokio::test]
async fn evidence_that_cannot_be_kept_is_a_reason_not_to_begin() {
    let directory = tempfile::tempdir().unwrap();
    let touched = directory.path().join("touched");
    let sinks = Sinks { stdout: Some(directory.path().join("no/such/file")), ..quiet() };
    let error = start(bash(&format!("touch {}", touched.display())), sinks).await.unwrap_err();
    assert!(matches!(error, StartError::Evidence { .. }), "{error}");
    assert!(!touched.exists());
}

#[tokio::test]
async fn a_full_disk_does_not_block_the_process_and_is_told() {
    let sinks = Sinks { stdout: Some("/dev/full".into()), ..quiet() };
    let ended = start(bash("head -c 3000000 /dev/zero; echo end >&2"), sinks).await.unwrap().ended().await;
    assert_eq!((ended.exit_code, ended.stdout.bytes), (Some(0), 3_000_000));
    let lost = ended.evidence_lost().unwrap();
    assert!(lost.contains("/dev/full"), "{lost}");
}

#[tokio::test]
async fn exits_and_signals_are_told_apart() {
    let ended = run(bash("echo first >&2; echo last >&2; exit 3")).await;
    assert_eq!((ended.exit_code, ended.signal), (Some(3), None));
    assert_eq!(ended.error().unwrap(), "exit code 3\nfirst\nlast");
    let ended = run(bash("kill -SEGV $$")).await;
    assert_eq!((ended.exit_code, ended.signal), (None, Some(11)));
    assert!(ended.error().unwrap().contains("signal 11 (SIGSEGV)"));
    assert_eq!(ended.result()["exitCode"], Value::Null);
}

#[tokio::test]
async fn output_that_is_not_text_is_kept_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out");
    let sinks = Sinks { stdout: Some(file.clone()), ..quiet() };
    let ended = start(launch(&["printf", r"a\xff\xfeb\0"]), sinks).await.unwrap().ended().await;
    assert_eq!(std::fs::read(&file).unwrap(), b"a\xff\xfeb\0");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(ended.result()["stdout"], "a\u{fffd}\u{fffd}b\0");
    assert_eq!(ended.artifacts()[0].sha256, lifeboat_core::evidence::chain::digest(b"a\xff\xfeb\0"));
    assert_eq!(ended.artifacts().len(), 1, "the empty stderr is no artifact");
}

#[tokio::test]
async fn the_filter_sees_everything_first() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out");
    let (lines, mut shown) = mpsc::channel(8);
    let filter: Filters = Arc::new(|| Box::new(Loud::default()));
    let sinks = Sinks { stdout: Some(file.clone()), stderr: None, lines: Some(lines), filter };
    let ended = start(bash("printf 'one\ntwo'"), sinks).await.unwrap().ended().await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "ONE\nTWO");
    assert_eq!(ended.stdout.text(), "ONE\nTWO");
    assert_eq!(ended.stdout.tail, ["ONE", "TWO"]);
    let texts = [shown.recv().await.unwrap().text, shown.recv().await.unwrap().text];
    assert_eq!(texts, ["ONE", "TWO"]);
    assert!(shown.recv().await.is_none(), "nobody holds on to the channel");
}

#[tokio::test]
async fn a_slow_display_loses_lines_and_the_file_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out");
    let (lines, mut shown) = mpsc::channel(4);
    let sinks = Sinks { stdout: Some(file.clone()), lines: Some(lines), ..quiet() };
    let ended = start(launch(&["seq", "200000"]), sinks).await.unwrap().ended().await;
    let mut seen = Vec::new();
    while let Some(line) = shown.recv().await {
        seen.push(line.text);
    }
    assert_eq!(seen, ["1", "2", "3", "4"]);
    assert_eq!(ended.stdout.missed, 199_996);
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 200_000);
    assert_eq!(ended.stdout.tail.last().unwrap(), "200000");
}

#[tokio::test]
async fn a_long_line_is_cut_for_the_display_only() {
    let (lines, mut shown) = mpsc::channel(4);
    let sinks = Sinks { lines: Some(lines), ..quiet() };
    let ended =
        start(bash("head -c 20000 /dev/zero | tr '\\0' x; printf '\\nb\\r\\n'"), sinks).await.unwrap().ended().await;
    let first = shown.recv().await.unwrap();
    assert_eq!((first.text.len(), first.cut, first.stream), (8192, true, Stream::Stdout));
    let second = shown.recv().await.unwrap();
    assert_eq!((second.text.as_str(), second.cut), ("b", false));
    assert_eq!(ended.stdout.bytes, 20_004);
}

#[tokio::test]
async fn lines_come_while_it_runs() {
    let (lines, mut shown) = mpsc::channel(4);
    let sinks = Sinks { lines: Some(lines), ..quiet() };
    let running = start(bash("echo now; read -r _ < /dev/zero; exec sleep 1000"), sinks).await.unwrap();
    assert_eq!(shown.recv().await.unwrap().text, "now");
    running.stop(Duration::ZERO, true);
    assert_eq!(running.ended().await.signal, Some(9));
}

#[tokio::test]
async fn input_that_nobody_reads_does_not_hang() {
    let big = "x".repeat(8 << 20);
    let ended = run(Launch { stdin: Some(big.clone()), ..launch(&["true"]) }).await;
    assert!(ended.succeeded());
    let ended = run(Launch { stdin: Some(big), ..launch(&["wc", "-c"]) }).await;
    assert_eq!(ended.stdout.text().trim(), (8 << 20).to_string());
    let ended = run(Launch { stdin: Some(String::new()), ..launch(&["cat"]) }).await;
    assert!(ended.succeeded());
    let ended = run(launch(&["cat"])).await;
    assert!(ended.succeeded(), "without stdin it reads the null device");
}

#[tokio::test]
async fn what_is_left_in_the_group_is_stopped_and_told() {
    let began = Instant::now();
    let ended = run(bash("sleep 1000 & echo $!; sleep 1000 & exit 0")).await;
    assert!(ended.succeeded());
    assert_eq!(ended.left_behind, 2);
    assert!(!ended.killed);
    let pid = ended.stdout.text().trim().parse().unwrap();
    assert!(!alive(pid));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(ended.duration < SETTLE, "the leader's own time counts: {:?}", ended.duration);
}

#[tokio::test]
async fn what_ends_by_itself_may_finish_its_lines() {
    // The substitution outlives the shell that it belongs to for a moment.
    let ended = run(bash("exec > >(sleep 0.1; sed s/^/late:/); echo word")).await;
    assert_eq!(ended.stdout.text(), "late:word\n");
    assert_eq!(ended.left_behind, 0);
}

#[tokio::test]
async fn what_ignores_term_is_killed() {
    let running = start(
        marked("trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & echo $!; wait; wait", "stubborn"),
        quiet(),
    )
    .await
    .unwrap();
    let pid = running.pid;
    // It must have set its trap: it has when it has a child.
    until("the grandchild", || kernel::search(pid, &[], u64::MAX, false).group.len() >= 2).await;
    let began = Instant::now();
    running.stop(Duration::from_millis(300), false);
    let ended = running.ended().await;
    assert!(ended.stopped && ended.killed && !ended.succeeded());
    assert!(began.elapsed() >= Duration::from_millis(300), "the grace was given");
    assert!(kernel::search(pid, &[], u64::MAX, false).is_empty());
    assert_eq!(ended.left_behind, 0);
}

#[tokio::test]
async fn term_is_enough_for_what_hears_it() {
    let running =
        start(bash("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done"), quiet()).await.unwrap();
    let pid = running.pid;
    until("the loop", || kernel::search(pid, &[], u64::MAX, false).group.len() >= 2).await;
    let control = running.control();
    control.stop(Duration::from_secs(20), false);
    let ended = running.ended().await;
    assert_eq!((ended.exit_code, ended.killed, ended.stopped), (Some(0), false, true));
    assert_eq!(ended.stdout.text(), "up\nbye\n");
    assert!(!ended.succeeded(), "stopped is not succeeded, whatever the exit code says");
    assert!(ended.error().unwrap().contains("stopped"));
    control.stop(Duration::ZERO, true);
}

#[tokio::test]
async fn a_second_stop_hastens_the_first() {
    let running = start(bash("trap '' TERM; echo up; while :; do sleep 0.02; done"), quiet()).await.unwrap();
    let pid = running.pid;
    until("the loop", || kernel::search(pid, &[], u64::MAX, false).group.len() >= 2).await;
    running.stop(Duration::from_secs(600), false);
    running.stop(Duration::ZERO, true);
    assert_eq!(running.ended().await.signal, Some(9));
}

const SERVICE: &str = "setsid bash -c 'echo $$ > $0; exec sleep 1000' \"$FILE\" >/dev/null 2>&1 </dev/null & \
                       while ! [ -s \"$FILE\" ]; do sleep 0.01; done;";

fn service(then: &str, step: &str, file: &Path) -> Launch {
    let mut launch = marked(&format!("{SERVICE} {then}"), step);
    launch.env.push(("FILE".to_owned(), file.to_str().unwrap().to_owned()));
    launch
}

#[tokio::test]
async fn a_service_stays_after_success_and_goes_with_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stays");
    let ended = run(service("exit 0", "service-stays", &file)).await;
    assert!(ended.succeeded());
    assert_eq!(ended.left_behind, 0);
    let stays = pid_in(&file).unwrap();
    assert!(alive(stays), "it left the group, so it is meant to stay");

    // A later attempt under the same marks is stopped: what an earlier one started is not younger, and stays.
    let file = directory.path().join("goes");
    let running = start(service("sleep 1000", "service-stays", &file), quiet()).await.unwrap();
    until("the service", || pid_in(&file).is_some()).await;
    let goes = pid_in(&file).unwrap();
    running.stop(Duration::from_millis(200), false);
    let ended = running.ended().await;
    assert!(ended.stopped);
    assert!(!alive(goes), "it was started by what was stopped");
    assert!(alive(stays));
    let stays = kernel::Process::read(stays).unwrap();
    kernel::signal_exactly(&kernel::Process { started: stays.started + 1, ..stays }, rustix::process::Signal::KILL);
    assert!(alive(stays.pid), "a process with another start is somebody else");
    kernel::signal_exactly(&stays, rustix::process::Signal::KILL);
    until("its end", || !alive(stays.pid)).await;
}

#[tokio::test]
async fn a_check_that_is_stopped_reaches_its_group_only() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let mut launch = service("sleep 1000", "check", &file);
    launch.reach_marked = false;
    let running = start(launch, quiet()).await.unwrap();
    until("the service", || pid_in(&file).is_some()).await;
    running.stop(Duration::ZERO, true);
    running.ended().await;
    let service = kernel::Process::read(pid_in(&file).unwrap()).unwrap();
    assert!(alive(service.pid));
    kernel::signal_exactly(&service, rustix::process::Signal::KILL);
}

#[tokio::test]
async fn who_left_the_group_cannot_hold_us_by_the_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let script = "setsid bash -c 'echo $$ > $0; exec sleep 1000' \"$FILE\" & while ! [ -s \"$FILE\" ]; do sleep 0.01; done; echo done";
    let mut launch = bash(script);
    launch.env.push(("FILE".to_owned(), file.to_str().unwrap().to_owned()));
    let began = Instant::now();
    let ended = run(launch).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(ended.succeeded() && ended.stdout.held);
    assert_eq!(ended.stdout.text(), "done\n");
    kernel::signal_exactly(&kernel::Process::read(pid_in(&file).unwrap()).unwrap(), rustix::process::Signal::KILL);
}

#[tokio::test]
async fn dropping_it_stops_it() {
    let running = start(bash("sleep 1000 & sleep 1000"), quiet()).await.unwrap();
    let pid = running.pid;
    drop(running);
    until("the end", || kernel::search(pid, &[], u64::MAX, false).is_empty() && !alive(pid)).await;

    let running = start(bash("sleep 1000"), quiet()).await.unwrap();
    let pid = running.pid;
    assert!(tokio::time::timeout(Duration::from_millis(1), running.ended()).await.is_err());
    until("the end", || !alive(pid)).await;
}

#[test]
fn the_end_of_the_runtime_is_the_end_of_its_processes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().unwrap();
    let running = runtime.block_on(start(bash("trap '' TERM; sleep 1000"), quiet())).unwrap();
    let pid = running.pid;
    drop(runtime);
    let deadline = Instant::now() + Duration::from_secs(5);
    while alive(pid) {
        assert!(Instant::now() < deadline, "it survived the runtime");
        std::thread::yield_now();
    }
    drop(running);
}

#[tokio::test]
async fn a_later_engine_can_follow_it() {
    let running = start(launch(&["sleep", "1000"]), quiet()).await.unwrap();
    let (pid, identity) = (running.pid, running.identity.clone());
    assert!(still_running(pid, &identity));
    assert!(!still_running(pid, &identity.replace(':', ":9")), "the same id, another process");
    let follow = tokio::spawn(async move { gone(pid, &identity, Duration::from_millis(5)).await });
    running.stop(Duration::ZERO, true);
    running.ended().await;
    tokio::time::timeout(Duration::from_secs(5), follow).await.unwrap().unwrap();
}

#[tokio::test]
async fn many_at_once_do_not_disturb_each_other() {
    let all: Vec<_> = (0..60)
        .map(|nth| tokio::spawn(async move { (nth, run(bash(&format!("echo {nth}; exit {nth}"))).await) }))
        .collect();
    for one in all {
        let (nth, ended) = one.await.unwrap();
        assert_eq!((ended.exit_code, ended.stdout.text()), (Some(nth), format!("{nth}\n")));
    }
}
