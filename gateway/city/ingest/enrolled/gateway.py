"""One enrolled gateway in memory: identity, progress, schemas. Pure."""

from dataclasses import dataclass, field
from datetime import date

from edge_config.models.limits import MAX_GATEWAY_TAGS, MAX_SCHEMAS, MAX_TAGS
from gateway.city.evidence.samples import Origin
from gateway.city.evidence.uncounted import Span
from gateway.city.ingest.admission import Enrolment, objection
from gateway.city.ingest.enrolled.agreed import Agreed
from gateway.city.ingest.layout import Layout, layout_of
from gateway.city.ingest.limits import MAX_REFUSED, UNUSED_DAYS
from gateway.city.ingest.losses import Losses
from gateway.city.ingest.progress import Progress
from gateway.city.ledger.agreements.agreement import Terms
from gateway.core.schema import Schema


@dataclass(slots=True)
class Gateway:
    """One enrolled gateway.

    Attributes:
        enrolment: what the registry says.
        progress: finished frames by epoch (16 hex digits).
        schemas: schemas by id that the city holds, some refused ones included.
        layouts: how to cut the accepted ones.
        refused: why the others were refused, oldest first.
        tried_on: on which day those that found no room were last tried.
        used_on: on which day values of an accepted one last came, by the city's clock.
        tags: tags in the accepted ones.
        losses: when values of it were quarantined.
        uncounted: spans by epoch that were no evidence when it was read from the database.
        agreed: what of its values may be kept; None: no data agreement narrows it.
    """

    enrolment: Enrolment
    progress: dict[str, Progress] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)
    layouts: dict[int, Layout] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    tried_on: dict[int, date] = field(default_factory=dict)
    used_on: dict[int, date] = field(default_factory=dict)
    tags: int = 0
    losses: Losses = field(default_factory=Losses)
    uncounted: dict[str, Span | None] = field(default_factory=dict)
    agreed: Agreed | None = None

    def agree(self, terms: Terms | None) -> None:
        """Go by other terms from now on; None: nothing is narrowed."""
        if terms is None or self.agreed is None:
            self.agreed = None if terms is None else Agreed(terms)
        elif terms != self.agreed.terms:
            self.agreed = self.agreed.renewed(terms)

    def learn(self, schema: Schema, today: date) -> bool:
        """Take a schema; returns whether it is new and accepted.

        Args:
            schema: as the gateway sent it.
            today: counts as the last day of its use.
        """
        if schema.id in self.schemas:
            return False
        self.schemas[schema.id] = schema
        reason = objection(schema, self.enrolment)
        if reason is None and (reason := self._crowded(schema, today)) is not None:
            self.tried_on[schema.id] = today
        if reason is not None:
            self._refuse(schema, reason)
            return False
        self._accept(schema, today)
        return True

    def learn_again(self, schema: Schema, today: date) -> bool:
        """Try a refused schema that found no room once more, once a day.

        Others may have gone out of use since, and its gateway, which was told that the city has
        it, does not send it again.

        Returns:
            Whether it is accepted now.
        """
        if self.tried_on.get(schema.id, today) == today:
            return False
        self.tried_on[schema.id] = today
        if self._crowded(schema, today) is not None:
            return False
        del self.refused[schema.id], self.tried_on[schema.id]
        self._accept(schema, today)
        return True

    def _accept(self, schema: Schema, today: date) -> None:
        self.layouts[schema.id] = layout_of(self.enrolment.gateway, schema)
        self.used_on[schema.id] = today
        self.tags += len(schema.tags)

    def is_first_use(self, schema_id: int, today: date) -> bool:
        """Whether values of an accepted schema came for the first time on a day; notes it."""
        if self.used_on[schema_id] == today:
            return False
        self.used_on[schema_id] = today
        return True

    def _crowded(self, schema: Schema, today: date) -> str | None:
        """Why a schema finds no room, even where others are out of use; None if it finds some.

        Forgets the others only where it must. Nothing is lost by it: what comes into use again is
        asked for.
        """
        if self._full(schema) is None:
            return None
        for old in [one for one, day in self.used_on.items() if (today - day).days >= UNUSED_DAYS]:
            self.tags -= len(self.schemas.pop(old).tags)
            del self.layouts[old], self.used_on[old]
        return self._full(schema)

    def _full(self, more: Schema) -> str | None:
        if len(self.layouts) < MAX_SCHEMAS and self.tags + len(more.tags) <= MAX_GATEWAY_TAGS:
            return None
        return (
            f"gateway uses {len(self.layouts)} schemas with {self.tags} tags, and {MAX_SCHEMAS} "
            f"schemas with {MAX_GATEWAY_TAGS} tags are allowed; those of which nothing came for "
            f"{UNUSED_DAYS} days make room, or revoke it and enrol it again to begin anew"
        )

    def _refuse(self, schema: Schema, reason: str) -> None:
        """Remember why; a schema too large to hold, or an old one, will be asked for again."""
        self.refused[schema.id] = reason
        if len(schema.tags) > MAX_TAGS:
            del self.schemas[schema.id]
        if len(self.refused) > MAX_REFUSED:
            oldest = next(iter(self.refused))
            del self.refused[oldest]
            self.tried_on.pop(oldest, None)
            self.schemas.pop(oldest, None)

    def origin_of(self, device: str) -> Origin | None:
        """What a device is, as the accepted schema of it that came last says."""
        schemas = (layout.schema for layout in reversed(self.layouts.values()))
        newest = next((one for one in schemas if one.device == device), None)
        if newest is None:
            return None
        return Origin(self.enrolment.gateway, newest.source, newest.synthetic)

    def why_refused(self, schema_id: int) -> str:
        """Why values of a schema are not accepted."""
        return self.refused.get(schema_id, "its schema was refused")
