//! Models of branched cells: what they are made of, and what is refused.

use braincell_cells::discretisation::{Discretisation, Location, Policy};
use braincell_cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell_cells::multi::Synapse;
use braincell_cells::{CellError, MultiCompartment, Placed, mechanisms};
use braincell_core::input::Input;
use braincell_core::model::{Model, ModelError, Values};
use proptest::prelude::*;

fn placed(label: &str, name: &str) -> Placed {
    Placed::new(label, mechanisms::find(name).unwrap())
}

/// Parent (earlier branch) and size of each branch; the first is a soma.
fn cut(branches: &[(usize, f64, f64)], policy: Policy) -> Discretisation {
    let specs = branches
        .iter()
        .enumerate()
        .map(|(k, &(parent, length, r))| {
            let frusta = vec![Frustum::new(length, r, 0.8 * r)];
            match k {
                0 => BranchSpec::root(BranchType::Soma, frusta),
                _ => BranchSpec::child(parent % k, 1.0, BranchType::BasalDendrite, frusta),
            }
        });
    let morphology = Morphology::new(specs.collect()).unwrap();
    Discretisation::new(morphology, &policy.into(), 100.0).unwrap()
}

fn stick() -> MultiCompartment {
    let branches = [(0, 20.0, 10.0), (0, 200.0, 1.0)];
    MultiCompartment::new(cut(&branches, Policy::MaxLength(60.0)))
}

fn soma() -> Region {
    Region::of_type(BranchType::Soma)
}

fn at(branch: usize, x: f64) -> Location {
    Location::At { branch, x }
}

fn values(model: &Model, name: &str, elements: usize) -> Vec<f64> {
    let parameter = &model.parameter(name).unwrap().value;
    (0..elements).map(|k| parameter.at(k, 0)).collect()
}

#[test]
fn one_label_on_several_regions_is_one_mechanism() {
    let with = |g: f64| placed("na", "na_hh1952").with("g_max", g).unwrap();
    let cell = stick()
        .paint(Region::all(), with(30.0))
        .unwrap()
        .paint(soma(), with(120.0))
        .unwrap();
    let model = Model::new(&cell).unwrap();
    assert_eq!(model.elements("na.m").unwrap(), 6);
    assert_eq!(
        values(&model, "na.g_max", 6),
        [120.0, 30.0, 30.0, 30.0, 30.0, 30.0]
    );
    assert_eq!(
        model.parameter("na.E").unwrap().value,
        Values::Uniform(50.0)
    );
    assert!(model.parameter("na.cover").is_err());
}

#[test]
fn regions_that_meet_in_a_control_volume_share_it() {
    // The dendrite is from 20 to 220 µm; its control volumes are 40 µm long. The regions meet at a quarter of the
    // second one.
    let with = |g: f64| placed("h", "leak").with("g_max", g).unwrap();
    let branches = [(0, 20.0, 10.0), (0, 200.0, 1.0)];
    let specs = branches.map(|(_, length, r)| vec![Frustum::new(length, r, r)]);
    let [body, dendrite] = specs;
    let morphology = Morphology::new(vec![
        BranchSpec::root(BranchType::Soma, body),
        BranchSpec::child(0, 1.0, BranchType::BasalDendrite, dendrite),
    ]);
    let d = Discretisation::new(morphology.unwrap(), &Policy::MaxLength(40.0).into(), 100.0);
    let cell = MultiCompartment::new(d.unwrap())
        .paint(Region::path_distance(20.0, 70.0), with(1.0))
        .unwrap()
        .paint(Region::path_distance(70.0, 120.0), with(2.0))
        .unwrap();
    let model = Model::new(&cell).unwrap();
    assert_eq!(model.elements("h.I").unwrap(), 3);
    let g = values(&model, "h.g_max", 3);
    assert!((g[1] - (0.25 + 0.75 * 2.0)).abs() < 1e-12, "{g:?}");
    let cover = values(&model, "h.cover", 3);
    assert_eq!(cover[..2], [1.0, 1.0]);
    assert!((cover[2] - 0.5).abs() < 1e-12);
}

#[test]
fn passive_properties_may_differ_between_regions() {
    let cell = stick()
        .capacitance(Region::of_type(BranchType::BasalDendrite), 2.0)
        .unwrap()
        .initial_voltage(soma(), -70.0)
        .unwrap()
        .paint(soma(), placed("leak", "leak"))
        .unwrap();
    let model = Model::new(&cell).unwrap();
    assert_eq!(values(&model, "C", 6), [1.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    let v = &model.state("V").unwrap().value;
    assert_eq!([v.at(0, 0), v.at(1, 0)], [-70.0, -65.0]);
    let thick = cell.clone().resistivity(soma(), 250.0).unwrap();
    let resistivity = |k: usize| thick.discretisation().cvs()[k].resistivity;
    assert_eq!([resistivity(0), resistivity(1)], [250.0, 100.0]);
}

#[test]
fn only_needed_junctions_are_there() {
    let fork = [
        (0, 20.0, 10.0),
        (0, 100.0, 1.0),
        (1, 50.0, 0.5),
        (1, 60.0, 0.4),
    ];
    let cell = MultiCompartment::new(cut(&fork, Policy::Count(2)));
    let junctions = |cell: &MultiCompartment| {
        let model = Model::new(cell).unwrap();
        model.elements("V_junction").unwrap_or(0)
    };
    assert_eq!(junctions(&stick()), 0);
    assert_eq!(junctions(&cell), 1);
    let probed = cell
        .probe("tip", at(2, 1.0))
        .unwrap()
        .clamp("root", Location::Root, Input::constant(0.1))
        .unwrap()
        .clamp("there too", at(0, 0.0), Input::constant(0.1))
        .unwrap();
    assert_eq!(junctions(&probed), 3);
    assert!(Model::new(&probed).unwrap().capabilities().cable);
}

#[test]
fn wrong_parts_are_refused() {
    let nowhere = stick().paint(Region::of_type(BranchType::Axon), placed("leak", "leak"));
    assert!(matches!(nowhere, Err(CellError::NothingCovered { .. })));
    let missing = stick().paint(Region::branch(7), placed("leak", "leak"));
    assert!(matches!(missing, Err(CellError::Region { .. })));
    let other = stick()
        .paint(soma(), placed("x", "leak"))
        .unwrap()
        .paint(Region::all(), placed("x", "na_hh1952"));
    let text = other.err().unwrap().to_string();
    assert!(
        text.contains("\"x\" stands for leak and for na_hh1952"),
        "{text}"
    );
    let outside = stick().clamp("c", at(0, 1.5), Input::constant(1.0));
    assert!(matches!(outside, Err(CellError::Region { .. })));
    let all = || Location::Centres(Region::all());
    let synapse = stick().synapse("s", all(), Synapse::exponential(2.0, 0.0, 1e-3));
    assert!(matches!(synapse, Err(CellError::Places { found: 6, .. })));
    let ohm = stick().resistivity(Region::all(), -1.0);
    assert!(matches!(ohm, Err(CellError::Discretisation(_))));

    let refused = |cell: MultiCompartment| Model::new(&cell).err().unwrap();
    let few = placed("leak", "leak")
        .with("g_max", Values::PerElement(vec![0.3, 0.3]))
        .unwrap();
    let few = refused(stick().paint(Region::all(), few).unwrap());
    assert!(matches!(few, ModelError::Length { given: 2, .. }), "{few}");
    let rise = Synapse::biexponential(3.0, 2.0, 0.0, 1e-3);
    let rise = refused(stick().synapse("s", at(1, 0.5), rise).unwrap());
    assert!(matches!(rise, ModelError::Input { .. }), "{rise}");
    let taken = stick().probe("V", at(1, 0.5)).unwrap();
    assert!(matches!(refused(taken), ModelError::NameTaken(_)));
}

#[test]
fn a_pool_is_in_all_compartments_of_its_channel_or_in_none() {
    let channel = || placed("cat", "cat_hm1992");
    let pool = || placed("ca", "calcium_detailed");
    let part = stick()
        .paint(soma(), pool())
        .unwrap()
        .paint(Region::all(), channel())
        .unwrap();
    let text = Model::new(&part).err().unwrap().to_string();
    assert!(text.contains("in some of its compartments only"), "{text}");
    let outside = stick()
        .paint(soma(), pool())
        .unwrap()
        .paint(Region::branch(1), channel())
        .unwrap();
    let text = Model::new(&outside).err().unwrap().to_string();
    assert!(
        text.contains("its compartments have no pool of ca"),
        "{text}"
    );
    let inside = stick()
        .paint(Region::all(), pool())
        .unwrap()
        .paint(Region::branch(1), channel())
        .unwrap()
        .paint(soma(), placed("cal", "cal_is2008"))
        .unwrap()
        .paint(Region::all(), placed("ahp", "ahp_de1994"))
        .unwrap();
    let model = Model::new(&inside).unwrap();
    assert_eq!(model.elements("ca.c_in").unwrap(), 6);
    assert_eq!(model.elements("cat.p").unwrap(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_tree_makes_a_model(
        branches in prop::collection::vec((0..100usize, 5.0..300.0f64, 0.2..5.0f64), 1..30),
        length in 10.0..100.0f64,
        cover in (0.0..200.0f64, 1.0..300.0f64),
        place in (0..100usize, 0..3usize),
    ) {
        let d = cut(&branches, Policy::MaxLength(length));
        let compartments = d.cvs().len();
        let place = at(place.0 % branches.len(), [0.0, 0.4, 1.0][place.1]);
        let region = Region::path_distance(cover.0, cover.0 + cover.1);
        let cell = MultiCompartment::new(d)
            .paint(Region::all(), placed("leak", "leak"))
            .unwrap()
            .clamp("clamp", place.clone(), Input::step(0.1, 1.0, 2.0))
            .unwrap()
            .synapse("syn", place.clone(), Synapse::exponential(2.0, 0.0, 1e-3).events([1.0]))
            .unwrap()
            .probe("probe", place)
            .unwrap();
        let cell = match cell.clone().paint(region, placed("na", "na_hh1952")) {
            Ok(cell) => cell,
            Err(error) => {
                prop_assert!(matches!(error, CellError::NothingCovered { .. }), "{}", error);
                cell
            }
        };
        let model = cell.population(2).unwrap();
        prop_assert_eq!(model.elements("V").unwrap(), compartments);
        prop_assert_eq!(model.elements("probe").unwrap(), 1);
    }
}
