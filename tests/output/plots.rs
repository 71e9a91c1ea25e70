//! Plots of results.

use super::{awkward_table, column, directory, spiking};
use braincell::output::{Events, OutputError, Table, plot};
use std::fs;

/// The text of an SVG plot.
fn svg(table: &Table, name: &str) -> String {
    let path = directory(name).join("plot.svg");
    plot(table, &path).unwrap();
    fs::read_to_string(&path).unwrap()
}

/// The polylines of a colour: width and points in SVG units.
fn lines(svg: &str, color: &str) -> Vec<(u32, Vec<(i32, i32)>)> {
    let attribute = |line: &str, name: &str| {
        let start = line.split_once(&format!(" {name}=\"")).unwrap().1;
        start.split_once('"').unwrap().0.to_owned()
    };
    let point = |p: &str| {
        let (x, y) = p.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    let of_color = svg
        .lines()
        .filter(|l| l.starts_with("<polyline") && l.contains(color));
    of_color
        .map(|l| {
            let points = attribute(l, "points")
                .split_whitespace()
                .map(point)
                .collect();
            (attribute(l, "stroke-width").parse().unwrap(), points)
        })
        .collect()
}

const BLUE: &str = "#0072B2";
const TRACE: u32 = 18;

#[test]
fn plots_have_panels_labels_and_ticks_of_spikes() {
    let mut table = spiking(0.025, 100.0);
    table.title = "a < b & c".into();
    let svg = svg(&table, "plot");
    for text in [
        "a &lt; b &amp; c",
        "exp_euler, time step 0.025 ms",
        "membrane potential V [mV]",
        "na.m, na.h, k.n",
        "current per area [µA/cm²]",
        "time t [ms]",
        "k.i",
        "−60",
    ] {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}");
    }
    assert!(svg.starts_with("<svg width=\"1200\" height=\"1050\" "));
    let ticks = lines(&svg, BLUE)
        .into_iter()
        .filter(|(w, p)| *w == 20 && p[0].0 == p[1].0);
    assert_eq!(ticks.count(), table.events[0].times.len());
    let png = directory("plot_png").join("plot.png");
    plot(&table, &png).unwrap();
    let png = fs::read(&png).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&png[16..24], [0, 0, 4, 176, 0, 0, 4, 26]);
}

#[test]
fn a_peak_survives_decimation() {
    let mut table = spiking(0.025, 100.0);
    table.events.clear();
    let samples = 1_000_000;
    table.time = (0..samples).map(|i| i as f64 * 1e-4).collect();
    let mut values = vec![0.0; samples];
    values[333_333] = 100.0;
    values[666_666] = -100.0;
    table.columns = vec![column("V", "mV", values)];
    let svg = svg(&table, "decimation");
    let traces: Vec<_> = lines(&svg, BLUE)
        .into_iter()
        .filter(|l| l.0 == TRACE)
        .collect();
    assert_eq!(traces.len(), 1);
    let points = &traces[0].1;
    assert!(points.len() < 4 * 1200, "{} points", points.len());
    let (low, high) = (
        points.iter().map(|p| p.1).min().unwrap(),
        points.iter().map(|p| p.1).max().unwrap(),
    );
    let rest = points[0].1;
    assert!(
        (rest - low - (high - rest)).abs() <= 1 && rest - low > 1000,
        "{low} {rest} {high}"
    );
    // Left to right, the peak before the trough.
    assert!(points.windows(2).all(|p| p[0].0 <= p[1].0));
    let at = |y| points.iter().position(|p| p.1 == y).unwrap();
    assert!(at(low) < at(high));
}

#[test]
fn values_that_are_not_finite_break_the_line() {
    let mut table = Table {
        time: (0..10).map(f64::from).collect(),
        ..Table::default()
    };
    let mut values: Vec<f64> = (0..10).map(f64::from).collect();
    values[3] = f64::NAN;
    values[5] = f64::INFINITY;
    table.columns = vec![column("x", "", values)];
    let svg = svg(&table, "breaks");
    let lengths: Vec<usize> = lines(&svg, BLUE).iter().map(|l| l.1.len()).collect();
    assert_eq!(lengths, [3, 4]);
    assert_eq!(svg.matches("<circle").count(), 1);
}

#[test]
fn a_legend_names_twelve_traces_and_counts_the_rest() {
    let mut table = Table {
        time: vec![0.0, 1.0],
        ..Table::default()
    };
    table.columns = (0..15)
        .map(|i| column(&format!("V[{i}]"), "mV", vec![f64::from(i), 0.0]))
        .collect();
    let svg = svg(&table, "legend");
    assert!(
        svg.contains("\nV[11]\n") && !svg.contains("\nV[12]\n") && svg.contains("\n… and 3 more\n")
    );
    let traces = svg
        .lines()
        .filter(|l| l.contains("<polyline") && l.contains("stroke-width=\"18\""));
    assert_eq!(traces.count(), 15);
    table.columns.truncate(2);
    table.metadata.message = Some("step too small".into());
    let svg = self::svg(&table, "legend2");
    assert!(svg.contains("ended early: step too small"));
}

#[test]
fn unusual_tables_are_drawn() {
    let directory = directory("unusual");
    let one = |time: Vec<f64>, values: Vec<f64>| Table {
        time,
        columns: vec![column("V", "mV", values)],
        ..Table::default()
    };
    let spikes = Events {
        label: String::new(),
        times: vec![f64::NAN, 1e308, -1e308],
    };
    let mut tables = vec![
        Table::default(),
        Table {
            time: vec![1.0],
            ..Table::default()
        },
        Table {
            events: vec![spikes; 30],
            ..Table::default()
        },
        one(vec![], vec![]),
        one(vec![5.0], vec![-65.0]),
        one(vec![5.0; 3], vec![0.0; 3]),
        one(vec![f64::NAN; 3], vec![1.0; 3]),
        one(vec![0.0, 1.0], vec![f64::NAN; 2]),
        one(vec![0.0, 1.0], vec![f64::MAX, f64::MIN]),
        one(vec![f64::MIN, f64::MAX], vec![f64::from_bits(1), 0.0]),
        one(vec![0.0, 1.0], vec![1.0, 1.0 + f64::EPSILON]),
        one(vec![1e15, 1e15 + 0.25], vec![1e-310, 2e-310]),
        one(
            (0..20_000).rev().map(f64::from).collect(),
            (0..20_000).map(f64::from).collect(),
        ),
        one((0..20_000).map(f64::from).collect(), vec![f64::MAX; 20_000]),
        awkward_table(),
    ];
    tables[4].title = "x".repeat(10_000);
    tables[4].columns[0].name = "\n\u{0}\u{1f600}".repeat(1000);
    tables[4].columns[0].unit = "(".repeat(100_000);
    for (i, table) in tables.iter().enumerate() {
        for extension in ["svg", "png"] {
            let path = directory.join(format!("{i}.{extension}"));
            plot(table, &path).unwrap_or_else(|e| panic!("table {i}: {e}"));
            assert!(fs::metadata(&path).unwrap().len() < 1_000_000, "table {i}");
        }
    }
    let mut table = one(vec![0.0], vec![0.0]);
    table.columns = (0..17)
        .map(|i| column("x", &format!("u{i}"), vec![0.0]))
        .collect();
    let error = plot(&table, directory.join("many.svg")).unwrap_err();
    assert!(
        matches!(
            error,
            OutputError::Panels {
                units: 17,
                limit: 16
            }
        ),
        "{error}"
    );
}

#[test]
fn a_constant_is_drawn_in_the_middle() {
    let mut table = Table {
        time: vec![0.0, 1.0],
        ..Table::default()
    };
    table.columns = vec![column("V", "mV", vec![-65.0; 2])];
    let svg = svg(&table, "constant");
    let traces = lines(&svg, BLUE);
    let (top, bottom) = (740, 5000 - 660);
    assert_eq!(traces[0].1[0].1, (top + bottom) / 2);
    assert!(svg.contains("\n−65\n") && svg.contains("\n−68\n"));
}
