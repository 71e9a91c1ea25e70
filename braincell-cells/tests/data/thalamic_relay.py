"""Reference traces of the thalamic relay neuron: python3 thalamic_relay.py > thalamic_relay.csv

The equations are written here independently of the crate, and integrated by DOP853 of scipy (relative tolerance 1e-12),
which starts afresh at every jump of the stimulus and wherever the potential crosses -83 mV, where the time constant of
the inactivation of the T current jumps. Radau with other tolerances must agree (printed to stderr).

Columns: protocol, time (ms), then the state: V (mV), the gates, the concentration of calcium (mM).
"tonic" is a step of 3 uA/cm2 from 50 to 250 ms, "rebound" one of -0.5 uA/cm2 from 50 to 350 ms.
"""

import sys

import numpy as np
from scipy.integrate import solve_ivp

PROTOCOLS = {
    # name: [(from ms, amplitude in uA/cm2), ...], end, interval of the table
    "tonic": ([(0.0, 0.0), (50.0, 3.0), (250.0, 0.0)], 300.0, 2.5),
    "rebound": ([(0.0, 0.0), (50.0, -0.5), (350.0, 0.0)], 600.0, 5.0),
}

F, R, T = 96485.33212331, 8.31446261815324, 309.15
exp = np.exp


def exprel(x):
    return np.expm1(x) / x if x != 0 else 1.0


def rates(v, ca, below):
    """(x_inf, 1/tau) of each gate, in the order of the state."""
    s = v + 30
    a = 1.28 / exprel(-(s - 13) / 4), 0.128 * exp(-(s - 17) / 18), 0.16 / exprel(-(s - 15) / 5), 48 * ca**2
    b = 1.40 / exprel((s - 40) / 5), 4 / (1 + exp(-(s - 40) / 5)), 0.5 * exp(-(s - 10) / 40), 0.09
    phi = 1, 1, 0.25, 1
    na_p, na_q, k_p, ahp_p = ((a / (a + b), f * (a + b)) for a, b, f in zip(a, b, phi))
    phi_p, phi_q = 3.55**1.2, 3**1.2
    tau = 0.4 + 0.7 / (exp(-(v + 5) / 15) + exp((v + 5) / 15))
    l_p = 1 / (1 + exp(-(v + 10) / 4)), phi_p / tau
    tau = 300 + 100 / (exp((v + 40) / 9.5) + exp(-(v + 40) / 9.5))
    l_q = 1 / (1 + exp((v + 25) / 2)), phi_q / tau
    x = v + 3
    tau = 0.612 + 1 / (exp(-(x + 132) / 16.7) + exp((x + 16.8) / 18.2))
    t_p = 1 / (1 + exp(-(x + 59) / 6.2)), phi_p / tau
    tau = exp((x + 467) / 66.6) if below else 28 + exp(-(x + 22) / 10.5)
    t_q = 1 / (1 + exp((x + 83) / 4)), phi_q / tau
    h_p = 1 / (1 + exp((v + 75) / 5.5)), exp(-0.086 * v - 14.59) + exp(0.0701 * v - 1.87)
    return [na_p, na_q, k_p, l_p, l_q, t_p, t_q, ahp_p, h_p]


def right_hand_side(t, y, current, below):
    v, na_p, na_q, k_p, l_p, l_q, t_p, t_q, ahp_p, h_p, ca = y
    e_ca = 1e3 * R * T / (2 * F) * np.log(2 / ca)
    i_ca = (0.5 * l_p**2 * l_q + 2.1 * t_p**2 * t_q) * (e_ca - v)
    i = 90 * na_p**3 * na_q * (50 - v) + (0.01 + 10 * k_p**4 + 0.3 * ahp_p**2) * (-90 - v)
    i += i_ca + 0.01 * h_p * (-43 - v) + 0.0075 * (-70 - v) + current
    gates = [(inf - x) * rate for x, (inf, rate) in zip(y[1:10], rates(v, ca, below))]
    drive = i_ca * 1e-6 / (2 * F * 0.5e-4) * 1e3
    return [i, *gates, max(drive, 0) + (5e-5 - ca) / 10]


def crossing(t, y, *_):
    return y[0] + 83


crossing.terminal = True


def integrate(protocol, method, rtol):
    steps, end, interval = PROTOCOLS[protocol]
    y = np.array([-65.0, *(inf for inf, _ in rates(-65.0, 2.4e-4, False)), 2.4e-4])
    times = np.arange(0, end + interval / 2, interval)
    table, below, crossings, spikes = {0.0: y}, False, [], []
    for (start, current), stop in zip(steps, [s for s, _ in steps[1:]] + [end]):
        t = start
        while t < stop:
            crossing.direction = 1 if below else -1
            spike = lambda t, y, *_: y[0]
            spike.direction = 1
            solution = solve_ivp(
                right_hand_side, (t, stop), y, method, args=(current, below), dense_output=True,
                rtol=rtol, atol=1e-14, events=[crossing, spike],
            )
            assert solution.success, solution.message
            here = times[(times > t) & (times <= solution.t[-1])]
            table.update(zip(here, solution.sol(here).T))
            t, y = solution.t[-1], solution.y[:, -1]
            table.update({t: y} if t in times else {})
            spikes.extend(solution.t_events[1])
            if solution.status == 1:
                crossings.append(float(t))
                below = not below
    return times, np.array([table[t] for t in times]), crossings, spikes


if __name__ == "__main__":
    print("protocol,t,V,INa.p,INa.q,IDR.p,ICaL.p,ICaL.q,ICaT.p,ICaT.q,IAHP.p,Ih.p,Ca.c_in")
    for protocol in PROTOCOLS:
        times, table, crossings, spikes = integrate(protocol, "DOP853", 1e-12)
        for t, row in zip(times, table):
            print(protocol, t, *(repr(float(x)) for x in row), sep=",")
        _, other, _, _ = integrate(protocol, "Radau", 1e-10)
        difference = abs(table - other).max(axis=0)
        note = f"{protocol}: DOP853 and Radau differ by {difference[0]:.1e} mV, {difference[1:].max():.1e}"
        print(note, f"-83 mV at {crossings}", f"spikes at {np.round(spikes, 4).tolist()}", sep="; ", file=sys.stderr)
