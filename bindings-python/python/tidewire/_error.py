"""The base of all exceptions, and how the core's errors become one of them."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from tidewire._constants import ERRORS, Code, Disposition


class Unsent(NamedTuple):
    """Records of a partition that a producer was closed without an acknowledgement of."""

    partition: int
    failed_records: int
    """Records that were certainly not appended."""
    unknown_records: int
    """Records that may have been appended."""


class TidewireError(Exception):
    """What Tidewire's client or server could not do.

    Decide by the class, ``code``, ``retriable`` and ``outcome_unknown``; the text is for people
    and may change.
    """

    kind: ClassVar[str] = "unknown"
    """What the caller can do about it, as a word: the class right below this one."""
    default_code: ClassVar[Code] = Code.INTERNAL

    code: int
    """The stable number, the same in every language; a :class:`tidewire.Code` if it is known."""
    disposition: Disposition
    """What may be concluded, whatever the number."""
    offsets: tuple[int, int] | None
    """With ``OffsetOutOfRangeError``: the offsets that there are, from the first record's to the
    one after the last's, where they could be learnt."""
    unsent: tuple[Unsent, ...]
    """After closing a producer: the records without an acknowledgement, by partition."""
    results: tuple[object, ...]
    """After ``send_batch``: what became of each record, a receipt or an exception."""

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        disposition: Disposition | None = None,
        offsets: tuple[int, int] | None = None,
        unsent: tuple[Unsent, ...] = (),
    ) -> None:
        super().__init__(message)
        number = self.default_code if code is None else code
        known = ERRORS.get(number)
        if disposition is None:
            disposition = known.disposition if known else Disposition(0)
        self.code = Code(number) if known else number
        self.disposition = disposition
        self.offsets = offsets
        self.unsent = unsent
        self.results = ()

    @property
    def retriable(self) -> bool:
        """Whether nothing happened and the same request may succeed later."""
        return bool(self.disposition & Disposition.RETRIABLE)

    @property
    def outcome_unknown(self) -> bool:
        """Whether the request may or may not have been carried out."""
        return bool(self.disposition & Disposition.OUTCOME_UNKNOWN)

    def __reduce__(self) -> tuple[Any, ...]:
        message = self.args[0] if self.args else ""
        state = (int(self.code), int(self.disposition), message, self.offsets, self.unsent)
        return from_core, state


def from_core(
    code: int,
    disposition: int,
    message: str,
    offsets: tuple[int, int] | None,
    unsent: list[tuple[int, int, int]] | tuple[Unsent, ...],
) -> TidewireError:
    """The exception for an error of the core; a number that is not known is kept."""
    from tidewire.errors import BY_CODE

    made = BY_CODE.get(code, TidewireError)
    return made(
        message,
        code=code,
        disposition=Disposition(disposition),
        offsets=offsets,
        unsent=tuple(Unsent(*part) for part in unsent),
    )
