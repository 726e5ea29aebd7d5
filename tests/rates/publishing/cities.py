"""Cities to attack: seeded, with what makes disclosure control hard."""

import random
from collections.abc import Sequence
from dataclasses import replace

from gateway.city.rates.cells.tally import Tally

COUNTIES = ("330802", "330803", "330822", "330824", "330825", "330881")


def city(seed: int, *, enterprises: int = 90, industries: int = 7) -> list[Tally]:
    """A fictitious city.

    It has a county of one enterprise, an industry of one, one of two, a county in which one
    enterprise has nearly all machines, an industry where nothing is networked and one where
    everything is.
    """
    chance = random.Random(seed)
    codes = [str(1300 + 111 * at) for at in range(industries)]
    made = [_ordinary(chance, at, codes[: industries - 3]) for at in range(enterprises)]
    made += [
        Tally("alone", "330802", codes[1], chance.randint(0, 9), 9),
        Tally("only", "330822", codes[-1], 3, 7),
        Tally("pair-1", "330824", codes[-2], 4, 6),
        Tally("pair-2", "330824", codes[-2], 0, 5),
        Tally("dominant", "330825", codes[0], 250, 400),
        *(
            Tally(f"silent-{at}", COUNTIES[1 + at % 4], codes[-3], 0, chance.randint(1, 12))
            for at in range(6)
        ),
    ]
    return made


def _ordinary(chance: random.Random, at: int, codes: Sequence[str]) -> Tally:
    equipment = max(1, int(chance.lognormvariate(2.2, 1.0)))
    share = chance.choice((0.0, 0.3, 0.5, 0.8, 1.0))
    industry = chance.choice(codes)
    networked = sum(chance.random() < share for _ in range(equipment))
    return Tally(f"e{at:05}", chance.choice(COUNTIES[1:]), industry, networked, equipment)


def next_month(seed: int, table: Sequence[Tally]) -> list[Tally]:
    """A month later: most stand still, some grow, a few go, a few come."""
    chance = random.Random(seed)
    kept = [one for one in table if chance.random() > 0.03]
    grown = [_grown(chance, one) if chance.random() < 0.2 else one for one in kept]
    come = [
        replace(chance.choice(kept), uscc=f"new-{seed}-{at}") for at in range(chance.randint(0, 6))
    ]
    return [*grown, *come]


def _grown(chance: random.Random, one: Tally) -> Tally:
    equipment = one.equipment + chance.randint(0, 3)
    return replace(one, equipment=equipment, networked=chance.randint(0, equipment))
