"""In which order tables take their places: parents before those that inherit, children before
those that roll up. Circles are refused."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from connector.journey.model import Edge, RollUp, TableSpec
from connector.journey.scope import BASE_TASK


class InheritanceCycleError(ValueError):
    """Tables that inherit from each other; `tables` is the circle."""

    def __init__(self, tables: tuple[str, ...]) -> None:
        self.tables = tables
        super().__init__(" → ".join(tables))


def order_of_tables(
    tables: Mapping[str, TableSpec], edges: Iterable[Edge], roll_ups: Iterable[RollUp]
) -> list[str]:
    """The tables, each after those that it takes its place from. Raises InheritanceCycleError."""
    graph: dict[str, set[str]] = {name: set() for name in tables}
    for edge in edges:
        graph.setdefault(edge.table, set()).update(parents_of(edge, tables))
    for one in roll_ups:
        graph.setdefault(one.table, set()).add(one.child)
    sorter = TopologicalSorter({name: sorted(graph[name]) for name in graph})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise InheritanceCycleError(tuple(error.args[1])) from error


def parents_of(edge: Edge, tables: Mapping[str, TableSpec]) -> list[str]:
    """The tables that an edge may lead to: `task` stands for every task table."""
    if edge.parent != BASE_TASK:
        return [edge.parent]
    return [name for name, spec in tables.items() if spec.is_task]
