"""What the instance says no to: its own exceptions, turned into documented bodies by `answers`."""

from connector.sandbox.engine import SandboxError


class RefusedError(SandboxError):
    """The platform refuses the write; `detail` is its own sentence."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class DuplicateKeyError(RefusedError):
    """A second record with the same sys_id."""

    def __init__(self, table: str, sys_id: str) -> None:
        super().__init__(
            f"Error during insert of {table} ({sys_id}): Unique Key violation detected by database "
            f"(Duplicate entry '{sys_id}' for key 'PRIMARY')"
        )
