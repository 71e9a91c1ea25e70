//! Policies, points, regions and locations.

use braincell_cells::discretisation::{
    Discretisation, DiscretisationError, Location, MAX_CONTROL_VOLUMES, Node, Policy, Rules,
};
use braincell_cells::morphology::{
    BranchSpec, BranchType, Frustum, Morphology, MorphologyError, Region, RegionError, builders,
    synthetic,
};
use std::f64::consts::PI;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs()
}

fn cut(morphology: &Morphology, policy: Policy) -> Discretisation {
    Discretisation::new(morphology.clone(), &policy.into(), 100.0).unwrap()
}

fn cone(length: f64, r0: f64, r1: f64) -> Morphology {
    Morphology::new(vec![BranchSpec::root(
        BranchType::BasalDendrite,
        vec![Frustum::new(length, r0, r1)],
    )])
    .unwrap()
}

#[test]
fn policies() {
    let cable = builders::cylinder(1000.0, 0.5).unwrap();
    let count = |policy| cut(&cable, policy).cvs().len();
    assert_eq!(count(Policy::Count(4)), 4);
    assert_eq!(count(Policy::MaxLength(1000.0)), 1);
    assert_eq!(count(Policy::MaxLength(999.0)), 3);
    assert_eq!(count(Policy::MaxLength(200.0)), 5);
    assert_eq!(count(Policy::MaxLength(1e300)), 1);
    // NEURON: λ_100 = 1e5 √(d / (4π 100 Ra cm)) = 282.09 µm, n = 2 ⌊(1000 / 28.209 + 0.9) / 2⌋ + 1.
    assert_eq!(count(Policy::d_lambda(100.0, 1.0)), 37);
    let lambda = 1e5 * (1.0 / (4.0 * PI * 100.0 * 100.0)).sqrt();
    for d in [0.02, 0.1, 0.3] {
        let expected = ((1000.0 / (d * lambda) + 0.9) / 2.0) as usize * 2 + 1;
        let policy = Policy::DLambda {
            d,
            frequency: 100.0,
            resistivity: 100.0,
            capacitance: 1.0,
        };
        assert_eq!(count(policy), expected);
    }
    let rules = Rules::from(Policy::Count(3)).with(BranchType::Soma, Policy::Count(1));
    let ball = Discretisation::new(
        builders::ball_and_stick(10.0, 100.0, 1.0).unwrap(),
        &rules,
        100.0,
    )
    .unwrap();
    assert_eq!(ball.branch_cvs(), [0..1, 1..4]);
}

#[test]
fn bad_input_is_an_error() {
    let cable = builders::cylinder(1000.0, 0.5).unwrap();
    let error =
        |policy: Policy, ra| Discretisation::new(cable.clone(), &policy.into(), ra).unwrap_err();
    assert!(matches!(
        error(Policy::Count(0), 100.0),
        DiscretisationError::Policy { .. }
    ));
    for length in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            error(Policy::MaxLength(length), 100.0),
            DiscretisationError::Policy { .. }
        ));
    }
    assert!(matches!(
        error(Policy::MaxLength(1e-300), 100.0),
        DiscretisationError::TooMany { branch: 0, .. }
    ));
    assert!(matches!(
        error(Policy::Count(usize::MAX), 100.0),
        DiscretisationError::TooMany { branch: 0, .. }
    ));
    let most = Policy::Count(MAX_CONTROL_VOLUMES);
    assert_eq!(cut(&cable, most).cvs().len(), MAX_CONTROL_VOLUMES);
    let stiff = error(Policy::d_lambda(4e12, 1.0), 100.0).to_string();
    assert!(
        stiff.contains("branch 0") && stiff.contains("resistivity 4000000000000 Ω·cm"),
        "{stiff}"
    );
    assert!(matches!(
        error(Policy::d_lambda(-1.0, 1.0), 100.0),
        DiscretisationError::Policy { .. }
    ));
    for ra in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            error(Policy::Count(1), ra),
            DiscretisationError::Resistivity { .. }
        ));
    }
    assert!(matches!(
        builders::cylinder(-1.0, 1.0),
        Err(MorphologyError::Length { .. })
    ));
    assert!(matches!(
        builders::cylinder(1.0, f64::NAN),
        Err(MorphologyError::Radius { .. })
    ));
    assert!(builders::comb(0, Frustum::cylinder(1.0, 1.0), Frustum::cylinder(1.0, 1.0)).is_err());
    assert!(builders::binary_tree(60, 1.0, 1.0, 1.0, 1.0).is_err());
    let kind = BranchType::Axon;
    let f = || vec![Frustum::cylinder(1.0, 1.0)];
    let new = Morphology::new;
    assert_eq!(new(vec![]), Err(MorphologyError::Empty));
    assert!(matches!(
        new(vec![BranchSpec::root(kind, vec![])]),
        Err(MorphologyError::NoFrusta { .. })
    ));
    let two = |second| new(vec![BranchSpec::root(kind, f()), second]);
    assert!(matches!(
        two(BranchSpec::root(kind, f())),
        Err(MorphologyError::Root { branch: 1 })
    ));
    assert!(matches!(
        two(BranchSpec::child(1, 1.0, kind, f())),
        Err(MorphologyError::ParentOrder { .. })
    ));
    assert!(matches!(
        two(BranchSpec::child(0, 1.5, kind, f())),
        Err(MorphologyError::Position { .. })
    ));
    assert!(matches!(
        two(BranchSpec::child(0, 1.0, kind, f()).with_points(vec![[0.0; 3]])),
        Err(MorphologyError::Points {
            points: 1,
            needed: 2,
            ..
        })
    ));
}

#[test]
fn a_cone_against_integrals() {
    // Resistance of a half by quadrature of Ra/(π r²), area by that of 2π r √(1 + r'²).
    let (length, r0, r1) = (100.0, 3.0, 1.0);
    let d = cut(&cone(length, r0, r1), Policy::Count(2));
    let quadrature = |from: f64, to: f64, f: &dyn Fn(f64) -> f64| {
        let n = 100_000;
        let h = (to - from) / f64::from(n);
        (0..n)
            .map(|i| f(from + (f64::from(i) + 0.5) * h) * h)
            .sum::<f64>()
    };
    let radius = |s: f64| r0 + (r1 - r0) * s / length;
    let slope = ((r1 - r0) / length).hypot(1.0);
    let cv = &d.cvs()[1];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b;
    assert!(near(
        cv.area,
        quadrature(50.0, 100.0, &|s| 2.0 * PI * radius(s) * slope)
    ));
    let resistance = |s: f64| 1e6 / (PI * radius(s) * radius(s));
    assert!(near(
        cv.resistance_prox,
        quadrature(50.0, 75.0, &resistance)
    ));
    assert!(near(
        cv.resistance_dist,
        quadrature(75.0, 100.0, &resistance)
    ));
    assert_eq!(
        (cv.radius, cv.path_distance, cv.length, cv.parent),
        (1.5, 75.0, 50.0, Some(0))
    );
    assert!(near(
        d.edges()[1].conductance,
        1e6 / (quadrature(25.0, 75.0, &resistance))
    ));
}

#[test]
fn points_of_an_attachment_inside_a_branch() {
    let f = vec![Frustum::cylinder(90.0, 1.0)];
    let kind = BranchType::BasalDendrite;
    let specs = vec![
        BranchSpec::root(kind, f.clone()),
        BranchSpec::child(0, 0.5, kind, f.clone()),
        BranchSpec::child(1, 0.0, kind, f.clone()),
    ];
    let m = Morphology::new(specs).unwrap();
    let d = cut(&m, Policy::Count(3));
    assert_eq!(d.nodes().len(), d.edges().len() + 1);
    let middle = d.cv_to_node()[1];
    assert_eq!(d.branch_ends()[1].0, middle);
    assert_eq!(d.branch_ends()[2].0, middle);
    assert_eq!((d.cvs()[3].parent, d.cvs()[6].parent), (Some(1), Some(3)));
    assert_eq!((m.branch_order(1), m.branch_order(2)), (1, 1));
    assert_eq!(m.path_distance(2, 1.0), 135.0);
    assert_eq!(d.node_at(0, 0.0), Ok(0));
    assert_eq!(d.node_at(0, 1.0), Ok(4));
    assert_eq!(d.node_at(0, 0.99), Ok(3));
    assert_eq!(d.nodes()[4], Node::Boundary);
    assert_eq!(d.node_at(0, 1.0 / 3.0), Ok(2));
    assert_eq!(
        d.node_at(3, 0.0),
        Err(RegionError::NoSuchBranch {
            branch: 3,
            branches: 3
        })
    );
    assert!(matches!(
        d.node_at(0, f64::NAN),
        Err(RegionError::Position { .. })
    ));
}

#[test]
fn a_branch_attached_by_its_far_end_is_turned_round() {
    let frusta = vec![Frustum::new(10.0, 3.0, 2.0), Frustum::new(20.0, 2.0, 1.0)];
    let spec = BranchSpec::root(BranchType::Axon, frusta).with_points(vec![
        [0.0; 3],
        [10.0, 0.0, 0.0],
        [30.0, 0.0, 0.0],
    ]);
    let turned = spec.clone().reversed();
    assert_eq!(
        turned.frusta,
        [Frustum::new(20.0, 1.0, 2.0), Frustum::new(10.0, 2.0, 3.0)]
    );
    assert_eq!(turned.points.as_ref().unwrap()[0], [30.0, 0.0, 0.0]);
    let (a, b) = (
        Morphology::new(vec![spec]).unwrap(),
        Morphology::new(vec![turned]).unwrap(),
    );
    let (a, b) = (&a.branches()[0], &b.branches()[0]);
    for x in [0.0, 0.2, 0.5, 0.9, 1.0] {
        assert!(close(a.radius_at(x), b.radius_at(1.0 - x)));
    }
    assert!(close(a.area_between(0.1, 0.6), b.area_between(0.4, 0.9)));
}

#[test]
fn resistivity_per_control_volume() {
    let mut d = cut(&builders::cylinder(100.0, 1.0).unwrap(), Policy::Count(2));
    let before = d.clone();
    d.set_resistivity(&[100.0, 200.0]).unwrap();
    assert_eq!(d.edges()[0], before.edges()[0]);
    assert!(close(
        d.edges()[1].conductance,
        before.edges()[1].conductance / 1.5
    ));
    assert!(close(
        d.edges()[2].conductance,
        before.edges()[2].conductance / 2.0
    ));
    assert!(d.set_resistivity(&[1.0]).is_err() && d.set_resistivity(&[1.0, 0.0]).is_err());
    d.set_resistivity(&[100.0, 100.0]).unwrap();
    assert_eq!(d, before);
}

#[test]
fn regions_cover_fractions() {
    let m = builders::ball_and_stick(10.0, 200.0, 1.0).unwrap();
    let d = cut(&m, Policy::MaxLength(50.0)); // soma 1, dendrite 5 of 40 µm
    let dendrite = || Region::of_type(BranchType::BasalDendrite);
    let covered = |region: Region| d.coverage(&region).unwrap();
    assert_eq!(
        covered(Region::all()),
        (0..6).map(|cv| (cv, 1.0)).collect::<Vec<_>>()
    );
    assert_eq!(covered(dendrite()).len(), 5);
    assert_eq!(covered(dendrite().intersection(Region::branch(0))), []);
    let distal = covered(dendrite().intersection(Region::path_distance(20.0 + 70.0, 1e9)));
    assert_eq!(distal.iter().map(|c| c.0).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert!(close(distal[0].1, 0.25));
    assert_eq!(distal[1].1, 1.0);
    // Two holes in one control volume.
    let holes = Region::path_distance(22.0, 24.0).union(Region::path_distance(30.0, 38.0));
    let rest = covered(dendrite().difference(holes.clone()));
    assert!(close(rest[0].1, 0.75) && close(covered(holes)[0].1, 0.25));
    assert!(d.coverage(&Region::branch(9)).is_err());
    assert!(d.coverage(&Region::radius(2.0, 1.0)).is_err());
    assert!(d.coverage(&Region::path_distance(f64::NAN, 1.0)).is_err());
    // A cone by radius: r from 3 to 1; the part above 2 is the first half, with (3 + 2)/(3 + 1)/2 of the area.
    let d = cut(&cone(100.0, 3.0, 1.0), Policy::Count(1));
    assert!(close(
        d.coverage(&Region::radius(2.0, 9.0)).unwrap()[0].1,
        0.625
    ));
    assert_eq!(d.coverage(&Region::radius(3.5, 9.0)).unwrap(), []);
    // A long expression neither recurses nor takes quadratic time.
    let long = (0..5000).fold(Region::branch(0), |r, _| r.union(Region::branch(0)));
    assert_eq!(d.coverage(&long).unwrap(), [(0, 1.0)]);
}

#[test]
fn locations() {
    let m = builders::star(10.0, 3, 100.0, 1.0).unwrap();
    let d = cut(&m, Policy::Count(3));
    assert_eq!(d.places(&Location::Root).unwrap(), [(0, 0.0)]);
    assert_eq!(d.nodes_of(&Location::Root).unwrap(), [0]);
    assert_eq!(
        d.places(&Location::Terminals).unwrap(),
        [(1, 1.0), (2, 1.0), (3, 1.0)]
    );
    assert_eq!(
        d.places(&Location::At { branch: 2, x: 0.25 }).unwrap(),
        [(2, 0.25)]
    );
    assert!(d.places(&Location::At { branch: 2, x: 1.25 }).is_err());
    let centres = Location::Centres(Region::path_distance(0.0, 20.0 + 50.0));
    let nodes: Vec<usize> = d.nodes_of(&centres).unwrap();
    let expected: Vec<usize> = [0, 1, 2, 3, 4, 6, 7, 9, 10]
        .map(|cv| d.cv_to_node()[cv])
        .to_vec();
    assert_eq!(nodes, expected);
}

#[test]
fn simple_shapes() {
    // Rallpack 2 is equivalent to a cable of 16 µm x 320 µm.
    let tree = builders::binary_tree(10, 32.0, 16.0, 2f64.powf(-1.0 / 3.0), 2f64.powf(-2.0 / 3.0))
        .unwrap();
    assert_eq!(tree.branches().len(), 1023);
    assert!(close(tree.area(), PI * 16.0 * 320.0));
    assert_eq!(tree.summary().terminals, 512);
    assert_eq!(
        (tree.children(3), tree.branch_order(1022)),
        (&[7, 8][..], 9)
    );
    let comb =
        builders::comb(4, Frustum::cylinder(10.0, 1.0), Frustum::cylinder(5.0, 0.5)).unwrap();
    assert_eq!((comb.total_length(), comb.summary().terminals), (60.0, 4));
    assert_eq!(comb.children(2), [3, 4]);
    assert_eq!(comb.path_distance(7, 1.0), 45.0);
    assert_eq!(builders::cylinder(10.0, 1.0).unwrap().terminals(), [0]);
    for m in [tree, comb, builders::star(5.0, 7, 100.0, 1.0).unwrap()] {
        // The layout for drawing keeps lengths and connections.
        for f in m.drawn_frusta() {
            let length = m.branches()[f.branch].frusta()[0].length;
            let drawn = (0..3)
                .map(|k| (f.to[k] - f.from[k]).powi(2))
                .sum::<f64>()
                .sqrt();
            assert!((drawn - length).abs() < 1e-9);
        }
        for b in m.branches().iter().skip(1) {
            let at = b.parent().unwrap();
            assert_eq!(m.branches()[at.branch].point_at(at.x), b.points()[0]);
        }
    }
}

#[test]
fn random_neurons() {
    let p = synthetic::Neuron::default();
    let a = synthetic::neuron(&p).unwrap();
    assert_eq!(a, synthetic::neuron(&p).unwrap());
    assert_ne!(
        a,
        synthetic::neuron(&synthetic::Neuron {
            seed: 2,
            ..p.clone()
        })
        .unwrap()
    );
    let s = a.summary();
    assert_eq!(s.stems, p.stems + 1);
    // Rall's law at every fork, to the rounding of the radii, where the least radius does not interfere.
    let p = synthetic::Neuron {
        min_radius: 0.01,
        ..p
    };
    let a = synthetic::neuron(&p).unwrap();
    let mut forks = 0;
    for (index, b) in a.branches().iter().enumerate().skip(1) {
        if let [left, right] = a.children(index) {
            let power = |r: f64| r.powf(1.5);
            let daughters: f64 = [left, right]
                .map(|c| power(start_radius(&a, *c, p.taper)))
                .iter()
                .sum();
            let own = power(b.frusta().last().unwrap().r1);
            assert!((daughters - own).abs() < 0.01 * own, "{daughters} {own}");
            forks += 1;
        }
    }
    assert!(forks >= p.stems);
    for bad in [
        synthetic::Neuron {
            taper: 1.0,
            ..p.clone()
        },
        synthetic::Neuron {
            segment: f64::NAN,
            ..p.clone()
        },
        synthetic::Neuron {
            max_order: 20,
            stems: 1000,
            ..p.clone()
        },
    ] {
        assert!(matches!(
            synthetic::neuron(&bad),
            Err(MorphologyError::Parameter { .. })
        ));
    }
}

/// The radius a daughter set out with, from its end and the taper (its first frustum begins at the mother's radius).
fn start_radius(m: &Morphology, branch: usize, taper: f64) -> f64 {
    m.branches()[branch].frusta().last().unwrap().r1 / (1.0 - taper)
}
