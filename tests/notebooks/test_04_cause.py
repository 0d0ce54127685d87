"""The notebook runs from top to bottom."""


def test_runs(execute):
    execute("04_cause")
