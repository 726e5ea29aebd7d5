"""The live view of a machine, filled up from the store where this process has heard nothing.

After a restart values are there before the gateway sends again; and a worker shows machines whose
gateways another worker hears.
"""

from gateway.city.ledger.names import MachineName
from gateway.city.live.view import Live, MachineLive
from gateway.city.stores.api import Store, StoreError
from gateway.core.days import MAX_AHEAD_MS


async def machine_now(
    live: Live, store: Store, machine: MachineName, now_ms: int
) -> MachineLive | None:
    """One machine with its newest values; None if no gateway ever named it.

    Args:
        live: what was heard.
        store: asked for the rest; while it is away the rest is missing.
        machine: USCC, site and asset number.
        now_ms: the present, UTC milliseconds.
    """
    try:
        for series in live.unheard(machine):
            live.recall(series, await store.latest(series), now_ms + MAX_AHEAD_MS)
    except StoreError:
        pass  # the health page says what is wrong with the store
    return live.machine(*machine)
