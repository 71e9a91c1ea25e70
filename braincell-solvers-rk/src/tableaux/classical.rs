//! Methods without embedded weights.

use crate::exact::{int, ratio, root5};
use crate::tableau::{Tableau, tableau};

/// Explicit Euler.
pub static EULER: Tableau = tableau! {
    name: "euler",
    aliases: ["explicit"],
    order: 1,
    description: "Explicit Euler method.",
    reference: "L. Euler, Institutionum calculi integralis, vol. 1, 1768",
    fsal: false,
    a: [[]],
    b: [int(1)],
    c: [int(0)],
};

/// Explicit midpoint method.
pub static MIDPOINT: Tableau = tableau! {
    name: "midpoint",
    aliases: [],
    order: 2,
    description: "Explicit midpoint method of Runge.",
    reference: "C. Runge, Math. Ann. 46, 167-178, 1895, doi:10.1007/BF01446807",
    fsal: false,
    a: [[], [ratio(1, 2)]],
    b: [int(0), int(1)],
    c: [int(0), ratio(1, 2)],
};

/// Heun's method of order two.
pub static HEUN2: Tableau = tableau! {
    name: "heun2",
    aliases: [],
    order: 2,
    description: "Heun's method of order two, the explicit trapezoidal rule.",
    reference: "K. Heun, Z. Math. Phys. 45, 23-38, 1900",
    fsal: false,
    a: [[], [int(1)]],
    b: [ratio(1, 2), ratio(1, 2)],
    c: [int(0), int(1)],
};

/// Ralston's method of order two.
pub static RALSTON2: Tableau = tableau! {
    name: "ralston2",
    aliases: [],
    order: 2,
    description: "Ralston's method of order two, with the least error bound among two-stage methods.",
    reference: "A. Ralston, Math. Comp. 16, 431-437, 1962, doi:10.1090/S0025-5718-1962-0150954-0",
    fsal: false,
    a: [[], [ratio(2, 3)]],
    b: [ratio(1, 4), ratio(3, 4)],
    c: [int(0), ratio(2, 3)],
};

/// The two-stage family at its default α = 2/3; [`Rk2Coefficients`](super::Rk2Coefficients) gives the other members.
pub static RK2: Tableau = tableau! {
    name: "rk2",
    aliases: [],
    order: 2,
    description: "Two-stage method of order two with its second stage at alpha, by default 2/3.",
    reference: "A. Ralston, Math. Comp. 16, 431-437, 1962, doi:10.1090/S0025-5718-1962-0150954-0",
    fsal: false,
    a: [[], [ratio(2, 3)]],
    b: [ratio(1, 4), ratio(3, 4)],
    c: [int(0), ratio(2, 3)],
};

/// Kutta's method of order three.
pub static RK3: Tableau = tableau! {
    name: "rk3",
    aliases: [],
    order: 3,
    description: "Kutta's method of order three.",
    reference: "W. Kutta, Z. Math. Phys. 46, 435-453, 1901",
    fsal: false,
    a: [[], [ratio(1, 2)], [int(-1), int(2)]],
    b: [ratio(1, 6), ratio(2, 3), ratio(1, 6)],
    c: [int(0), ratio(1, 2), int(1)],
};

/// Heun's method of order three.
pub static HEUN3: Tableau = tableau! {
    name: "heun3",
    aliases: [],
    order: 3,
    description: "Heun's method of order three.",
    reference: "K. Heun, Z. Math. Phys. 45, 23-38, 1900",
    fsal: false,
    a: [[], [ratio(1, 3)], [int(0), ratio(2, 3)]],
    b: [ratio(1, 4), int(0), ratio(3, 4)],
    c: [int(0), ratio(1, 3), ratio(2, 3)],
};

/// Strong-stability-preserving method of order three.
pub static SSPRK3: Tableau = tableau! {
    name: "ssprk3",
    aliases: [],
    order: 3,
    description: "Strong-stability-preserving method of order three of Shu and Osher.",
    reference: "C.-W. Shu and S. Osher, J. Comput. Phys. 77, 439-471, 1988, doi:10.1016/0021-9991(88)90177-5",
    fsal: false,
    a: [[], [int(1)], [ratio(1, 4), ratio(1, 4)]],
    b: [ratio(1, 6), ratio(1, 6), ratio(2, 3)],
    c: [int(0), int(1), ratio(1, 2)],
};

/// Ralston's method of order three.
pub static RALSTON3: Tableau = tableau! {
    name: "ralston3",
    aliases: [],
    order: 3,
    description: "Ralston's method of order three, with the least error bound among three-stage methods.",
    reference: "A. Ralston, Math. Comp. 16, 431-437, 1962, doi:10.1090/S0025-5718-1962-0150954-0",
    fsal: false,
    a: [[], [ratio(1, 2)], [int(0), ratio(3, 4)]],
    b: [ratio(2, 9), ratio(1, 3), ratio(4, 9)],
    c: [int(0), ratio(1, 2), ratio(3, 4)],
};

/// The classical method of order four.
pub static RK4: Tableau = tableau! {
    name: "rk4",
    aliases: [],
    order: 4,
    description: "The classical Runge-Kutta method of order four.",
    reference: "W. Kutta, Z. Math. Phys. 46, 435-453, 1901",
    fsal: false,
    a: [[], [ratio(1, 2)], [int(0), ratio(1, 2)], [int(0), int(0), int(1)]],
    b: [ratio(1, 6), ratio(1, 3), ratio(1, 3), ratio(1, 6)],
    c: [int(0), ratio(1, 2), ratio(1, 2), int(1)],
};

/// Ralston's method of order four, in closed form rather than in the eight digits of the publication.
pub static RALSTON4: Tableau = tableau! {
    name: "ralston4",
    aliases: [],
    order: 4,
    description: "Ralston's method of order four, with the least error bound among four-stage methods.",
    reference: "A. Ralston, Math. Comp. 16, 431-437, 1962, doi:10.1090/S0025-5718-1962-0150954-0",
    fsal: false,
    a: [
        [],
        [ratio(2, 5)],
        [root5(-2889, 1428, 1024), root5(3785, -1620, 1024)],
        [root5(-3365, 2094, 6040), root5(-975, -3046, 2552), root5(467_040, 203_968, 240_845)],
    ],
    b: [
        root5(263, 24, 1812),
        root5(125, -1000, 3828),
        root5(3_426_304, 1_661_952, 5_924_787),
        root5(30, -4, 123),
    ],
    c: [int(0), ratio(2, 5), root5(14, -3, 16), int(1)],
};
