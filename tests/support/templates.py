"""Templates of consoles, compiled once a test process: hundreds of tests make a console each."""

from collections.abc import Hashable
from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """What was compiled, for the same language, filters, file and text of it.

    What a filter makes of a constant is part of the code, hence language and filters.
    """

    def __init__(self) -> None:
        self._code: dict[Hashable, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[_key(bucket)] = bucket.code


def _key(bucket: Bucket) -> Hashable:
    environment = bucket.environment
    language = environment.globals["lang"]
    return language, frozenset(environment.filters), bucket.key, bucket.checksum
