"""A Modbus TCP server for tests, as a process: every read of holding registers counts upwards."""

import asyncio
import struct
import sys

REQUEST = struct.Struct(">HHHBBHH")
ANSWER = struct.Struct(">HHHBBB")


class Machine(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""
        self.count = 0

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while len(self.waiting) >= REQUEST.size:
            request, self.waiting = self.waiting[: REQUEST.size], self.waiting[REQUEST.size :]
            transaction, _, _, unit, function, _, count = REQUEST.unpack(request)
            self.count = (self.count + 1) % 60_000
            head = ANSWER.pack(transaction, 0, 3 + 2 * count, unit, function, 2 * count)
            values = [(self.count + at) % 65_536 for at in range(count)]
            self.transport.write(head + struct.pack(f">{count}H", *values))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Machine, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
