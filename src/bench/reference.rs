//! Loops written by hand for one model, one scheme and one layout: what the engine is measured against.
//!
//! They do the arithmetic of the engine with the same elementary functions and the same vector instructions, but know
//! everything in advance: no operands to look up, nothing kept that is not needed, nothing checked. The lanes are cells,
//! [`WIDTH`] at a time, except for a cable of a single cell.

use crate::cells::rates::{exponential, linoid, sigmoid};
use crate::kernel::Relaxation;
use crate::real::{Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// Numbers that are worked on together: two vectors of doubles with AVX-512.
pub const WIDTH: usize = 16;

const G_NA: f64 = 120.0;
const G_K: f64 = 36.0;
const G_L: f64 = 0.3;
const E_NA: f64 = 50.0;
const E_K: f64 = -77.0;
const E_L: f64 = -54.387;
/// µA/cm².
pub const CURRENT: f64 = 10.0;

/// The rates of m, h and n of Hodgkin and Huxley.
#[inline(always)]
fn rates<R: Real>(v: R) -> [Relaxation<R>; 3] {
    [
        Relaxation::rates(
            linoid(v, 1.0, -40.0, 10.0),
            exponential(v, 4.0, -65.0, -18.0),
        ),
        Relaxation::rates(
            exponential(v, 0.07, -65.0, -20.0),
            sigmoid(v, 1.0, -35.0, 10.0),
        ),
        Relaxation::rates(
            linoid(v, 0.1, -55.0, 10.0),
            exponential(v, 0.125, -65.0, -80.0),
        ),
    ]
}

/// x + h φ₁(-b h) (a - b x)
#[inline(always)]
fn relaxed<R: Real>(Relaxation { a, b }: Relaxation<R>, x: R, h: R) -> R {
    let slope = (-b).mul_add(x, a);
    (h * (-(b * h)).exprel()).mul_add(slope, x)
}

/// Conductance and Σ g E of the three currents.
#[inline(always)]
fn conductance<R: Real>([m, h, n]: [R; 3]) -> [R; 2] {
    let na = m * m * m * h * G_NA;
    let n2 = n * n;
    let k = n2 * n2 * G_K;
    [na + k + G_L, na * E_NA + k * E_K + R::constant(G_L * E_L)]
}

/// dy/dt of the point neuron.
#[inline(always)]
fn derivative<R: Real>([v, m, h, n]: [R; 4]) -> [R; 4] {
    let [g, ge] = conductance([m, h, n]);
    let [am, ah, an] = rates(v);
    [
        (-g).mul_add(v, ge + CURRENT),
        (-am.b).mul_add(m, am.a),
        (-ah.b).mul_add(h, ah.a),
        (-an.b).mul_add(n, an.a),
    ]
}

/// Which step of the point neuron.
#[derive(Clone, Copy)]
pub enum PointStep {
    /// The classical Runge-Kutta method.
    Rk4,
    /// Every state by itself along the diagonal of the Jacobian.
    Exponential,
}

/// Point neurons in groups of `N` cells, with V, m, h and n side by side.
pub struct Points<F, const N: usize> {
    cells: Vec<[[F; N]; 4]>,
}

impl<F: Element, const N: usize> Points<F, N> {
    /// At rest.
    pub fn new(cells: usize) -> Self {
        let state = [-65.0, 0.0529, 0.5961, 0.3177].map(|x| [F::from_f64(x); N]);
        let groups = cells.div_ceil(N);
        Self {
            cells: vec![state; groups],
        }
    }

    /// One step of size `h`, ms.
    pub fn step(&mut self, level: Level, h: f64, which: PointStep) {
        let cells = &mut self.cells;
        dispatch(level, RunPoints { cells, h, which });
    }
}

struct RunPoints<'a, F, const N: usize> {
    cells: &'a mut [[[F; N]; 4]],
    h: f64,
    which: PointStep,
}

impl<F: Element, const N: usize> Body<F> for RunPoints<'_, F, N> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let h = R::constant(self.h);
        // One loop for each: a closure would not be compiled for the vector instructions.
        match self.which {
            PointStep::Rk4 => {
                for group in self.cells {
                    let input = *group;
                    let mut output = input;
                    #[allow(clippy::needless_range_loop)] // lanes by index, as everywhere here
                    for lane in 0..N {
                        let y = rk4(state::<F, R, N>(&input, lane), h);
                        for i in 0..4 {
                            output[i][lane] = y[i].store();
                        }
                    }
                    *group = output;
                }
            }
            PointStep::Exponential => {
                for group in self.cells {
                    let input = *group;
                    let mut output = input;
                    #[allow(clippy::needless_range_loop)] // lanes by index, as everywhere here
                    for lane in 0..N {
                        let y = exponential_step(state::<F, R, N>(&input, lane), h);
                        for i in 0..4 {
                            output[i][lane] = y[i].store();
                        }
                    }
                    *group = output;
                }
            }
        }
    }
}

#[inline(always)]
fn state<F: Element, R: Lane<F>, const N: usize>(x: &[[F; N]; 4], lane: usize) -> [R; 4] {
    let [v, m, h, n] = x;
    [
        R::load(v[lane]),
        R::load(m[lane]),
        R::load(h[lane]),
        R::load(n[lane]),
    ]
}

/// y + h k
#[inline(always)]
fn along<R: Real>(y: [R; 4], k: [R; 4], h: R) -> [R; 4] {
    [
        h.mul_add(k[0], y[0]),
        h.mul_add(k[1], y[1]),
        h.mul_add(k[2], y[2]),
        h.mul_add(k[3], y[3]),
    ]
}

#[inline(always)]
fn rk4<R: Real>(y: [R; 4], h: R) -> [R; 4] {
    let (half, sixth) = (h * 0.5, h * (1.0 / 6.0));
    let k1 = derivative(y);
    let k2 = derivative(along(y, k1, half));
    let k3 = derivative(along(y, k2, half));
    let k4 = derivative(along(y, k3, h));
    let two = R::constant(2.0);
    let sum = [
        (k2[0] + k3[0]).mul_add(two, k1[0] + k4[0]),
        (k2[1] + k3[1]).mul_add(two, k1[1] + k4[1]),
        (k2[2] + k3[2]).mul_add(two, k1[2] + k4[2]),
        (k2[3] + k3[3]).mul_add(two, k1[3] + k4[3]),
    ];
    along(y, sum, sixth)
}

#[inline(always)]
fn exponential_step<R: Real>([v, m, n, k]: [R; 4], h: R) -> [R; 4] {
    let [g, ge] = conductance([m, n, k]);
    let [a, b, c] = rates(v);
    let potential = Relaxation {
        a: ge + CURRENT,
        b: g,
    };
    [
        relaxed(potential, v, h),
        relaxed(a, m, h),
        relaxed(b, n, h),
        relaxed(c, k, h),
    ]
}

/// Numbers `start .. start + WIDTH`.
#[inline(always)]
fn part<F>(plane: &[F], start: usize) -> &[F; WIDTH] {
    plane[start..]
        .first_chunk()
        .expect("a whole number of chunks")
}

/// m, h and n of many compartments advanced over `h` with their potentials held: planes of V, m, h, n.
pub struct Gates<F> {
    planes: [Vec<F>; 4],
}

impl<F: Element> Gates<F> {
    /// At rest; `len` is a multiple of [`WIDTH`].
    pub fn new(len: usize) -> Self {
        let planes = [-65.0, 0.0529, 0.5961, 0.3177].map(|x| vec![F::from_f64(x); len]);
        Self { planes }
    }

    /// One step of size `h`, ms.
    pub fn step(&mut self, level: Level, h: f64) {
        let [v, gates @ ..] = &mut self.planes;
        dispatch(level, RunGates { v, gates, h });
    }
}

struct RunGates<'a, F> {
    v: &'a [F],
    gates: &'a mut [Vec<F>; 3],
    h: f64,
}

impl<F: Element> Body<F> for RunGates<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let h = R::constant(self.h);
        let [m, n, k] = self.gates;
        let gates = m
            .chunks_exact_mut(WIDTH)
            .zip(n.chunks_exact_mut(WIDTH))
            .zip(k.chunks_exact_mut(WIDTH));
        for (v, ((m, n), k)) in self.v.chunks_exact(WIDTH).zip(gates) {
            let v = part(v, 0);
            let input = [*part(m, 0), *part(n, 0), *part(k, 0)];
            let mut output = input;
            for lane in 0..WIDTH {
                let [a, b, c] = rates(R::load(v[lane]));
                output[0][lane] = relaxed(a, R::load(input[0][lane]), h).store();
                output[1][lane] = relaxed(b, R::load(input[1][lane]), h).store();
                output[2][lane] = relaxed(c, R::load(input[2][lane]), h).store();
            }
            for (to, from) in [m, n, k].into_iter().zip(&output) {
                if let Some(to) = to.first_chunk_mut() {
                    *to = *from;
                }
            }
        }
    }
}

/// Hodgkin-Huxley cells with a cable, `L` cells side by side, rows in level order. Rows without membrane have no area.
pub struct Cable<F, const L: usize> {
    parents: Vec<u32>,
    /// To the parent, µS; 0 for the root.
    conductance: Vec<F>,
    /// C A / h of each row, and A.
    capacity: Vec<F>,
    area: Vec<F>,
    v: Vec<[F; L]>,
    gates: Vec<[[F; L]; 3]>,
    diagonal: Vec<[F; L]>,
}

impl<F: Element, const L: usize> Cable<F, L> {
    /// From each row's parent and conductance to it (µS), and the areas (µm², 0 for a row without membrane).
    pub fn new(parents: &[u32], conductance: &[f64], area: &[f64], h: f64) -> Self {
        let fill = |x: f64| [F::from_f64(x); L];
        // µA/cm² · µm² = 1e-5 nA.
        let area: Vec<f64> = area.iter().map(|a| a * 1e-5).collect();
        Self {
            parents: parents.to_vec(),
            conductance: conductance.iter().map(|&g| F::from_f64(g)).collect(),
            capacity: area.iter().map(|a| F::from_f64(a / h)).collect(),
            area: area.iter().map(|&a| F::from_f64(a)).collect(),
            v: vec![fill(-65.0); parents.len()],
            gates: vec![[fill(0.0529), fill(0.5961), fill(0.3177)]; parents.len()],
            diagonal: vec![fill(0.0); parents.len()],
        }
    }

    /// A step as `staggered` makes it: potentials implicitly, then the gates.
    pub fn step(&mut self, level: Level, h: f64) {
        dispatch(level, RunCable { cable: self, h });
    }

    /// Factorises and solves the tree alone.
    pub fn solve(&mut self, level: Level) {
        dispatch(level, RunSolve { cable: self });
    }
}

struct RunCable<'a, F, const L: usize> {
    cable: &'a mut Cable<F, L>,
    h: f64,
}

impl<F: Element, const L: usize> Body<F> for RunCable<'_, F, L> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let h = R::constant(self.h);
        let Cable {
            capacity,
            area,
            v,
            gates,
            diagonal,
            ..
        } = &mut *self.cable;
        for (((v, d), gates), (&c, &a)) in (v.iter_mut().zip(&mut *diagonal))
            .zip(&*gates)
            .zip(capacity.iter().zip(&*area))
        {
            let (input, [m, n, k]) = (*v, *gates);
            let (mut right, mut pivot) = (input, input);
            let (c, a) = (R::load(c), R::load(a));
            for lane in 0..L {
                let states = [R::load(m[lane]), R::load(n[lane]), R::load(k[lane])];
                let [g, ge] = conductance(states);
                right[lane] = c.mul_add(R::load(input[lane]), a * ge).store();
                pivot[lane] = a.mul_add(g, c).store();
            }
            *v = right;
            *d = pivot;
        }
        sweep::<F, R, L>(self.cable);
        let Cable { v, gates, .. } = self.cable;
        for (v, gates) in v.iter().zip(gates) {
            let (v, input) = (*v, *gates);
            let mut output = input;
            for lane in 0..L {
                let [a, b, c] = rates(R::load(v[lane]));
                output[0][lane] = relaxed(a, R::load(input[0][lane]), h).store();
                output[1][lane] = relaxed(b, R::load(input[1][lane]), h).store();
                output[2][lane] = relaxed(c, R::load(input[2][lane]), h).store();
            }
            *gates = output;
        }
    }
}

struct RunSolve<'a, F, const L: usize> {
    cable: &'a mut Cable<F, L>,
}

impl<F: Element, const L: usize> Body<F> for RunSolve<'_, F, L> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let cable = self.cable;
        let rows = cable.capacity.iter().zip(&mut cable.v);
        for ((&c, v), d) in rows.zip(&mut cable.diagonal) {
            for lane in 0..L {
                d[lane] = (R::load(c) + 1e-6).store();
                v[lane] = (R::load(c) * R::load(v[lane])).store();
            }
        }
        sweep::<F, R, L>(cable);
    }
}

/// Solves the tree for the potentials, in place.
#[inline(always)]
fn sweep<F: Element, R: Lane<F>, const L: usize>(cable: &mut Cable<F, L>) {
    let Cable {
        parents,
        conductance,
        v,
        diagonal,
        ..
    } = cable;
    // Diagonals carry the row sums without the conductance to the parent, as the engine's do.
    for row in (1..parents.len()).rev() {
        let (g, above) = (R::load(conductance[row]), parents[row] as usize);
        let (mut d, mut x) = (diagonal[row], v[row]);
        let (mut d_above, mut x_above) = (diagonal[above], v[above]);
        for lane in 0..L {
            let e = R::load(d[lane]);
            let reciprocal = R::one() / (e + g);
            let scaled = reciprocal * R::load(x[lane]);
            d[lane] = (g * reciprocal).store();
            x[lane] = scaled.store();
            d_above[lane] = g.mul_add(e * reciprocal, R::load(d_above[lane])).store();
            x_above[lane] = g.mul_add(scaled, R::load(x_above[lane])).store();
        }
        diagonal[row] = d;
        v[row] = x;
        diagonal[above] = d_above;
        v[above] = x_above;
    }
    for lane in 0..L {
        v[0][lane] = (R::load(v[0][lane]) / R::load(diagonal[0][lane])).store();
    }
    for row in 1..parents.len() {
        let (d, mut x, above) = (diagonal[row], v[row], v[parents[row] as usize]);
        for lane in 0..L {
            let share = R::load(d[lane]);
            x[lane] = share
                .mul_add(R::load(above[lane]), R::load(x[lane]))
                .store();
        }
        v[row] = x;
    }
}

/// One cell with a cable: compartments side by side for the membrane, one row after the other for the tree.
pub struct SingleCable<F> {
    tree: Cable<F, 1>,
    gates: Gates<F>,
}

impl<F: Element> SingleCable<F> {
    /// As [`Cable::new`].
    pub fn new(parents: &[u32], conductance: &[f64], area: &[f64], h: f64) -> Self {
        let len = parents.len().next_multiple_of(WIDTH);
        let mut tree = Cable::new(parents, conductance, area, h);
        tree.capacity.resize(len, F::default());
        tree.area.resize(len, F::default());
        tree.v.resize(len, [F::default()]);
        tree.diagonal.resize(len, [F::default()]);
        let gates = Gates::new(len);
        Self { tree, gates }
    }

    /// A step as `staggered` makes it.
    pub fn step(&mut self, level: Level, h: f64) {
        dispatch(level, AssembleSingle { cable: self });
        let tree = &mut self.tree;
        dispatch(level, Sweep { cable: tree });
        for (v, x) in self.gates.planes[0].iter_mut().zip(&tree.v) {
            *v = x[0];
        }
        self.gates.step(level, h);
    }
}

struct Sweep<'a, F> {
    cable: &'a mut Cable<F, 1>,
}

impl<F: Element> Body<F> for Sweep<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        sweep::<F, R, 1>(self.cable);
    }
}

struct AssembleSingle<'a, F> {
    cable: &'a mut SingleCable<F>,
}

impl<F: Element> Body<F> for AssembleSingle<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let SingleCable { tree, gates } = self.cable;
        let [v, m, n, k] = &gates.planes;
        for start in (0..v.len()).step_by(WIDTH) {
            let (v, m) = (part(v, start), part(m, start));
            let (n, k) = (part(n, start), part(k, start));
            let (c, a) = (part(&tree.capacity, start), part(&tree.area, start));
            let (mut right, mut pivot) = (*c, *c);
            for lane in 0..WIDTH {
                let (c, a) = (R::load(c[lane]), R::load(a[lane]));
                let states = [R::load(m[lane]), R::load(n[lane]), R::load(k[lane])];
                let [g, ge] = conductance(states);
                right[lane] = c.mul_add(R::load(v[lane]), a * ge).store();
                pivot[lane] = a.mul_add(g, c).store();
            }
            for lane in 0..WIDTH {
                tree.v[start + lane] = [right[lane]];
                tree.diagonal[start + lane] = [pivot[lane]];
            }
        }
    }
}
