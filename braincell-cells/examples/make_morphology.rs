//! Makes a random neuron, prints its summary, and writes it as SWC to the path given, or to standard output.
//!
//! `examples/morphology/branched.swc` was made by
//! `cargo run -p braincell-cells --example make_morphology -- examples/morphology/branched.swc`.

use braincell_cells::morphology::{swc, synthetic};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parameters = synthetic::Neuron {
        seed: 2,
        ..Default::default()
    };
    let neuron = synthetic::neuron(&parameters)?;
    eprintln!("{}", neuron.summary());
    let comment = format!(
        "A synthetic neuron, not a reconstruction: soma, dendrites with Rall's 3/2 power law at the forks, axon.\n\
         Made by `cargo run -p braincell-cells --example make_morphology` with the parameters\n{parameters:#?}"
    );
    let text = swc::write(&neuron, &comment)?;
    match std::env::args_os().nth(1) {
        Some(path) => std::fs::write(path, text)?,
        None => print!("{text}"),
    }
    Ok(())
}
