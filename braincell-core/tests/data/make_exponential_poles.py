"""Print the poles and weights of braincell-core/src/cable/poles.rs.

e^-x and phi_1(-x) = (1 - e^-x) / x on x >= 0 as Re sum_k w_k / (theta_k + x) with common poles. The poles are
those of the Caratheodory-Fejer approximant of e^z on the negative axis (L. N. Trefethen, J. A. C. Weideman,
T. Schmelzer, Talbot quadratures and rational approximations, BIT 46 (2006), doi:10.1007/s10543-006-0077-9),
computed and rounded to double precision; they need not be optimal. The weights are minimax for these very
poles (linear fit by Lawson iteration, 60 digits), which absorbs the rounding of the poles.
Run with numpy, scipy and mpmath installed:  python make_exponential_poles.py
"""
import mpmath as mp
import numpy as np
from scipy.linalg import hankel

mp.mp.dps = 60
SCALE = 9  # of the map from [-1, 1] to the negative axis


def poles(degree, terms=75, points=1024):
    """Poles with positive imaginary part of the Caratheodory-Fejer approximant of e^z."""
    t = np.cos(2 * np.pi * np.arange(points) / points)
    c = np.fft.fft(np.exp(SCALE * (t - 1) / (t + 1 + 1e-16))).real / points
    q = np.roots(np.linalg.svd(hankel(c[1:terms + 1]))[2][degree])
    q = q[abs(q) > 1]
    z = SCALE * (q - 1) ** 2 / (q + 1) ** 2
    z = z[z.imag > 0]
    return z[np.argsort(z.imag)]


def phi1(x):
    return mp.mpf(1) if x == 0 else -mp.expm1(-x) / x


def weights(theta, f, points=400, rounds=40):
    """Minimax weights for given poles, and the largest error."""
    x = [SCALE * (1 - t) / (1 + t) for t in (mp.cos(mp.pi * (j + mp.mpf(1) / 2) / points) for j in range(points))]
    g = [[1 / (mp.mpc(p.real, p.imag) + y) for p in theta] for y in x]
    a = np.array([[part for q in row for part in (q.real, -q.imag)] for row in g], dtype=object)
    b = np.array([f(y) for y in x], dtype=object)
    importance, best = np.array([mp.mpf(1)] * points, dtype=object), None
    for _ in range(rounds):
        scaled = a * importance[:, None]
        solution = mp.lu_solve(mp.matrix((scaled.T @ a).tolist()), mp.matrix(list(scaled.T @ b)))
        error = abs(a @ np.array(list(solution), dtype=object) - b)
        if best is None or max(error) < best[0]:
            best = max(error), solution
        importance = importance * (error / max(error) + mp.mpf("1e-6"))
        importance = importance / sum(importance)
    error, w = best
    return error, [(w[2 * k], w[2 * k + 1]) for k in range(len(theta))]


def show(label, pairs):
    for part, name in enumerate(("real", "imaginary")):
        print(f"    {label}, {name}:", ", ".join(repr(float(p[part])) for p in pairs))


theta = poles(16)
show("poles", [(p.real, p.imag) for p in theta])
for name, f in (("exp", lambda x: mp.exp(-x)), ("phi1", phi1)):
    error, w = weights(theta, f)
    print(f"  {name}: largest error {mp.nstr(error, 3)}")
    show("weights", w)
