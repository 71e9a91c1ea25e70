//! Several elements, parts of domains, sums across domains, populations.

use crate::support::solvers;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter,
    ParameterId, SignalId, Source, StateId, Target, Values,
};
use braincell_core::real::Real;
use braincell_core::simulation::{Record, Setup, SetupError};
use ndarray::Array2;

const NODES: usize = 11;
const CELLS: usize = 5;
/// Elements of a part that is neither contiguous nor in order, of a contiguous one, and of a part of the first.
const SCATTERED: [u32; 9] = [7, 2, 9, 0, 4, 10, 3, 1, 6];
const BLOCK: [u32; 3] = [5, 6, 7];
const INNER: [u32; 4] = [8, 0, 3, 2];

/// dx/dt = g (s - x) at every node; s adds up z of the scattered part and 2 w of the block;
/// dz/dt = x - z + u on the scattered part, dw/dt = x - a w on the block, dv/dt = z - v on the inner part;
/// du/dt = Σ x + Σ v - u for the cell.
struct Network;

struct Handles {
    domains: [Domain; 4],
    x: StateId,
    z: StateId,
    w: StateId,
    v: StateId,
    u: StateId,
    g: ParameterId,
    a: ParameterId,
    s: SignalId,
    total: SignalId,
}

macro_rules! kernel {
    ($name:ident, $n:literal, |$args:pat_param| $result:expr) => {
        struct $name;
        impl Pointwise for $name {
            type Inputs<T: Copy> = [T; $n];
            type Outputs<T: Copy> = [T; 1];
            fn eval<R: Real>(&self, $args: [R; $n]) -> [R; 1] {
                [$result]
            }
        }
    };
}
kernel!(Scaled, 3, |[g, s, x]| g * (s - x));
kernel!(Same, 1, |[x]| x);
kernel!(Twice, 1, |[x]| x * 2.0);
kernel!(Sum, 3, |[x, z, u]| x - z + u);
kernel!(Decay, 3, |[x, a, w]| x - a * w);
kernel!(Difference, 2, |[a, b]| a - b);

fn per_cell() -> Vec<f64> {
    (0..CELLS).map(|c| 0.5 + 0.25 * c as f64).collect()
}
fn each() -> Array2<f64> {
    Array2::from_shape_fn((NODES, CELLS), |(e, c)| {
        1.0 + 0.1 * e as f64 - 0.3 * c as f64
    })
}
fn per_element() -> Vec<f64> {
    (0..NODES).map(|e| 0.3 + 0.05 * e as f64).collect()
}

impl DiffEqModule for Network {
    type Handles = Handles;
    fn declare(&self, m: &mut ModelBuilder) -> Result<Handles, ModelError> {
        let node = m.domain("node", NODES)?;
        let scattered = m.subset("scattered", node, &SCATTERED)?;
        let block = m.subset("block", node, &BLOCK)?;
        let inner = m.subset("inner", scattered, &INNER)?;
        let x = DiffEqState::new("x", Values::Each(each()));
        let u = DiffEqState::new("u", Values::PerCell(per_cell()));
        Ok(Handles {
            domains: [node, scattered, block, inner],
            x: m.state(node, x)?,
            z: m.state(scattered, DiffEqState::new("z", 0.1))?,
            w: m.state(
                block,
                DiffEqState::new("w", Values::PerElement(vec![1.0, 2.0, 3.0])),
            )?,
            v: m.state(inner, DiffEqState::new("v", 0.0))?,
            u: m.state(Domain::CELL, u)?,
            g: m.parameter(node, Parameter::new("g", Values::PerElement(per_element())))?,
            a: m.parameter(
                Domain::CELL,
                Parameter::new("a", Values::PerCell(per_cell())),
            )?,
            s: m.signal(node, "s", "")?,
            total: m.signal(Domain::CELL, "total", "")?,
        })
    }
    fn compute_derivative(&self, m: &Handles, k: &mut Launches) -> Result<(), ModelError> {
        use Source::{Parameter, Signal, State};
        let [node, scattered, block, inner] = m.domains;
        let to = |s| [Target::Signal(s)];
        let of = |s| [Target::Derivative(s)];
        k.launch(scattered, pointwise(Same), &[State(m.z)], &to(m.s))?;
        k.launch(block, pointwise(Twice), &[State(m.w)], &to(m.s))?;
        k.launch(node, pointwise(Same), &[State(m.x)], &to(m.total))?;
        k.launch(inner, pointwise(Same), &[State(m.v)], &to(m.total))?;
        let inputs = [Parameter(m.g), Signal(m.s), State(m.x)];
        k.launch(node, pointwise(Scaled), &inputs, &of(m.x))?;
        k.launch(
            scattered,
            pointwise(Sum),
            &[State(m.x), State(m.z), State(m.u)],
            &of(m.z),
        )?;
        let inputs = [State(m.x), Parameter(m.a), State(m.w)];
        k.launch(block, pointwise(Decay), &inputs, &of(m.w))?;
        k.launch(
            inner,
            pointwise(Difference),
            &[State(m.z), State(m.v)],
            &of(m.v),
        )?;
        let cell = Domain::CELL;
        k.launch(
            cell,
            pointwise(Difference),
            &[Signal(m.total), State(m.u)],
            &of(m.u),
        )
    }
}

/// The same equations and Euler's method, written out for one cell. Returns x, z, w, v, u and s one after the other.
fn by_hand(cell: usize, dt: f64, steps: usize) -> Vec<f64> {
    let mut x: Vec<f64> = each().column(cell).to_vec();
    let (mut z, mut w, mut v) = ([0.1; 9], [1.0, 2.0, 3.0], [0.0; 4]);
    let mut u = per_cell()[cell];
    let (g, a) = (per_element(), per_cell()[cell]);
    let signal = |z: &[f64; 9], w: &[f64; 3]| {
        let mut s = [0.0; NODES];
        for (k, &e) in SCATTERED.iter().enumerate() {
            s[e as usize] += z[k];
        }
        for (k, &e) in BLOCK.iter().enumerate() {
            s[e as usize] += 2.0 * w[k];
        }
        s
    };
    for _ in 0..steps {
        let s = signal(&z, &w);
        let (x0, z0, v0, u0) = (x.clone(), z, v, u);
        for e in 0..NODES {
            x[e] += dt * g[e] * (s[e] - x0[e]);
        }
        for (k, &e) in SCATTERED.iter().enumerate() {
            z[k] += dt * (x0[e as usize] - z0[k] + u0);
        }
        for (k, &e) in BLOCK.iter().enumerate() {
            w[k] += dt * (x0[e as usize] - a * w[k]);
        }
        for (k, &e) in INNER.iter().enumerate() {
            v[k] += dt * (z0[e as usize] - v0[k]);
        }
        u += dt * (x0.iter().sum::<f64>() + v0.iter().sum::<f64>() - u0);
    }
    let s = signal(&z, &w);
    [&x[..], &z, &w, &v, &[u], &s].concat()
}

const ALL: [&str; 6] = ["x", "z", "w", "v", "u", "s"];

#[test]
fn gathering_scattering_and_adding_up() {
    let model = Model::population(&Network, CELLS).unwrap();
    let mut first: Option<Vec<u64>> = None;
    for tile in [1, 2, 3, 5, 100] {
        let setup = ALL
            .iter()
            .fold(Setup::new("euler", 0.05), |s, &name| s.record(name));
        let setup = setup.every(0.5).tile(tile);
        let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
        run.run(1.5).unwrap();
        let recording = run.recording();
        assert_eq!(
            recording.columns().len(),
            CELLS * (NODES * 2 + 9 + 3 + 4 + 1)
        );
        for (sample, steps) in [(0, 0), (1, 10), (3, 30)] {
            for cell in 0..CELLS {
                let wanted = by_hand(cell, 0.05, steps);
                let columns = ALL.iter().flat_map(|name| {
                    let rows = model.elements(name).unwrap();
                    (0..rows).map(move |e| match rows {
                        1 => format!("{name}#{cell}"),
                        _ => format!("{name}[{e}]#{cell}"),
                    })
                });
                for (column, wanted) in columns.zip(wanted) {
                    let given = recording.trace(&column).unwrap()[sample];
                    let size = wanted.abs().max(1.0);
                    assert!(
                        (given - wanted).abs() < 1e-13 * size,
                        "{column}: {given} {wanted}"
                    );
                }
            }
        }
        let bits: Vec<u64> = recording.data().iter().map(|x| x.to_bits()).collect();
        assert_eq!(
            *first.get_or_insert_with(|| bits.clone()),
            bits,
            "tiles of {tile}"
        );
    }
}

#[test]
fn chosen_elements_and_cells_are_recorded() {
    let model = Model::population(&Network, CELLS).unwrap();
    let record = |elements: &[usize], cells: &[usize]| Record {
        variable: "x".to_string(),
        elements: elements.to_vec(),
        cells: cells.to_vec(),
    };
    let start = |r: Record| {
        let setup = Setup::new("euler", 0.1).record(r).tile(2);
        setup.start::<f64>(&solvers(), &model)
    };
    let mut run = start(record(&[10, 3], &[4, 0])).unwrap();
    run.run(0.0).unwrap();
    let recording = run.recording();
    let names: Vec<&str> = recording
        .columns()
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["x[10]#4", "x[3]#4", "x[10]#0", "x[3]#0"]);
    let wanted = [(10, 4), (3, 4), (10, 0), (3, 0)].map(|place| each()[place]);
    assert_eq!(recording.data().row(0).to_vec(), wanted);
    for (bad, what, index) in [
        (record(&[11], &[]), "element", 11),
        (record(&[], &[5]), "cell", 5),
    ] {
        let error = start(bad).err().unwrap();
        assert!(
            matches!(error, SetupError::Place { what: w, index: i, .. } if w == what && i == index),
            "{error}"
        );
    }
    let error = Setup::new("euler", 0.1)
        .record("y")
        .start::<f64>(&solvers(), &model)
        .err();
    assert!(
        error
            .unwrap()
            .to_string()
            .contains("x, z, w, v, u, s, total")
    );
}

#[test]
fn single_precision_is_close_to_double() {
    let model = Model::population(&Network, CELLS).unwrap();
    let setup = Setup::new("rk4", 0.05).record("x").record("u");
    let mut double = setup.start::<f64>(&solvers(), &model).unwrap();
    let mut single = setup.start::<f32>(&solvers(), &model).unwrap();
    double.run(1.5).unwrap();
    single.run(1.5).unwrap();
    let (double, single) = (double.recording(), single.recording());
    let pairs = double.data().iter().zip(single.data());
    let worst = pairs
        .map(|(a, b)| (a - b).abs() / a.abs().max(1.0))
        .fold(0.0, f64::max);
    assert!(worst < 1e-5 && worst > 0.0, "{worst}");
}
