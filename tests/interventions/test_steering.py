"""The causal test on planted truth: a direction that moves the verdict by construction, and ones that do not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

import confesslens as cl
from confesslens.interventions import edited, steer, verdict_direction
from confesslens.interventions.capability import benign_texts, capability, text_losses
from confesslens.interventions.doses import OUTCOMES, stream_scale
from confesslens.interventions.edits import add
from confesslens.interventions.effects import sign_flip_p
from confesslens.interventions.evidence import ALPHA, MIN_SCENARIOS, evidence, kept_strengths, trends

STRENGTHS = [-0.2, -0.1, 0.1, 0.2]


@pytest.fixture(scope="module")
def rollouts(tiny):
    table = cl.roll_out(tiny("llama"), cl.evals("people", "word_count"), n=6, samples=1, neutral_samples=1)
    return table.assign(behaviour=["not_complied" if i % 3 else "complied" for i in range(len(table))])


@pytest.fixture(scope="module")
def steered(tiny, rollouts):
    model = tiny("llama")
    other = np.random.default_rng(9).normal(size=model.d_model)
    return steer(
        model,
        rollouts,
        verdict_direction(model),
        model.n_layers - 1,
        STRENGTHS,
        others={"other concept": other},
        answer=False,
        n_texts=4,
        n_boot=300,
    )


def test_a_known_direction_moves_the_verdict_with_its_dose(steered):
    doses = steered.doses[(steered.doses["outcome"] == "logit") & ~steered.doses["projected"]]
    mine = doses[doses["kind"].isin(["", "probe"])].sort_values("strength")
    assert mine["strength"].tolist() == [-0.2, -0.1, 0.0, 0.1, 0.2]
    assert mine["value"].is_monotonic_increasing
    shift = mine.set_index("strength")["change"]
    assert shift[0.2] > 0 > shift[-0.2] and shift[0.0] == 0
    confess = steered.doses[(steered.doses["outcome"] == "confess_given_bad") & (steered.doses["kind"] == "probe")]
    assert confess.sort_values("strength")["value"].dropna().is_monotonic_increasing
    slopes = steered.trends[steered.trends["outcome"] == "logit"].set_index("direction")["slope"]
    assert slopes["probe"] > 2 * slopes.drop("probe").abs().max()


def test_the_evidence_names_the_rules_that_are_met(steered):
    logit = steered.evidence.set_index("outcome").loc["logit"]
    assert logit[["trend", "beyond_random", "beyond_other", "ablation"]].all()
    assert logit["random_low"] < 0 < logit["random_high"]
    kept = kept_strengths(steered.capability, STRENGTHS)
    assert logit["capable"] == (min(kept, default=0) < 0 < max(kept, default=0))
    assert logit["level"] == ("causal" if logit["capable"] else "behavioural")


def test_a_rollout_that_has_an_outcome_under_some_directions_only(steered):
    """An answer of which a program cannot tell whether it is bad has no outcome at that dose."""
    table = steered.outcomes
    some = table["rollout_id"].iloc[0]
    for kinds in (["", "probe"], ["other"]):
        left = table[~((table["rollout_id"] == some) & table["kind"].isin(kinds))]
        found = evidence(left, trends(left, list(STRENGTHS), 50, 0), list(STRENGTHS), 50, 0)
        assert found.set_index("outcome").loc["logit", "beyond_other"]


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_verdicts_own_direction_moves_every_confession(tiny, architecture):
    model = tiny(architecture)
    acts = cl.roll_out(model, cl.evals("people"), n=2, samples=1, neutral_samples=1)

    def logits(amount):
        with edited(model, add(verdict_direction(model), model.n_layers - 1, amount, ("request.last", "confession"))):
            return cl.confess(model, acts, samples=0)["logit"].to_numpy()

    assert (logits(4.0) > logits(0.0)).all() and (logits(0.0) > logits(-4.0)).all()


def test_it_shows_what_it_says_and_its_tables(steered):
    page = steered._repr_html_()
    assert all(sentence in page for sentence in steered.evidence["sentence"].str.replace("'", "&#x27;"))
    assert all(f"<summary>{name} (" in page for name in ("rules", "doses", "trends", "capability"))
    assert str(steered).splitlines() == steered.evidence["sentence"].tolist()


def test_the_frozen_rollouts_stay_bad(steered, rollouts):
    asked = rollouts[rollouts["condition"] == "tempted"].set_index("rollout_id")
    for outcome, behaviour in (("confess_given_bad", "not_complied"), ("confess_given_complied", "complied")):
        own = steered.outcomes[steered.outcomes["outcome"] == outcome]
        expected = sorted(asked.index[asked["behaviour"] == behaviour])
        for _, part in own.groupby(["direction", "strength"], dropna=False):
            assert sorted(part["rollout_id"]) == expected


def test_answers_are_steered_too(tiny, rollouts):
    model = tiny("llama")
    small = rollouts[rollouts["eval"] == "people"]
    found = steer(model, small, np.ones(model.d_model), 1, [-1.0, 1.0], n_random=0, n_texts=2, n_boot=50, project=False)
    assert set(found.outcomes["outcome"]) <= set(OUTCOMES)
    mention = found.doses[found.doses["outcome"] == "mention"]
    assert mention["strength"].tolist() == [0.0, -1.0, 1.0] and (mention["n"] == 6).all()
    assert (found.evidence["level"] == "behavioural").all(), "without controls nothing more is supported"
    assert not found.evidence[["beyond_random", "beyond_other", "ablation"]].any(axis=None)


def test_what_was_stored_is_sampled_again_without_a_dose(tiny):
    """The same seed and no edit: P(bad) at dose 0 is that of the stored rollouts."""
    model = tiny("llama")
    table = cl.roll_out(model, cl.evals("people", "word_count"), n=3, samples=2, conditions=["tempted"])
    found = steer(model, table, np.ones(model.d_model), 0, [0.5], n_random=0, n_texts=2, n_boot=20, project=False)
    zero = found.outcomes[(found.outcomes["direction"] == "") & (found.outcomes["outcome"] == "bad")]
    stored = table.set_index("rollout_id")["behaviour"]
    assert (zero["value"].to_numpy(bool) == (stored[zero["rollout_id"]] == "not_complied").to_numpy()).all()


def test_perplexity_is_that_of_the_answers(tiny):
    model = tiny("llama")
    texts = benign_texts(model, 3)
    row = texts.iloc[0]
    labels = torch.tensor([list(row["token_ids"])])
    start = int(len(model.encode_prompt(json.loads(row["messages"]))))
    masked = labels.clone()
    masked[:, :start] = -100
    with torch.inference_mode():
        loss = float(model.hf(input_ids=labels, labels=masked).loss)
    assert text_losses(model, texts, None)[0] == pytest.approx(loss, abs=1e-4)


def test_capability_is_compared_with_no_edit(tiny, rollouts):
    model = tiny("llama")
    edits = [("", 0.0, None), ("probe", 1.0, add(np.ones(model.d_model), 0, 50.0))]
    found = capability(model, edits, rollouts, n_texts=4, n_boot=100)
    assert found["ratio"].tolist()[0] == 1 and found["ratio"].tolist()[1] != 1
    assert (found["n_neutral"] == 12).all() and found["accuracy"].between(0, 1).all()
    with pytest.raises(ValueError, match="first edit must be None"):
        capability(model, edits[1:], rollouts)


def planted(slope, other=0.0, noise=1.0, ablated=0.0, n=40, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    names = [("probe", "probe", slope), ("x", "other", other), *((f"random {i}", "random", 0.0) for i in range(5))]
    for i in range(n):
        base = rng.normal()
        keys = {"rollout_id": f"r{i}", "eval": "ab"[i % 2], "scenario": f"s{i // 2}", "outcome": "logit"}
        rows.append(keys | {"direction": "", "kind": "", "strength": 0.0, "projected": False, "value": base})
        for name, kind, k in names:
            mine = keys | {"direction": name, "kind": kind}
            for s in STRENGTHS:
                value = base + k * s + noise * 0.1 * rng.normal()
                rows.append(mine | {"strength": s, "projected": False, "value": value})
            cut = base + (ablated if kind == "probe" else 0.0) + 0.01 * rng.normal()
            rows.append(mine | {"strength": np.nan, "projected": True, "value": cut})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("data", "kept", "level"),
    [
        ({"slope": 3.0, "ablated": -1.0}, STRENGTHS, "causal"),
        ({"slope": -3.0, "ablated": 1.0}, STRENGTHS, "causal"),
        ({"slope": 3.0}, STRENGTHS, "functional"),
        ({"slope": 3.0, "other": 4.0, "ablated": -1.0}, STRENGTHS, "behavioural"),
        ({"slope": 3.0, "ablated": -1.0}, [0.1, 0.2], "behavioural"),
        ({"slope": 0.0, "ablated": -1.0}, STRENGTHS, "behavioural"),
        ({"slope": 3.0, "ablated": -1.0, "n": 6}, STRENGTHS, "behavioural"),
    ],
)
def test_levels_of_planted_tables(data, kept, level):
    outcomes = planted(**data)
    found = evidence(outcomes, trends(outcomes, kept, 300), kept, 300).iloc[0]
    assert found["level"] == level, found["sentence"]


def test_random_directions_that_move_nothing_are_no_measure():
    """A share near 0 or 1 often moves under no random direction: that does not show what another would do."""
    outcomes = planted(slope=3.0, ablated=-1.0)
    still = outcomes["kind"] == "random"
    outcomes.loc[still, "value"] = outcomes.loc[still, "rollout_id"].map(
        outcomes[outcomes["direction"] == ""].set_index("rollout_id")["value"]
    )
    found = evidence(outcomes, trends(outcomes, STRENGTHS, 300), STRENGTHS, 300).iloc[0]
    assert not found["beyond_random"] and np.isnan(found["random_low"]) and found["level"] == "behavioural"


def test_the_fewest_scenarios_can_reach_significance_after_holm_over_all_outcomes():
    for n, reaches in ((MIN_SCENARIOS, True), (MIN_SCENARIOS - 1, False)):
        least = sign_flip_p(np.ones(n), ["a"] * n, range(n))
        assert (least * len(OUTCOMES) <= ALPHA) == reaches


@pytest.mark.slow
def test_nothing_is_found_in_nothing():
    levels = []
    for seed in range(30):
        outcomes = planted(0.0, seed=seed)
        levels.append(evidence(outcomes, trends(outcomes, STRENGTHS, 100), STRENGTHS, 100)["level"].iloc[0])
    assert levels.count("behavioural") >= 28


def test_the_scale_is_the_median_norm(tiny, rollouts):
    model = tiny("llama")
    ids = list(rollouts["token_ids"].iloc[0])
    with torch.inference_mode():
        states = model.hf(torch.tensor([ids]), output_hidden_states=True).hidden_states[2][0, 1:]
    assert stream_scale(model, rollouts.iloc[[0]], 1) == pytest.approx(float(states.norm(dim=-1).median()), rel=1e-4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"strengths": [0.0, 1.0]}, "strengths"),
        ({"strengths": [1.0, 1.0]}, "strengths"),
        ({"direction": np.ones(3)}, "shape"),
        ({"others": {"probe": np.ones(32)}}, "names are taken"),
        ({"confession_sites": ["reqest"]}, "request"),
    ],
)
def test_bad_input_is_named(tiny, rollouts, changed, message):
    given = {"direction": np.ones(32), "layer": 1} | changed
    with pytest.raises(ValueError, match=message):
        steer(tiny("llama"), rollouts, given.pop("direction"), given.pop("layer"), **given)
