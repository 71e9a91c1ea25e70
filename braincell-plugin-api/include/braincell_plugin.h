/* Solver plugins for braincell in C, C++, Fortran, Julia, or any language that can export C data and functions.
 *
 * A plugin is a shared object with two constants, which BRAINCELL_PLUGIN defines: a handshake, which the host reads from
 * the file before it runs any code, and a table of solvers. A solver has a step function, which is called once for each
 * set of parameters, not once per step of a simulation: it records one step, operation by operation, and the host runs
 * what was recorded. It must record the same whenever it is called, from any thread, and must neither throw C++
 * exceptions nor jump out.
 *
 *     #include "braincell_plugin.h"
 *
 *     static int32_t midpoint(const braincell_ops *o) {
 *         braincell_array k = braincell_rhs(o, 0.0, BRAINCELL_Y);
 *         braincell_term half[] = {{1.0, 0, BRAINCELL_Y}, {0.5, 1, k}};
 *         k = braincell_rhs(o, 0.5, braincell_combine(o, half, 2));
 *         braincell_term whole[] = {{1.0, 0, BRAINCELL_Y}, {1.0, 1, k}};
 *         return braincell_commit(o, braincell_combine(o, whole, 2));
 *     }
 *     static const braincell_solver c_midpoint = {
 *         .size = sizeof(braincell_solver), .order = 2, .name = "c_midpoint", .family = "rk",
 *         .properties = BRAINCELL_EXPLICIT, .step = midpoint,
 *     };
 *     BRAINCELL_PLUGIN("1.0.0", &c_midpoint)
 *
 *     cc -shared -fPIC -o libmidpoint.so midpoint.c
 *
 * An operation that fails returns a negative handle, and so does every operation after it; the host keeps the first error
 * and reports it. So results need not be checked, but a loop must not wait for an operation to succeed.
 *
 * How this file grows: BRAINCELL_C_ABI changes only if something here changes its meaning or place. Otherwise operations
 * get new numbers, and structs get new members at their end; `size`, the first member of each, says how many there are.
 */
#ifndef BRAINCELL_PLUGIN_H
#define BRAINCELL_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define BRAINCELL_C_ABI 1u
#define BRAINCELL_VERSION "0.1.0"

/* An array with one number for each state of the model, and a linearisation of the equations. */
typedef int32_t braincell_array;
typedef int32_t braincell_linearization;

/* The state at the beginning of the step. */
#define BRAINCELL_Y ((braincell_array)0)

/* c · h^power · array, h being the step size. */
typedef struct braincell_term {
    double c;
    int32_t power;
    braincell_array array;
} braincell_term;

/* What a step function is called with. */
typedef struct braincell_ops {
    uint32_t size;
    uint32_t version; /* BRAINCELL_C_ABI */
    void *recorder;
    /* The value of one of the solver's own parameters; NaN if there is none of that name. */
    double (*parameter)(const struct braincell_ops *o, const char *name);
    /* Records an operation: its number and operands, as the functions below give them. Returns the number of the first
     * array or linearisation that it makes, 0 if it makes none, a negative number if it fails. */
    int32_t (*operation)(const struct braincell_ops *o, uint32_t code, const int64_t *integers, uint32_t integer_count,
                         const double *numbers, uint32_t number_count);
    /* Gives up, with a sentence that says why. */
    void (*refuse)(const struct braincell_ops *o, const char *why);
} braincell_ops;

/* A number that a solver's name may be given, as in rk2(alpha=0.5). */
typedef struct braincell_parameter {
    const char *name;
    const char *description;
    double value; /* where none is given */
} braincell_parameter;

/* needs */
#define BRAINCELL_NEEDS_MEMBRANE 1u
#define BRAINCELL_NEEDS_NOISE 2u
/* properties */
#define BRAINCELL_EXPLICIT 1u
#define BRAINCELL_A_STABLE 2u
#define BRAINCELL_L_STABLE 4u

/* A solver. Texts are UTF-8 and end with a zero byte; those that do not apply may be NULL. */
typedef struct braincell_solver {
    uint32_t size; /* sizeof(braincell_solver) */
    uint32_t order; /* of a stochastic solver the weak order */
    uint32_t order_without_cable; /* if it is higher; otherwise 0 */
    uint32_t embedded_order; /* 0: no error estimate */
    uint32_t needs;
    uint32_t properties;
    uint32_t parameter_count;
    uint32_t advances; /* the parts of the state that it advances; 0: all */
    double strong_order; /* of a stochastic solver; otherwise 0 */
    double real_stability_limit; /* on the negative real axis; 0: not known */
    const char *name;
    const char *aliases; /* separated by commas */
    const char *family;
    const char *description;
    const char *formula;
    const char *reference;
    const char *deprecated; /* why, and what to use instead */
    const braincell_parameter *parameters;
    int32_t (*step)(const braincell_ops *o); /* 0: recorded */
} braincell_solver;

typedef struct braincell_table {
    uint32_t size; /* sizeof(braincell_table) */
    uint32_t version; /* BRAINCELL_C_ABI */
    uint32_t count;
    uint32_t reserved; /* 0 */
    const braincell_solver *const *solvers;
} braincell_table;

typedef struct braincell_handshake {
    char magic[16];
    uint32_t size;
    uint32_t door; /* 2: this interface */
    uint32_t abi;
    uint32_t scalar_bits;
    uint32_t unwinds;
    char abi_stable[16];
    char api[32];
    char version[32];
    char compiler[96];
} braincell_handshake;

/* parts of the state; a sum of these */
#define BRAINCELL_VOLTAGE 1
#define BRAINCELL_GATE 2
#define BRAINCELL_CONCENTRATION 4
#define BRAINCELL_OTHER 8
#define BRAINCELL_ALL 15
/* terms of the right-hand side */
#define BRAINCELL_ALL_TERMS 0
#define BRAINCELL_LOCAL_TERMS 1
#define BRAINCELL_CABLE_TERMS 2
/* kinds of Jacobian */
#define BRAINCELL_FULL 0
#define BRAINCELL_LOCAL 1
#define BRAINCELL_CABLE 2
#define BRAINCELL_DIAGONAL 3

/* The greatest number of terms of a sum and of arrays of a dense output. */
#define BRAINCELL_MAX_TERMS 64

/* f(t + c h, y) of some parts and terms; zero in the other parts. */
static inline braincell_array braincell_rhs_of(const braincell_ops *o, int parts, int terms, double c,
                                               braincell_array y) {
    const int64_t i[] = {parts, terms, y};
    return o->operation(o, 1, i, 3, &c, 1);
}

/* f(t + c h, y). */
static inline braincell_array braincell_rhs(const braincell_ops *o, double c, braincell_array y) {
    return braincell_rhs_of(o, BRAINCELL_ALL, BRAINCELL_ALL_TERMS, c, y);
}

/* The sum of the terms. */
static inline braincell_array braincell_combine(const braincell_ops *o, const braincell_term *terms, uint32_t count) {
    int64_t i[2 * BRAINCELL_MAX_TERMS];
    double n[BRAINCELL_MAX_TERMS];
    if (count > BRAINCELL_MAX_TERMS) {
        o->refuse(o, "a sum has more than 64 terms; add it up in parts");
        return -1;
    }
    for (uint32_t k = 0; k < count; k++) {
        i[2 * k] = terms[k].power;
        i[2 * k + 1] = terms[k].array;
        n[k] = terms[k].c;
    }
    return o->operation(o, 2, i, 2 * count, n, count);
}

/* a in some parts, b in the others. */
static inline braincell_array braincell_select(const braincell_ops *o, int parts, braincell_array a,
                                               braincell_array b) {
    const int64_t i[] = {parts, a, b};
    return o->operation(o, 3, i, 3, NULL, 0);
}

/* The linearisation of f at (t + c h, y) between states of some parts. */
static inline braincell_linearization braincell_linearize(const braincell_ops *o, int jacobian, int parts, double c,
                                                          braincell_array y) {
    const int64_t i[] = {jacobian, parts, y};
    return o->operation(o, 4, i, 3, &c, 1);
}

/* ∂f/∂t of a linearisation. */
static inline braincell_array braincell_time_derivative(const braincell_ops *o, braincell_linearization lin) {
    const int64_t i[] = {lin};
    return o->operation(o, 5, i, 1, NULL, 0);
}

/* (I - gamma h^power J)⁻¹ b. */
static inline braincell_array braincell_solve(const braincell_ops *o, braincell_linearization lin, double gamma,
                                              int power, braincell_array b) {
    const int64_t i[] = {lin, power, b};
    return o->operation(o, 6, i, 3, &gamma, 1);
}

/* φ_k(s h^power J) b, k ≤ 4. */
static inline braincell_array braincell_phi(const braincell_ops *o, braincell_linearization lin, int k, double s,
                                            int power, braincell_array b) {
    const int64_t i[] = {lin, k, power, b};
    return o->operation(o, 7, i, 4, &s, 1);
}

/* Each state of some parts advanced by itself, exponentially, over s h^power, all others held at y. */
static inline braincell_array braincell_relax(const braincell_ops *o, int parts, int terms, double c, double s,
                                              int power, braincell_array y) {
    const int64_t i[] = {parts, terms, power, y};
    const double n[] = {c, s};
    return o->operation(o, 8, i, 4, n, 2);
}

/* The z that solves z = base + gamma h^power f(t + c h, z), by Newton's method from guess. */
static inline braincell_array braincell_implicit_stage(const braincell_ops *o, int parts, int terms, double c,
                                                       double gamma, int power, braincell_array base,
                                                       braincell_array guess) {
    const int64_t i[] = {parts, terms, power, base, guess};
    const double n[] = {c, gamma};
    return o->operation(o, 9, i, 5, n, 2);
}

/* The stages z_i = y + h Σ_j a_ij f(t + c_j h, z_j) of a fully implicit Runge–Kutta method of 1 to 4 stages, a by rows.
 * Returns the first; the others follow. */
static inline braincell_array braincell_implicit_stages(const braincell_ops *o, uint32_t stages, const double *a,
                                                        const double *c, braincell_array y) {
    const int64_t i[] = {stages, y};
    double n[20];
    if (stages < 1 || stages > 4) {
        o->refuse(o, "a fully implicit method has 1 to 4 stages");
        return -1;
    }
    for (uint32_t k = 0; k < stages * stages; k++) n[k] = a[k];
    for (uint32_t k = 0; k < stages; k++) n[stages * stages + k] = c[k];
    return o->operation(o, 10, i, 2, n, stages * (stages + 1));
}

/* The diffusion coefficients g(t + c h, y). */
static inline braincell_array braincell_diffusion(const braincell_ops *o, double c, braincell_array y) {
    const int64_t i[] = {y};
    return o->operation(o, 11, i, 1, &c, 1);
}

/* x · (ΔW)^m, m from 1 to 4. */
static inline braincell_array braincell_times_wiener(const braincell_ops *o, int m, braincell_array x) {
    const int64_t i[] = {m, x};
    return o->operation(o, 12, i, 2, NULL, 0);
}

/* a · b, state by state. */
static inline braincell_array braincell_product(const braincell_ops *o, braincell_array a, braincell_array b) {
    const int64_t i[] = {a, b};
    return o->operation(o, 13, i, 2, NULL, 0);
}

/* Declares the solution inside the step: y + Σ_j θ^j p_j, j from 1. */
static inline int32_t braincell_dense(const braincell_ops *o, const braincell_array *powers, uint32_t count) {
    int64_t i[BRAINCELL_MAX_TERMS];
    if (count > BRAINCELL_MAX_TERMS) {
        o->refuse(o, "a dense output has more than 64 powers");
        return -1;
    }
    for (uint32_t k = 0; k < count; k++) i[k] = powers[k];
    return o->operation(o, 14, i, count, NULL, 0);
}

/* Declares an estimate of the step's error. */
static inline int32_t braincell_error(const braincell_ops *o, braincell_array estimate) {
    const int64_t i[] = {estimate};
    return o->operation(o, 15, i, 1, NULL, 0);
}

/* Declares the state at the end of the step. */
static inline int32_t braincell_commit(const braincell_ops *o, braincell_array y) {
    const int64_t i[] = {y};
    return o->operation(o, 16, i, 1, NULL, 0);
}

#ifdef __cplusplus
#define BRAINCELL_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define BRAINCELL_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __VERSION__
#define BRAINCELL_COMPILER "C compiler " __VERSION__
#else
#define BRAINCELL_COMPILER "C compiler"
#endif

/* Exports a plugin: its version, and pointers to its solvers. Once in a shared object. */
#define BRAINCELL_PLUGIN(plugin_version, ...)                                                                          \
    BRAINCELL_EXPORT extern const braincell_handshake braincell_plugin_handshake;                                      \
    const braincell_handshake braincell_plugin_handshake = {                                                           \
        {'b', 'r', 'a', 'i', 'n', 'c', 'e', 'l', 'l', ' ', 'p', 'l', 'u', 'g', 'i', 'n'},                             \
        sizeof(braincell_handshake), 2u, BRAINCELL_C_ABI, 64u, 0u, "", BRAINCELL_VERSION, plugin_version,              \
        BRAINCELL_COMPILER};                                                                                           \
    static const braincell_solver *const braincell_solvers[] = {__VA_ARGS__};                                         \
    BRAINCELL_EXPORT extern const braincell_table braincell_plugin_table;                                              \
    const braincell_table braincell_plugin_table = {sizeof(braincell_table), BRAINCELL_C_ABI,                          \
                                                    sizeof(braincell_solvers) / sizeof(braincell_solvers[0]), 0,       \
                                                    braincell_solvers};

#endif
