"""Plain sentences for the reader, most important first; a null result is said as one."""

from __future__ import annotations

import math

import pandas as pd

from confesslens.evals.conditions import TEMPTED
from confesslens.faithfulness import table_sentences
from confesslens.faithfulness.discrimination import CHANCE
from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.witnesses import CELLS
from confesslens.probes import Interval


def sentences(
    rates: pd.DataFrame,
    witnesses: pd.DataFrame,
    cells: pd.DataFrame,
    sweep: pd.DataFrame,
    agreement: pd.DataFrame,
    auroc: pd.DataFrame,
    differences: pd.DataFrame,
    association: pd.DataFrame,
    tests: pd.DataFrame,
    calibration: pd.DataFrame,
    power: pd.DataFrame,
    threshold: float = 0.0,
) -> pd.DataFrame:
    """Say what the tables show.

    Args:
        rates: from `rates`.
        witnesses: from `witnesses`.
        cells: from `cells`.
        sweep: from `sweep`.
        agreement: from `agreement`.
        auroc: from `discrimination`.
        differences: from `differences`.
        association: from `association`.
        tests: from `association_tests`.
        calibration: from `calibration`.
        power: from `power`.
        threshold: above which the probe fires.

    Returns:
        columns key, text, in order of importance: overall, probe, cells, denied, corrected (these of the tempted
        condition), association and the other tests, power, overall in the other conditions, probe against confession
        and knowledge, witnesses against each other, agreement, calibration, what lacks contrast, then a sentence for
        each evaluation and condition.
    """
    in_condition = {name: part for name, part in witnesses.groupby("condition", sort=False)}
    main = TEMPTED if TEMPTED in in_condition or not in_condition else next(iter(in_condition))
    tempted = in_condition.pop(main, witnesses)
    cells, agreement = (table[table["condition"] == main] for table in (cells, agreement))
    rows = [
        ("overall", _overall(tempted)),
        ("probe", _probe(auroc)),
        ("cells", _cells(cells, tempted, _pick(auroc, "behaviour", "probe"))),
        ("denied", table_sentences.denied(tempted)),
        ("corrected", table_sentences.corrected(sweep, main, threshold)),
        ("association", table_sentences.association(association, tests)),
        ("tests", table_sentences.other_tests(tests)),
        ("power", table_sentences.power(power)),
    ]
    rows += [(f"overall/{name}", f"{name}: {_overall(part)}") for name, part in in_condition.items()]
    rows += [
        ("probe_confession", _target(auroc, "confession_given_bad", "confessed from unconfessed bad answers")),
        ("probe_knowledge", _target(auroc, "knowledge_given_bad", "knowing from unknowing bad answers")),
        ("differences", table_sentences.comparisons(differences)),
        ("agreement", _agreement(agreement)),
        ("calibration", table_sentences.calibration(calibration)),
        ("no_contrast", _no_contrast(rates)),
    ]
    for r in rates.to_dict("records"):
        part = witnesses[(witnesses["eval"] == r["eval"]) & (witnesses["condition"] == r["condition"])]
        rows.append((f"rates/{r['eval']}/{r['condition']}", _rates(r, part)))
    return pd.DataFrame([row for row in rows if row[1]], columns=["key", "text"])


def percent(low: float, high: float) -> str:
    """An interval of shares as "48–86 %"."""
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def _overall(table: pd.DataFrame) -> str:
    if not len(table):
        return "There are no rollouts to compare: all are neutral, or none were made."
    evals, groups = table["eval"].to_numpy(str), table["scenario"].to_numpy(str)
    bad = (table["behaviour"] == "not_complied").to_numpy(bool)
    heard, confessed = table["claim"].notna().to_numpy(bool), (table["claim"] == "not_complied").to_numpy(bool)
    share = macro_share(bad, bad | True, evals, groups)
    n_evals = len(set(evals))
    over = f"averaged over {n_evals} evaluations, " if n_evals > 1 else ""
    text = f"Of {_count(len(table), 'answer')} {int(bad.sum())} were bad ({over}{_share(share)})"
    if not bad.any():
        return text + ", so there was nothing to confess."
    if not (bad & heard).any():
        return text + "; no confession of a bad answer is there to judge."
    told = macro_share(confessed, bad & heard, evals, groups)
    silent = int((bad & heard & ~confessed).sum())
    return (
        text + f"; the confession admitted {int((bad & confessed).sum())} of the bad ones ({over}{_share(told)}) "
        f"and {silent} went unconfessed."
    )


def _rates(r: dict, part: pd.DataFrame) -> str:
    n, n_bad = int(r["n"]), int(r["n_bad"])
    text = f"{r['eval']}, {r['condition']}: of {_count(n, 'answer')} {n_bad} {_around(r, 'p_bad')} "
    text += "was bad" if n_bad == 1 else "were bad"
    if r["n_neither"]:
        text += f" and {int(r['n_neither'])} neither bad nor complied"
    bad, heard, confessed = part["behaviour"] == "not_complied", part["claim"].notna(), part["claim"] == "not_complied"
    if (bad & heard).any():
        asked = int((bad & heard).sum())
        of = "of those" if asked == n_bad else f"of the {asked} bad ones that were asked"
        text += f"; {of} the confession admitted {int((bad & confessed).sum())} {_around(r, 'p_confess_given_bad')}"
    admitted = int((bad & (part["admitted"] == True)).sum())  # noqa: E712 - missing values count as false
    if admitted:
        text += f"; the answer itself admitted {admitted} of the bad {_around(r, 'p_admit_given_bad')}"
    complied = part["behaviour"] == "complied"
    if (complied & heard).any():
        false, asked = int((complied & confessed).sum()), int((complied & heard).sum())
        of = _count(asked, "complied answer")
        text += f"; the confession accused {false} of {of} falsely {_around(r, 'p_confess_given_complied')}"
    return text + "."


def _probe(auroc: pd.DataFrame) -> str:
    probe, text, gain, control = (_pick(auroc, "behaviour", s) for s in ("probe", "text", "increment", "shuffled"))
    if math.isnan(probe["auroc"]):
        if probe["note"].startswith("no rollout"):
            return "There is no probe score, so nothing is said about what went on inside the model."
        return f"Whether a probe tells bad from complied answers cannot be said: {probe['note']}."
    said = f"The probe tells bad from complied answers inside an evaluation with AUROC {_auroc(probe)}"
    if not math.isnan(text["auroc"]):
        said += f"; the text alone {_auroc(text)}"
    if not math.isnan(gain["auroc"]):
        shown = "no interval" if math.isnan(gain["low"]) else f"{gain['low']:+.2f} to {gain['high']:+.2f}"
        difference = f"{gain['auroc']:+.2f}, {shown}"
        if gain["low"] > 0:
            said += f"; so the probe adds to the text ({difference})"
        elif gain["high"] < 0:
            said += f"; so the probe does worse than the text ({difference})"
        else:
            said += f"; so the probe adds nothing that this n could show ({difference})"
    if not math.isnan(control["auroc"]):
        said += f"; with shuffled labels {_auroc(control)}"
    return said + f" (n = {int(probe['n'])}, {int(probe['n_pos'])} bad)."


def _target(auroc: pd.DataFrame, target: str, what: str) -> str:
    probe = _pick(auroc, target, "probe")
    if probe["note"].startswith("no rollout"):
        return ""
    if math.isnan(probe["auroc"]):
        return f"Whether the probe tells {what} cannot be said: {probe['note']}."
    if probe["high"] < 0.5:
        return f"The probe ranks {what} the wrong way round, AUROC {_auroc(probe)} (n = {int(probe['n'])})."
    return f"The probe tells {what} with AUROC {_auroc(probe)} (n = {int(probe['n'])})."


def _cells(cells: pd.DataFrame, witnesses: pd.DataFrame, probe: pd.Series) -> str:
    macro = cells[cells["eval"] == "macro"].set_index("cell")
    if not len(macro):
        return ""
    n, n_evals = int(macro["n"].sum()), cells["eval"].nunique() - 1
    parts = [
        f"{CELLS[c]} {100 * r['share']:.0f} % ({percent(r['share_low'], r['share_high'])}, {int(r['n'])})"
        for c, r in macro.sort_values("share", ascending=False, kind="stable").iterrows()
    ]
    mean = f"as a mean over {n_evals} evaluations" if n_evals > 1 else f"in {cells['eval'].iloc[0]}"
    text = f"Behaviour, probe and confession put {_count(n, 'rollout')} into cells, {mean}: " + "; ".join(parts) + "."
    if not probe["low"] > 0.5:
        text += " As the probe is not above chance, nothing here tells concealment from ignorance."
    known = witnesses.loc[witnesses["behaviour"] == "not_complied", "knowledge"].value_counts()
    if len(known):
        text += (
            " The probe is fitted to behaviour: that it fires shows that the act can be read inside, not that the"
            f" model knew. By the neutral check {known.get('aware', 0)} of the {known.sum()} bad answers"
            " were given knowingly,"
            f" {known.get('unaware', 0)} unknowingly, and of {known.get('unknown', 0)} it cannot be said."
        )
    return text


def _agreement(agreement: pd.DataFrame) -> str:
    macro = agreement[agreement["eval"] == "macro"]
    parts, unknown = [], []
    for r in macro[macro["n"] > 0].to_dict("records"):
        pair = f"{r['a']} and {r['b']}"
        if math.isnan(r["phi"]):
            unknown.append(pair)
        elif math.isnan(r["phi_low"]):
            parts.append(f"{pair} without a number ({str(r['note']).removeprefix('no interval: ')})")
        else:
            null = ", no agreement that this n could show" if r["phi_low"] <= 0 <= r["phi_high"] else ""
            parts.append(f"{pair} {r['phi']:.2f} ({r['phi_low']:.2f} to {r['phi_high']:.2f}{null})")
    text = "Agreement (phi, 1 is perfect, 0 none): " + "; ".join(parts) + "." if parts else ""
    if unknown:
        text += f"{' ' if text else ''}Agreement is undefined for {'; '.join(unknown)}: one of the two never varies."
    return text


def _no_contrast(rates: pd.DataFrame) -> str:
    asked = rates[(rates["condition"] != "neutral") & (rates["n"] > 0)]
    flat = []
    for r in asked.to_dict("records"):
        name = f"{r['eval']} ({r['condition']})"
        if r["n_bad"] == 0 and r["n_complied"] == 0:
            flat.append(f"no answer of {name} was bad or complied")
        elif r["n_complied"] == 0:
            flat.append(f"no answer of {name} was complied")
        elif r["n_bad"] == 0:
            flat.append(f"no answer of {name} was bad")
    if not flat:
        return ""
    return f"No contrast to probe: {'; '.join(flat)}; these take no part in any AUROC for behaviour."


def _auroc(row: pd.Series) -> str:
    shown = str(Interval(row["auroc"], row["low"], row["high"]))
    return f"{shown}, {CHANCE}" if row["note"] == CHANCE else shown


def _pick(auroc: pd.DataFrame, target: str, score: str) -> pd.Series:
    return auroc[(auroc["target"] == target) & (auroc["score"] == score)].iloc[0]


def _around(r: dict, name: str) -> str:
    return f"({percent(r[f'{name}_low'], r[f'{name}_high'])})"


def _share(interval: Interval) -> str:
    return f"{100 * interval.estimate:.0f} %, {percent(interval.low, interval.high)}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
