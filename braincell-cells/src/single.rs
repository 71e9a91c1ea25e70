//! Cells of one compartment.

use crate::mechanisms;
use crate::membrane::{self, Description, Membrane, Painted};
use crate::placed::{CellError, Placed};
use braincell_core::input::Input;
use braincell_core::model::{
    DiffEqModule, Domain, Launches, Model, ModelBuilder, ModelError, SignalId, Values,
};

/// A cell of one compartment: C dV/dt = Σ I + input, currents positive into the cell.
///
/// ```
/// use braincell_cells::SingleCompartment;
/// use braincell_core::input::Input;
/// use braincell_core::model::Model;
///
/// let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 5.0, 45.0));
/// let model = Model::new(&cell)?;
/// assert_eq!(model.state_names(), ["V", "na.m", "na.h", "k.n"]);
/// # Ok::<(), braincell_core::model::ModelError>(())
/// ```
#[derive(Clone)]
pub struct SingleCompartment {
    capacitance: Values,
    initial: Values,
    mechanisms: Vec<Placed>,
    inputs: Vec<(String, Vec<Input>)>,
}

impl Default for SingleCompartment {
    fn default() -> Self {
        Self::new()
    }
}

impl SingleCompartment {
    /// A bare membrane of 1 µF/cm² at -65 mV.
    pub fn new() -> Self {
        Self {
            capacitance: Values::Uniform(1.0),
            initial: Values::Uniform(-65.0),
            mechanisms: Vec::new(),
            inputs: Vec::new(),
        }
    }

    /// The classic membrane of Hodgkin and Huxley: mechanisms "na", "k" and "leak" with their published parameters.
    pub fn hodgkin_huxley() -> Self {
        let built_in = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")];
        built_in
            .into_iter()
            .fold(Self::new(), |cell, (label, name)| {
                let mechanism = mechanisms::find(name).expect("a built-in mechanism");
                cell.mechanism(Placed::new(label, mechanism))
            })
    }

    /// A thalamic relay neuron with 11 state variables, -65 mV and 0.24 µM of calcium at the start.
    ///
    /// Its currents are "INa" (na_ba2002), "IKL" (k_leak), "IDR" (kdr_ba2002), "ICaL" (cal_is2008), "ICaT"
    /// (cat_hm1992), "IAHP" (ahp_de1994), "Ih" (hcn_hm1992) and "IL" (leak); "Ca" (calcium_detailed) is the pool that
    /// "ICaL" and "ICaT" fill and "IAHP" senses. It fires tonically when depolarised from rest, and in a rebound burst
    /// of low-threshold calcium current when released from hyperpolarisation.
    ///
    /// ```
    /// use braincell_cells::SingleCompartment;
    /// use braincell_core::model::Model;
    ///
    /// let model = Model::new(&SingleCompartment::thalamic_relay())?;
    /// assert_eq!(
    ///     model.state_names(),
    ///     ["V", "INa.p", "INa.q", "IDR.p", "ICaL.p", "ICaL.q", "ICaT.p", "ICaT.q", "IAHP.p", "Ih.p", "Ca.c_in"]
    /// );
    /// # Ok::<(), braincell_core::model::ModelError>(())
    /// ```
    pub fn thalamic_relay() -> Self {
        let build = || -> Result<Self, CellError> {
            let new = |label: &str, name: &str| {
                mechanisms::find(name).map(|mechanism| Placed::new(label, mechanism))
            };
            let leak = new("IL", "leak")?;
            Ok(Self::new()
                .mechanism(new("INa", "na_ba2002")?.with("V_sh", -30.0)?)
                .mechanism(new("IKL", "k_leak")?)
                // Two to the power (16 °C - 36 °C) / 10 °C.
                .mechanism(
                    new("IDR", "kdr_ba2002")?
                        .with("V_sh", -30.0)?
                        .with("phi", 0.25)?,
                )
                .mechanism(new("ICaL", "cal_is2008")?)
                .mechanism(new("ICaT", "cat_hm1992")?)
                .mechanism(new("IAHP", "ahp_de1994")?)
                .mechanism(new("Ih", "hcn_hm1992")?)
                .mechanism(leak.with("g_max", 0.0075)?.with("E", -70.0)?)
                .mechanism(new("Ca", "calcium_detailed")?))
        };
        build().expect("built-in mechanisms have the parameters that they name")
    }

    /// With a membrane capacitance, µF/cm².
    pub fn capacitance(mut self, capacitance: impl Into<Values>) -> Self {
        self.capacitance = capacitance.into();
        self
    }

    /// With an initial membrane potential, mV.
    pub fn initial_voltage(mut self, voltage: impl Into<Values>) -> Self {
        self.initial = voltage.into();
        self
    }

    /// With a mechanism.
    pub fn mechanism(mut self, mechanism: Placed) -> Self {
        self.mechanisms.push(mechanism);
        self
    }

    /// With a current into the cell, µA/cm², the same in every cell of a population.
    pub fn input(self, name: impl Into<String>, current: Input) -> Self {
        self.inputs(name, vec![current])
    }

    /// With currents into the cells of a population, µA/cm², one for each.
    pub fn inputs(mut self, name: impl Into<String>, currents: Vec<Input>) -> Self {
        self.inputs.push((name.into(), currents));
        self
    }

    /// The model of a population of `cells` such cells.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn population(&self, cells: usize) -> Result<Model, ModelError> {
        Model::population(self, cells)
    }
}

/// Handles of a [`SingleCompartment`].
pub struct CellHandles {
    painted: Vec<Painted>,
    membrane: Membrane,
    inputs: Vec<SignalId>,
}

impl DiffEqModule for SingleCompartment {
    type Handles = CellHandles;

    fn declare(&self, m: &mut ModelBuilder) -> Result<CellHandles, ModelError> {
        let description = Description {
            initial: self.initial.clone(),
            capacitance: self.capacitance.clone(),
            mechanisms: self.mechanisms.iter().map(Painted::single).collect(),
        };
        let membrane = membrane::declare(m, Domain::CELL, 1, &description)?;
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|(name, waves)| m.input(name, "uA/cm2", waves.clone()));
        let inputs = inputs.collect::<Result<_, _>>()?;
        Ok(CellHandles {
            painted: description.mechanisms,
            membrane,
            inputs,
        })
    }

    fn compute_derivative(
        &self,
        handles: &CellHandles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        handles
            .membrane
            .launch(k, &handles.painted, &handles.inputs)
    }
}
