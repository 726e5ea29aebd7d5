"""Not broken: what the broken drivers are made of."""

from qulink_acme import driver
from qulink_acme.config import endpoint

from gateway.drivers.api import DriverError, RefusedError


class Sound(driver.AcmeDriver):
    """A counter that is right; one of number 13 wants no visitors."""

    refusal: type[DriverError] = RefusedError

    async def connect(self) -> None:
        if self._connection.unit == 13:
            raise self.refusal(f"counter 13 at {endpoint(self._connection)} refuses")
        await super().connect()
