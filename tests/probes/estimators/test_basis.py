import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confesslens.probes import LayerEnsembleProbe, LogisticProbe, MassMeanProbe, to_basis


@given(st.integers(1, 5), st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_bases_are_orthonormal_span_the_directions_and_keep_the_first(k, seed):
    directions = np.random.default_rng(seed).normal(size=(k, 12)) * np.geomspace(1e-3, 1e3, k)[:, None]
    basis = to_basis(list(directions))
    assert basis.shape == (12, k) and basis.dtype == np.float32
    assert basis.T @ basis == pytest.approx(np.eye(k), abs=1e-5)
    assert basis @ (basis.T @ directions.T) == pytest.approx(
        directions.T, rel=1e-4, abs=1e-4 * np.abs(directions).max()
    )
    assert basis[:, 0] == pytest.approx(directions[0] / np.linalg.norm(directions[0]), abs=1e-6)


def test_transformer_lens_takes_it():
    torch = pytest.importorskip("torch")
    interchange = pytest.importorskip("transformer_lens.tools.analysis.interchange")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) * [1, 10, 0.1, 3, 1]
    y = X[:, 0] + X[:, 1] / 10 > 0
    probe = LogisticProbe().fit(X, y)
    ours = torch.from_numpy(probe.to_basis())
    theirs = interchange.probe_basis(torch.from_numpy(probe.direction[None]).float())
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert torch.allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-6)
    difference = torch.from_numpy(MassMeanProbe().fit(X, y).to_basis())
    by_means = interchange.mean_difference_basis(torch.from_numpy(X).float(), torch.from_numpy(y))
    assert torch.allclose(difference @ difference.T, by_means @ by_means.T, atol=1e-5)


def test_an_ensemble_has_a_basis_a_layer():
    X = np.random.default_rng(0).normal(size=(40, 3, 6))
    probe = LayerEnsembleProbe().fit(X, X[:, 0, 0] > 0)
    basis = probe.to_basis()
    assert basis.shape == (3, 6, 1)
    assert basis[1, :, 0] == pytest.approx(probe.direction[1] / np.linalg.norm(probe.direction[1]), abs=1e-6)
    with pytest.raises(ValueError, match="one basis a layer"):
        to_basis([probe])


@pytest.mark.parametrize(
    "directions, words",
    [
        ([], "got shapes"),
        ([[1.0, 2.0], [1.0]], "of one length"),
        ([[0.0, 0.0]], "other than 0"),
        ([[1.0, np.nan]], "finite"),
        ([[1.0, 2.0], [2.0, 4.0]], "depend on each other"),
        ([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]], "depend on each other"),
    ],
)
def test_what_is_no_basis_is_refused(directions, words):
    with pytest.raises(ValueError, match=words):
        to_basis(directions)
