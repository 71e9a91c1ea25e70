//! Clamps, probes and synapses at points of a cell.

use super::synapse::{Synapse, SynapticCurrent};
use super::{PER_AREA, Site};
use crate::discretisation::{Discretisation, Node};
use crate::membrane::{Identity, Membrane};
use braincell_core::input::Input;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    Domain, Launches, ModelBuilder, ModelError, Parameter, ParameterId, SignalId, Source, Target,
};
use braincell_core::real::Real;
use std::collections::BTreeMap;

/// A current into points, nA.
#[derive(Clone)]
pub(super) struct Clamp {
    pub name: String,
    pub sites: Vec<Site>,
    pub waveforms: Vec<Input>,
}

/// A recording of the potential at points.
#[derive(Clone)]
pub(super) struct Probe {
    pub name: String,
    pub sites: Vec<Site>,
}

/// A synapse at a point.
#[derive(Clone)]
pub(super) struct SynapseAt {
    pub name: String,
    pub site: Site,
    pub synapse: Synapse,
}

/// nA into µA/cm²
struct Density {
    area: f64,
}

impl Pointwise for Density {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, [current]: [R; 1]) -> [R; 1] {
        [current * (PER_AREA / self.area)]
    }
}

/// The domain of the junctions with their currents and potentials.
pub(super) struct Junctions {
    pub domain: Domain,
    pub current: SignalId,
    pub potential: SignalId,
    /// By point.
    pub numbers: BTreeMap<usize, u32>,
}

/// Launches of one kernel.
struct Planned {
    domain: Domain,
    kernel: std::sync::Arc<dyn braincell_core::kernel::Kernel>,
    inputs: Vec<Source>,
    outputs: Vec<Target>,
}

/// What is to be launched for the clamps, synapses and probes of a cell.
#[derive(Default)]
pub(super) struct Plan {
    /// Before the membrane equation.
    currents: Vec<Planned>,
    probes: Vec<Planned>,
}

/// What the points of a cell are declared with.
pub(super) struct Places<'a> {
    pub d: &'a Discretisation,
    pub membrane: &'a Membrane,
    pub junctions: Option<&'a Junctions>,
}

impl Places<'_> {
    fn junction(&self, point: usize) -> Result<(&Junctions, u32), ModelError> {
        let found = self
            .junctions
            .and_then(|j| Some((j, *j.numbers.get(&point)?)));
        found.ok_or_else(|| ModelError::Invalid(format!("point {point} is no junction")))
    }

    fn centre(&self, m: &mut ModelBuilder, name: &str, cv: usize) -> Result<Domain, ModelError> {
        m.subset(name, self.membrane.domain, &[cv as u32])
    }

    pub fn clamp(
        &self,
        m: &mut ModelBuilder,
        clamp: &Clamp,
        plan: &mut Plan,
    ) -> Result<(), ModelError> {
        let input = m.input(&clamp.name, "nA", clamp.waveforms.clone())?;
        for &site in &clamp.sites {
            plan.currents.push(match site {
                Site::Centre(cv) => Planned {
                    domain: self.centre(m, &clamp.name, cv)?,
                    kernel: pointwise(Density {
                        area: self.d.cvs()[cv].area,
                    }),
                    inputs: vec![Source::Signal(input)],
                    outputs: vec![Target::Signal(self.membrane.total)],
                },
                Site::Junction(point) => {
                    let (junctions, number) = self.junction(point)?;
                    Planned {
                        domain: m.subset(&clamp.name, junctions.domain, &[number])?,
                        kernel: pointwise(Identity),
                        inputs: vec![Source::Signal(input)],
                        outputs: vec![Target::Signal(junctions.current)],
                    }
                }
            });
        }
        Ok(())
    }

    pub fn synapse(
        &self,
        m: &mut ModelBuilder,
        at: &SynapseAt,
        plan: &mut Plan,
    ) -> Result<(), ModelError> {
        let SynapseAt {
            name,
            site,
            synapse,
        } = at;
        let parameter = |m: &mut ModelBuilder, key, unit, values: &_| {
            let parameter = Parameter::new(format!("{name}.{key}"), Clone::clone(values));
            let id: Result<ParameterId, ModelError> =
                m.parameter(Domain::CELL, parameter.with_unit(unit));
            id
        };
        let weight = parameter(m, "weight", "uS", &synapse.weight)?;
        let reversal = parameter(m, "E", "mV", &synapse.reversal)?;
        let s = m.input(&format!("{name}.s"), "", synapse.waveforms())?;
        let total = m.signal(Domain::CELL, &format!("{name}.I"), "nA")?;
        let around = match *site {
            Site::Centre(cv) => vec![(cv, 1.0)],
            Site::Junction(point) => neighbours(self.d, point),
        };
        let axial: f64 = around.iter().map(|(_, g)| g).sum();
        let resistance = match site {
            Site::Centre(_) => 0.0,
            Site::Junction(_) => 1.0 / axial,
        };
        for (cv, g) in around {
            plan.currents.push(Planned {
                domain: self.centre(m, name, cv)?,
                kernel: pointwise(SynapticCurrent {
                    share: g / axial,
                    area: self.d.cvs()[cv].area,
                    resistance,
                }),
                inputs: vec![
                    Source::State(self.membrane.v),
                    Source::Signal(s),
                    Source::Parameter(weight),
                    Source::Parameter(reversal),
                ],
                outputs: vec![Target::Signal(self.membrane.total), Target::Signal(total)],
            });
        }
        Ok(())
    }

    pub fn probe(
        &self,
        m: &mut ModelBuilder,
        probe: &Probe,
        plan: &mut Plan,
    ) -> Result<(), ModelError> {
        let (mut centres, mut points) = (Vec::new(), Vec::new());
        for &site in &probe.sites {
            match site {
                Site::Centre(cv) => centres.push(cv as u32),
                Site::Junction(point) => points.push(self.junction(point)?.1),
            }
        }
        let (domain, source) = match self.junctions {
            Some(junctions) if centres.is_empty() => (
                m.subset(&probe.name, junctions.domain, &points)?,
                Source::Signal(junctions.potential),
            ),
            _ => (
                m.subset(&probe.name, self.membrane.domain, &centres)?,
                Source::State(self.membrane.v),
            ),
        };
        let signal = m.signal(domain, &probe.name, "mV")?;
        plan.probes.push(Planned {
            domain,
            kernel: pointwise(Identity),
            inputs: vec![source],
            outputs: vec![Target::Signal(signal)],
        });
        Ok(())
    }
}

impl Plan {
    /// Adds to the membrane current and to the currents into junctions.
    pub fn launch_currents(&self, k: &mut Launches) -> Result<(), ModelError> {
        launch(k, &self.currents)
    }

    pub fn launch_probes(&self, k: &mut Launches) -> Result<(), ModelError> {
        launch(k, &self.probes)
    }
}

fn launch(k: &mut Launches, planned: &[Planned]) -> Result<(), ModelError> {
    for p in planned {
        k.launch(p.domain, p.kernel.clone(), &p.inputs, &p.outputs)?;
    }
    Ok(())
}

/// The control volumes around a junction, with the axial conductances between them, µS.
fn neighbours(d: &Discretisation, point: usize) -> Vec<(usize, f64)> {
    let edges = d.edges().iter().filter_map(|edge| {
        let other = match point {
            p if p == edge.parent => edge.child,
            p if p == edge.child => edge.parent,
            _ => return None,
        };
        match d.nodes()[other] {
            Node::Centre(cv) => Some((cv, edge.conductance)),
            Node::Boundary => None,
        }
    });
    edges.collect()
}
