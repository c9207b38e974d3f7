"""Draws attrition records and says, by other people's libraries, what must be learnt from them.

Prints one JSON line {"given": ..., "answer": ...} per data set. statsmodels fits the plain likelihood; with a penalty
SciPy finds where its slope is zero and NumPy inverts its curvature. Whether leavers and stayers can be told apart
without error is a linear program: is there a direction with nobody on its wrong side and somebody beside it?
"""

import json
import sys

import numpy as np
import statsmodels.api as sm
from scipy.optimize import linprog, root
from scipy.special import expit

SEED = 20260401
SETS = 300


def draw(rng):
    """Features on scales as they come, some of them rare yes-or-no marks, and who left."""
    people = int(rng.integers(50, 400))
    makers = [
        lambda: rng.integers(0, 9, people),
        lambda: rng.integers(-5, 16, people),
        lambda: np.round(rng.normal(12000, 4000, people), 2),
        lambda: (rng.random(people) < 0.08).astype(int),
        lambda: np.round(rng.exponential(0.02, people), 4),
    ]
    features = np.column_stack([makers[i]() for i in rng.permutation(5)[: rng.integers(1, 5)]]).astype(float)
    spread = features.std(axis=0)
    spread[spread == 0] = 1
    steepness = rng.choice([0.3, 1.0, 6.0])
    logit = rng.normal(-0.5, 0.4) + ((features - features.mean(axis=0)) / spread) @ rng.normal(0, steepness, features.shape[1])
    left = (rng.random(people) < expit(logit)).astype(int)
    return features, left


def separated(design, left):
    sides = design * np.where(left == 1, 1.0, -1.0)[:, None]
    found = linprog(
        -sides.sum(axis=0),
        A_ub=np.vstack([-sides, sides]),
        b_ub=np.concatenate([np.zeros(len(left)), np.ones(len(left))]),
        bounds=[(None, None)] * design.shape[1],
    )
    assert found.status == 0, found
    return -found.fun > 1e-6


def plain(design, left):
    fit = sm.Logit(left, design).fit(method="newton", tol=1e-13, maxiter=200, disp=0, warn_convergence=False)
    return fit.params, fit.bse, fit.llf


def penalised(design, left, l2, scale):
    """In scaled columns, as a solver needs them; the penalty is that of the plain ones."""
    centre, spread = scale
    turn = np.vstack([np.concatenate([[1], -centre / spread]), np.hstack([np.zeros((len(spread), 1)), np.diag(1 / spread)])])
    weights = np.concatenate([[0.0], np.full(len(spread), l2) / spread**2])
    scaled = np.column_stack([np.ones(len(left)), (design[:, 1:] - centre) / spread])

    def slope(b):
        return scaled.T @ (left - expit(scaled @ b)) - weights * b

    def curvature(b):
        p = expit(scaled @ b)
        return -(scaled.T * (p * (1 - p))) @ scaled - np.diag(weights)

    found = root(slope, np.zeros(scaled.shape[1]), jac=curvature, tol=1e-14)
    assert np.abs(slope(found.x)).max() < 1e-7, found
    covariance = turn @ np.linalg.inv(-curvature(found.x)) @ turn.T
    eta = scaled @ found.x
    likelihood = -np.logaddexp(0, np.where(left == 1, -eta, eta)).sum()
    return turn @ found.x, np.sqrt(np.diag(covariance)), likelihood


def answer(features, left, l2):
    people, leavers = len(left), int(left.sum())
    if leavers < 10 or leavers == people:
        return {"result": "insufficient_sample"}
    design = np.column_stack([np.ones(people), features])
    spread = features.std(axis=0)
    if (spread == 0).any():
        return None
    centre = features.mean(axis=0)
    if l2 == 0 and separated(np.column_stack([np.ones(people), (features - centre) / spread]), left):
        return {"result": "perfect_separation"}
    params, errors, likelihood = penalised(design, left, l2, (centre, spread)) if l2 else plain(design, left)
    named = {"intercept": params[0], **{f"x{i}": b for i, b in enumerate(params[1:], 1)}}
    return {
        **{name: float(b) for name, b in named.items()},
        "std_errors": [float(error) for error in errors],
        "log_likelihood": float(likelihood),
        "n": people,
        "left": leavers,
    }


def main():
    rng = np.random.default_rng(SEED)
    printed = 0
    while printed < SETS:
        features, left = draw(rng)
        l2 = float(rng.choice([0, 0, 0, 0.5, 2]))
        wanted = answer(features, left, l2)
        if wanted is None:
            continue
        rows = [[*map(float, row), int(gone)] for row, gone in zip(features, left)]
        columns = [f"x{i}" for i in range(1, features.shape[1] + 1)] + ["left"]
        given = {"type": "attrition_fit", "rows": rows, "columns": columns, "l2": l2}
        json.dump({"given": given, "answer": wanted}, sys.stdout)
        print()
        printed += 1


main()
