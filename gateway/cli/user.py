"""Who runs a command."""

import os


def system_user() -> str:
    """Who runs this command, by the system's word: not by a variable that anybody may set."""
    try:
        import pwd

        name = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    behind = os.environ.get("SUDO_USER", "") if name == "root" else ""
    return f"{name} ({behind})" if behind else name
