import json

import numpy as np
import pytest

from confesslens.probes import Interval, LogisticProbe, load_probe, save_probe

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
