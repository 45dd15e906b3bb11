"""Numbers, shares and the system's own errors as the reader's language says them: one place.

Numbers come from Babel's CLDR data. The operating system answers in English whatever the reader
speaks, so the reasons that people meet are said here; others stay as the system says them.
"""

import errno

from babel import Locale
from babel.numbers import format_decimal, format_percent

from connector.messages import _, current_language, mark

_REASONS = {
    errno.ENOENT: mark("No such file or directory"),
    errno.EACCES: mark("Permission denied"),
    errno.EPERM: mark("Operation not permitted"),
    errno.EEXIST: mark("File exists"),
    errno.ENOTDIR: mark("Not a directory"),
    errno.EISDIR: mark("Is a directory"),
    errno.ENOSPC: mark("No space left on device"),
    errno.EDQUOT: mark("Disk quota exceeded"),
    errno.EROFS: mark("Read-only file system"),
    errno.EIO: mark("Input/output error"),
    errno.EMFILE: mark("Too many open files"),
    errno.ENAMETOOLONG: mark("File name too long"),
    errno.ELOOP: mark("Too many levels of symbolic links"),
    errno.EBUSY: mark("Device or resource busy"),
    errno.EPIPE: mark("Broken pipe"),
    errno.EADDRINUSE: mark("Address already in use"),
}
"""What POSIX says in English (as glibc words it), so that both languages say the same."""


def os_reason(error: OSError) -> str:
    """Why the system refused, in the reader's language; never empty."""
    known = _REASONS.get(error.errno or 0)
    return _(known) if known else error.strerror or str(error) or type(error).__name__


def number(value: float, decimals: int = 0) -> str:
    """12,345.6 or 12.345,6: always so many decimals, rounded half to even."""
    digits = "." + "0" * decimals if decimals else ""
    text: str = format_decimal(value, format=f"#,##0{digits}", locale=current_language())
    return text


def signed(value: float, decimals: int = 1) -> str:
    """+1.5 or −1,5, with a true minus sign."""
    return signed_in(value, current_language(), decimals)


def signed_in(value: float, language: str, decimals: int = 1) -> str:
    """The same in a given language."""
    digits = "0." + "0" * decimals
    text: str = format_decimal(
        round(value, decimals) + 0.0, format=f"+{digits};\u2212{digits}", locale=language
    )
    return text


def percent(ratio: float, decimals: int = 0) -> str:
    """0.634 → 63 % or 63.4 %: the sign and its space are the language's own."""
    locale = Locale.parse(current_language())
    pattern = locale.percent_formats[None].pattern.replace("0", f"0.{'0' * decimals}", 1)
    text: str = format_percent(ratio, format=pattern if decimals else None, locale=locale)
    return text
