"""The practice server: scripted replies in three vendors' wire formats on a loopback port."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Any

from dursor.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PRACTICE_KEY = "no-real-key-only-the-practice-server-takes-it"
PIECE = 24  # characters of text per event


def stream_responses(
    pieces: Sequence[str], input_tokens: int, output_tokens: int
) -> Iterator[dict[str, Any]]:
    """OpenAI's Responses API."""
    response = {"id": "resp_practice", "object": "response", "output": []}
    yield {"type": "response.created", "response": response | {"status": "in_progress"}}
    for piece in pieces:
        yield {"type": "response.output_text.delta", "output_index": 0, "delta": piece}
    usage = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    yield {
        "type": "response.completed",
        "response": response | {"status": "completed", "usage": usage},
    }


def stream_messages(
    pieces: Sequence[str], input_tokens: int, output_tokens: int
) -> Iterator[dict[str, Any]]:
    """Anthropic's Messages API."""
    usage = {"input_tokens": input_tokens, "output_tokens": 1}
    message = {"id": "msg_practice", "type": "message", "role": "assistant", "content": []}
    yield {"type": "message_start", "message": message | {"usage": usage}}
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for piece in pieces:
        delta = {"type": "text_delta", "text": piece}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    end, usage = {"stop_reason": "end_turn"}, {"output_tokens": output_tokens}
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


def stream_gemini(
    pieces: Sequence[str], input_tokens: int, output_tokens: int
) -> Iterator[dict[str, Any]]:
    """Google's streamGenerateContent, whose events have no type."""
    for piece in pieces:
        yield {"candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}}]}
    content = {"role": "model", "parts": [{"text": ""}]}
    counts = {"promptTokenCount": input_tokens, "candidatesTokenCount": output_tokens}
    yield {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": counts}


class _Handler(BaseHTTPRequestHandler):
    """Streams the reply of the requested model in the format that belongs to the path."""

    answers: Mapping[str, Callable[[str], str]]
    delay: float
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if "/models/" in self.path:
            model = self.path.rpartition("/models/")[2].partition(":")[0]
            stream = stream_gemini
        else:
            model = json.loads(body)["model"]
            stream = stream_messages if self.path == "/v1/messages" else stream_responses
        reply = self.answers[model](body)
        pieces = [reply[start : start + PIECE] for start in range(0, len(reply), PIECE)]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in stream(pieces, len(body) // 4, len(reply) // 4):
            name = f"event: {event['type']}\n" if "type" in event else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
            time.sleep(self.delay)  # streams as slowly as a model

    def log_message(self, *_: object) -> None:
        """Print nothing: the terminal belongs to the demo."""


class _Server(ThreadingTCPServer):  # HTTPServer would look up this machine's name
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect, as they do on Ctrl-C."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(
    answers: Mapping[str, Callable[[str], str]], *, delay: float = 0.0
) -> Iterator[dict[str, str]]:
    """Serve ANSWERS by model name, each a function from the request body to the reply.

    Yields the environment variables that point at the server. DELAY is in seconds per event.
    """
    handler = type("Handler", (_Handler,), {"answers": answers, "delay": delay})
    try:
        server = _Server(("127.0.0.1", 0), handler)
    except OSError as error:
        raise InternalError(f"cannot listen on 127.0.0.1: {error.strerror}") from error
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield {
            "OPENAI_API_KEY": PRACTICE_KEY,
            "OPENAI_BASE_URL": f"{url}/v1",
            "ANTHROPIC_API_KEY": PRACTICE_KEY,
            "ANTHROPIC_BASE_URL": url,
            "GOOGLE_API_KEY": PRACTICE_KEY,
            "GOOGLE_GEMINI_BASE_URL": url,
        }
    finally:
        server.shutdown()
        server.server_close()
