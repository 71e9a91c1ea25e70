"""Print the polynomial coefficients of braincell-core/src/real/format.rs.

Near-minimax fits (mpmath.chebyfit, 60 digits), each with the largest error of the fit itself, relative to
the result it contributes to. Run with mpmath installed:  python make_coefficients.py
"""
from mpmath import mp, mpf, chebyfit, exp, expm1, factorial, fabs, log, pi, polyval, sin, cos, sqrt, tanh

mp.dps = 60


def phi(k):
    """phi_k(z) = sum_n z^n / (n + k)!"""
    def f(z):
        total, term, n = mpf(0), 1 / factorial(k), 0
        while fabs(term) > mpf(10) ** -70:
            total += term
            n += 1
            term = term * z / (n + k)
        return total
    return f


def sin_tail(z):
    """(sin r - r) / r^3 as a function of z = r^2"""
    return sum((-1) ** (n + 1) * z**n / factorial(2 * n + 3) for n in range(25))


def cos_tail(z):
    """(cos r - 1 + r^2/2) / r^4 as a function of z = r^2"""
    return sum((-1) ** n * z**n / factorial(2 * n + 4) for n in range(25))


def ln_tail(z):
    """(ln((1+s)/(1-s)) - 2s) / s^3 * s as a function of z = s^2, divided by z"""
    return sum(2 * z**n / (2 * n + 3) for n in range(90))


def tanh_tail(z):
    """(tanh x - x) / x^3 as a function of z = x^2"""
    if z < mpf(10) ** -12:
        return -mpf(1) / 3 + 2 * z / 15 - 17 * z**2 / 315
    x = sqrt(z)
    return (tanh(x) - x) / x**3


HALF_LN2 = log(2) / 2 * mpf("1.0001")
QUARTER_PI = pi / 4 * mpf("1.0001")
S_MAX = (sqrt(2) - 1) / (sqrt(2) + 1) * mpf("1.0001")

# name, function, interval, number of coefficients (f64, f32), weight of the error
FITS = [
    ("EXP", phi(2), (-HALF_LN2, HALF_LN2), (10, 5), lambda r: r**2),
    ("LN", ln_tail, (0, S_MAX**2), (7, 3), lambda z: z),
    ("SIN", sin_tail, (0, QUARTER_PI**2), (6, 3), lambda z: z),
    ("COS", cos_tail, (0, QUARTER_PI**2), (6, 3), lambda z: z**2 * mpf("1.42")),
    ("TANH", tanh_tail, (0, mpf("0.5625") ** 2), (11, 5), lambda z: z),
    ("PHI2", phi(2), (-2, 2), (18, 11), lambda z: 1 / phi(2)(z)),
    ("PHI3", phi(3), (-2, 2), (18, 10), lambda z: 1 / phi(3)(z)),
]

for name, f, (a, b), counts, weight in FITS:
    for fmt, n in zip(("f64", "f32"), counts):
        c = chebyfit(f, [a, b], n)
        grid = [a + (b - a) * mpf(i) / 500 for i in range(501)]
        err = max(fabs((polyval(c, x) - f(x)) * weight(x)) for x in grid)
        print(f"// {name} {fmt}: fit error 2^{float(log(err, 2)):.1f}")
        for x in c:
            print("    " + (repr(float(x)) if fmt == "f64" else mp.nstr(x, 10)) + ",")

print("// pi/2 in parts of 26 bits")
rest = pi / 2
for i in range(4):
    e = 25 - int(mp.floor(log(rest, 2)))
    part = mp.floor(rest * mpf(2) ** e) / mpf(2) ** e
    print("   ", repr(float(part)))
    rest -= part
print("   ", repr(float(rest)))
for bits in (32, 15):
    e = bits
    part = mp.floor(log(2) * mpf(2) ** e) / mpf(2) ** e
    print(f"// ln 2 in {bits} bits and the rest:", repr(float(part)), repr(float(log(2) - part)))
