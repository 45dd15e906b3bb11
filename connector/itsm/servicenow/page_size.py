"""How many records to ask for at once: by how long pages take, and by what the instance cuts."""

from connector.errors import IncompleteResponseError, InstanceError

SMALLEST_PAGE = 50
"""What halving after cut answers stops at."""
SMALLEST_TIMED_PAGE = 500
"""What slow answers alone bring a page down to: below it, the trips would cost more."""
AIM_SECONDS = (2.0, 5.0)
"""How long a page should take: the platform cancels at 60, and small pages waste trips."""


class PageSize:
    """How many records to ask for: by how long pages take, and halved when the instance cannot."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self.current = wanted

    def shrink(self, error: InstanceError) -> bool:
        """Halve after a cut or cancelled answer; False where there is nothing left to halve."""
        if not isinstance(error, IncompleteResponseError) or error.is_whole:
            return False
        if self.current <= SMALLEST_PAGE:
            return False
        self.current = max(SMALLEST_PAGE, self.current // 2)
        return True

    def learn(self, asked: int, seconds: float) -> None:
        """After a full page that took so long: less at once, the same, or an eighth more."""
        quick, slow = AIM_SECONDS
        if seconds > slow:
            fitting = max(int(asked * slow / seconds), asked // 2, SMALLEST_TIMED_PAGE)
            self.current = min(self.current, fitting)
        elif seconds < quick:
            self.current = min(self._wanted, self.current + max(1, self.current // 8))
