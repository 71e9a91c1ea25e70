/* Kutta's method of order three, and a family of methods of order two, as a plugin in C.
 *
 *     cc -shared -fPIC -I ../../../braincell-plugin-api/include -o libkutta_c.so kutta.c
 *     braincell solvers --plugin ./libkutta_c.so
 */
#include "braincell_plugin.h"

/* k1 = f(y), k2 = f(y + h/2 k1), k3 = f(y - h k1 + 2h k2); y + h/6 (k1 + 4 k2 + k3). */
static int32_t kutta3(const braincell_ops *o) {
    const braincell_array y = BRAINCELL_Y;
    braincell_array k1 = braincell_rhs(o, 0.0, y);
    const braincell_term second[] = {{1.0, 0, y}, {0.5, 1, k1}};
    braincell_array k2 = braincell_rhs(o, 0.5, braincell_combine(o, second, 2));
    const braincell_term third[] = {{1.0, 0, y}, {-1.0, 1, k1}, {2.0, 1, k2}};
    braincell_array k3 = braincell_rhs(o, 1.0, braincell_combine(o, third, 3));
    const braincell_term next[] = {{1.0, 0, y}, {1.0 / 6.0, 1, k1}, {2.0 / 3.0, 1, k2}, {1.0 / 6.0, 1, k3}};
    return braincell_commit(o, braincell_combine(o, next, 4));
}

static const braincell_solver c_kutta3 = {
    .size = sizeof(braincell_solver),
    .order = 3,
    .properties = BRAINCELL_EXPLICIT,
    .real_stability_limit = 2.5127453266183286,
    .name = "c_kutta3",
    .aliases = "c_rk3",
    .family = "rk",
    .description = "Kutta's method of order three, in C.",
    .formula = "y + h/6 (k1 + 4 k2 + k3)",
    .reference = "W. Kutta, Z. Math. Phys. 46, 435-453, 1901",
    .step = kutta3,
};

/* k1 = f(y), k2 = f(y + alpha h k1); y + h ((1 - b) k1 + b k2), b = 1/(2 alpha). */
static int32_t two_stages(const braincell_ops *o) {
    const braincell_array y = BRAINCELL_Y;
    const double alpha = o->parameter(o, "alpha"), b = 1.0 / (2.0 * alpha);
    if (alpha == 0.0) {
        o->refuse(o, "alpha must not be zero");
        return 1;
    }
    braincell_array k1 = braincell_rhs(o, 0.0, y);
    const braincell_term second[] = {{1.0, 0, y}, {alpha, 1, k1}};
    braincell_array k2 = braincell_rhs(o, alpha, braincell_combine(o, second, 2));
    const braincell_term next[] = {{1.0, 0, y}, {1.0 - b, 1, k1}, {b, 1, k2}};
    return braincell_commit(o, braincell_combine(o, next, 3));
}

static const braincell_parameter alpha = {"alpha", "the node of the second stage, not 0", 2.0 / 3.0};

static const braincell_solver c_rk2 = {
    .size = sizeof(braincell_solver),
    .order = 2,
    .properties = BRAINCELL_EXPLICIT,
    .parameter_count = 1,
    .real_stability_limit = 2.0,
    .name = "c_rk2",
    .family = "rk",
    .description = "The two-stage methods of order two, in C.",
    .formula = "y + h ((1 - b) k1 + b k2), b = 1/(2 alpha)",
    .reference = "A. Ralston, Math. Comp. 16, 431-437, 1962, doi:10.1090/S0025-5718-1962-0150954-0",
    .parameters = &alpha,
    .step = two_stages,
};

BRAINCELL_PLUGIN("1.0.0", &c_kutta3, &c_rk2)
