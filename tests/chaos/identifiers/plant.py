"""A city and the node where it registers, as processes; what is done to them, and what they say."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Select, select, update

from edge_config.loading.load import load_node
from gateway.city.db.schema.identifiers import identifier, identifier_outbox
from gateway.city.db.tables import equipment
from gateway.city.identifiers.issued import FILE
from gateway.city.identifiers.review import withdrawn
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.withdrawal import withdraw_machine
from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.embedded import settle
from gateway.identifier.node.program import database_of
from gateway.identifier.visibility import EQUIPMENT
from gateway.relational.database import Database
from tests.chaos.identifiers.judge import WITHDRAWN, Told
from tests.chaos.parts import Part
from tests.support.city import city_file
from tests.support.city_db import USCCS, sqlite_city
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

PREFIX, USCC = "88.999", USCCS[0]
LOGIN = NodeCredentials("city", "a secret of sufficient length")
WORKED_OFF_S = 120.0
"""So long after the last kill, on a busy machine, everything must be registered."""
_ENTERPRISE = f"""统一社会信用代码,企业名称,县（市、区）,行业代码,规上,标识企业代码
{USCC},常山虚构轴承有限公司,常山县,3451,是,QZ01
"""
_HEAD = "统一社会信用代码,资产编号,设备名称,设备类别,状态,型号\n"
_DATABASE = ("city.db", "city.db-wal")


class Plant:
    """The processes and the ledger.

    Attributes:
        city, node: processes; of the embedded node the city is both.
        database: the city's, as commands at its side use it.
    """

    def __init__(self, folder: Path, *, is_embedded: bool) -> None:
        self.folder, self.data, self.copy = folder, folder / "city", folder / "copy"
        self.data.mkdir()
        self.native, self.http = free_port(), free_port()
        self.database = self._open()
        node = self._embedded() if is_embedded else self._attached()
        broker = f"127.0.0.1:{free_port()}"  # where nobody is: values are not what this is about
        naming = {"prefix": PREFIX, "review_hours": 0, "batch": 5, "timeout_ms": 5_000}
        config = city_file(folder, broker, data_dir=str(self.data), identifier=naming, node=node)
        self.city = Part("city", [sys.executable, "-m", "gateway", "city", str(config)], folder)
        self.node = self.city
        self.records = self.data / "node.db"
        if not is_embedded:
            command = [sys.executable, "-m", "gateway", "node", str(folder / "node.yaml")]
            self.node = Part("node", command, folder)
            self.records = folder / "node" / "node.db"

    def _open(self) -> Database:
        return sqlite_city(self.data)

    def _embedded(self) -> dict[str, object]:
        own = {"listen": f"127.0.0.1:{self.http}", "native_listen": f"127.0.0.1:{self.native}"}
        return {"type": "embedded", **own}

    def _attached(self) -> dict[str, object]:
        """Configure a node of its own, at which the city is a user; how the city attaches."""
        (self.folder / "node").mkdir()
        file = self.folder / "node.yaml"
        document = self._embedded() | {"prefix": PREFIX, "data_dir": str(self.folder / "node")}
        document |= {"visibility": {kind: who.value for kind, who in EQUIPMENT.items()}}
        document |= {"limits": {"requests_per_minute": 1_000_000}}
        del document["type"]
        file.write_text(yaml.safe_dump(document))
        with closing(database_of(load_node(file))) as database:
            database.run_now(settle, LOGIN, PREFIX, time.time_ns() // 1_000_000)
        secret = self.folder / "secret"
        secret.write_text(LOGIN.secret)
        secret.chmod(0o600)
        own = {"url": f"http://127.0.0.1:{self.http}", "password": {"file": str(secret)}}
        return {"type": "snms", "username": LOGIN.username, **own}

    async def start(self) -> None:
        """Start what does not run, and wait until the node answers."""
        self.node.start()
        self.city.start()
        await asyncio.to_thread(wait_for_port, self.native)

    def clean_up(self) -> None:
        """End the processes."""
        self.database.close()
        for part in (self.city, self.node):
            part.clean_up()

    # -- what people do -------------------------------------------------------------------

    def load(self, machines: Mapping[str, str]) -> None:
        """Import machines, each with its model; those that are there already are changed."""
        files = self.folder / "enterprises.csv", self.folder / "machines.csv"
        rows = [f"{USCC},{one},磨床,生产设备,在用,{model}\n" for one, model in machines.items()]
        for file, text in zip(files, (_ENTERPRISE, _HEAD + "".join(rows)), strict=True):
            file.write_text(text, encoding="utf-8")
        import_ledger(self.database, files, time.time_ns() // 1_000_000)

    def withdraw(self, machine: str) -> None:
        """Take a row back."""
        name, now_ms = MachineName(USCC, "1", machine), time.time_ns() // 1_000_000
        self.database.run_now(withdraw_machine, name, "录入两次", now_ms)

    def take_copy(self) -> None:
        """Copy the city's database, not the file of what was issued; nothing runs."""
        self.database.close()
        shutil.rmtree(self.copy, ignore_errors=True)
        self.copy.mkdir()
        for name in _DATABASE:
            if (self.data / name).exists():
                shutil.copy2(self.data / name, self.copy)
        self.database = self._open()

    def restore(self) -> None:
        """Put the copy back. Nothing runs."""
        self.database.close()
        for name in (*_DATABASE, "city.db-shm"):
            (self.data / name).unlink(missing_ok=True)
        for name in _DATABASE:
            if (self.copy / name).exists():
                shutil.copy2(self.copy / name, self.data)
        self.database = self._open()

    def pass_time(self) -> None:
        """Two minutes go by, after which a claim of a worker that was killed is nobody's."""
        query = update(identifier_outbox).where(identifier_outbox.c.state == "unknown")
        self.database.run_now(lambda c: c.execute(query.values(next_attempt_ms=0)))

    # -- what is seen ---------------------------------------------------------------------

    def confirmed(self) -> dict[str, str]:
        """By machine, the identifier that is shown."""
        joined = equipment.join(identifier, identifier.c.equipment_id == equipment.c.id)
        query: Select[Any] = select(equipment.c.asset_no, identifier.c.handle)
        query = query.select_from(joined).where(identifier.c.registered_ms.is_not(None))
        return self.database.run_now(lambda c: {row[0]: row[1] for row in c.execute(query)})

    def is_worked_off(self) -> bool:
        """Whether the node has been told of every machine.

        Not of those that are withdrawn and never had an identifier; who had one by the file of
        what was issued has an entry, whatever the database has forgotten.
        """
        box = identifier_outbox.c
        rows: Select[Any] = select(equipment.c.asset_no, withdrawn(), box.state).outerjoin(
            identifier_outbox, box.equipment_id == equipment.c.id
        )
        found = self.database.run_now(lambda c: c.execute(rows).all())
        issued = self._issued()
        return all(
            state == "done" or (state is None and is_withdrawn and _key(machine) not in issued)
            for machine, is_withdrawn, state in found
        )

    def _issued(self) -> set[str]:
        file = self.data / FILE
        if not file.exists():
            return set()
        with closing(sqlite3.connect(file)) as issued:
            return {row[0] for row in issued.execute("SELECT asset_key FROM issued")}

    async def worked_off(self) -> None:
        """Wait until the node has been told everything.

        Raises:
            TimeoutError: it has not, in time.
        """

        async def is_done() -> bool:
            await asyncio.sleep(0.1)
            return await asyncio.to_thread(self.is_worked_off)

        await until(is_done, WORKED_OFF_S)

    def told(self) -> dict[str, Told]:
        """Of all identifiers of node and city, what a stranger is told natively."""
        with closing(sqlite3.connect(f"file:{self.records}?mode=ro", uri=True)) as records:
            handles = {row[0] for row in records.execute("SELECT handle FROM record")}
        handles |= set(self.confirmed().values())
        asked = [sys.executable, "-m", "gateway", "id", "resolve", "-", "--json"]
        done = subprocess.run(
            [*asked, "--at", f"127.0.0.1:{self.native}", "--timeout-ms", "30000"],
            input="\n".join(sorted(handles)).encode(),
            capture_output=True,
            timeout=300,
            check=False,  # 1: some are told to nobody
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        told = {one["text"]: _told(one) for one in answers}
        if told.keys() != handles:
            raise RuntimeError(f"not all identifiers were asked for: {done.stderr.decode()}")
        return told


def _key(machine: str) -> str:
    return MachineName(USCC, "1", machine).key.asset_no


def _told(answer: dict[str, object]) -> Told:
    if answer["outcome"] not in ("found", "not found"):
        raise RuntimeError(f"the node does not answer: {answer}")
    values = answer["items"]
    assert isinstance(values, list)
    texts = {one["type"]: one["text"] for one in values}
    return Told(texts.get("assetNo", ""), texts.get("runStatus") == WITHDRAWN)
