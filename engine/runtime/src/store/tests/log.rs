//! One writer, whole records, and no way around either.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
};

use lifeboat_core::evidence::{
    Record,
    chain::digest,
    verify::{Fault, Head},
};
use serde_json::json;

use super::{begun, created, engine, event, finished, new_run, paused, timed, who};
use crate::store::{AppendError, Holder, LogDamage, OpenError, RunDir, read_log};

fn damage(run: &RunDir) -> (Option<u64>, Fault) {
    match run.take(&who()) {
        Err(OpenError::Damage(LogDamage::Record { problem, .. })) => (problem.at.map(|at| at.seq), problem.fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_appended_is_read_again() {
    let (_directory, run) = new_run();
    let mut opened = run.take(&who()).unwrap();
    assert_eq!((opened.records.len(), opened.torn_bytes, opened.log.token()), (0, 0, 1));
    let mut written = opened.log.append(timed([created(), engine()])).unwrap();
    assert_eq!(opened.log.append(Vec::new()).unwrap(), []);
    written.extend(opened.log.append(timed([paused("one")])).unwrap());
    assert_eq!(written.iter().map(|record| record.stamp.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(read_log(&run.log_path()).unwrap(), written);
    // As an auditor would look: the hash of a line is what the next one has as `prev`.
    let text = fs::read_to_string(run.log_path()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert!(lines[2].contains(&format!("\"prev\":\"{}\"", digest(lines[1].as_bytes()))));
    assert!(
        lines[0].starts_with("{\"seq\":1,\"at\":\"2026-11-21T02:20:28.123456Z\",\"elapsedMs\":7,\"token\":1,\"prev\":")
    );
    assert_eq!(fs::metadata(run.log_path()).unwrap().permissions().mode() & 0o777, 0o600);
    drop(opened);
    let mut opened = run.take(&who()).unwrap();
    assert_eq!((&opened.records, opened.log.token(), opened.log.seq()), (&written, 2, 3));
    let more = opened.log.append(timed([engine()])).unwrap();
    assert_eq!((more[0].stamp.seq, more[0].stamp.token), (4, 2));
}

#[test]
fn a_second_engine_is_kept_out_and_told_who_has_the_run() {
    let (_directory, run, first) = begun();
    let second = Holder { pid: 4712, host: "ops-2".into(), user: "bob".into() };
    let error = run.take(&second).unwrap_err();
    assert_eq!(error.to_string(), "another engine has this run: process 4711 of alice on ops-1 (token 1)");
    drop(first);
    assert_eq!(run.holder().unwrap().unwrap().pid, 4711, "it stays, so that one can see who was last");
    let opened = run.take(&second).unwrap();
    let held = run.holder().unwrap().unwrap();
    assert_eq!((held.token, held.pid, &*held.host, &*held.user), (2, 4712, "ops-2", "bob"));
    assert_eq!(opened.log.token(), 2);
}

#[test]
fn the_token_grows_whatever_became_of_the_lock() {
    let (_directory, run, opened) = begun();
    drop(opened);
    // An engine that took the run and recorded nothing.
    drop(run.take(&who()).unwrap());
    assert_eq!(run.take(&who()).unwrap().log.token(), 3);
    for content in
        ["", "{\"token\":", "\u{0}\u{0}", "{\"token\":9,\"pid\":1,\"host\":\"a\",\"user\":\"b\"}\nrest of a longer one"]
    {
        fs::write(run.path().join("lock"), content).unwrap();
        let token = run.take(&who()).unwrap().log.token();
        assert_eq!(token, if content.starts_with("{\"token\":9") { 10 } else { 2 }, "{content}");
    }
    fs::remove_file(run.path().join("lock")).unwrap();
    assert_eq!(run.take(&who()).unwrap().log.token(), 2);
}

#[test]
fn an_engine_that_lost_the_run_stops_for_good() {
    let (_directory, run, mut first) = begun();
    let lock = run.path().join("lock");
    // On a file system whose locks do not hold, or after somebody removed the file, a second engine gets in.
    fs::remove_file(&lock).unwrap();
    let error = first.log.append(timed([paused("gone")])).unwrap_err();
    assert!(matches!(error, AppendError::Fenced { ours: 1, holder: None }), "{error}");

    let (_directory, run, mut first) = begun();
    fs::remove_file(run.path().join("lock")).unwrap();
    let mut second = run.take(&Holder { pid: 99, host: "ops-2".into(), user: "bob".into() }).unwrap();
    assert_eq!(second.log.token(), 2);
    let error = first.log.append(timed([paused("late")])).unwrap_err();
    assert_eq!(error.to_string(), "this engine has token 1 and lost the run: process 99 of bob on ops-2 (token 2)");
    second.log.append(timed([engine()])).unwrap();
    drop(second);
    // Also when the other one has left again, and also for the head.
    assert_eq!(first.log.append(timed([paused("later")])).unwrap_err().to_string(), error.to_string());
    assert_eq!(first.log.seal().unwrap_err().to_string(), error.to_string());
    assert_eq!(read_log(&run.log_path()).unwrap().len(), 3);
}

#[test]
fn somebody_elses_bytes_poison_the_log() {
    let (_directory, run, mut opened) = begun();
    let before = fs::read(run.log_path()).unwrap();
    OpenOptions::new().append(true).open(run.log_path()).unwrap().write_all(b"x").unwrap();
    let error = opened.log.append(timed([paused("a")])).unwrap_err();
    assert!(matches!(error, AppendError::Foreign { .. }), "{error}");
    // The file is as it was again; the engine still does not write, since it cannot know.
    fs::write(run.log_path(), &before).unwrap();
    assert_eq!(opened.log.append(timed([paused("b")])).unwrap_err().to_string(), error.to_string());
    assert_eq!(fs::read(run.log_path()).unwrap(), before);
}

#[test]
fn a_replaced_or_removed_log_is_noticed() {
    let (_directory, run, mut opened) = begun();
    let copy = run.path().join("copy");
    fs::copy(run.log_path(), &copy).unwrap();
    fs::rename(&copy, run.log_path()).unwrap();
    assert!(matches!(opened.log.append(timed([paused("a")])), Err(AppendError::Foreign { .. })));
    let (_directory, run, mut opened) = begun();
    fs::remove_file(run.log_path()).unwrap();
    assert!(matches!(opened.log.append(timed([paused("a")])), Err(AppendError::Foreign { .. })));
    assert!(!run.log_path().exists());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let (_directory, run, mut opened) = begun();
    let before = fs::read(run.log_path()).unwrap();
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let check = event(json!({"event": "check-passed", "step": "s", "task": "do", "check": 0, "name": "n", "tries": 1,
        "durationMs": 1, "observed": null}));
    let deep = match check {
        lifeboat_core::evidence::Event::CheckPassed { step, task, check, name, tries, duration_ms, .. } => {
            lifeboat_core::evidence::Event::CheckPassed { step, task, check, name, tries, duration_ms, observed: deep }
        }
        other => other,
    };
    let error = opened.log.append(timed([paused("not alone"), deep])).unwrap_err();
    assert!(matches!(error, AppendError::Unreadable { .. }), "{error}");
    assert_eq!(fs::read(run.log_path()).unwrap(), before, "all of a group or nothing");
}

#[test]
fn nothing_is_written_behind_the_end() {
    let (_directory, run, mut opened) = begun();
    opened.log.append(timed([finished()])).unwrap();
    assert!(opened.log.finished());
    opened.log.seal().unwrap();
    assert!(matches!(opened.log.append(timed([paused("a")])), Err(AppendError::Unreadable { .. })));
    drop(opened);
    let opened = run.take(&who()).unwrap();
    assert!(opened.log.finished());
}

#[test]
fn a_torn_end_is_cut_off_and_kept() {
    let (_directory, run, opened) = begun();
    drop(opened);
    let whole = fs::read(run.log_path()).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    // Wherever the second line is torn, also just before its line end.
    let ends = (first + 1..whole.len()).filter(|end| end % 9 == 0 || *end < first + 4 || *end > whole.len() - 4);
    for (number, end) in (1..).zip(ends) {
        fs::write(run.log_path(), &whole[..end]).unwrap();
        let looked: Vec<Record> = read_log(&run.log_path()).unwrap();
        assert_eq!(looked.len(), 1);
        let opened = run.take(&who()).unwrap();
        assert_eq!((opened.records.len(), opened.torn_bytes), (1, (end - first) as u64));
        assert_eq!(fs::read(run.log_path()).unwrap(), &whole[..first]);
        let aside = if number == 1 { format!("torn-{first}") } else { format!("torn-{first}-{number}") };
        assert_eq!(fs::read(run.path().join(aside)).unwrap(), &whole[first..end]);
    }
    let mut opened = run.take(&who()).unwrap();
    assert_eq!(opened.torn_bytes, 0);
    opened.log.append(timed([engine()])).unwrap();
    assert_eq!(read_log(&run.log_path()).unwrap().len(), 2);
}

#[test]
fn an_engine_that_died_between_putting_aside_and_cutting() {
    let (_directory, run, opened) = begun();
    drop(opened);
    let length = fs::metadata(run.log_path()).unwrap().len();
    OpenOptions::new().append(true).open(run.log_path()).unwrap().write_all(b"{\"seq\":3,").unwrap();
    fs::write(run.path().join(format!("torn-{length}")), b"{\"seq\":3,").unwrap();
    assert_eq!(run.take(&who()).unwrap().torn_bytes, 9);
    assert!(!run.path().join(format!("torn-{length}-2")).exists());
}

#[test]
fn any_other_damage_is_refused_and_nothing_is_touched() {
    let (_directory, run, opened) = begun();
    drop(opened);
    let whole = fs::read(run.log_path()).unwrap();
    // Every one is tried where it costs no sync: in the tests of the verifier, which reads with the same code.
    for at in (0..whole.len() - 1).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 0x01;
        fs::write(run.log_path(), &changed).unwrap();
        if let Ok(opened) = run.take(&who()) {
            // In the last record a change that gives another good record can be seen by a head only.
            assert_eq!(opened.records.len(), 2, "{at}");
        } else {
            assert!(damage(&run).0.is_some(), "{at}");
        }
        assert_eq!(fs::read(run.log_path()).unwrap(), changed);
    }
    fs::write(run.log_path(), [&whole[..], b"garbage\n"].concat()).unwrap();
    let (seq, fault) = damage(&run);
    assert!(seq == Some(3) && matches!(fault, Fault::NotJson { .. }), "{fault}");
}

#[test]
fn the_head_seals_what_was_written() {
    let (_directory, run, mut opened) = begun();
    let head = opened.log.seal().unwrap().unwrap();
    assert_eq!(fs::read(run.head()).unwrap(), head.to_line());
    opened.log.append(timed([paused("a")])).unwrap();
    drop(opened);
    // Records behind the head are what an engine wrote that died.
    let mut opened = run.take(&who()).unwrap();
    assert_eq!(opened.records.len(), 3);
    let sealed = opened.log.seal().unwrap().unwrap();
    assert_eq!(sealed.seq, 3);
    drop(opened);
    // A log that lost sealed records, or has others, is not gone on with.
    let whole = fs::read(run.log_path()).unwrap();
    let two = whole.split_inclusive(|&byte| byte == b'\n').take(2).collect::<Vec<_>>().concat();
    fs::write(run.log_path(), &two).unwrap();
    assert_eq!(damage(&run).1, Fault::HeadPast { head: 3, last: 2 });
    fs::write(run.log_path(), &whole).unwrap();
    fs::write(run.head(), Head { seq: 3, hash: digest(b"") }.to_line()).unwrap();
    let (seq, fault) = damage(&run);
    assert!(seq == Some(3) && matches!(fault, Fault::HeadHash { .. }), "{fault}");
    fs::write(run.head(), b"{}").unwrap();
    assert!(matches!(damage(&run).1, Fault::HeadUnreadable { .. }));
}
