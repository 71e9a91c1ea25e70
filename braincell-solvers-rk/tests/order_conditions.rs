//! Order conditions of every tableau, proven in exact arithmetic over the rationals extended by √5.
//!
//! For tables of rational and √5 coefficients every condition holds exactly. The coefficients of `tsit54` that are not
//! rational are decimals of forty significant digits, each off by at most 5·10⁻⁴⁰ relatively; its conditions are held to
//! what these roundings can explain, Σ (number of factors + 1) · |product of coefficients| · 5·10⁻⁴⁰. The same bound with
//! 2⁻⁵³ is used for the doubles.

#[path = "support/number.rs"]
mod number;
#[path = "support/trees.rs"]
mod trees;

use braincell_solvers_rk::exact::Exact;
use braincell_solvers_rk::tableau::Tableau;
use braincell_solvers_rk::tableaux::{
    HEUN2, MIDPOINT, RALSTON2, RK2, Rk2Coefficients, TABLEAUX, find,
};
use num_rational::BigRational;
use num_traits::One;
use number::{Number, largest, rational, tenth_to};
use trees::{Residual, elementary_weights, magnitudes, residuals, rooted_trees};

fn numbers(row: &[Exact]) -> Vec<Number> {
    row.iter().map(|&exact| exact.into()).collect()
}

fn rows(rows: &[&[Exact]]) -> Vec<Vec<Number>> {
    rows.iter().map(|row| numbers(row)).collect()
}

/// All coefficients of a tableau with the doubles computed from them.
fn pairs(tableau: &Tableau) -> Vec<(Exact, f64)> {
    let mut pairs = Vec::new();
    let mut add = |exact: &[Exact], values: &[f64]| {
        assert_eq!(exact.len(), values.len(), "{}", tableau.name);
        pairs.extend(exact.iter().copied().zip(values.iter().copied()));
    };
    add(tableau.exact.b, tableau.b);
    add(tableau.exact.c, tableau.c);
    add(
        tableau.exact.b_hat.unwrap_or_default(),
        tableau.b_hat.unwrap_or_default(),
    );
    for (exact, values) in tableau.exact.a.iter().zip(tableau.a) {
        add(exact, values);
    }
    for (exact, values) in tableau
        .exact
        .dense
        .unwrap_or_default()
        .iter()
        .zip(tableau.dense.unwrap_or_default())
    {
        add(exact, values);
    }
    pairs
}

/// Relative error of the coefficients of the exact table: zero, unless it has decimals.
fn unit(tableau: &Tableau) -> Number {
    let is_decimal = |(exact, _): &(Exact, f64)| matches!(exact, Exact::Decimal(..));
    let has_decimals = pairs(tableau).iter().any(is_decimal);
    assert_eq!(has_decimals, tableau.name == "tsit54");
    if has_decimals {
        &tenth_to(40) * &rational(5, 1).into()
    } else {
        Number::zero()
    }
}

/// Asserts that roundings of relative size `unit` explain the residual; returns its value.
fn explained(residual: &Residual, unit: &Number, what: &str) -> Number {
    let off = residual.value.to_double();
    let allowed = (unit * &residual.scale).to_double();
    assert!(
        residual.is_explained_by(unit),
        "{what}: off by {off:e}, allowed {allowed:e}"
    );
    residual.value.clone()
}

/// Asserts that the largest of the residuals is no rounding: the conditions do not all hold.
fn assert_violated(residuals: &[Residual], what: &str) {
    let values: Vec<_> = residuals
        .iter()
        .map(|residual| residual.value.clone())
        .collect();
    assert!(
        !largest(&values).at_most(&tenth_to(4)),
        "{what}: the declared order is too modest"
    );
}

/// Proves that the weights have the order and not the next one; returns the largest residual.
fn prove_order(tableau: &Tableau, b: &[Number], order: u8, what: &str) -> Number {
    let order = usize::from(order);
    let what = format!("{} {what}", tableau.name);
    let trees = rooted_trees(order + 1);
    let a = rows(tableau.exact.a);
    let unit = unit(tableau);
    let mut values = Vec::new();
    for lower in 1..=order {
        for (index, residual) in residuals(&trees, &a, b, lower).iter().enumerate() {
            values.push(explained(
                residual,
                &unit,
                &format!("{what}, tree {index} of order {lower}"),
            ));
        }
    }
    assert_violated(&residuals(&trees, &a, b, order + 1), &what);
    largest(&values)
}

#[test]
fn weights_have_the_declared_order_and_no_more() {
    for tableau in TABLEAUX {
        let most = prove_order(tableau, &numbers(tableau.exact.b), tableau.order, "weights");
        println!(
            "{}: order {}, largest residual {:e}",
            tableau.name,
            tableau.order,
            most.to_double()
        );
    }
}

#[test]
fn embedded_weights_have_the_declared_order_and_no_more() {
    for tableau in TABLEAUX {
        assert_eq!(
            tableau.embedded_order.is_some(),
            tableau.exact.b_hat.is_some(),
            "{}",
            tableau.name
        );
        if let (Some(order), Some(b_hat)) = (tableau.embedded_order, tableau.exact.b_hat) {
            let most = prove_order(tableau, &numbers(b_hat), order, "embedded weights");
            println!(
                "{}: embedded order {order}, largest residual {:e}",
                tableau.name,
                most.to_double()
            );
        }
    }
}

#[test]
fn tables_are_consistent() {
    for tableau in TABLEAUX {
        let (name, stages, exact) = (tableau.name, tableau.stages(), tableau.exact);
        assert_eq!(
            [exact.a.len(), exact.b.len(), exact.c.len(), tableau.a.len()],
            [stages; 4],
            "{name}"
        );
        assert_eq!(exact.b_hat.is_some(), tableau.b_hat.is_some(), "{name}");
        assert!(
            exact.b_hat.is_none_or(|b_hat| b_hat.len() == stages),
            "{name}"
        );
        let ones = vec![Number::one(); stages];
        for (stage, row) in exact.a.iter().enumerate() {
            assert_eq!(row.len(), stage, "{name}");
            let node = Number::from(exact.c[stage]);
            let residual = Residual::new(&numbers(row), &ones, &ones, 1, &node);
            explained(&residual, &unit(tableau), &format!("{name}, node {stage}"));
        }
        let mut last = exact.a[stages - 1].to_vec();
        last.push(Exact::Rational(0, 1));
        assert_eq!(tableau.fsal, last == exact.b, "{name}");
        assert_eq!(find(name), Some(tableau));
        assert!(
            tableau
                .aliases
                .iter()
                .all(|alias| find(alias) == Some(tableau)),
            "{name}"
        );
        assert_eq!(
            TABLEAUX
                .iter()
                .filter(|other| other.is_called(name))
                .count(),
            1,
            "{name}"
        );
    }
    assert_eq!(find("explicit").map(|tableau| tableau.name), Some("euler"));
    assert_eq!(find("rk5"), None);
}

#[test]
fn doubles_are_the_nearest_ones() {
    for tableau in TABLEAUX {
        for (exact, value) in pairs(tableau) {
            assert_nearest(&exact.into(), value, tableau.name);
        }
    }
}

#[test]
fn rounded_coefficients_satisfy_the_conditions_to_rounding() {
    let trees = rooted_trees(5);
    let doubles = |row: &[f64]| {
        row.iter()
            .map(|&value| Number::from_double(value))
            .collect::<Vec<_>>()
    };
    let unit = Number::from_double(f64::EPSILON / 2.0);
    for tableau in TABLEAUX {
        let a: Vec<_> = tableau.a.iter().map(|row| doubles(row)).collect();
        let mut values = Vec::new();
        for (b, order) in [
            (Some(tableau.b), Some(tableau.order)),
            (tableau.b_hat, tableau.embedded_order),
        ] {
            let (Some(b), Some(order)) = (b, order) else {
                continue;
            };
            for lower in 1..=usize::from(order) {
                for residual in residuals(&trees, &a, &doubles(b), lower) {
                    values.push(explained(&residual, &unit, tableau.name));
                }
            }
        }
        println!(
            "{}: largest residual of the doubles {:e}",
            tableau.name,
            largest(&values).to_double()
        );
    }
}

/// Σ_i d_ij Φ_i(t) is 1/γ(t) for the power j of θ that is the order of t, and zero for the others.
fn dense_residuals(tableau: &Tableau, dense: &[Vec<Number>], order: usize) -> Vec<Residual> {
    let trees = rooted_trees(order);
    let a = rows(tableau.exact.a);
    let weights = elementary_weights(&trees, &a);
    let sizes = elementary_weights(&trees, &magnitudes(&a));
    let mut residuals = Vec::new();
    for (index, tree) in trees
        .iter()
        .enumerate()
        .filter(|(_, tree)| tree.order == order)
    {
        for power in 1..=dense[0].len().max(order) {
            let coefficient =
                |row: &Vec<Number>| row.get(power - 1).cloned().unwrap_or(Number::zero());
            let column: Vec<_> = dense.iter().map(coefficient).collect();
            let wanted = if power == order {
                rational(1, tree.density).into()
            } else {
                Number::zero()
            };
            residuals.push(Residual::new(
                &column,
                &weights[index],
                &sizes[index],
                order,
                &wanted,
            ));
        }
    }
    residuals
}

#[test]
fn continuous_extensions_have_their_order_at_every_point_and_join_smoothly() {
    for tableau in TABLEAUX {
        let name = tableau.name;
        assert_eq!(
            tableau.dense_order.is_some(),
            tableau.exact.dense.is_some(),
            "{name}"
        );
        assert_eq!(
            tableau.dense.is_some(),
            tableau.exact.dense.is_some(),
            "{name}"
        );
        let (Some(order), Some(dense)) = (tableau.dense_order, tableau.exact.dense) else {
            continue;
        };
        let dense = rows(dense);
        assert_eq!(dense.len(), tableau.stages(), "{name}");
        let (order, unit) = (usize::from(order), unit(tableau));
        let mut values = Vec::new();
        for lower in 1..=order {
            for residual in dense_residuals(tableau, &dense, lower) {
                let what = format!("{name}, continuous extension, order {lower}");
                values.push(explained(&residual, &unit, &what));
            }
        }
        assert_violated(&dense_residuals(tableau, &dense, order + 1), name);
        let most = largest(&values).to_double();
        println!("{name}: continuous extension of order {order}, largest residual {most:e}");

        let ones = vec![Number::one(); dense[0].len()];
        let powers: Vec<Number> = (1..)
            .take(ones.len())
            .map(|power| rational(power, 1).into())
            .collect();
        for (stage, row) in dense.iter().enumerate() {
            assert_eq!(row.len(), ones.len(), "{name}");
            let one_for = |which: usize| {
                if stage == which {
                    Number::one()
                } else {
                    Number::zero()
                }
            };
            let end = Residual::new(row, &ones, &ones, 1, &tableau.exact.b[stage].into());
            explained(
                &end,
                &unit,
                &format!("{name}, stage {stage}, value at θ = 1"),
            );
            assert_eq!(
                row[0],
                one_for(0),
                "{name}, stage {stage}, derivative at θ = 0"
            );
            let slope = Residual::new(row, &powers, &powers, 1, &one_for(tableau.stages() - 1));
            explained(
                &slope,
                &unit,
                &format!("{name}, stage {stage}, derivative at θ = 1"),
            );
        }
    }
}

#[test]
fn every_member_of_the_two_stage_family_has_order_two() {
    let trees = rooted_trees(3);
    let is_zero = |residual: &Residual| residual.value.is_zero();
    let parameters = [
        (1, 2),
        (2, 3),
        (1, 1),
        (3, 4),
        (1, 3),
        (-1, 2),
        (-5, 7),
        (7, 1),
        (1, 1000),
        (123, 457),
    ];
    for (numerator, denominator) in parameters {
        let alpha = rational(numerator, denominator);
        let second = BigRational::one() / (rational(2, 1) * &alpha);
        let b: [Number; 2] = [(BigRational::one() - &second).into(), second.into()];
        let a = [vec![], vec![alpha.into()]];
        for order in [1, 2] {
            assert!(
                residuals(&trees, &a, &b, order).iter().all(is_zero),
                "α = {numerator}/{denominator}"
            );
        }
        assert!(
            !residuals(&trees, &a, &b, 3).iter().all(is_zero),
            "α = {numerator}/{denominator}"
        );

        // The doubles are the nearest to the formula at the double α.
        let rounded =
            Rk2Coefficients::new(numerator as f64 / denominator as f64).expect("a valid parameter");
        let [first, second] = rounded.b.map(|b| Number::from_double(b).p);
        let double_alpha = Number::from_double(rounded.alpha).p;
        let wanted: Number = (BigRational::one() / (rational(2, 1) * double_alpha)).into();
        assert_nearest(&wanted, rounded.b[1], "b2");
        assert_nearest(&(BigRational::one() - &second).into(), rounded.b[0], "b1");
        if rounded.alpha.abs().log2().fract() == 0.0 {
            assert_eq!(first + second, BigRational::one()); // powers of two: no rounding at all
        }
    }
}

fn assert_nearest(exact: &Number, value: f64, what: &str) {
    let distance = |double: f64| (exact - &Number::from_double(double)).abs();
    for neighbour in [value.next_up(), value.next_down()] {
        assert!(
            distance(value).at_most(&distance(neighbour)),
            "{what}: {neighbour:e} is nearer than {value:e}"
        );
    }
}

#[test]
fn the_two_stage_family_contains_the_named_methods_and_rejects_the_rest() {
    for (alpha, member) in [
        (0.5, &MIDPOINT),
        (2.0 / 3.0, &RALSTON2),
        (1.0, &HEUN2),
        (Rk2Coefficients::DEFAULT_ALPHA, &RK2),
    ] {
        let coefficients = Rk2Coefficients::new(alpha).expect("a valid parameter");
        assert_eq!(coefficients.b, member.b, "{}", member.name);
        assert_eq!([coefficients.alpha], member.a[1], "{}", member.name);
    }
    for alpha in [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e-310,
        f64::MAX,
    ] {
        let error = Rk2Coefficients::new(alpha).expect_err("no method");
        assert!(error.to_string().contains("alpha"), "{error}");
    }
}
