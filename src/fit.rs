//! Fitting parameters of a model to data, by the gradient of a loss.
//!
//! ```
//! use braincell::cells::SingleCompartment;
//! use braincell::fit::{Bounded, Fit};
//! use braincell::gradient::MeanSquare;
//! use braincell::input::Input;
//! use braincell::model::Model;
//! use braincell::simulation::Setup;
//! use std::ops::ControlFlow;
//!
//! let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(2.0));
//! let mut model = Model::new(&cell)?;
//! let setup = Setup::new("rk4", 0.05).record("V");
//! let mut run = setup.start::<f64>(braincell::solvers(), &model)?;
//! run.run(10.0)?;
//! let target = run.recording().trace("V")?.to_vec();
//!
//! model.set_parameter("leak.g_max", 0.2)?;
//! let loss = MeanSquare { trace: "V".to_string(), target };
//! let parameters = vec![Bounded::new("leak.g_max", 0.1, 1.0)];
//! let fit = Fit { setup, until: 10.0, parameters, iterations: 50 };
//! let found = fit.run(braincell::solvers(), &model, &loss, &mut |_| ControlFlow::Continue(()))?;
//! assert!((found.values[0] - 0.3).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::gradient::{Cotangents, Gradient, GradientError, Loss};
use crate::input::Input;
use crate::model::{Model, Values};
use crate::registry::Registry;
use crate::simulation::{Recording, Setup};
use argmin::core::{self, CostFunction, Executor, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;

/// A parameter to be fitted, with its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounded {
    /// What it is called: the name of a parameter of the model that has one value for all, or any name for a part of one.
    pub name: String,
    /// Greater than this.
    pub lower: f64,
    /// Less than this.
    pub upper: f64,
    /// The part of a parameter that it is, where it is not all of it.
    pub part: Option<Part>,
}

/// A part of a parameter whose values differ between elements, such as its value in a region.
///
/// Element e has its value in the model, plus share e times the change of the part since the start. Several parts may be
/// fitted of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of the model's parameter.
    pub parameter: String,
    /// The value of the part from which the fit starts.
    pub start: f64,
    /// How much the part counts at each element: see [`crate::cells::MultiCompartment::painted_share`].
    pub shares: Vec<f64>,
}

impl Bounded {
    /// The parameter of that name, which has one value for all, between two bounds.
    pub fn new(name: impl Into<String>, lower: f64, upper: f64) -> Self {
        Self {
            name: name.into(),
            lower,
            upper,
            part: None,
        }
    }

    /// Name of the model's parameter.
    pub fn parameter(&self) -> &str {
        self.part
            .as_ref()
            .map_or(&self.name, |part| &part.parameter)
    }

    /// The value from which the fit starts.
    ///
    /// # Errors
    /// [`FitError`]: the parameter is unknown, has not one value for all, or has another number of elements than the part.
    pub fn start(&self, model: &Model) -> Result<f64, FitError> {
        let parameter = model
            .parameter(self.parameter())
            .map_err(GradientError::Model)?;
        match (&self.part, &parameter.value) {
            (None, Values::Uniform(x)) => Ok(*x),
            (None, _) => Err(self.refuse("it has not one value for all")),
            (Some(part), Values::Uniform(_)) => Ok(part.start),
            (Some(part), Values::PerElement(x)) if x.len() == part.shares.len() => Ok(part.start),
            (Some(part), values) => Err(self.refuse(format!(
                "there are {} shares of the values {values:?}; give one for each element of a cell",
                part.shares.len()
            ))),
        }
    }

    fn refuse(&self, reason: impl Into<String>) -> FitError {
        FitError::Parameter {
            name: self.name.clone(),
            reason: reason.into(),
        }
    }
}

/// A fit: which parameters, in which run.
///
/// The parameters are moved by the limited-memory BFGS method with the line search of Moré and Thuente; bounds are kept by
/// writing each parameter as lower + (upper - lower) / (1 + e^-u). D. C. Liu, J. Nocedal, On the limited memory BFGS method
/// for large scale optimization, Math. Program. 45 (1989),
/// [doi:10.1007/BF01589116](https://doi.org/10.1007/BF01589116).
#[derive(Clone, Debug)]
pub struct Fit {
    /// The run.
    pub setup: Setup,
    /// Its duration, ms.
    pub until: f64,
    /// The parameters.
    pub parameters: Vec<Bounded>,
    /// The greatest number of iterations of the optimiser.
    pub iterations: u64,
}

/// How far a fit has come.
#[derive(Clone, Debug, PartialEq)]
pub struct FitProgress {
    /// Losses computed, with their gradients.
    pub evaluations: u64,
    /// The best loss so far.
    pub loss: f64,
    /// The parameters that give it.
    pub values: Vec<f64>,
}

impl fmt::Display for FitProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            evaluations,
            loss,
            values,
        } = self;
        write!(f, "evaluation {evaluations}: loss {loss:.3e}, {values:.4?}")
    }
}

/// What a fit has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The best parameters, in the order of [`Fit::parameters`].
    pub values: Vec<f64>,
    /// Their loss.
    pub loss: f64,
    /// The loss at the start.
    pub start: f64,
    /// Losses computed, with their gradients.
    pub evaluations: u64,
    /// Why it ended.
    pub reason: String,
}

impl fmt::Display for Fitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.6?} with loss {:.3e}, {:.3e} at the start; {} evaluations; {}",
            self.values, self.loss, self.start, self.evaluations, self.reason
        )
    }
}

/// Why a fit failed.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A run or its gradient failed.
    #[error(transparent)]
    Gradient(#[from] GradientError),
    /// A parameter cannot be fitted.
    #[error("\"{name}\" cannot be fitted: {reason}")]
    Parameter {
        /// The parameter.
        name: String,
        /// Why.
        reason: String,
    },
    /// The optimiser refuses its settings.
    #[error("the optimiser refuses its settings: {0}")]
    Optimiser(String),
    /// The observer stopped the fit.
    #[error("the fit was stopped")]
    Stopped,
}

/// The difference of a trace from a function of time: the mean square over the samples, the initial one left out.
#[derive(Clone, Debug)]
pub struct TraceDifference {
    /// Name of the recorded column.
    pub trace: String,
    /// What it shall be.
    pub target: Input,
}

impl Loss for TraceDifference {
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError> {
        let target = recording.times().iter();
        let square = crate::gradient::MeanSquare {
            trace: self.trace.clone(),
            target: target
                .map(|&t| self.target.value_and_slope(t, t).0)
                .collect(),
        };
        square.evaluate(recording, cotangents)
    }
}

/// What is called after each better loss.
type Observer<'a> = &'a mut dyn FnMut(&FitProgress) -> ControlFlow<()>;

/// The loss as a function of u.
struct Problem<'a, L: ?Sized> {
    fit: &'a Fit,
    registry: &'a Registry,
    model: &'a Model,
    loss: &'a L,
    /// The last u with its loss and gradient.
    last: RefCell<Option<Evaluated>>,
    progress: RefCell<FitProgress>,
    observer: RefCell<Observer<'a>>,
    failure: RefCell<Option<FitError>>,
}

#[derive(Clone)]
struct Evaluated {
    u: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
}

impl Fit {
    /// The parameters of u, and their derivatives.
    fn values(&self, u: &[f64]) -> Vec<(f64, f64)> {
        let of = |(p, u): (&Bounded, &f64)| {
            let s = 1.0 / (1.0 + (-u).exp());
            let width = p.upper - p.lower;
            (p.lower + width * s, width * s * (1.0 - s))
        };
        self.parameters.iter().zip(u).map(of).collect()
    }

    /// Gives the parameters of `model`, from which the fit started, other values, in the order of [`Fit::parameters`].
    ///
    /// # Errors
    /// [`FitError`].
    pub fn apply(&self, model: &mut Model, values: &[f64]) -> Result<(), FitError> {
        for (p, &x) in self.parameters.iter().zip(values) {
            let Some(part) = &p.part else {
                let set = model.set_parameter(&p.name, x);
                set.map_err(GradientError::Model)?;
                continue;
            };
            let old = model.parameter(&part.parameter);
            let old = &old.map_err(GradientError::Model)?.value;
            let shares = part.shares.iter().enumerate();
            let new = shares.map(|(e, share)| match *share {
                // Without rounding where it is alone.
                1.0 => x,
                share => old.at(e, 0) + share * (x - part.start),
            });
            let new = Values::PerElement(new.collect());
            let set = model.set_parameter(&part.parameter, new);
            set.map_err(GradientError::Model)?;
        }
        Ok(())
    }

    /// Fits the parameters of `model`, from their present values on, so that `loss` becomes least. The observer is called
    /// whenever a better loss has been found, and may stop the fit.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn run<'a>(
        &'a self,
        registry: &'a Registry,
        model: &'a Model,
        loss: &'a (impl Loss + ?Sized),
        observer: Observer<'a>,
    ) -> Result<Fitted, FitError> {
        let mut start = Vec::new();
        for (k, p) in self.parameters.iter().enumerate() {
            let x = p.start(model)?;
            let same = |q: &&Bounded| q.parameter() == p.parameter();
            let whole = |q: &&Bounded| q.part.is_none() || p.part.is_none();
            if let Some(q) = self.parameters[..k].iter().filter(same).find(whole) {
                return Err(p.refuse(format!("\"{}\" moves the same numbers", q.name)));
            }
            if !(p.lower < x && x < p.upper) {
                return Err(p.refuse(format!(
                    "its value {x} does not lie between the bounds {} and {}",
                    p.lower, p.upper
                )));
            }
            start.push(((x - p.lower) / (p.upper - x)).ln());
        }
        let problem = Problem {
            fit: self,
            registry,
            model,
            loss,
            last: RefCell::new(None),
            progress: RefCell::new(FitProgress {
                evaluations: 0,
                loss: f64::INFINITY,
                values: Vec::new(),
            }),
            observer: RefCell::new(observer),
            failure: RefCell::new(None),
        };
        let first = match problem.evaluate(&start) {
            Ok(first) => first,
            Err(error) => return Err(problem.failure.take().unwrap_or_else(|| refused(error))),
        };
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), 8);
        let solver = solver.with_tolerance_grad(1e-9).map_err(refused)?;
        let solver = solver.with_tolerance_cost(1e-14).map_err(refused)?;
        let executor = Executor::new(&problem, solver)
            .configure(|state| state.param(start).max_iters(self.iterations));
        let reason = match executor.run() {
            Ok(result) => result.state().get_termination_status().to_string(),
            // A line search that finds nothing better ends the fit; so does a run that fails.
            Err(error) => match problem.failure.take() {
                Some(FitError::Stopped) => FitError::Stopped.to_string(),
                Some(failure) => return Err(failure),
                None => error.to_string(),
            },
        };
        let FitProgress {
            evaluations,
            loss,
            values,
        } = problem.progress.borrow().clone();
        Ok(Fitted {
            values,
            loss,
            start: first.loss,
            evaluations,
            reason,
        })
    }
}

fn refused(error: core::Error) -> FitError {
    FitError::Optimiser(error.to_string())
}

impl<L: Loss + ?Sized> Problem<'_, L> {
    /// The loss and its gradient at u; a failure is kept.
    fn evaluate(&self, u: &[f64]) -> Result<Evaluated, core::Error> {
        if let Some(last) = &*self.last.borrow()
            && last.u == u
        {
            return Ok(last.clone());
        }
        let stop = |failure: FitError| {
            let text = failure.to_string();
            *self.failure.borrow_mut() = Some(failure);
            core::Error::msg(text)
        };
        let evaluated = self.try_evaluate(u).map_err(stop)?;
        let mut progress = self.progress.borrow_mut();
        progress.evaluations += 1;
        if evaluated.loss < progress.loss {
            progress.loss = evaluated.loss;
            progress.values = self.fit.values(u).iter().map(|(x, _)| *x).collect();
            if (self.observer.borrow_mut())(&progress).is_break() {
                return Err(stop(FitError::Stopped));
            }
        }
        *self.last.borrow_mut() = Some(evaluated.clone());
        Ok(evaluated)
    }

    fn try_evaluate(&self, u: &[f64]) -> Result<Evaluated, FitError> {
        let mut model = self.model.clone();
        let values = self.fit.values(u);
        let numbers: Vec<f64> = values.iter().map(|(x, _)| *x).collect();
        self.fit.apply(&mut model, &numbers)?;
        let Fit {
            setup,
            until,
            parameters,
            ..
        } = self.fit;
        let whole = parameters.iter().filter(|p| p.part.is_none());
        let whole: Vec<&str> = whole.map(|p| p.name.as_str()).collect();
        let mut gradient = Gradient::new(setup, self.registry, &model, *until, &whole)?;
        for p in parameters {
            if let Some(part) = &p.part {
                gradient = gradient.part(&p.name, &part.parameter, &part.shares)?;
            }
        }
        let found = gradient.reverse(self.loss)?;
        let slopes = parameters.iter().zip(&values).map(|(p, (_, slope))| {
            let of_parameter = found.gradient.iter().find(|d| d.name == p.name);
            of_parameter.map_or(0.0, |d| d.values.at(0, 0)) * slope
        });
        Ok(Evaluated {
            u: u.to_vec(),
            loss: found.loss,
            gradient: slopes.collect(),
        })
    }
}

impl<L: Loss + ?Sized> CostFunction for &Problem<'_, L> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, u: &Vec<f64>) -> Result<f64, core::Error> {
        Ok(self.evaluate(u)?.loss)
    }
}

impl<L: Loss + ?Sized> core::Gradient for &Problem<'_, L> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, u: &Vec<f64>) -> Result<Vec<f64>, core::Error> {
        Ok(self.evaluate(u)?.gradient)
    }
}
