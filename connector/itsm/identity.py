"""Whether two words of an installation about itself are of the same one."""


def is_same(known: str, said: str) -> bool:
    """Compare `instance_id=… instance_name=…` where both say something.

    What only one of them names (a right given or revoked since) is no difference.
    """
    before, now = _parts(known), _parts(said)
    return all(before[name] == now[name] for name in before.keys() & now.keys())


def _parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split() if "=" in part)
