import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import compare, macro_share, wilson


def said(comparison):
    return comparison.sentences.set_index("key")["text"]


def test_sentences_give_counts_and_intervals_in_order(planted):
    rollouts, confessions, probe, text = planted
    got = compare(rollouts, confessions, probe, text, cot=probe > 0, shuffled=text, n_boot=200)
    keys = list(got.sentences["key"])
    assert keys[:3] == ["overall", "probe", "cells"]
    assert keys[-3:] == ["rates/people/tempted", "rates/timer/tempted", "rates/flat/tempted"]
    text_of = said(got)
    row = got.rates.iloc[0]
    low, high = 100 * row["p_bad_low"], 100 * row["p_bad_high"]
    assert text_of["rates/people/tempted"].startswith(
        f"people, tempted: of 40 answers {row['n_bad']} ({low:.0f}–{high:.0f} %) were bad; of those the confession "
    )
    assert "AUROC 0.9" in text_of["probe"] and "so the probe adds to the text (+0." in text_of["probe"]
    assert "not distinguishable from chance" in text_of["probe_confession"]
    assert text_of["no_contrast"].startswith("No contrast to probe: no answer of flat (tempted) was complied")
    assert "undefined" not in text_of["agreement"]
    assert str(got).startswith(text_of["overall"])


def test_a_null_result_is_said_as_one(planted):
    rollouts, confessions, _, text = planted
    got = said(compare(rollouts, confessions, text[::-1].to_numpy(), text, n_boot=200))
    assert "not distinguishable from chance" in got["probe"]
    assert "adds nothing that this n could show" in got["probe"]


def test_missing_claims_are_not_counted(planted):
    rollouts, confessions, *_ = planted
    confessions.loc[:19, "claim"] = None
    bad = rollouts["behaviour"].iloc[20:40] == "not_complied"
    told = (confessions["claim"].iloc[20:40] == "not_complied") & bad
    sentence = said(compare(rollouts, confessions, n_boot=20))["rates/people/tempted"]
    assert f"of the {bad.sum()} bad ones that were asked the confession admitted {told.sum()} (" in sentence


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("with_confessions", [True, False])
def test_tiny_tables_do_not_crash_and_say_so(planted, rows, with_confessions):
    rollouts, confessions, probe, text = planted
    confessions = confessions if with_confessions else confessions.iloc[:0]
    got = compare(rollouts.iloc[:rows], confessions, probe.iloc[:rows], text.iloc[:rows], n_boot=20)
    assert got.auroc["auroc"].isna().all()
    assert got.auroc["note"].str.contains("too little data|no rollout").all()
    assert len(got.witnesses) == rows
    assert len(got.sentences) >= 1
    if rows == 0:
        assert "no rollouts to compare" in str(got)
    else:
        assert "cannot be said" in said(got)["probe"]


def test_neutral_rollouts_alone_have_rates_only(planted):
    rollouts = planted[0].assign(condition="neutral", knowledge="unknown")
    got = compare(rollouts, None, n_boot=20)
    assert len(got.rates) == 3 and len(got.witnesses) == len(got.cells) == 0
    assert "no rollouts to compare" in str(got)


def test_tables_can_be_written(planted, tmp_path):
    rollouts, confessions, probe, text = planted
    got = compare(rollouts, confessions, probe, text, cot=probe > 0, n_boot=20)
    for name in ("rates", "witnesses", "cells", "agreement", "auroc", "sentences"):
        table = getattr(got, name)
        table.to_parquet(tmp_path / f"{name}.parquet")
        assert len(pd.read_parquet(tmp_path / f"{name}.parquet")) == len(table) > 0


def test_macro_share_counts_evaluations_alike_and_keeps_an_interval_at_zero():
    evals = np.repeat(["a", "b"], [90, 10])
    hits = np.r_[np.ones(90, dtype=bool), np.arange(10) < 1]
    got = macro_share(hits, np.ones(100, dtype=bool), evals, np.arange(100))
    assert got.estimate == pytest.approx((1 + 0.1) / 2)
    assert got.low <= got.estimate <= got.high
    none = macro_share(hits & False, np.ones(100, dtype=bool), evals, np.arange(100))
    assert 0 == none.low < none.high < wilson(0, 10).high
