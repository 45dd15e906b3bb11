"""The annex of the change request: every column that is read, everything that a write sets off."""

from collections.abc import Iterator, Mapping, Sequence

from connector.check.effects import Effects
from connector.check.sheet import cause_of, cell, kind_of
from connector.config import Config
from connector.journey.fields import fields_on_records
from connector.messages import _


def annex(
    config: Config, reads: Mapping[str, Sequence[str]], effects: Mapping[str, Effects]
) -> str:
    """The lists behind the page, in the reader's language, as Markdown."""
    parts = (_head(config), _columns(reads), _written(config), _set_off(effects))
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def _head(config: Config) -> Iterator[str]:
    title = _("# Annex to the change request: Travesía on {url}")
    yield title.format(url=config.instance.url)


def _columns(reads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield _("## What is read")
    yield ""
    yield f"| {_('Table')} | {_('Columns')} |"
    yield "|---|---|"
    for table, columns in sorted(reads.items()):
        yield f"| {table} | {', '.join(columns)} |"


def _written(config: Config) -> Iterator[str]:
    yield _("## What is written")
    yield ""
    for field in fields_on_records(relationship=config.write_back.relationship):
        yield f"- {field.name} ({field.type})"


def _set_off(effects: Mapping[str, Effects]) -> Iterator[str]:
    yield _("## What a write sets off")
    yield ""
    yield f"| {_('Table')} | {_('Kind')} | {_('Name')} | {_('Condition')} |"
    yield "|---|---|---|---|"
    for table, found in effects.items():
        for effect in found.found:
            name, cause = cell(effect.name), cell(cause_of(effect))
            yield f"| {table} | {kind_of(effect)} | {name} | {cause} |"
    if not any(found.found for found in effects.values()):
        yield f"| – | | {_('none was seen')} | |"
