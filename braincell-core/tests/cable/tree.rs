//! Validation, level order, and the product with the operator.

use crate::support::*;
use braincell_core::cable::{CableError, Laplacian, Tree, TreeError};
use braincell_core::simd::Level;
use proptest::prelude::*;

#[test]
fn bad_parent_lists_are_refused_by_name() {
    let new = |parent: &[Option<usize>], g: &[f64]| Tree::new(parent, g).unwrap_err();
    let ones = [1.0; 4];
    assert_eq!(new(&[], &[]), TreeError::Empty);
    assert_eq!(
        new(&[None], &[]),
        TreeError::Length {
            parents: 1,
            conductances: 0
        }
    );
    assert_eq!(
        new(&[None, Some(9)], &ones[..2]),
        TreeError::ParentOutOfRange {
            node: 1,
            parent: 9,
            last: 1
        }
    );
    assert_eq!(
        new(&[None, Some(0), None], &ones[..3]),
        TreeError::TwoRoots {
            first: 0,
            second: 2
        }
    );
    assert_eq!(new(&[Some(1), Some(0)], &ones[..2]), TreeError::NoRoot);
    assert_eq!(
        new(&[None, Some(1)], &ones[..2]),
        TreeError::Cycle { node: 1 }
    );
    // 1 hangs on the cycle 2 -> 3 -> 2 without being on it
    let error = new(&[None, Some(2), Some(3), Some(2)], &ones);
    assert!(matches!(error, TreeError::Cycle { node: 2 | 3 }), "{error}");
    for g in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = new(&[None, Some(0)], &[0.0, g]);
        assert!(
            matches!(error, TreeError::Conductance { node: 1, .. }),
            "{error}"
        );
    }
    assert!(Tree::new(&[None], &[f64::NAN]).is_ok()); // the root's conductance does not count
}

#[test]
fn operators_refuse_numbers_out_of_range() {
    for value in [1e39, 1e-60] {
        let tree = Tree::new(&[None, Some(0)], &[0.0, value]).unwrap();
        let refused = Laplacian::<f32>::new(&tree).unwrap_err();
        assert_eq!(refused, CableError::Conductance { row: 1, value });
        assert!(Laplacian::<f64>::new(&tree).is_ok());
    }
    let tree = Tree::new(&[None, Some(0)], &[0.0, 1e30]).unwrap();
    let operator = Laplacian::<f32>::new(&tree).unwrap();
    for s in [-1.0, f64::NAN, f64::INFINITY, 1e10] {
        let error = operator
            .apply(Level::detect(), s, &[0.0; 2], &mut [0.0; 2])
            .unwrap_err();
        assert!(matches!(error, CableError::Factor { .. }), "{s}");
    }
    for (x, y) in [(0, 0), (3, 3), (2, 4), (4, 2)] {
        let error = operator
            .apply(Level::detect(), 1.0, &vec![0.0; x], &mut vec![0.0; y])
            .unwrap_err();
        assert!(matches!(error, CableError::Shape { .. }), "{x} {y}");
    }
}

#[test]
fn a_million_nodes_in_linear_time() {
    for parents in Parents::all(1_000_000, 3) {
        let tree = parents.tree();
        assert_eq!(tree.len(), 1_000_000);
        assert_eq!(tree.levels().last().unwrap().end, tree.len());
    }
    let ring: Vec<_> = (0..1_000_000_usize)
        .map(|i| (i > 0).then(|| if i == 1 { 999_999 } else { i - 1 }))
        .collect();
    let error = Tree::new(&ring, &vec![1.0; ring.len()]).unwrap_err();
    assert!(matches!(error, TreeError::Cycle { .. }));
}

proptest! {
    #[test]
    fn rows_are_in_level_order(parents in any_tree(60, 1.0)) {
        let tree = parents.tree();
        let n = tree.len();
        let depth = |mut node: usize| {
            let mut depth = 0;
            while let Some(p) = parents.parent[node] {
                (node, depth) = (p, depth + 1);
            }
            depth
        };
        let mut end = 0;
        for (level, rows) in tree.levels().enumerate() {
            prop_assert_eq!(rows.start, end);
            prop_assert!(!rows.is_empty());
            end = rows.end;
            for row in rows {
                let node = tree.permutation()[row] as usize;
                prop_assert_eq!(tree.inverse()[node] as usize, row);
                prop_assert_eq!(depth(node), level);
                let parent = tree.permutation()[tree.parents()[row] as usize] as usize;
                match parents.parent[node] {
                    Some(p) => prop_assert_eq!((p, parents.conductance[node]), (parent, tree.conductance(row))),
                    None => prop_assert_eq!((row, tree.conductance(row)), (0, 0.0)),
                }
                // siblings together, in the caller's order
                if row > 1 {
                    let before = tree.permutation()[row - 1] as usize;
                    let (p, q) = (tree.parents()[row - 1], tree.parents()[row]);
                    prop_assert!(p < q || (p == q && before < node));
                }
            }
        }
        prop_assert_eq!(end, n);

        let nodes: Vec<(usize, usize)> = (0..3 * n).map(|i| (i / 3, i % 3)).collect();
        let (mut rows, mut back) = (nodes.clone(), vec![(0, 0); 3 * n]);
        tree.to_rows(&nodes, &mut rows).unwrap();
        prop_assert_eq!(rows[3 * n - 1], (tree.permutation()[n - 1] as usize, 2));
        tree.to_nodes(&rows, &mut back).unwrap();
        prop_assert_eq!(back, nodes);
        prop_assert!(tree.to_rows(&rows[1..], &mut vec![(0, 0); 3 * n]).is_err());
    }

    #[test]
    fn products_agree_with_the_dense_matrix(parents in any_tree(60, 3.0), width in 1..20_usize, seed: u64) {
        let tree = parents.tree();
        let n = tree.len();
        let mut random = Random(seed);
        let operator = Laplacian::<f64>::new(&tree).unwrap();
        let m = dense(&tree);
        let (x, before) = (random.numbers(n * width, -1.0, 1.0), random.numbers(n * width, -1.0, 1.0));
        // The same on arrays in the order of the nodes.
        let placed = Laplacian::<f64>::placed(&tree, tree.permutation()).unwrap();
        let mut x_placed = vec![0.0; n * width];
        tree.to_nodes(&x, &mut x_placed).unwrap();
        let bound = 1e-13 * largest(&m.concat());
        for level in levels() {
            let mut product = before.clone();
            operator.apply(level, 0.7, &x, &mut product).unwrap();
            let (mut product_placed, mut same) = (before.clone(), before.clone());
            placed.apply(level, 0.7, &x_placed, &mut product_placed).unwrap();
            tree.to_rows(&product_placed, &mut same).unwrap();
            prop_assert_eq!(&same, &product);
            for k in 0..width {
                let x = lane(&x, width, k);
                let wanted: Vec<f64> = multiply(&m, &x).iter().map(|a| 0.7 * a).collect();
                prop_assert!(difference(&lane(&product, width, k), &wanted) <= bound.max(1e-15) * n as f64);
            }
        }
    }

    #[test]
    fn axial_current_is_conserved(parents in any_tree(200, 6.0), seed: u64) {
        let tree = parents.tree();
        let x = Random(seed).numbers(tree.len() * 8, -100.0, 100.0);
        let mut y = vec![0.0; x.len()];
        let operator = Laplacian::<f64>::new(&tree).unwrap();
        operator.apply(Level::detect(), 1.0, &x, &mut y).unwrap();
        for k in 0..8 {
            let current = lane(&y, 8, k);
            let size: f64 = current.iter().map(|i| i.abs()).sum();
            prop_assert!(current.iter().sum::<f64>().abs() <= 1e-13 * size);
        }
        // uniform voltage drives no current at all
        let mut y = vec![0.0; x.len()];
        operator.apply(Level::detect(), 1.0, &vec![-65.3; x.len()], &mut y).unwrap();
        prop_assert!(y.iter().all(|&i| i == 0.0));
    }
}
