"""What names of files and folders say: a person's name beside the lab's, or that several people's work is inside."""

from __future__ import annotations

import re
from functools import cache

from efficientlab.environment import ROOT

HANDED_IN = {
    *(".ipynb", ".py", ".rmd", ".qmd", ".json", ".html", ".htm", ".pdf", ".doc", ".docx", ".odt"),
    *(".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".png", ".jpg", ".jpeg", ".heic"),
    *(".eml", ".msg", ".url", ".webloc", ".rtf", ".pages", ".dbc"),
}
_KNOWN_SUFFIX = "|".join(re.escape(suffix) for suffix in sorted(HANDED_IN))
_SUFFIX = re.compile(rf"(?i)( ?\(\d+\))?(?:(?:\.ipynb)+(?!.*\.ipynb).*|(?:\.tar)?(?:{_KNOWN_SUFFIX}))$")
_GENERIC = re.compile(
    r"(?:untitled|scratch|draft|final|backup|copy|copie|kopie|old|new|test|try|attempt|version|revision|v|solution|submission|"
    r"homework|hw|answers?|notebook|main|work|my|mine|of|the|lab|labs|exercises?|src|code|archive|index|readme|part|"
    r"task|notes|plots?|results?|experiments?|project|training|analysis|data|demo)*"
)
_NUMBER = re.compile(r"(?<!\d)(?!20\d\d(?:0\d|1[0-2])[0-3]\d)\d{5,12}(?!\d)")  # a student's, and no date
_ATTEMPT = r"(?:version|revision|attempt|try|v)[ _-]?\d+"
_COPIED = r"(?:copy of|kopie v[ao]n|copie de|c[oó]pia de|kopia av|kopia|копия)"
_CLOCK = r"[T_ -]?(?:[01]\d|2[0-3])[.:_-]?[0-5]\d(?:[.:_-]?[0-5]\d)?"
_DAY = rf"20\d\d(?:-\d\d-\d\d(?:{_CLOCK})?|\d\d\d\d{_CLOCK})"  # eight digits alone may be a student's number
_TIMES = re.compile(  # what programs and students write around a name: a day, a time, which attempt it is
    rf"(?i)^(?:{_DAY}[_ -]+|{_COPIED} )"
    rf"|[_ -]+(?:{_DAY}|{_ATTEMPT}|(?:submission|solution)(?:[_ -]?\d{{1,2}})?)$"
    rf"|[_ -]+(?:final|re-?submi(?:t|tted|ssion)|revised|(?:copy|kopie|copie|copia) ?\d*(?: ?\(\d+\))?)$"
)
_DATE = re.compile(r"(?:20)?\d\d[ ._-]?\d\d[ ._-]?(?:20)?\d\d")
_COLLECTIVE = {
    *("section", "sections", "sec", "tutorial", "tutorials", "tutorium", "class", "course", "week", "day"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "late", "time", "ontime"),
    *("lab", "labs", "hw", "homework", "assignment", "submissions", "submitted"),
    *("resubmissions", "resubmitted", "extension", "extensions", "extended", "withdrawn", "dropped"),
    *("regrade", "regrades", "makeup", "files", "working"),
}  # no teams and no groups: these hand in together
_ANYBODY = {"student", "participant", "candidate", "user", "person", "anon", "anonymous", "team", "group"}
_BESIDE = {"of", "the", "and", "in", "on"}


def person(name: str, slug: str) -> str:
    """What a file's or folder's name says beside the lab's and words for any notebook: a person's name, or nothing."""
    rest = _without_lab(_stem(name), slug)
    return "" if _is_generic(rest) else rest


def person_key(name: str, slug: str) -> str:
    """The person that a name is called after, in the same words for `ann_v1.ipynb` and `Ann-final.ipynb`."""
    words = re.split(r"[\W_]+", person(name, slug).casefold())
    return "".join(word for word in words if not _is_generic(word))


def only_number(name: str, slug: str) -> str:
    """The number of `lab4_tsm_17.ipynb` and `17.ipynb`, which say nothing else."""
    rest = _beside_lab(_stem(name), slug)
    return rest if rest.isdecimal() else ""


def without_times(name: str) -> str:
    """The name without days, times and attempts around what else it says."""
    while (rest := _TIMES.sub("", name)) not in (name, "") and rest.casefold() not in _ANYBODY:
        name = rest
    return name


def is_after_both(name: str, slug: str) -> bool:
    """Whether a name is a lab's and a person's, as `lab4-octocat` of GitHub Classroom."""
    return person(name, slug) not in ("", _stem(name)) and not is_collective(name, slug)


def is_attempt(name: str) -> bool:
    """Whether a folder is one of several that a person handed in: `Version 2` of Teams, `Revision 1` of Schoology."""
    return re.fullmatch(f"(?i){_ATTEMPT}", name.strip()) is not None


def is_collective(name: str, slug: str) -> bool:
    """Whether a folder of this name holds several people's: `section 1`, `late`, `2026-11-20`, the lab's own."""
    words = re.findall(r"[^\W\d_]+|\d+", name.casefold())
    known = all(w in _COLLECTIVE or w in _BESIDE or w.isdigit() or len(w) == 1 for w in words)
    return (
        _DATE.fullmatch(name.strip()) is not None
        or name.casefold() == slug
        or (known and any(word in _COLLECTIVE for word in words))
    )


def _is_generic(text: str) -> bool:
    letters = re.sub(r"[\W\d_]+", "", text.casefold())
    return _GENERIC.fullmatch(letters) is not None and not _NUMBER.search(text)


def _stem(name: str) -> str:
    return without_times(_SUFFIX.sub("", name).strip())


@cache
def _lab(slug: str) -> str:
    """The names of this lab, and of the others that lie beside it, as a regular expression."""
    slugs = {slug, *(path.stem for path in (ROOT / "labs").glob("lab*_*.ipynb"))}
    forms = []
    for number, _, topic in (one.partition("_") for one in sorted(slugs)):
        digits = re.sub(r"\D", "", number)
        forms.append(rf"lab[ _#-]?0?{digits}(?!\d)(?:[ _-]?{re.escape(topic)})?")
    return rf"(?:{_COPIED} )*(?:{'|'.join(forms)})(?:\.ipynb)?(?: ?\(\d+\))?"


def _without_lab(stem: str, slug: str) -> str:
    """`alice` of `lab4_tsm-alice`, `alice_lab4`, and `Lab 4 - alice`; nothing of `lab4_tsm-Copy1` and `lab4`."""
    rest = _beside_lab(stem, slug)
    return re.sub(r"(?i)(?:^|-)copy\d*$|^\(?\d{1,4}\)?$", "", rest).strip(" -_.")


def _beside_lab(stem: str, slug: str) -> str:
    rest = re.sub(rf"(?i)^{_lab(slug)}(?:[^a-z0-9]+|$)", "", stem)
    return re.sub(rf"(?i)(?:^|[^a-z0-9]+){_lab(slug)}$", "", rest)
