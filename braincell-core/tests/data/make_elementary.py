"""Makes elementary.csv: values of the elementary functions to twice double precision, for tests/elementary.rs.

Needs Python 3 and mpmath. A line is: function, x, the value rounded to double, and what is left, all but the first as
hexadecimal floating-point numbers. Points are dense where a function changes its formula and spread to where it ends.
"""

import random

from mpmath import mp, mpf, exp, expm1, log, tanh

mp.prec = 250
random.seed(20)


def phi(k):
    def f(x):
        if abs(x) < 1e-3:
            return sum(x**j / mp.factorial(j + k) for j in range(30))
        value = exp(x)
        for j in range(k):
            value = (value - 1 / mp.factorial(j)) / x
        return value

    return f


def spread(low, high, count):
    """Magnitudes from low to high, evenly in the logarithm, of both signs."""
    sizes = [low * (high / low) ** (k / (count - 1)) for k in range(count)]
    return [s * size * (1 + random.random() / 16) for size in sizes for s in (1, -1)]


def around(places, count):
    return [p * (1 + random.uniform(-0.05, 0.05)) for p in places for _ in range(count)]


FUNCTIONS = {
    "exp": (exp, spread(1e-10, 650, 90) + around([0.35, -0.35, 1, 10], 12)),
    "expm1": (expm1, spread(1e-12, 30, 90) + around([0.35, -0.35, 0.7], 20)),
    "exprel": (phi(1), spread(1e-12, 600, 90) + around([0.34, -0.34, 0.7, -1], 20)),
    "phi2": (phi(2), spread(1e-8, 500, 60) + around([2, -2, 0.5], 20)),
    "phi3": (phi(3), spread(1e-8, 400, 60) + around([2, -2, 0.5], 20)),
    "ln": (log, [abs(x) for x in spread(1e-300, 1e300, 60)] + around([1, 0.7, 1.41], 30)),
    "tanh": (tanh, spread(1e-10, 20, 60) + around([0.5625, -0.5625, 0.3], 20)),
    "logistic": (lambda x: 1 / (1 + exp(-x)), spread(1e-8, 600, 60) + around([1, -1, 5], 20)),
    "bernoulli": (
        lambda x: 1 / phi(1)(x),
        spread(1e-12, 600, 90) + around([0.34, -0.34, 0.7, -1], 20),
    ),
}

for name, (f, points) in FUNCTIONS.items():
    for x in points:
        y = f(mpf(x))
        value = float(y)
        if value == 0 or abs(value) > 1e300 or abs(value) < 1e-290:
            continue
        print(name, x.hex(), value.hex(), float(y - mpf(value)).hex(), sep=",")
