"""What can go wrong, as exceptions that carry the offending values.

Every class is a ``ValueError``, so ``except ValueError`` catches them all. A value of the wrong *type* (text where
numbers are expected) is a ``TypeError``, a file that does not exist a ``FileNotFoundError``, as everywhere in Python.
"""

from __future__ import annotations

__all__ = [
    "BenchError",
    "CountError",
    "Error",
    "FileError",
    "FormatError",
    "LengthMismatchError",
    "MissingValueError",
    "NonFiniteError",
    "NotEnoughDataError",
    "NotPositiveError",
    "ParameterError",
    "QuantityError",
    "RenderError",
    "SpecificationError",
    "TooLargeError",
    "UnknownNameError",
]


class Error(ValueError):
    """What was asked for cannot be computed.

    Example:
        >>> import llmscope as ls
        >>> try:
        ...     ls.individuals([0.3, 0.2, float("nan")])
        ... except ls.Error as error:
        ...     print(type(error).__name__, error.index)
        NonFiniteError 2
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.__dict__.update(values)

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), str(self), dict(self.__dict__))


def _restore(kind: type[Error], message: str, values: dict[str, object]) -> Error:
    return kind(message, **values)


class NonFiniteError(Error):
    """A NaN or an infinity stands where a measurement was expected.

    Attributes:
        index: 0-based position of the first such value.
        value: The value itself.
    """

    index: int
    value: float


class NotPositiveError(Error):
    """A value that is not positive has no logarithm and no power.

    Attributes:
        index: 0-based position of the first such value.
        value: The value itself.
    """

    index: int
    value: float


class MissingValueError(Error):
    """A value is missing and nobody said what a gap means (``missing="break"`` or ``"drop"``).

    Attributes:
        index: 0-based position of the first missing value.
    """

    index: int


class TooLargeError(Error):
    """A finite value whose fourth power, which the moments need, would overflow.

    Attributes:
        index: 0-based position of the first such value.
        value: The value itself.
        max: The largest magnitude that is accepted.
    """

    index: int
    value: float
    max: float


class NotEnoughDataError(Error):
    """A computation needs more observations than there are.

    Attributes:
        what: What was to be computed, with the unit that is counted.
        have: How many there are.
        need: How many it takes.
    """

    what: str
    have: int
    need: int


class ParameterError(Error):
    """A parameter lies outside its domain.

    Attributes:
        name: The parameter.
        value: The offending value, as text.
        expected: Its domain, in words.
    """

    name: str
    value: str
    expected: str


class LengthMismatchError(Error):
    """Two arrays that describe the same points differ in length.

    Attributes:
        left_name: What the first array is.
        left: Its length.
        right_name: What the second array is.
        right: Its length.
    """

    left_name: str
    left: int
    right_name: str
    right: int


class CountError(Error):
    """A count is negative, fractional, or larger than its sample.

    Attributes:
        index: 0-based position.
        count: The count.
        size: The sample size or area of opportunity.
        expected: What would be accepted.
    """

    index: int
    count: float
    size: float
    expected: str


class SpecificationError(Error):
    """No specification limit was given, or the lower one is not below the upper one.

    Attributes:
        lower: The lower specification limit.
        upper: The upper specification limit.
        reason: What is wrong.
    """

    lower: float | None
    upper: float | None
    reason: str


class UnknownNameError(Error):
    """A name that is not known, with the known ones.

    Attributes:
        what: The kind of name.
        name: What was given.
        expected: The known names.
    """

    what: str
    name: str
    expected: str


class QuantityError(Error):
    """A quantity in a unit that the metric is not measured in.

    Attributes:
        text: What was given.
        unit: The metric's unit.
        hint: What would be accepted.
    """

    text: str
    unit: str
    hint: str


class FormatError(Error):
    """A file, or a line of it, cannot be read as what it claims to be.

    Attributes:
        source: The file.
        line: 1-based line, where it is known.
        field: The field or column, where it is known.
        problem: What was found.
        fix: What to do about it.
    """

    source: str
    line: int | None
    field: str | None
    problem: str
    fix: str


class FileError(Error, OSError):
    """The operating system refused to read or write.

    Attributes:
        path: The file.
        reason: The operating system's words.
    """

    path: str
    reason: str


class RenderError(Error):
    """A picture could not be rendered.

    Attributes:
        reason: The rasterizer's words.
    """

    reason: str


class BenchError(Error):
    """An endpoint cannot be measured: no key in the environment, no such address, no model named.

    Attributes:
        reason: What is missing, and how to say it.
    """

    reason: str
