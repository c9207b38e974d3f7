"""Prints JSON lines {"given", "answer"}: 1,000 seeded draws, answered by fairlearn and scipy in full precision.

What must be a whole number or true/false is one; every other number is a float that has not been rounded; what fairlearn
or scipy call "not a number" is null.
"""

import json
import math
import random

import numpy as np
from fairlearn.metrics import MetricFrame, count, selection_rate
from scipy.stats import fisher_exact, norm

DRAWS = 1_000
RACES = [
    "Hispanic or Latino",
    "White",
    "Black or African American",
    "Native Hawaiian or Pacific Islander",
    "Asian",
    "Native American or Alaska Native",
    "Two or More Races",
]


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def ratios(rates):
    highest = rates.max()
    return {name: number(rate / highest) if highest > 0 else None for name, rate in rates.items()}


def frame(groups, chosen):
    """Counts and rates, and the ratio and difference of the rates that fairlearn calls demographic parity."""
    chosen = np.asarray(chosen, dtype=int)
    metrics = {"n": count, "rate": selection_rate}
    measured = MetricFrame(metrics=metrics, y_true=chosen, y_pred=chosen, sensitive_features=np.asarray(groups))
    return measured.by_group, measured.ratio()["rate"], measured.difference()["rate"]


def selection(draw):
    names = draw.sample(RACES, draw.randint(1, len(RACES)))
    categories = {}
    for name in names:
        applicants = draw.randint(1, 400)
        categories[name] = {"applicants": applicants, "selected": draw.randint(0, applicants)}
    if draw.random() < 0.05:
        for counts in categories.values():
            counts["selected"] = 0
    groups = [name for name, counts in categories.items() for _ in range(counts["applicants"])]
    chosen = [at < counts["selected"] for counts in categories.values() for at in range(counts["applicants"])]
    table, lowest, difference = frame(groups, chosen)
    of_highest = ratios(table["rate"])
    answer = {
        name: {
            "applicants": int(table["n"][name]),
            "selection_rate": number(table["rate"][name]),
            "impact_ratio": of_highest[name],
        }
        for name in names
    }
    parity = {
        "min_ratio": number(lowest) if table["rate"].max() > 0 else None,
        "max_difference": number(difference),
    }
    return (
        {"type": "selection_impact", "categories": categories, "exclude_below_share": None},
        {"categories": answer, "benchmark_rate": number(table["rate"].max()), "demographic_parity": parity},
    )


def scoring(draw):
    names = draw.sample(RACES, draw.randint(1, 4))
    # Few different scores make many ties at the median; halves are exact in binary.
    spread = draw.choice([3, 10, 200])
    rows = [{"category": draw.choice(names), "score": str(draw.randint(0, spread) / 2)} for _ in range(draw.randint(1, 300))]
    scores = np.array([float(row["score"]) for row in rows])
    above = scores > np.median(scores)
    table, _, _ = frame([row["category"] for row in rows], above)
    of_highest = ratios(table["rate"])
    answer = {
        name: {
            "n": int(table["n"][name]),
            "above_median": int(sum(above[at] for at, row in enumerate(rows) if row["category"] == name)),
            "scoring_rate": number(table["rate"][name]),
            "impact_ratio": of_highest[name],
        }
        for name in table.index
    }
    return {"type": "scoring_impact", "scores": rows}, {"sample_median": number(np.median(scores)), "categories": answer}


def chance(draw):
    size = draw.choice([12, 60, 1_000, 50_000, 1_000_000])
    n, m = draw.randint(1, size), draw.randint(1, size)
    share = draw.random()
    # Close rates, so that the chances are neither 0 nor 1.
    near = lambda all: min(all, max(0, round(draw.gauss(share * all, 1.5 * math.sqrt(all * share * (1 - share)) + 0.3))))
    x, y = near(n), near(m)
    given = {
        "type": "two_proportion",
        "group": {"n": n, "selected": x},
        "benchmark": {"n": m, "selected": y},
    }
    pooled = (x + y) / (n + m)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    z = (x / n - y / m) / spread if spread > 0 else None
    answer = {
        "impact_ratio": number((x / n) / (y / m)) if y else None,
        "z": z,
        "p_two_sided": None if z is None else number(2 * norm.sf(abs(z))),
        "fisher_exact_p": number(fisher_exact([[x, n - x], [y, m - y]]).pvalue),
        "small_sample": n + m < 30,
    }
    return given, answer


def main():
    draw = random.Random(144)
    for at in range(DRAWS):
        given, answer = (selection, scoring, chance, chance)[at % 4](draw)
        print(json.dumps({"given": given, "answer": answer}))


if __name__ == "__main__":
    main()
