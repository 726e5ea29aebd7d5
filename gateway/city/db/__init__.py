"""The relational database: tables, migrations, connections."""
