//! The two functions of a plugin, and what they pass.

// The derive macros name prefix types with an underscore, implement traits inside constants, and need unsafe code.
#![allow(non_camel_case_types, non_local_definitions, unsafe_code)]

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RSlice, RString, RVec};

/// One item of the metadata of a solver: see [`crate::field`].
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub struct Field {
    /// What it is.
    pub key: u32,
    /// Its text, if it has one.
    pub text: RString,
    /// Its number, if it has one.
    pub number: f64,
}

/// Code and number of operands of an operation: see [`crate::code`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpHead {
    /// Which operation.
    pub code: u32,
    /// How many of the integers are its operands.
    pub integers: u32,
    /// How many of the numbers are its operands.
    pub numbers: u32,
}

/// A recorded step. The operands of the operations lie one behind the other.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, Default, PartialEq)]
pub struct RecordedOps {
    /// The operations.
    pub ops: RVec<OpHead>,
    /// Their integers.
    pub integers: RVec<i64>,
    /// Their numbers.
    pub numbers: RVec<f64>,
}

/// Why a plugin could not do what it was asked for: see [`crate::failure`].
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub code: u32,
    /// In which operation.
    pub op: u64,
    /// The number concerned.
    pub number: f64,
    /// The text concerned.
    pub text: RString,
}

/// The functions of a plugin. New ones are appended behind the last prefix field, as options.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModule_Ref)))]
pub struct PluginModule {
    /// The metadata of each solver.
    pub solvers: extern "C" fn() -> RResult<RVec<RVec<Field>>, Failure>,
    /// Records one step of a solver, given by its place in the list, with values for its parameters, in their order.
    #[sabi(last_prefix_field)]
    pub record: extern "C" fn(u32, RSlice<'_, f64>) -> RResult<RecordedOps, Failure>,
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}
    const BASE_NAME: &'static str = "braincell_plugin";
    const NAME: &'static str = "braincell_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}
