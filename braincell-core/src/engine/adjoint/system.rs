//! Derivatives of linear systems M x = b with M = I - A ⊗ J.

use super::super::arena::Arena;
use super::super::axial::Axial;
use super::super::exec::{Context, Workspace};
use super::super::local::{Factors, LocalJacobian};
use super::loops::{Factor, add_products, copy, products};
use super::{Frame, Sweep};

/// What the adjoint or the tangent of a linear system works on.
pub(super) struct System<'a> {
    pub system: &'a LocalJacobian,
    pub factors: Factors,
    /// A, row after row.
    pub a: &'a [f64],
    /// Arrays of right-hand sides and of solutions, one per stage.
    pub b: &'a [usize],
    pub x: &'a [usize],
}

impl System<'_> {
    /// The ranges of the unknowns in an array of the group.
    pub fn unknowns(&self, context: &Context<f64>) -> Vec<std::ops::Range<usize>> {
        let unknowns = self.system.site.unknowns.iter();
        unknowns
            .map(|u| u.offset..u.offset + context.layout.states[u.state].len)
            .collect()
    }

    /// Places of a pair of unknowns at an element.
    fn places(&self, i: usize, j: usize, e: usize) -> Option<(usize, usize)> {
        let unknowns = &self.system.site.unknowns;
        Some((unknowns[i].place(e)?, unknowns[j].place(e)?))
    }

    /// Where the potentials are in an array.
    fn potential(&self) -> usize {
        self.system.site.unknowns.last().map_or(0, |u| u.offset)
    }

    /// ẋ = M⁻¹ (ḃ + (A ⊗ J̇) x), after the solution x has been found.
    pub fn tangent(
        &self,
        frame: &Frame,
        w: &mut Workspace<f64>,
        dots: &mut [Arena<f64>],
        s: &mut Sweep,
    ) {
        let (context, extras) = (frame.context, frame.extras);
        let stages = self.x.len();
        let len = context.layout.all_current.len;
        let r: Vec<usize> = (0..stages).map(|p| extras.scratch + p * len).collect();
        let unknowns = self.unknowns(context);
        for dot in dots {
            for (r, b) in r.iter().zip(self.b) {
                for u in &unknowns {
                    w.arena[r + u.start..r + u.end].copy_from_slice(&dot[b + u.start..b + u.end]);
                }
            }
            for &(i, j, plane) in &self.system.entries {
                for e in 0..self.system.site.elements {
                    let slope = dot[plane + e];
                    let Some((to, from)) = self.places(i, j, e).filter(|_| slope != 0.0) else {
                        continue;
                    };
                    for (p, r) in r.iter().enumerate() {
                        for (q, x) in self.x.iter().enumerate() {
                            let x = w.arena[x + from];
                            w.arena[r + to] += self.a[p * stages + q] * slope * x;
                        }
                    }
                }
            }
            self.cable_tangent(frame, (&r, dot), w, s);
            self.system.solve(self.factors, self.a, &r, &r, context, w);
            for (r, x) in r.iter().zip(self.x) {
                for u in &unknowns {
                    dot[x + u.start..x + u.end].copy_from_slice(&w.arena[r + u.start..r + u.end]);
                }
            }
        }
    }

    /// The cable, if a derivative with respect to it is asked for.
    fn cable<'a>(&self, frame: &Frame<'a>) -> Option<&'a Axial<f64>> {
        frame
            .axial()
            .filter(|_| self.system.tree && frame.extras.cable())
    }

    /// r_p += Σ a_pq (S ċ / c - Ṡ) x_q / c, with S the conductances between compartments.
    fn cable_tangent(
        &self,
        frame: &Frame,
        (r, dot): (&[usize], &[f64]),
        w: &mut Workspace<f64>,
        s: &mut Sweep,
    ) {
        let Some(axial) = self.cable(frame) else {
            return;
        };
        let (extras, lanes) = (frame.extras, frame.context.layout.lanes);
        let count = axial.compartments * lanes;
        let (capacity, v) = (frame.context.layout.capacity(), self.potential());
        let place = (frame.context.level, lanes);
        let (product, rest) = s.products.split_at_mut(count);
        let change = &mut rest[..count];
        let [nodes, changed] = &mut s.nodes;
        for (q, x) in self.x.iter().enumerate() {
            let x = &w.arena[x + v..x + v + count];
            change.fill(0.0);
            if let Some(g) = extras.connections {
                axial.at_nodes(lanes, Some(x), None, nodes);
                axial.reduced_change(lanes, &dot[g..g + nodes.len()], nodes, [changed, change]);
                change.iter_mut().for_each(|x| *x = -*x);
            }
            if extras.capacity {
                axial.reduced(place, x, product, &mut w.nodes);
                let c = w.arena[capacity..].iter().zip(&dot[capacity..]);
                let pairs = change.iter_mut().zip(&*product).zip(c);
                pairs.for_each(|((change, x), (c, dot))| *change += x * dot / c);
            }
            for (p, r) in r.iter().enumerate() {
                let a = self.a[p * self.x.len() + q];
                for (e, x) in change.iter().enumerate() {
                    w.arena[r + v + e] += a * x / w.arena[capacity + e];
                }
            }
        }
    }

    /// The adjoints of capacitances and connections: λ_p stands at a_pq (S ċ / c - Ṡ) x_q / c.
    fn cable_adjoint(
        &self,
        frame: &Frame,
        lambda: &[usize],
        w: &mut Workspace<f64>,
        bar: &mut [f64],
        s: &mut Sweep,
    ) {
        let Some(axial) = self.cable(frame) else {
            return;
        };
        let (extras, layout, level) = (frame.extras, frame.context.layout, frame.context.level);
        let lanes = layout.lanes;
        let count = axial.compartments * lanes;
        let (capacity, v) = (layout.capacity(), self.potential());
        let (u, rest) = s.products.split_at_mut(count);
        let (x, rest) = rest.split_at_mut(count);
        let (product, rest) = rest.split_at_mut(count);
        let by = &mut rest[..count];
        let [us, xs] = &mut s.nodes;
        for (p, lambda) in lambda.iter().enumerate() {
            x.fill(0.0);
            for (q, from) in self.x.iter().enumerate() {
                let a = Factor::Number(self.a[p * self.x.len() + q]);
                let from = &w.arena[from + v..from + v + count];
                add_products(level, x, a, from);
            }
            let per = &w.arena[layout.per_capacity()..][..count];
            products(level, u, Factor::Each(&w.arena[lambda + v..][..count]), per);
            axial.at_nodes(lanes, Some(x), None, xs);
            if extras.capacity {
                axial.outflow(level, xs, us, product);
                let to = &mut bar[capacity..capacity + count];
                products(level, by, Factor::Each(u), per);
                add_products(level, to, Factor::Each(by), product);
            }
            if let Some(g) = extras.connections {
                axial.at_nodes(lanes, Some(u), None, us);
                let len = us.len();
                axial.add_products(lanes, -1.0, [us, xs], &mut bar[g..g + len]);
            }
        }
    }

    /// λ = M⁻ᵀ x̄ into the arrays at [`System::lambda`]; x̄ ← 0.
    pub fn multipliers(&self, frame: &Frame, w: &mut Workspace<f64>, bar: &mut [f64]) {
        let lambda = self.lambda(frame);
        for (to, x) in lambda.iter().zip(self.x) {
            for u in self.unknowns(frame.context) {
                let from = &mut bar[x + u.start..x + u.end];
                copy(&mut w.arena[to + u.start..to + u.end], from);
                from.iter_mut().for_each(|x| *x = 0.0);
            }
        }
        let (a, factors) = (self.a, self.factors);
        (self.system).solve_transposed(factors, a, &lambda, &lambda, frame.context, w);
    }

    /// Where the multipliers are.
    pub fn lambda(&self, frame: &Frame) -> Vec<usize> {
        let len = frame.context.layout.all_current.len;
        let first = frame.extras.scratch;
        (0..self.x.len()).map(|p| first + p * len).collect()
    }

    /// λ = M⁻ᵀ x̄, b̄ += λ, J̄ += Aᵀ λ xᵀ.
    pub fn adjoint(&self, frame: &Frame, w: &mut Workspace<f64>, bar: &mut [f64], s: &mut Sweep) {
        let context = frame.context;
        let unknowns = self.unknowns(context);
        let any = |x: &usize| {
            let mut all = unknowns.iter().flat_map(|u| &bar[x + u.start..x + u.end]);
            all.any(|x| *x != 0.0)
        };
        if !self.x.iter().any(any) {
            return;
        }
        self.multipliers(frame, w, bar);
        let lambda = self.lambda(frame);
        let stages = lambda.len();
        let level = context.level;
        for (lambda, b) in lambda.iter().zip(self.b) {
            for u in &unknowns {
                let to = &mut bar[b + u.start..b + u.end];
                let from = &w.arena[lambda + u.start..lambda + u.end];
                add_products(level, to, Factor::Number(1.0), from);
            }
        }
        let elements = self.system.site.elements;
        for &(i, j, plane) in &self.system.entries {
            let [row, column] = [i, j].map(|k| &self.system.site.unknowns[k]);
            if let (None, None, true) = (&row.places, &column.places, elements > 1) {
                let to = &mut bar[plane..plane + elements];
                for (p, lambda) in lambda.iter().enumerate() {
                    let lambda = &w.arena[lambda + row.offset..][..elements];
                    for (q, x) in self.x.iter().enumerate() {
                        let factor = Factor::Scaled(self.a[p * stages + q], lambda);
                        let x = &w.arena[x + column.offset..][..elements];
                        add_products(level, to, factor, x);
                    }
                }
                continue;
            }
            for e in 0..self.system.site.elements {
                let Some((row, column)) = self.places(i, j, e) else {
                    continue;
                };
                let mut sum = 0.0;
                for (p, lambda) in lambda.iter().enumerate() {
                    for (q, x) in self.x.iter().enumerate() {
                        let x = w.arena[x + column];
                        sum += self.a[p * stages + q] * w.arena[lambda + row] * x;
                    }
                }
                bar[plane + e] += sum;
            }
        }
        self.cable_adjoint(frame, &lambda, w, bar, s);
    }
}
