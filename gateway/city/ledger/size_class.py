"""The size class of an industrial enterprise, of its people and its revenue. Pure.

Source: 统计上大中小微型企业划分办法 (2017), industry (GB/T 4754-2017 B, C, D).
"""

from gateway.city.ledger.codes import Name

SIZE_CLASSES = {
    "large": Name("大型", "Large"),
    "medium": Name("中型", "Medium"),
    "small": Name("小型", "Small"),
    "micro": Name("微型", "Micro"),
}
"""In order; who meets the limits of none is micro."""

UNKNOWN = ""

_LIMITS = {"large": (1000, 40_000), "medium": (300, 2000), "small": (20, 300)}
"""Least people and least revenue (万元): a class needs both."""


def size_class(people: int | None, revenue_wan: float | None) -> str:
    """A key of :data:`SIZE_CLASSES`, or :data:`UNKNOWN`.

    Args:
        people: who work there; None: nobody wrote it.
        revenue_wan: of a year, in 万元 (10,000 yuan); None: nobody wrote it.

    Returns:
        The highest class of which both limits are met. Of one number alone only *micro* can
        follow: below the limit of *small* nothing else is left.
    """
    for name, (least_people, least_revenue) in _LIMITS.items():
        met = (_reached(people, least_people), _reached(revenue_wan, least_revenue))
        if all(met):
            return name
        if None in met and False not in met:
            return UNKNOWN
    return "micro"


def _reached(number: float | None, limit: int) -> bool | None:
    return None if number is None else number >= limit
