//! The border between a plugin and its host. All the unsafe code of this crate is here.
#![allow(unsafe_code)]

use crate::export::Exported;
use braincell_core::abi::types::abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
};
use braincell_core::abi::types::abi_stable::prefix_type::PrefixTypeTrait;
use braincell_core::abi::types::abi_stable::std_types::{RResult, RSlice, RVec};
use braincell_core::abi::types::{Failure, Field, PluginModule, PluginModule_Ref, RecordedOps};
use braincell_core::abi::{record, solvers};

extern "C" fn solvers_of<P: Exported>() -> RResult<RVec<RVec<Field>>, Failure> {
    let all = solvers(P::steppers);
    all.map(|all| all.into_iter().map(RVec::from).collect())
        .into()
}

extern "C" fn record_of<P: Exported>(
    place: u32,
    values: RSlice<'_, f64>,
) -> RResult<RecordedOps, Failure> {
    record(P::steppers, place, values.as_slice()).into()
}

fn module<P: Exported>() -> PluginModule_Ref {
    let module = PluginModule {
        solvers: solvers_of::<P>,
        record: record_of::<P>,
    };
    module.leak_into_prefix()
}

extern "C" fn constructor<P: Exported>() -> RootModuleResult {
    __call_root_module_loader(module::<P>)
}

/// The functions of a plugin, with the layout that the host will check.
pub(crate) const fn root<P: Exported>() -> LibHeader {
    // SAFETY: what `constructor` returns is made of a `PluginModule_Ref` by abi_stable itself.
    unsafe {
        LibHeader::from_constructor::<PluginModule_Ref>(constructor::<P>, CheckTypeLayout::Yes)
    }
}

#[cfg(feature = "host")]
pub(crate) mod host {
    use braincell_core::abi::replay_op;
    use braincell_core::abi::types::abi_stable::library::AbiHeaderRef;
    use braincell_core::abi::types::abi_stable::library::LibraryError;
    use braincell_core::abi::types::{C_ABI, Field, PluginModule_Ref, field};
    use braincell_core::stepper::{StepError, StepOps};
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    use std::error::Error;
    use std::ffi::{CStr, c_char, c_void};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;

    /// Opens a shared object that the checks of the file have passed. It stays open for the life of the process.
    ///
    /// # Errors
    /// The dynamic linker's message: a library that it needs is missing, a symbol is not defined, ….
    pub(crate) fn open(path: &Path) -> Result<&'static Library, String> {
        // SAFETY: the initialisers of the library run here, and nothing can vouch for them; the file is a whole ELF file
        // for this machine and its handshake is right. All symbols are resolved now, so none can fail later.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        match library {
            // Its functions and data are used until the process ends, so it is never closed.
            Ok(library) => Ok(Box::leak(Box::new(library))),
            Err(error) => Err(error.source().unwrap_or(&error).to_string()),
        }
    }

    /// Why a Rust plugin's functions cannot be used.
    pub(crate) enum ModuleProblem {
        /// There is no such symbol, or no header there.
        Missing(String),
        /// The layout of what crosses the border differs.
        Layout(String),
    }

    /// The functions of a Rust plugin, after the checks of abi_stable: its version, the C ABI, the layout of all types.
    pub(crate) fn module(library: &'static Library) -> Result<PluginModule_Ref, ModuleProblem> {
        // SAFETY: `AbiHeaderRef` is a reference to a header of plain data, which the address of the symbol is. The file's
        // handshake says that a plugin of this interface put it there, and the symbol's size is that of a header.
        let header = unsafe { library.get::<AbiHeaderRef>(c"braincell_plugin_root") };
        let header = *header.map_err(|error| ModuleProblem::Missing(error.to_string()))?;
        let checked = header.upgrade().and_then(|h| h.init_root_module());
        checked.map_err(|error| match &error {
            LibraryError::AbiInstability(_) => ModuleProblem::Layout(last_errors(&error)),
            LibraryError::InvalidAbiHeader(found) => ModuleProblem::Missing(format!(
                "its abi_stable header is of version {}.{}",
                found.abi_major, found.abi_minor
            )),
            _ => ModuleProblem::Missing(error.to_string().trim().to_string()),
        })
    }

    /// The last lines that say what differs: the whole text has tens of kilobytes.
    fn last_errors(error: &LibraryError) -> String {
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let last = lines.iter().rposition(|line| line.starts_with("Error:"));
        let from = last.unwrap_or(lines.len().saturating_sub(8));
        let lines = lines[from..].iter().filter(|line| !line.is_empty());
        let short: Vec<String> = lines
            .take(8)
            .map(|line| line.chars().take(160).collect())
            .collect();
        short.join(" ")
    }

    /// `braincell_ops`.
    #[repr(C)]
    pub(crate) struct COps {
        size: u32,
        version: u32,
        recorder: *mut c_void,
        parameter: extern "C" fn(*const COps, *const c_char) -> f64,
        operation: extern "C" fn(*const COps, u32, *const i64, u32, *const f64, u32) -> i32,
        refuse: extern "C" fn(*const COps, *const c_char),
    }

    #[cfg(test)]
    impl COps {
        /// Calls the operation as a plugin does.
        pub(crate) fn call(ops: *const Self, code: u32, integers: &[i64], numbers: &[f64]) -> i32 {
            let counts = (integers.len() as u32, numbers.len() as u32);
            // SAFETY: the tests pass on what `c_record` gave them.
            let operation = unsafe { (*ops).operation };
            operation(
                ops,
                code,
                integers.as_ptr(),
                counts.0,
                numbers.as_ptr(),
                counts.1,
            )
        }
    }

    /// `braincell_parameter`.
    #[repr(C)]
    struct CParameter {
        name: *const c_char,
        description: *const c_char,
        value: f64,
    }

    /// `braincell_solver`.
    #[repr(C)]
    struct CSolver {
        size: u32,
        order: u32,
        order_without_cable: u32,
        embedded_order: u32,
        needs: u32,
        properties: u32,
        parameter_count: u32,
        advances: u32,
        strong_order: f64,
        real_stability_limit: f64,
        name: *const c_char,
        aliases: *const c_char,
        family: *const c_char,
        description: *const c_char,
        formula: *const c_char,
        reference: *const c_char,
        deprecated: *const c_char,
        parameters: *const CParameter,
        step: Option<CStep>,
    }

    /// `braincell_table`.
    #[repr(C)]
    struct CTable {
        size: u32,
        version: u32,
        count: u32,
        reserved: u32,
        solvers: *const *const CSolver,
    }

    /// The smallest size of a C plugin's table.
    pub(crate) const C_TABLE_SIZE: u64 = size_of::<CTable>() as u64;

    /// The step function of a C plugin.
    pub(crate) type CStep = extern "C" fn(*const COps) -> i32;

    /// More solvers or parameters than this are a sign of a garbled table.
    const MANY: u32 = 10_000;

    /// The solvers of a C plugin: metadata, and step function.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn c_solvers(library: &'static Library) -> Result<Vec<(Vec<Field>, CStep)>, String> {
        // SAFETY: the file's handshake says that a `braincell_table` lies there, and the symbol is at least as long.
        let table = unsafe { library.get::<&'static CTable>(c"braincell_plugin_table") };
        let table: &'static CTable = *table.map_err(|error| error.to_string())?;
        if u64::from(table.size) < C_TABLE_SIZE || table.version != C_ABI {
            return Err(format!(
                "its table has the size {} and version {}; at least {C_TABLE_SIZE} and {C_ABI} are needed",
                table.size, table.version
            ));
        }
        if table.count > MANY || (table.count > 0 && table.solvers.is_null()) {
            return Err(format!(
                "its table has {} solvers, but no list of them",
                table.count
            ));
        }
        let mut all = Vec::new();
        for place in 0..table.count as usize {
            // SAFETY: the plugin declares `count` pointers there; what is null is refused.
            let solver = unsafe { (*table.solvers.add(place)).as_ref() };
            let solver = solver.ok_or_else(|| format!("solver {place} of its table is null"))?;
            if (solver.size as usize) < size_of::<CSolver>() {
                return Err(format!(
                    "solver {place} of its table has the size {}; at least {} is needed",
                    solver.size,
                    size_of::<CSolver>()
                ));
            }
            let step = solver
                .step
                .ok_or_else(|| format!("solver {place} has no step function"))?;
            let fields = c_fields(solver).map_err(|why| format!("solver {place}: {why}"))?;
            all.push((fields, step));
        }
        Ok(all)
    }

    fn c_fields(solver: &CSolver) -> Result<Vec<Field>, String> {
        let mut fields = Vec::new();
        let mut add = |key: u32, text: String, number: f64| {
            fields.push(Field {
                key,
                text: text.into(),
                number,
            });
        };
        for (key, pointer) in [
            (field::NAME, solver.name),
            (field::FAMILY, solver.family),
            (field::DESCRIPTION, solver.description),
            (field::FORMULA, solver.formula),
            (field::REFERENCE, solver.reference),
        ] {
            add(key, text(pointer)?, 0.0);
        }
        let aliases = text(solver.aliases)?;
        for alias in aliases.split(',').map(str::trim).filter(|a| !a.is_empty()) {
            add(field::ALIAS, alias.to_string(), 0.0);
        }
        let none = String::new;
        add(field::ORDER, none(), f64::from(solver.order));
        for (key, order) in [
            (
                field::ORDER_WITHOUT_CABLE,
                f64::from(solver.order_without_cable),
            ),
            (field::STRONG_ORDER, solver.strong_order),
            (field::ADVANCES, f64::from(solver.advances)),
            (field::EMBEDDED_ORDER, f64::from(solver.embedded_order)),
        ] {
            if order != 0.0 {
                add(key, none(), order);
            }
        }
        add(field::NEEDS, none(), f64::from(solver.needs));
        add(field::PROPERTIES, none(), f64::from(solver.properties));
        if solver.real_stability_limit != 0.0 {
            let limit = solver.real_stability_limit;
            add(field::REAL_STABILITY_LIMIT, none(), limit);
        }
        if solver.parameter_count > MANY
            || (solver.parameter_count > 0 && solver.parameters.is_null())
        {
            let n = solver.parameter_count;
            return Err(format!("it has {n} parameters, but no list of them"));
        }
        for place in 0..solver.parameter_count as usize {
            // SAFETY: the plugin declares `parameter_count` parameters there.
            let parameter = unsafe { &*solver.parameters.add(place) };
            add(field::PARAMETER, text(parameter.name)?, parameter.value);
            let description = text(parameter.description)?;
            add(field::PARAMETER_DESCRIPTION, description, 0.0);
        }
        if !solver.deprecated.is_null() {
            add(field::DEPRECATED, text(solver.deprecated)?, 0.0);
        }
        Ok(fields)
    }

    /// The text, empty if there is none.
    fn text(pointer: *const c_char) -> Result<String, String> {
        if pointer.is_null() {
            return Ok(String::new());
        }
        // SAFETY: the header demands that texts end with a zero byte.
        let text = unsafe { CStr::from_ptr(pointer) };
        let text = text.to_str().map_err(|_| "a text is not UTF-8".to_string());
        text.map(str::to_string)
    }

    /// What the operations of a C plugin record into. The first error ends it.
    struct Recorder<'a> {
        ops: &'a mut StepOps,
        error: Option<StepError>,
    }

    /// Records a step of a C plugin.
    ///
    /// # Errors
    /// [`StepError`]: the first error of an operation, or that the step function refused.
    pub(crate) fn c_record(step: CStep, ops: &mut StepOps) -> Result<(), StepError> {
        let mut recorder = Recorder { ops, error: None };
        let table = COps {
            size: size_of::<COps>() as u32,
            version: C_ABI,
            recorder: (&raw mut recorder).cast(),
            parameter,
            operation,
            refuse,
        };
        let status = step(&table);
        match (recorder.error, status) {
            (Some(error), _) => Err(error),
            (None, 0) => Ok(()),
            (None, status) => Err(StepError::Refused(format!(
                "its step function returned the status {status}"
            ))),
        }
    }

    /// Runs `work` on the recorder, unless there has been an error. Panics do not leave the host.
    fn with<T>(
        ops: *const COps,
        failed: T,
        work: impl FnOnce(&mut StepOps) -> Result<T, StepError>,
    ) -> T {
        // SAFETY: the header demands that a step function passes on the table that it was given; its recorder is a local
        // variable of `c_record`, which uses it only after the step function has returned.
        let recorder = unsafe {
            let Some(table) = ops.as_ref() else {
                return failed;
            };
            &mut *table.recorder.cast::<Recorder<'_>>()
        };
        if recorder.error.is_some() {
            return failed;
        }
        let result = catch_unwind(AssertUnwindSafe(|| work(recorder.ops)));
        match result {
            Ok(Ok(value)) => return value,
            Ok(Err(error)) => recorder.error = Some(error),
            Err(payload) => {
                std::mem::forget(payload);
                let message = "the host's recorder panicked".to_string();
                recorder.error = Some(StepError::Panicked(message));
            }
        }
        failed
    }

    extern "C" fn parameter(ops: *const COps, name: *const c_char) -> f64 {
        with(ops, f64::NAN, |ops| {
            let name = text(name).map_err(StepError::Refused)?;
            ops.parameter(&name)
        })
    }

    extern "C" fn operation(
        ops: *const COps,
        code: u32,
        integers: *const i64,
        integer_count: u32,
        numbers: *const f64,
        number_count: u32,
    ) -> i32 {
        with(ops, -1, |ops| {
            // SAFETY: the header demands that so many integers and numbers lie there.
            let (integers, numbers) =
                unsafe { (list(integers, integer_count), list(numbers, number_count)) };
            let made = replay_op(code, integers, numbers, ops)?;
            // Fewer arrays are made than an i32 can count, because the number of operations is limited.
            Ok(i32::try_from(made).unwrap_or(-1))
        })
    }

    /// # Safety
    /// `first` must point to `count` values that live as long as the result, or be null.
    unsafe fn list<'a, T>(first: *const T, count: u32) -> &'a [T] {
        if first.is_null() || count == 0 {
            return &[];
        }
        // SAFETY: as demanded.
        unsafe { std::slice::from_raw_parts(first, count as usize) }
    }

    extern "C" fn refuse(ops: *const COps, why: *const c_char) {
        with(ops, (), |_| {
            let why = text(why).unwrap_or_else(|error| error);
            Err(StepError::Refused(why))
        });
    }
}

#[cfg(all(test, feature = "host"))]
mod tests;
