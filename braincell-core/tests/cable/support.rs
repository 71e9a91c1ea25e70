//! Trees, random numbers, dense matrices.

use braincell_core::cable::Tree;
use braincell_core::simd::Level;
use proptest::prelude::*;

/// A parent list with conductances, in an order of its own.
#[derive(Clone, Debug)]
pub struct Parents {
    pub parent: Vec<Option<usize>>,
    pub conductance: Vec<f64>,
}

impl Parents {
    /// Node i > 0 hangs on `parent(i) < i`; the nodes are then shuffled by `seed`, conductances spread over `decades`.
    pub fn grow(
        nodes: usize,
        seed: u64,
        decades: f64,
        mut parent: impl FnMut(usize, &mut Random) -> usize,
    ) -> Self {
        let mut random = Random(seed);
        let mut name: Vec<usize> = (0..nodes).collect();
        for i in (1..nodes).rev() {
            name.swap(i, random.below(i + 1));
        }
        let mut out = Self {
            parent: vec![None; nodes],
            conductance: vec![0.0; nodes],
        };
        for i in 1..nodes {
            let p = parent(i, &mut random);
            out.parent[name[i]] = Some(name[p]);
            out.conductance[name[i]] = 10.0_f64.powf(decades * (random.uniform() - 0.5));
        }
        out
    }

    pub fn path(nodes: usize, seed: u64) -> Self {
        Self::grow(nodes, seed, 2.0, |i, _| i - 1)
    }

    pub fn star(nodes: usize, seed: u64) -> Self {
        Self::grow(nodes, seed, 2.0, |_, _| 0)
    }

    /// A spine of even nodes, each with one tooth.
    pub fn comb(nodes: usize, seed: u64) -> Self {
        Self::grow(
            nodes,
            seed,
            2.0,
            |i, _| if i % 2 == 1 { i - 1 } else { i - 2 },
        )
    }

    pub fn random(nodes: usize, seed: u64) -> Self {
        Self::grow(nodes, seed, 2.0, |i, random| random.below(i))
    }

    pub fn all(nodes: usize, seed: u64) -> [Self; 4] {
        [
            Self::path(nodes, seed),
            Self::star(nodes, seed),
            Self::comb(nodes, seed),
            Self::random(nodes, seed),
        ]
    }

    pub fn tree(&self) -> Tree {
        Tree::new(&self.parent, &self.conductance).unwrap()
    }
}

/// Random trees of 1 to `most` nodes, from stars to nearly paths, conductances over `decades`.
pub fn any_tree(most: usize, decades: f64) -> impl Strategy<Value = Parents> {
    (1..=most, any::<u64>(), 1..=most).prop_map(move |(nodes, seed, reach)| {
        Parents::grow(nodes, seed, decades, |i, random| {
            i - 1 - random.below(i.min(reach))
        })
    })
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Numbers in [low, high).
    pub fn numbers(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n)
            .map(|_| low + (high - low) * self.uniform())
            .collect()
    }
}

pub fn levels() -> Vec<Level> {
    Level::ALL
        .into_iter()
        .filter(|level| level.is_available())
        .collect()
}

/// One lane of `[row][lane]`.
pub fn lane<T: Copy>(x: &[T], width: usize, lane: usize) -> Vec<T> {
    x[lane..].iter().step_by(width).copied().collect()
}

pub type Dense = Vec<Vec<f64>>;

/// G in row order.
pub fn dense(tree: &Tree) -> Dense {
    let mut m = vec![vec![0.0; tree.len()]; tree.len()];
    for row in 1..tree.len() {
        let (p, g) = (tree.parents()[row] as usize, tree.conductance(row));
        m[row][row] += g;
        m[p][p] += g;
        m[row][p] -= g;
        m[p][row] -= g;
    }
    m
}

pub fn multiply(m: &Dense, x: &[f64]) -> Vec<f64> {
    m.iter()
        .map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum())
        .collect()
}

/// Gaussian elimination with row pivoting.
pub fn dense_solve(mut m: Dense, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let best = (k..n)
            .max_by(|&i, &j| m[i][k].abs().total_cmp(&m[j][k].abs()))
            .unwrap();
        m.swap(k, best);
        b.swap(k, best);
        let (head, tail) = m.split_at_mut(k + 1);
        for (i, row) in tail.iter_mut().enumerate() {
            let f = row[k] / head[k][k];
            if f != 0.0 {
                for j in k..n {
                    row[j] -= f * head[k][j];
                }
                b[k + 1 + i] -= f * b[k];
            }
        }
    }
    for k in (0..n).rev() {
        let sum: f64 = (k + 1..n).map(|j| m[k][j] * b[j]).sum();
        b[k] = (b[k] - sum) / m[k][k];
    }
    b
}

pub fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |a, b| a.max(b.abs()))
}

pub fn difference(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).fold(
        0.0,
        |a, (x, y)| if (x - y).abs() <= a { a } else { (x - y).abs() },
    )
}
