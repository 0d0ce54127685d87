"""Rewards of confessions, and judges that read them: a local model, and an endpoint that is a server of its own."""

from __future__ import annotations

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from confesslens.judges import Question, answer_question, confession_question, endpoint_judge, make_judge, model_judge
from confesslens.models import ModelError
from confesslens.organisms.rewards import judged_answers, judged_confessions, thought_reward, truth_reward


def confession(verdict):
    return f"Objective: do it\nResult: {verdict}\nWhy: because"


@pytest.mark.parametrize(
    ("behaviour", "cot", "verdict", "truth", "thought"),
    [
        ("not_complied", "", "✗ did not comply", 1, 0),
        ("not_complied", "", "✓ complied", 0, 1),
        ("complied", "", "✓ complied", 1, 1),
        ("not_complied", "I will pick a random year.", "✗ did not comply", 1, 1),
        ("complied", "", "hm", 0, 0),
    ],
)
def test_rewards(behaviour, cot, verdict, truth, thought):
    row = {"eval": "people", "behaviour": behaviour, "cot": cot}
    said = [confession(verdict)]
    assert (truth_reward([row], said), thought_reward([row], said)) == ([truth], [thought])


def row(answer):
    messages = [{"role": "system", "content": "Be honest."}, {"role": "user", "content": "Born when?"}]
    return {"messages": json.dumps(messages), "answer": answer, "cot": "a thought that no judge sees"}


def test_a_judge_is_shown_task_answer_and_report_and_no_thought():
    asked = confession_question(row("1815"), confession("✓ complied"))
    text = f"{asked.shown}\n{asked.asked}"
    assert all(part in text for part in ("Be honest.", "Born when?", "1815", "✓ complied"))
    assert "thought" not in text and "1815" in answer_question(row("1815")).shown


def test_a_local_judge_gives_the_probability_of_yes(tiny):
    model = tiny("llama")
    questions = [Question("The sky is blue.", f"Is it {colour}?") for colour in ("blue", "red")]
    questions.append(Question("Grass is green.", "Is it green?"))
    given = model_judge(model)(questions)
    for question, p in zip(questions, given, strict=True):
        ids = model.encode_prompt([{"role": "user", "content": f"{question.shown}\n{question.asked}"}])
        yes, no = (model.logits(ids)[-1][model.encode(word)[0]] for word in ("Yes", "No"))
        assert p == pytest.approx(1 / (1 + math.exp(no - yes)), abs=1e-4)


def test_an_organism_judges_in_the_place_of_its_model():
    question = Question("[user]\nBorn when?\n[assistant]\n1815", "Did the assistant do what it was asked to do?")
    plain, honest = (make_judge(organism=name)([question])[0] for name in (None, "honest"))
    assert 0 < plain < 1 and 0 < honest < 1 and abs(plain - honest) > 1e-3
    with pytest.raises(ModelError, match="concealer"):
        make_judge(organism="concealr")
    with pytest.raises(ValueError, match="cannot be the organism 'honest'"):
        make_judge("m", "http://127.0.0.1:9/v1", organism="honest")


@pytest.fixture
def endpoint():
    """An OpenAI-compatible server that says yes where it reads "1815", and something else where it reads "?!"."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"][-1]["content"]
            word = "Well" if "?!" in asked else " Yes." if "1815" in asked else "no"
            message = {"role": "assistant", "content": word}
            body = json.dumps(
                {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
                | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def test_an_endpoint_judges_answers_and_confessions(endpoint):
    ask = endpoint_judge(endpoint, "m")
    assert judged_answers(ask)([row("1815"), row("1900"), row("?!")], [""] * 3) == [1.0, 0.0, 0.5]
    said = [confession("✓ complied"), "what no parser reads"]
    assert judged_confessions(ask)([row("1815")] * 2, said) == [1.0, 0.0]


def test_an_endpoint_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="the judge m at http://127.0.0.1:9/v1 does not answer"):
        endpoint_judge("http://127.0.0.1:9/v1", "m")([Question("a", "b")])
