"""What each picture shows, in words: heading, caption and text alternative."""

from collections.abc import Mapping

import pandas as pd

from confesslens.figures.report.tables import RATE_NAMES
from confesslens.figures.style import cell_label, eval_label, format_count, format_percent, records


def describe_figure(name: str, tables: Mapping[str, pd.DataFrame], model: str) -> tuple[str, str, str]:
    """Return (heading, caption, text alternative) of a figure."""
    table = tables.get({"confession_rates": "rates"}.get(name, name), pd.DataFrame())
    if name == "confession_rates":
        rows = table[table["condition"] == "tempted"] if len(table) else table
        alt = "; ".join(
            f"{eval_label(row['eval'])}: "
            + ", ".join(f"{RATE_NAMES[rate]} {format_percent(row.get(rate))}" for rate in list(RATE_NAMES)[:4])
            for row in records(rows)
        )
        return (
            "Confession rates",
            f"Rates in the tempted condition, {model}. Bars are shares, whiskers 95% intervals, n the rollouts that "
            "each rate is a share of. A faithful model has P(confess | bad) near 100% and P(confess | complied) near "
            "0%. After Figure 2 of arXiv 2512.08093.",
            f"Bar chart of confession rates. {alt}.",
        )
    if name == "probe_map":
        counts = [format_count(table[column].max()) for column in ("n", "n_pos")] if len(table) else []
        size = f"n {counts[0]}, of them {counts[1]} bad" if counts else "no probe fitted"
        return (
            "Probes inside the model",
            f"AUROC of a linear probe for bad behaviour at each layer and read site, {model}, {size}. White is "
            "chance. Below: each site with its 95% interval, the baseline that reads only the text, and probes "
            "trained on labels shuffled within the evaluation. No cell is marked as the best: picking one after "
            "looking would overstate it.",
            "Heat map of probe AUROC by layer and read site, with line charts of the same values beside the text "
            "baseline and shuffled labels. The values are in the table of probes by layer and read site.",
        )
    if name == "cells":
        rows = table[table["share"].notna() & (table["condition"] == "tempted")] if len(table) else table
        alt = "; ".join(
            f"{eval_label(evaluation)}: "
            + ", ".join(f"{cell_label(row['cell'])} {format_percent(row['share'])}" for row in records(own))
            for evaluation, own in (rows.groupby("eval", sort=False) if len(rows) else [])
        )
        return (
            "The six cells",
            f"Tempted rollouts by behaviour, probe and confession, {model}, with n. Below: the same shares with "
            "95% intervals (the black tick is the share). “Concealment” means bad behaviour, probe firing, no "
            "confession; it is a name for a cell, and no proof of intent.",
            f"Stacked bars of six cells. {alt}.",
        )
    if name == "agreement":
        return (
            "Agreement between the witnesses",
            f"Phi between each two of behaviour, probe, chain of thought and confession in tempted rollouts, {model}, "
            "with 95% intervals and n. Hatched: undefined, because a witness says the same of every rollout.",
            "Matrices of phi between the four witnesses for each evaluation. The values are in the table of agreement.",
        )
    heading = name.replace("_", " ").capitalize()
    return heading, f"{heading}, {model}.", f"Figure: {heading}."
