"""A program that completes tasks over HTTP as fast as the server answers, on several connections. `python -m tests.bench.load PORT FILE CONNECTIONS`.

FILE holds task ids as JSON, all claimed by ft-01-1. Prints JSON: completions, seconds, and the seconds of CPU that this program took.
"""

import json
import sys
import threading
import time
from pathlib import Path

from tests.bench.ours import TEN_FIELDS, OverHttp

WARM = 20


def main(port: int, file: str, connections: int) -> None:
    """Complete every task; the clock runs from when each connection has done WARM of them: statements are planned, procedures compiled."""
    tasks = json.loads(Path(file).read_text(encoding="utf-8"))
    clients = [OverHttp(port) for _ in range(connections)]
    warming = [[tasks.pop() for _ in range(WARM)] for _ in clients]
    lock, failed, line = threading.Lock(), [], threading.Barrier(connections + 1)

    def work(client: OverHttp, first: list[str]) -> None:
        try:
            for task in first:
                client.complete(task, TEN_FIELDS)
            line.wait(120)
        except (OSError, RuntimeError) as error:
            failed.append(str(error))
            line.abort()  # or the others would wait for this one
            return
        while True:
            with lock:
                if not tasks or failed:
                    return
                task = tasks.pop()
            try:
                client.complete(task, TEN_FIELDS)
            except (OSError, RuntimeError) as error:
                failed.append(str(error))

    number, threads = len(tasks), [threading.Thread(target=work, args=each, daemon=True) for each in zip(clients, warming, strict=True)]
    for thread in threads:
        thread.start()
    try:
        line.wait(120)
    except threading.BrokenBarrierError:
        sys.exit(failed[0] if failed else "warming took too long")
    print("warm", flush=True)
    began, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(failed[0])
    print(json.dumps({"completions": number, "seconds": time.perf_counter() - began, "cpu": time.process_time() - used}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
