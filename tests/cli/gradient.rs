//! Gradients and fits.

use crate::{Place, assert_has, example, hh};

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
