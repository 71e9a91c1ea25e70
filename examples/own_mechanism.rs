//! A mechanism of one's own: a muscarinic (M) potassium current slows the firing of the Hodgkin-Huxley neuron.
//!
//! Kinetics: W. M. Yamada, C. Koch, P. R. Adams, Multiple channels and calcium dynamics, in: Methods in Neuronal
//! Modeling, MIT Press (1989).

use braincell::cells::{Channel, ChannelInfo, Local, Mechanism, Placed, SingleCompartment};
use braincell::cells::{mechanism::parameter, rates};
use braincell::input::Input;
use braincell::kernel::Relaxation;
use braincell::model::Model;
use braincell::real::Real;
use braincell::simulation::Setup;

/// I = g_max p (E - V), with p∞ = 1 / (1 + e^(-(V + 35)/10)) and τ = τ_max / (3.3 e^((V+35)/20) + e^(-(V+35)/20)).
struct Muscarinic;

impl Channel<1, 3> for Muscarinic {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "muscarinic",
            description: "Slow non-inactivating potassium current",
            reference: "Yamada, Koch & Adams 1989",
            ion: Some("k"),
            senses: None,
            gates: &["p"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 0.5, "maximal conductance"),
                parameter("E", "mV", -77.0, "reversal potential"),
                parameter("tau_max", "ms", 1000.0, "scale of the time constant"),
            ],
        }
    }
    fn rates<R: Real>(&self, at: Local<R>, [_, _, tau_max]: [R; 3]) -> [Relaxation<R>; 1] {
        let steady = rates::sigmoid(at.v, 1.0, -35.0, 10.0);
        let slowness = rates::exponential(at.v, 3.3, -35.0, 20.0)
            + rates::exponential(at.v, 1.0, -35.0, -20.0);
        [Relaxation::relaxing(steady, tau_max / slowness)]
    }
    fn current<R: Real>(&self, at: Local<R>, [p]: [R; 1], [g_max, _, _]: [R; 3]) -> R {
        g_max * p * (at.reversal - at.v)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for g_max in [0.0, 0.5] {
        let muscarinic = Placed::new("m", Mechanism::channel(Muscarinic)?).with("g_max", g_max)?;
        let cell = SingleCompartment::hodgkin_huxley()
            .mechanism(muscarinic)
            .input("stimulus", Input::step(10.0, 5.0, 200.0));
        let setup = Setup::new("rk4", 0.025).spikes("V", 0.0);
        let mut run = setup.start::<f64>(braincell::solvers(), &Model::new(&cell)?)?;
        run.run(200.0)?;
        println!(
            "g_max = {g_max} mS/cm²: spikes at {:.1?} ms",
            run.recording().spikes()[0].times
        );
    }
    Ok(())
}
