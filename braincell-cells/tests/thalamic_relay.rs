//! The thalamic relay neuron against its equations, written here a second time, and against converged traces.

use braincell_cells::SingleCompartment;
use braincell_core::input::Input;
use braincell_core::model::Model;
use braincell_core::registry::Registry;
use braincell_core::simulation::{Recording, Setup};

const STATES: [&str; 11] = [
    "V", "INa.p", "INa.q", "IDR.p", "ICaL.p", "ICaL.q", "ICaT.p", "ICaT.q", "IAHP.p", "Ih.p",
    "Ca.c_in",
];

const CURRENTS: [&str; 9] = [
    "INa.I", "IKL.I", "IDR.I", "ICaL.I", "ICaT.I", "IAHP.I", "Ih.I", "IL.I", "Ca.I",
];

/// The state at rest: -65 mV, the gates at their steady states there, 0.24 µM of calcium.
const REST: [f64; 11] = [
    -65.0,
    4.494058505328819e-06,
    0.9999994681319212,
    4.7165354218119456e-05,
    1.067702870044147e-06,
    0.9999999979388463,
    0.38133847015081807,
    0.005220125693558396,
    3.0719056310590144e-05,
    0.1396521834167601,
    0.00024,
];

fn registry() -> Registry {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    registry
}

fn exprel(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { x.exp_m1() / x }
}

/// The currents in the order of [`CURRENTS`] and the derivatives in the order of [`STATES`].
fn equations(y: &[f64; 11]) -> ([f64; 9], [f64; 11]) {
    let [v, na_p, na_q, dr_p, l_p, l_q, t_p, t_q, ahp_p, h_p, ca] = *y;
    let (f, r) = (96485.33212331, 8.31446261815324);
    let e_ca = 1e3 * r * 309.15 / (2.0 * f) * (2.0 / ca).ln();
    let na = 90.0 * na_p.powi(3) * na_q * (50.0 - v);
    let kl = 0.01 * (-90.0 - v);
    let dr = 10.0 * dr_p.powi(4) * (-90.0 - v);
    let cal = 0.5 * l_p.powi(2) * l_q * (e_ca - v);
    let cat = 2.1 * t_p.powi(2) * t_q * (e_ca - v);
    let ahp = 0.3 * ahp_p.powi(2) * (-90.0 - v);
    let h = 0.01 * h_p * (-43.0 - v);
    let l = 0.0075 * (-70.0 - v);
    let two = |alpha: f64, beta: f64, x: f64| alpha * (1.0 - x) - beta * x;
    let s = v + 30.0;
    let d_na_p = two(
        1.28 / exprel(-(s - 13.0) / 4.0),
        1.40 / exprel((s - 40.0) / 5.0),
        na_p,
    );
    let d_na_q = two(
        0.128 * (-(s - 17.0) / 18.0).exp(),
        4.0 / (1.0 + (-(s - 40.0) / 5.0).exp()),
        na_q,
    );
    let d_dr = 0.25
        * two(
            0.16 / exprel(-(s - 15.0) / 5.0),
            0.5 * (-(s - 10.0) / 40.0).exp(),
            dr_p,
        );
    let (phi_p, phi_q) = (4.57376686268585, 3.7371928188465517);
    let tau = 0.4 + 0.7 / ((-(v + 5.0) / 15.0).exp() + ((v + 5.0) / 15.0).exp());
    let d_l_p = phi_p * (1.0 / (1.0 + (-(v + 10.0) / 4.0).exp()) - l_p) / tau;
    let tau = 300.0 + 100.0 / (((v + 40.0) / 9.5).exp() + (-(v + 40.0) / 9.5).exp());
    let d_l_q = phi_q * (1.0 / (1.0 + ((v + 25.0) / 2.0).exp()) - l_q) / tau;
    let x = v + 3.0;
    let tau = 0.612 + 1.0 / ((-(x + 132.0) / 16.7).exp() + ((x + 16.8) / 18.2).exp());
    let d_t_p = phi_p * (1.0 / (1.0 + (-(x + 59.0) / 6.2).exp()) - t_p) / tau;
    let tau = if x >= -80.0 {
        28.0 + (-(x + 22.0) / 10.5).exp()
    } else {
        ((x + 467.0) / 66.6).exp()
    };
    let d_t_q = phi_q * (1.0 / (1.0 + ((x + 83.0) / 4.0).exp()) - t_q) / tau;
    let d_ahp = two(48.0 * ca * ca, 0.09, ahp_p);
    let tau = 1.0 / ((-0.086 * v - 14.59).exp() + (0.0701 * v - 1.87).exp());
    let d_h = (1.0 / (1.0 + ((v + 75.0) / 5.5).exp()) - h_p) / tau;
    let drive = (cal + cat) * 1e-6 / (2.0 * f * 0.5 * 1e-4) * 1e3;
    let d_ca = drive.max(0.0) + (5e-5 - ca) / 10.0;
    let d_v = na + kl + dr + cal + cat + ahp + h + l;
    (
        [na, kl, dr, cal, cat, ahp, h, l, cal + cat],
        [
            d_v, d_na_p, d_na_q, d_dr, d_l_p, d_l_q, d_t_p, d_t_q, d_ahp, d_h, d_ca,
        ],
    )
}

#[test]
fn starts_at_the_steady_state() {
    let model = Model::new(&SingleCompartment::thalamic_relay()).unwrap();
    assert_eq!(model.state_names(), STATES);
    let mut run = Setup::new("rk4", 0.01)
        .start::<f64>(&registry(), &model)
        .unwrap();
    for (name, wanted) in STATES.iter().zip(REST) {
        let x = run.state(name).unwrap().value.at(0, 0);
        assert!(
            (x - wanted).abs() <= 1e-13 * wanted.abs(),
            "{name} {x} {wanted}"
        );
    }
}

#[test]
fn parameters_follow_from_the_temperatures() {
    let model = Model::new(&SingleCompartment::thalamic_relay()).unwrap();
    for (name, wanted) in [
        ("ICaL.phi_p", 4.57376686268585),
        ("ICaT.phi_p", 4.57376686268585),
        ("ICaL.phi_q", 3.7371928188465517),
        ("ICaT.phi_q", 3.7371928188465517),
        ("IDR.phi", 0.25),
    ] {
        let x = model.parameter(name).unwrap().value.at(0, 0);
        assert!((x - wanted).abs() <= 1e-15 * wanted, "{name} {x}");
    }
    // The pool computes the reversal potential of calcium: no parameter that would do nothing.
    assert!(model.parameter("ICaL.E").is_err());
}

/// States on both sides of the jump of τ_q at -83 mV and at it, with open and closed gates, above the reversal potential of
/// calcium too, where the drive of the pool is clipped.
fn some_states() -> Vec<[f64; 11]> {
    let mut states = vec![REST];
    for (k, v) in [-120.0, -83.0, -83.0 - 1e-9, -60.0, -17.0, 10.0, 40.0, 150.0]
        .into_iter()
        .enumerate()
    {
        let mut y = REST;
        y[0] = v;
        for (g, x) in y[1..10].iter_mut().enumerate() {
            *x = 0.05 + 0.9 * ((0.37 * (g + 1) as f64 * (k + 1) as f64).sin()).powi(2);
        }
        y[10] = 1e-4 * 3f64.powi(k as i32);
        states.push(y);
    }
    states
}

#[test]
fn currents_and_derivatives_are_the_published_ones() {
    let registry = registry();
    let mut clipped = false;
    for y in some_states() {
        let mut model = Model::new(&SingleCompartment::thalamic_relay()).unwrap();
        for (name, x) in STATES.iter().zip(y) {
            model.set_initial(name, x).unwrap();
        }
        let mut setup = Setup::new("rk4", 0.01).record("Ca.E");
        for name in CURRENTS {
            setup = setup.record(name);
        }
        let mut run = setup.start::<f64>(&registry, &model).unwrap();
        run.run(0.0).unwrap();
        let recording = run.recording();
        let (currents, derivatives) = equations(&y);
        let e = recording.trace("Ca.E").unwrap()[0];
        let wanted = 1e3 * 8.31446261815324 * 309.15 / (2.0 * 96485.33212331) * (2.0 / y[10]).ln();
        assert!((e - wanted).abs() <= 1e-13 * wanted.abs(), "{e} {wanted}");
        for (name, wanted) in CURRENTS.iter().zip(currents) {
            let x = recording.trace(name).unwrap()[0];
            // E - V may cancel.
            let bound = 1e-13 * (wanted.abs() + 1e-2);
            assert!((x - wanted).abs() <= bound, "{name} at {y:?}: {x} {wanted}");
        }
        clipped |= currents[8] < 0.0;
        // The differences of inflow and outflow, of currents up to `size`, may cancel.
        let size: f64 = currents.iter().map(|i| i.abs()).sum();
        for (k, (name, wanted)) in STATES.iter().zip(derivatives).enumerate() {
            let x = run.state(name).unwrap().derivative.unwrap().at(0, 0);
            let bound = 1e-13 * (wanted.abs() + if k == 0 { size } else { 1.0 });
            let bound = if k == 10 {
                1e-13 * (wanted.abs() + y[10])
            } else {
                bound
            };
            assert!((x - wanted).abs() <= bound, "{name} at {y:?}: {x} {wanted}");
        }
    }
    assert!(clipped, "no state drives the pool outwards");
}

#[test]
fn the_nernst_potential_at_rest() {
    let model = Model::new(&SingleCompartment::thalamic_relay()).unwrap();
    let mut run = Setup::new("rk4", 0.01)
        .record("Ca.E")
        .start::<f64>(&registry(), &model)
        .unwrap();
    run.run(0.0).unwrap();
    let e = run.recording().trace("Ca.E").unwrap()[0];
    assert!((e - 120.2554).abs() < 1e-4, "{e}");
}

/// The rows of a protocol in the reference table: time and state.
fn reference(protocol: &str) -> Vec<[f64; 12]> {
    let table = include_str!("data/thalamic_relay.csv");
    let rows = table.lines().filter_map(|line| {
        let (name, numbers) = line.split_once(',')?;
        let numbers = numbers.split(',').map(|x| x.parse::<f64>().unwrap());
        (name == protocol).then(|| numbers.collect::<Vec<_>>().try_into().unwrap())
    });
    rows.collect()
}

fn run(input: Input, dt: f64, every: f64, until: f64) -> Recording {
    let cell = SingleCompartment::thalamic_relay().input("stimulus", input);
    let model = Model::new(&cell).unwrap();
    let mut setup = Setup::new("rk4", dt).every(every).spikes("V", 0.0);
    for name in STATES {
        setup = setup.record(name);
    }
    let mut run = setup.start::<f64>(&registry(), &model).unwrap();
    run.run(until).unwrap();
    run.recording()
}

/// The greatest difference from the reference in V, in the gates and in the concentration.
fn errors(recording: &Recording, protocol: &str) -> [f64; 3] {
    let reference = reference(protocol);
    assert_eq!(recording.times().len(), reference.len());
    let mut errors = [0f64; 3];
    for (s, name) in STATES.iter().enumerate() {
        let trace = recording.trace(name).unwrap();
        let kind = match s {
            0 => 0,
            10 => 2,
            _ => 1,
        };
        for (x, row) in trace.iter().zip(&reference) {
            errors[kind] = errors[kind].max((x - row[s + 1]).abs());
        }
    }
    errors
}

/// Whether spikes come at these times, known to four digits.
fn spikes_at(recording: &Recording, wanted: &[f64]) -> bool {
    let times = &recording.spikes()[0].times;
    times.len() == wanted.len() && times.iter().zip(wanted).all(|(t, w)| (t - w).abs() < 2e-4)
}

/// The reference is known to 1e-9 mV; the error of rk4 falls with the fourth power of the step.
#[test]
fn fires_tonically_as_the_reference_does() {
    let stimulus = || Input::step(3.0, 50.0, 250.0);
    let mut all = Vec::new();
    for dt in [0.01, 0.005, 0.0025] {
        let recording = run(stimulus(), dt, 2.5, 300.0);
        all.push(errors(&recording, "tonic"));
        let spikes = [
            65.566, 87.445, 109.5635, 131.6666, 153.7366, 175.7789, 197.7992, 219.8025, 241.7924,
        ];
        assert!(spikes_at(&recording, &spikes), "{:?}", recording.spikes());
    }
    for (coarse, fine) in all.iter().zip(&all[1..]) {
        for (coarse, fine) in coarse.iter().zip(fine) {
            assert!((14.0..18.0).contains(&(coarse / fine)), "{all:?}");
        }
    }
    let [v, gates, calcium] = all[2];
    assert!(v < 2e-6 && gates < 5e-8 && calcium < 5e-11, "{all:?}");
}

/// The potential crosses the jump of τ_q at -83 mV twice, where the reference starts afresh and rk4 does not: its error is
/// of first order, with a factor that depends on where in a step the crossings fall.
#[test]
fn fires_a_rebound_burst_as_the_reference_does() {
    let stimulus = || Input::step(-0.5, 50.0, 350.0);
    for dt in [0.01, 0.005, 0.0025, 0.00125] {
        let recording = run(stimulus(), dt, 5.0, 600.0);
        let [v, gates, calcium] = errors(&recording, "rebound");
        assert!(
            v < dt && gates < 0.02 * dt && calcium < 5e-5 * dt,
            "{dt} {v} {gates} {calcium}"
        );
        let spikes = [394.4389, 397.9035, 403.0504, 409.8228, 423.268];
        assert!(spikes_at(&recording, &spikes), "{:?}", recording.spikes());
    }
}
