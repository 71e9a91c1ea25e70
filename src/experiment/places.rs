//! Regions and locations of branched cells.

use super::error::ExperimentError;
use super::section::{Item, Section};
use crate::cells::MultiCompartment;
use crate::cells::discretisation::Location;
use crate::cells::morphology::{BranchType, Region};

/// What a region is made of.
const KEYS: [&str; 4] = ["type", "branch", "path_distance", "radius"];

/// Names of regions.
const NAMES: [&str; 6] = ["all", "soma", "axon", "dendrite", "apical", "custom_5"];

/// A region: a name, a list of regions for their union, or a table whose keys must all hold.
pub(super) fn region(item: &Item) -> Result<Region, ExperimentError> {
    if let Ok(name) = item.text() {
        return named(item, name);
    }
    if let Ok(section) = item.section() {
        return all_of(&section.only(&KEYS)?, item);
    }
    let list = item.list("a region such as \"soma\", or a list of regions")?;
    let regions = list.iter().map(|item| match item.section() {
        Ok(section) => all_of(&section.only(&KEYS)?, item),
        Err(_) => named(item, item.text()?),
    });
    let regions = regions.collect::<Result<Vec<_>, _>>()?;
    let union = regions.into_iter().reduce(Region::union);
    union.ok_or_else(|| item.refuse("no region is named; write for example \"all\""))
}

fn named(item: &Item, name: &str) -> Result<Region, ExperimentError> {
    match name {
        "all" => Ok(Region::all()),
        _ => match name.parse::<BranchType>() {
            Ok(kind) => Ok(Region::of_type(kind)),
            Err(_) => Err(item.unknown("region", name, &NAMES)),
        },
    }
}

fn all_of(section: &Section, item: &Item) -> Result<Region, ExperimentError> {
    let mut regions = Vec::new();
    for (key, item) in section.entries() {
        regions.push(match key {
            "type" => named(&item, item.text()?)?,
            "branch" => Region::branch(item.count()?),
            _ => {
                let ends = item.list("two lengths such as [\"0 um\", \"100 um\"]")?;
                let [low, high] = &ends[..] else {
                    return Err(
                        item.refuse("two lengths are wanted, such as [\"0 um\", \"100 um\"]")
                    );
                };
                let (low, high) = (low.quantity("um")?, high.quantity("um")?);
                match key {
                    "radius" => Region::radius(low, high),
                    _ => Region::path_distance(low, high),
                }
            }
        });
    }
    let all = regions.into_iter().reduce(Region::intersection);
    all.ok_or_else(|| item.refuse("the table is empty; write for example { branch = 3 }"))
}

/// A location: `"soma(0.5)"`, `"root"`, `"terminals"`, `{ branch = 3, x = 1.0 }`.
pub(super) fn location(item: &Item, cell: &MultiCompartment) -> Result<Location, ExperimentError> {
    if let Ok(section) = item.section() {
        let section = section.only(&["branch", "x"])?;
        let branch = section.need("branch", "branch = 3")?.count()?;
        let x = section.need("x", "x = 0.5")?.quantity("")?;
        return Ok(Location::At { branch, x });
    }
    let text = item.text()?;
    match text {
        "root" => return Ok(Location::Root),
        "terminals" => return Ok(Location::Terminals),
        _ => {}
    }
    let example = "a location is \"soma(0.5)\", \"root\", \"terminals\" or { branch = 3, x = 1.0 }";
    let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
    let Some((name, x)) = parts else {
        return Err(item.refuse(format!("{text:?} is no location; {example}")));
    };
    let (Ok(kind), Ok(x)) = (name.parse::<BranchType>(), x.trim().parse()) else {
        return Err(item.refuse(format!("{text:?} is no location; {example}")));
    };
    let branches = cell.discretisation().morphology().branches();
    let of_kind = |b: &usize| branches[*b].kind() == kind;
    let found: Vec<usize> = (0..branches.len()).filter(of_kind).collect();
    match found[..] {
        [branch] => Ok(Location::At { branch, x }),
        [] => Err(item.refuse(format!("the morphology has no branch of type {name}"))),
        _ => Err(item.refuse(format!(
            "{} branches are of type {name}; name one by its number, such as {{ branch = {}, x = {x} }}",
            found.len(),
            found[0]
        ))),
    }
}
