//! The discretisation against tables made by another program: areas, resistances, points, edges.

use braincell_cells::discretisation::{Discretisation, Node, Policy};
use braincell_cells::morphology::{BranchSpec, Frustum, Morphology};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const TOLERANCE: f64 = 1e-12;

/// The rows of a table in the text form of `data/tree_discretisation.txt`, by their first word.
struct Table(BTreeMap<String, Vec<Vec<String>>>);

impl Table {
    fn new(text: &str) -> Self {
        let mut rows: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace().map(str::to_owned);
            if let Some(first) = words.next() {
                rows.entry(first).or_default().push(words.collect());
            }
        }
        Self(rows)
    }

    fn rows(&self, name: &str) -> &[Vec<String>] {
        &self.0[name]
    }
}

/// Largest relative difference of each quantity.
#[derive(Default)]
struct Differences(BTreeMap<&'static str, f64>);

impl Differences {
    fn compare(&mut self, what: &'static str, ours: f64, theirs: &str) {
        let theirs: f64 = theirs.parse().unwrap();
        let difference = (ours - theirs).abs() / theirs.abs().max(f64::MIN_POSITIVE);
        let largest = self.0.entry(what).or_default();
        *largest = largest.max(if ours == theirs { 0.0 } else { difference });
    }

    fn finish(&self) {
        println!("largest relative differences: {:?}", self.0);
        for (what, difference) in &self.0 {
            assert!(
                *difference <= TOLERANCE,
                "{what}: relative difference {difference:e}"
            );
        }
    }
}

fn text_of(index: Option<usize>) -> String {
    index.map_or_else(|| "-".to_owned(), |i| i.to_string())
}

/// Compares control volumes, points and edges.
fn compare(d: &Discretisation, table: &Table, differences: &mut Differences) {
    assert_eq!(d.cvs().len(), table.rows("cv").len());
    for (cv, row) in d.cvs().iter().zip(table.rows("cv")) {
        assert_eq!(
            [cv.branch.to_string(), text_of(cv.parent)],
            [row[1].as_str(), row[4].as_str()],
            "{row:?}"
        );
        differences.compare("prox", cv.prox, &row[2]);
        differences.compare("dist", cv.dist, &row[3]);
        differences.compare("length", cv.length, &row[5]);
        differences.compare("area", cv.area, &row[6]);
        differences.compare("resistance_prox", cv.resistance_prox, &row[7]);
        differences.compare("resistance_dist", cv.resistance_dist, &row[8]);
        differences.compare("diameter", 2.0 * cv.radius, &row[9]);
    }
    let mut roles: Vec<Vec<String>> = vec![Vec::new(); d.nodes().len()];
    for (cvs, (prox, dist)) in d.branch_cvs().iter().zip(d.branch_ends()) {
        roles[*prox].push(format!("{}:prox", cvs.start));
        roles[*dist].push(format!("{}:dist", cvs.end - 1));
    }
    assert_eq!(d.nodes().len(), table.rows("node").len());
    for (index, (node, row)) in d.nodes().iter().zip(table.rows("node")).enumerate() {
        let (kind, mut ours) = match node {
            Node::Centre(cv) => {
                assert_eq!(d.cv_to_node()[*cv], index);
                ("mid", vec![format!("{cv}:mid")])
            }
            Node::Boundary => ("boundary", roles[index].clone()),
        };
        assert_eq!(kind, row[1]);
        let mut theirs = row[2..].to_vec();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "node {index}");
    }
    assert_eq!(d.edges().len(), table.rows("edge").len());
    for (edge, row) in d.edges().iter().zip(table.rows("edge")) {
        assert_eq!([edge.parent.to_string(), edge.child.to_string()], row[..2]);
        differences.compare("conductance", edge.conductance, &row[2]);
    }
}

#[test]
fn tree_of_four_branches() {
    let table = Table::new(include_str!("data/tree_discretisation.txt"));
    let spec = |row: &Vec<String>| {
        let [length, r0, r1] = [2, 3, 4].map(|k| row[k].parse().unwrap());
        let frusta = vec![Frustum::new(length, r0, r1)];
        let kind = row[1].parse().unwrap();
        match row[5].parse() {
            Ok(parent) => BranchSpec::child(parent, row[6].parse().unwrap(), kind, frusta),
            Err(_) => BranchSpec::root(kind, frusta),
        }
    };
    let morphology = Morphology::new(table.rows("branch").iter().map(spec).collect()).unwrap();
    let d = Discretisation::new(morphology, &Policy::Count(1).into(), 100.0).unwrap();
    let mut differences = Differences::default();
    compare(&d, &table, &mut differences);
    differences.finish();
}

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {} is absent", path.display());
    None
}

/// The values of `"key": …` in a text of JSON objects without nesting below the key.
fn objects<'a>(json: &'a str, key: &str) -> Vec<&'a str> {
    let start = json
        .find(&format!("\"{key}\":"))
        .unwrap_or_else(|| panic!("no {key}"));
    let list = &json[start..];
    let mut depth = 0;
    let mut begin = 0;
    let mut found = Vec::new();
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => {
                depth += 1;
                begin = at;
            }
            b'}' => {
                depth -= 1;
                found.push(&list[begin..=at]);
            }
            b'[' => depth += 1,
            b']' => {
                depth -= 1;
                if depth == 0 {
                    return found;
                }
            }
            _ => {}
        }
    }
    panic!("{key} does not end")
}

/// The words of the value of a key in one object: brackets, quotes and commas are separators.
fn words<'a>(object: &'a str, key: &str) -> Vec<&'a str> {
    let start = object
        .find(&format!("\"{key}\":"))
        .unwrap_or_else(|| panic!("no {key} in {object}"))
        + key.len()
        + 3;
    let value = object[start..].trim_start();
    let mut depth = 0;
    let mut end = value.len();
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            b',' | b'}' if depth == 0 => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    value[..end]
        .split(|c: char| "[], \"\n".contains(c))
        .filter(|w| !w.is_empty())
        .collect()
}

/// The JSON reference in the text form of the table.
fn table_of(json: &str) -> String {
    let json = &json[json.find("\"discretisation\"").unwrap()..];
    let mut text = String::new();
    let mut row = |name: &str, object: &str, keys: &[&str]| {
        let values: Vec<&str> = keys.iter().flat_map(|key| words(object, key)).collect();
        writeln!(text, "{name} {}", values.join(" ").replace("null", "-")).unwrap();
    };
    for object in objects(json, "cvs") {
        let keys = [
            "id",
            "branch",
            "prox",
            "dist",
            "parent_cv",
            "length_um",
            "area_um2",
        ];
        let more = ["r_axial_prox_ohm", "r_axial_dist_ohm", "diam_mid_um"];
        row("cv", object, &[&keys[..], &more].concat());
    }
    for object in objects(json, "edges") {
        row("edge", object, &["parent", "child", "g_uS"]);
    }
    for object in objects(json, "nodes") {
        let roles = words(object, "roles")
            .chunks(2)
            .map(|r| format!("{}:{}", r[0], r[1]))
            .collect::<Vec<_>>()
            .join(" ");
        writeln!(
            text,
            "node {} {} {roles}",
            words(object, "id")[0],
            words(object, "kind")[0]
        )
        .unwrap();
    }
    text
}

#[test]
fn reconstructed_neuron() {
    let (Some(swc), Some(json)) = (
        shared("morphology/io.swc"),
        shared("reference/io_swc_hh.json"),
    ) else {
        return;
    };
    let json = std::fs::read_to_string(json).unwrap();
    let morphology = Morphology::load(swc).unwrap();
    let mut differences = Differences::default();
    let branches = objects(
        &json[json.find("\"discretisation\"").unwrap()..],
        "branches",
    );
    assert_eq!(morphology.branches().len(), branches.len());
    for (branch, object) in morphology.branches().iter().zip(branches) {
        assert_eq!([branch.kind().to_string()], *words(object, "type"));
        let parent = branch.parent();
        assert_eq!(
            parent.map_or("null".to_owned(), |at| at.branch.to_string()),
            words(object, "parent")[0]
        );
        if let Some(at) = parent {
            assert_eq!(at.x, words(object, "parent_x")[0].parse::<f64>().unwrap());
        }
        let [lengths, r0, r1] = ["lengths", "r0", "r1"].map(|key| words(object, key));
        assert_eq!(branch.frusta().len(), lengths.len());
        for (k, f) in branch.frusta().iter().enumerate() {
            differences.compare("frustum length", f.length, lengths[k]);
            differences.compare("frustum r0", f.r0, r0[k]);
            differences.compare("frustum r1", f.r1, r1[k]);
        }
    }
    let d = Discretisation::new(morphology, &Policy::MaxLength(60.0).into(), 100.0).unwrap();
    compare(&d, &Table::new(&table_of(&json)), &mut differences);
    differences.finish();
}
