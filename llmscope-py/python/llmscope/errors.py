"""Exceptions with the offending values as attributes.

Every class is a ``ValueError``, so ``except ValueError`` catches them all. As everywhere in Python, a value of the
wrong *type* (text where numbers are expected) is a ``TypeError``, and a file that does not exist is a
``FileNotFoundError``.
"""

from __future__ import annotations

__all__ = [
    "BenchError",
    "CountError",
    "DefinitionsError",
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
    """The base class of all errors of this package.

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
    """A NaN or an infinity in place of a measurement.

    Attributes:
        index: 0-based position of the first such value.
        value: The value itself.
    """

    index: int
    value: float


class NotPositiveError(Error):
    """A value that is not positive and therefore cannot be transformed.

    Attributes:
        index: 0-based position of the first such value.
        value: The value itself.
    """

    index: int
    value: float


class MissingValueError(Error):
    """A value is missing. To allow gaps, pass ``missing="break"`` or ``"drop"``.

    Attributes:
        index: 0-based position of the first missing value.
    """

    index: int


class TooLargeError(Error):
    """A finite value whose fourth power would overflow in the moments.

    Attributes:
        index: 0-based position of the first such value.
        value: The value itself.
        max: The largest accepted magnitude.
    """

    index: int
    value: float
    max: float


class NotEnoughDataError(Error):
    """There are fewer observations than a computation needs.

    Attributes:
        what: The computation, with the unit of the counts.
        have: The available number.
        need: The required number.
    """

    what: str
    have: int
    need: int


class ParameterError(Error):
    """A parameter is outside its domain, missing, or in conflict with another one.

    Attributes:
        name: The parameter.
        value: The offending value as text; empty if the parameter is missing.
        expected: A description of the accepted values.
    """

    name: str
    value: str
    expected: str


class LengthMismatchError(Error):
    """Two arrays that describe the same points differ in length.

    Attributes:
        left_name: A description of the first array.
        left: Its length.
        right_name: A description of the second array.
        right: Its length.
    """

    left_name: str
    left: int
    right_name: str
    right: int


class CountError(Error):
    """A count is negative, fractional, or larger than its sample.

    Attributes:
        index: 0-based position of the count.
        count: The count.
        size: The sample size or area of opportunity.
        expected: A description of the accepted values.
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


class DefinitionsError(Error):
    """The two sides of a comparison have different definitions of a metric.

    Attributes:
        metric: The metric and its group.
        baseline: The number of the definition of the baseline.
        candidate: The number of the definition of the candidate.
    """

    metric: str
    baseline: int
    candidate: int


class UnknownNameError(Error):
    """An unknown or missing name.

    Attributes:
        what: The kind of name.
        name: The given name; empty if it is missing.
        expected: The known names.
    """

    what: str
    name: str
    expected: str


class QuantityError(Error):
    """A quantity that cannot be converted to the unit of the metric.

    Attributes:
        text: The given text.
        unit: The metric's unit.
        hint: A description of the accepted values.
    """

    text: str
    unit: str
    hint: str


class FormatError(Error):
    """A file, or a line of it, is invalid in its format.

    Attributes:
        source: The file.
        line: 1-based line, if known.
        field: The field or column, if known.
        problem: What is wrong.
        fix: What to do.
    """

    source: str
    line: int | None
    field: str | None
    problem: str
    fix: str


class FileError(Error, OSError):
    """The operating system cannot read or write a file.

    Attributes:
        path: The file.
        reason: The message of the operating system.
    """

    path: str
    reason: str


class RenderError(Error):
    """A picture could not be rendered.

    Attributes:
        reason: The message of the rasterizer.
    """

    reason: str


class BenchError(Error):
    """An endpoint cannot be measured: no key in the environment, no such address, or no model.

    Attributes:
        reason: What is missing, and how to provide it.
    """

    reason: str
