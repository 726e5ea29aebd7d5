"""Does with pyhandle what each line of the input asks for, and says what came of it, in JSON.

The first line names the server, the user and the password; each further one is
``[method, arguments, keyword arguments]``.
"""

import json
import sys

from pyhandle.handleclient import PyHandleClient


def main() -> None:
    """Answer each line by one."""
    url, user, password, prefix = json.loads(sys.stdin.readline())
    client = PyHandleClient("rest").instantiate_with_username_and_password(
        url, user, password, handleowner=user, HTTPS_verify=False, prefix=prefix
    )
    for line in sys.stdin:
        method, arguments, named = json.loads(line)
        try:
            said = {"said": getattr(client, method)(*arguments, **named)}
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            said = {"error": type(error).__name__, "message": str(error)}
        sys.stdout.write(json.dumps(said, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
