//! The metadata of a solver, across the border and back.

use crate::stepper::{Needs, Properties, SolverInfo, SolverParameter};
use braincell_abi::{Field, field};

/// Why metadata that a plugin sent is not that of a solver.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InfoError {
    /// Something that must be there is not.
    #[error("it does not give its {0}")]
    Missing(&'static str),
    /// A value makes no sense.
    #[error("its {what} is {value}, which makes no sense")]
    Value {
        /// Of what.
        what: &'static str,
        /// The value.
        value: f64,
    },
    /// The solver needs something of a model that this host does not know.
    #[error(
        "it needs something of a model that this braincell does not know (need {0}): the plugin was made for a newer \
         braincell; update braincell"
    )]
    Newer(u32),
}

/// The metadata as a plugin sends it.
pub fn to_fields(info: &SolverInfo) -> Vec<Field> {
    let mut out = Vec::new();
    let mut add = |key: u32, text: &str, number: f64| {
        out.push(Field {
            key,
            text: text.into(),
            number,
        });
    };
    add(field::NAME, &info.name, 0.0);
    for alias in &info.aliases {
        add(field::ALIAS, alias, 0.0);
    }
    add(field::FAMILY, &info.family, 0.0);
    add(field::ORDER, "", f64::from(info.order));
    if let Some(order) = info.embedded_order {
        add(field::EMBEDDED_ORDER, "", f64::from(order));
    }
    add(field::DESCRIPTION, &info.description, 0.0);
    add(field::FORMULA, &info.formula, 0.0);
    add(field::REFERENCE, &info.reference, 0.0);
    let bit = |yes: bool, bit: u32| if yes { bit } else { 0 };
    let Needs { membrane, noise } = info.needs;
    let needs = bit(membrane, field::NEED_MEMBRANE) | bit(noise, field::NEED_NOISE);
    add(field::NEEDS, "", f64::from(needs));
    let Properties {
        explicit,
        a_stable,
        l_stable,
        real_stability_limit,
    } = info.properties;
    let properties = bit(explicit, field::EXPLICIT)
        | bit(a_stable, field::A_STABLE)
        | bit(l_stable, field::L_STABLE);
    add(field::PROPERTIES, "", f64::from(properties));
    if let Some(limit) = real_stability_limit {
        add(field::REAL_STABILITY_LIMIT, "", limit);
    }
    for p in &info.parameters {
        add(field::PARAMETER, &p.name, p.default);
        add(field::PARAMETER_DESCRIPTION, &p.description, 0.0);
    }
    if let Some(why) = &info.deprecated {
        add(field::DEPRECATED, why, 0.0);
    }
    out
}

/// The metadata that a plugin sent.
///
/// # Errors
/// [`InfoError`].
pub fn from_fields(fields: &[Field]) -> Result<SolverInfo, InfoError> {
    let mut info = SolverInfo::new("", "", 0);
    for Field { key, text, number } in fields {
        let text = || text.as_str().to_string();
        let whole = |what: &'static str| {
            let x = *number;
            let fits = x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&x);
            fits.then_some(x as u32)
                .ok_or(InfoError::Value { what, value: x })
        };
        match *key {
            field::NAME => info.name = text(),
            field::ALIAS => info.aliases.push(text()),
            field::FAMILY => info.family = text(),
            field::ORDER => info.order = whole("order")?,
            field::EMBEDDED_ORDER => info.embedded_order = Some(whole("embedded order")?),
            field::DESCRIPTION => info.description = text(),
            field::FORMULA => info.formula = text(),
            field::REFERENCE => info.reference = text(),
            field::NEEDS => {
                let needs = whole("list of needs")?;
                let known = field::NEED_MEMBRANE | field::NEED_NOISE;
                if needs & !known != 0 {
                    return Err(InfoError::Newer(needs & !known));
                }
                info.needs = Needs {
                    membrane: needs & field::NEED_MEMBRANE != 0,
                    noise: needs & field::NEED_NOISE != 0,
                };
            }
            field::PROPERTIES => {
                let properties = whole("list of properties")?;
                info.properties.explicit = properties & field::EXPLICIT != 0;
                info.properties.a_stable = properties & field::A_STABLE != 0;
                info.properties.l_stable = properties & field::L_STABLE != 0;
            }
            field::REAL_STABILITY_LIMIT => info.properties.real_stability_limit = Some(*number),
            field::PARAMETER => {
                if !number.is_finite() {
                    return Err(InfoError::Value {
                        what: "parameter's default",
                        value: *number,
                    });
                }
                info.parameters.push(SolverParameter {
                    name: text(),
                    default: *number,
                    description: String::new(),
                });
            }
            field::PARAMETER_DESCRIPTION => {
                let last = info.parameters.last_mut();
                last.ok_or(InfoError::Missing("parameter"))?.description = text();
            }
            field::DEPRECATED => info.deprecated = Some(text()),
            _ => {}
        }
    }
    match &info {
        info if info.name.is_empty() => Err(InfoError::Missing("name")),
        info if info.family.is_empty() => Err(InfoError::Missing("family")),
        info if info.order == 0 => Err(InfoError::Missing("order")),
        _ => Ok(info),
    }
}
