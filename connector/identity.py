"""Is this the instance that the store knows? A copy of it is another, whatever its address."""

from connector.itsm.base import Instance
from connector.messages import _
from connector.store import runs
from connector.store.database import Store


def differs(store: Store, instance: Instance, *, is_accepted: bool = False) -> str:
    """The beginning of a sentence that says it is not, or "".

    Remembers what the instance says of itself when it is first seen, and when a person accepts it.
    """
    known, said = runs.read_identity(store), instance.identity()
    if said and (is_accepted or not known):
        runs.save_identity(store, said)
    elif said and not is_same(known, said):
        return _("This is another instance than the store knows ({said}, not {known})").format(
            said=said, known=known
        )
    return ""


def is_same(known: str, said: str) -> bool:
    """Compare `instance_id=… instance_name=…` where both say something.

    What only one of them names (a right given or revoked since) is no difference.
    """
    before, now = _parts(known), _parts(said)
    return all(before[name] == now[name] for name in before.keys() & now.keys())


def _parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split() if "=" in part)
