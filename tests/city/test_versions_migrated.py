"""A city that was in use before the ledger had versions keeps all it has."""

from alembic import command
from sqlalchemy import text

from gateway.city.db.upgrade import CITY, upgrade
from gateway.relational.database import Database
from gateway.relational.migrating import alembic_config
from tests.support.city_db import USCCS, drop_all

KEPT = {
    "equipment": "SELECT id, uscc, asset_no, import_id, replaced_by FROM equipment ORDER BY id",
    "equipment_status": "SELECT equipment_id, status, import_id FROM equipment_status ORDER BY 1",
    "identifier": "SELECT equipment_id, handle FROM identifier",
    "identifier_review": "SELECT equipment_id, since_ms FROM identifier_review",
    "identifier_outbox": "SELECT id, equipment_id, claims FROM identifier_outbox",
}
_OF = f"'{USCCS[0]}', '1'"
_SORT = "'磨床', 'production', '0', '0'"
FILL = f"""
INSERT INTO enterprise (uscc, name, county, industry, above_scale)
    VALUES ('{USCCS[0]}', '甲', '330822', '3451', '1');
INSERT INTO machine (id, named_ms) VALUES (1, 0), (2, 0);
INSERT INTO ledger_import (id, begun_ms, finished) VALUES (5, 0, '0');
INSERT INTO equipment (id, uscc, site_no, asset_no, name, equipment_class, key_equipment, digital,
    import_id) VALUES (1, {_OF}, 'A1', {_SORT}, NULL), (2, {_OF}, 'A2', {_SORT}, 5);
INSERT INTO equipment_status VALUES (1, '2020-01-01', 'in_use'), (2, '2020-01-01', 'idle');
INSERT INTO identifier (equipment_id, handle, handle_key, issued_ms) VALUES (1, 'h', 'H', 0);
INSERT INTO identifier_review (equipment_id, since_ms) VALUES (1, 7);
INSERT INTO identifier_outbox (id, equipment_id, operation, state, attempts, next_attempt_ms,
    claims) VALUES (3, 1, 'register', 'done', 1, 0, 4)
"""


def test_machines_statuses_and_identifiers_stay(database: Database) -> None:
    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        command.upgrade(alembic_config(connection, CITY), "city9")
        for statement in FILL.split(";"):
            connection.execute(text(statement))
    upgrade(database)
    with database.engine.connect() as connection:
        held = {table: connection.execute(text(query)).all() for table, query in KEPT.items()}
    assert held == {
        # the second is of an import that had not ended
        "equipment": [(1, USCCS[0], "A1", 0, None), (2, USCCS[0], "A2", 5, None)],
        "equipment_status": [(1, "in_use", 0), (2, "idle", 0)],
        "identifier": [(1, "h")],
        "identifier_review": [(1, 7)],
        "identifier_outbox": [(3, 1, 4)],
    }
