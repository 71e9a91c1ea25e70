//! Branched cells.

mod layers;
mod places;
mod synapse;
mod wiring;

pub use synapse::Synapse;

use crate::discretisation::{Discretisation, Location, Node};
use crate::distribution::Distribution;
use crate::membrane::{self, Description, Membrane, Painted};
use crate::morphology::Region;
use crate::placed::{CellError, Placed};
use braincell_core::input::Input;
use braincell_core::model::{
    Cable, DiffEqModule, Launches, Model, ModelBuilder, ModelError, Parameter, Resistivity, Values,
};
use layers::Layers;
use places::{Clamp, Junctions, Places, Plan, Probe, SynapseAt};
use std::collections::BTreeSet;
use std::sync::Arc;

/// 1 nA/µm² in µA/cm².
const PER_AREA: f64 = 1e5;

/// A point of the tree: the centre of a control volume, or a junction, by its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    Centre(usize),
    Junction(usize),
}

/// A branched cell: C_i dV_i/dt = Σ I + input + Σ_j g_ij (V_j - V_i) / A_i in every control volume, currents positive
/// into the cell.
///
/// Element k of the potential "V" is control volume k of the discretisation. A mechanism lives on the control volumes
/// that its region touches, in ascending order: element 0 of "na.m" is the first of them.
///
/// ```
/// use braincell_cells::{MultiCompartment, Placed, mechanisms};
/// use braincell_cells::discretisation::{Discretisation, Location, Policy};
/// use braincell_cells::morphology::{BranchType, Region, builders};
/// use braincell_core::input::Input;
/// use braincell_core::model::Model;
///
/// let shape = builders::ball_and_stick(10.0, 200.0, 1.0)?;
/// let cut = Discretisation::new(shape, &Policy::MaxLength(60.0).into(), 100.0)?;
/// let new = |label: &str, name: &str| mechanisms::find(name).map(|m| Placed::new(label, m));
/// let cell = MultiCompartment::new(cut)
///     .paint(Region::all(), new("leak", "leak")?)?
///     .paint(Region::of_type(BranchType::Soma), new("na", "na_hh1952")?)?
///     .paint(Region::of_type(BranchType::Soma), new("k", "k_hh1952")?)?
///     .clamp("stimulus", Location::At { branch: 0, x: 0.5 }, Input::step(0.1, 5.0, 45.0))?
///     .probe("V_tip", Location::At { branch: 1, x: 1.0 })?;
/// let model = Model::new(&cell)?;
/// assert_eq!(model.state_names(), ["V", "na.m", "na.h", "k.n"]);
/// assert_eq!((model.elements("V")?, model.elements("na.m")?), (6, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MultiCompartment {
    discretisation: Arc<Discretisation>,
    capacitance: Vec<(Region, Distribution)>,
    initial: Vec<(Region, Distribution)>,
    /// The control volumes of each region with a resistivity of its own.
    resistive: Vec<Vec<usize>>,
    painted: Vec<(Region, Placed)>,
    clamps: Vec<Clamp>,
    probes: Vec<Probe>,
    synapses: Vec<SynapseAt>,
}

impl MultiCompartment {
    /// A bare membrane of 1 µF/cm² at -65 mV.
    pub fn new(discretisation: impl Into<Arc<Discretisation>>) -> Self {
        Self {
            discretisation: discretisation.into(),
            capacitance: vec![(Region::all(), 1.0.into())],
            initial: vec![(Region::all(), (-65.0).into())],
            resistive: Vec::new(),
            painted: Vec::new(),
            clamps: Vec::new(),
            probes: Vec::new(),
            synapses: Vec::new(),
        }
    }

    /// The morphology and its control volumes.
    pub fn discretisation(&self) -> &Discretisation {
        &self.discretisation
    }

    /// With a membrane capacitance in a region, µF/cm². Where regions overlap the last one counts; a control volume in
    /// which several meet has their mean by area.
    ///
    /// # Errors
    /// A region that cannot be evaluated or is empty.
    pub fn capacitance(
        mut self,
        region: Region,
        capacitance: impl Into<Distribution>,
    ) -> Result<Self, CellError> {
        self.check_region("C", &region)?;
        self.capacitance.push((region, capacitance.into()));
        Ok(self)
    }

    /// With an initial membrane potential in a region, mV; regions as in [`MultiCompartment::capacitance`].
    ///
    /// # Errors
    /// A region that cannot be evaluated or is empty.
    pub fn initial_voltage(
        mut self,
        region: Region,
        voltage: impl Into<Distribution>,
    ) -> Result<Self, CellError> {
        self.check_region("V", &region)?;
        self.initial.push((region, voltage.into()));
        Ok(self)
    }

    /// With a resistivity of the cytoplasm, Ω·cm, in the control volumes whose centre lies in a region. Where regions overlap
    /// the last one counts. The parameter "resistivity" of the model then has a value for each control volume.
    ///
    /// # Errors
    /// A region that cannot be evaluated or without such centres; a resistivity that is not usable.
    pub fn resistivity(mut self, region: Region, resistivity: f64) -> Result<Self, CellError> {
        let d = Arc::make_mut(&mut self.discretisation);
        let places = d
            .places(&Location::Centres(region))
            .map_err(|error| region_error("resistivity", error))?;
        if places.is_empty() {
            let name = "resistivity".to_string();
            return Err(CellError::NothingCovered { name });
        }
        let cvs = places.into_iter().map(|(branch, x)| d.cv_at(branch, x));
        let cvs: Result<Vec<usize>, _> = cvs.collect();
        let cvs = cvs.map_err(|error| region_error("resistivity", error))?;
        let mut all: Vec<f64> = d.cvs().iter().map(|cv| cv.resistivity).collect();
        cvs.iter().for_each(|&cv| all[cv] = resistivity);
        d.set_resistivity(&all)?;
        self.resistive.push(cvs);
        Ok(self)
    }

    /// With a mechanism in a region.
    ///
    /// In a control volume that the region covers in part, the current acts on that part of the area, as the
    /// parameter "label.cover" says.
    ///
    /// A label may be painted on several regions, with different values of the parameters. It is one mechanism then,
    /// whose parameters differ from control volume to control volume. Where the regions overlap, the last one counts;
    /// in a control volume in which several of them meet, parameters have their mean by area. Use several labels
    /// to keep them apart.
    ///
    /// A channel uses the pool of its ion where the pool covers all control volumes of the channel.
    ///
    /// # Errors
    /// A region that cannot be evaluated or is empty; a label that stands for another mechanism already.
    pub fn paint(mut self, region: Region, mechanism: Placed) -> Result<Self, CellError> {
        let label = &mechanism.label;
        self.check_region(label, &region)?;
        let title = |p: &Placed| match &p.solver {
            Some((solver, n)) => format!("{} advanced by {solver} in {n}", p.mechanism.name()),
            None => p.mechanism.name().to_string(),
        };
        let same = self.painted.iter().find(|(_, p)| p.label == *label);
        if let Some((_, first)) = same
            && title(first) != title(&mechanism)
        {
            return Err(CellError::LabelTaken {
                label: label.clone(),
                first: title(first),
                second: title(&mechanism),
            });
        }
        self.painted.push((region, mechanism));
        Ok(self)
    }

    /// With a current into each place of a location, nA, the same in every cell of a population. A current at a branch
    /// end or branch point acts there.
    ///
    /// # Errors
    /// A location that cannot be evaluated or has no places.
    pub fn clamp(
        self,
        name: impl Into<String>,
        location: Location,
        current: Input,
    ) -> Result<Self, CellError> {
        self.clamps(name, location, vec![current])
    }

    /// With currents into each place of a location, nA, one for each cell of a population.
    ///
    /// # Errors
    /// A location that cannot be evaluated or has no places.
    pub fn clamps(
        mut self,
        name: impl Into<String>,
        location: Location,
        waveforms: Vec<Input>,
    ) -> Result<Self, CellError> {
        let name = name.into();
        let sites = self.sites(&name, &location)?;
        self.clamps.push(Clamp {
            name,
            sites,
            waveforms,
        });
        Ok(self)
    }

    /// With a signal of that name: the potential at the places of a location, mV. At a branch end or branch point it is
    /// the potential there, which follows from those around.
    ///
    /// # Errors
    /// A location that cannot be evaluated, has no places, or has centres of control volumes as well as branch ends.
    pub fn probe(mut self, name: impl Into<String>, location: Location) -> Result<Self, CellError> {
        let name = name.into();
        let sites = self.sites(&name, &location)?;
        let centres = sites.iter().filter(|s| matches!(s, Site::Centre(_)));
        if ![0, sites.len()].contains(&centres.count()) {
            return Err(CellError::Places {
                name,
                found: sites.len(),
                wanted: "they must be all inside branches or all at branch ends",
            });
        }
        self.probes.push(Probe { name, sites });
        Ok(self)
    }

    /// With a synapse at a location of one place.
    ///
    /// The parameters "name.weight" (µS) and "name.E" (mV) are those of the synapse; "name.I" is its current (nA).
    ///
    /// # Errors
    /// A location that cannot be evaluated or has not exactly one place.
    pub fn synapse(
        mut self,
        name: impl Into<String>,
        location: Location,
        synapse: Synapse,
    ) -> Result<Self, CellError> {
        let name = name.into();
        match self.sites(&name, &location)?[..] {
            [site] => self.synapses.push(SynapseAt {
                name,
                site,
                synapse,
            }),
            ref sites => {
                return Err(CellError::Places {
                    name,
                    found: sites.len(),
                    wanted: "a synapse has one; add a synapse for each",
                });
            }
        }
        Ok(self)
    }

    /// The model of a population of `cells` such cells.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn population(&self, cells: usize) -> Result<Model, ModelError> {
        Model::population(self, cells)
    }

    /// How much the parameters of the mechanism painted as number `k`, from 0, count in each control volume of its label:
    /// 1 where nothing of that label was painted over it, 0 outside of its region, and its part of the covered area where
    /// regions meet in one control volume. A parameter that is x there and has other values elsewhere changes by
    /// share · dx. `None` if fewer mechanisms have been painted.
    ///
    /// # Errors
    /// A region that cannot be evaluated.
    pub fn painted_share(&self, k: usize) -> Result<Option<Vec<f64>>, CellError> {
        let Some((_, painted)) = self.painted.get(k) else {
            return Ok(None);
        };
        let of_label = |(_, placed): &&(Region, Placed)| placed.label == painted.label;
        let regions: Vec<&Region> = (self.painted.iter().filter(of_label))
            .map(|(region, _)| region)
            .collect();
        let layer = self.painted[..k].iter().filter(of_label).count();
        self.share(&painted.label, &regions, layer).map(Some)
    }

    /// As [`MultiCompartment::painted_share`], of the capacitance that was given as number `k`, from 0, and in all control
    /// volumes.
    ///
    /// # Errors
    /// A region that cannot be evaluated.
    pub fn capacitance_share(&self, k: usize) -> Result<Option<Vec<f64>>, CellError> {
        // The first one is the default.
        if k + 1 >= self.capacitance.len() {
            return Ok(None);
        }
        let regions: Vec<&Region> = self.capacitance.iter().map(|(region, _)| region).collect();
        self.share("C", &regions, k + 1).map(Some)
    }

    /// As [`MultiCompartment::painted_share`], of the resistivity that was given for a region as number `k`, from 0, and in all
    /// control volumes: 1 where it counts, 0 elsewhere.
    pub fn resistivity_share(&self, k: usize) -> Option<Vec<f64>> {
        let mut shares = vec![0.0; self.discretisation.cvs().len()];
        self.resistive
            .get(k)?
            .iter()
            .for_each(|&cv| shares[cv] = 1.0);
        let later = self.resistive[k + 1..].iter().flatten();
        later.for_each(|&cv| shares[cv] = 0.0);
        Some(shares)
    }

    fn share(&self, name: &str, regions: &[&Region], layer: usize) -> Result<Vec<f64>, CellError> {
        let layers = Layers::new(&self.discretisation, regions);
        let layers = layers.map_err(|error| region_error(name, error))?;
        Ok(layers.share(layer))
    }

    fn check_region(&self, name: &str, region: &Region) -> Result<(), CellError> {
        let covered = self.discretisation.coverage(region);
        match covered
            .map_err(|error| region_error(name, error))?
            .is_empty()
        {
            true => Err(CellError::NothingCovered { name: name.into() }),
            false => Ok(()),
        }
    }

    fn sites(&self, name: &str, location: &Location) -> Result<Vec<Site>, CellError> {
        let d = &self.discretisation;
        let nodes = d.nodes_of(location);
        let mut nodes = nodes.map_err(|error| region_error(name, error))?;
        nodes.dedup();
        if nodes.is_empty() {
            return Err(CellError::Places {
                name: name.to_string(),
                found: 0,
                wanted: "it needs one at least",
            });
        }
        let site = |node| match d.nodes()[node] {
            Node::Centre(cv) => Site::Centre(cv),
            Node::Boundary => Site::Junction(node),
        };
        Ok(nodes.into_iter().map(site).collect())
    }

    /// A quantity that is there in every control volume.
    fn everywhere(
        &self,
        name: &str,
        quantity: &[(Region, Distribution)],
        cells: usize,
    ) -> Result<Values, ModelError> {
        let regions: Vec<&Region> = quantity.iter().map(|(region, _)| region).collect();
        let layers = Layers::new(&self.discretisation, &regions).map_err(invalid)?;
        let distributions: Vec<Distribution> = quantity.iter().map(|(_, x)| x.clone()).collect();
        layers.values(&self.discretisation, name, &distributions, cells)
    }

    /// The mechanisms, one for each label, in the order in which the labels were painted first.
    fn mechanisms(&self, cells: usize) -> Result<Vec<Painted>, ModelError> {
        let mut labels: Vec<&str> = Vec::new();
        for (_, placed) in &self.painted {
            if !labels.contains(&placed.label.as_str()) {
                labels.push(&placed.label);
            }
        }
        let one = |label: &&str| {
            let parts = self.painted.iter().filter(|(_, p)| p.label == **label);
            let (regions, placed): (Vec<&Region>, Vec<&Placed>) =
                parts.map(|(region, placed)| (region, placed)).unzip();
            let layers = Layers::new(&self.discretisation, &regions).map_err(invalid)?;
            let mechanism = &placed[0].mechanism;
            let given = mechanism.info.parameters.iter().enumerate().map(|(k, p)| {
                if placed.iter().all(|placed| placed.values[k].is_none()) {
                    return Ok(None);
                }
                let name = format!("{label}.{}", p.name);
                let distributions: Vec<Distribution> =
                    placed.iter().map(|placed| placed.value(k)).collect();
                let values = layers.values(&self.discretisation, &name, &distributions, cells)?;
                Ok(Some(values))
            });
            Ok(Painted {
                label: label.to_string(),
                mechanism: mechanism.clone(),
                given: given.collect::<Result<_, ModelError>>()?,
                elements: layers.elements,
                cover: layers.cover,
                solver: placed[0].solver.clone(),
                by_default: placed[0].by_default,
            })
        };
        labels.iter().map(one).collect()
    }
}

fn region_error(name: &str, error: crate::morphology::RegionError) -> CellError {
    let name = name.to_string();
    CellError::Region { name, error }
}

fn invalid(error: crate::morphology::RegionError) -> ModelError {
    ModelError::Invalid(error.to_string())
}

/// Handles of a [`MultiCompartment`].
pub struct MultiHandles {
    painted: Vec<Painted>,
    membrane: Membrane,
    plan: Plan,
}

impl DiffEqModule for MultiCompartment {
    type Handles = MultiHandles;

    fn declare(&self, m: &mut ModelBuilder) -> Result<MultiHandles, ModelError> {
        let d = &*self.discretisation;
        let (cells, compartments) = (m.cells(), d.cvs().len());
        let description = Description {
            initial: self.everywhere("V", &self.initial, cells)?,
            capacitance: self.everywhere("C", &self.capacitance, cells)?,
            mechanisms: self.mechanisms(cells)?,
        };
        let domain = m.domain("compartment", compartments)?;
        let membrane = membrane::declare(m, domain, compartments, &description)?;

        let clamps = self.clamps.iter().flat_map(|c| &c.sites);
        let probes = self.probes.iter().flat_map(|p| &p.sites);
        let needed = clamps.chain(probes).filter_map(|site| match site {
            Site::Junction(point) => Some(*point),
            Site::Centre(_) => None,
        });
        let wiring = wiring::wire(d, &needed.collect::<BTreeSet<usize>>());
        let conductances = wiring.conductances(|cv| d.cvs()[cv].resistivity);
        let resistivity = match (&self.resistive[..], d.cvs()) {
            ([], [first, rest @ ..])
                if rest.iter().all(|cv| cv.resistivity == first.resistivity) =>
            {
                Values::Uniform(first.resistivity)
            }
            (_, all) => Values::PerElement(all.iter().map(|cv| cv.resistivity).collect()),
        };
        let resistivity = Parameter::new("resistivity", resistivity).with_unit("ohm cm");
        let resistivity = m.parameter(domain, resistivity)?;
        let junctions = match wiring.junctions.len() {
            0 => None,
            count => {
                let domain = m.domain("junction", count)?;
                Some(Junctions {
                    domain,
                    current: m.signal(domain, "I_junction", "nA")?,
                    potential: m.signal(domain, "V_junction", "mV")?,
                    numbers: wiring.junctions,
                })
            }
        };
        m.cable(Cable {
            voltage: membrane.v,
            capacitance: membrane.capacitance,
            area: d.cvs().iter().map(|cv| cv.area).collect(),
            nodes: wiring.nodes,
            parents: wiring.parents,
            conductances,
            current: junctions.as_ref().map(|j| j.current),
            potential: junctions.as_ref().map(|j| j.potential),
        })?;
        m.resistivity(Resistivity {
            parameter: resistivity,
            parts: wiring.parts,
        })?;

        let mut plan = Plan::default();
        let places = Places {
            d,
            membrane: &membrane,
            junctions: junctions.as_ref(),
        };
        for clamp in &self.clamps {
            places.clamp(m, clamp, &mut plan)?;
        }
        for synapse in &self.synapses {
            places.synapse(m, synapse, &mut plan)?;
        }
        for probe in &self.probes {
            places.probe(m, probe, &mut plan)?;
        }
        Ok(MultiHandles {
            painted: description.mechanisms,
            membrane,
            plan,
        })
    }

    fn compute_derivative(
        &self,
        handles: &MultiHandles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        handles.plan.launch_currents(k)?;
        handles.membrane.launch(k, &handles.painted, &[])?;
        handles.plan.launch_probes(k)
    }
}
