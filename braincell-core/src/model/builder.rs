//! Recording the declarations of a model.

use super::cable::check_capacitance;
use super::{
    Cable, CableInfo, DiffEqState, Domain, DomainInfo, Group, Launches, Model, ModelError,
    Parameter, ParameterId, ParameterInfo, Phase, Resistivity, SignalId, SignalInfo, StateId,
    StateInfo, unknown,
};
use crate::input::Input;
use std::collections::HashSet;
use std::sync::Arc;

/// Records the declarations of a model.
pub struct ModelBuilder {
    model: Model,
    names: HashSet<String>,
    group: usize,
}

impl ModelBuilder {
    pub(super) fn new(cells: usize) -> Result<Self, ModelError> {
        if cells == 0 {
            return Err(ModelError::Empty(
                "the population has no cells; ask for at least one".to_string(),
            ));
        }
        let cell = DomainInfo {
            name: "cell".to_string(),
            rows: 1,
            within: None,
        };
        let parent = Group {
            name: "model".to_string(),
            solver: None,
            by_default: false,
        };
        Ok(Self {
            model: Model {
                cells,
                domains: vec![cell],
                states: Vec::new(),
                parameters: Vec::new(),
                signals: Vec::new(),
                launches: Vec::new(),
                groups: vec![parent],
                cable: None,
            },
            names: HashSet::new(),
            group: 0,
        })
    }

    /// Number of cells of the population.
    pub fn cells(&self) -> usize {
        self.model.cells
    }

    /// Declares a domain of `elements` elements per cell.
    ///
    /// # Errors
    /// If there are none, or too many to index.
    pub fn domain(&mut self, name: &str, elements: usize) -> Result<Domain, ModelError> {
        self.add_domain(name, elements, None)
    }

    /// Declares the part of a domain that consists of the given elements.
    ///
    /// # Errors
    /// If there are none, or one is not in the domain or listed twice.
    pub fn subset(
        &mut self,
        name: &str,
        of: Domain,
        elements: &[u32],
    ) -> Result<Domain, ModelError> {
        self.belongs(of)?;
        let rows = self.model.domains[of.0].rows;
        let mut seen = HashSet::new();
        for &e in elements {
            if e as usize >= rows || !seen.insert(e) {
                return Err(ModelError::Invalid(format!(
                    "domain \"{name}\" lists element {e}, which is there twice or beyond the {rows} elements of \"{}\"",
                    self.model.domains[of.0].name
                )));
            }
        }
        self.add_domain(name, elements.len(), Some((of, elements.into())))
    }

    fn add_domain(
        &mut self,
        name: &str,
        rows: usize,
        within: Option<(Domain, Arc<[u32]>)>,
    ) -> Result<Domain, ModelError> {
        if rows == 0 || rows > u32::MAX as usize {
            return Err(ModelError::Empty(format!(
                "domain \"{name}\" has {rows} elements; it needs between 1 and {}",
                u32::MAX
            )));
        }
        let name = name.to_string();
        self.model.domains.push(DomainInfo { name, rows, within });
        Ok(Domain(self.model.domains.len() - 1))
    }

    /// Whether a domain is one of this model.
    fn belongs(&self, domain: Domain) -> Result<(), ModelError> {
        foreign("domain", domain.0, self.model.domains.len())
    }

    /// Declares a state on a domain.
    ///
    /// # Errors
    /// If the name is taken, or the initial values do not fit the domain, are not finite or not within the bounds.
    pub fn state(&mut self, domain: Domain, state: DiffEqState) -> Result<StateId, ModelError> {
        self.belongs(domain)?;
        self.claim(&state.name)?;
        let rows = self.model.domains[domain.0].rows;
        let cells = self.model.cells;
        state
            .value
            .check("initial value of state", &state.name, rows, cells)?;
        state.check_bounds()?;
        self.model.states.push(StateInfo {
            state,
            domain,
            group: self.group,
            derivative: false,
        });
        Ok(StateId(self.model.states.len() - 1))
    }

    /// Declares a parameter on a domain.
    ///
    /// # Errors
    /// If the name is taken, or the values do not fit the domain or are not finite.
    pub fn parameter(
        &mut self,
        domain: Domain,
        parameter: Parameter,
    ) -> Result<ParameterId, ModelError> {
        self.belongs(domain)?;
        self.claim(&parameter.name)?;
        let rows = self.model.domains[domain.0].rows;
        let cells = self.model.cells;
        parameter
            .value
            .check("parameter", &parameter.name, rows, cells)?;
        self.model
            .parameters
            .push(ParameterInfo { parameter, domain });
        Ok(ParameterId(self.model.parameters.len() - 1))
    }

    /// Declares a signal: a sum of kernel results that other kernels read.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn signal(
        &mut self,
        domain: Domain,
        name: &str,
        unit: &str,
    ) -> Result<SignalId, ModelError> {
        self.add_signal(domain, name, unit, None)
    }

    /// Declares an input from outside: a waveform for all cells, or one per cell.
    ///
    /// # Errors
    /// If the name is taken, the number of waveforms is neither one nor the number of cells, or a waveform is
    /// malformed.
    pub fn input(
        &mut self,
        name: &str,
        unit: &str,
        waveforms: Vec<Input>,
    ) -> Result<SignalId, ModelError> {
        let cells = self.model.cells;
        if waveforms.len() != 1 && waveforms.len() != cells {
            return Err(ModelError::Length {
                name: name.to_string(),
                given: waveforms.len(),
                wanted: format!("one waveform for all or one for each of {cells} cells is needed"),
            });
        }
        for input in &waveforms {
            input.check().map_err(|error| ModelError::Input {
                name: name.to_string(),
                error,
            })?;
        }
        self.add_signal(Domain::CELL, name, unit, Some(waveforms))
    }

    fn add_signal(
        &mut self,
        domain: Domain,
        name: &str,
        unit: &str,
        input: Option<Vec<Input>>,
    ) -> Result<SignalId, ModelError> {
        self.belongs(domain)?;
        self.claim(name)?;
        let (name, unit) = (name.to_string(), unit.to_string());
        self.model.signals.push(SignalInfo {
            name,
            unit,
            domain,
            input,
        });
        Ok(SignalId(self.model.signals.len() - 1))
    }

    /// Couples a membrane potential along a tree. A model has at most one cable.
    ///
    /// # Errors
    /// If the cable is malformed or a second one, or its signals do not live on the junctions.
    pub fn cable(&mut self, cable: Cable) -> Result<(), ModelError> {
        let model = &self.model;
        if model.cable.is_some() {
            return Err(ModelError::Invalid(
                "the model has a second cable; it can have one".to_string(),
            ));
        }
        foreign("state", cable.voltage.0, model.states.len())?;
        foreign("parameter", cable.capacitance.0, model.parameters.len())?;
        for signal in cable.current.iter().chain(&cable.potential) {
            foreign("signal", signal.0, model.signals.len())?;
        }
        let domain = model.states[cable.voltage.0].domain;
        let capacitance = &model.parameters[cable.capacitance.0];
        if capacitance.domain != domain && capacitance.domain != Domain::CELL {
            return Err(ModelError::Invalid(format!(
                "the capacitance \"{}\" of the cable must live on the domain of the potential or on the cell",
                capacitance.parameter.name
            )));
        }
        check_capacitance(&capacitance.parameter.name, &capacitance.parameter.value)?;
        let info = CableInfo::new(cable, model.domains[domain.0].rows)?;
        for signal in [info.cable.current, info.cable.potential] {
            let Some(signal) = signal else { continue };
            let signal = &model.signals[signal.0];
            let rows = model.domains[signal.domain.0].rows;
            if rows != info.junctions {
                return Err(ModelError::Invalid(format!(
                    "signal \"{}\" of the cable lives on {rows} elements; there are {} junctions",
                    signal.name, info.junctions
                )));
            }
        }
        self.model.cable = Some(info);
        Ok(())
    }

    /// Makes the conductances of the cable follow from the resistivity of its compartments, in place of those that it was
    /// declared with.
    ///
    /// # Errors
    /// If there is no cable, or the resistivity does not fit it.
    pub fn resistivity(&mut self, resistivity: Resistivity) -> Result<(), ModelError> {
        let model = &mut self.model;
        let Some(info) = &model.cable else {
            return Err(ModelError::Invalid(
                "the model has a resistivity but no cable; declare the cable first".to_string(),
            ));
        };
        foreign("parameter", resistivity.parameter.0, model.parameters.len())?;
        let ParameterInfo { parameter, domain } = &model.parameters[resistivity.parameter.0];
        if *domain != model.states[info.cable.voltage.0].domain {
            return Err(ModelError::Invalid(format!(
                "the resistivity \"{}\" of the cable must live on the domain of the potential",
                parameter.name
            )));
        }
        let values = (parameter.name.as_str(), &parameter.value);
        model.cable = Some(info.with_resistivity(resistivity, values)?);
        Ok(())
    }

    fn claim(&mut self, name: &str) -> Result<(), ModelError> {
        if self.names.insert(name.to_string()) {
            Ok(())
        } else {
            Err(ModelError::NameTaken(name.to_string()))
        }
    }

    /// The states that `declare` declares are advanced by the named solver, in `substeps` steps per half step of the
    /// parent: see [`super::IndependentIntegration`].
    ///
    /// # Errors
    /// What `declare` returns; no substeps; an independent module inside another.
    pub fn independent<T>(
        &mut self,
        name: &str,
        solver: &str,
        substeps: usize,
        declare: impl FnOnce(&mut Self) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        if substeps > 1 << 14 {
            return Err(ModelError::Invalid(format!(
                "the independently integrated module \"{name}\" has {substeps} substeps; it can have {}",
                1 << 14
            )));
        }
        if substeps == 0 {
            return Err(ModelError::Invalid(format!(
                "the independently integrated module \"{name}\" has 0 substeps; it needs at least 1"
            )));
        }
        if self.group != 0 {
            return Err(ModelError::Invalid(format!(
                "the independently integrated module \"{name}\" lies inside another one; put it beside it"
            )));
        }
        self.model.groups.push(Group {
            name: name.to_string(),
            solver: Some((solver.to_string(), substeps)),
            by_default: false,
        });
        self.group = self.model.groups.len() - 1;
        let result = declare(self);
        self.group = 0;
        result
    }

    /// As [`ModelBuilder::independent`], for a module whose user did not ask for it: where the coupling would spoil what a
    /// run promises, as in an adaptive run, whose error estimate does not see it, the parent's solver advances the states.
    ///
    /// # Errors
    /// As [`ModelBuilder::independent`].
    pub fn independent_by_default<T>(
        &mut self,
        name: &str,
        solver: &str,
        substeps: usize,
        declare: impl FnOnce(&mut Self) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let result = self.independent(name, solver, substeps, declare)?;
        if let Some(group) = self.model.groups.last_mut() {
            group.by_default = true;
        }
        Ok(result)
    }

    /// The state of that name, declared before.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn find_state(&self, name: &str) -> Result<StateId, ModelError> {
        let names = self.model.state_names();
        let place = names.iter().position(|n| *n == name);
        place
            .map(StateId)
            .ok_or_else(|| unknown("state", name, &names))
    }

    /// Starts launching kernels of a phase.
    pub fn launches(&mut self, phase: Phase) -> Launches<'_> {
        Launches::new(&mut self.model, phase)
    }

    pub(super) fn finish(self) -> Result<Model, ModelError> {
        let model = self.model;
        if model.states.is_empty() {
            return Err(ModelError::Empty(
                "the model has no state variable; declare at least one".to_string(),
            ));
        }
        if let Some(s) = model.states.iter().find(|s| !s.derivative) {
            return Err(ModelError::Invalid(format!(
                "no kernel computes the derivative of state \"{}\"; launch one",
                s.state.name
            )));
        }
        for (g, group) in model.groups.iter().enumerate() {
            if !model.states.iter().any(|s| s.group == g) {
                return Err(ModelError::Empty(format!(
                    "\"{}\" has no state for its solver to advance",
                    group.name
                )));
            }
        }
        Ok(model)
    }
}

/// Whether a handle can be one of this model: the number of something of which there are `len`.
pub(super) fn foreign(what: &str, place: usize, len: usize) -> Result<(), ModelError> {
    if place < len {
        return Ok(());
    }
    Err(ModelError::Invalid(format!(
        "a {what} of another model is used: it has number {place}, and this model has declared {len} so far; use the handles that this builder returned"
    )))
}
