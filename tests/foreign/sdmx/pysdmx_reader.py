"""Reads a structure and data with pysdmx, which checks the structure by the schema of SDMX-JSON.

Says in JSON what it understood, and which lines name a code that no list has.
"""

import json
import sys
from pathlib import Path

from pysdmx.io import get_datasets

(found,) = get_datasets(Path(sys.argv[1]), Path(sys.argv[2]))
components = list(found.structure.components)
unknown = [
    [one.id, value]
    for one in components
    if one.local_codes is not None
    for value in sorted(set(found.data[one.id]) - {code.id for code in one.local_codes})
]
sys.stdout.write(
    json.dumps(
        {
            "columns": [one.id for one in components],
            "unknown": unknown,
            "rows": found.data.to_dict(orient="records"),
        }
    )
)
