//! Ctrl-C during a run.
#![cfg(unix)]

use crate::{Place, Run, assert_has, hh};
use braincell::output::read_csv;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn what_was_computed_is_kept() {
    let place = Place::new("interrupt");
    // Hours of work.
    let text = hh(&[
        (
            "[\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]",
            "[\"V\"]\nevery = \"1 s\"",
        ),
        ("duration = \"50 ms\"", "duration = \"1e7 s\""),
    ]);
    place.write("e.toml", &text);
    place.write("t.csv", "earlier result");
    let mut command = place.command(&["run", "e.toml", "--out", "t.csv", "--plot", "t.png"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!(run.status, Some(130), "{run:?}");
    assert_has(
        &run.stderr,
        &["error: stopped by Ctrl-C at t = ", "is in t.csv and t.png"],
    );
    assert_has(&run.stdout, &["INCOMPLETE"]);
    let table = read_csv(place.path("t.csv")).unwrap();
    assert!(!table.metadata.complete);
    assert_has(&table.metadata.message.unwrap(), &["Ctrl-C"]);
    assert_eq!(table.events[0].times.len(), 3);
    assert!(place.exists("t.png"));
    assert_eq!(place.files(), ["e.toml", "t.csv", "t.png"]);
}
