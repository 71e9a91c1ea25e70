//! Trees of points: validation, and the order by level that the sweeps need.

use std::ops::Range;

/// A rooted tree with an axial conductance on each edge, its nodes put in level order.
///
/// A *node* is counted in the caller's order, a *row* in level order: the root is row 0, rows of one level
/// (distance from the root) are contiguous, children of one parent are contiguous and keep the caller's order.
/// Every parent has a smaller row than its children, so sweeps are plain loops, and rows of one level do not
/// depend on each other.
///
/// ```
/// use braincell_core::cable::Tree;
/// // node 2 is the root, 0 and 1 hang on it, 3 hangs on 0; conductances in microsiemens
/// let tree = Tree::new(&[Some(2), Some(2), None, Some(0)], &[1.0, 2.0, 0.0, 3.0])?;
/// assert_eq!(tree.permutation(), &[2, 0, 1, 3]);
/// assert_eq!(tree.levels().collect::<Vec<_>>(), [0..1, 1..3, 3..4]);
/// assert_eq!(tree.conductance(3), 3.0);
/// # Ok::<(), braincell_core::cable::TreeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    node_of_row: Vec<u32>,
    row_of_node: Vec<u32>,
    parent_row: Vec<u32>,
    conductance: Vec<f64>,
    level_start: Vec<u32>,
}

/// Why a parent list is not a tree.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TreeError {
    /// There are no nodes.
    #[error("a tree needs at least one node; the parent list is empty")]
    Empty,
    /// The lists differ in length.
    #[error(
        "{parents} parents but {conductances} conductances; give one conductance per node (any number at the root)"
    )]
    Length {
        /// Number of parents.
        parents: usize,
        /// Number of conductances.
        conductances: usize,
    },
    /// Rows are counted in 32 bits.
    #[error("a tree of {0} nodes is too large; at most {max} nodes", max = u32::MAX)]
    TooLarge(usize),
    /// A parent that is no node.
    #[error("node {node} has parent {parent}, but the nodes are 0 to {last}")]
    ParentOutOfRange {
        /// The node.
        node: usize,
        /// Its parent as given.
        parent: usize,
        /// The last node there is.
        last: usize,
    },
    /// Every node has a parent.
    #[error("no root: every node has a parent; leave the parent of exactly one node empty")]
    NoRoot,
    /// Several nodes without a parent.
    #[error("two roots: nodes {first} and {second} have no parent; connect one of them")]
    TwoRoots {
        /// The first root.
        first: usize,
        /// The second root.
        second: usize,
    },
    /// A node is its own ancestor.
    #[error("node {node} is its own ancestor; the parents form a cycle there")]
    Cycle {
        /// A node on the cycle.
        node: usize,
    },
    /// A conductance that is not a positive finite number.
    #[error(
        "the conductance from node {node} to its parent is {value}; it must be positive and finite"
    )]
    Conductance {
        /// The node.
        node: usize,
        /// The conductance as given.
        value: f64,
    },
    /// A list whose length does not fit the tree.
    #[error("{what} has {found} elements; expected {rows} rows times the number of lanes")]
    Shape {
        /// Which list.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Number of rows of the tree.
        rows: usize,
    },
}

impl Tree {
    /// Builds a tree from each node's parent (`None` for the root) and the conductance of the edge to it (the
    /// root's is ignored). Nodes may come in any order. Linear in the number of nodes.
    ///
    /// # Errors
    /// [`TreeError`], naming the node, unless there is exactly one root, every node descends from it, and every
    /// conductance is positive and finite.
    pub fn new(parent: &[Option<usize>], conductance: &[f64]) -> Result<Tree, TreeError> {
        let nodes = parent.len();
        let root = check(parent, conductance)?;

        // Children of each node, in the caller's order, by counting.
        let mut start = vec![0_u32; nodes + 1];
        for p in parent.iter().flatten() {
            start[p + 1] += 1;
        }
        for node in 0..nodes {
            start[node + 1] += start[node];
        }
        let mut next = start.clone();
        let mut children = vec![0_u32; nodes - 1];
        for (node, p) in parent.iter().enumerate() {
            if let Some(p) = *p {
                children[next[p] as usize] = node as u32;
                next[p] += 1;
            }
        }

        let mut tree = Tree {
            node_of_row: Vec::with_capacity(nodes),
            row_of_node: vec![u32::MAX; nodes],
            parent_row: Vec::with_capacity(nodes),
            conductance: Vec::with_capacity(nodes),
            level_start: vec![0, 1],
        };
        tree.push(root as u32, 0, 0.0);
        let mut row = 0;
        while row < tree.node_of_row.len() {
            let level_end = tree.node_of_row.len();
            while row < level_end {
                let node = tree.node_of_row[row] as usize;
                for &child in &children[start[node] as usize..start[node + 1] as usize] {
                    tree.push(child, row as u32, conductance[child as usize]);
                }
                row += 1;
            }
            if tree.node_of_row.len() > level_end {
                tree.level_start.push(tree.node_of_row.len() as u32);
            }
        }
        match tree.row_of_node.iter().position(|&row| row == u32::MAX) {
            None => Ok(tree),
            Some(unreached) => {
                // Following the parents of a node that does not descend from the root ends on a cycle.
                let node = (0..nodes).fold(unreached, |node, _| parent[node].unwrap_or(node));
                Err(TreeError::Cycle { node })
            }
        }
    }

    fn push(&mut self, node: u32, parent_row: u32, conductance: f64) {
        self.row_of_node[node as usize] = self.node_of_row.len() as u32;
        self.node_of_row.push(node);
        self.parent_row.push(parent_row);
        self.conductance.push(conductance);
    }

    /// Number of nodes, which is the number of rows; at least 1.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.node_of_row.len()
    }

    /// The node of each row.
    pub fn permutation(&self) -> &[u32] {
        &self.node_of_row
    }

    /// The row of each node.
    pub fn inverse(&self) -> &[u32] {
        &self.row_of_node
    }

    /// The row of each row's parent; 0 for row 0, the root.
    pub fn parents(&self) -> &[u32] {
        &self.parent_row
    }

    /// Conductance from a row to its parent; 0 for the root.
    pub fn conductance(&self, row: usize) -> f64 {
        self.conductance[row]
    }

    /// The rows of each level, from the root down. Rows of one level are independent of each other
    /// (dendritic hierarchical scheduling: Y. Zhang et al., Nature Communications 14 (2023),
    /// [doi:10.1038/s41467-023-41553-7](https://doi.org/10.1038/s41467-023-41553-7)).
    pub fn levels(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.level_start
            .windows(2)
            .map(|pair| pair[0] as usize..pair[1] as usize)
    }

    /// Copies values given per node (`[node][lane]`) into rows (`[row][lane]`).
    ///
    /// # Errors
    /// [`TreeError::Shape`] if a length is no multiple of the number of nodes, or the lengths differ.
    pub fn to_rows<T: Copy>(&self, nodes: &[T], rows: &mut [T]) -> Result<(), TreeError> {
        let lanes = self.lanes(nodes.len(), rows.len())?;
        for (target, &node) in rows.chunks_exact_mut(lanes).zip(&self.node_of_row) {
            target.copy_from_slice(&nodes[node as usize * lanes..][..lanes]);
        }
        Ok(())
    }

    /// Copies values given per row (`[row][lane]`) into nodes (`[node][lane]`), the inverse of [`Tree::to_rows`].
    ///
    /// # Errors
    /// As [`Tree::to_rows`].
    pub fn to_nodes<T: Copy>(&self, rows: &[T], nodes: &mut [T]) -> Result<(), TreeError> {
        let lanes = self.lanes(nodes.len(), rows.len())?;
        for (target, &row) in nodes.chunks_exact_mut(lanes).zip(&self.row_of_node) {
            target.copy_from_slice(&rows[row as usize * lanes..][..lanes]);
        }
        Ok(())
    }

    fn lanes(&self, nodes: usize, rows: usize) -> Result<usize, TreeError> {
        let shape = |what, found| TreeError::Shape {
            what,
            found,
            rows: self.len(),
        };
        if nodes == 0 || !nodes.is_multiple_of(self.len()) {
            Err(shape("the list of nodes", nodes))
        } else if rows != nodes {
            Err(shape("the list of rows", rows))
        } else {
            Ok(nodes / self.len())
        }
    }
}

/// Checks everything but cycles; returns the root.
fn check(parent: &[Option<usize>], conductance: &[f64]) -> Result<usize, TreeError> {
    if parent.is_empty() {
        return Err(TreeError::Empty);
    }
    if parent.len() != conductance.len() {
        return Err(TreeError::Length {
            parents: parent.len(),
            conductances: conductance.len(),
        });
    }
    if parent.len() > u32::MAX as usize {
        return Err(TreeError::TooLarge(parent.len()));
    }
    let mut root = None;
    for (node, (&p, &value)) in parent.iter().zip(conductance).enumerate() {
        match (p, root) {
            (Some(parent_node), _) if parent_node >= parent.len() => {
                return Err(TreeError::ParentOutOfRange {
                    node,
                    parent: parent_node,
                    last: parent.len() - 1,
                });
            }
            (Some(_), _) if !(value > 0.0 && value.is_finite()) => {
                return Err(TreeError::Conductance { node, value });
            }
            (Some(_), _) => {}
            (None, None) => root = Some(node),
            (None, Some(first)) => {
                return Err(TreeError::TwoRoots {
                    first,
                    second: node,
                });
            }
        }
    }
    root.ok_or(TreeError::NoRoot)
}
