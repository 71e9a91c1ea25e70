//! Rooted trees and the order conditions they stand for.

use crate::number::{Number, dot, rational};

/// A rooted tree: its order (number of vertices), its density γ, and its subtrees by index into the list of trees.
pub struct Tree {
    pub order: usize,
    pub density: i64,
    pub children: Vec<usize>,
}

/// All rooted trees up to an order, each once, by rising order.
pub fn rooted_trees(up_to: usize) -> Vec<Tree> {
    let mut trees: Vec<Tree> = Vec::new();
    for order in 1..=up_to {
        let mut sets = Vec::new();
        subtrees(&trees, 0, order - 1, &mut Vec::new(), &mut sets);
        for children in sets {
            let density = children
                .iter()
                .map(|&child| trees[child].density)
                .product::<i64>()
                * order as i64;
            trees.push(Tree {
                order,
                density,
                children,
            });
        }
    }
    trees
}

/// All multisets of trees, with indices from `first` on and not falling, whose orders sum to `vertices`.
fn subtrees(
    trees: &[Tree],
    first: usize,
    vertices: usize,
    chosen: &mut Vec<usize>,
    sets: &mut Vec<Vec<usize>>,
) {
    if vertices == 0 {
        sets.push(chosen.clone());
        return;
    }
    for next in first..trees.len() {
        if trees[next].order <= vertices {
            chosen.push(next);
            subtrees(trees, next, vertices - trees[next].order, chosen, sets);
            chosen.pop();
        }
    }
}

/// Elementary weights Φ_i(t) of every stage i, for every tree: Φ_i(t) = Π over subtrees u of Σ_j a_ij Φ_j(u).
pub fn elementary_weights(trees: &[Tree], a: &[Vec<Number>]) -> Vec<Vec<Number>> {
    let mut weights: Vec<Vec<Number>> = Vec::new();
    for tree in trees {
        let stage = |row: &Vec<Number>| {
            tree.children.iter().fold(Number::one(), |product, &child| {
                &product * &dot(row, &weights[child])
            })
        };
        let of_tree = a.iter().map(stage).collect();
        weights.push(of_tree);
    }
    weights
}

/// By how much a sum of products of coefficients misses its value.
pub struct Residual {
    /// Sum minus value.
    pub value: Number,
    /// Σ over the products of (number of factors + 1) · |product|. If every coefficient, and the value, is off by at most
    /// a small u relatively, the residual is at most u times this, to first order in u.
    pub scale: Number,
}

impl Residual {
    /// Of Σ_i x_i y_i, in which every product has `factors` factors, from `wanted`.
    /// `magnitudes` are bounds on y_i from the magnitudes of their factors.
    pub fn new(
        x: &[Number],
        y: &[Number],
        magnitudes: &[Number],
        factors: usize,
        wanted: &Number,
    ) -> Self {
        let sizes: Vec<Number> = x.iter().map(Number::abs).collect();
        let factors = rational(factors as i64 + 1, 1).into();
        Self {
            value: &dot(x, y) - wanted,
            scale: &factors * &dot(&sizes, magnitudes),
        }
    }

    /// Whether coefficients off by at most `unit` relatively explain the residual; for a unit of zero, whether it is zero.
    pub fn is_explained_by(&self, unit: &Number) -> bool {
        self.value.abs().at_most(&(unit * &self.scale))
    }
}

/// The magnitudes of the entries of a triangle.
pub fn magnitudes(a: &[Vec<Number>]) -> Vec<Vec<Number>> {
    a.iter()
        .map(|row| row.iter().map(Number::abs).collect())
        .collect()
}

/// Σ_i b_i Φ_i(t) − 1/γ(t) for the trees of one order.
pub fn residuals(trees: &[Tree], a: &[Vec<Number>], b: &[Number], order: usize) -> Vec<Residual> {
    let weights = elementary_weights(trees, a);
    let sizes = elementary_weights(trees, &magnitudes(a));
    let all = trees
        .iter()
        .zip(weights.iter().zip(&sizes))
        .filter(|(tree, _)| tree.order == order);
    all.map(|(tree, (weight, size))| {
        Residual::new(b, weight, size, order, &rational(1, tree.density).into())
    })
    .collect()
}

#[test]
fn rooted_trees_are_counted_right() {
    let trees = rooted_trees(7);
    let count = |order| trees.iter().filter(|tree| tree.order == order).count();
    assert_eq!([1, 2, 3, 4, 5, 6, 7].map(count), [1, 1, 2, 4, 9, 20, 48]);
    assert_eq!(trees.iter().filter(|tree| tree.order <= 5).count(), 17);
    let of_order_four: Vec<i64> = trees
        .iter()
        .filter(|tree| tree.order == 4)
        .map(|tree| tree.density)
        .collect();
    let mut sorted = of_order_four;
    sorted.sort_unstable();
    assert_eq!(sorted, [4, 8, 12, 24]);
}
