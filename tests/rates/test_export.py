"""Rate tables as files."""

import csv
import io
import json

from sqlalchemy import delete

from gateway.city.db.tables import evidence
from gateway.city.rates.reports.export import as_table, table_json
from gateway.relational.database import Database
from gateway.web.tables import DEMONSTRATION, csv_text
from tests.rates.test_report import fill_city, table
from tests.support.city_db import change_evidence


def test_json_and_csv_say_what_they_are(database: Database) -> None:
    database.run_now(fill_city)
    body = json.loads(json.dumps(table_json(table(database, demonstration=True))))
    assert body["city"] == {
        "key": "city",
        "name_zh": "全市",
        "name_en": "Whole city",
        "networked": 21,
        "equipment": 36,
        "enterprises": 5,
        "pooled": 58.33,
        "mean": 32.0,
        "statistics": {
            "p25": 20.0,
            "median": 25.0,
            "p75": 25.0,
            "enterprises_in_scope": 5,
            "ledgers_verified": 5,
            "coverage": 100.0,
            "enterprises_missing": 0,
            "undetermined": 0,
            "lower": 58.33,
            "upper": 58.33,
            "bounds_equipment": 36.0,
            "machine_days": 36 * 31,
            "days_of_rest": 36 * 13,
            "days_stopped": 0,
            "excused": 41.94,
            "days_said_late": 0,
        },
    }
    assert (body["demonstration"], body["data"]) == (True, DEMONSTRATION)
    file = csv_text(as_table(table(database)), demonstration=False)
    lines = list(csv.reader(io.StringIO(file)))
    assert lines[1][:8] == ["city", "全市", "Whole city", "21", "36", "5", "58.33", "32.00"]
    assert len(lines) == 5


def test_what_nobody_knows_is_empty_in_a_file_and_null_for_programs(database: Database) -> None:
    database.run_now(fill_city)
    database.run_now(change_evidence, delete(evidence))
    unknown = table(database)
    line = as_table(unknown).rows[0]
    assert (line["networked"], line["equipment"], line["pooled_percent"]) == (None, 36, None)
    assert table_json(unknown)["city"]["networked"] is None
