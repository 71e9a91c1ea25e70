//! Neurons as modules that braincell integrates: morphology, discretisation, membrane mechanisms and cells.
//!
//! Units: mV, ms, µA/cm², mS/cm², µF/cm², mM, µm. Currents count positive into the cell.

pub mod discretisation;
mod distribution;
pub mod mechanism;
pub mod mechanisms;
mod membrane;
pub mod morphology;
pub mod multi;
mod placed;
pub mod rates;
pub mod single;

pub use distribution::{Distribution, Profile};
pub use mechanism::{
    Channel, ChannelInfo, Local, Mechanism, MechanismError, MechanismInfo, MechanismKind,
    ParameterSpec, Pool, PoolInfo, Scheme, SchemeInfo,
};
pub use multi::MultiCompartment;
pub use placed::{CellError, Placed};
pub use single::SingleCompartment;
