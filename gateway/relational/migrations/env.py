"""What Alembic runs: it works on the connection that ``migrate`` hands it."""

from alembic import context

_handed = context.config.attributes


def _run() -> None:
    context.configure(
        connection=_handed["connection"],
        target_metadata=_handed["metadata"],
        render_as_batch=True,  # SQLite alters tables by copying them
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
