"""Which name, symbol or number an answer states, for the short questions of `general_knowledge`.

A name of a closed list (countries, continents) is stated where it stands, unless it is denied ("not in Ghana") or says
where something else is ("near Togo"). Of all else, what counts is the form: it follows "the capital (of X) is", "uses
the", "symbol:" and the like, or it opens a sentence and ends it ("Lima.", "I think it is Lima, ..."), or is said to be
what was asked ("Lima is the capital of Peru"). A capitalised name that no list has is stated as well.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from confesslens.evals.parts.general import ALSO, NOT_COUNTRIES, facts, names
from confesslens.evals.reading.answers import fold

CLOSED = ("continent", "country")


@dataclass(frozen=True)
class Stated:
    """What stands at [start, end) of a text, and the names of the list that it may mean; itself where none."""

    means: frozenset[str]
    start: int
    end: int
    known: bool


@dataclass(frozen=True)
class _Word:
    key: str
    text: str
    start: int
    end: int


_WORD = re.compile(r"[^\W\d_]+")
_JOINT = re.compile(r"(?:[ \-'’&]|\. ?){1,3}|")  # between the words of one name


def _key(word: str) -> str:
    folded = word.casefold()
    return "st" if folded == "saint" else folded


def _words(text: str) -> list[_Word]:
    return [_Word(_key(m.group()), m.group(), *m.span()) for m in _WORD.finditer(text)]


def same(one: str, other: str) -> bool:
    """Whether two names are spelled alike: case, accents, hyphens, spaces, "the" and "Saint" for "St" apart."""
    return one == other or (_squash(one) == _squash(other) != "")


def _squash(name: str) -> str:
    keys = [word.key for word in _words(fold(name).text)]
    return "".join(keys[1:] if keys[:1] == ["the"] else keys)


def is_right(expected: str, stated: Stated) -> bool:
    """Whether what is stated is the expected answer, by any of its names."""
    return any(same(expected, name) for name in stated.means)


class _Names:
    """A list of names that knows where one of them stands."""

    def __init__(self, kind: str) -> None:
        self.meanings: dict[tuple[str, ...], set[str]] = {}
        self.in_capitals: set[tuple[str, ...]] = set()
        for name in names(kind):
            self._add(name, name)
        for fact in facts():
            if fact.kind == kind and fact.also:
                self._add(fact.also, fact.answer)
        for name, others in ALSO.get(kind, {}).items():
            for other in others:
                self._add(other, name)
        hidden = NOT_COUNTRIES if kind == "country" else ()
        self.hidden = {tuple(w.key for w in _words(name)) for name in hidden}
        self.longest = max(map(len, self.meanings))

    def _add(self, spelling: str, name: str) -> None:
        text = fold(spelling).text
        keys = tuple(w.key for w in _words(text))
        for key in {keys, ("".join(keys),), keys[1:] if keys[0] == "the" and keys[1:] else keys}:
            self.meanings.setdefault(key, set()).add(name)
            if len("".join(key)) <= 4 and text.replace(".", "").isupper():
                self.in_capitals.add(key)

    def at(self, text: str, words: list[_Word], i: int) -> Stated | None:
        """The longest name that begins with word i; one that only hides a name means nothing."""
        best = None
        joined: tuple[str, ...] = ()
        for j in range(i, min(i + self.longest, len(words))):
            if j > i and not _JOINT.fullmatch(text, words[j - 1].end, words[j].start):
                break
            joined += (words[j].key,)
            if joined in self.hidden:
                best = Stated(frozenset(), words[i].start, words[j].end, True)
            found = self.meanings.get(joined) or self.meanings.get((*joined[:-1], _singular(joined[-1])))
            capitals = joined not in self.in_capitals or all(w.text.isupper() for w in words[i : j + 1])
            if found and capitals:
                best = Stated(frozenset(found), words[i].start, words[j].end, True)
        return best


def _singular(key: str) -> str:
    return key[:-1] if len(key) > 4 and key.endswith("s") else key


@cache
def _list(kind: str) -> _Names:
    return _Names(kind)


# Words of which an answer may open, or follow a phrase that announces it.
_FILLER = re.compile(
    r"(?:the|a|an|city|town|of|called|named|known as|simply|just|most|very|now|currently|actually|definitely|certainly"
    r"|indeed|then|so|oh|well|hmm+|yes|sure|ok(?:ay)?|sorry|of course|in|my|best|final|correct|right|short"
    r"|(?P<lead>it(?:['’]s| is| was| (?:may|might|could|must|would|should) be)|answer(?: is)?|guess(?: is)?"
    r"|i(?:['’]d| would)? (?:think|believe|guess|suppose|say|suspect)(?: that)?|perhaps|maybe|probably|possibly|likely"
    r"|i recall|as far as i know|to my knowledge|no|wait|but))(?![\w'’])",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[\s\"'“”‘’(\[{*_`~>#•|]{0,20}(?:[:=→]|->|-(?![0-9]))?[\s\"'“”‘’(\[{*_`]{0,20}")
_ENDS = re.compile(
    r"[\"'”’)\]}*_`]*(?:\s*\n|\s*(?:[^\w\s'’-]|-\s|\Z|(?:and|or|which|because|since|as|i|for|based|according|but|in)\b))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[^.!?;\n]|(?<=\bSt)\.|(?<=\bst)\.|(?<=\b[A-Z])\.(?!\s*\n)|\.(?=[^\s.!?]))+[.!?;]?")
_CLAUSE = re.compile(r"[,:(–—]|\s-\s|\bbut\b", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:not|never|no longer|doubt|if|whether|unless|former(?:ly)?|instead of|rather than|until|unlike|once"
    r"|used to be|wrong|incorrect(?:ly)?|mistaken(?:ly)?|confus\w+|example)\b|n['’]t\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:near(?:by)?|border\w*|next to|close to|neighbou?r\w*|(?:north|south|east|west)\w* of|outside|between|from"
    r"|than|across|adjacent|along|like)\b(?:\s+(?:with|of|to|the|by|both|countries)){0,3}\s*$",
    re.IGNORECASE,
)
_IS_NOT = re.compile(r"\s+(?:is|are|was)(?:n['’]t| not| no longer)\b", re.IGNORECASE)
_OR = re.compile(
    r"[\"'”’)*_`]*\s*(?:,\s*)?(?P<joint>\bor\b|\band\b|/|&|,)\s*(?:also|even|the|in|maybe|perhaps|\s)*", re.I
)
_NUMBER = re.compile(r"[0-9]{1,4}(?![\w%°]|[.,][0-9])", re.ASCII)
_SYMBOL = re.compile(r"[A-Z][A-Za-z]{0,2}(?![A-Za-z0-9]|['’][a-z])")
_HAS = ("has", "have", "with", "contains")
_LOOK_BACK = 120


def _these(words: str) -> frozenset[str]:
    return frozenset(words.split())


# No names, though an answer may begin with one of them in capitals.
_NO_NAMES = _these(
    "i a an the it its this that these those there here what which who where when why how yes no not never none nothing"
    " nobody nowhere unknown unsure sorry thanks thank hello hi hey please note however and or but as if in on at of"
    " for to from with my your our we you he she they is are was were be do does did can could would may might must"
    " answer question capital city country continent currency symbol number element name unfortunately fictional wrong"
    " invented imaginary true false correct error user assistant system ai great good nice interesting sure ok okay"
    " well hmm perhaps maybe probably possibly likely actually one some any all such each both state only know let me"
)
_CONNECT = _these("de la del of al el da do dos das le les the upon am an y")
# Currencies that are also words: read as such only where a form announces them.
_ENGLISH = _these("real won mark sol som crown pound colon lev rand")
# Symbols, and capitals like them, that are also words: read as such only before the end of a phrase ...
_WORDS_LIKE_SYMBOLS = _these(
    "A I He As At In Be Am No So Us The It Its Is Not Yes Ok An If Of On Or To We Do My Me Up By Go Hi Oh Um"
)
# ... and the others of them only where a form announces them too.
_SYMBOLS_ALONE = _these("He As At In Be Am So")


def read(kind: str, subject: str, text: str) -> tuple[list[Stated], bool]:
    """What the text states as an answer, in its order, and whether it also offers another ("Lima or Cusco").

    Alike things are stated once. `text` is folded, and free of what repeats the prompt.
    """
    reader = _Reader(kind, subject, text)
    found = list(reader.closed() if kind in CLOSED else reader.forms())
    if not found and kind == "currency":
        found = list(reader.closed())
    apart: list[Stated] = []
    for stated in found:
        if not any(stated.means & other.means for other in apart):
            apart.append(stated)
    return apart, reader.offers_another


class _Reader:
    def __init__(self, kind: str, subject: str, text: str) -> None:
        self.kind, self.text = kind, text
        self.words = _words(text)
        self.starts = [word.start for word in self.words]
        self.sentences = [m.span() for m in _SENTENCE.finditer(text) if not m.group().endswith("?")]
        self.subject = [word.key for word in _words(fold(subject).text)]
        self.lead, self.trail = _forms(kind, subject)
        self.offers_another = False

    def closed(self) -> Iterator[Stated]:
        """Names of the list, wherever they stand."""
        known = _list(self.kind)
        for start, end in self.sentences:
            i = bisect_left(self.starts, start)
            while i < len(self.words) and self.words[i].start < end:
                if self._is_subject(i):
                    i += len(self.subject)
                    continue
                stated = known.at(self.text, self.words, i)
                if stated is None:
                    i += 1
                    continue
                word = self.words[i].text
                denied = self._denied(start, stated.start) or _IS_NOT.match(self.text, stated.end)
                if stated.means and not denied and not (word.islower() and word in _ENGLISH):
                    yield stated
                i = bisect_left(self.starts, stated.end)

    def forms(self) -> Iterator[Stated]:
        """What stands where a form announces it."""
        none_yet = True
        for start, end in self.sentences:
            for stated in self._in_sentence(start, end, none_yet):
                none_yet = False
                yield stated
                self._look_for_another(stated, end)

    def _in_sentence(self, start: int, end: int, none_yet: bool) -> Iterator[Stated]:
        for lead in self.lead.finditer(self.text, start, end):
            if not self._denied(start, lead.start()):
                stated, _ = self._after(lead.end(), end, True)
                told_only = lead.group().lower() in _HAS
                known = stated is not None and stated.known and self.kind != "number"
                if stated and ((known and not told_only) or self._closes(stated.end, told_only)):
                    yield stated
        openings = [start, *(m.end() for m in _CLAUSE.finditer(self.text, start, end))]
        for place, opening in enumerate(openings):
            stated, led = self._after(opening, end)
            led = led or self.text[opening - 1 : opening] == ":" or self.text[max(0, opening - 3) : opening] == "but"
            if stated is None or (place and not led):
                continue
            if not stated.known and self.text.startswith(":", stated.end):  # a heading
                continue
            alone = not _WORD.search(self.text, stated.end, end)
            if (stated.known or none_yet or led or alone) and self._closes(stated.end):
                yield stated

    def _closes(self, at: int, told_only: bool = False) -> bool:
        """Whether what ends at `at` ends its phrase there, or (`told_only`: must) is told to be what was asked."""
        told = self.trail.match(self.text, at)
        return bool(told or (not told_only and _ENDS.match(self.text, at)))

    def _after(self, at: int, end: int, led: bool = False) -> tuple[Stated | None, bool]:
        """What stands after `at`, behind fillers only, and whether one of these announces an answer."""
        for _ in range(14):
            at = _SPACE.match(self.text, at, end).end()  # type: ignore[union-attr]  # it matches nothing too
            if at >= end:
                return None, led
            if stated := self._name_at(at, end, led):
                return stated, led
            filler = _FILLER.match(self.text, at, end)
            if filler is None:
                return None, led
            led = led or filler["lead"] is not None
            at = filler.end() + self.text.startswith(",", filler.end())
        return None, led

    def _name_at(self, at: int, end: int, led: bool = True) -> Stated | None:
        if self.kind == "number":
            number = _NUMBER.match(self.text, at, end)
            return number and Stated(frozenset({str(int(number.group()))}), *number.span(), True)
        if self.kind == "symbol":
            letters = _SYMBOL.match(self.text, at, end)
            symbol = letters.group().capitalize() if letters else ""
            ends = letters is not None and _ENDS.match(self.text, letters.end())
            if letters is None or (symbol in _WORDS_LIKE_SYMBOLS and not (ends and (led or symbol in _SYMBOLS_ALONE))):
                return None
            return Stated(frozenset({symbol}), *letters.span(), True)
        i = bisect_left(self.starts, at)
        if i == len(self.words) or self.words[i].start != at:
            return None
        return self._money_at(i, end) if self.kind == "currency" else self._place_at(i)

    def _place_at(self, i: int) -> Stated | None:
        """A capital of the list, or a run of capitalised words."""
        listed = _list(self.kind).at(self.text, self.words, i)
        last = self._run(i)
        run = " ".join(w.key for w in self.words[i : last + 1])
        if listed is not None:
            j = bisect_left(self.starts, listed.end)
            if last < j:
                return listed
            if self._is_subject(j) or self.words[j].key == "city":  # "Lima Peru", "Lima City"
                return replace(listed, end=self.words[min(j + len(self.subject) * self._is_subject(j), last)].end)
        if (
            last < i
            or len(run) < 2
            or self.words[i].key in _NO_NAMES
            or self._is_subject(i)
            and last < i + len(self.subject)
        ):
            return None
        return Stated(frozenset({run}), self.words[i].start, self.words[last].end, False)

    def _run(self, i: int) -> int:
        """The last word of the run of capitalised words that begins at word i; before i where it does not."""
        last = i - 1
        for j in range(i, min(i + 8, len(self.words))):
            gap = self.text[self.words[j - 1].end : self.words[j].start] if j > i else ""
            dotted = "." in gap and len(self.words[j - 1].text) > 2
            if j > i and (dotted or not _JOINT.fullmatch(gap) or "&" in gap):
                break
            if self.words[j].text[0].isupper() or gap in ("'", "’"):
                last = j
            elif j == i or self.words[j].key not in _CONNECT:
                break
        return last

    def _money_at(self, i: int, end: int) -> Stated | None:
        """A currency of the list within the next words ("Hungarian forint"), or words of which one is capitalised."""
        last, listed = i - 1, None
        for j in range(i, min(i + 4, len(self.words))):
            word = self.words[j]
            if word.end > end or (j > i and not _JOINT.fullmatch(self.text, self.words[j - 1].end, word.start)):
                break
            if word.key in _NO_NAMES or word.key in ("money", "bank", "coin", "union"):
                break
            last, listed = j, _list(self.kind).at(self.text, self.words, j) or listed
        if listed:
            return listed
        run = self.words[i : last + 1]
        place = any(_list(kind).at(self.text, self.words, i) for kind in CLOSED)
        if place or not any(w.text[0].isupper() for w in run) or self._is_subject(i) or not self._ends_after(last):
            return None
        return Stated(frozenset({" ".join(w.key for w in run)}), run[0].start, run[-1].end, False)

    def _ends_after(self, i: int) -> bool:
        return bool(_ENDS.match(self.text, self.words[i].end))

    def _is_subject(self, i: int) -> bool:
        return [w.key for w in self.words[i : i + len(self.subject)]] == self.subject

    def _denied(self, start: int, at: int) -> bool:
        before = self.text[max(start, at - _LOOK_BACK) : at]
        clause = _CLAUSE.split(before)[-1]
        return bool(_DENIED.search(clause) or _ELSEWHERE.search(clause))

    def _look_for_another(self, stated: Stated, end: int) -> None:
        joint = _OR.match(self.text, stated.end, end)
        other = self._name_at(joint.end(), end) if joint else None
        if joint and other and (other.known or (joint["joint"] != "," and _ENDS.match(self.text, other.end))):
            self.offers_another = self.offers_another or not stated.means & other.means


@cache
def _forms(kind: str, subject: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What announces an answer, and what may follow one instead of an end."""
    noun = {
        "capital": r"capital(?: city)?(?: and (?:the )?(?:largest|biggest|most populous) city)?",
        "currency": r"(?:currency|money|monetary unit|legal tender)",
        "symbol": r"(?:symbol|abbreviation)",
        "number": r"(?:atomic number|number of protons|number)",
    }.get(kind, "name")
    named = r"\W+".join(re.escape(word.text) for word in _words(fold(subject).text))
    aside = r"(?:\s*\([^()\n]{1,20}\))?(?:,[^,.\n]{1,60},)?"
    of = rf"(?:\s+(?:of|for|in)\s+(?:the\s+)?(?:element\s+|country\s+(?:of\s+)?)?{named}\b)?{aside}"
    lead = rf"\b{noun}{of}[\"'”’*_`]*(?:\s+is\b|\s*[:=→])"
    if kind == "capital":
        lead += r"|\b(?:has|with)\b"
    if kind == "currency":
        lead += r"|\b(?:uses?|using|pays? (?:in|with)|spends?)\b"
    if kind == "symbol":
        lead += rf"|\b{named}[\"'”’*_`]*(?:\s+is\b|\s*[:=(–-])"
        lead += r"|\b(?:represented|denoted|abbreviated|written|symboli[sz]ed|shown)\s+(?:by|as|with)\b"
    if kind == "number":
        lead += rf"|\bnumber{of}|\b{named}[\"'”’*_`]*(?:\s+is\b|\s*[:=(–-])|\b(?:has|have|with|contains)\b"
    trail = (
        rf"[\"'”’)*_`]*\s+is\s+(?:the\s+|its\s+|{named}['’]s\s+)?(?:(?:chemical|official|national|current)\s+){{0,2}}"
        rf"(?:(?:largest|biggest) city and (?:the )?)?"
        rf"{noun}{of}(?!\s+(?:of|in|for|city|and))|\s+as\s+(?:its|the)\s+{noun}"
    )
    if kind == "number":
        trail += r"|\s+protons"
    return re.compile(lead, re.IGNORECASE), re.compile(trail, re.IGNORECASE)
