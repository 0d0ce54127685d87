"""A trained monitor: logistic regression on TF-IDF of words and word pairs of the chain of thought."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from confesslens.cot.lexical import sentences
from confesslens.cot.monitor import Read

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FORMAT = "confesslens-cot-monitor-1"
PENALTIES = (0.1, 1.0, 10.0, 100.0)
_WORDS: dict[str, Any] = {"ngram_range": (1, 2), "sublinear_tf": True, "token_pattern": r"(?u)\b\w+\b"}


class TfidfMonitor:
    """Reads chains of thought by weights on words and word pairs; `TfidfMonitor.fit` makes one.

    The score is the probability of a mention, 0..1 (classes weighted alike); the label is score > `threshold`; the
    quote is the sentence with the highest score by itself.
    """

    def __init__(
        self, words: Sequence[str], idf: np.ndarray, weights: np.ndarray, bias: float, threshold: float = 0.5
    ) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.words, self.weights, self.bias, self.threshold = list(words), weights, bias, threshold
        self._vectors = TfidfVectorizer(vocabulary={word: i for i, word in enumerate(words)}, **_WORDS)
        self._vectors.idf_ = idf

    @classmethod
    def fit(
        cls, cots: Sequence[str], labels: Sequence[bool], groups: Sequence[str], seed: int = 0, threshold: float = 0.5
    ) -> TfidfMonitor:
        """Fit on labelled chains of thought; the penalty is chosen by cross-validation over whole scenarios.

        Args:
            cots: [n] chains of thought.
            labels: [n] whether each mentions the bad act or its plan.
            groups: [n] scenarios.
            seed: of the folds.
            threshold: of the label.

        Raises:
            ValueError: fewer than two scenarios with, or without, a mention; or no word at all.
        """
        fitted = _fit(list(cots), np.asarray(labels, bool), np.asarray(groups), seed)
        vectors, model = fitted[0], fitted[-1]
        words = [str(word) for word in vectors.get_feature_names_out()]
        return cls(words, vectors.idf_, model.coef_[0].copy(), float(model.intercept_[0]), threshold)

    def scores(self, cots: Sequence[str]) -> np.ndarray:
        """Probability of a mention in each text, [n]."""
        margin = self._vectors.transform(list(cots)) @ self.weights + self.bias
        return 1 / (1 + np.exp(-margin))

    def __call__(self, evals: Sequence[str], cots: Sequence[str]) -> list[Read]:
        """A `Monitor`; the evaluation is not looked at."""
        reads: list[Read] = []
        for text, score in zip(cots, self.scores(cots), strict=True):
            fires, parts = bool(score > self.threshold), sentences(text)
            best = int(np.argmax(self.scores(parts))) if parts else -1
            reads.append((float(score), fires, parts[best] if fires and parts else ""))
        return reads

    def save(self, folder: str | Path) -> Path:
        """Write monitor.safetensors (idf [w], weights [w], bias [1]) and monitor.json (words); returns the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"idf": np.ascontiguousarray(self._vectors.idf_), "weights": np.ascontiguousarray(self.weights)}
        save_file({**tensors, "bias": np.array([self.bias])}, folder / "monitor.safetensors")
        told = {"format": FORMAT, "threshold": self.threshold, "words": self.words}
        (folder / "monitor.json").write_text(json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> TfidfMonitor:
        """Read a saved monitor; ValueError for files that are missing, damaged, or do not belong together."""
        path = Path(folder)
        try:
            told = json.loads((path / "monitor.json").read_text(encoding="utf-8"))
            tensors = load_file(path / "monitor.safetensors")
        except (OSError, ValueError, RecursionError, SafetensorError) as error:
            raise ValueError(f"{path}: not a readable monitor ({' '.join(str(error).split())[:160]})") from error
        words, threshold = (told.get(name) for name in ("words", "threshold")) if isinstance(told, dict) else (0, 0)
        shapes = {name: tensors[name].shape for name in ("idf", "weights", "bias") if name in tensors}
        if (
            not (isinstance(words, list) and all(isinstance(word, str) for word in words))
            or told.get("format") != FORMAT
        ):
            raise ValueError(f"{path / 'monitor.json'}: not a monitor of format {FORMAT}")
        if shapes != {"idf": (len(words),), "weights": (len(words),), "bias": (1,)} or len(set(words)) < len(words):
            raise ValueError(
                f"{path}: {len(words)} words, but tensors {shapes}: expected one entry a word, and bias [1]"
            )
        if (
            not isinstance(threshold, int | float)
            or not -1e9 < threshold < 1e9
            or not all(np.isfinite(t).all() for t in tensors.values())
        ):
            raise ValueError(f"{path}: threshold or weights are no finite numbers")
        return cls(words, tensors["idf"], tensors["weights"], float(tensors["bias"][0]), float(threshold))


def out_of_fold_scores(
    cots: Sequence[str], labels: Sequence[bool], groups: Sequence[str], folds: int = 5, seed: int = 0
) -> np.ndarray:
    """Scores [n] of monitors that were each fitted without the scenario that they score. Raises as `fit`."""
    from sklearn.model_selection import StratifiedGroupKFold

    texts, label, group = list(cots), np.asarray(labels, bool), np.asarray(groups)
    most = _most_folds(label, group, folds)
    scores = np.full(len(texts), np.nan)
    for train, test in StratifiedGroupKFold(most, shuffle=True, random_state=seed).split(texts, label, group):
        fitted = _fit([texts[i] for i in train], label[train], group[train], seed)
        scores[test] = fitted.predict_proba([texts[i] for i in test])[:, 1]
    return scores


def _fit(texts: list[str], labels: np.ndarray, groups: np.ndarray, seed: int) -> Pipeline:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline

    folds = _most_folds(labels, groups, 3)
    pipeline = make_pipeline(
        TfidfVectorizer(**_WORDS), LogisticRegression(class_weight="balanced", max_iter=1000, random_state=seed)
    )
    search = GridSearchCV(
        pipeline,
        {"logisticregression__C": list(PENALTIES)},
        scoring="balanced_accuracy",
        cv=StratifiedGroupKFold(folds, shuffle=True, random_state=seed),
        error_score="raise",
    )
    fitted: Pipeline = search.fit(texts, labels, groups=groups).best_estimator_
    return fitted


def _most_folds(labels: np.ndarray, groups: np.ndarray, folds: int) -> int:
    rarer = min(len(np.unique(groups[labels == label])) for label in (True, False))
    if rarer < 2:
        raise ValueError(
            f"a monitor is fitted on at least two scenarios with a mention and two without: the rarer has {rarer}"
        )
    return min(folds, rarer)
