"""A fourth vendor takes one new file and one line; every command then knows it."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import DIFF, CommandLine
from vendors.server import ReceivedRequest, Script
from vendors.streams import event

PACKAGE = Path(__file__).parents[2] / "dursor"
KEY = "acme-command-line-4444"
VENDOR = '''
"""Acme: a record, and a wire format of its own."""

from dursor.domain import ModelProfile, Usage
from dursor.providers.adapters.json_spans import encode
from dursor.providers.adapters.wire import Adapter, Decoder, Progress, Request
from dursor.providers.vendor import ErrorKind, ModelLimits, Vendor

VENDOR = Vendor(
    name="acme",
    key_variables=("ACME_API_KEY",),
    base_url="https://api.acme.example",
    base_url_variable="ACME_BASE_URL",
    adapters={"lines": f"{__name__}:LinesAdapter"},
    built_in=(ModelProfile("f" * 32, "wile", "acme", "wile-1", "Wile 1", built_in=True),),
    limits={"wile-": ModelLimits(200_000, 32_000)},
    error_codes={ErrorKind.NO_ACCESS: ("bad_key",)},
)


class LinesAdapter(Adapter):
    def build_request(self, endpoint, prompt, continuation=None):
        texts = [text for turn in prompt.turns for text in prompt.list_texts(turn)]
        body = encode({"model": endpoint.model_name, "system": prompt.system, "texts": texts})
        return Request("POST", f"{endpoint.root_url}/lines", self._headers(endpoint), body)

    def build_probe(self, endpoint):
        url = f"{endpoint.root_url}/about/{endpoint.model_name}"
        return Request("GET", url, self._headers(endpoint))

    def create_decoder(self):
        return LinesDecoder()

    def _headers(self, endpoint):
        return {"acme-key": endpoint.key.reveal()}


class LinesDecoder(Decoder):
    calls_tools = False

    def read(self, name, payload, source):
        if "done" in payload:
            self.usage = Usage(payload["done"], 0, 50, 0)
            self.progress = Progress.ENDED
        return payload.get("line", "")

    def collect_output(self):
        return [], []
'''
LINE = '    "google",\n'


@pytest.fixture
def acme(cli: CommandLine, tmp_path: Path) -> CommandLine:
    """Add the vendor to a copy of the package, and point dursor at a server of its own."""
    package = tmp_path / "copy" / "dursor"
    shutil.copytree(PACKAGE, package)
    vendors = package / "providers" / "vendors"
    (vendors / "acme.py").write_text(VENDOR)
    registry = (vendors / "__init__.py").read_text()
    assert registry.count(LINE) == 1
    (vendors / "__init__.py").write_text(registry.replace(LINE, f'{LINE}    "acme",\n'))
    cli.extra = {
        "PYTHONPATH": str(package.parent),
        "ACME_BASE_URL": cli.server.url,
        "DURSOR_ENCRYPTION_KEY": "correct horse",
    }
    cli.server.script("/lines", answer)
    cli.server.script("/about/", Script.error(200, {"name": "wile-1"}))
    return cli


def answer(request: ReceivedRequest) -> Script:
    if request.headers["acme-key"] != KEY:
        return Script.error(400, {"error": {"code": "bad_key", "message": "Unknown key."}})
    lines = [event({"line": line}) for line in DIFF.splitlines(keepends=True)]
    return Script([*lines, event({"done": 100})])


def test_every_command_knows_a_fourth_vendor(acme: CommandLine):
    key = acme.run_process("models", "set-key", "acme", "--stdin", "--json", input=KEY)
    assert (key.data["name"], key.data["provider"], key.data["key"]) == ("wile", "acme", "file")
    added = acme.run_process(
        *("models", "add", "mine", "--provider", "acme", "--model", "wile-2", "--json")
    )
    assert (added.data["provider"], added.data["key"]) == ("acme", "file")
    listed = acme.run_process("models", "list", "--json").data["items"]
    assert [model["name"] for model in listed] == ["gpt", "claude", "gemini", "wile", "mine"]
    assert "openai|anthropic|google|acme" in acme.run_process("models", "add", "--help").stdout

    doctor = {check["name"]: check for check in acme.run_process("doctor", "--json").data["checks"]}
    assert doctor["keys"]["detail"].endswith("wile, mine")
    assert "ACME_BASE_URL is set" in doctor["network"]["detail"]

    assert acme.run_process("models", "check", "wile", "mine").exit_code == 0
    done = acme.run_process("run", "append a line", "-m", "wile", "-m", "mine", "--json")
    assert done.exit_code == 0
    assert [(run["model"], run["provider"]) for run in done.runs] == [
        ("wile", "acme"),
        ("mine", "acme"),
    ]
    assert [run["usage"]["input_tokens"] for run in done.runs] == [100, 100]
    asked = [json.loads(r.body)["model"] for r in acme.server.requests if r.path == "/lines"]
    assert sorted(asked) == ["wile-1", "wile-2"]


def test_a_key_of_the_environment_and_the_codes_of_a_fourth_vendor(acme: CommandLine):
    acme.extra["ACME_API_KEY"] = "wrong"
    done = acme.run_process("run", "append a line", "-m", "wile", "--json")
    assert done.exit_code == 4
    (run,) = done.runs
    assert run["error"]["code"] == "auth"
    assert run["error"]["hint"] == "check ACME_API_KEY, or run: dursor models set-key wile"
    assert "wrong" not in done.stdout
    del acme.extra["ACME_API_KEY"]
    missing = acme.run_process("run", "append a line", "-m", "wile", "--json").json["errors"][0]
    assert "ACME_API_KEY is not set" in missing["message"]
    assert missing["hint"] == "export ACME_API_KEY=..., or dursor models set-key acme"
