//! `braincell morphology`.

use super::table::facts;
use super::{CliError, print};
use braincell::cells::discretisation::{Discretisation, Policy};
use braincell::cells::morphology::Morphology;
use braincell::output::{self, Shape, Shown};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// The morphology: an SWC or Neurolucida ASC file.
    file: PathBuf,
    /// How to cut it: "d_lambda", "d_lambda=0.05", "max_length=20" (µm) or "count=3" (for each branch).
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Resistivity of the cytoplasm, Ω·cm.
    #[arg(long, value_name = "X", default_value_t = 100.0)]
    resistivity: f64,
    /// Membrane capacitance, µF/cm².
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    capacitance: f64,
    /// File for a picture of the shape: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

pub fn show(arguments: &Arguments) -> Result<(), CliError> {
    let morphology = Morphology::load(&arguments.file)?;
    let mut lines = Vec::new();
    let mut orders: BTreeMap<usize, usize> = BTreeMap::new();
    for branch in 0..morphology.branches().len() {
        *orders.entry(morphology.branch_order(branch)).or_default() += 1;
    }
    let orders = orders
        .iter()
        .map(|(order, count)| format!("{count} of order {order}"));
    lines.push(("branches", orders.collect::<Vec<_>>().join(", ")));
    if let Some(policy) = &arguments.policy {
        lines.push(("cut", cut(&morphology, policy, arguments)?));
    }
    let warnings = morphology.warnings().iter().map(ToString::to_string);
    lines.push(("warnings", warnings.collect::<Vec<_>>().join("\n")));
    if let Some(path) = &arguments.plot {
        let title = arguments.file.file_name().unwrap_or_default();
        let shape = Shape {
            title: &title.to_string_lossy(),
            morphology: &morphology,
            shown: Shown::Types,
        };
        output::plot_shape(&shape, path)?;
        lines.push(("written", path.display().to_string()));
    }
    let summary = morphology.summary();
    print(&format!(
        "{}\n{summary}\n{}",
        arguments.file.display(),
        facts(&lines)
    ))
}

/// What the control volumes are like.
fn cut(morphology: &Morphology, text: &str, arguments: &Arguments) -> Result<String, CliError> {
    let refuse = |reason: String| CliError::Option {
        option: "--policy",
        reason,
    };
    let example = "write for example d_lambda, max_length=20 or count=3";
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => {
            let number = value.trim().parse::<f64>();
            let number =
                number.map_err(|_| refuse(format!("{value:?} is no number; {example}")))?;
            (name.trim(), Some(number))
        }
        None => (text.trim(), None),
    };
    let (resistivity, capacitance) = (arguments.resistivity, arguments.capacitance);
    let policy = match (name, value) {
        ("d_lambda", d) => Policy::DLambda {
            d: d.unwrap_or(0.1),
            frequency: 100.0,
            resistivity,
            capacitance,
        },
        ("max_length", Some(length)) => Policy::MaxLength(length),
        ("count", Some(n)) if n >= 1.0 && n.fract() == 0.0 => Policy::Count(n as usize),
        _ => return Err(refuse(format!("{text:?} is no policy; {example}"))),
    };
    let d = Discretisation::new(morphology.clone(), &policy.into(), resistivity);
    let d = d.map_err(|error| refuse(error.to_string()))?;
    let lengths = d.cvs().iter().map(|cv| cv.length);
    let (least, most) = lengths.fold((f64::INFINITY, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
    Ok(format!(
        "{} control volumes of {least:.3} to {most:.3} µm",
        d.cvs().len()
    ))
}
