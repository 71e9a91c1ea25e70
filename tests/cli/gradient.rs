//! Gradients and fits.

use crate::{Place, assert_has, example, hh};
use braincell::output::read_csv;
use std::fs;

#[test]
fn gradients_agree_with_differences() {
    let place = Place::new("gradient");
    place.write(
        "e.toml",
        &hh(&[("duration = \"50 ms\"", "duration = \"12 ms\"")]),
    );
    for of in [
        "mean(V)",
        "peak(V)",
        "mean_square(V, -65)",
        "spike_time(V, 0)",
    ] {
        let wrt = ["--wrt", "na.g_max,k.g_max,C,V,stimulus"];
        let arguments = [
            &["gradient", "e.toml", "-q", "--check", "--of", of][..],
            &wrt,
        ]
        .concat();
        let text = place.braincell(&arguments).success();
        assert_has(&text, &[of, "na.g_max", "stimulus"]);
        let deviations = text.lines().skip(3).map(|line| {
            let last = line.split_whitespace().last().unwrap();
            last.parse::<f64>().unwrap()
        });
        let deviations: Vec<f64> = deviations.collect();
        assert_eq!(deviations.len(), 5, "{text}");
        assert!(deviations.iter().all(|x| *x < 1e-5), "{text}");
    }
}

#[test]
fn the_plan_is_told() {
    let place = Place::new("gradient_plan");
    place.write("e.toml", &example("hh.toml"));
    let run = place.braincell(&[
        "gradient", "e.toml", "--of", "mean(V)", "--wrt", "C", "--memory", "0.05",
    ]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_has(
        &run.stderr,
        &["plan: 2000 steps", "checkpoints", "forward steps per step"],
    );
}

#[test]
fn what_is_wrong_with_a_gradient_is_said() {
    let place = Place::new("gradient_errors");
    place.write("e.toml", &example("hh.toml"));
    let cases = [
        ("mean(V)", "na.gmax", "na.gmax"),
        ("median(V)", "C", "--of"),
        ("mean(W)", "C", "\"W\" is not recorded"),
        ("spike_time(V, 99)", "C", "no spike 99"),
    ];
    for (of, wrt, part) in cases {
        let arguments = ["gradient", "e.toml", "-q", "--of", of, "--wrt", wrt];
        assert_has(&place.braincell(&arguments).failure(), &[part]);
    }
    let error = place.braincell(&["fit", "e.toml"]).failure();
    assert_has(&error, &["no section [fit]"]);
}

#[test]
fn the_fit_recovers_the_conductances() {
    let place = Place::new("fit");
    place.write("fit.toml", &example("fit_hh.toml"));
    place.write("fit_hh_target.csv", &example("fit_hh_target.csv"));
    let arguments = [
        "fit",
        "fit.toml",
        "-q",
        "--out",
        "fitted.toml",
        "--plot",
        "fit.svg",
    ];
    let text = place.braincell(&arguments).success();
    for (name, value) in [("na.g_max", 120.0), ("k.g_max", 36.0), ("leak.g_max", 0.3)] {
        let line = text.lines().find(|line| line.contains(name)).unwrap();
        let found: f64 = line.split_whitespace().nth(2).unwrap().parse().unwrap();
        assert!((found / value - 1.0).abs() < 1e-6, "{text}");
    }
    assert_has(&place.text("fit.svg"), &["target", "start", "fit"]);
    assert_has(
        &place.text("fitted.toml"),
        &["# Three conductances of the squid"],
    );
    // The resulting experiment starts where the fit ended.
    let again = place.braincell(&["fit", "fitted.toml", "-q"]).success();
    let start = again.split_once("at the start ").unwrap().1;
    let loss: f64 = start.split(';').next().unwrap().parse().unwrap();
    assert!(loss < 1e-10, "{again}");
}

/// The value of a parameter in the table of a fit.
fn fitted(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.contains(name)).unwrap();
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// A folder with the fit of a branched cell, pieces of its text replaced.
fn branched(name: &str, replacements: &[(&str, &str)]) -> Place {
    let place = Place::new(name);
    fs::create_dir(place.path("morphology")).unwrap();
    for file in ["morphology/branched.swc", "fit_branched_target.csv"] {
        place.write(file, &example(file));
    }
    let mut text = example("fit_branched.toml");
    for (old, new) in replacements {
        assert!(text.contains(old), "{old:?} is not in the example");
        text = text.replacen(old, new, 1);
    }
    place.write("fit.toml", &text);
    place
}

#[test]
fn the_fit_of_a_branched_cell_recovers_the_conductances_by_region() {
    let place = branched("fit_branched", &[]);
    let arguments = [
        "fit",
        "fit.toml",
        "-q",
        "--out",
        "fitted.toml",
        "--plot",
        "fit.svg",
    ];
    let text = place.braincell(&arguments).success();
    for (name, value) in [
        ("leak.g_max", 0.3),
        ("paint[1].g_max", 120.0),
        ("paint[2].g_max", 20.0),
    ] {
        let found = fitted(&text, name);
        assert!((found / value - 1.0).abs() < 1e-4, "{text}");
    }
    assert_has(&place.text("fit.svg"), &["target", "start", "fit"]);
    let again = place.braincell(&["fit", "fitted.toml", "-q"]).success();
    let start = again.split_once("at the start ").unwrap().1;
    let loss: f64 = start.split(';').next().unwrap().parse().unwrap();
    assert!(loss < 1e-6, "{again}");
}

/// The recording of the example comes from the values in its remarks.
#[test]
fn the_target_of_the_branched_fit_is_what_the_example_says() {
    let place = branched(
        "fit_branched_target",
        &[
            ("\"0.4 mS/cm2\"", "\"0.3 mS/cm2\""),
            ("\"100 mS/cm2\"", "\"120 mS/cm2\""),
            ("\"30 mS/cm2\"", "\"20 mS/cm2\""),
        ],
    );
    let text = place.text("fit.toml");
    place.write("true.toml", text.split("\n[fit]").next().unwrap());
    place
        .braincell(&["run", "true.toml", "--out", "again.csv"])
        .success();
    let read = |file: &str| read_csv(place.path(file)).unwrap();
    let (a, b) = (read("again.csv"), read("fit_branched_target.csv"));
    assert_eq!(a.columns[0].values.len(), 121);
    let pairs = a.columns[0].values.iter().zip(&b.columns[0].values);
    // A machine with other instructions may round otherwise.
    assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(pairs.count(), b.columns[0].values.len());
}

#[test]
fn what_is_wrong_with_a_fit_by_region_is_said() {
    let cases = [
        (
            ("\"paint[1].g_max\"", "\"na.g_max\""),
            &["differs between regions", "paint[1].g_max, paint[2].g_max"][..],
        ),
        (
            ("\"paint[2].g_max\"", "\"paint[7].g_max\""),
            &["4 sections"],
        ),
        (
            ("\"paint[2].g_max\"", "\"paint[3].g_max\""),
            &["paint[3] does not give g_max"],
        ),
        (
            ("\"paint[2].g_max\"", "\"paint[2].gmax\""),
            &["na.gmax", "na.g_max"],
        ),
        (
            (
                "\"paint[2].g_max\" = { from = \"5 mS/cm2\", to = \"60",
                "\"paint[0].g_max\" = { from = \"0.1 mS/cm2\", to = \"1",
            ),
            &["moves the same numbers", "leak.g_max"],
        ),
        (
            (
                "g_max = \"30 mS/cm2\"",
                "g_max = { at_root = \"30 mS/cm2\", slope = \"-0.01 mS/cm2/um\" }",
            ),
            &["differs within the region"],
        ),
        (
            ("column = \"V_soma\"", "column = \"V\""),
            &["recorded variable", "V_soma"],
        ),
    ];
    for (k, (replacement, parts)) in cases.into_iter().enumerate() {
        let place = branched(&format!("fit_branched_errors_{k}"), &[replacement]);
        assert_has(
            &place.braincell(&["fit", "fit.toml", "-q"]).failure(),
            parts,
        );
    }
}

/// A capacitance by region and a synapse have their places in the file too.
#[test]
fn capacitances_and_synapses_are_fitted_and_written() {
    let more = "[[paint]]
region = \"dendrite\"
capacitance = \"1.1 uF/cm2\"

[synapses.ampa]
at = { branch = 9, x = 0.7 }
kind = \"exponential\"
tau = \"2 ms\"
E = \"0 mV\"
weight = \"2 nS\"
events = [\"3 ms\"]

[clamps.stimulus]";
    let fit = "[fit.parameters]
\"paint[4].capacitance\" = { from = \"0.5 uF/cm2\", to = \"2 uF/cm2\" }
\"ampa.weight\" = { from = \"0.1 nS\", to = \"9 nS\" }";
    let replacements = [
        ("[clamps.stimulus]", more),
        ("\n[fit]", "\n[fit]\niterations = 3"),
        ("[fit.parameters]", fit),
    ];
    let place = branched("fit_branched_others", &replacements);
    let arguments = ["fit", "fit.toml", "-q", "--out", "fitted.toml"];
    let text = place.braincell(&arguments).success();
    let again = place.braincell(&["fit", "fitted.toml", "-q"]).success();
    let loss = |text: &str, before: &str| -> f64 {
        let rest = text.split_once(before).unwrap().1;
        rest.split([',', ';']).next().unwrap().parse().unwrap()
    };
    let (end, start) = (loss(&text, "loss "), loss(&again, "at the start "));
    assert!((end / start - 1.0).abs() < 1e-5, "{text}{again}");
    assert!(end < 0.9 * loss(&text, "at the start "), "{text}");
    let weight = fitted(&text, "ampa.weight");
    assert_has(
        &place.text("fitted.toml"),
        &[&format!("weight = \"{weight} uS\"")],
    );
}

/// A dendrite with a resistivity of its own.
const RESISTIVE: &str = "[[paint]]
region = \"dendrite\"
resistivity = \"130 ohm cm\"

[clamps.stimulus]";

#[test]
fn gradients_by_region_agree_with_differences() {
    let place = branched("gradient_branched", &[("[clamps.stimulus]", RESISTIVE)]);
    let wrt = "paint[4].resistivity,resistivity,paint[2].g_max,C";
    let arguments = [
        "gradient",
        "fit.toml",
        "-q",
        "--check",
        "--of",
        "mean_square(V_soma, -65)",
        "--wrt",
        wrt,
    ];
    let text = place.braincell(&arguments).success();
    assert_has(
        &text,
        &["paint[4].resistivity", "resistivity[3]", "paint[2].g_max"],
    );
    let rows = text.lines().skip(3).map(|line| {
        let mut words = line.split_whitespace();
        let (name, x) = (words.next().unwrap(), words.next().unwrap());
        let off: f64 = words.last().unwrap().parse().unwrap();
        (name.to_string(), x.parse::<f64>().unwrap(), off)
    });
    let rows: Vec<(String, f64, f64)> = rows.collect();
    let largest = |name: &str| {
        let of = rows.iter().filter(|(n, ..)| n.starts_with(name));
        of.fold(0.0f64, |m, (_, x, _)| m.max(x.abs()))
    };
    let resistivity = largest("resistivity[");
    for (name, x, off) in &rows {
        // Of places that hardly matter differences are rounding.
        let scale = if name.starts_with("resistivity[") {
            resistivity
        } else {
            x.abs()
        };
        assert!(off * x.abs() < 1e-5 * scale, "{text}");
    }
    for (name, part) in [
        ("paint[9].resistivity", "5 sections"),
        ("paint[1].resistivity", "na.resistivity"),
        ("paint[4].colour", "resistivity have derivatives by region"),
    ] {
        let arguments = [
            "gradient",
            "fit.toml",
            "--of",
            "mean(V_soma)",
            "--wrt",
            name,
        ];
        assert_has(&place.braincell(&arguments).failure(), &[part, "--wrt"]);
    }
}

#[test]
fn resistivities_are_fitted_by_region_and_written() {
    let parameters = "[fit.parameters]
\"paint[4].resistivity\" = { from = \"50 ohm cm\", to = \"500 ohm cm\" }";
    let replacements = [
        ("[clamps.stimulus]", RESISTIVE),
        ("\"0.4 mS/cm2\"", "\"0.3 mS/cm2\""),
        ("[fit.parameters]", parameters),
        ("\"leak.g_max\" =", "#"),
        ("\"paint[1].g_max\"", "#"),
        ("\"paint[2].g_max\"", "#"),
    ];
    let place = branched("fit_resistivity", &replacements);
    let text = place.text("fit.toml");
    let whole = text.split("\n[fit]").next().unwrap();
    place.write("true.toml", &whole.replace("130 ohm cm", "210 ohm cm"));
    place
        .braincell(&["run", "true.toml", "--out", "fit_branched_target.csv"])
        .success();
    let arguments = ["fit", "fit.toml", "-q", "--out", "fitted.toml"];
    let text = place.braincell(&arguments).success();
    let found = fitted(&text, "paint[4].resistivity");
    assert!((found / 210.0 - 1.0).abs() < 1e-4, "{text}");
    let written = format!("resistivity = \"{found} ohm cm\"");
    assert_has(&place.text("fitted.toml"), &[&written]);
}

#[test]
fn experiments_with_a_tolerance_have_gradients() {
    let place = Place::new("gradient_adaptive");
    let text = hh(&[
        ("duration = \"50 ms\"", "duration = \"12 ms\""),
        ("dt = \"0.025 ms\"", "tolerance = 1e-6"),
        ("[record]", "[record]\nevery = \"0.1 ms\""),
    ]);
    place.write("e.toml", &text.replace("\"rk4\"", "\"rodas4\""));
    for of in ["mean(V)", "spike_time(V, 0)"] {
        let wrt = ["--wrt", "na.g_max,k.g_max,C,V,stimulus"];
        let arguments = [&["gradient", "e.toml", "--check", "--of", of][..], &wrt].concat();
        let run = place.braincell(&arguments);
        assert_has(&run.stderr, &["plan: ", "checkpoints"]);
        assert_eq!(run.status, Some(0), "{run:?}");
        let text = run.stdout;
        for line in text.lines().skip(3) {
            let last = line.split_whitespace().last().unwrap();
            assert!(last.parse::<f64>().unwrap() < 1e-5, "{text}");
        }
        assert_eq!(text.lines().count(), 8, "{text}");
    }
    let arguments = [
        "gradient",
        "e.toml",
        "--of",
        "mean(V)",
        "--wrt",
        "stimulus.onset",
    ];
    assert_has(
        &place.braincell(&arguments).failure(),
        &["fix the step size"],
    );
}
