//! Output that grows while a run goes on.

use crate::directory;
use braincell::cells::SingleCompartment;
use braincell::container::{Reader, Writer};
use braincell::input::Input;
use braincell::model::Model;
use braincell::output::{
    Column, Ending, Events, Extent, OutputError, Reduced, Stream, Table, read_csv,
};
use braincell::simulation::{Recording, Setup, Simulation};
use std::fs;
use std::ops::ControlFlow;

fn start() -> Simulation {
    let cell = SingleCompartment::hodgkin_huxley().input("i", Input::step(10.0, 5.0, 150.0));
    let model = Model::new(&cell).unwrap();
    let setup = Setup::new("rk4", 0.01)
        .record("V")
        .record("na.m")
        .spikes("V", 0.0);
    setup.start(braincell::solvers(), &model).unwrap()
}

/// The parts of a run, each `pause` ms long.
fn parts(until: f64, pause: f64) -> Vec<Recording> {
    let mut all = Vec::new();
    let mut run = start();
    let ended = run.run_streamed(until, pause, &mut |mut pause| {
        all.push(pause.drain());
        ControlFlow::Continue(())
    });
    ended.unwrap();
    all.push(run.recording());
    all
}

fn description() -> Table {
    let column = |name: &str, unit: &str| Column {
        name: name.into(),
        unit: unit.into(),
        values: Vec::new(),
    };
    Table {
        title: "growing".into(),
        columns: vec![column("V", "mV"), column("na.m", "")],
        events: vec![Events {
            label: "V".into(),
            times: Vec::new(),
        }],
        ..Table::default()
    }
}

#[test]
fn files_do_not_depend_on_the_parts_and_can_be_cut_back() {
    let directory = directory("growing");
    for format in ["csv", "npz"] {
        let mut found: Vec<Vec<u8>> = Vec::new();
        for (k, pause) in [1e9, 3.3, 20.0].into_iter().enumerate() {
            let path = directory.join(format!("{k}.{format}"));
            let mut stream = Stream::create(description(), &path).unwrap();
            let parts = parts(60.0, pause);
            let middle = parts.len() / 2;
            for part in &parts[..middle] {
                stream.append(part).unwrap();
            }
            let marks: Vec<Extent> = stream.mark().unwrap();
            // What comes after the mark is lost when the process is killed.
            for part in &parts[middle..] {
                stream.append(part).unwrap();
            }
            drop(stream);
            let mut stream = Stream::resume(description(), &path, &marks).unwrap();
            assert_eq!(stream.mark().unwrap(), marks);
            let file = match format {
                "csv" => path.clone(),
                _ => directory.join(format!("{k}.npz.rows.npy")),
            };
            assert_eq!(fs::metadata(file).unwrap().len(), marks[0].length);
            let (rest, last) = (&parts[middle..], &parts[parts.len() - 1]);
            for part in &rest[..rest.len() - 1] {
                stream.append(part).unwrap();
            }
            let ending = Ending {
                complete: true,
                events: last.spikes().iter().map(|s| s.times.clone()).collect(),
                ..Ending::default()
            };
            stream.finish(&ending).unwrap();
            found.push(fs::read(&path).unwrap());
        }
        assert!(found[0] == found[1] && found[1] == found[2], "{format}");
    }
    let table = read_csv(directory.join("0.csv")).unwrap();
    let mut run = start();
    run.run(60.0).unwrap();
    let whole = run.recording();
    assert!(table.metadata.complete);
    assert_eq!(table.time, whole.times());
    assert_eq!(table.columns[0].values, whole.trace("V").unwrap().to_vec());
    assert_eq!(table.events[0].times, whole.spikes()[0].times);
    // Spikes come before the first row of a later time.
    let text = fs::read_to_string(directory.join("0.csv")).unwrap();
    let mut last = f64::NEG_INFINITY;
    for line in text.lines() {
        let time = match line.strip_prefix("# spikes V: ") {
            Some(time) => time.parse::<f64>(),
            None => line.split(',').next().unwrap_or("").parse(),
        };
        if let Ok(time) = time {
            assert!(time >= last, "{time} after {last}");
            last = time;
        }
    }
}

#[test]
fn a_cut_line_of_a_killed_run_is_left_out() {
    let path = directory("growing_cut").join("t.csv");
    let mut stream = Stream::create(description(), &path).unwrap();
    stream.append(&parts(10.0, 1e9)[0]).unwrap();
    drop(stream);
    let text = fs::read_to_string(&path).unwrap();
    let begin = text.find("\n0,").unwrap();
    for length in (begin + 1..text.len()).step_by(997) {
        fs::write(&path, &text[..length]).unwrap();
        let table = read_csv(&path).unwrap();
        assert!(!table.metadata.complete);
        let lines = text[begin + 1..length].split_inclusive('\n');
        let whole = lines.filter(|l| l.ends_with('\n') && !l.starts_with('#'));
        assert_eq!(table.time.len(), whole.count());
    }
}

#[test]
fn another_file_does_not_go_on() {
    let path = directory("growing_other").join("t.csv");
    let mut stream = Stream::create(description(), &path).unwrap();
    stream.append(&parts(1.0, 1e9)[0]).unwrap();
    let marks = stream.mark().unwrap();
    drop(stream);
    let mut other = description();
    other.columns.pop();
    for result in [
        Stream::resume(other, &path, &marks),
        Stream::resume(description(), &path, &[marks[0], marks[0]]),
        Stream::resume(
            description(),
            path.with_extension("npz"),
            &[marks[0], marks[0]],
        ),
    ] {
        assert!(matches!(result, Err(OutputError::Changed { .. })));
    }
    Stream::resume(description(), &path, &marks).unwrap();
}

#[test]
fn reduced_traces_keep_peaks_and_do_not_depend_on_the_parts() {
    let mut run = start();
    run.run(200.0).unwrap();
    let whole = run.recording();
    let of = |parts: &[Recording]| {
        let mut reduced = Reduced::new(2);
        for part in parts {
            reduced.add(part);
            // What a checkpoint keeps of it is all of it.
            let mut w = Writer::default();
            reduced.save(&mut w);
            let again = Reduced::load(&mut Reader(&w.0)).unwrap();
            assert_eq!(again, reduced);
            reduced = again;
        }
        reduced
    };
    let reduced = of(&parts(200.0, 1e9));
    assert_eq!(reduced, of(&parts(200.0, 7.7)));
    let (times, traces) = reduced.traces();
    assert!((1000..4200).contains(&times.len()), "{}", times.len());
    assert!(times.is_sorted() && times[0] == 0.0 && times[times.len() - 1] == 200.0);
    for (reduced, trace) in traces.iter().zip(whole.traces()) {
        let extremes = |values: &[f64]| {
            let least = values.iter().copied().fold(f64::MAX, f64::min);
            (least, values.iter().copied().fold(f64::MIN, f64::max))
        };
        assert_eq!(extremes(reduced), extremes(&trace.values.to_vec()));
    }
    // A spike is where it was, to within the samples that were put together.
    let peak = |times: &[f64], values: &[f64]| {
        let most = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]));
        times[most.unwrap()]
    };
    let v = whole.trace("V").unwrap().to_vec();
    assert!((peak(&times, &traces[0]) - peak(whole.times(), &v)).abs() < 0.2);
    // Short traces stay as they are.
    let short = parts(30.0, 4.0);
    let (times, traces) = of(&short).traces();
    assert_eq!(times.len(), 3001);
    assert_eq!(traces[0][..], v[..3001]);
}
