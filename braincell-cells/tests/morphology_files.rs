//! Reading and writing SWC and Neurolucida files.

use braincell_cells::morphology::{
    BranchType, Morphology, ReadError, Warning, WriteError, asc, builders, swc, synthetic,
};
use std::f64::consts::PI;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn read(text: &str) -> Result<Morphology, ReadError> {
    swc::read(text, &swc::SwcOptions::default())
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs()
}

/// Parent and position of every branch but the root.
fn attachments(m: &Morphology) -> Vec<(usize, f64)> {
    m.branches()
        .iter()
        .filter_map(|b| b.parent())
        .map(|at| (at.branch, at.x))
        .collect()
}

fn lengths(m: &Morphology) -> Vec<f64> {
    m.branches().iter().map(|b| b.length()).collect()
}

const SINGLE_POINT: &str = "1 1 11 0 0 10 -1\r\n2 3 20 0 0 1 1\r\n3 3 25 0 0 1 2\r\n";
const THREE_POINTS: &str =
    "1 1 10 0 0 10 -1\n2 1 10 -10 0 10 1\n3 1 10 10 0 10 1\n4 3 40 0 0 1 1\n5 3 50 0 0 1 4\n";
const OUTLINE: &str = "1 1 10 0 0 1 -1\n2 1 0 10 0 1 1\n3 1 -10 0 0 1 2\n4 1 0 -10 0 1 3\n5 1 10 0 0 1 4\n6 3 20 0 0 1 1\n7 3 40 0 0 1 6\n";

#[test]
fn spherical_somas() {
    for (text, dendrite) in [(SINGLE_POINT, 5.0), (THREE_POINTS, 10.0), (OUTLINE, 20.0)] {
        let m = read(text).unwrap();
        assert_eq!(lengths(&m), [20.0, dendrite], "{text}");
        assert_eq!(attachments(&m), [(0, 0.5)], "{text}");
        assert!(close(m.branches()[0].area(), 4.0 * PI * 100.0), "{text}");
    }
    assert_eq!(
        read(SINGLE_POINT).unwrap().warnings(),
        [Warning::SinglePointSoma { radius: 10.0 }]
    );
    assert_eq!(read(THREE_POINTS).unwrap().warnings(), []);
    assert_eq!(
        read(OUTLINE).unwrap().warnings(),
        [Warning::ContourSoma {
            points: 5,
            radius: 10.0
        }]
    );
    // One point and nothing else, and a neurite of one point.
    assert_eq!(lengths(&read("1 1 0 0 0 5 -1").unwrap()), [10.0]);
    let m = read("1 1 0 0 0 5 -1\n2 2 0 30 0 1 1").unwrap();
    assert_eq!(lengths(&m), [10.0, 30.0]);
    assert_eq!(m.branches()[1].frusta()[0].r0, 1.0);
    assert!(
        m.warnings()
            .contains(&Warning::SinglePointNeurite { line: 2 })
    );
    // Two points in one place are one.
    assert_eq!(
        lengths(&read("1 1 0 0 0 5 -1\n2 1 0 0 0 5 1\n3 3 0 5 0 1 2\n4 3 0 9 0 1 3").unwrap()),
        [10.0, 4.0]
    );
}

#[test]
fn somas_of_cones() {
    // Two points; the dendrite is connected to the point that is its parent, with its own radius.
    let m = read("1 1 0 0 0 5 -1\n2 1 8 0 0 4 1\n3 3 11 0 0 1 2\n4 3 21 0 0 2 3").unwrap();
    assert_eq!(lengths(&m), [8.0, 13.0]);
    assert_eq!(attachments(&m), [(0, 1.0)]);
    let radii: Vec<(f64, f64)> = m.branches()[1]
        .frusta()
        .iter()
        .map(|f| (f.r0, f.r1))
        .collect();
    assert_eq!(radii, [(1.0, 1.0), (1.0, 2.0)]);
    // Three points that are not at ± the radius; a dendrite at the root; a fork at the first point of the dendrite.
    let text = "1 1 0 0 0 5 -1\n2 1 20 0 0 4 1\n3 1 0 9 0 4 1\n4 3 0 0 7 1 1\n5 3 0 0 9 1 4\n6 2 0 1 9 1 4\n7 3 0 2 9 1 4";
    let m = read(text).unwrap();
    assert_eq!(attachments(&m), [(0, 0.0), (0, 0.0), (2, 0.0), (2, 0.0)]);
    assert_eq!(m.branches()[2].length(), 9.0);
    assert_eq!(m.branches()[3].kind(), BranchType::Axon);
    assert_eq!(m.branches()[4].points()[0], [0.0, 0.0, 7.0]);
    // A dendrite in the middle of the soma cuts it.
    let m = read("1 1 0 0 0 5 -1\n2 1 8 0 0 4 1\n3 1 16 0 0 4 2\n4 3 8 9 0 1 2").unwrap();
    assert_eq!(attachments(&m), [(0, 1.0), (0, 1.0)]);
    assert_eq!(
        (m.branches()[1].kind(), m.branches()[2].kind()),
        (BranchType::Soma, BranchType::BasalDendrite)
    );
}

#[test]
fn order_of_lines_comments_types_and_columns() {
    let tidy = "1 1 0 0 0 5 -1\n2 7 9 0 0 1 1\n5 7 19 0 0 1 2\n9 0 19 5 0 1 5\n10 4 19 -5 0 1 5\n";
    let loose = "\u{feff}# Kopf\r\n\r\n10 4 19 -5 0 1 5 # last\r\n 5\t7 19 0 0 1 2 99 extra\r\n9 0 19 5 0 1 5\r\n1 1 0 0 0 5 -1\r\n2 7 9 0 0 1 1";
    let (a, b) = (read(tidy).unwrap(), read(loose).unwrap());
    assert_eq!(a.branches(), b.branches());
    let kinds: Vec<BranchType> = a.branches().iter().map(|b| b.kind()).collect();
    use BranchType::{ApicalDendrite, Custom, Soma};
    assert_eq!(kinds, [Soma, Custom(7), Custom(0), ApicalDendrite]);
    assert_eq!(Custom(7).to_string().parse(), Ok(Custom(7)));
    assert!("spine".parse::<BranchType>().is_err());
}

#[test]
fn without_a_soma_and_with_a_stray_one() {
    let m = read("1 3 0 0 0 2 -1\n2 3 10 0 0 1 1\n3 3 0 10 0 1 1\n4 1 10 10 0 5 2").unwrap();
    assert_eq!(attachments(&m), [(0, 0.0), (0, 1.0)]);
    assert_eq!(
        m.warnings(),
        [Warning::ScatteredSoma { line: 4 }, Warning::NoSoma]
    );
}

#[test]
fn points_in_one_place_are_merged() {
    let text = "1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n3 3 19 0 0 1 2\n4 3 19 0 0 3 3\n5 3 29 0 0 3 4\n6 3 29 0 0 3 5\n";
    let m = read(text).unwrap();
    assert_eq!(lengths(&m), [10.0, 20.0]);
    // The step of the radius stays.
    let radii: Vec<(f64, f64)> = m.branches()[1]
        .frusta()
        .iter()
        .map(|f| (f.r0, f.r1))
        .collect();
    assert_eq!(radii, [(1.0, 1.0), (3.0, 3.0)]);
    let merged = m
        .warnings()
        .iter()
        .filter(|w| matches!(w, Warning::ZeroLength { .. }))
        .count();
    assert_eq!(merged, 2);
    // What is below a merged point takes its place among the others by its id.
    let text = "1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n3 3 10 0 0 1 2\n4 3 15 0 0 1 2\n5 3 17 0 0 1 3\n";
    assert_eq!(lengths(&read(text).unwrap()), [10.0, 5.0, 7.0]);
    let jump = Warning::RadiusJump {
        line: 2,
        from: 1.0,
        to: 9.0,
    };
    assert!(
        read("1 3 0 0 0 1 -1\n2 3 9 0 0 9 1")
            .unwrap()
            .warnings()
            .contains(&jump)
    );
}

#[test]
fn malformed_swc() {
    let cases: [(&str, &str, &str); 20] = [
        ("", "no points", "complete"),
        ("# only a comment\n", "no points", "complete"),
        ("1 1 0 0 0 5 -1\n2 3 1 0 0 1", "line 2", "6 fields"),
        ("1 1 0 zero 0 5 -1", "line 1", "y coordinate is \"zero\""),
        (
            "1 1 0 0 0 5 -1\n\n2 soma 0 0 0 5 1",
            "line 3",
            "type is \"soma\"",
        ),
        ("1.5 1 0 0 0 5 -1", "line 1", "id is \"1.5\""),
        ("1 -1 0 0 0 5 -1", "line 1", "type"),
        ("1 1 0 0 0 5 -2", "line 1", "-1 for the root"),
        ("1 1 0 0 0 0 -1", "line 1", "radius 0 µm"),
        ("1 1 0 0 0 -3 -1", "line 1", "radius -3 µm"),
        ("1 1 0 0 0 NaN -1", "line 1", "radius NaN"),
        ("1 1 NaN 0 0 5 -1", "line 1", "x coordinate is NaN"),
        ("1 1 0 0 inf 5 -1", "line 1", "z coordinate is inf"),
        ("1 1 0 0 1e300 5 -1", "line 1", "z coordinate"),
        (
            "1 1 0 0 0 5 -1\n1 3 0 9 0 1 1",
            "line 2",
            "id 1 was used in line 1",
        ),
        ("1 1 0 0 0 5 -1\n2 3 0 9 0 1 7", "line 2", "parent 7"),
        (
            "1 1 0 0 0 5 -1\n2 3 0 9 0 1 3\n3 3 0 19 0 1 2",
            "its own ancestor",
            "loop",
        ),
        ("1 1 0 0 0 5 1", "line 1", "its own ancestor"),
        (
            "1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n7 3 0 19 0 1 -1",
            "line 3",
            "2 parts",
        ),
        ("1 3 0 0 0 5 -1", "line 1", "one point makes no branch"),
    ];
    for (text, first, second) in cases {
        let message = read(text).expect_err(text).to_string();
        assert!(
            message.contains(first) && message.contains(second),
            "{text:?}: {message}"
        );
    }
}

#[test]
fn one_of_several_roots() {
    let text = "1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n3 3 0 19 0 1 2\n7 3 50 0 0 1 -1\n8 3 60 0 0 1 7\n";
    let pick = |id| swc::read(text, &swc::SwcOptions { root: Some(id) });
    assert_eq!(lengths(&pick(1).unwrap()), [10.0, 10.0]);
    let second = pick(7).unwrap();
    assert_eq!(lengths(&second), [10.0]);
    assert_eq!(
        second.warnings(),
        [Warning::LeftOut { points: 3 }, Warning::NoSoma]
    );
    assert!(matches!(pick(2), Err(ReadError::NoSuchRoot { id: 2, roots }) if roots == [1, 7]));
}

#[test]
fn long_chains_and_deep_trees() {
    let mut text = String::from("1 1 0 0 0 5 -1\n");
    let count = 200_000;
    for id in 2..=count {
        writeln!(text, "{id} 3 {id} 0 0 1 {}", id - 1).unwrap();
    }
    let m = read(&text).unwrap();
    assert_eq!(m.branches().len(), 2);
    assert_eq!(m.branches()[1].length(), f64::from(count - 2));
    // A side branch at every point: as deep as long.
    for id in 2..=count {
        writeln!(text, "{} 3 {id} 1 0 1 {id}", id + count).unwrap();
    }
    let m = read(&text).unwrap();
    assert_eq!(m.summary().max_order, count as usize - 2);
    assert_eq!(
        read(&swc::write(&m, "").unwrap()).unwrap().branches(),
        m.branches()
    );
    let mut nested = "(".repeat(200_000);
    assert!(matches!(
        asc::read(&nested),
        Err(ReadError::Parentheses { line: 1, .. })
    ));
    nested += &")".repeat(200_000);
    assert!(matches!(asc::read(&nested), Err(ReadError::Empty)));
}

const NEUROLUCIDA: &str = r#"; a comment (with a parenthesis
(ImageCoords)
(Thumbnail (Rows 2) (Text "1 ) 2"))
("Cell Body"
  (Color Red)
  (CellBody)
  (10 0 0 0.1) ; 1, 1
  (0 10 0 0.1)
  (-10 0 0 0.1)
  (0 -10 0 0.1)
)
( (Color RGB (1, 0, 0))
  (Dendrite)
  ( 10 0 0 4) ; Root
  ( 20 0 0 2 S1)
  <( (Color Blue) (20 0 0 1) (20 2 0 1))>
  (Cross (Color White) (Name "Marker") (20 0 0 1))
  (
    ( 20 10 0 2)
    ( 20 20 0 2)
    (
      ( 20 30 0 2) Normal
    |
      ( 30 20 0 2)
      Incomplete
    ) ; End of split
  |
    ( 20 -10 0 1)
  )
)
( (Axon) (0 10 0 1) (0 110 0 1) Generated )
"#;

#[test]
fn neurolucida() {
    for text in [NEUROLUCIDA.to_owned(), NEUROLUCIDA.replace('\n', "\r\n")] {
        let m = asc::read(&text).unwrap();
        assert_eq!(lengths(&m), [20.0, 10.0, 20.0, 10.0, 10.0, 10.0, 100.0]);
        assert_eq!(
            attachments(&m),
            [(0, 0.5), (1, 1.0), (2, 1.0), (2, 1.0), (1, 1.0), (0, 0.5)]
        );
        assert_eq!(m.branches()[6].kind(), BranchType::Axon);
        let f = m.branches()[1].frusta()[0];
        assert_eq!((f.r0, f.r1), (2.0, 1.0));
        assert_eq!(
            m.warnings(),
            [Warning::ContourSoma {
                points: 4,
                radius: 10.0
            }]
        );
    }
}

#[test]
fn malformed_neurolucida() {
    let cases = [
        ("", "no points"),
        ("(ImageCoords)", "no points"),
        (
            "((Axon)\n(0 0 0 1)\n(9 0 0 1)",
            "line 1: a \"(\" without its \")\"",
        ),
        (
            "((Axon) (0 0 0 1)\n(9 0 0 1)))",
            "line 2: a \")\" without its \"(\"",
        ),
        (
            "((Axon) (0 0 0 1)\n| (9 0 0 1))",
            "line 2: a \"|\" outside of a split",
        ),
        (
            "((Axon) (0 0 0 1)\n(9 0))",
            "line 2: a point with 2 coordinates",
        ),
        (
            "((Axon) (0 0 0 1)\n(9 0 1.2.3 1))",
            "line 2: the z coordinate is \"1.2.3\"",
        ),
        ("((Axon) (0 0 0 1)\n(9 0 0 0))", "line 2: radius 0 µm"),
        ("((Axon) (0 0 0 1))", "line 1: the only point"),
        (
            "((Axon) (0 0 0 1)(9 0 0 1))\n((Axon) (0 0 0 1)(9 0 0 1))",
            "line 2: a second tree",
        ),
        (
            "(\"Soma (CellBody))",
            "line 1: a quotation mark is never closed",
        ),
        (
            "((Axon) (0 0 0 1) <(9 0 0 1))",
            "line 1: a \"<\" without its \">\"",
        ),
    ];
    for (text, part) in cases {
        let message = asc::read(text).expect_err(text).to_string();
        assert!(message.contains(part), "{text:?}: {message}");
    }
}

#[test]
fn writing_gives_back_what_was_read() {
    let fork = "1 1 0 0 0 5 -1\n2 1 20 0 0 4 1\n3 1 0 9 0 4 1\n4 3 0 0 7 1 1\n5 3 0 0 9 1 4\n6 2 0 1 9 1 4\n7 3 0 2 9 1 4";
    let steps = "1 1 0 0 0 5 -1\n2 1 8 0 0 5 1\n3 3 8 0 0 2 2\n4 3 19 0 0 1 3\n5 3 19 0 0 3 4\n6 3 29 0 0 3 5\n7 3 19 9 0 1 5";
    for text in [SINGLE_POINT, THREE_POINTS, fork, steps] {
        let m = read(text).unwrap();
        let written = swc::write(&m, "a\n\nb").unwrap();
        assert!(written.starts_with("# a\n#\n# b\n1 1 "));
        assert_eq!(
            read(&written).unwrap().branches(),
            m.branches(),
            "{written}"
        );
    }
    // What is attached inside a frustum cannot be written.
    let soma = braincell_cells::morphology::BranchSpec::root;
    let spec =
        braincell_cells::morphology::BranchSpec::child(0, 0.3, BranchType::Axon, vec![cone()]);
    let m = Morphology::new(vec![soma(BranchType::Axon, vec![cone()]), spec]).unwrap();
    assert_eq!(
        swc::write(&m, ""),
        Err(WriteError::InteriorAttachment {
            branch: 1,
            parent: 0,
            x: 0.3
        })
    );
    let tree = builders::binary_tree(5, 32.0, 16.0, 0.8, 0.6).unwrap();
    let again = read(&swc::write(&tree, "").unwrap()).unwrap();
    assert!(close(again.area(), tree.area()) && close(again.total_length(), tree.total_length()));
}

fn cone() -> braincell_cells::morphology::Frustum {
    braincell_cells::morphology::Frustum::new(100.0, 2.0, 1.0)
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/morphology")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {} is absent", path.display());
    None
}

#[test]
fn reconstructions() {
    let load = |name| Some(Morphology::load(shared(name)?).unwrap());
    if let Some(m) = load("goc.asc") {
        let s = m.summary();
        println!("{s}");
        // 12 trees with 107 splits, none of more than two branches.
        assert_eq!(
            (s.stems, s.branches, s.terminals),
            (12, 1 + 12 + 2 * 107, 12 + 107)
        );
        assert_eq!(read(&swc::write(&m, "").unwrap()).unwrap().summary(), s);
    }
    if let Some(m) = load("io.swc") {
        assert_eq!((m.branches().len(), m.summary().frusta), (31, 2742));
        assert_eq!(
            read(&swc::write(&m, "").unwrap()).unwrap().branches(),
            m.branches()
        );
    }
    let expected = [
        ("single_point_soma.swc", vec![20.0, 5.0]),
        ("three_points_soma.swc", vec![20.0, 10.0]),
        (
            "branched_soma.swc",
            vec![100.0, 20.0, 10.0, 100.0 * 2.0_f64.sqrt()],
        ),
    ];
    for (name, expected) in expected {
        if let Some(m) = load(name) {
            println!(
                "{name}: {:?} {:?} {:?}",
                lengths(&m),
                attachments(&m),
                m.warnings()
            );
            assert_eq!(lengths(&m), expected, "{name}");
        }
    }
    if let Some(m) = load("contour_soma.swc") {
        assert_eq!(attachments(&m), [(0, 0.5)]);
        assert_eq!(m.branches()[1].length(), 20.0);
    }
    assert!(
        Morphology::load("no.swc")
            .unwrap_err()
            .to_string()
            .contains("cannot read no.swc")
    );
    assert!(matches!(
        Morphology::load("cell.hoc"),
        Err(ReadError::Format { .. })
    ));
}

/// The file that comes with the project is what the example makes.
#[test]
fn shipped_neuron() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/morphology/branched.swc");
    let m = Morphology::load(path).unwrap();
    assert_eq!(m.warnings(), [Warning::SinglePointSoma { radius: 8.0 }]);
    let made = synthetic::neuron(&synthetic::Neuron {
        seed: 2,
        ..Default::default()
    })
    .unwrap();
    assert_eq!(m.branches().len(), 37);
    assert_eq!(m.branches(), made.branches());
}
