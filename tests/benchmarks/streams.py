"""What streaming costs: python tests/benchmarks/streams.py

CPU of this process for a stream of 400 events, and the time that a round of parallel streams takes
beyond the streams themselves, against a server in another process that paces every stream to 2 s.
The last row is 500 streams of 1 s at once. Targets: 45 ms CPU; 50, 60 and 150 ms beyond.
"""

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from vendors.streams import ALL, PATHS

TEXT = "".join(f"+    value_{i} = compute({i})  # naïve\n" for i in range(400))
EVENTS = 400
SECONDS = 2.0
FORMATS = ("responses", "messages", "gemini")


def make_streams() -> dict[str, list[bytes]]:
    return {name: ALL[name](TEXT, EVENTS) for name in FORMATS}


async def serve(seconds: float) -> None:
    """Pace every stream by one clock tick of its own; print the port, then serve until killed."""
    ready = make_streams()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                name = next(n for n in FORMATS if PATHS[n].encode() in head)
                await stream(ready[name], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def stream(events: list[bytes], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for i, data in enumerate(events):
            wait = began + seconds * (i + 1) / len(events) - loop.time()
            if wait > 0.0005:
                await asyncio.sleep(wait)
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def bare() -> float:
    """CPU seconds of an interpreter that does nothing, the median of nine."""
    spent = []
    for _ in range(9):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(spent)


async def measure(port: int, count: int, seconds: float) -> tuple[float, float]:
    """Seconds beyond the stream, and CPU seconds a stream, for COUNT streams at once."""
    from dursor.domain import Role, Secret
    from dursor.providers.base import CallLimits, Endpoint, Prompt, Turn
    from dursor.providers.client import ModelClient, NullListener

    root = f"http://127.0.0.1:{port}"
    makes = [
        ("openai", f"{root}/v1"),
        ("anthropic", root),
        ("google", root),
    ]
    prompt = Prompt("Answer.", (Turn(Role.USER, "some code\n" * 6000),))
    client = ModelClient()

    async def one(i: int) -> None:
        provider, base = makes[i % 3]
        endpoint = Endpoint(provider, "m", Secret("bench-key"), base)
        reply = await client.ask(endpoint, prompt, CallLimits(), NullListener())
        assert reply.text == TEXT

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one(i) for i in range(count)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await client.aclose()
    return wall - seconds, cpu / count


def run(count: int, seconds: float) -> tuple[float, float]:
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(seconds)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        return asyncio.run(measure(int(server.stdout.readline()), count, seconds))
    finally:
        server.kill()
        server.wait()


def main() -> None:
    import dursor.providers.client  # noqa: F401 - imports are not part of a round's overhead

    idle = bare()
    print(f"bare Python: {idle * 1000:.1f} ms CPU")
    print(f"{'streams':>7} {'beyond':>9} {'CPU/stream':>11} {'x bare':>7} {'peak RSS':>9}")
    for count, seconds in ((1, SECONDS), (3, SECONDS), (10, SECONDS), (50, SECONDS), (500, 1.0)):
        beyond, cpu = run(count, seconds)
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{count:7d} {beyond * 1000:6.0f} ms {cpu * 1000:8.1f} ms {cpu / idle:7.2f}"
            f" {rss:5.0f} MiB"
        )


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(serve(float(sys.argv[-1])))
    else:
        main()
