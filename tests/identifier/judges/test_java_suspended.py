"""What the protocol authors' client makes of a prefix that is suspended (handle-client 9.3.1)."""

import time

from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.data import write_site
from gateway.identifier.node.native.answering import Holdings, answer
from gateway.identifier.node.native.referring import Directory
from tests.identifier.irp.servers import answering, site_at
from tests.identifier.judges.test_java_client import HANDLE, Judge, judge

__all__ = ["judge"]


async def test_it_takes_no_suspended_prefix_for_absent(judge: Judge) -> None:
    """Nor does it go in circles: asked at the node, or for the prefix on its walk."""
    closed = Holdings(lambda _: None, lambda: Directory("88", b"", {"88.100.1": b""}))
    heard = list[bytes]()

    def suspending(request: bytes) -> bytes:
        heard.append(request)
        return answer(request, closed, int(time.time()))

    async with answering(suspending) as port:
        site = write_site(site_at(port))
        told = await judge.ask("resolve", handle=HANDLE, site=site, udp=False)
        walked = await judge.ask("resolve", handle=HANDLE, site=site, walk=True)
    assert (told["responseCode"], told["kind"]) == (Rc.NOT_RESPONSIBLE, "ErrorResponse")
    assert "is suspended" in walked["error"]
    assert len(heard) < 10  # 3 were seen; a datagram may be sent again
