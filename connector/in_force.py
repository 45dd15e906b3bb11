"""Which mapping places the records: the configured one, or the accepted one while that waits.

A changed mapping does not go live by itself. Until somebody has seen what would move
(`travesia plan`) and accepted it, the one in force goes on: its content is kept in the store, so
new records are placed, reports go on, and what moves meanwhile moves because of the customer.
"""

from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from connector import log
from connector.config import Config
from connector.config.settings import MappingSettings
from connector.errors import ConfigError
from connector.journey.model import Mapping
from connector.messages import _
from connector.store import mappings
from connector.store.database import Store

_log = log.get("mapping")
_CONTENT = TypeAdapter(Mapping)

SHORTEST = 4
"""So many digits of a hash must be given at least."""


@dataclass(frozen=True)
class InForce:
    """`mapping` places the records; `waiting` is the configured one if nobody accepted it yet.

    Where the accepted mapping's content is not known (it was kept by another version), `mapping` is
    the configured one, and records stay where they stand (`places` is false).
    """

    mapping: Mapping
    waiting: Mapping | None = None
    places: bool = True

    @property
    def all(self) -> tuple[Mapping, ...]:
        """Whose columns are read: those that a waiting mapping needs come before it goes live."""
        return (self.mapping, self.waiting) if self.waiting else (self.mapping,)

    @property
    def sentence(self) -> str:
        """Why nothing is written; "" if it may be."""
        if not self.waiting:
            return ""
        if not self.places:
            return _(
                "The mapping in force (kept by another version) cannot be read: records stay where"
                " they stand, and nothing is written. Look at travesia plan, then say travesia plan"
                " --accept {hash}"
            ).format(hash=self.waiting.hash)
        return _(
            "The mapping changed (hash {hash}) and nobody accepted it yet: the one in force goes"
            " on, and nothing is written. Look at travesia plan, then say travesia plan --accept"
            " {hash}"
        ).format(hash=self.waiting.hash)


def which(store: Store, configured: Mapping) -> InForce:
    """Which mapping holds in this store; changes nothing.

    The first mapping of a store is accepted by itself.
    """
    known = mappings.in_force(store)
    if known is None or known.hash == configured.hash:
        return InForce(configured)
    if mappings.is_approved(store, configured.hash):
        return InForce(configured)
    kept = _read(known.content, known.hash)
    return InForce(kept or configured, waiting=configured, places=kept is not None)


def enter(store: Store, configured: Mapping, run_id: str) -> InForce:
    """At the start of a run: put in force what may be, and note which mapping the run works with.

    Answers it.
    """
    found = which(store, configured)
    if found.waiting is None:
        mappings.put_in_force(store, configured.hash, content_of(configured))
    mappings.note_run(store, run_id, found.mapping.hash, is_placed=found.places)
    if found.waiting:
        _log.warning("mapping_waits", run_id=run_id, hash=configured.hash, places=found.places)
    return found


def accept(store: Store, mapping: Mapping, word: str) -> None:
    """Take a person's word for `mapping`: its hash, or the first digits of it.

    The next run with it puts it in force. Raises ConfigError for any other hash.
    """
    if len(word) < SHORTEST or not mapping.hash.startswith(word.strip().lower()):
        raise ConfigError(
            "--accept",
            [
                _(
                    "{word!r} is not the hash of this mapping, which is {hash}; look at travesia"
                    " plan first: it shows what would move"
                ).format(word=word, hash=mapping.hash)
            ],
        )
    mappings.approve(store, mapping.hash)
    _log.info("mapping_accepted", hash=mapping.hash)


def shown(config: Config, mapping: Mapping) -> Config:
    """The settings for the mapping in force, which may lack the journey to show while the one that
    brings it waits. Till then the usual one is shown.
    """
    if config.mapping.journey in mapping.journeys:
        return config
    usual = config.mapping.model_copy(update={"journey": MappingSettings().journey})
    return config.model_copy(update={"mapping": usual})


def content_of(mapping: Mapping) -> str:
    """A mapping as JSON, to be read again by `which`."""
    return _CONTENT.dump_json(mapping).decode()


def _read(content: str | None, mapping_hash: str) -> Mapping | None:
    """The mapping kept in the store; None where this version cannot read it."""
    try:
        found = _CONTENT.validate_json(content) if content else None
    except ValidationError:
        return None
    return replace(found, hash=mapping_hash) if found else None
