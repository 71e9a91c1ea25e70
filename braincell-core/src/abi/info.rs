//! The metadata of a solver, across the border and back.

use crate::stepper::{Needs, Parts, Properties, SolverInfo, SolverParameter};
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
    // All fields by name, so that none is forgotten when one is added.
    let SolverInfo {
        name,
        aliases,
        family,
        order,
        order_without_cable,
        strong_order,
        advances: Parts(advances),
        embedded_order,
        description,
        formula,
        reference,
        needs: Needs { membrane, noise },
        properties:
            Properties {
                explicit,
                a_stable,
                l_stable,
                real_stability_limit,
            },
        parameters,
        deprecated,
    } = info;
    let mut out = Vec::new();
    let mut add = |key: u32, text: &str, number: f64| {
        out.push(Field {
            key,
            text: text.into(),
            number,
        });
    };
    add(field::NAME, name, 0.0);
    for alias in aliases {
        add(field::ALIAS, alias, 0.0);
    }
    add(field::FAMILY, family, 0.0);
    add(field::ORDER, "", f64::from(*order));
    for (key, number) in [
        (
            field::ORDER_WITHOUT_CABLE,
            order_without_cable.map(f64::from),
        ),
        (field::STRONG_ORDER, *strong_order),
        (field::EMBEDDED_ORDER, embedded_order.map(f64::from)),
        (field::REAL_STABILITY_LIMIT, *real_stability_limit),
    ] {
        if let Some(number) = number {
            add(key, "", number);
        }
    }
    add(field::DESCRIPTION, description, 0.0);
    add(field::FORMULA, formula, 0.0);
    add(field::REFERENCE, reference, 0.0);
    let bit = |yes: &bool, bit: u32| if *yes { bit } else { 0 };
    let needs = bit(membrane, field::NEED_MEMBRANE) | bit(noise, field::NEED_NOISE);
    add(field::NEEDS, "", f64::from(needs));
    let properties = bit(explicit, field::EXPLICIT)
        | bit(a_stable, field::A_STABLE)
        | bit(l_stable, field::L_STABLE);
    add(field::ADVANCES, "", f64::from(*advances));
    add(field::PROPERTIES, "", f64::from(properties));
    for p in parameters {
        add(field::PARAMETER, &p.name, p.default);
        add(field::PARAMETER_DESCRIPTION, &p.description, 0.0);
    }
    if let Some(why) = deprecated {
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
            field::ORDER_WITHOUT_CABLE => {
                info.order_without_cable = Some(whole("order without a cable")?);
            }
            field::STRONG_ORDER => info.strong_order = Some(*number),
            field::ADVANCES => match whole("choice of parts")? {
                parts if (1..=Parts::ALL.0).contains(&parts) => info.advances = Parts(parts),
                _ => {
                    let (what, value) = ("choice of parts", *number);
                    return Err(InfoError::Value { what, value });
                }
            },
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
