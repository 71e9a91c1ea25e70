//! Run-time choice of the vector instruction set: the one place that knows about target features.
//!
//! A kernel is a [`Body`], written once for any scalar; [`dispatch`] compiles it for every [`Level`] and runs the
//! version asked for. There are no intrinsics: the compiler vectorises the plain loop over lanes inside the body.
//!
//! ```
//! use braincell_core::real::{Element, Lane};
//! use braincell_core::simd::{Body, Level, dispatch};
//!
//! /// x ← e^x, tile by tile.
//! struct Exp<'a, F>(&'a mut [[F; 8]]);
//!
//! impl<F: Element> Body<F> for Exp<'_, F> {
//!     type Out = ();
//!     #[inline(always)]
//!     fn run<R: Lane<F>>(self) {
//!         for tile in self.0 {
//!             let input = *tile; // a local copy: loops that read and write through slices do not vectorise
//!             let mut output = [F::default(); 8];
//!             for lane in 0..8 {
//!                 output[lane] = R::load(input[lane]).exp().store();
//!             }
//!             *tile = output;
//!         }
//!     }
//! }
//!
//! let mut x = [[0.0_f64; 8]; 4];
//! dispatch(Level::detect(), Exp(&mut x));
//! assert_eq!(x[3][7], 1.0);
//! ```
//!
//! What a body needs in order to vectorise, found by measuring:
//! - everything it calls is `#[inline(always)]`, itself included;
//! - the tile is copied into local arrays, the loop over lanes computes on those, and the result is copied back;
//! - loops *inside* the loop over lanes have a constant, small trip count, or are written out;
//! - dual numbers are built per lane from separate planes of values and tangents, never stored as arrays of duals;
//! - one kernel per [`dispatch`]; call it for a tile of hundreds of elements, not for eight.
//!
//! Results: all levels with fused multiply-add ([`Level::Avx512`], [`Level::Avx2Fma`], [`Level::Neon`]) give the same
//! bits. [`Level::Portable`] differs in the last places.

use crate::real::{Element, Lane};
use once_cell::sync::OnceCell;
use std::fmt;
use std::str::FromStr;

/// Name of the environment variable that sets the level: `avx512`, `avx2`, `neon` or `portable`.
pub const LEVEL_VARIABLE: &str = "BRAINCELL_SIMD";

/// A vector instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// x86-64 with AVX-512 F, BW, CD, DQ and VL: 8 doubles or 16 singles at once.
    Avx512,
    /// x86-64 with AVX2 and FMA: 4 doubles or 8 singles at once.
    Avx2Fma,
    /// 64-bit ARM: 2 doubles or 4 singles at once.
    Neon,
    /// Whatever the target has at compile time, without fused multiply-add.
    Portable,
}

/// Why a requested level cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// The name is none of the known ones.
    #[error("unknown SIMD level \"{0}\"; use avx512, avx2, neon or portable")]
    Unknown(String),
    /// The processor does not have the instructions.
    #[error("this processor cannot run SIMD level \"{0}\"; use {best}, or unset {LEVEL_VARIABLE}", best = Level::best())]
    Unavailable(Level),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Avx512 => "avx512",
            Level::Avx2Fma => "avx2",
            Level::Neon => "neon",
            Level::Portable => "portable",
        })
    }
}

impl FromStr for Level {
    type Err = LevelError;
    fn from_str(name: &str) -> Result<Self, LevelError> {
        match name.trim().to_ascii_lowercase().as_str() {
            "avx512" => Ok(Level::Avx512),
            "avx2" | "avx2fma" => Ok(Level::Avx2Fma),
            "neon" => Ok(Level::Neon),
            "portable" => Ok(Level::Portable),
            _ => Err(LevelError::Unknown(name.to_string())),
        }
    }
}

impl Level {
    /// All levels, fastest first.
    pub const ALL: [Level; 4] = [Level::Avx512, Level::Avx2Fma, Level::Neon, Level::Portable];

    /// The level to run with: the one [`LEVEL_VARIABLE`] names, else the best of this processor. Found once, then
    /// remembered. A variable that names no usable level is ignored here; [`Level::from_env`] reports it.
    pub fn detect() -> Level {
        static LEVEL: OnceCell<Level> = OnceCell::new();
        *LEVEL.get_or_init(|| Level::from_env().ok().flatten().unwrap_or_else(Level::best))
    }

    /// The level that [`LEVEL_VARIABLE`] names; `None` if it is unset or empty.
    ///
    /// # Errors
    /// [`LevelError`] if the name is unknown or this processor cannot run it.
    pub fn from_env() -> Result<Option<Level>, LevelError> {
        let Some(name) = std::env::var_os(LEVEL_VARIABLE).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let level: Level = name.to_string_lossy().parse()?;
        if level.is_available() {
            Ok(Some(level))
        } else {
            Err(LevelError::Unavailable(level))
        }
    }

    /// The fastest level of this processor.
    #[inline]
    pub fn best() -> Level {
        static BEST: OnceCell<Level> = OnceCell::new();
        *BEST.get_or_init(Level::find_best)
    }

    #[cold]
    fn find_best() -> Level {
        let best = Level::ALL.into_iter().find(|level| level.probe());
        best.unwrap_or(Level::Portable)
    }

    /// Whether this processor can run the level.
    #[inline]
    pub fn is_available(self) -> bool {
        match (self, Level::best()) {
            (Level::Portable, _) => true,
            (Level::Avx2Fma, Level::Avx512) => true,
            (level, best) => level == best,
        }
    }

    /// Whether the level computes with fused multiply-add; all that do give the same bits.
    pub fn is_fused(self) -> bool {
        self != Level::Portable
    }

    /// Asks the processor. Each level includes what the next slower one of the same processor needs.
    fn probe(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                Level::Avx2Fma.probe()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512cd")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx2Fma => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Level::Neon => cfg!(target_arch = "aarch64"),
            Level::Portable => true,
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx512 | Level::Avx2Fma => false,
        }
    }
}

/// A kernel over storage type `F`, generic in the scalar.
pub trait Body<F: Element> {
    /// What the kernel returns.
    type Out;
    /// Runs the kernel with scalar `R`. Implementations must be `#[inline(always)]`, or they run unvectorised.
    fn run<R: Lane<F>>(self) -> Self::Out;
}

/// Runs a kernel compiled for `level`. A level that this processor does not have is replaced by its best one.
#[inline(always)]
pub fn dispatch<F: Element, B: Body<F>>(level: Level, body: B) -> B::Out {
    // Handed on where it is: a copy would wait for what was just written.
    let body = &mut Some(body);
    let level = if level.is_available() {
        level
    } else {
        Level::best()
    };
    match level {
        // SAFETY: the level is available, so the processor has every feature the function is compiled with.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Level::Avx512 => unsafe { run_avx512(body) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        Level::Avx2Fma => unsafe { run_avx2(body) },
        #[cfg(target_arch = "aarch64")]
        Level::Neon => run_fused(body),
        _ => run_plain(body),
    }
}

/// The body that was handed on.
#[inline(always)]
fn taken<B>(body: &mut Option<B>) -> B {
    body.take().expect("each body runs once")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma")]
#[inline(never)]
fn run_avx512<F: Element, B: Body<F>>(body: &mut Option<B>) -> B::Out {
    taken(body).run::<F::Fused>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn run_avx2<F: Element, B: Body<F>>(body: &mut Option<B>) -> B::Out {
    taken(body).run::<F::Fused>()
}

/// Fused multiply-add is part of the base instruction set here.
#[cfg(target_arch = "aarch64")]
#[inline(never)]
fn run_fused<F: Element, B: Body<F>>(body: &mut Option<B>) -> B::Out {
    taken(body).run::<F::Fused>()
}

/// Runs a body on any processor.
#[inline(never)]
pub(crate) fn run_plain<F: Element, B: Body<F>>(body: &mut Option<B>) -> B::Out {
    taken(body).run::<F::Plain>()
}
