"""From a configured device to one that runs: compiled, reached, shown, with its past."""

from collections.abc import Mapping

from edge_config.loading.resolved import LoadedGateway, ResolvedDevice
from gateway.drivers.spec import DriverSpec
from gateway.edge.device.bookkeeping.ticks import Past
from gateway.edge.device.fleet import Successor
from gateway.edge.device.links import Links
from gateway.edge.device.model import DeviceModel, ModelCompiler
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.device.surroundings import Surroundings
from gateway.edge.live.view import DeviceRecord


class Preparation:
    """Makes runtimes from configured devices."""

    def __init__(
        self, loaded: LoadedGateway, specs: Mapping[str, DriverSpec], shared: Surroundings
    ) -> None:
        self._compiler = ModelCompiler(loaded.config.gateway)
        self._links = Links(specs, shared.live)
        self._specs = specs
        self._shared = shared

    def __call__(self, resolved: ResolvedDevice) -> Successor:
        """Compile a device; what is returned makes its runtime."""
        spec = self._specs[resolved.config.driver]
        model = self._compiler.compile(resolved, spec)

        def runtime(past: Past) -> DeviceRuntime:
            record = _record(model, spec)
            self._shared.live.add_device(record)
            return DeviceRuntime(model, self._links.join(resolved), past, self._shared, record)

        return runtime

    def release(self, device: str) -> None:
        """Free what a device had that is taken out: its place on a link and in time."""
        self._links.leave(device)
        self._compiler.remove(device)


def _record(model: DeviceModel, spec: DriverSpec) -> DeviceRecord:
    asset_no = model.config.asset_no
    profile = model.resolved.profile.name
    unit_name = spec.unit_name(model.resolved.connection)
    record = DeviceRecord(model.id, model.endpoint, spec.name, profile, asset_no, unit_name)
    for group in model.groups:
        record.add_group(group.schema)
    return record
