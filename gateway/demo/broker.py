"""The demonstration's MQTT broker: amqtt on loopback, with the same access rules as deploy/.

Run as ``python -m gateway.demo.broker RULES``. Nothing depends on its durability; a real
installation runs mosquitto, EMQX or another broker instead.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.plugins.base import BaseTopicPlugin
from amqtt.session import Session
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.wire.topics import ack_topic, command_topic, frame_topic, reply_topic, state_topic


class Rules(msgspec.Struct):
    """Who may connect, and where to listen.

    Attributes:
        port: TCP port on loopback.
        password_file: lines ``user:argon2-hash``.
        city: the city's user; every other user is a gateway.
    """

    port: int
    password_file: str
    city: str


def write_rules(folder: Path, port: int, city: str, passwords: dict[str, str]) -> Path:
    """Write the rules and the password file; returns the file to start the broker with.

    Args:
        folder: where the files go; readable by the owner only.
        port: TCP port on loopback.
        city: the city's MQTT user.
        passwords: password of every user, the city's included.
    """
    # As cheap as it gets: a dozen passwords of a run, each as strong as a key.
    hasher = Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1)
    password_file = folder / "broker-passwords"
    password_file.write_text(
        "".join(f"{user}:{hasher.hash(password)}\n" for user, password in passwords.items())
    )
    password_file.chmod(0o600)
    rules = folder / "broker.json"
    rules.write_bytes(msgspec.json.encode(Rules(port, str(password_file), city)))
    return rules


class OwnTopicsPlugin(BaseTopicPlugin):
    """A gateway uses its own topics only; the city hears all of them and answers."""

    @dataclass
    class Config:
        """Settings of the plugin: the city's MQTT user."""

        city: str = "city"

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Whether this user may do this on this topic."""
        user = (session and session.username) or ""
        if user == self.config.city:
            return True
        own = _downlinks(user) if action == Action.SUBSCRIBE else _uplinks(user)
        # What a gateway receives it has subscribed, and that was checked.
        return action == Action.RECEIVE or topic in own


def _uplinks(gateway: str) -> tuple[str, ...]:
    return frame_topic(gateway), state_topic(gateway), reply_topic(gateway)


def _downlinks(gateway: str) -> tuple[str, ...]:
    return ack_topic(gateway), command_topic(gateway)


def broker_settings(rules: Rules) -> dict[str, object]:
    """The broker's configuration."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{rules.port}"}},
        "plugins": {
            "amqtt.plugins.authentication.FileAuthPlugin": {"password_file": rules.password_file},
            "gateway.demo.broker.OwnTopicsPlugin": {"city": rules.city},
        },
    }


async def serve(rules: Rules) -> None:
    """Run the broker until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = Broker(broker_settings(rules))
    await broker.start()
    await stop.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await broker.shutdown()


def main() -> None:
    """Entry point of ``python -m gateway.demo.broker RULES``."""
    logging.basicConfig(level=logging.ERROR)
    rules = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Rules)
    asyncio.run(serve(rules))


if __name__ == "__main__":
    main()
