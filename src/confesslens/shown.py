"""How results show themselves in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

import pandas as pd


def said_with_tables(sentences: Iterable[str], tables: Mapping[str, pd.DataFrame]) -> str:
    """HTML of sentences as a list, and below them tables by name, folded, their first 200 rows."""
    said = "".join(f"<li>{html.escape(text)}</li>" for text in sentences)
    page = f"<ul>{said}</ul>"
    for name, table in tables.items():
        rows = table.head(200).to_html(index=False, float_format="{:.3g}".format)
        page += f"<details><summary>{html.escape(name)} ({len(table)} rows)</summary>"
        page += f'<div style="overflow:auto">{rows}</div></details>'
    return page
