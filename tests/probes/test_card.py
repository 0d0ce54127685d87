import json
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import save_file
from sklearn.exceptions import NotFittedError

from confesslens.probes import (
    AttentionProbe,
    CCSProbe,
    Interval,
    LayerEnsembleProbe,
    LogisticProbe,
    MassMeanProbe,
    MaxWindowProbe,
    RidgeProbe,
    load_probe,
    save_probe,
)
from confesslens.probes.card_text import front_matter

CARD = {
    "model": "smollm2-135m",
    "layer": np.int64(15),
    "site": "request.last",
    "metrics": {"auroc": Interval(0.61, 0.48, 0.74)},
    "controls": {"shuffled": float("nan")},
    "data_hash": "abc",
    "limits": ["small n"],
}


@pytest.fixture
def saved(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 6))
    probe = LogisticProbe().fit(X, np.where(X[:, 0] > 0, "not_complied", "complied"))
    return save_probe(tmp_path / "p", probe, CARD), probe, X


def test_round_trip(saved):
    folder, probe, X = saved
    again, card = load_probe(folder, expect={"model": "smollm2-135m", "d_model": 6})
    assert (again.decision_function(X) == probe.decision_function(X)).all()
    assert (again.predict(X) == probe.predict(X)).all()
    assert card["layer"] == 15 and card["controls"]["shuffled"] is None
    assert card["metrics"]["auroc"] == {"estimate": 0.61, "low": 0.48, "high": 0.74}


def test_the_card_can_be_read(saved):
    text = (saved[0] / "card.md").read_text()
    assert "- auroc: 0.61 (95 % interval 0.48 to 0.74)" in text
    assert "- shuffled: not known" in text
    assert "## Intended use\n\nNot stated." in text


def test_the_card_is_a_model_card_of_the_hub(saved):
    folder, _, _ = saved
    card = ModelCard.load(folder / "card.md")
    assert card.data.library_name == "confesslens" and "probe" in card.data.tags and card.data.license == "mit"
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_name, result.metric_value) == ("roc_auc", "auroc", 0.61)
    assert (folder / "README.md").read_text() == (folder / "card.md").read_text()
    assert card.data.base_model is None  # smollm2-135m is no hub id
    data = front_matter({"model": "x", "base_model": "owner/name", "metrics": {}}, "t")
    assert data["base_model"] == "owner/name" and "model-index" not in data


def test_a_card_cannot_break_out_of_its_front_matter(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 3))
    hostile = {"model": "a\n---\n<script>", "base_model": "o/n\ntags: [x]", "metrics": {"auroc: [": 0.5}}
    save_probe(tmp_path, LogisticProbe().fit(X, X[:, 0] > 0), hostile)
    data = ModelCard.load(tmp_path / "card.md").data
    assert data.base_model == "o/n\ntags: [x]" and "x" not in data.tags


def test_an_unexpected_card_is_refused(saved):
    with pytest.raises(ValueError, match=r"card.json: layer is 15, expected 3"):
        load_probe(saved[0], expect={"layer": 3})


def test_damaged_files_are_named_in_one_line(saved):
    folder = saved[0]
    (folder / "probe.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(ValueError, match="probe.safetensors: not a readable") as error:
        load_probe(folder)
    assert "\n" not in str(error.value)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"classes": ["a"]}))
    with pytest.raises(ValueError, match="card.json: expected classes"):
        load_probe(folder)
    (folder / "card.json").write_text("{")
    with pytest.raises(ValueError, match="card.json: not a readable card"):
        load_probe(folder)
    with pytest.raises(ValueError, match="card.json"):
        load_probe(folder / "nowhere")


def test_weights_must_match_the_card(saved):
    folder = saved[0]
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"d_model": 7}))
    with pytest.raises(ValueError, match="6 entries but card.json says 7"):
        load_probe(folder)


def fitted(estimator):
    rng = np.random.default_rng(0)
    if isinstance(estimator, CCSProbe):
        X = rng.normal(size=(40, 12))
        return estimator.fit(X, X[:, 0] > X[:, 6]), X
    if isinstance(estimator, AttentionProbe | MaxWindowProbe):
        X = [rng.normal(size=(rng.integers(1, 9), 6)) for _ in range(40)]
        return estimator.fit(X, [x[:, 0].mean() > 0 for x in X]), X
    X = rng.normal(size=(40, 6))
    return estimator.fit(X, X[:, 0] > 0), X


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticProbe(C=0.5, class_weight=None),
        RidgeProbe(alpha=3.0),
        MassMeanProbe(whiten=True, shrinkage=0.2),
        CCSProbe(l2=0.1, restarts=2),
        AttentionProbe(C=2.0),
        MaxWindowProbe(width=3),
    ],
)
def test_every_estimator_of_one_direction_makes_the_round_trip(tmp_path, estimator):
    probe, X = fitted(estimator)
    again, card = load_probe(save_probe(tmp_path, probe, {"model": "m"}))
    assert type(again) is type(probe) and card["estimator"] == type(probe).__name__
    assert again.get_params() == probe.get_params()
    assert again.decision_function(X) == pytest.approx(probe.decision_function(X), rel=1e-12)
    assert (again.predict(X) == probe.predict(X)).all()
    assert f"`{probe.readout}`; above 0 means `True`" in (tmp_path / "card.md").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["README.md", "card.json", "card.md", "probe.safetensors"]
    assert again.card == card and probe.card == {}


def test_a_card_of_before_is_a_logistic_probe(saved):
    folder, probe, X = saved
    card = json.loads((folder / "card.json").read_text())
    for key in ("estimator", "readout", "class_weight"):
        del card[key]
    (folder / "card.json").write_text(json.dumps(card))
    again, _ = load_probe(folder)
    assert isinstance(again, LogisticProbe) and again.C == probe.C
    assert (again.decision_function(X) == probe.decision_function(X)).all()


def test_the_released_probe_can_be_read():
    folder = Path(__file__).parents[2] / "probes" / "smollm2-135m-behaviour"
    probe, card = load_probe(folder, expect={"model": "smollm2-135m"})
    assert isinstance(probe, LogisticProbe) and len(probe.direction) == card["d_model"] == 576


def test_unknown_estimators_are_refused(saved, tmp_path):
    folder = saved[0]
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"estimator": "RigdeProbe"}))
    with pytest.raises(ValueError, match="card.json: there is no estimator 'RigdeProbe': did you mean 'RidgeProbe'"):
        load_probe(folder)
    X = np.random.default_rng(0).normal(size=(20, 2, 3))
    with pytest.raises(ValueError, match="a LayerEnsembleProbe cannot be saved; these can: LogisticProbe"):
        save_probe(tmp_path, LayerEnsembleProbe().fit(X, X[:, 0, 0] > 0), {})
    with pytest.raises(NotFittedError):
        save_probe(tmp_path / "new", RidgeProbe(), {})
    assert not (tmp_path / "new").exists()


def test_an_attention_probe_needs_its_query(tmp_path):
    probe, _ = fitted(AttentionProbe())
    save_probe(tmp_path, probe, {})
    save_file({"direction": probe.direction, "bias": np.zeros(1)}, tmp_path / "probe.safetensors")
    with pytest.raises(ValueError, match=r"expected tensors direction \[d\], query \[d\] and bias \[1\]"):
        load_probe(tmp_path)
