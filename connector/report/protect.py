"""Which figures of a publication are kept from sight, so that none of few people can be worked out.

A report shows the same records many times: by step, by step of the other journey, by touchpoint, by
lane, all together. Each figure is a sum over atoms (the records that no figure tells apart), so
what a reader can work out is what the shown figures span. Figures of few people stay outside of
that span: they are hidden, and with them the least that would give them away. Pure; knows no SQL.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Cell = tuple[str, ...]
"""A figure: the name of its family, then what it counts: ("open", "travesia", "usar")."""

Atom = Mapping[str, Any]
"""Attributes that records have in common."""

Vector = dict[int, int]

_PRIME = (1 << 61) - 1
"""Coefficients are taken modulo a large prime: exact enough, and never a fraction."""


@dataclass(frozen=True)
class Family:
    """Figures of one kind: one for each value of `by`, over the atoms whose attributes are `only`.

    `name` begins each of their cells. An atom with "" in one of `by` belongs to no figure of it.
    """

    name: tuple[str, ...]
    by: tuple[str, ...] = ()
    only: tuple[tuple[str, Any], ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that it asks for."""
        return (*self.by, *(name for name, _value in self.only))

    def cell_of(self, atom: Atom) -> Cell | None:
        """The figure that counts this atom, if one does."""
        if any(atom[name] != value for name, value in self.only):
            return None
        key = tuple(str(atom[name]) for name in self.by)
        return None if "" in key else (*self.name, *key)


@dataclass(frozen=True)
class Group:
    """The people behind a figure; `few` are they themselves (hashes) where they are few."""

    count: int
    few: frozenset[int] = frozenset()


def protect(
    atoms: Iterable[Atom], families: Sequence[Family], people: Mapping[Cell, Group], minimum: int
) -> frozenset[Cell]:
    """The cells to keep from sight.

    1. Every cell of one to `minimum` - 1 people is secret, and so is what several of them make
       together where even that is fewer people.
    2. Totals first, then the larger groups: each cell is shown unless it would give a secret away.
    """
    members, depth = _members(atoms, families)
    small = {cell for cell in members if 0 < people[cell].count < minimum}
    if not small:
        return frozenset()
    secrets = [dict.fromkeys(members[cell], 1) for cell in sorted(small)]
    ledger = _Ledger([*secrets, *_together(members, small, people, minimum)])
    ordered = sorted(members.keys() - small, key=lambda c: (depth[c], -people[c].count, c))
    return frozenset(small | {c for c in ordered if not ledger.show(members[c])})


def _members(
    atoms: Iterable[Atom], families: Sequence[Family]
) -> tuple[dict[Cell, frozenset[int]], dict[Cell, int]]:
    """Cell → its atoms (those that no figure tells apart are one), and by how much it is split."""
    known: dict[tuple[Cell | None, ...], int] = {}
    members: dict[Cell, list[int]] = defaultdict(list)
    depth: dict[Cell, int] = {}
    for atom in atoms:
        signature = tuple(family.cell_of(atom) for family in families)
        if signature in known:
            continue
        number = known[signature] = len(known)
        for cell, family in zip(signature, families, strict=True):
            if cell is not None:
                members[cell].append(number)
                depth[cell] = len(family.by)
    return {cell: frozenset(of) for cell, of in members.items()}, depth


def _together(
    members: Mapping[Cell, frozenset[int]],
    small: set[Cell],
    people: Mapping[Cell, Group],
    minimum: int,
) -> Iterator[Vector]:
    """What small cells of one kind make together within a larger one, where that is few as well."""
    kinds: dict[str, list[Cell]] = defaultdict(list)
    for cell in sorted(small):
        kinds[_kind(cell)].append(cell)
    lines: set[tuple[Cell, ...]] = set()
    for whole, atoms in members.items():
        if whole not in small:
            for cells in kinds.values():
                lines.add(tuple(cell for cell in cells if members[cell] <= atoms))
    for line in sorted(line for line in lines if len(line) > 1):
        if len(frozenset[int]().union(*(people[cell].few for cell in line))) < minimum:
            yield _sum([members[cell] for cell in line])


def _kind(cell: Cell) -> str:
    return f"{cell[0]} {len(cell)}"


def _sum(parts: Iterable[Iterable[int]]) -> Vector:
    found: Vector = defaultdict(int)
    for part in parts:
        for atom in part:
            found[atom] += 1
    return dict(found)


class _Ledger:
    """What has been shown, in echelon form, and the secrets less what is known of them.

    A secret of which nothing is left is known.
    """

    def __init__(self, secrets: Iterable[Vector]) -> None:
        self._secrets = [dict(secret) for secret in secrets]
        self._secret_atoms = frozenset[int]().union(*self._secrets)
        self._rows: list[tuple[int, Vector]] = []

    def show(self, atoms: Iterable[int]) -> bool:
        """Show a cell unless that gives a secret away; whether it is shown."""
        row = dict.fromkeys(atoms, 1)
        for pivot, known in self._rows:
            _clear(row, known, pivot)
        if not row:
            return True
        # Rather one that no secret has: then the secrets stay as short as they are.
        pivot = min(row.keys() - self._secret_atoms, default=min(row))
        scale = pow(row[pivot], -1, _PRIME)
        row = {atom: value * scale % _PRIME for atom, value in row.items()}
        if any(_is_multiple(secret, row, pivot) for secret in self._secrets):
            return False
        for secret in self._secrets:
            _clear(secret, row, pivot)
        self._rows.append((pivot, row))
        return True


def _is_multiple(secret: Vector, row: Vector, pivot: int) -> bool:
    factor = secret.get(pivot, 0)
    return bool(factor) and secret.keys() == row.keys() and all(
        secret[atom] == value * factor % _PRIME for atom, value in row.items()
    )  # fmt: skip


def _clear(row: Vector, known: Vector, pivot: int) -> None:
    """Take from `row` as much of `known` as leaves it without `pivot`, in place."""
    factor = row.get(pivot, 0)
    if not factor:
        return
    for atom, value in known.items():
        left = (row.get(atom, 0) - factor * value) % _PRIME
        if left:
            row[atom] = left
        else:
            row.pop(atom, None)
