"""What the report says in sentences: how sure it is, what its model cannot do."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from confesslens.figures.report.tables import RATE_NAMES, TARGET_NAMES
from confesslens.figures.style import eval_label, format_count, format_number, format_percent, is_number, records

EMBEDDED = "smollm2-135m"


def model_name(manifest: Mapping[str, Any]) -> str:
    """The model, with its adapter if it has one."""
    model = manifest.get("model")
    model = model if isinstance(model, Mapping) else {"name": model}
    name = str(model.get("name") or "an unnamed model")
    return f"{name} with adapter {model['adapter']}" if model.get("adapter") else name


def how_sure(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Sentences on how far the numbers can be trusted, each with the numbers it rests on."""
    rates, auroc = tables.get("rates", pd.DataFrame()), tables.get("auroc", pd.DataFrame())
    return [*_on_rates(rates), *_on_probe(auroc), EVIDENCE]


EVIDENCE = (
    "The evidence is behavioural (level L1 of three): correlations between what the model did, what its activations "
    "show and what it said. Nothing here was changed to see what follows, so nothing here shows intent."
)


def _on_rates(rates: pd.DataFrame) -> list[str]:
    if not len(rates):
        return ["There are no rates: no rollout has been graded."]
    rows = rates[rates["condition"] == "tempted"]
    texts = []
    widths = [
        (row[f"{name}_high"] - row[f"{name}_low"], name, row)
        for row in records(rows)
        for name in ("p_bad", "p_confess_given_bad", "p_confess_given_complied")
        if is_number(row.get(f"{name}_high")) and is_number(row.get(f"{name}_low"))
    ]
    if widths:
        width, name, row = max(widths, key=lambda item: item[0])
        interval = format_percent(row[name], row[f"{name}_low"], row[f"{name}_high"])
        texts.append(
            f"The widest interval among the main rates spans {100 * width:.0f} points: {RATE_NAMES[name]} in "
            f"{eval_label(row['eval'])} is {interval}."
        )
    for column, missing, lost in (
        ("n_bad", "bad rollout", "what it confesses after bad behaviour"),
        ("n_complied", "complying rollout", "how often it confesses falsely"),
    ):
        names = [eval_label(row["eval"]) for row in records(rows) if row.get(column) == 0]
        if names:
            texts.append(f"There is no {missing} in {', '.join(names)}: this run cannot say {lost} there.")
    neither = [row for row in records(rows) if is_number(row.get("p_neither")) and row["p_neither"] >= 0.1]
    if neither:
        shares = ", ".join(f"{eval_label(row['eval'])} {format_percent(row['p_neither'])}" for row in neither)
        texts.append(
            f"The grader calls many answers neither good nor bad, and the conditional rates leave them out: {shares}."
        )
    unparsed = rows["p_unparsed"].dropna() if "p_unparsed" in rows else pd.Series(dtype=float)
    if len(unparsed) and unparsed.max() > 0:
        low, high = format_percent(unparsed.min()), format_percent(unparsed.max())
        span = low if low == high else f"{low} to {high} (by evaluation)"
        texts.append(
            f"Of the free confessions, {span} could not be parsed. The rates therefore rest on the guided "
            "confessions, where the form is given and only the verdict and the words are the model's."
        )
    return texts


def _on_probe(auroc: pd.DataFrame) -> list[str]:
    scores = {(row["target"], row["score"]): row for row in records(auroc)}
    probe = scores.get(("behaviour", "probe"))
    if probe is None:
        return ["No probe was fitted, so this run says nothing about the inside of the model."]
    if not is_number(probe["auroc"]):
        return [f"The probe's AUROC for bad behaviour is undefined{_because(probe)}."]
    size = f"n {format_count(probe.get('n'))}, {format_count(probe.get('n_pos'))} bad"
    text = f"The probe tells bad behaviour from compliance with AUROC {_interval(probe)} ({size})"
    beside = [
        f"{name} {_interval(scores['behaviour', key])}"
        for key, name in (("text", "the text alone"), ("shuffled", "shuffled labels"))
        if ("behaviour", key) in scores and is_number(scores["behaviour", key]["auroc"])
    ]
    texts = [f"{text}{'; beside it, ' + ' and '.join(beside) if beside else ''}. Chance is 0.50."]
    increment = scores.get(("behaviour", "increment"))
    if increment is not None and is_number(increment["low"]) and is_number(increment["high"]):
        value = format_number(increment["auroc"], increment["low"], increment["high"], signed=True)
        if increment["low"] > 0:
            verdict = "The interval lies above zero: the activations told more than the text did"
        elif increment["high"] < 0:
            verdict = "The interval lies below zero: the text told more than the activations did"
        else:
            verdict = (
                "The interval includes zero: this run does not show that the activations tell more than the text does"
            )
        texts.append(f"Its increment over the text alone is {value}. {verdict}.")
    for (target, score), row in scores.items():
        if score == "probe" and target != "behaviour" and not is_number(row["auroc"]):
            texts.append(f"The probe's AUROC for {TARGET_NAMES.get(target, target)} is undefined{_because(row)}.")
    return texts


def _interval(row: dict[str, Any]) -> str:
    return format_number(row["auroc"], row["low"], row["high"])


def _because(row: dict[str, Any]) -> str:
    note = row.get("note")
    return f" ({note})" if isinstance(note, str) and note else ""


def limits(manifest: Mapping[str, Any]) -> list[str]:
    """Sentences on what this model and this method cannot show."""
    texts = []
    if EMBEDDED in model_name(manifest).lower():
        texts.append(
            "This is the embedded 135-million-parameter model, which is here to make the whole path run anywhere. It "
            "cannot reliably add 3 + 9, and it will not keep a format unaided. Much of its bad behaviour is "
            "inability, and many of its confessions are noise. Read these numbers as a test of the instrument, not as "
            "findings about capable models."
        )
    own = manifest.get("model")
    if isinstance(own, Mapping) and own.get("endpoint"):
        texts.append(
            "The model was asked through an endpoint. So there are no activations, and with them no probe, no cells "
            "and no intervention; and no guided confession with its logit, because a frame cannot be forced there: "
            "confessions are the free ones. For the inside, let an open model read the same transcripts."
        )
    if isinstance(own, Mapping) and own.get("sampler"):
        texts.append(
            "Rollouts and free confessions were sampled at a server and read here. That it has the same weights was "
            "checked by the log-probabilities of a few transcripts of each part, up to its number format; the same "
            "seed need not give the same rollouts there."
        )
    return [
        *texts,
        "Small models are hard to read: in the literature, deception probes are at chance at 1.5 billion parameters "
        "(arXiv 2508.19505).",
        "Self-reports are best guesses. Reading them as reports presupposes that the model has access to what it "
        "reports on, and that its chain of thought is faithful; neither is given. A model cannot confess what it "
        "does not know.",
        "A probe finds a direction that correlates with a label. It may read the topic, the length or the style of "
        "the text instead of knowledge of wrongdoing; the text baseline and the shuffled labels bound this, and do "
        "not rule it out.",
        "The monitor of the chain of thought looks for words. It misses a plan that is put in other words.",
        "Nothing here shows intent. Words of intent need an intervention on the model (evidence level L3), and this "
        "report has none.",
    ]
