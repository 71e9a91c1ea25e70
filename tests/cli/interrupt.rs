//! Ctrl-C during a run.
#![cfg(unix)]

use crate::{Place, Run, assert_has, hh};
use braincell::output::read_csv;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Interrupts a command after a second.
fn interrupted(place: &Place, arguments: &[&str]) -> Run {
    let mut command = place.command(arguments);
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
    Run::of(child.wait_with_output().unwrap())
}

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
    let arguments = ["run", "e.toml", "--out", "t.csv", "--plot", "t.png"];
    let run = interrupted(&place, &arguments);
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

#[test]
fn an_interrupted_run_goes_on() {
    let place = Place::new("interrupt_resume");
    let text = hh(&[
        (
            "[\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]",
            "[\"V\"]\nevery = \"1 s\"",
        ),
        ("stop = \"45 ms\"", ""),
        ("duration = \"50 ms\"", "duration = \"1e7 s\""),
    ]);
    place.write("e.toml", &text);
    let arguments = ["run", "e.toml", "--out", "t.csv", "--checkpoint", "c"];
    let run = interrupted(&place, &arguments);
    assert_eq!(run.status, Some(130), "{run:?}");
    assert_has(&run.stderr, &["To go on: braincell resume c."]);
    assert_has(&place.text("t.csv"), &["# message: stopped by Ctrl-C"]);
    let until = read_csv(place.path("t.csv")).unwrap().time.last().unwrap() + 5000.0;
    let until = until.to_string();
    let summary = place
        .braincell(&["resume", "c", "--tstop", &until])
        .success();
    assert_has(&summary, &["right-hand sides since "]);
    let whole = ["run", "e.toml", "--out", "w.csv", "--tstop", &until];
    place.braincell(&whole).success();
    assert!(!place.text("t.csv").contains("# message"));
    let [resumed, whole] = ["t.csv", "w.csv"].map(|name| read_csv(place.path(name)).unwrap());
    assert!(resumed.metadata.complete);
    assert_eq!((resumed.time, resumed.columns), (whole.time, whole.columns));
    assert_eq!(resumed.events, whole.events);
}
