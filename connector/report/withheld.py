"""Which figures a report of a part of the organisation keeps from sight.

One read a population gives its atoms and the people behind every figure (`populations.py`); what
these give away decides `protect.py`.
"""

from connector.report.population import Population, Seen
from connector.report.populations import populations
from connector.report.protect import Cell, Family, Group, protect
from connector.report.source import Source


def hidden_cells(source: Source, seen: Seen, minimum: int) -> frozenset[Cell]:
    """Every cell that a report of this source keeps from sight, whichever chapters it has."""
    found: set[Cell] = set()
    for population in populations(source, seen):
        found |= _hidden(source, population, minimum)
    return frozenset(found)


def _hidden(source: Source, population: Population, minimum: int) -> frozenset[Cell]:
    """Its atoms, the people behind each figure, and then what these give away."""
    names = ", ".join(population.attributes)
    # Kept, and asked family by family: all at once would need many times the memory.
    source.keep("population", f"SELECT DISTINCT {names}, person FROM ({population.sql})",
                **population.params)  # fmt: skip
    people: dict[Cell, Group] = {}
    for family in population.families:
        for row in source.store.read(_people_sql(family), minimum=minimum):
            cell = family.cell_of(row)
            if cell is not None:
                few = frozenset(one for one in row["few"] or () if one is not None)
                people[cell] = Group(row["people"], few)
    atoms = source.store.read(f"SELECT DISTINCT {names} FROM population")
    return protect(atoms, population.families, people, minimum)


def _people_sql(family: Family) -> str:
    names = "".join(f"{name}, " for name in family.attributes)
    return (
        f"SELECT {names}count(DISTINCT person) AS people,"
        " CASE WHEN count(DISTINCT person) < $minimum THEN list(DISTINCT person) END AS few"
        " FROM population GROUP BY ALL"
    )
