"""Whose relationships may be shown: groups of people large enough, small ones rolled up.

`party` numbers the relationships that may be shown, `member` says what is in them. Works on the
TEMP TABLEs of the ledger; people are counted here, and only the counts go on.
"""

from collections.abc import Collection, Sequence

from connector.store.database import Row, Store
from connector.store.records import list_columns, name

OWN_TABLE = "u_journey_engagement"

_ROW = "relationship_row"
"""The type of a row's sys_id: few rows, many records, so it is held as a number (see words.py)."""

_LARGE = ("tie", "ledger", "seen", "person", "day_sum", "scored", "no_evidence")
"""TEMP TABLEs with a row a record or more, which nobody asks once relationships are planned."""


def group(store: Store, minimum: int) -> None:
    """TEMP TABLE `party`: the relationships that may be shown, and `member`: what is in them; and
    `small_step`: the steps of those whose scores would rest on fewer people than that.

    One with fewer than `minimum` people goes up to the parent department, else the company, deepest
    first; where no way leads up it is left out (`too_small`). With `minimum` 0 all stay.
    """
    _learn_ways_up(store)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE climb AS SELECT relation, any_value(customer_table) AS"
        " customer_table, any_value(customer) AS customer, any_value(service_table) AS"
        " service_table, any_value(service) AS service, sum(records) AS records,"
        " sum(fallback) AS fallback FROM relation GROUP BY relation"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE person AS SELECT relation, person,"
        " bool_or(is_in_window) AS is_in_window FROM seen GROUP BY ALL"
    )
    deepest = store.value("SELECT coalesce(max(depth), 0) FROM way_up") if minimum else -1
    for depth in range(int(deepest), -1, -1):
        store.execute(
            "UPDATE climb SET customer_table = w.up_table, customer = w.up FROM ("
            "SELECT g.customer, g.service, coalesce(w.up_table, '') AS up_table, w.up"
            f" FROM ({_PEOPLE}) g LEFT JOIN way_up w ON w.customer = g.customer"
            " WHERE g.people < $minimum AND coalesce(w.depth, 0) = $depth) w"
            " WHERE climb.customer = w.customer AND climb.service = w.service",
            minimum=minimum,
            depth=depth,
        )
    store.execute(_PARTY.format(people=_PEOPLE), table=OWN_TABLE)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE member AS SELECT c.relation, p.no FROM climb c"
        " JOIN party p ON p.customer = c.customer AND p.service = c.service"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE small_step AS SELECT m.no, l.step FROM member m"
        " JOIN (SELECT DISTINCT relation, step FROM ledger) l USING (relation)"
        " LEFT JOIN seen s ON s.relation = l.relation AND s.step = l.step AND s.is_scored"
        " WHERE l.step IS NOT NULL GROUP BY ALL HAVING count(DISTINCT s.person) < $minimum",
        minimum=minimum,
    )


# Whoever came in the window; where nobody did, whoever came before: then nobody's word is weighed.
_PEOPLE = """
SELECT c.customer, c.service, CASE WHEN count(p.person) FILTER (p.is_in_window) > 0
    THEN count(DISTINCT p.person) FILTER (p.is_in_window)
    ELSE count(DISTINCT p.person) END AS people
FROM climb c LEFT JOIN person p USING (relation)
WHERE c.customer IS NOT NULL GROUP BY c.customer, c.service
"""

# A sys_id made of its name: the same relationship is the same row in the tool for ever.
_PARTY = """
CREATE OR REPLACE TEMP TABLE party AS
SELECT row_number() OVER (ORDER BY customer, service)::INTEGER AS no,
    md5(concat_ws(chr(10), 'travesia', $table::VARCHAR, customer, service)) AS sys_id, *,
    '' AS customer_name, '' AS service_name
FROM (
    SELECT customer, service, any_value(customer_table) AS customer_table,
        any_value(service_table) AS service_table, count(*) AS smaller,
        sum(records) AS records, sum(fallback) AS fallback
    FROM climb WHERE customer IS NOT NULL GROUP BY customer, service
) JOIN ({people}) USING (customer, service)
"""


def _learn_ways_up(store: Store) -> None:
    """TEMP TABLE `way_up`: a department's parent, else its company; and how deep it lies."""
    columns = list_columns(store, "cmn_department")
    if not columns:
        store.execute(
            "CREATE OR REPLACE TEMP TABLE way_up"
            " (customer VARCHAR, up_table VARCHAR, up VARCHAR, depth INTEGER)"
        )
        return
    parent = "nullif(parent, '')" if "parent" in columns else "NULL::VARCHAR"
    company = "nullif(company, '')" if "company" in columns else "NULL::VARCHAR"
    store.execute(
        "CREATE OR REPLACE TEMP TABLE way_up AS WITH RECURSIVE department AS ("
        f" SELECT sys_id, {parent} AS parent, {company} AS company FROM current.cmn_department"
        "), deep AS ("
        " SELECT d.sys_id, 1 AS depth FROM department d"
        " WHERE d.parent IS NULL OR d.parent NOT IN (SELECT sys_id FROM department)"
        " UNION ALL SELECT d.sys_id, p.depth + 1 FROM department d JOIN deep p"
        " ON d.parent = p.sys_id WHERE p.depth < 20)"
        # A department that is its own ancestor has no depth: it goes straight to its company.
        " SELECT d.sys_id AS customer, CASE WHEN x.depth > 1 THEN 'cmn_department'"
        " WHEN d.company IS NOT NULL THEN 'core_company' END AS up_table,"
        " CASE WHEN x.depth > 1 THEN d.parent ELSE d.company END AS up,"
        " coalesce(x.depth, 1) AS depth FROM department d LEFT JOIN deep x USING (sys_id)"
    )


def name_parties(store: Store) -> None:
    """Give the parties the names of their customers and services, where these are known."""
    for what in ("customer", "service"):
        tables = store.read(
            f"SELECT DISTINCT {what}_table AS t FROM party WHERE {what}_table <> ''"
        )
        for row in tables:
            if "name" in list_columns(store, row["t"]):
                store.execute(
                    f"UPDATE party SET {what}_name = coalesce(r.name, '')"
                    f" FROM current.{name(row['t'])} r"
                    f" WHERE party.{what} = r.sys_id AND party.{what}_table = $table",
                    table=row["t"],
                )
        store.execute(
            f"UPDATE party SET {what}_name = {what} WHERE {what}_table = '' AND {what} <> ''"
        )


def left_out(store: Store) -> Row:
    """How much is in no relationship that may be shown: too small ones, and nobody's records."""
    return store.read(
        "SELECT (SELECT count(DISTINCT (relation)) FROM climb WHERE customer IS NULL) AS too_small,"
        " (SELECT coalesce(sum(records), 0)::BIGINT FROM nobodys) AS nobodys"
    )[0]


# --- which relationship a record belongs to -------------------------------------------------------


def tie_records(
    store: Store, shown: Collection[str], followers: Sequence[tuple[str, str]] = ()
) -> None:
    """TEMP TABLE `tied`: sys_id of a record, and the row of its relationship (`relationship`).

    Only rows in `shown` are told of: those that are in the tool, or will be before the records are
    written. `followers` are tables that say nothing of a relationship themselves, each with the
    field that points to the record whose relationship is theirs. Asks the TEMP TABLEs of `group`.
    """
    store.execute("DROP TABLE IF EXISTS temp.tied")
    store.execute(f"DROP TYPE IF EXISTS {_ROW} CASCADE")
    rows = [{"sys_id": sys_id} for sys_id in sorted({"", *shown})]
    with store.given("shown_rows", rows, {"sys_id": "VARCHAR"}):
        store.execute(f"CREATE TEMP TYPE {_ROW} AS ENUM (SELECT sys_id FROM shown_rows ORDER BY 1)")
        store.execute(
            "CREATE TEMP TABLE tied AS SELECT t.sys_id, p.relationship"
            " FROM tie t JOIN member m USING (relation) JOIN (SELECT no,"
            f" TRY_CAST(sys_id AS {_ROW}) AS relationship FROM party) p ON p.no = m.no"
            " WHERE p.relationship IS NOT NULL"
        )
    for table, field in followers:
        if field in list_columns(store, table):
            store.execute(
                f"INSERT INTO tied SELECT f.sys_id, t.relationship FROM current.{name(table)} f"
                f" JOIN tied t ON t.sys_id = f.{name(field)}"
                " WHERE NOT EXISTS (SELECT 1 FROM tied o WHERE o.sys_id = f.sys_id)"
            )


def are_tied(store: Store) -> bool:
    """Whether `tie_records` was asked on this connection."""
    found = store.value("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'tied'")
    return bool(found)


def forget_ledger(store: Store) -> None:
    """Give back the memory of what relationships were computed from."""
    for table in _LARGE:
        store.execute(f"DROP TABLE IF EXISTS temp.{table}")
