"""Mainland China's payroll once more, written from the law with decimal numbers and the standard library alone.

    python3 china.py SEED COUNT

prints COUNT lines of {"given": ..., "answer": ...}: a request to the payroll service, drawn at random, and what the law
makes of it. Money is kept in whole fen wherever the law rounds; brackets are walked band by band instead of by quick
deductions, so that a mistake in either table shows.
"""

import json
import random
import sys
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 60
D = Decimal
YEAR = [(36000, 3), (144000, 10), (300000, 20), (420000, 25), (660000, 30), (960000, 35), (None, 45)]
MONTH = [(3000, 3), (12000, 10), (25000, 20), (35000, 25), (55000, 30), (80000, 35), (None, 45)]
LABOUR = [(20000, 20), (50000, 30), (None, 40)]


def fen(amount):
    return amount.quantize(D("0.01"), ROUND_HALF_UP)


def text(amount):
    shown = fen(amount)
    return str(abs(shown) if shown == 0 else shown)


def walked(amount, table):
    """The tax on an amount, each slice at its own rate."""
    tax, below = D(0), D(0)
    for end, percent in table:
        top = amount if end is None else min(amount, D(end))
        if top <= below:
            break
        tax += (top - below) * percent / 100
        below = top
    return tax


def band(amount, table):
    """The rate of an amount and what `amount × rate` is too much."""
    for end, percent in table:
        if end is None or amount <= end:
            at = D(end) if end is not None else max(amount, D(0))
            return percent, at * percent / 100 - walked(at, table)


def whole(number):
    return format(number.normalize(), "f")


def withhold(months, basic):
    """Rows of the months in their order; `basic(m)` is the basic deduction up to month m."""
    rows, income, paid = [], D(0), D(0)
    for given in sorted(months, key=lambda month: month["m"]):
        income += D(given["income"]) - D(given.get("special") or 0) - D(given.get("additional") or 0)
        taxable = max(income - basic(given["m"]), D(0))
        tax = max(fen(walked(taxable, YEAR) - paid), D(0))
        paid += tax
        percent, less = band(taxable, YEAR)
        rows.append({
            "month": given["m"],
            "cumulative_taxable": text(taxable),
            "rate": str(D(percent) / 100) if percent % 10 else f"0.{percent // 10}0",
            "quick_deduction": whole(less),
            "tax": text(tax),
            "withheld_to_date": text(paid),
        })
    return rows, paid


def since(first):
    return lambda month: D(5000) * (month - first + 1)


def first_of(months):
    return min((month["m"] for month in months), default=1)


def annual_bonus(bonus):
    for end, percent in MONTH:
        if end is None or bonus <= 12 * end:
            _, less = band(D(end) if end else D(10**9), MONTH)
            return percent, less, fen(bonus * percent / 100 - less)


class Draw:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def money(self, most, least=0):
        """Mostly in fen, at times in whole yuan or on a threshold."""
        kind = self.random.random()
        if kind < 0.15:
            marks = [0, 800, 4000, 5000, 36000, 60000, 144000, 300000, 420000, 660000, 960000, 25000, 62500]
            mark = D(self.random.choice(marks)) + D(self.random.choice(["-0.01", "0", "0.01"]))
            if least <= mark <= most:
                return text(mark)
        if kind < 0.3:
            return str(self.random.randint(least, most))
        return text(D(self.random.randint(least * 100, most * 100)) / 100)

    def months(self, first, last, most):
        chosen = [m for m in range(first, last + 1) if self.random.random() < 0.85] or [first]
        if self.random.random() < 0.2:
            chosen.append(self.random.choice(chosen))
        self.random.shuffle(chosen)
        months = [{"m": m, "income": self.money(most), "special": self.money(6000)} for m in chosen]
        for month in months:
            if self.random.random() < 0.5:
                month["additional"] = self.money(7000)
        return months

    def iit_cumulative(self):
        first = self.random.randint(1, 12)
        months = self.months(first, 12, self.random.choice([7000, 30000, 200000]))
        given, start = {"year": self.random.randint(2021, 2026), "residency": "resident", "months": months}, None
        choice = self.random.random()
        basic = since(first_of(months))
        if choice < 0.2:
            given["first_month_with_this_employer"], basic = first, since(first)
        elif choice < 0.4:
            given["first_wage_income_of_year_declared"], basic = True, since(1)
        elif choice < 0.6:
            given["prior_year_60000_election"], basic = True, lambda _: D(60000)
        rows, paid = withhold(months, basic)
        return given, {"rows": rows, "tax_total": text(paid)}

    def iit_cumulative_two_years(self):
        first, second = self.months(4, 12, 40000), self.months(1, 6, 40000)
        given = {"residency": "resident", "first": {"year": 2024, "months": first}, "second": {"year": 2025, "months": second}}
        return given, {"first": withhold(first, since(first_of(first)))[0], "second": withhold(second, since(1))[0]}

    def off_cycle(self):
        month = self.random.randint(2, 12)
        prior = self.months(1, month - 1, 60000)
        runs = [{"run": run, "income": self.money(90000), "special": self.money(6000)} for run in ("regular", "off_cycle")]
        rows, paid = withhold(prior + [{"m": month, **run} for run in runs], since(first_of(prior)))
        given = {"year": 2026, "prior_months": prior, "month": month, "runs": runs}
        return given, {"tax_regular": rows[-2]["tax"], "tax_off_cycle": rows[-1]["tax"], "withheld_to_date": text(paid)}

    def iit_two_employers(self):
        a, b = self.months(1, 6, 60000), self.months(5, 12, 60000)
        (rows_a, paid_a), (rows_b, paid_b) = (withhold(months, since(first_of(months))) for months in (a, b))
        total = sum(D(m["income"]) - D(m["special"]) - D(m.get("additional") or 0) for m in a + b) - 60000
        extra = fen(walked(max(total, D(0)), YEAR)) - paid_a - paid_b
        return {"year": 2026, "employer_a": a, "employer_b": b}, {"a": rows_a, "b": rows_b, "annual_settlement_extra": text(extra)}

    def annual_bonus_separate(self):
        amount = self.money(1500000)
        percent, less, tax = annual_bonus(D(amount))
        given = {"paid_on": f"{self.random.randint(2019, 2027)}-02-14", "amount": amount}
        return given, {"quick_deduction": whole(less), "tax": text(tax), "net": text(D(amount) - tax)}

    def annual_bonus_compare(self):
        bonus, other = self.money(800000), str(D(self.money(400000)) - self.random.choice([0, 60000]))
        tax = lambda amount: fen(walked(max(amount, D(0)), YEAR))
        merged = tax(D(other) + D(bonus)) - tax(D(other))
        separate = annual_bonus(D(bonus))[2]
        cheaper = "equal" if merged == separate else "merged" if merged < separate else "separate"
        given = {"year": 2026, "bonus": bonus, "other_comprehensive_taxable_for_year": other}
        return given, {
            "separate_tax": text(separate),
            "merged_extra_tax": text(merged),
            "cheaper": cheaper,
            "difference": text(abs(merged - separate)),
        }

    def payee(self, factor, table):
        amount = self.money(self.random.choice([1000, 5000, 120000]))
        paid = D(amount)
        taxable = max(paid - 800, D(0)) if paid <= 4000 else paid * D("0.8")
        taxable *= factor
        tax = fen(walked(taxable, table) if table else taxable * 20 / 100)
        return {"residency": "resident", "amount": amount}, {"taxable": text(taxable), "tax": text(tax)}

    def labour_remuneration(self):
        return self.payee(1, LABOUR)

    def author_remuneration(self):
        return self.payee(D("0.7"), None)

    def royalty(self):
        return self.payee(1, None)

    def nonresident(self, factor, off=0):
        amount = self.money(150000)
        return {"amount": amount}, {"tax": text(fen(walked(max(D(amount) * factor - off, D(0)), MONTH)))}

    def nonresident_wage(self):
        return self.nonresident(1, 5000)

    def nonresident_labour(self):
        return self.nonresident(D("0.8"))

    def nonresident_author(self):
        return self.nonresident(D("0.56"))

    def nonresident_bonus(self):
        amount = self.money(900000)
        return {"amount": amount}, {"tax": text(fen(walked(D(amount) / 6, MONTH) * 6))}

    def intern_labour_cumulative(self):
        months = [{"m": m, "amount": self.money(30000)} for m in range(1, 13) if self.random.random() < 0.4]
        runs = [{"m": place + 1, "income": str(D(given["amount"]) * 8 / 10)} for place, given in enumerate(months)]
        tax = [row["tax"] for row in withhold(runs, since(1))[0]]
        return {"year": 2026, "months": months, "full_time_student": True}, {"tax": tax}

    def severance_compensation(self):
        amount, average = self.money(1500000), self.money(200000, 1)
        exempt = min(D(amount), 3 * D(average))
        given = {"amount": amount, "local_prior_year_average_annual_wage": average}
        tax = fen(walked(D(amount) - exempt, YEAR))
        return given, {"exempt": text(exempt), "taxable": text(D(amount) - exempt), "tax": text(tax)}

    ROUNDS = {
        "fen_half_up": lambda a: a.quantize(D("0.01"), ROUND_HALF_UP),
        "jiao_half_up": lambda a: a.quantize(D("0.1"), ROUND_HALF_UP),
        "yuan_half_up": lambda a: a.quantize(D(1), ROUND_HALF_UP),
        "li_to_fen_up": lambda a: a.quantize(D("0.01"), ROUND_CEILING),
        "fen_to_jiao_up": lambda a: a.quantize(D("0.1"), ROUND_CEILING),
        "drop_li_fen_to_jiao_up": lambda a: a.quantize(D("0.01"), ROUND_DOWN).quantize(D("0.1"), ROUND_CEILING),
        "jiao_to_yuan_up": lambda a: a.quantize(D(1), ROUND_CEILING),
        "fen_down": lambda a: a.quantize(D("0.01"), ROUND_DOWN),
        "jiao_down": lambda a: a.quantize(D("0.1"), ROUND_DOWN),
        "yuan_down": lambda a: a.quantize(D(1), ROUND_DOWN),
    }

    def contributions(self):
        floor, cap = self.random.randint(2000, 8000), self.random.randint(20000, 40000)
        rate = lambda: str(D(self.random.randint(0, 200)) / 10)
        items = [{"code": code, "ee": rate(), "er": rate()} for code in ("pension", "medical", "unemployment", "injury")]
        word = self.random.choice(list(self.ROUNDS))
        fund = {"floor": str(floor), "cap": str(cap), "rate": str(self.random.randint(5, 12)), "round": word}
        bases = {"si_base_declared": self.money(60000), "hf_base_declared": self.money(60000)}
        params = {"si_floor": str(floor), "si_cap": str(cap), "items": items, "hf": fund}
        clamp = lambda base: min(max(D(base), D(floor)), D(cap))
        lines, base = {}, clamp(bases["si_base_declared"])
        for item in items:
            pays = {side: fen(base * D(item[short]) / 100) for side, short in (("employee", "ee"), ("employer", "er"))}
            lines[item["code"]] = {"base": base, **pays}
        base = clamp(bases["hf_base_declared"])
        both = self.ROUNDS[word](base * D(fund["rate"]) / 100)
        lines["housing_fund"] = {"base": base, "employee": both, "employer": both}
        total = lambda side: text(sum(line[side] for line in lines.values()))
        shown = {code: {name: text(amount) for name, amount in line.items()} for code, line in lines.items()}
        answer = {"items": shown, "employee_total": total("employee"), "employer_total": total("employer")}
        return {"pack": "CN-SH@2025-07", "params": params, **bases}, answer

    def hf_excess(self):
        base, own, city = self.money(60000), self.money(60000), self.money(16000)
        rate = str(self.random.randint(5, 14))
        deposit, free = fen(D(base) * D(rate) / 100), fen(min(D(own), 3 * D(city)) * 12 / 100)
        given = {"deposit_base": base, "rate": rate, "own_prior_year_average_monthly_wage": own, "city_average_monthly_wage": city}
        taken = min(deposit, free)
        return given, {"deposit": text(deposit), "deductible": text(taken), "added_back_to_income": text(deposit - taken)}

    def rounding(self):
        amount = D(self.random.randint(0, 10**8)) / 10 ** self.random.randint(0, 5)
        return {"amount": str(amount)}, {word: str(rounds(amount)) for word, rounds in self.ROUNDS.items()}


KINDS = [
    "iit_cumulative", "iit_cumulative_two_years", "off_cycle", "iit_two_employers", "annual_bonus_separate",
    "annual_bonus_compare", "labour_remuneration", "author_remuneration", "royalty", "nonresident_wage",
    "nonresident_labour", "nonresident_author", "nonresident_bonus", "intern_labour_cumulative",
    "severance_compensation", "contributions", "hf_excess", "rounding",
]


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    draw = Draw(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        given, answer = getattr(draw, kind)()
        print(json.dumps({"given": {"type": kind, **given}, "answer": answer}, ensure_ascii=False))


if __name__ == "__main__":
    main()
