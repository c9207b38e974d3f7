"""Makes the rates of a bias audit; prints seconds from the file to the rates: bias.py FILE PEOPLE"""
import sys
import time

import pandas
from fairlearn.metrics import MetricFrame, selection_rate

path, people = sys.argv[1], int(sys.argv[2])
begun = time.perf_counter()
table = pandas.read_csv(path)
assert len(table) == people, len(table)
above = (table["score"] > table["score"].median()).astype(int)
for outcome in (table["selected"], above):
    for names in (["sex"], ["race"], ["sex", "race"]):
        known = table[names].notna().all(axis=1)
        frame = MetricFrame(
            metrics=selection_rate, y_true=outcome[known], y_pred=outcome[known], sensitive_features=table.loc[known, names]
        )
        rates = frame.by_group
        ratios = rates / rates.max()
        assert ratios.max() == 1
print(time.perf_counter() - begun)
