"""Counting processed values. Pure."""

from datetime import date

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Mask
from gateway.core.books import Counts, day_of

Times = npt.NDArray[np.int64]


def tally(due: int, failed: int, sent: int) -> Counts:
    """The books of values of one day: how many were due, BAD, and handed on."""
    ok = due - failed
    return Counts(due=due, ok=ok, failed=failed, suppressed=ok - sent, buffered=sent)


def tally_by_day(times: Times, wrong: Mask, present: Mask) -> dict[date, Counts]:
    """The books of values with times of their own, by Asia/Shanghai day."""
    if not len(times):
        return {}
    first, last = day_of(int(times.min())), day_of(int(times.max()))
    if first == last:
        failed, sent = int(np.count_nonzero(wrong)), int(np.count_nonzero(present))
        return {first: tally(len(times), failed, sent)}
    totals: dict[date, Counts] = {}
    for time, failed_one, sent_one in zip(
        times.tolist(), wrong.tolist(), present.tolist(), strict=True
    ):
        totals.setdefault(day_of(time), Counts()).add(tally(1, int(failed_one), int(sent_one)))
    return totals
