"""Scores of tokens, and how they are shown: coloured text in a notebook, in a terminal, and as data."""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_HIGH, _LOW = (213, 94, 0), (0, 114, 178)  # vermillion and blue of Okabe and Ito: told apart by all colour vision
_STRONGEST = 0.55  # share of colour at the largest score: black text stays above 4.5 : 1
_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"


@dataclass(frozen=True, eq=False)
class TokenScores:
    """A probe's score at every token of one text.

    Attributes:
        texts: [token] the text that each token adds; together the whole text.
        ids: [token] token ids.
        scores: [token] in log-odds; above 0 the probe says `classes[1]`.
        parts: [token] the span that each is of, such as "prompt" or "answer".
        place: which activations were read.
        site: where the probe was fitted; empty when that is not known.
        site_score: the probe's own score there; None where the text has no such site.
        classes: [2] names of the two classes.
    """

    texts: list[str]
    ids: list[int]
    scores: NDArray[np.float64] = field(repr=False)
    parts: list[str] = field(repr=False)
    place: str
    site: str
    site_score: float | None
    classes: list[str]

    def to_frame(self) -> pd.DataFrame:
        """One row a token: position, token, id, part, score."""
        columns = {"position": range(len(self.ids)), "token": self.texts, "id": self.ids, "part": self.parts}
        return pd.DataFrame({**columns, "score": self.scores})

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        names = ("token", "id", "part", "score")
        rows = zip(self.texts, self.ids, self.parts, np.round(self.scores, 4).tolist(), strict=True)
        return {
            "place": self.place,
            "site": self.site,
            "site_score": None if self.site_score is None else round(self.site_score, 4),
            "classes": self.classes,
            "tokens": [dict(zip(names, row, strict=True)) for row in rows],
        }

    @property
    def limit(self) -> float:
        """The size of score that has the strongest colour: the 98th percentile."""
        known = np.abs(self.scores[~np.isnan(self.scores)])
        return max(float(np.quantile(known, 0.98)) if len(known) else 0.0, 1e-6)

    def summary(self) -> str:
        """One sentence: what the scores are, the probe's own verdict, and the tokens that score highest."""
        bad, good = self.classes[1], self.classes[0]
        text = f"Probe at {self.place}: above 0 (underlined) speaks for {bad}, below 0 for {good}."
        if self.site_score is not None:
            verdict = bad if self.site_score > 0 else good
            text += f" At its own site, {self.site}, it scores {self.site_score:+.2f}: {verdict}."
        elif self.site:
            text += f" Its own site, {self.site}, is not in this text, so there is no verdict."
        order = np.argsort(-np.nan_to_num(self.scores, nan=-np.inf))[:5]
        named = ", ".join(f"{visible(self.texts[i]).strip() or 'space'} {self.scores[i]:+.2f}" for i in order)
        return f"{text} Highest: {named}."

    def shades(self) -> list[tuple[int, int, int]]:
        """[token] background colours, white at 0."""
        share = np.clip(np.nan_to_num(self.scores) / self.limit, -1, 1)
        return [
            tuple(round(255 + (own - 255) * _STRONGEST * abs(s)) for own in (_HIGH if s > 0 else _LOW))  # type: ignore[misc]
            for s in share
        ]

    def to_rich(self) -> Any:
        """Coloured text for a terminal (`rich.text.Text`); tokens above 0 are underlined, whatever the colours."""
        from rich.text import Text

        out = Text()
        for text, score, (r, g, b) in zip(self.texts, self.scores, self.shades(), strict=True):
            line = " underline" if score > 0 else ""
            out.append(visible(text), style=f"black on rgb({r},{g},{b}){line}")
        return out

    def _repr_html_(self) -> str:
        spans = []
        for text, score, (r, g, b) in zip(self.texts, self.scores, self.shades(), strict=True):
            if not text:
                continue
            mark = ";text-decoration:underline;text-underline-offset:3px" if score > 0 else ""
            spans.append(
                f'<span style="background:#{r:02x}{g:02x}{b:02x}{mark}" title="{score:+.2f}">'
                f"{html.escape(visible(text))}</span>"
            )
        rows = "".join(
            f"<tr><td>{i}</td><td>{html.escape(visible(t))}</td><td>{html.escape(p)}</td><td>{s:+.2f}</td></tr>"
            for i, (t, p, s) in enumerate(zip(self.texts, self.parts, self.scores, strict=True))
        )
        (r, g, b), (r2, g2, b2) = (tuple(round(255 + (own - 255) * _STRONGEST) for own in end) for end in (_LOW, _HIGH))
        scale = (
            f'<span aria-hidden="true" style="font-size:85%">{-self.limit:+.1f} <span style="display:inline-block;'
            "width:9em;height:.8em;vertical-align:middle;"
            f'background:linear-gradient(90deg,rgb({r},{g},{b}),#fff,rgb({r2},{g2},{b2}));border:1px solid #999">'
            f"</span> {self.limit:+.1f}</span>"
        )
        return (
            '<figure style="margin:0;max-width:60em;color:#000;background:#fff;padding:.5em">'
            '<figcaption style="font-size:85%;margin-bottom:.4em">'
            f"{html.escape(self.summary())}<br>{scale}</figcaption>"
            f'<span style="{_HIDDEN}">Text, coloured by score; the scores are in the table after it.</span>'
            '<div style="white-space:pre-wrap;font-family:monospace;line-height:1.7;unicode-bidi:isolate;'
            f'overflow-wrap:anywhere">{"".join(spans)}</div>'
            '<details style="font-size:85%"><summary>Scores as a table</summary><div style="max-height:20em;'
            'overflow:auto"><table><caption>Score of every token</caption><thead><tr><th scope="col">position</th>'
            '<th scope="col">token</th><th scope="col">part</th><th scope="col">score</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div></details></figure>"
        )


def visible(text: str) -> str:
    """Text in which nothing acts: control and direction characters are shown by their code."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co") else f"⟨U+{ord(c):04X}⟩"
        for c in text
    )
