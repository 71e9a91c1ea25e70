//! Neurons as modules that braincell integrates: membrane mechanisms and single-compartment cells.
//!
//! Units: mV, ms, µA/cm², mS/cm², µF/cm², mM. Currents count positive into the cell.

pub mod mechanism;
pub mod mechanisms;
mod membrane;
mod placed;
pub mod rates;
pub mod single;

pub use mechanism::{
    Channel, ChannelInfo, Local, Mechanism, MechanismError, MechanismInfo, MechanismKind,
    ParameterSpec, Pool, PoolInfo, Scheme, SchemeInfo,
};
pub use placed::{CellError, Placed};
pub use single::SingleCompartment;
