//! The execution of instructions.

use super::arena::Arena;
use super::arrays::{self, Combine, Each, Elementwise, Loop};
use super::axial::Axial;
use super::instr::Instr;
use super::layout::Layout;
use super::newton::{self, MAX_ITERATIONS};
use super::scaled::Assemble;
use crate::kernel::{Index, Storage};
use crate::noise;
use crate::simd::Level;

/// The time of a step: from `t` over `h`, within the smooth piece of the inputs that holds `within`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub t: f64,
    pub h: f64,
    pub within: f64,
    /// A number that no other step of the run has.
    pub number: u64,
}

/// The memory that a tile is advanced in.
pub(crate) struct Workspace<F> {
    pub arena: Arena<F>,
    /// Factors of linear systems and other matrices.
    pub wide: Arena<f64>,
    /// Row swaps of factors.
    pub swaps: Vec<u32>,
    /// The state at the end of a step, and the state inside it, while samples are taken inside.
    pub saved: Vec<F>,
    pub inside: Vec<F>,
    /// Reciprocal pivots of trees.
    pub tree: Arena<F>,
    /// Numbers for all nodes of the cable.
    pub nodes: [Arena<F>; 2],
    /// Coefficients of each group's program, for the size of the step in hand.
    pub coefficients: Vec<Coefficients<F>>,
    pub work: Work,
    /// The first of the cells whose parameters are in the arena, if they are; 0 where all cells have the same.
    pub parameters_of: Option<usize>,
    /// Whether the state is just as the step before left it.
    pub continued: bool,
}

/// The values of a program's coefficients for a step size.
#[derive(Clone)]
pub(crate) struct Coefficients<F> {
    pub h: f64,
    pub values: Vec<F>,
}

impl<F> Default for Coefficients<F> {
    /// For no step size.
    fn default() -> Self {
        Self {
            h: f64::NAN,
            values: Vec::new(),
        }
    }
}

impl<F> Workspace<F> {
    /// How many bytes it takes, the coefficients of a step not counted.
    pub fn bytes(&self) -> usize {
        let [x, y] = &self.nodes;
        let own = [&self.arena, &self.tree, x, y].map(|own| own.len());
        let own = own.iter().sum::<usize>() + self.saved.len() + self.inside.len();
        own * size_of::<F>()
            + self.wide.len() * size_of::<f64>()
            + self.swaps.len() * size_of::<u32>()
    }
}

/// Work that depends on the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub newton_iterations: u64,
    pub jacobians: u64,
    pub factorisations: u64,
}

impl Work {
    pub fn add(&mut self, more: Work) {
        self.newton_iterations += more.newton_iterations;
        self.jacobians += more.jacobians;
        self.factorisations += more.factorisations;
    }
}

/// Why a step could not be made.
#[derive(Clone, Debug)]
pub(crate) struct StepFailure {
    pub cell: usize,
    pub clock: Clock,
    /// Norms of the corrections, 1 being the tolerance.
    pub history: [f64; MAX_ITERATIONS],
}

impl StepFailure {
    pub fn newton<F>(
        context: &Context<F>,
        lane: usize,
        history: &[f64; MAX_ITERATIONS],
    ) -> Box<Self> {
        Box::new(Self {
            cell: context.first_cell + lane,
            clock: *context.clock,
            history: *history,
        })
    }
}

/// What instructions need besides the workspace.
pub(crate) struct Context<'a, F> {
    pub layout: &'a Layout,
    pub level: Level,
    pub first_cell: usize,
    pub clock: &'a Clock,
    pub axial: Option<&'a Axial<F>>,
    /// Values of the coefficients for this step size.
    pub coefficients: &'a [F],
}

pub(crate) fn execute<F: Storage>(
    instructions: &[Instr],
    context: &Context<F>,
    workspace: &mut Workspace<F>,
) -> Result<(), Box<StepFailure>> {
    let coefficient = |number: usize| context.coefficients[number];
    for instruction in instructions {
        let arena = &mut workspace.arena[..];
        match instruction {
            Instr::Inputs { c } => inputs(context, *c, arena),
            Instr::Zero { at, len } => arena[*at..at + len].fill(F::default()),
            Instr::Copy { from, to, len } => arena.copy_within(*from..from + len, *to),
            Instr::Kernel { kernel, call } => F::of(&**kernel).values(context.level, call, arena),
            Instr::Steady { kernel, call } => F::of(&**kernel).steady(context.level, call, arena),
            Instr::Axial { v, current, to } => {
                let planes = [*to, context.layout.per_capacity()];
                let (level, lanes) = (context.level, context.layout.lanes);
                if let Some(axial) = context.axial {
                    axial.add_current(level, lanes, *v, *current, planes, workspace);
                }
            }
            Instr::AxialDiagonal { to } => {
                let planes = [*to, context.layout.per_capacity()];
                if let Some(axial) = context.axial {
                    axial.add_diagonal(context.layout.lanes, planes, arena);
                }
            }
            Instr::JunctionPotentials { v, current, to } => {
                if let Some(axial) = context.axial {
                    axial.junction_potentials(context.layout.lanes, arena, *v, *current, *to);
                }
            }
            Instr::Partials {
                kernel,
                masks,
                call,
                values,
                ..
            } => F::of(&**kernel).partials(context.level, masks, call, values, arena),
            Instr::Relax { kernel, call, time } => {
                F::of(&**kernel).relax(context.level, coefficient(*time), call, arena)
            }
            Instr::Combine { to, len, terms } => Combine {
                to: *to,
                terms,
                coefficients: context.coefficients,
                arena,
            }
            .run(context.level, *len),
            Instr::Product { to, a, b, len } => {
                let from = [*a, *b, *b];
                elementwise(context, arrays::Product, *to, from, *len, arena);
            }
            Instr::MultiplyAdd { to, a, b, len } => match (&to.index, &b.index) {
                (Index::Each, Index::Each) => {
                    let (to, from) = (to.offset, [*a, b.offset, b.offset]);
                    elementwise(context, arrays::MultiplyAdd, to, from, *len, arena);
                }
                (Index::Each, Index::Splat) => {
                    let each = arrays::AddScaled(arena[b.offset].to_f64());
                    elementwise(context, each, to.offset, [*a; 3], *len, arena);
                }
                _ => {
                    for e in 0..*len {
                        let product = arena[a + e].to_f64() * arena[b.place(e)].to_f64();
                        let x = &mut arena[to.place(e)];
                        *x = F::from_f64(x.to_f64() + product);
                    }
                }
            },
            Instr::RelaxDiagonal {
                to,
                y,
                f,
                d,
                scale,
                len,
            } => {
                let s = coefficient(*scale).to_f64();
                elementwise(context, arrays::Relax(s), *to, [*y, *f, *d], *len, arena);
            }
            Instr::PhiDiagonal {
                to,
                k,
                scale,
                d,
                b,
                len,
            } => {
                let s = coefficient(*scale).to_f64();
                elementwise(context, arrays::Phi(*k, s), *to, [*d, *b, *b], *len, arena);
            }
            Instr::SolveDiagonal {
                to,
                gamma,
                d,
                b,
                len,
            } => {
                let gamma = coefficient(*gamma).to_f64();
                elementwise(
                    context,
                    arrays::Solve(gamma),
                    *to,
                    [*d, *b, *b],
                    *len,
                    arena,
                );
            }
            Instr::Factor { system, factors, a } => {
                let (a, size) = a.matrix(coefficient(a.number()).to_f64());
                workspace.work.factorisations += 1;
                system.factor_all(*factors, &a[..size], context, workspace);
            }
            Instr::FactorAndSolve {
                system,
                factors,
                a,
                b,
                x,
            } => {
                let (a, size) = a.matrix(coefficient(a.number()).to_f64());
                workspace.work.factorisations += 1;
                system.factor_and_solve(*factors, &a[..size], [*b, *x], context, workspace);
            }
            Instr::Assemble {
                gamma,
                d,
                f,
                v,
                diagonal,
                right,
                capacity,
                len,
            } => {
                let assemble = Assemble {
                    gamma: coefficient(*gamma).to_f64(),
                    from: [*d, *f, *v, *capacity],
                    to: [*diagonal, *right],
                    arena,
                };
                assemble.run(context.level, *len);
            }
            Instr::Tree {
                diagonal,
                right,
                current,
            } => {
                workspace.work.factorisations += 1;
                if let Some(axial) = context.axial {
                    let (level, lanes) = (context.level, context.layout.lanes);
                    axial.solve_for_potentials(level, lanes, [*diagonal, *right], *current, arena);
                }
            }
            Instr::Solve {
                system,
                factors,
                a,
                b,
                x,
            } => {
                let (a, size) = a.matrix(coefficient(a.number()).to_f64());
                system.solve(*factors, &a[..size], b, x, context, workspace);
            }
            Instr::Phi {
                system,
                kept,
                top,
                scale,
            } => {
                let scale = coefficient(*scale).to_f64();
                system.phi(context.level, *kept, *top, scale, workspace);
            }
            Instr::ApplyPhi {
                system,
                kept,
                top_k,
                b,
                x,
            } => system.apply_phi(*kept, *top_k, *b, *x, workspace),
            Instr::Newton(newton) => newton::solve(newton, context, workspace)?,
            Instr::TimesWiener { to, x, m, group } => {
                times_wiener(context, [*to, *x], *m, *group, arena)
            }
        }
    }
    Ok(())
}

fn elementwise<F: Storage>(
    context: &Context<F>,
    each: impl Each,
    to: usize,
    from: [usize; 3],
    len: usize,
    arena: &mut [F],
) {
    let loops = Elementwise {
        each,
        to,
        from,
        arena,
    };
    loops.run(context.level, len);
}

fn times_wiener<F: Storage>(
    context: &Context<F>,
    [to, x]: [usize; 2],
    m: u32,
    group: usize,
    arena: &mut [F],
) {
    let Context {
        layout,
        first_cell,
        clock,
        ..
    } = context;
    let states = layout.model.states.iter().zip(&layout.states).enumerate();
    for (state, (info, plane)) in states {
        if info.group != group {
            continue;
        }
        for k in 0..plane.len {
            let (element, cell) = (k / layout.lanes, first_cell + k % layout.lanes);
            let place = plane.offset + k;
            let value = arena[x + place].to_f64();
            // Most states have no noise; they need no random numbers.
            arena[to + place] = if value == 0.0 {
                F::default()
            } else {
                let dw = noise::increment(layout.seed, cell, state, element, clock.number, clock.h);
                F::from_f64(value * dw.powi(m as i32))
            };
        }
    }
}

fn inputs<F: Storage>(context: &Context<F>, c: f64, arena: &mut [F]) {
    let layout = context.layout;
    let &Clock { t, h, within, .. } = context.clock;
    let t = if c == 0.0 { t } else { c.mul_add(h, t) };
    arena[layout.time] = F::from_f64(t);
    let planes = layout.signals.iter().zip(&layout.slopes);
    for (signal, (values, slopes)) in layout.model.signals.iter().zip(planes) {
        let Some(waveforms) = signal.input.as_deref() else {
            continue;
        };
        // One waveform for all cells has planes of one number.
        let cells = match waveforms {
            [_] => waveforms,
            _ => &waveforms[context.first_cell..context.first_cell + layout.lanes],
        };
        for (lane, input) in cells.iter().enumerate() {
            let later = layout.later[lane];
            let (value, slope) = input.value_and_slope(t + later, within + later);
            arena[values.offset + lane] = F::from_f64(value);
            arena[slopes.offset + lane] = F::from_f64(slope);
        }
    }
}
