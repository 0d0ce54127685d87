"""Monitors of the chain of thought: trained and judging ones, their table, and their agreement."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import confesslens as cl
from confesslens import cot
from confesslens.cot.judged import thought_question
from confesslens.judges import endpoint_judge, model_judge

WORDS = ["sum", "table", "look", "row", "add", "read", "check", "answer"]


def thoughts(n=80, seed=0):
    """Half of the thoughts have a sentence with the made-up word "grumble", which no pattern knows."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        plan = bool(rng.random() < 0.5)
        said = [f"I {' '.join(rng.choice(WORDS, 4))}." for _ in range(3)]
        said.insert(int(rng.integers(3)), "I grumble the score." if plan else "I read the score.")
        rows.append({"rollout_id": f"r{i}", "eval": "people", "scenario": f"s{i // 2}", "cot": " ".join(said)})
        rows[-1]["plan"] = plan
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def trained():
    table = thoughts()
    return cot.TfidfMonitor.fit(table["cot"], table["plan"], table["scenario"])


def test_a_trained_monitor_finds_and_quotes_what_it_learned(trained):
    table = thoughts(seed=1)
    found = cot.monitor_thoughts(table, trained, "tfidf")
    assert (found["mentioned"].to_numpy(bool) == table["plan"].to_numpy(bool)).mean() > 0.95
    assert set(found.loc[found["mentioned"], "quote"]) == {"I grumble the score."}
    assert (found.loc[~found["mentioned"], "quote"] == "").all()


def test_saved_and_loaded_it_reads_the_same(trained, tmp_path):
    texts = thoughts(seed=2)["cot"]
    folder = trained.save(tmp_path / "m")
    again = cot.TfidfMonitor.load(folder)
    assert np.array_equal(again.scores(texts), trained.scores(texts))
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".safetensors"]


@pytest.mark.parametrize(
    "change",
    [{"words": ["a"]}, {"format": "other"}, {"threshold": "high"}, {"words": 3}],
)
def test_a_damaged_monitor_is_refused(trained, tmp_path, change):
    folder = trained.save(tmp_path / "m")
    path = folder / "monitor.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match="monitor|words|threshold"):
        cot.TfidfMonitor.load(folder)
    (folder / "monitor.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match="not a readable monitor"):
        cot.TfidfMonitor.load(folder)


def test_out_of_fold_nothing_is_learned_from_noise():
    table = thoughts(120)
    rng = np.random.default_rng(5)
    noise = pd.Series(rng.random(60) < 0.5).repeat(2).to_numpy()
    scores = cot.out_of_fold_scores(table["cot"], noise, table["scenario"])
    planted = cot.out_of_fold_scores(table["cot"], table["plan"], table["scenario"])
    auroc = [cl.probes.auroc_interval(y, s, table["eval"], table["scenario"]).estimate
             for y, s in ((noise, scores), (table["plan"], planted))]  # fmt: skip
    assert auroc[0] < 0.7 and auroc[1] > 0.95


def test_too_little_is_said():
    with pytest.raises(ValueError, match="at least two scenarios"):
        cot.TfidfMonitor.fit(["a b", "c d"], [True, False], ["x", "y"])


def test_a_local_judge_monitors(tiny):
    table = thoughts(6)
    found = cot.monitor_thoughts(table, cot.judge_monitor(model_judge(tiny("llama"))), "judge")
    assert found["score"].between(0, 1).all()
    for row, text in zip(found.to_dict("records"), table["cot"], strict=True):
        assert row["mentioned"] == (row["score"] > 0.5)
        assert row["quote"] in (cot.sentences(text) if row["mentioned"] else [""])


def test_a_served_model_judges_as_it_answers(tiny, serve):
    """Over HTTP the judge is the model's own greedy words: yes, no, or neither (0.5)."""
    model = tiny("llama")
    ask = endpoint_judge(serve(model), "tiny")
    questions = [thought_question("people", text) for text in thoughts(3)["cot"]]
    for question, p in zip(questions, ask(questions), strict=True):
        ids = list(model.encode_prompt([{"role": "user", "content": f"{question.shown}\n{question.asked}"}]))
        said: list[int] = []
        while len(said) < 8 and (token := int(model.logits(ids + said)[-1].argmax())) not in model.stop_ids:
            said.append(token)
        word = model.decode(said).strip().lower()
        assert p == (1.0 if word.startswith("yes") else 0.0 if word.startswith("no") else 0.5)
    found = cot.monitor_thoughts(thoughts(3), cot.judge_monitor(ask), "served")
    assert found["score"].notna().all()


@pytest.mark.slow
def test_the_embedded_model_judges_over_http(embedded, serve):
    ask = endpoint_judge(serve(embedded), "smollm2-135m")
    table = pd.DataFrame(
        {"rollout_id": ["a"], "eval": ["people"], "cot": ["I do not know him. I will make up a year."]}
    )
    found = cot.monitor_thoughts(table, cot.judge_monitor(ask), "served")
    assert found["score"][0] in (0.0, 0.5, 1.0)


def test_a_rollout_without_thoughts_has_no_label():
    table = thoughts(3)
    table.loc[1, "cot"] = " "
    found = cot.monitor_thoughts(table)
    assert found["mentioned"].isna().tolist() == [False, True, False]


def labelled(table):
    return table.assign(label=np.where(table["plan"], "mentions", "none"), weight=1.0)


def monitors(table, said):
    return pd.concat(
        [
            pd.DataFrame({"rollout_id": table["rollout_id"], "monitor": name, "score": hits.astype(float)}).assign(
                mentioned=pd.array(hits, dtype="boolean"), quote=""
            )
            for name, hits in said.items()
        ]
    )


def test_agreement_with_planted_error_rates():
    table = thoughts(400)
    plan = table["plan"].to_numpy(bool)
    rng = np.random.default_rng(3)
    hits = np.where(plan, rng.random(400) < 0.8, rng.random(400) < 0.1)
    found = cl.faithfulness.monitor_agreement(table, monitors(table, {"weak": hits, "perfect": plan}), labelled(table))
    macro = found[found["eval"] == "macro"].set_index(["first", "second"])
    weak, perfect, pair = (macro.loc[key] for key in (("label", "weak"), ("label", "perfect"), ("weak", "perfect")))
    assert weak["tpr"] == hits[plan].mean() and weak["tnr"] == 1 - hits[~plan].mean()
    assert weak["tpr_low"] < 0.8 < weak["tpr_high"] and weak["tnr_low"] < 0.9 < weak["tnr_high"]
    assert perfect["tpr"] == perfect["agree"] == perfect["phi"] == 1
    assert 0.9 < perfect["tpr_low"] < 1, "a hundred scenarios without an error do not prove that there is none"
    assert pair["agree"] == weak["agree"] and pd.isna(pair["tpr"])


def test_weights_undo_an_uneven_draw():
    """Of many unmentioned thoughts one in ten is labelled: by weight the rates are those of all."""
    table = thoughts(600)
    plan = table["plan"].to_numpy(bool)
    hits = plan ^ (np.random.default_rng(0).random(600) < 0.2)
    kept = hits | (np.random.default_rng(1).random(600) < 0.25)
    drawn = labelled(table)[kept].assign(weight=np.where(hits[kept], 1.0, 4.0))
    said = monitors(table, {"m": hits})
    whole, part, plain = (
        cl.faithfulness.monitor_agreement(table, said, own, n_boot=50).set_index("eval").loc["macro", "tpr"]
        for own in (labelled(table), drawn, drawn.assign(weight=1.0))
    )
    assert abs(part - whole) < 0.04 < plain - whole
