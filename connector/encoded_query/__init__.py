"""ServiceNow encoded queries: text → tree → one SQL expression. Knows nothing of the rest.

Used by the mapping's rules and by the sandbox, so one text means the same in both. Emits sqlglot
trees that mean the same in DuckDB, SQLite (after `register_sqlite`) and Spark. What an operator
means is written once, in `semantics.py`, and published in docs/mappings.md.

Refuses, with a position, whatever it cannot honour: joins, related-list queries, trend operators,
and every `javascript:` that is not on the whitelist of `moments.py`.
"""

from connector.encoded_query.model import (
    Branch,
    Column,
    Condition,
    Context,
    EncodedQueryError,
    FieldType,
    Order,
    Query,
    Resolver,
    field_type,
)
from connector.encoded_query.parse import and_to_every_branch, parse
from connector.encoded_query.semantics import (
    SemanticsRow,
    semantics_markdown,
    semantics_rows,
)
from connector.encoded_query.sql import order_by, to_sql
from connector.encoded_query.sqlite import register_sqlite

__all__ = [
    "Branch",
    "Column",
    "Condition",
    "Context",
    "EncodedQueryError",
    "FieldType",
    "Order",
    "Query",
    "Resolver",
    "SemanticsRow",
    "and_to_every_branch",
    "field_type",
    "order_by",
    "parse",
    "register_sqlite",
    "semantics_markdown",
    "semantics_rows",
    "to_sql",
]
