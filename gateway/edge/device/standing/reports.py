"""What the log says of a device: a line when it is lost, one a further cause, one when it is back.

A loss often changes its cause while it lasts: the switch is back, and now the server does not
trust our certificate. Whoever reads the log must see the one that keeps the device away.
"""

import logging
import re
from collections.abc import Sequence

from gateway.core.status import Reason
from gateway.drivers.extras import Notice
from gateway.edge.device.model import DeviceModel
from gateway.retry import SOUND_S

_log = logging.getLogger(__name__)

MOST_CAUSES = 8
"""Different causes of one loss that are logged: a device can put anything into its words."""

_CHANGING = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]+\b|\d+")
"""Numbers, and bytes in hexadecimal digits. Words can be long: each is looked at a few times, not
once for each of its letters."""


class Reports:
    """The log lines of one device; times are of a clock that never steps, seconds.

    Args:
        device: named in the lines.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device
        self._lost_s: float | None = None
        self._up_s: float | None = None
        self._is_shaky = False
        self._is_bug_logged = False
        self._failures = 0
        self._remarks: set[str] = set()
        self._standing: dict[str, str] = {}  # what loses values now: words by key
        self._said: set[tuple[Reason, str]] = set()  # causes of this loss, without their numbers

    def lost(self, cause: Reason, detail: str, now_s: float) -> None:
        """The connection is lost, or an attempt has failed; each cause of a loss is said once."""
        self._failures += 1
        if self._up_s is not None:
            self._is_shaky = now_s - self._up_s < SOUND_S
            self._up_s = None
        begins = self._lost_s is None
        if begins:
            self._lost_s = now_s
        # Ports, times, addresses and bytes differ at each attempt; the cause is the same.
        cause_said = cause, _CHANGING.sub("#", detail)
        if cause_said not in self._said and len(self._said) < MOST_CAUSES:
            self._said.add(cause_said)
            self._warn("lost" if begins else "still lost, now for another cause", cause, detail)

    def _warn(self, state: str, cause: Reason, detail: str) -> None:
        device = self._device
        _log.warning(
            "device %s at %s is %s (%s): %s", device.id, device.endpoint, state, cause.code, detail
        )

    def serves(self, now_s: float) -> None:
        """Values come; cheap while nothing changes."""
        if self._up_s is None:
            self._up_s = now_s
        if self._lost_s is None or (self._is_shaky and now_s - self._up_s < SOUND_S):
            return
        _log.info(
            "device %s at %s is back after %d failures in %.1f s",
            self._device.id,
            self._device.endpoint,
            self._failures,
            self._up_s - self._lost_s,
        )
        self._lost_s, self._failures = None, 0
        self._said.clear()
        self._is_shaky = self._is_bug_logged = False

    def remark(self, remark: str) -> None:
        """The driver says what is odd about the device, or was worked around; once each."""
        if remark not in self._remarks and len(self._remarks) < MOST_CAUSES:
            self._remarks.add(remark)
            _log.warning("device %s at %s: %s", self._device.id, self._device.endpoint, remark)

    def note(self, notices: Sequence[Notice]) -> None:
        """What stands of the device now: what loses values is logged when it begins and ends."""
        if not notices and not self._standing:
            return
        losses = {one.key: one.words for one in notices if one.is_loss}
        at = self._device.id, self._device.endpoint
        for key in losses.keys() - self._standing.keys():
            _log.warning("device %s at %s: %s", *at, losses[key])
        for key in self._standing.keys() - losses.keys():
            _log.info("device %s at %s: no longer: %s", *at, self._standing[key])
        self._standing = losses

    def bug(self, error: Exception) -> None:
        """The driver raised what a driver should not."""
        if not self._is_bug_logged:
            self._is_bug_logged = True
            _log.error(
                "device %s: its driver %s has a bug; the device is tried again later",
                self._device.id,
                self._device.config.driver,
                exc_info=error,
            )

    def unclosed(self) -> None:
        """The driver did not close in time."""
        if self._lost_s is None:
            _log.warning("device %s: its driver did not close in time", self._device.id)
