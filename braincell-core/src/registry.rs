//! Solvers by name.

use crate::model::{Capabilities, Model};
use crate::stepper::{Parts, Program, ProgramError, SolverInfo, Stepper};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};

/// Where a solver comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the crate, or path of the plugin file.
    pub from: String,
    /// Its version.
    pub version: String,
}

/// The [`Origin`] of solvers of the crate that calls this.
#[macro_export]
macro_rules! this_crate {
    () => {
        $crate::registry::Origin {
            from: env!("CARGO_PKG_NAME").to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        }
    };
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.from, self.version)
    }
}

/// A registered solver.
#[derive(Clone)]
pub struct Entry {
    /// What is known about it.
    pub info: SolverInfo,
    /// Where it comes from.
    pub origin: Origin,
    stepper: Arc<dyn Stepper>,
}

impl Entry {
    /// Records the program of one step with the solver's default parameters.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn program(&self) -> Result<Program, ProgramError> {
        Program::record(&*self.stepper, &[])
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.info.name, self.origin)
    }
}

/// A solver with values for its parameters, and its program: what [`Registry::solver`] returns.
#[derive(Clone, Debug)]
pub struct Solver {
    /// The name as it was asked for, aliases resolved: `rk2(alpha=0.5)`.
    pub name: String,
    /// What is known about it.
    pub info: SolverInfo,
    /// One step.
    pub program: Program,
}

/// Why a solver cannot be registered, found, or joined with a model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegistryError {
    /// The name is not registered.
    #[error("unknown solver \"{name}\"{}; the solvers are {}", similar(.nearest), .known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Similar names.
        nearest: Vec<String>,
        /// All names.
        known: Vec<String>,
    },
    /// A name or alias is taken.
    #[error(
        "solver name \"{name}\" of {newcomer} is taken by {holder}; rename it, or register it as an override"
    )]
    Taken {
        /// The name.
        name: String,
        /// Who has it.
        holder: String,
        /// Who wants it.
        newcomer: String,
    },
    /// A name is empty or has characters that names do not have.
    #[error(
        "\"{0}\" cannot be the name of a solver; use letters, digits, _ and -, and begin with a letter"
    )]
    BadName(String),
    /// The text in parentheses behind a solver's name is malformed.
    #[error("in solver \"{text}\": {reason}")]
    Parameters {
        /// What was asked for.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// The solver cannot step this model.
    #[error("solver \"{solver}\" needs {missing}; {}", these_fit(.alternatives))]
    DoesNotFit {
        /// The solver.
        solver: String,
        /// What it needs.
        missing: String,
        /// Names that would do.
        alternatives: Vec<String>,
    },
    /// The solver's step is invalid.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

fn similar(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!(" (did you mean {}?)", names.join(" or ")),
    }
}

fn these_fit(names: &[String]) -> String {
    match names {
        [] => "no registered solver fits this model".to_string(),
        names => format!("these fit: {}", names.join(", ")),
    }
}

/// What an override replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The name or alias.
    pub name: String,
    /// Who had it.
    pub by: String,
}

/// Solvers by name and alias.
#[derive(Default)]
pub struct Registry {
    entries: BTreeMap<String, Entry>,
    /// Alias → name.
    aliases: BTreeMap<String, String>,
    warned: Mutex<HashSet<String>>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a solver. Its name and aliases must be free.
    ///
    /// # Errors
    /// [`RegistryError::Taken`], [`RegistryError::BadName`], [`RegistryError::Program`].
    pub fn register(
        &mut self,
        stepper: Arc<dyn Stepper>,
        origin: Origin,
    ) -> Result<(), RegistryError> {
        self.add(stepper, origin, false).map(|_| ())
    }

    /// Adds a solver, taking its name and aliases from whoever has them, and says from whom.
    ///
    /// # Errors
    /// [`RegistryError::BadName`], [`RegistryError::Program`].
    pub fn register_override(
        &mut self,
        stepper: Arc<dyn Stepper>,
        origin: Origin,
    ) -> Result<Vec<Replaced>, RegistryError> {
        self.add(stepper, origin, true)
    }

    /// Adds the solvers of a family, all from one place. If one fails, none is added.
    ///
    /// # Errors
    /// As [`Registry::register`].
    pub fn register_all(
        &mut self,
        steppers: Vec<Arc<dyn Stepper>>,
        origin: &Origin,
    ) -> Result<(), RegistryError> {
        self.add_all(steppers, origin, false).map(|_| ())
    }

    /// Adds the solvers of a family, taking their names and aliases from whoever has them, and says from whom. If one
    /// fails, none is added.
    ///
    /// # Errors
    /// As [`Registry::register_override`]; [`RegistryError::Taken`] if two of them have the same name.
    pub fn register_all_override(
        &mut self,
        steppers: Vec<Arc<dyn Stepper>>,
        origin: &Origin,
    ) -> Result<Vec<Replaced>, RegistryError> {
        self.add_all(steppers, origin, true)
    }

    fn add_all(
        &mut self,
        steppers: Vec<Arc<dyn Stepper>>,
        origin: &Origin,
        replace: bool,
    ) -> Result<Vec<Replaced>, RegistryError> {
        let mut own = HashSet::new();
        for info in steppers.iter().map(|stepper| stepper.info()) {
            for name in std::iter::once(info.name).chain(info.aliases) {
                if !own.insert(name.clone()) {
                    return Err(RegistryError::Taken {
                        name,
                        holder: origin.to_string(),
                        newcomer: origin.to_string(),
                    });
                }
            }
        }
        let before = (self.entries.clone(), self.aliases.clone());
        let mut replaced = Vec::new();
        for stepper in steppers {
            match self.add(stepper, origin.clone(), replace) {
                Ok(those) => replaced.extend(those),
                Err(error) => {
                    (self.entries, self.aliases) = before;
                    return Err(error);
                }
            }
        }
        Ok(replaced)
    }

    fn add(
        &mut self,
        stepper: Arc<dyn Stepper>,
        origin: Origin,
        replace: bool,
    ) -> Result<Vec<Replaced>, RegistryError> {
        let info = stepper.info();
        let names: Vec<&String> = std::iter::once(&info.name).chain(&info.aliases).collect();
        let mut replaced = Vec::new();
        let mut own = HashSet::new();
        for name in &names {
            let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(good) {
                return Err(RegistryError::BadName((*name).clone()));
            }
            let holder = match self.find(name) {
                Some(entry) => Some(entry.origin.to_string()),
                None if !own.insert(*name) => Some(origin.to_string()),
                None => None,
            };
            let Some(holder) = holder else { continue };
            if !replace || self.find(name).is_none() {
                return Err(RegistryError::Taken {
                    name: (*name).clone(),
                    holder,
                    newcomer: origin.to_string(),
                });
            }
            let name = (*name).clone();
            replaced.push(Replaced { name, by: holder });
        }
        Program::record(&*stepper, &[])?;
        let mut orphaned = Vec::new();
        for Replaced { name, by } in &replaced {
            if self.aliases.remove(name).is_none() {
                self.entries.remove(name);
                let (orphans, others) = std::mem::take(&mut self.aliases)
                    .into_iter()
                    .partition(|(_, of)| of == name);
                self.aliases = others;
                let orphans: BTreeMap<String, String> = orphans;
                orphaned.extend(orphans.into_keys().map(|alias| Replaced {
                    name: alias,
                    by: by.clone(),
                }));
            }
        }
        for alias in &info.aliases {
            self.aliases.insert(alias.clone(), info.name.clone());
        }
        let name = info.name.clone();
        let entry = Entry {
            info,
            origin,
            stepper,
        };
        self.entries.insert(name, entry);
        // Aliases of a solver that is gone are gone with it.
        orphaned.retain(|gone| !self.aliases.contains_key(&gone.name));
        replaced.extend(orphaned);
        Ok(replaced)
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        self.entries.get(name)
    }

    /// All solvers, by family, then order, then name.
    pub fn entries(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.values().collect();
        all.sort_by(|a, b| {
            let key = |e: &Entry| (e.info.family.clone(), e.info.order, e.info.name.clone());
            key(a).cmp(&key(b))
        });
        all
    }

    /// The solver of that name or alias.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], with similar names.
    pub fn get(&self, name: &str) -> Result<&Entry, RegistryError> {
        self.find(name).ok_or_else(|| {
            let all = self.entries.keys().chain(self.aliases.keys());
            let mut near: Vec<(usize, &String)> = all
                .map(|known| (distance(&name.to_lowercase(), known), known))
                .filter(|(d, known)| *d <= 1 + known.len().min(name.len()) / 4)
                .collect();
            near.sort();
            RegistryError::Unknown {
                name: name.to_string(),
                nearest: near.into_iter().take(3).map(|(_, n)| n.clone()).collect(),
                known: self.entries.keys().cloned().collect(),
            }
        })
    }

    /// The solver that `text` asks for, with its program: a name or alias, which may give values to the solver's own
    /// parameters in parentheses, `rk2(alpha=0.5)`.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], [`RegistryError::Parameters`], [`RegistryError::Program`].
    pub fn solver(&self, text: &str) -> Result<Solver, RegistryError> {
        let text = text.trim();
        let bad = |reason: String| RegistryError::Parameters {
            text: text.to_string(),
            reason,
        };
        let (name, list) = match text.split_once('(') {
            None => (text, ""),
            Some((name, rest)) => match rest.trim_end().strip_suffix(')') {
                Some(list) => (name.trim_end(), list),
                None => return Err(bad("the closing parenthesis is missing".to_string())),
            },
        };
        let entry = self.get(name)?;
        let info = entry.info.clone();
        let mut given: Vec<(String, f64)> = Vec::new();
        for item in list.split(',').map(str::trim).filter(|s| !s.is_empty()) {
            let Some((key, value)) = item.split_once('=') else {
                return Err(bad(format!("write \"{item}\" as parameter=number")));
            };
            let (key, value) = (key.trim(), value.trim());
            if !info.parameters.iter().any(|p| p.name == key) {
                let known: Vec<&str> = info.parameters.iter().map(|p| p.name.as_str()).collect();
                return Err(bad(match known[..] {
                    [] => format!("{} has no parameters", info.name),
                    _ => format!("no parameter \"{key}\"; there is {}", known.join(", ")),
                }));
            }
            if given.iter().any(|(known, _)| known == key) {
                return Err(bad(format!("parameter \"{key}\" is given twice")));
            }
            match value.parse::<f64>() {
                Ok(x) if x.is_finite() => given.push((key.to_string(), x)),
                _ => return Err(bad(format!("\"{value}\" is not a finite number"))),
            }
        }
        let program = Program::record(&*entry.stepper, &given)?;
        let name = if list.trim().is_empty() {
            info.name.clone()
        } else {
            format!("{}({})", info.name, list.trim())
        };
        Ok(Solver {
            name,
            info,
            program,
        })
    }

    /// A sentence of warning if the solver is deprecated, the first time it is asked for.
    pub fn deprecation(&self, name: &str) -> Option<String> {
        let entry = self.find(name)?;
        let why = entry.info.deprecated.as_ref()?;
        let mut warned = self.warned.lock().unwrap_or_else(|p| p.into_inner());
        warned
            .insert(entry.info.name.clone())
            .then(|| format!("solver \"{}\" is deprecated: {why}", entry.info.name))
    }

    /// Names of the solvers that can step a model, by order, the highest first.
    pub fn fitting(&self, model: Capabilities) -> Vec<String> {
        let mut fit: Vec<&Entry> = self.entries.values().collect();
        fit.retain(|e| e.info.needs.missing(model).is_none());
        fit.sort_by_key(|e| (std::cmp::Reverse(e.info.order), e.info.name.clone()));
        fit.into_iter().map(|e| e.info.name.clone()).collect()
    }

    /// Names of the solvers that can step a stiff model of this kind with large steps: L-stable or exponential ones.
    pub fn fitting_stiff(&self, model: Capabilities) -> Vec<String> {
        let stiff = |name: &String| {
            let info = &self.entries[name].info;
            info.properties.l_stable && info.advances == Parts::ALL
        };
        self.fitting(model).into_iter().filter(stiff).collect()
    }

    /// Joins a solver with a model: the solver that `text` asks for, if it can step the model.
    ///
    /// # Errors
    /// As [`Registry::solver`]; [`RegistryError::DoesNotFit`].
    pub fn join(&self, text: &str, model: &Model) -> Result<Solver, RegistryError> {
        self.join_offered(text, model.capabilities())
    }

    /// Joins a solver with states that offer this.
    pub(crate) fn join_offered(
        &self,
        text: &str,
        offers: Capabilities,
    ) -> Result<Solver, RegistryError> {
        let solver = self.solver(text)?;
        match solver.info.needs.missing(offers) {
            None => Ok(solver),
            Some(missing) => Err(RegistryError::DoesNotFit {
                solver: solver.name,
                missing: missing.to_string(),
                alternatives: self.fitting(offers),
            }),
        }
    }
}

/// The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            }
        }
    }
    rows[a.len()][b.len()]
}
