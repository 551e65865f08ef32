//! Webhooks: told of what happened, in order, tried again, and never in the way.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::harness::{Place, runbook_with};

/// Answers each request with the next status; the last one stays. The bodies come out of the channel.
fn server(statuses: &'static [u16]) -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
            let (head, body) = loop {
                let length = stream.read(&mut chunk).unwrap_or(0);
                bytes.extend_from_slice(&chunk[..length]);
                let text = String::from_utf8_lossy(&bytes);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let wanted = head.lines().find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
                });
                if length == 0 || body.len() >= wanted.unwrap_or(0) {
                    break (head.to_owned(), body.to_owned());
                }
            };
            let status = statuses.get(at).or_else(|| statuses.last()).copied().unwrap_or(200);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()));
            if (200..300).contains(&status)
                && sender.send((head, serde_json::from_str(&body).unwrap_or_default())).is_err()
            {
                return;
            }
        }
    });
    (address, receiver)
}

const STEPS: &str = "  restore: {phase: data, restores: true, shell: 'true'}\n  \
                     extra: {phase: validate, shell: exit 9, onFailure: continue}\n";

fn deliveries(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.only_run().join("notifications.jsonl")).expect("notifications");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn people_elsewhere_are_told_in_order() {
    let (address, bodies) = server(&[503, 200]);
    let place = Place::new().env("TEST_HOOK", &format!("{address}/services/T0/s3cr3t-path"));
    let more = "inputs: {hook: {type: secret, from: {env: TEST_HOOK}}}\nnotify:\n  - on: [started, failed, restored, finished]\n    \
                webhook: {url: \"{{inputs.hook}}\", format: slack, headers: {X-Key: \"k-{{inputs.hook}}\"}}\n";
    place.run(&runbook_with(more, STEPS)).code(1);
    let told: Vec<(String, Value)> = bodies.try_iter().collect();
    let texts: Vec<&str> = told.iter().map(|(_, body)| body["text"].as_str().unwrap_or_default()).collect();
    for (text, part) in texts.iter().zip(["started by", "is back since", "`extra` failed: exit code 9", "failed: "]) {
        assert!(text.contains(part) && text.contains("*INCIDENT A test*"), "no `{part}` in {texts:#?}");
    }
    assert_eq!(texts.len(), 4, "{texts:#?}");
    assert!(told[0].0.contains("s3cr3t-path"), "the address is the whole one: {}", told[0].0);
    let deliveries = deliveries(&place);
    let attempts: Vec<u64> = deliveries.iter().filter_map(|one| one["attempts"].as_u64()).collect();
    assert_eq!(attempts, [2, 1, 1, 1], "{deliveries:#?}");
    assert!(deliveries.iter().all(|one| one["delivered"] == true && one["to"] == address.as_str()), "{deliveries:#?}");
    place.lifeboat(&["report", "@latest"]).code(0).says(&format!("started to {address} after 2 tries"));
    place.lifeboat(&["verify", "@latest"]).code(0);
}

/// Nobody listens, and nobody ever answers: the run is what it is, and says that it could not tell.
#[test]
fn a_dead_webhook_is_not_in_the_way() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = Place::new();
    let more = format!(
        "notify:\n  - {{on: [started, finished], webhook: {{url: 'http://127.0.0.1:1/x/s3cr3t?y'}}}}\n  \
         - {{on: [finished], webhook: {{url: 'http://{}/'}}}}\n",
        silent.local_addr().expect("an address")
    );
    let began = Instant::now();
    place.run(&runbook_with(&more, "  restore: {phase: data, restores: true, shell: 'true'}\n")).code(0).says("PASSED");
    assert!(began.elapsed() < Duration::from_secs(20), "took {:?}", began.elapsed());
    let deliveries = deliveries(&place);
    assert_eq!(deliveries.len(), 3, "{deliveries:#?}");
    assert!(deliveries.iter().all(|one| one["delivered"] == false && one["error"].is_string()), "{deliveries:#?}");
    place.lifeboat(&["report", "@latest"]).code(0).says("NOT delivered to http://127.0.0.1:1");
}

/// What its engine could not tell any more is told by the next one; and what was told is not told again.
#[test]
fn the_next_engine_tells_the_rest() {
    let (address, bodies) = server(&[200]);
    let place = Place::new();
    let more = format!("notify:\n  - {{on: [started, held, approval-needed], webhook: {{url: '{address}'}}}}\n");
    let steps = "  restore: {phase: data, restores: true, approval: {}, shell: 'true'}\n";
    place.run(&runbook_with(&more, steps)).code(5);
    assert_eq!(bodies.try_iter().count(), 3);
    let file = place.only_run().join("notifications.jsonl");
    let lines = std::fs::read_to_string(&file).expect("notifications");
    let first = lines.lines().next().expect("a line");
    std::fs::write(&file, format!("{first}\n{{torn")).expect("it can be written");
    place.lifeboat(&["resume", "@latest", "--no-input"]).code(5);
    let events: Vec<Value> = bodies.try_iter().map(|(_, body)| body["event"].clone()).collect();
    assert_eq!(events, ["approval-needed", "held", "held"]);
    let text = std::fs::read_to_string(&file).expect("notifications");
    let whole = text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert_eq!((whole, text.lines().count()), (4, 5), "{text}");
}
