"""Prints JSON lines {"given", "answer"}: 1,400 seeded draws, answered by scipy and statsmodels in full precision
and, where nothing is to be estimated, by fractions."""

import json
import math
import random
import unicodedata
from decimal import Decimal
from fractions import Fraction

import numpy as np
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

DRAWS = 1_400


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def tenths(draw, low, high):
    return draw.randint(low * 10, high * 10) / 10


def percentile(draw):
    kind = draw.choice(["z", "T", "sten", "stanine"])
    mean, deviation, raw = {
        "z": (0, 1, tenths(draw, -3, 3)),
        "T": (50, 10, tenths(draw, 20, 80)),
        "sten": (5.5, 2, draw.randint(1, 10)),
        "stanine": (5, 2, draw.randint(1, 9)),
    }[kind]
    given = {"type": "to_percentile", "raw": str(raw), "scale": {"kind": kind}}
    return given, {"percentile": number(100 * stats.norm.cdf((raw - mean) / deviation))}


def t_score(draw):
    raw = draw.randint(1, 9999) / 100
    return {"type": "percentile_to_t", "raw": str(raw)}, {"t_score": number(50 + 10 * stats.norm.ppf(raw / 100))}


def area_error(area, winners, losers):
    """Hanley and McNeil's variance as products of (winners - 1) and (losers - 1) over the number of pairs."""
    twice_won, twice_lost = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area)
    spread += (winners - 1) * (twice_won - area**2) + (losers - 1) * (twice_lost - area**2)
    return math.sqrt(spread / winners / losers)


def gate(draw):
    n = draw.randint(1, 60)
    scores = [tenths(draw, 5, 10) for _ in range(n)]
    hired = [int(draw.random() < 0.7) for _ in range(n)]
    above = [one for score, one in zip(scores, hired) if score >= 8]
    given = {"type": "gate_precision", "threshold": "8", "scores": [str(score) for score in scores], "hired": hired}
    answer = {"n_above": len(above), "hired_above": sum(above)}
    if above:
        answer["rate"] = number(np.mean(above))
        answer["wilson"] = [number(end) for end in proportion_confint(sum(above), len(above), method="wilson")]
    return given, answer


def restriction(draw):
    """Thorndike's case II, from the regression that it rests on: slope and error do not change with the range."""
    r, hired, u = draw.randint(-99, 99) / 100, draw.randint(10, 90) / 10, draw.randint(100, 250) / 100
    slope, noise = r / hired, 1 - r**2
    applicants = hired * u
    explained = slope**2 * applicants**2
    answer = {"r_corrected": number(math.copysign(math.sqrt(explained / (explained + noise)), r) if r else 0)}
    given = {"type": "range_restriction", "r_observed": str(r), "sd_hired": str(hired)}
    given["sd_applicants"] = str(Decimal(str(hired)) * Decimal(str(u)))
    return given, answer


def rounded(fraction, places):
    """A fraction as text, halves away from zero."""
    scaled = abs(fraction) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return str(Decimal(whole if fraction >= 0 else -whole).scaleb(-places).quantize(Decimal(1).scaleb(-places)))


def weighted(draw):
    dims = draw.randint(2, 6)
    cuts = sorted(draw.sample(range(1, 1000), dims - 1))
    weights = [Fraction(high - low, 10) for low, high in zip([0, *cuts], [*cuts, 1000])]
    scores = [Fraction(draw.randint(0, 1000), 10) if draw.random() < 0.8 else None for _ in weights]
    there = [(weight, score) for weight, score in zip(weights, scores) if score is not None]
    covered = sum(weight for weight, _ in there)
    answer = {"coverage": rounded(Fraction(covered) / 100, 4)}
    if there and covered >= 80:
        answer["composite"] = rounded(sum(weight * score for weight, score in there) / covered, 6)
    else:
        answer["result"] = "insufficient_evidence"
    texts = [(rounded(w, 1), None if s is None else rounded(s, 1)) for w, s in zip(weights, scores)]
    dims = [{"id": f"d{at}", "weight": weight, "score": score} for at, (weight, score) in enumerate(texts)]
    return {"type": "composite", "dims": dims}, answer


def offer(draw):
    low = draw.randint(300_000, 2_000_000)
    high = low + draw.randint(0, 1_000_000)
    score = draw.randint(7_500, 10_000)
    given = {"type": "offer", "score": rounded(Fraction(score, 100), 2)}
    given["range"] = [rounded(Fraction(amount, 100), 2) for amount in (low, high)]
    if score < 8_000:
        return given, {"eligible": False}
    share = min(Fraction(score - 8_000, 1_000), 1)
    return given, {"eligible": True, "base": rounded(Fraction(low + (high - low) * share, 100), 2)}


def speech(draw):
    alphabet = "客户团队目标ａBé9９٣①々〇。，！？ ——…“”😀-\u3000\n"
    text = "".join(draw.choice(alphabet) for _ in range(draw.randint(0, 60)))
    counted = sum(unicodedata.category(one)[0] in "LN" for one in text)
    seconds, pauses = draw.randint(11, 300), draw.randint(0, 10)
    given = {"type": "speech_rate", "text": text, "seconds": str(seconds), "pause_seconds": str(pauses)}
    return given, {"characters": counted, "rate": rounded(Fraction(counted, seconds - pauses), 6)}


def threshold(draw):
    n = draw.randint(80, 200)
    scores = [round(draw.gauss(82, 6) * 2) / 2 for _ in range(n)]
    outcomes = [int(draw.random() < 1 / (1 + math.exp(-(score - 82) / 4))) for score in scores]
    mark = 82
    above = [met for score, met in zip(scores, outcomes) if score >= mark]
    below = [met for score, met in zip(scores, outcomes) if score < mark]
    given = {"type": "threshold_analysis", "threshold": str(mark), "scores": scores, "outcomes": outcomes}
    if min(len(above), len(below)) < 30:
        return given, {"result": "insufficient_sample", "n_above": len(above), "n_below": len(below)}
    p1, p0 = np.mean(above), np.mean(below)
    winners = [score for score, met in zip(scores, outcomes) if met]
    losers = [score for score, met in zip(scores, outcomes) if not met]
    r = stats.pearsonr(scores, outcomes)
    interval = r.confidence_interval(0.95)
    area = stats.mannwhitneyu(winners, losers).statistic / (len(winners) * len(losers))
    best = max(
        sorted(set(scores)),
        key=lambda t: (np.mean([s >= t for s in winners]) + np.mean([s < t for s in losers]), -t),
    )
    answer = {
        "n_above": len(above),
        "n_below": len(below),
        "rate_above": number(p1),
        "rate_below": number(p0),
        "difference_points": number(100 * (p1 - p0)),
        "wilson_above": [number(end) for end in proportion_confint(sum(above), len(above), method="wilson")],
        "wilson_below": [number(end) for end in proportion_confint(sum(below), len(below), method="wilson")],
        "newcombe_difference": [
            number(end)
            for end in confint_proportions_2indep(sum(above), len(above), sum(below), len(below), method="newcomb")
        ],
        "relative_lift_percent": number(100 * (p1 / p0 - 1)) if p0 else None,
        "pearson_r": number(r.statistic),
        "pearson_ci": [number(interval.low), number(interval.high)],
        "auc": number(area),
        "auc_hanley_mcneil_se": number(area_error(area, len(winners), len(losers))),
        "youden_j": number(np.mean([s >= best for s in winners]) + np.mean([s < best for s in losers]) - 1),
    }
    return given, answer


def correlation(draw):
    n = draw.randint(5, 60)
    x = [draw.randint(40, 100) for _ in range(n)]
    y = [round(0.6 * value + draw.gauss(0, 12)) for value in x]
    r = stats.pearsonr(x, y)
    interval = r.confidence_interval(0.95)
    answer = {
        "n": n,
        "pearson_r": number(r.statistic),
        "pearson_ci": [number(interval.low), number(interval.high)],
        "spearman": number(stats.spearmanr(x, y).statistic),
    }
    return {"type": "correlation", "x": x, "y": y}, answer


def distribution(draw):
    scores = [tenths(draw, 2, 10) for _ in range(draw.randint(2, 40))]
    quartiles = np.percentile(scores, [25, 50, 75])
    answer = {
        "n": len(scores),
        "mean": number(np.mean(scores)),
        "sd_sample": number(np.std(scores, ddof=1)),
        "p25": number(quartiles[0]),
        "median": number(quartiles[1]),
        "p75": number(quartiles[2]),
        "share_below": number(np.mean([score < 6 for score in scores])),
    }
    return {"type": "distribution", "scores": [str(score) for score in scores], "flag_below": "6"}, answer


def matrix(draw):
    people, raters = draw.randint(5, 25), draw.randint(2, 6)
    true = [draw.gauss(6, 2) for _ in range(people)]
    return np.array([[round(value + draw.gauss(0, 1)) for _ in range(raters)] for value in true])


def alpha(draw):
    rows = matrix(draw)
    items = rows.shape[1]
    total = rows.sum(axis=1).var(ddof=1)
    value = items / (items - 1) * (1 - rows.var(axis=0, ddof=1).sum() / total)
    answer = {"alpha": number(value), "sem": number(math.sqrt(total) * math.sqrt(1 - value))}
    return {"type": "cronbach_alpha", "matrix": rows.tolist()}, answer


def icc(draw):
    rows = matrix(draw)
    n, k = rows.shape
    # The mean squares of a two-way analysis of variance, by least squares.
    people, raters = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    y = rows.reshape(-1).astype(float)
    def residual(*factors):
        columns = [np.ones(len(y))] + [(f == level).astype(float) for f in factors for level in range(1, f.max() + 1)]
        design = np.stack(columns, axis=1)
        fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return ((y - fitted) ** 2).sum()
    both = residual(people, raters)
    msr = (residual(raters) - both) / (n - 1)
    msc = (residual(people) - both) / (k - 1)
    mse = both / ((n - 1) * (k - 1))
    answer = {
        "icc_2_1": number((msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)),
        "icc_2_k": number((msr - mse) / (msr + (msc - mse) / n)),
    }
    return {"type": "icc", "matrix": rows.tolist()}, answer


def kappa(draw):
    k, n = draw.randint(2, 5), draw.randint(20, 80)
    a = [draw.randrange(k) for _ in range(n)]
    b = [value if draw.random() < 0.6 else draw.randrange(k) for value in a]
    table = np.zeros((k, k))
    for x, y in zip(a, b):
        table[x, y] += 1
    answer = {
        "kappa": number(cohens_kappa(table).kappa),
        "kappa_quadratic": number(cohens_kappa(table, wt="quadratic").kappa),
    }
    return {"type": "kappa", "rater_a": a, "rater_b": b, "categories": list(range(k))}, answer


def main():
    draw = random.Random(1945)
    kinds = [percentile, t_score, threshold, correlation, distribution, alpha, icc, kappa]
    kinds += [gate, restriction, weighted, offer, speech]
    for at in range(DRAWS):
        given, answer = kinds[at % len(kinds)](draw)
        print(json.dumps({"given": given, "answer": answer}))


if __name__ == "__main__":
    main()
