"""Hands plans what is known of their devices, and writes down what they learn."""

import asyncio
import logging
from collections.abc import Container
from pathlib import Path
from threading import Lock
from typing import Any, cast

from edge_config.loading.resolved import LoadedGateway
from gateway.drivers.api import Point
from gateway.drivers.extras import LearningDriver, LearningPlan
from gateway.durable import replace_file
from gateway.edge.device.knowledge.file import Known, encoded, read
from gateway.edge.device.knowledge.prints import fingerprint
from gateway.edge.device.model import DeviceModel, GroupModel

_log = logging.getLogger(__name__)

PERIOD_S = 5.0
"""What was learnt is written so soon. It changes while culprits are searched, and hardly then."""

CONNECTION = ""
"""Stands for a group where the connection itself taught something; no group has this name."""


def path_beside(buffer: Path) -> Path:
    """Where an edge keeps it: beside its buffer."""
    return buffer.with_name(buffer.name + ".learnt")


class KnowledgeKeeper:
    """What plans know of their devices, in memory and in a file.

    Knowledge belongs to a configuration: under another one – host, unit, an address – it is
    forgotten, also where the file came from a copy.

    Args:
        path: of the file.
        devices: ids of those that are configured; others are forgotten.
    """

    def __init__(self, path: Path, devices: Container[str]) -> None:
        self._path = path
        self._known = {one: known for one, known in self._read().items() if one in devices}
        # By identity of the points, which are held so that it stays theirs.
        self._prints: dict[int, tuple[tuple[Point, ...], str]] = {}
        self._plans: dict[str, dict[str, tuple[str, LearningPlan | LearningDriver]]] = {}
        self._written = encoded(self._known)
        self._is_failing = False
        self._lock = Lock()

    @classmethod
    def of(cls, loaded: LoadedGateway) -> "KnowledgeKeeper":
        """That of a configured edge."""
        devices = {device.config.id for device in loaded.devices}
        return cls(path_beside(loaded.config.buffer.path), devices)

    def _read(self) -> dict[str, dict[str, Known]]:
        try:
            return read(self._path)
        except (OSError, ValueError) as error:
            _log.warning(
                "cannot read what was learnt of devices (%s): %s; it is learnt anew",
                self._path,
                error,
            )
            return {}

    def adopt(self, model: DeviceModel, group: GroupModel, plan: Any) -> None:
        """Let a new plan go on with what is known, and keep what it learns from now on.

        Args:
            model: the device.
            group: what the plan reads of it.
            plan: any; one that learns nothing worth keeping is passed over.
        """
        if hasattr(plan, "recall"):
            config = model.config
            points = self._points_print(group.points)
            configured = fingerprint(config.driver, model.endpoint, config.connection, points)
            self._adopt(model.id, group.name, configured, plan)

    def adopt_driver(self, model: DeviceModel, driver: Any) -> None:
        """The same for a new driver, which may learn how to use its connection."""
        if hasattr(driver, "recall"):
            config = model.config
            configured = fingerprint(config.driver, model.endpoint, config.connection)
            self._adopt(model.id, CONNECTION, configured, driver)

    def _points_print(self, points: tuple[Point, ...]) -> str:
        """Of points that many devices share, computed once."""
        known = self._prints.get(id(points))
        if known is None:
            addresses = fingerprint([point.address for point in points])
            known = self._prints[id(points)] = points, addresses
        return known[1]

    def _adopt(self, device: str, group: str, configured: str, plan: Any) -> None:
        learning = cast("LearningPlan | LearningDriver", plan)
        known = self._known.get(device, {}).get(group)
        if known is not None and known.fingerprint == configured:
            try:
                learning.recall(known.knowledge)
            except ValueError as error:
                _log.warning("device %s: what was learnt of it is of no use: %s", device, error)
        self._plans.setdefault(device, {})[group] = configured, learning

    def forget(self, device: str) -> None:
        """Begin with a device as if it were new."""
        self._plans.pop(device, None)
        self._known.pop(device, None)

    async def run(self) -> None:
        """Write down what changes, until cancelled, and then what has changed last."""
        try:
            while True:
                await asyncio.sleep(PERIOD_S)
                content = self._content()
                if content != self._written:
                    await asyncio.to_thread(self._write, content)
        finally:
            self.save()

    def save(self) -> None:
        """Write down what has changed; blocks."""
        content = self._content()
        if content != self._written:
            self._write(content)

    def _content(self) -> bytes:
        for device, plans in self._plans.items():
            self._known[device] = {
                group: Known(configured, knowledge)
                for group, (configured, plan) in plans.items()
                if (knowledge := plan.knowledge) is not None
            }
        return encoded({device: known for device, known in self._known.items() if known})

    def _write(self, content: bytes) -> None:
        try:
            with self._lock:  # a cancelled run leaves its thread behind
                replace_file(self._path, content)
        except OSError as error:
            if not self._is_failing:
                _log.warning("cannot write what was learnt of devices: %s; tried again", error)
            self._is_failing = True
        else:
            if self._is_failing:
                _log.info("what was learnt of devices is written again")
            self._written, self._is_failing = content, False
