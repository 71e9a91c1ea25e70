//! Channels that are computed in one loop give what each of them gives by itself.

use braincell_cells::discretisation::{Discretisation, Location, Policy};
use braincell_cells::mechanisms::{Leak, PotassiumHh1952, SodiumHh1952};
use braincell_cells::morphology::{BranchType, Region, builders};
use braincell_cells::{
    Channel, ChannelInfo, Local, Mechanism, MultiCompartment, Placed, SingleCompartment, mechanisms,
};
use braincell_core::input::Input;
use braincell_core::kernel::Relaxation;
use braincell_core::model::Model;
use braincell_core::real::Real;
use braincell_core::registry::Registry;
use braincell_core::simulation::Setup;

/// The same channel as another type, which is in no set.
struct Apart<C>(C);

impl<C: Channel<G, P>, const G: usize, const P: usize> Channel<G, P> for Apart<C> {
    fn info(&self) -> ChannelInfo {
        self.0.info()
    }
    fn rates<R: Real>(&self, at: Local<R>, parameters: [R; P]) -> [Relaxation<R>; G] {
        self.0.rates(at, parameters)
    }
    fn current<R: Real>(&self, at: Local<R>, gates: [R; G], parameters: [R; P]) -> R {
        self.0.current(at, gates, parameters)
    }
}

fn together() -> [Mechanism; 3] {
    ["na_hh1952", "k_hh1952", "leak"].map(|name| mechanisms::find(name).unwrap())
}

fn apart() -> [Mechanism; 3] {
    [
        Mechanism::channel(Apart(SodiumHh1952)).unwrap(),
        Mechanism::channel(Apart(PotassiumHh1952)).unwrap(),
        Mechanism::channel(Apart(Leak)).unwrap(),
    ]
}

const LABELS: [&str; 3] = ["na", "k", "leak"];

/// Runs both, and compares all that they record. Currents are added up in different orders.
fn compare(make: impl Fn([Mechanism; 3]) -> Model, record: &[&str]) {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    braincell_solvers_expeuler::register(&mut registry).unwrap();
    braincell_solvers_implicit::register(&mut registry).unwrap();
    for solver in ["rk4", "ind_exp_euler", "backward_euler"] {
        let run = |mechanisms| {
            let model = make(mechanisms);
            let setup = record
                .iter()
                .fold(Setup::new(solver, 0.01), |s, &name| s.record(name));
            let mut run = setup.start::<f64>(&registry, &model).unwrap();
            run.run(5.0).unwrap();
            run.recording().data().clone()
        };
        let (a, b) = (run(together()), run(apart()));
        assert!(a.column(0).iter().any(|v| *v > 0.0), "{solver}: no spike");
        let scale = |x: &f64| x.abs().max(1.0);
        let difference = a.iter().zip(&b).map(|(x, y)| (x - y).abs() / scale(y));
        let difference = difference.fold(0.0, f64::max);
        assert!(difference < 1e-10, "{solver}: {difference:e}");
    }
}

const RECORDED: [&str; 6] = ["V", "I", "na.I", "leak.I", "na.h", "k.n"];

#[test]
fn in_a_point_neuron() {
    for inputs in 1..=2 {
        let make = |mechanisms: [Mechanism; 3]| {
            let placed = LABELS.into_iter().zip(mechanisms);
            let placed = placed.map(|(label, mechanism)| Placed::new(label, mechanism));
            let cell = placed.fold(SingleCompartment::new(), SingleCompartment::mechanism);
            let cell = (0..inputs).fold(cell, |cell, k| {
                cell.input(format!("stimulus{k}"), Input::constant(20.0))
            });
            Model::new(&cell).unwrap()
        };
        compare(make, &RECORDED);
    }
}

fn stick(mechanisms: [Mechanism; 3], region: impl Fn(usize) -> Region) -> MultiCompartment {
    let morphology = builders::ball_and_stick(10.0, 300.0, 1.0).unwrap();
    let cut = Discretisation::new(morphology, &Policy::MaxLength(60.0).into(), 100.0).unwrap();
    let mut cell = MultiCompartment::new(cut);
    for (k, mechanism) in mechanisms.into_iter().enumerate() {
        cell = cell
            .paint(region(k), Placed::new(LABELS[k], mechanism))
            .unwrap();
    }
    let place = Location::At { branch: 0, x: 0.5 };
    cell.clamp("stimulus", place, Input::constant(1.0)).unwrap()
}

fn soma() -> Region {
    Region::of_type(BranchType::Soma)
}

fn everywhere(_: usize) -> Region {
    Region::all()
}

fn model(cell: MultiCompartment) -> Model {
    Model::new(&cell).unwrap()
}

#[test]
fn in_a_branched_cell() {
    compare(|all| model(stick(all, everywhere)), &RECORDED);
}

#[test]
fn in_a_part_of_a_cell() {
    // All three in the soma alone; and sodium and potassium there, with a leak everywhere.
    compare(|all| model(stick(all, |_| soma())), &RECORDED[..3]);
    let region = |k: usize| if k < 2 { soma() } else { Region::all() };
    compare(|all| model(stick(all, region)), &RECORDED[..3]);
}

#[test]
fn beside_other_mechanisms() {
    let make = |mechanisms: [Mechanism; 3]| {
        // Another leak and more sodium, which a solver of its own advances, in the soma.
        let more = |label: &str, name| Placed::new(label, mechanisms::find(name).unwrap());
        let leak = more("shunt", "leak").with("g_max", 0.1).unwrap();
        let sodium = more("more", "na_hh1952").with("g_max", 20.0).unwrap();
        let cell = stick(mechanisms, everywhere).paint(soma(), leak).unwrap();
        let cell = cell.paint(soma(), sodium.advanced_by("rk4", 1)).unwrap();
        Model::population(&cell, 3).unwrap()
    };
    compare(make, &RECORDED);
}
