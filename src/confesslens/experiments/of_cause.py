"""The causal experiment: is what the probe reads what the confession uses?"""

from __future__ import annotations

from confesslens import figures
from confesslens.experiments.experiment import Drawn, Experiment, Work
from confesslens.experiments.of_runs import ORGANISM, of_counts


def _doses(work: Work) -> Drawn:
    from confesslens.interventions.of_run import steer_run, transcripts_to_do
    from confesslens.interventions.steering import TABLES

    run = work.run(organism=work.setting("organism"))
    strengths, n, draws = (work.setting(name) for name in ("strengths", "n", "random"))
    if not (run.path / "probes" / "behaviour").is_dir():
        reason = run.manifest.get("probe_note", "the run has no probe to steer with")
        raise ValueError(f"the figure 'doses' steers along the run's probe: {reason}")
    total, done = transcripts_to_do(run.path, n, len(strengths), draws, 0, True), 0

    def advance() -> None:
        nonlocal done
        done += 1
        work.progress("steering", min(done, total), total)

    steered, _ = steer_run(
        run.path,
        out=work.home / f"{run.path.name}-steering",
        strengths=strengths,
        n=n,
        n_random=draws,
        seed=work.config().seed,
        on_done=advance,
    )
    tables = {name: getattr(steered, name) for name in TABLES}
    says = f"{' '.join(steered.evidence['sentence'])} {n} scenarios an evaluation of this run: {of_counts(run)}"
    return Drawn(figures.dose_response(steered.doses), tables, says)


EXPERIMENTS = (
    Experiment(
        "doses",
        "What confessions and answers become as the probe's direction is added to the residual stream, beside random "
        "and unrelated directions of the same norm, and with it projected out.",
        _doses,
        ORGANISM,
        {
            "quick": {"organism": "confessor", "strengths": [-0.1, 0.1], "n": 1, "random": 2},
            "standard": {"organism": "confessor", "strengths": [-0.15, -0.075, 0.075, 0.15], "n": 3, "random": 3},
        },
    ),
)
