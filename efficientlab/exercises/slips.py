"""Name the misconception behind a wrong answer: which planted slip gives what the answer gave.

A slip is named by what the answer shows. An answer that gives a slip's outputs on every recorded case has that slip;
one that is wrong on some cases has it where its outputs there are the slip's; and one with two faults has the slip
that its first wrong outputs show, in the order in which the exercise works them out. What is wrong after an output
that no slip explains may follow from that, and shows nothing. Two slips are never named, and none is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from efficientlab.exercises.values import Value, Values, close


@dataclass(frozen=True)
class Evidence:
    """One recorded case: what belongs there, what each slip gives, and what the answer gave."""

    expected: Values
    slips: Mapping[str, Values | str]  # slip's sentence → its outputs, or its error as "kind: text"
    got: Values | str
    right: bool

    @property
    def shown(self) -> bool:
        """Whether the answer is wrong here and says so in values, not by raising."""
        return not self.right and not isinstance(self.got, str)


def known_slip(evidence: Sequence[Evidence]) -> str | None:
    """The sentence of the slip that the answer shows; None where it shows none, or more than one."""
    slips = {sentence for e in evidence for sentence in e.slips}
    lone = {s for s in slips if all(isinstance(e.slips.get(s), str) for e in evidence)}  # they only raise
    for cases in (evidence, [e for e in evidence if e.shown]):
        explained = _explaining(slips, cases, lone)
        if explained:
            return _only(explained) or _only(_explaining(explained, cases, explained))  # by the errors' texts
    return _by_output(slips, [e for e in evidence if e.shown])


def _explaining(slips: set[str], cases: Sequence[Evidence], lone: set[str]) -> set[str]:
    """The slips whose outcome is the answer's on every one of `cases`; none where there are no cases."""
    if not cases:
        return set()
    return {s for s in slips if all(s in e.slips and _alike(e.slips[s], e.got, s in lone) for e in cases)}


def _by_output(slips: set[str], shown: Sequence[Evidence]) -> str | None:
    """The only slip that explains the first wrong output, and those after it, right or wrong, until there is only one.

    Truth values are shared by too many faults to show a slip, but they rule out those that have others.
    """
    explains = False
    for key in dict.fromkeys(key for e in shown for key in e.expected):
        wrong = [e for e in shown if _wrong(key, e.expected, e.got)]
        explains |= any(not isinstance(e.expected[key], bool | str) for e in wrong)
        cases = wrong or (shown if explains else [])  # behind a wrong output, a right one tells apart, too
        slips = {s for s in slips if all(_gives(e.slips.get(s), key, e.got) for e in cases)}
        if explains and (one := _only(slips)):
            return one
    return None


def _wrong(key: str, expected: Values, got: Values | str) -> bool:
    """Whether this output is not as expected; one that is missing is not."""
    if isinstance(got, str) or key not in expected:
        return False
    return key not in got or not close(expected[key], got[key])


def _gives(slip: Values | str | None, key: str, got: Values | str) -> bool:
    if not isinstance(slip, dict) or not isinstance(got, dict):
        return False
    return key in slip and key in got and close(slip[key], got[key])


def _only(sentences: Iterable[str]) -> str | None:
    one, *more = [*sentences, None]
    return one if more == [None] else None


def _alike(slip: Values | str, got: Values | str, exact: bool) -> bool:
    """Two outcomes are the same: the same values within rounding, or the same kind of error.

    Another version of torch may word an error differently. The text counts where it is the check's own, or where
    the slip shows in nothing else.
    """
    if isinstance(slip, str) and isinstance(got, str):
        kind = slip.partition(":")[0]
        return slip == got if exact or kind == "Returned" else kind == got.partition(":")[0]
    if isinstance(slip, str) or isinstance(got, str):
        return False
    pairs: list[tuple[Value, Value]] = [(slip[key], got[key]) for key in slip if key in got]
    return slip.keys() == got.keys() and all(close(a, b) for a, b in pairs)
