"""ClickHouse in this process (chdb) behind the part of its HTTP interface that the city uses.

Arguments: a folder, and the password of the user ``default``. Prints the port it listens on.
Statements go to ClickHouse as they came, but for two things that it has no other way for in a
process: rows of an INSERT are read from a file, and settings stand behind a statement.
"""

import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session

FOLDER, PASSWORD = Path(sys.argv[1]), sys.argv[2]
SESSION = Session(str(FOLDER))
DATABASES = {"qulink"}
SESSION.query("SET max_threads = 1")
SESSION.query("CREATE DATABASE IF NOT EXISTS qulink")
ALONE = threading.Lock()
CODE = re.compile(r"Code: (\d+)")
AUTHENTICATION_FAILED, UNKNOWN_DATABASE = "516", "81"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        params = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        database = self.headers["X-ClickHouse-Database"]
        if self.headers.get("X-ClickHouse-Key", "") != PASSWORD:
            return self.refuse(AUTHENTICATION_FAILED, 'Authentication failed: "default"')
        if database not in DATABASES:
            return self.refuse(UNKNOWN_DATABASE, f"Database {database} does not exist")
        try:
            with ALONE:
                SESSION.query(f"USE {database}")
                said = self.run(params, body)
            self.answer(200, said)
        except Exception as error:  # noqa: BLE001 - said to who asks
            found = CODE.search(str(error))
            self.refuse(found[1] if found else "", str(error))

    def run(self, params, body):
        if "query" not in params:
            text, size = body.decode(), params.get("max_query_size")
            longer = f" SETTINGS max_query_size = {size}" if size else ""
            return SESSION.query(text + longer, params["default_format"]).bytes()
        with tempfile.NamedTemporaryFile(dir=FOLDER.parent) as rows:
            rows.write(body)
            rows.flush()
            insert = params["query"].replace(" FORMAT ", f" FROM INFILE '{rows.name}' FORMAT ")
            return SESSION.query(insert).bytes()

    def refuse(self, code, words):
        self.answer(500, words.encode(), {"X-ClickHouse-Exception-Code": code})

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)  # noqa: T201
server.serve_forever()
