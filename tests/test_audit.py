"""The audit in CI: licences are read as they are meant, and advisories that cannot be asked for are no pass."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci"
_SPEC = spec_from_file_location("licences", CI / "licences.py")
licences = module_from_spec(_SPEC)
_SPEC.loader.exec_module(licences)

RULES = {
    "allowed": ["MIT", "Apache-2.0", "LLVM-exception"],
    "spellings": {"MIT License": "MIT"},
    "reviewed": {"nvidia-*": "x"},
}


@pytest.mark.parametrize(
    "expression, allowed",
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT OR GPL-3.0-only AND Zlib", True),
        ("(MIT OR GPL-3.0-only) AND Zlib", False),
        ("(GPL-3.0-only OR Apache-2.0) AND MIT", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("Apache-2.0 WITH Classpath-exception-2.0", False),
        ("MIT or Apache-2.0", True),
        ("(MIT", False),
        ("MIT)", False),
        ("MIT GPL-3.0-only", False),
        ("MIT AND", False),
        ("Copyright (c) 2001 Somebody", False),
        ("", False),
    ],
)
def test_spdx_expressions(expression, allowed):
    assert licences.is_allowed(expression, RULES["allowed"]) is allowed


@pytest.mark.parametrize(
    "headers, wrong",
    [
        (
            [("License-Expression", "MIT"), ("Classifier", "License :: OSI Approved :: GNU General Public License")],
            False,
        ),
        ([("Classifier", "License :: OSI Approved :: MIT License"), ("License", "see file")], False),
        (
            [("Classifier", "License :: OSI Approved :: MIT License"), ("Classifier", "License :: OSI Approved :: X")],
            True,
        ),
        ([("Classifier", "License :: OSI Approved"), ("License", "MIT License\nCopyright")], False),
        ([("License", "Proprietary")], True),
        ([("Name", "silent")], True),
    ],
)
def test_what_a_package_says(headers, wrong):
    metadata = Message()
    for key, value in headers:
        metadata[key] = value
    said = licences.claims(metadata)
    assert (licences.complaint("some-package", said, RULES) is not None) is wrong
    assert licences.complaint("nvidia-cublas", said, RULES) is None


@pytest.fixture
def advisories():
    """A database of advisories, as uv asks it: answers with a status, and one on jinja2 if it is to."""
    servers = []

    def start(status=200, found=False):
        class Handler(BaseHTTPRequestHandler):
            def answer(self, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):  # noqa: N802
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
                about = {"id": "TEST-1", "modified": "2025-01-01T00:00:00Z"}
                hits = [{"vulns": [about]} if found and q["package"]["name"] == "jinja2" else {} for q in asked]
                self.answer({"results": hits})

            def do_GET(self):  # noqa: N802
                package = {"name": "jinja2", "ecosystem": "PyPI"}
                ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]
                about = {"id": "TEST-1", "modified": "2025-01-01T00:00:00Z", "summary": "made up"}
                self.answer(about | {"affected": [{"package": package, "ranges": ranges}]})

            def log_message(self, *_):
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def audit(*options):
    """`.ci/audit` on the environment that runs the tests."""
    done = subprocess.run(
        [CI / "audit", *options],
        env=os.environ | {"UV_PROJECT_ENVIRONMENT": sys.prefix},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_the_audit_of_this_environment(advisories):
    status, said = audit("--service-url", advisories())
    if "nothing is installed here" in said:
        pytest.skip("ConfessLens is not installed here, only on the path")
    assert status == 0 and " 0 to be looked at by hand" in said and "no known vulnerabilities" in said, said
    status, said = audit("--service-url", advisories(found=True))
    assert status == 1 and "TEST-1: made up" in said, said
    for place in (advisories(status=403), "http://127.0.0.1:9"):
        status, said = audit("--service-url", place)
        assert status == 0 and "known vulnerabilities: NOT CHECKED. error: " in said, said
    status, said = audit("--no-such-option")
    assert status == 2 and "--no-such-option" in said, said  # any other failure is one
