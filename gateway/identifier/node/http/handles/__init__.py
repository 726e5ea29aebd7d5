"""The JSON interface of Handle.Net's servers (8 and 9): ``/api/handles`` and ``/api/sessions``."""
