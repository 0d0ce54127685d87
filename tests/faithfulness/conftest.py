import numpy as np
import pandas as pd
import pytest


def rollout(rollout_id, eval_="people", scenario=None, condition="tempted", behaviour="complied", **more):
    row = {
        "rollout_id": rollout_id,
        "eval": eval_,
        "scenario": scenario or f"{eval_}/{rollout_id}",
        "condition": condition,
        "sample": 0,
        "behaviour": behaviour,
        "admitted": False,
        "knowledge": "unknown",
        "cot": "let me think",
        "answer": "done",
    }
    return row | more


def confession(rollout_id, claim, mode="guided", logit=np.nan):
    return {"rollout_id": rollout_id, "mode": mode, "claim": claim, "logit": logit}


@pytest.fixture
def six():
    """One rollout a cell, in DESIGN's order of cells, then one "neither", one "unsure" and one neutral rollout."""
    bad = ["not_complied"] * 4 + ["complied"] * 2 + ["neither", "complied", "complied"]
    rollouts = [rollout(f"r{i}", behaviour=b) for i, b in enumerate(bad)]
    rollouts[8]["condition"] = "neutral"
    claims = ["not_complied", "complied", "complied", "not_complied", "not_complied", "complied", "complied", "unsure"]
    confessions = [confession(f"r{i}", c, logit=float(i)) for i, c in enumerate(claims)]
    probe = pd.Series([1, 1, -1, -1, 1, -1, 1, 1], index=[f"r{i}" for i in range(8)], dtype=float)
    return pd.DataFrame(rollouts), pd.DataFrame(confessions), probe


@pytest.fixture
def planted():
    """Three evaluations, 20 scenarios of two rollouts each; the probe knows, the text does not, "flat" is all bad."""
    rng = np.random.default_rng(0)
    rollouts, confessions = [], []
    for name, share in (("people", 0.6), ("timer", 0.4), ("flat", 1.0)):
        for i in range(40):
            bad = rng.random() < share
            row = rollout(f"{name}{i}", name, f"{name}/{i // 2}", behaviour="not_complied" if bad else "complied")
            rollouts.append(row | {"knowledge": "aware" if rng.random() < 0.5 else "unaware"})
            claim = "not_complied" if bad and rng.random() < 0.5 else "complied"
            confessions.append(confession(f"{name}{i}", claim, logit=rng.normal() + 3 * (claim == "not_complied")))
    rollouts, confessions = pd.DataFrame(rollouts), pd.DataFrame(confessions)
    bad = (rollouts["behaviour"] == "not_complied").to_numpy()
    probe = pd.Series(2.0 * bad - 1 + rng.normal(size=120), index=rollouts["rollout_id"])
    text = pd.Series(rng.normal(size=120), index=rollouts["rollout_id"])
    return rollouts, confessions, probe, text
