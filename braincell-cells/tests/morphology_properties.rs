//! Properties of random trees: conservation, structure of the point tree, invariance under renumbering, robustness of
//! the readers.

use braincell_cells::discretisation::{ControlVolume, Discretisation, Node, Policy, Rules};
use braincell_cells::morphology::{BranchType, Morphology, Region, asc, swc};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Write;

fn read(text: &str) -> Morphology {
    swc::read(text, &swc::SwcOptions::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A point: which earlier one is its parent (as a fraction), its type, its step from there, its radius.
type Point = (f64, u32, [f64; 3], f64);

fn tree() -> impl Strategy<Value = Vec<Point>> {
    let step = [-20.0..20.0, -20.0..20.0, -20.0..20.0];
    let radius = prop_oneof![0.1..5.0, Just(1.0)];
    vec(
        (prop_oneof![0.0..1.0, Just(1.0)], 0u32..6, step, radius),
        1..60,
    )
}

/// Parents and types: the root is soma, soma occurs only next to soma.
fn structure(points: &[Point]) -> Vec<(Option<usize>, u32)> {
    let mut nodes = vec![(None, 1)];
    for (place, kind, _, _) in points {
        let parent = ((place * nodes.len() as f64) as usize).min(nodes.len() - 1);
        let above: u32 = nodes[parent].1;
        // Half of the points keep the type of their parent.
        let kind = match (above, kind % 6) {
            (_, 0..=2) if above != 1 => above,
            (1, 0) => 1,
            (_, k) => 2 + k % 4,
        };
        nodes.push((Some(parent), kind));
    }
    nodes
}

/// The text of a tree, with ids given by `order` (old index to id).
fn text_of(points: &[Point], order: &dyn Fn(usize) -> usize) -> Vec<String> {
    let nodes = structure(points);
    let mut places = vec![[0.0; 3]];
    for ((_, _, step, _), (parent, _)) in points.iter().zip(&nodes[1..]) {
        let from = places[parent.unwrap()];
        places.push(std::array::from_fn(|k| from[k] + step[k]));
    }
    let line = |index: usize| {
        let (parent, kind) = nodes[index];
        let [x, y, z] = places[index];
        let radius = if index == 0 { 6.0 } else { points[index - 1].3 };
        let parent = parent.map_or("-1".to_owned(), |p| order(p).to_string());
        format!("{} {kind} {x} {y} {z} {radius} {parent}\n", order(index))
    };
    (0..nodes.len()).map(line).collect()
}

fn plain(points: &[Point]) -> String {
    text_of(points, &|index| index + 1).concat()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-11 * a.abs().max(b.abs())
}

fn rules() -> impl Strategy<Value = Rules> {
    let policy = || {
        prop_oneof![
            (1usize..8).prop_map(Policy::Count),
            (3.0..200.0).prop_map(Policy::MaxLength),
            (10.0..300.0, 0.5..2.0).prop_map(|(ra, cm)| Policy::d_lambda(ra, cm)),
        ]
    };
    (policy(), policy()).prop_map(|(a, b)| Rules::from(a).with(BranchType::Axon, b))
}

proptest! {
    #[test]
    fn any_policy_conserves_areas_lengths_and_resistances(points in tree(), rules in rules()) {
        let m = read(&plain(&points));
        let d = Discretisation::new(m.clone(), &rules, 100.0).unwrap();
        for (branch, range) in m.branches().iter().zip(d.branch_cvs()) {
            let cvs = &d.cvs()[range.clone()];
            prop_assert!(close(cvs.iter().map(|cv| cv.area).sum(), branch.area()));
            prop_assert!(close(cvs.iter().map(|cv| cv.length).sum(), branch.length()));
            let resistance: f64 = cvs.iter().map(|cv| cv.resistance_prox + cv.resistance_dist).sum();
            let whole: f64 = branch.frusta().iter().map(|f| 1e6 * f.axial_factor()).sum();
            prop_assert!(close(resistance, whole));
            prop_assert_eq!((cvs[0].prox, cvs[cvs.len() - 1].dist), (0.0, 1.0));
        }
        prop_assert!(close(d.cvs().iter().map(|cv| cv.area).sum(), m.area()));
    }

    #[test]
    fn the_points_form_a_tree(points in tree(), rules in rules()) {
        let d = Discretisation::new(read(&plain(&points)), &rules, 100.0).unwrap();
        prop_assert_eq!(d.nodes().len(), d.edges().len() + 1);
        for (k, edge) in d.edges().iter().enumerate() {
            prop_assert_eq!(edge.child, k + 1);
            prop_assert!(edge.parent < edge.child);
            prop_assert!(edge.conductance > 0.0 && edge.conductance.is_finite());
        }
        let centres = d.nodes().iter().filter(|n| matches!(n, Node::Centre(_))).count();
        prop_assert_eq!(centres, d.cvs().len());
        for (cv, node) in d.cv_to_node().iter().enumerate() {
            prop_assert_eq!(d.nodes()[*node], Node::Centre(cv));
            let volume = &d.cvs()[cv];
            prop_assert_eq!(d.node_at(volume.branch, volume.centre()), Ok(*node));
            prop_assert!(volume.parent.is_none_or(|parent| parent < cv));
        }
    }

    /// Lines in another order give the same; siblings in another order give the same volumes, differently numbered.
    #[test]
    fn order_does_not_matter(points in tree()) {
        let m = read(&plain(&points));
        let lines = text_of(&points, &|index| index + 1);
        let backwards: String = lines.iter().rev().map(String::as_str).collect();
        let same = read(&backwards);
        prop_assert_eq!(same.branches(), m.branches());
        let count = lines.len();
        let reversed = text_of(&points, &|index| count - index).concat();
        let r = read(&reversed);
        prop_assert_eq!(r.branches().len(), m.branches().len());
        // A neurite that forks at its first point on a soma of cones is continued by the first child: which branch
        // gets the connecting cylinder depends on the order, the sums do not.
        prop_assert!(close(r.area(), m.area()) && close(r.total_length(), m.total_length()));
        if !forks_at_first_point(&points) {
            let d = |m: Morphology| Discretisation::new(m, &Policy::MaxLength(15.0).into(), 100.0).unwrap();
            let (d, r) = (d(m), d(r));
            let sorted = |d: &Discretisation, value: fn(&ControlVolume) -> f64| {
                let mut values: Vec<f64> = d.cvs().iter().map(value).collect();
                values.sort_by(f64::total_cmp);
                values
            };
            let values: [fn(&ControlVolume) -> f64; 4] =
                [|cv| cv.area, |cv| cv.resistance_prox, |cv| cv.resistance_dist, |cv| cv.path_distance];
            for value in values {
                for (a, b) in sorted(&d, value).into_iter().zip(sorted(&r, value)) {
                    prop_assert!(close(a, b), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn written_files_read_back(points in tree()) {
        let m = read(&plain(&points));
        let again = read(&swc::write(&m, "a comment").unwrap());
        same_to_rounding(&again, &m)?;
    }

    #[test]
    fn a_region_and_its_complement_cover_everything(
        points in tree(), rules in rules(), low in 0.0..40.0f64, width in 0.0..60.0f64, radius in 0.1..4.0f64,
    ) {
        let d = Discretisation::new(read(&plain(&points)), &rules, 100.0).unwrap();
        let region = Region::path_distance(low, low + width).union(Region::radius(radius, 2.0 * radius));
        let complement = Region::all().difference(region.clone());
        let mut sum = vec![0.0; d.cvs().len()];
        for (cv, fraction) in d.coverage(&region).unwrap().into_iter().chain(d.coverage(&complement).unwrap()) {
            prop_assert!(fraction > 0.0 && fraction <= 1.0);
            sum[cv] += fraction;
        }
        for fraction in sum {
            prop_assert!((fraction - 1.0).abs() < 1e-9, "{fraction}");
        }
        let both = d.coverage(&region.clone().intersection(complement)).unwrap();
        prop_assert!(both.is_empty());
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,200}", bytes in vec(any::<u8>(), 0..200)) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &lossy] {
            let _ = swc::read(text, &swc::SwcOptions::default());
            let _ = asc::read(text);
        }
    }

    #[test]
    fn near_misses_do_not_make_a_reader_panic(text in "([0-9]{1,2} [0-4] [0-9.e-]{1,3} 0 [0-9]{1,2} [0-9] (-1|[0-9])\n){0,12}") {
        if let Ok(m) = swc::read(&text, &swc::SwcOptions::default()) {
            check(&m)?;
        }
    }

    #[test]
    fn asc_soup_does_not_make_a_reader_panic(text in r#"([()|<>;,"]|\(1 2 3 4\)|\(5 2 -3 1\)|\(Axon\)|\(CellBody\)|word|\n){0,40}"#) {
        if let Ok(m) = asc::read(&text) {
            check(&m)?;
        }
    }

    #[test]
    fn mutations_do_not_make_a_reader_panic(
        points in tree(),
        changes in vec((any::<proptest::sample::Index>(), prop_oneof![
            Just(String::new()), "[0-9]", Just("-".to_owned()), Just("e300".to_owned()), Just("\n".to_owned()),
            Just("NaN".to_owned()), Just(" 1 ".to_owned()), Just("#".to_owned()),
        ]), 1..4),
    ) {
        let mut text = plain(&points);
        for (place, with) in changes {
            let place = place.index(text.len());
            text.replace_range(place..place + 1, &with);
        }
        match swc::read(&text, &swc::SwcOptions::default()) {
            Ok(m) => check(&m)?,
            Err(error) => prop_assert!(error.to_string().contains("line"), "{error}"),
        }
    }
}

/// The same branches; numbers may differ by the rounding of a sphere's centre, which is written for its ends.
fn same_to_rounding(a: &Morphology, b: &Morphology) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.branches().len(), b.branches().len());
    for (a, b) in a.branches().iter().zip(b.branches()) {
        prop_assert_eq!((a.kind(), a.parent()), (b.kind(), b.parent()));
        prop_assert_eq!(a.frusta().len(), b.frusta().len());
        for (a, b) in a.frusta().iter().zip(b.frusta()) {
            prop_assert_eq!((a.r0, a.r1), (b.r0, b.r1));
            prop_assert!((a.length - b.length).abs() <= 1e-12);
        }
        for (a, b) in a.points().iter().flatten().zip(b.points().iter().flatten()) {
            prop_assert!((a - b).abs() <= 1e-12);
        }
    }
    Ok(())
}

/// Whatever a reader accepts can be cut and has finite sizes.
fn check(m: &Morphology) -> Result<(), TestCaseError> {
    prop_assert!(m.area() > 0.0 && m.area().is_finite());
    let d = Discretisation::new(m.clone(), &Policy::Count(3).into(), 100.0).unwrap();
    prop_assert!(
        d.edges()
            .iter()
            .all(|e| e.conductance > 0.0 && e.conductance.is_finite())
    );
    let mut text = String::new();
    write!(text, "{}", m.summary()).unwrap();
    prop_assert!(!text.contains("NaN") && !text.contains("inf"));
    Ok(())
}

fn forks_at_first_point(points: &[Point]) -> bool {
    let nodes = structure(points);
    let soma = nodes.iter().filter(|(_, kind)| *kind == 1).count();
    let first =
        |index: usize| nodes[index].1 != 1 && nodes[index].0.is_some_and(|p| nodes[p].1 == 1);
    let below = |index: usize| {
        nodes
            .iter()
            .filter(|(parent, _)| *parent == Some(index))
            .count()
    };
    soma > 1 && (0..nodes.len()).any(|index| first(index) && below(index) > 1)
}
