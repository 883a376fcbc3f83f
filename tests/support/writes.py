"""Whether anything was written: triggers that count every row, in the transaction that writes it."""

from sqlalchemy import text

from engine.db import Base, Database

# What may change although a request is refused or only reads: who looked, who was refused, who mistyped a password.
_LOGS = {"sign_in_failure"}
COUNT = text("SELECT total FROM counted_writes")


def count_writes(database: Database) -> None:
    """From now on `COUNT` answers how many rows were written, those of access streams and of failed sign-ins left out."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE counted_writes (total INTEGER)"))
        connection.execute(text("INSERT INTO counted_writes VALUES (0)"))
        if database.dialect == "postgresql":
            connection.execute(
                text(
                    "CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN UPDATE counted_writes SET total = total + 1; RETURN NULL; END $$"
                )
            )
        for table in Base.metadata.sorted_tables:
            for act in ("INSERT", "UPDATE", "DELETE") if table.name not in _LOGS else ():
                connection.execute(text(_trigger(database.dialect, table.name, act)))


def _trigger(dialect: str, table: str, act: str) -> str:
    column = {"event": "stream", "stream": "id"}.get(table)
    row = "OLD" if act == "DELETE" else "NEW"
    when = f"WHEN ({row}.{column} NOT LIKE 'access/%')" if column else ""
    if (table, act) == ("access_token", "UPDATE"):  # when a session was last used is noted now and then
        changed = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
        when = f"WHEN (OLD.revoked_at {changed} NEW.revoked_at OR OLD.expires_at {changed} NEW.expires_at)"
    if dialect == "postgresql":
        return f"CREATE TRIGGER count_{act} AFTER {act} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION count_write()"
    return (
        f"CREATE TRIGGER count_{table}_{act} AFTER {act} ON {table} FOR EACH ROW {when} "
        "BEGIN UPDATE counted_writes SET total = total + 1; END"
    )
