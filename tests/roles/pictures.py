"""``python -m tests.roles.pictures FOLDER``: the pictures of docs/roles.md, taken anew."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.roles.city import demonstration
from tests.roles.days import DAYS
from tests.roles.walk import HEIGHT, WIDTH, Walk
from tests.support.chromium import BROWSER, chromium


async def _take(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        async with demonstration(Path(name) / "city") as base, chromium() as page:
            await page.viewport(WIDTH, HEIGHT)
            for language in ("zh", "en"):
                for role, day in DAYS.items():
                    walk = Walk(page, base, language, role, folder)
                    await walk.enter()
                    await day(walk)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_take(target))
    finally:
        BROWSER.close()
