"""Audits patterns of suppression with G-Confid of Statistics Canada, which knows nothing of ours.

Reads a list of ``{"cells": {id: value}, "hidden": [id], "sums": [[total, part, …]]}`` and says in
JSON, for each, between what every hidden cell lies for a reader of the others; such a reader knows
of a hidden cell that it is not below nought and not above ten times its value.
"""

import json
import logging
import os
import sys

import pandas as pd

logging.disable(logging.CRITICAL)
out = os.dup(1)
os.dup2(2, 1)  # the library prints

import gconfid  # noqa: E402 - after its voice was taken away

TIMES = 10.0


def audited(asked):
    hidden = set(asked["hidden"])
    cells = pd.DataFrame(
        [
            {
                "CellId": float(key),
                "TotalNoise": float(value),
                "Sensitivity": 1.0 if int(key) in hidden else -1.0,
                "OutStatus": "X" if int(key) in hidden else "P",
            }
            for key, value in asked["cells"].items()
        ]
    )
    sums = pd.DataFrame(
        [
            {"ConstraintId": float(at), "CellId": float(key), "Coefficient": 1 if place else -1}
            for at, line in enumerate(asked["sums"], 1)
            for place, key in enumerate(line)
        ]
    )
    audit = gconfid.Auditing(incell=cells, inconstraint=sums, lb_factor=0.0, ub_factor=TIMES)
    found = audit.outaudit
    found = found if isinstance(found, pd.DataFrame) else found.to_pandas()
    rows = found[found["OutStatus"] == "X"].to_dict(orient="records")
    return {str(int(row["CellId"])): [row["MinValue"], row["MaxValue"]] for row in rows}


os.write(out, json.dumps([audited(one) for one in json.load(sys.stdin)]).encode())
