//! What is refused.

use crate::{hh, refused};

#[test]
fn wrong_sweeps_are_refused() {
    let sweep = |entry: &str| hh(&[], &format!("[sweep]\n{entry}\n"));
    for (entry, parts) in [
        (
            "",
            &["line 24, sweep", "a quantity to sweep is missing"][..],
        ),
        (
            "\"na.gmax\" = [\"1 mS/cm2\"]",
            &["mechanisms.na", "unknown parameter \"gmax\"", "g_max"],
        ),
        (
            "\"nah.g_max\" = [\"1 mS/cm2\"]",
            &[
                "line 25, sweep.nah.g_max",
                "unknown quantity to sweep",
                "na.PARAMETER",
            ],
        ),
        (
            "\"na.g_max\" = []",
            &["line 25, sweep.na.g_max", "at least one"],
        ),
        (
            "\"na.g_max\" = [\"1 mV\"]",
            &["line 25, mechanisms.na.g_max[0]", "voltage"],
        ),
        (
            "\"na.g_max\" = [\"1 mS/cm2\", \"1 mV\"]",
            &["sweep.na.g_max", "voltage"],
        ),
        ("\"na.g_max\" = [1]", &["line 25", "mS/cm2"]),
        (
            "\"na.g_max\" = \"1 mS/cm2\"",
            &["line 25, sweep.na.g_max", "a list"],
        ),
        ("\"na.type\" = [\"1 mV\"]", &["line 25, mechanisms.na.type"]),
        (
            "C = [\"0 uF/cm2\"]",
            &["line 25, model.capacitance", "positive"],
        ),
        (
            "C = [\"1 uF/cm2\"]\ncapacitance = [\"1 uF/cm2\"]",
            &["line 26", "same quantity"],
        ),
        (
            "mode = \"all\"\nC = [\"1 uF/cm2\"]",
            &["line 25, sweep.mode", "unknown mode", "product, zip"],
        ),
        (
            "mode = \"zip\"\nC = [\"1 uF/cm2\"]\n\"na.E\" = [\"1 mV\", \"2 mV\"]",
            &["line 27", "2 values go together with 1"],
        ),
        ("count = 5\nC = [\"1 uF/cm2\"]", &["line 25, sweep.count"]),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 uF/cm2\" }",
            &["sweep.C", "\"count\" is missing"],
        ),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 uF/cm2\", count = 1 }",
            &["sweep.C.count", "between 2"],
        ),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 mV\", count = 3 }",
            &["sweep.C.to", "voltage"],
        ),
        (
            "C = { from = \"0 uF/cm2\", to = \"1 uF/cm2\", count = 3, scale = \"log\" }",
            &["sweep.C.to", "no zero"],
        ),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 uF/cm2\", count = 3, scale = \"ln\" }",
            &["sweep.C.scale", "linear, log"],
        ),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 uF/cm2\", count = 2000000 }",
            &["sweep.C.count"],
        ),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 uF/cm2\", step = 2, count = 3 }",
            &["unknown key \"step\""],
        ),
        (
            "C = { from = \"1 uF/cm2\", to = \"2 uF/cm2\", count = 1001 }\n\"na.E\" = { from = \"1 mV\", to = \"2 mV\", count = 1001 }",
            &["line 24, sweep", "more than 1000000"],
        ),
        (
            "C = { distribution = \"uniform\", low = \"1 uF/cm2\", high = \"2 uF/cm2\" }",
            &["the number of draws is missing", "count = 100"],
        ),
        (
            "count = 0\nC = { distribution = \"uniform\", low = \"1 uF/cm2\", high = \"2 uF/cm2\" }",
            &["sweep.count", "between 1"],
        ),
        (
            "mode = \"product\"\ncount = 3\nC = { distribution = \"uniform\", low = \"1 uF/cm2\", high = \"2 uF/cm2\" }",
            &["sweep", "no product"],
        ),
        (
            "count = 3\nC = { distribution = \"gauss\", low = \"1 uF/cm2\" }",
            &["unknown distribution \"gauss\"", "normal"],
        ),
        (
            "count = 3\nC = { distribution = \"uniform\", low = \"2 uF/cm2\", high = \"1 uF/cm2\" }",
            &["exchange"],
        ),
        (
            "count = 3\nC = { distribution = \"normal\", mean = \"1 uF/cm2\", sd = \"-1 uF/cm2\" }",
            &["sd", "not positive"],
        ),
        (
            "count = 3\nC = { distribution = \"normal\", mean = \"1 uF/cm2\", sd = \"1 nF/cm2\", low = \"9 uF/cm2\" }",
            &["drawn for cell 0", "widen"],
        ),
        (
            "count = 3\nC = { distribution = \"normal\", mean = \"1 uF/cm2\", sd = \"1 nF/cm2\", lo = \"9 uF/cm2\" }",
            &["unknown key \"lo\""],
        ),
        (
            "\"run.dt\" = [\"1 ms\"]",
            &["sweep.run.dt", "unknown quantity to sweep"],
        ),
        (
            "\"stimulus.amplitude.x\" = [\"1 ms\"]",
            &["unknown quantity to sweep"],
        ),
        ("\"initial.V\" = [\"1 nA\"]", &["initial.V"]),
        ("\"initial.na.x\" = [\"1 nA\"]", &["unknown state \"na.x\""]),
        ("\"model.kind\" = [\"1 nA\"]", &["model.kind", "text"]),
        (
            "\"model.kind.x\" = [\"1 nA\"]",
            &["sweep.model.kind.x", "no section"],
        ),
    ] {
        refused(&sweep(entry), parts);
    }
    let cells = (
        "kind = \"single_compartment\"",
        "kind = \"single_compartment\"\ncells = 3",
    );
    refused(
        &hh(&[cells], "[sweep]\nC = [\"1 uF/cm2\"]"),
        &["model.cells", "a sweep makes"],
    );
    refused(&hh(&[], "sweep = 3"), &["sweep"]);
}

#[test]
fn wrong_settings_of_the_run_are_refused() {
    for (key, parts) in [
        ("threads = 0", &["run.threads", "at least 1"][..]),
        ("threads = -1", &["run.threads"]),
        ("tile = 0", &["run.tile", "at least 1"]),
        ("precision = \"half\"", &["run.precision", "single, double"]),
        ("precision = 32", &["run.precision", "text"]),
    ] {
        let dt = format!("dt = \"0.02 ms\"\n{key}");
        refused(&hh(&[("dt = \"0.02 ms\"", &dt)], ""), parts);
    }
}
