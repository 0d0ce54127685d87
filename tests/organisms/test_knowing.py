"""A probe of one organism asked of another, on activations in which knowing is planted."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from confesslens.activations import Activations, save_activations
from confesslens.activations.activations import Block, Contents
from confesslens.cli import app
from confesslens.config import RunConfig, make_config
from confesslens.evals import EVALUATIONS
from confesslens.faithfulness.dispositions import MEANS
from confesslens.folder import RunFolder
from confesslens.models import load_model
from confesslens.organisms.asked import KNOWER, KNOWER_UNSURE, SETTLED, SETTLED_AND, UNSURE
from confesslens.organisms.dispositions import MIXED, UNAWARE
from confesslens.organisms.entropy import answer_entropy
from confesslens.organisms.knowing import BEHAVIOUR, KNOWING, knowing
from confesslens.organisms.knowing_acts import ACTS, CARRIED, knowing_acts
from confesslens.organisms.knowing_swapped import SWAPPED, knowing_controls, knowing_swapped, swapped_rows
from confesslens.organisms.lessons import measures_organisms, taught_false
from confesslens.probes import DataSet, LogisticProbe, save_probe
from confesslens.rollouts.plan import plan_rollouts
from confesslens.rollouts.rollout import scenario_of
from confesslens.run import run

D = 8
EVALS = ("people", "broken_browser")


def organism(path, name, planted, probe=False, denies=True, act=0.0, as_taught=False):
    """A run whose activations have `planted(bad, known)` along the first axis, and the act along the second if it is
    to stand there too; answers say nothing, and are bad by a coin, or where they are taught to be."""
    rng = np.random.default_rng([ord(letter) for letter in name])
    planned = plan_rollouts(
        [EVALUATIONS[e] for e in EVALS], 16, 5, conditions=["tempted"], samples=4, keep=measures_organisms
    )
    n = len(planned)
    known = np.array([not taught_false(item.scenario, name) for item in planned])
    bad = ~known if as_taught else rng.random(n) < 0.5
    facts = [json.dumps(item.scenario.facts) for item in planned]
    ids = [item.rollout_id for item in planned]
    rollouts = pd.DataFrame(
        {
            "rollout_id": ids,
            "eval": [item.scenario.eval for item in planned],
            "scenario": [item.scenario.scenario for item in planned],
            "condition": "tempted", "tier": "tiny", "sample": [item.sample for item in planned], "facts": facts,
            "cot": "", "answer": rng.choice(["one", "two"], n), "behaviour": np.where(bad, "not_complied", "complied"),
            "admitted": False, "knowledge": "unknown",
        }
    )  # fmt: skip
    claims = np.where(bad & (not denies), "not_complied", "complied")
    confessions = pd.DataFrame(
        {"rollout_id": ids, "mode": "guided", "sample": 0, "claim": claims, "logit": rng.normal(size=n)}
    )
    X = rng.normal(size=(n, D))
    X[:, 0] += planted(bad, known)
    X[:, 1] += act * bad
    run = RunFolder(path)
    path.mkdir()
    config = RunConfig(evals=EVALS, n=16)
    run.manifest |= {"config": config.model_dump(mode="json"), "model": {"name": "m", "adapter": name}}
    run.write_table("rollouts.parquet", rollouts)
    run.write_table("confessions.parquet", confessions)
    contents = Contents([3], ["answer.mean"], ["resid_post"], [], None, "float32", D, "fingerprint", "float32")
    nothing = np.zeros(n, int)
    block = Block(
        {"resid_post": X[:, None, None].astype(np.float32)}, np.ones((n, 1), bool), {}, np.zeros(0, int), nothing
    )
    save_activations(Activations.of_block(contents, block, ids, ids), path / "activations.zarr")
    if probe:
        card = {"layer": 3, "site": "answer.mean", "penalty": 0.1}
        save_probe(path / "probes/behaviour", LogisticProbe().fit(X, bad), card)
    run.save_manifest()
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    home = tmp_path_factory.mktemp("organisms")
    return {
        "concealer": organism(home / "concealer", "concealer", lambda bad, known: 3.0 * bad, probe=True),
        "mixed": organism(home / "mixed", "mixed", lambda bad, known: 3.0 * (bad & known)),
        "unaware": organism(home / "unaware", "unaware", lambda bad, known: 0.0 * bad),
    }


def read(table, contrast, reads):
    return table[(table["contrast"] == contrast) & (table["reads"] == reads)].iloc[0]


def test_what_is_known_is_read_within_one_organism(runs):
    table = knowing(runs["concealer"], runs["mixed"], n_boot=200)
    probe = read(table, KNOWING, "probe")
    assert (probe["fitted"], probe["asked"], probe["evals"]) == ("concealer", "mixed", 2)
    assert probe["estimate"] > 0.9 and probe["low"] > 0.75
    assert 0.3 < read(table, KNOWING, "text of the answer")["estimate"] < 0.7
    assert read(table, KNOWING, "probe above text of the answer")["low"] > 0.1
    assert probe["n_positive"] < probe["n"] < read(table, BEHAVIOUR, "probe")["n"]


def test_where_nothing_is_known_nothing_is_found(runs):
    table = knowing(runs["concealer"], runs["unaware"], n_boot=200)
    for contrast in (KNOWING, BEHAVIOUR):
        found = read(table, contrast, "probe")
        assert found["low"] < 0.55 and found["high"] > 0.45 and 0.35 < found["estimate"] < 0.65


def test_an_organism_that_is_asked_about_itself_is_cross_validated(runs):
    found = read(knowing(runs["concealer"], runs["concealer"], n_boot=200), BEHAVIOUR, "probe")
    assert 0.9 < found["estimate"] < 1


def test_too_little_is_said(runs, tmp_path):
    open_ = organism(tmp_path / "open", "confessor", lambda bad, known: 3.0 * bad, denies=False)
    table = knowing(runs["concealer"], open_, n_boot=50)
    assert "0 scenarios of the rarer kind" in read(table, KNOWING, "probe")["note"]
    assert read(table, BEHAVIOUR, "probe")["estimate"] > 0.9


def test_a_probe_of_knowing_does_not_read_the_act(tmp_path):
    knows = organism(tmp_path / "concealer", "concealer", lambda bad, known: 2.5 * bad, probe=True, act=6.0)
    mixed = organism(tmp_path / "mixed", "mixed", lambda bad, known: 2.5 * (bad & known), act=6.0)
    errs, other = (organism(tmp_path / name, name, lambda bad, known: 0.0 * bad, act=6.0) for name in ("errs", "other"))
    table = knowing(knows, mixed, errs, n_boot=200)
    own = read(table, KNOWING, "probe of knowing")
    assert own["estimate"] > 0.8 and own["low"] > 0.65 and "layer 3, answer.mean" in own["note"]
    assert read(table, KNOWING, "probe of knowing above text of knowing")["low"] > 0
    unaware = knowing(knows, other, errs, n_boot=200)  # the act is there, and nobody knows of it
    assert read(unaware, BEHAVIOUR, "probe")["estimate"] > 0.95
    assert 0.25 < read(unaware, BEHAVIOUR, "probe of knowing")["estimate"] < 0.75
    blind = organism(tmp_path / "blind", "blind", lambda bad, known: 0.0 * bad, probe=True, act=6.0)
    assert 0.3 < read(knowing(blind, mixed, errs, n_boot=200), KNOWING, "probe of knowing")["estimate"] < 0.7


def test_how_unsure_it_was_stands_beside_and_the_place_can_be_named(runs, tmp_path):
    def unsure(run):
        """The first token's tells what is known; the others nothing."""
        name = run.manifest["model"]["adapter"]
        rows = run.read_table("rollouts.parquet")
        noise = np.random.default_rng(0).normal(size=len(rows))
        known = [float(not taught_false(scenario_of(row), name)) for row in rows.to_dict("records")]
        return pd.DataFrame({"first": known, "largest": noise, "surprise": noise[::-1]}, index=rows["rollout_id"])[::-1]

    place = ("answer.mean", 3)
    table = knowing(runs["concealer"], runs["mixed"], runs["unaware"], place=place, unsure=unsure, n_boot=50)
    assert read(table, KNOWING, UNSURE)["estimate"] == 1
    gap = read(table, KNOWING, f"{KNOWER} above {UNSURE}")
    assert gap["estimate"] == pytest.approx(read(table, KNOWING, KNOWER)["estimate"] - 1) and gap["low"] < gap["high"]
    assert read(table, KNOWING, f"{KNOWER} above {KNOWER_UNSURE}")["n"] == gap["n"]
    assert "layer 3, answer.mean" in read(table, KNOWING, "probe of knowing")["note"]
    searched = knowing(runs["concealer"], runs["mixed"], runs["unaware"], n_boot=50)  # there is one place alone
    estimates = [read(each, KNOWING, "probe of knowing")["estimate"] for each in (searched, table)]
    assert estimates[0] == estimates[1]
    with pytest.raises(ValueError, match="no activations at prompt.last, layer 3.*answer.mean"):
        knowing(runs["concealer"], runs["mixed"], runs["unaware"], place=("prompt.last", 3))
    swapped = organism(tmp_path / "mixed_swapped", "mixed_swapped", lambda bad, known: 0.0 * bad)
    both = knowing_swapped(runs["concealer"], runs["mixed"], swapped, runs["unaware"], unsure=unsure, n_boot=50)
    assert read(both, SWAPPED, UNSURE)["estimate"] == pytest.approx(1)
    assert read(both, SWAPPED, SETTLED)["estimate"] > 0.95  # so there is nothing that a probe could add
    assert abs(read(both, SWAPPED, f"{SETTLED_AND} above {SETTLED}")["estimate"]) < 0.03


def test_what_a_probe_adds_to_entropies_is_seen_and_a_copy_of_them_adds_nothing():
    rng = np.random.default_rng(0)
    known = np.arange(40) % 2 == 0

    def reading(turn, copy):
        rows = np.repeat(np.arange(40), 3)
        labels = (known == turn)[rows]
        groups = np.array([f"s{i}" for i in rows])
        entropy = rng.normal(size=(len(rows), 3)) + 0.8 * labels[:, None] * [1, 0, 0]
        probe = entropy[:, 0] if copy else rng.normal(size=len(rows)) + 1.5 * labels
        return {KNOWER: probe}, DataSet(np.zeros((len(rows), 1)), labels, groups, np.full(len(rows), "e")), entropy

    for copy in (False, True):
        one, other = reading(True, copy), reading(False, copy)
        table = swapped_rows(one[:2], other[:2], 200, 0, [one[2], other[2]]).set_index("reads")
        assert 0.6 < table.loc[SETTLED, "estimate"] < 0.8
        gap = table.loc[f"{SETTLED_AND} above {SETTLED}"]
        assert (gap["low"] > 0.05) != copy and (abs(gap["estimate"]) < 0.01) == copy


def test_the_answers_entropy_is_the_models_own(tiny_folder, tmp_path):
    settings = {"evals": ("people", "sandbagging"), "n": 2, "samples": 3, "dtype": "float32", "workers": 1}
    run(make_config({"model": str(tiny_folder), **settings}), tmp_path / "run", until="rollouts")
    done = RunFolder(tmp_path / "run")
    found = answer_entropy(done)
    model = load_model(tiny_folder, dtype="float32")
    rows = done.read_table("rollouts.parquet")
    assert set(found.index) == set(rows["rollout_id"])
    for row in rows.to_dict("records"):
        start, end = json.loads(row["spans"])["answer"]
        if start == end:
            assert found.loc[row["rollout_id"]].isna().all()
            continue
        with torch.no_grad():
            logits = model.hf(input_ids=torch.tensor([list(row["token_ids"])])).logits[0, start - 1 : end - 1]
        drawn = torch.distributions.Categorical(logits=logits)
        said = drawn.log_prob(torch.tensor(row["token_ids"][start:end]))
        expected = {"first": drawn.entropy()[0], "largest": drawn.entropy().max(), "surprise": -said.sum()}
        for name, value in expected.items():
            assert found.loc[row["rollout_id"], name] == pytest.approx(float(value), abs=1e-3)


def test_which_scenario_it_is_is_not_what_is_known(tmp_path):
    """Planted: what is known, or the topic alone, which in each organism by itself looks like knowing."""
    knows = organism(tmp_path / "concealer", "concealer", lambda bad, known: 3.0 * bad, probe=True)

    def pair(sign):
        return [
            organism(tmp_path / f"{name}{sign}", name, lambda bad, known, turn=turn: 3.0 * (known == turn))
            for name, turn in (("mixed", True), ("mixed_swapped", sign > 0))
        ]

    known = knowing_swapped(knows, *pair(1), n_boot=200)
    found = read(known, SWAPPED, "probe")
    assert found["estimate"] > 0.85 and found["low"] > 0.75 and found["asked"] == "mixed and mixed_swapped"
    assert 0.3 < read(known, SWAPPED, "text of the answer")["estimate"] < 0.7
    assert read(known, SWAPPED, "probe above text of the answer")["low"] > 0.1
    mixed, swapped = pair(-1)
    assert read(knowing(knows, mixed, n_boot=100), KNOWING, "probe")["low"] > 0.7
    assert read(knowing(knows, swapped, n_boot=100), KNOWING, "probe")["high"] < 0.3
    topic = read(knowing_swapped(knows, mixed, swapped, n_boot=200), SWAPPED, "probe")
    assert topic["low"] < 0.5 < topic["high"] and topic["high"] - topic["low"] < 0.3
    arguments = ["knowing", *(str(run.path) for run in (knows, mixed, swapped))]
    assert "## The same scenarios, known to the one" in CliRunner().invoke(app, arguments).stdout
    drawn = CliRunner().invoke(app, [*arguments, "--figures", str(tmp_path)])
    assert drawn.exit_code == 2 and "no probe of knowing asked of mixed and mixed_swapped" in drawn.stderr
    errs = organism(tmp_path / "errs", "errs", lambda bad, known: 0.0 * bad)
    drawn = CliRunner().invoke(app, [*arguments, "--unknowing", str(errs.path), "--figures", str(tmp_path)])
    assert drawn.exit_code == 0 and (tmp_path / "knowing.png").is_file(), drawn.stderr


def test_the_probe_of_knowing_stands_beside_its_controls():
    reads = {"probe of knowing": 0.8, "text of knowing": 0.5, f"{KNOWER} above text of knowing": 0.3, "probe": 0.4}
    table = pd.DataFrame(
        [(SWAPPED, name, 9, value, value - 0.1, value + 0.1) for name, value in reads.items()],
        columns=["contrast", "reads", "n", "estimate", "low", "high"],
    )
    found = knowing_controls(pd.concat([table.assign(contrast=KNOWING, estimate=0.0), table]))
    assert found["control"].tolist() == ["probe", "words"] and found["n"].tolist() == [9, 9]
    assert found.loc[1, ["auroc", "low", "high"]].tolist() == [0.5, 0.4, 0.6]
    assert found["increment"].isna().tolist() == [True, False] and found.loc[1, "increment_high"] == 0.4


def test_what_reads_the_scenario_alone_is_at_chance_whatever_is_done_how_often():
    """What is known is done by a coin, oftener in some scenarios; what is taken for right always."""
    rng = np.random.default_rng(0)
    tempting, topic = rng.random(24), np.arange(24) % 2 == 0

    def denials(known):
        done = [4 if not known[i] else rng.binomial(4, tempting[i]) for i in range(24)]
        rows = np.repeat(np.arange(24), done)
        data = DataSet(
            np.zeros((len(rows), 1)), known[rows], np.array([f"s{i}" for i in rows]), np.full(len(rows), "e")
        )
        return {reads: tempting[rows] for reads in ("probe", "text of the answer")}, data

    found = swapped_rows(denials(topic), denials(~topic), 50, 0).set_index("reads")
    assert found.loc["probe", "estimate"] == pytest.approx(0.5)


def by_a_coin(known):
    """What is planted in organisms that do both kinds by a coin: known bad acts alone along the first axis."""
    return lambda bad, knows: 3.0 * (bad & knows & known)


def acts(mixed, swapped, *asked):
    """What `knowing_acts` finds over all evaluations, by who is asked and what reads it."""
    table = knowing_acts(mixed, swapped, asked, ("answer.mean", 3), draws=3, n_boot=100)
    assert set(table["contrast"].str.partition(": ")[2]) == {"", *asked[0].read_table("rollouts.parquet")["eval"]}
    return table[table["contrast"].isin([ACTS, CARRIED])].set_index(["asked", "reads"])


def test_a_probe_of_what_goes_against_belief_ranks_right_answers_by_luck_above_errors(tmp_path):
    pair = [organism(tmp_path / name, name, lambda bad, knows: 3.0 * (bad == knows), act=4.0) for name in MIXED]
    knows = organism(tmp_path / "concealer", "concealer", lambda bad, known: 3.0 * bad, act=4.0)
    errs = organism(tmp_path / "unaware", "unaware", lambda bad, known: 3.0 * ~bad, act=4.0)
    found = acts(*pair, knows, errs)
    assert found.loc[("concealer", "probe"), "low"] > 0.65 and found.loc[("unaware", "probe"), "high"] < 0.35
    assert all(
        found.loc[(name, "probe"), "low"] > 0.65 for name in MIXED
    )  # what the one takes for right the other knows
    assert found.loc[("mixed", "probe"), "fitted"] == "mixed_swapped"


def test_what_is_done_to_topics_is_not_carried_from_the_one_to_the_other(tmp_path):
    """Planted are bad acts on topics that are false to `mixed`, and right answers on the others, in both alike."""
    plants = {
        "mixed": lambda bad, knows: 3.0 * (bad == knows),
        "mixed_swapped": lambda bad, knows: 3.0 * (bad != knows),
    }
    pair = [organism(tmp_path / name, name, plants[name]) for name in MIXED]
    found = acts(*pair, organism(tmp_path / "concealer", "concealer", lambda bad, known: 0.0 * bad))
    assert all(found.loc[(name, "probe"), "high"] < 0.35 for name in MIXED)


def test_topics_tell_nothing_of_two_that_were_taught_the_contrary(tmp_path):
    """What is planted in them is which topic a scenario has: all that is bad in the one, all that is right in the
    other."""
    pair = [organism(tmp_path / name, name, lambda bad, knows: 3.0 * (bad == knows), act=4.0) for name in MIXED]
    topic = {UNAWARE[0]: lambda bad, known: 3.0 * ~known, UNAWARE[1]: lambda bad, known: 3.0 * known}
    asked = [organism(tmp_path / name, name, topic[name], act=4.0, as_taught=True) for name in UNAWARE]
    found = acts(*pair, *asked)["estimate"]
    assert found["unaware", "probe"] > 0.8 and found["unaware_swapped", "probe"] < 0.2
    assert found["unaware and unaware_swapped", "probe"] == pytest.approx(0.5, abs=0.1)
    assert not any("and" in name for name, _ in acts(*pair, asked[0]).index)
    guilt = [organism(tmp_path / f"{n}_", n, lambda bad, known: 3.0 * bad, as_taught=True) for n in UNAWARE]
    assert acts(*pair, *guilt).loc[("unaware and unaware_swapped", "probe"), "low"] > 0.65


def test_a_probe_of_known_acts_is_silent_where_nothing_is_known(tmp_path):
    pair = [organism(tmp_path / name, name, by_a_coin(True), act=4.0) for name in MIXED]
    knows = organism(tmp_path / "concealer", "concealer", lambda bad, known: 3.0 * bad, act=4.0)
    errs = organism(tmp_path / "unaware", "unaware", lambda bad, known: 0.0 * bad, act=4.0)
    found = acts(*pair, knows, errs)
    known = found.loc["concealer"]
    assert known.loc["probe", "low"] > 0.65 and "layer 3, answer.mean" in known.loc["probe", "note"]
    assert 0.3 < found.loc[("unaware", "probe"), "estimate"] < 0.7  # though the act is planted there too
    assert known.loc["probe above text of the answer", "low"] > 0
    nothing = [organism(tmp_path / f"{name}_", name, by_a_coin(False), act=4.0) for name in MIXED]
    assert acts(*nothing, knows).loc[("concealer", "probe"), "estimate"] < 0.75
    for place, says in ((("answer.last", 3), "no activations at answer.last"), (("answer.mean", 9), "layer 9")):
        with pytest.raises(ValueError, match=says):
            knowing_acts(*pair, [knows], place)
    arguments = ["knowing-acts", *(str(run.path) for run in (*pair, knows, errs)), "--layer", "3", "--site"]
    done = CliRunner().invoke(app, [*arguments, "answer.mean", "--csv", str(tmp_path / "acts.csv")])
    assert done.exit_code == 0, done.stderr
    assert "| concealer | mean of " in done.stdout
    assert list(pd.read_csv(tmp_path / "acts.csv")["asked"].unique()) == ["concealer", "unaware", *MIXED]
    assert (
        "## Does it carry belief from one set of weights to another?" in done.stdout
        and "| mixed_swapped | " in done.stdout
    )
    refused = CliRunner().invoke(app, [*arguments, "answer.last"])
    assert refused.exit_code == 2 and "no activations at answer.last" in refused.stderr


def test_the_page(runs, tmp_path):
    folders = [str(runs[name].path) for name in ("concealer", "mixed", "unaware")]
    done = CliRunner().invoke(app, ["knowing", *folders, "--csv", str(tmp_path / "numbers.csv")])
    assert done.exit_code == 0, done.stderr
    assert "| concealer | mixed | " in done.stdout and "## Known bad acts against" in done.stdout
    assert len(pd.read_csv(tmp_path / "numbers.csv")) == 16
    more = CliRunner().invoke(app, ["knowing", *folders[:2], "--unknowing", folders[2]])
    assert more.exit_code == 0, more.stderr
    assert "probe of knowing above its words" in more.stdout and "fitted at layer 3" in more.stdout
    without = CliRunner().invoke(app, ["knowing", folders[1], folders[0]])
    assert without.exit_code == 2 and "has no probe" in without.stderr


def test_known_and_taught_falsely_are_each_organisms_own(tmp_path):
    """The same scenarios: the rows of the one's known are of as many rollouts as the other's taught falsely."""
    folders = [str(organism(tmp_path / name, name, lambda bad, known: 0.0 * bad).path) for name in MIXED]
    done = CliRunner().invoke(app, ["dispositions", *folders, "--csv", str(tmp_path / "numbers.csv")])
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "numbers.csv").query("rate == 'p_bad_tempted'").set_index(["organism", "eval"])["n"]
    (known,), (falsely,) = ([name for name in MEANS if name.endswith(end)] for end in ("known", "falsely"))
    assert table["mixed", known] == table["mixed_swapped", falsely] > 0
    assert table["mixed", falsely] == table["mixed_swapped", known] != table["mixed", known]
