"""promptfoo, with a provider in JavaScript and as many calls at once as ours.

    python on_promptfoo.py COUNT

Its command runs as a process, so its start is counted, and the time that it reports beside it
is taken: what the evaluation took, without the start.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AT_ONCE = 50
SECONDS = 0.02
COMMAND = Path(sys.prefix) / "node_modules/.bin/promptfoo"

PROVIDER = """
module.exports = class {
  id() { return "doubler"; }
  async callApi(prompt) {
    await new Promise((done) => setTimeout(done, %d));
    return { output: String(Number(prompt) * 2) };
  }
};
"""
QUIET = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "PROMPTFOO_SELF_HOSTED": "1",
}


def main() -> None:
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "doubler.js").write_text(PROVIDER % (1000 * SECONDS), "utf-8")
        tests = [
            {"vars": {"n": str(n)}, "assert": [{"type": "equals", "value": str(n * 2)}]}
            for n in range(count)
        ]
        wanted = {"prompts": ["{{n}}"], "providers": ["file://doubler.js"], "tests": tests}
        (folder / "promptfooconfig.json").write_text(json.dumps(wanted), "utf-8")
        start = time.perf_counter()
        done = subprocess.run(
            [
                *(str(COMMAND), "eval", "-c", "promptfooconfig.json", "-o", "out.json"),
                *("--max-concurrency", str(AT_ONCE), "--no-cache", "--no-progress-bar"),
                "--no-table",
            ],
            cwd=folder,
            env=os.environ | QUIET | {"PROMPTFOO_CONFIG_DIR": str(folder / "state")},
            check=False,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(done.stdout[-1000:] + done.stderr[-2000:])
        found = json.loads((folder / "out.json").read_text("utf-8"))["results"]["stats"]
    if found["successes"] != count:
        raise SystemExit(f"{found['successes']} of {count} cases")
    inside = found.get("durationMs", 1000 * seconds) / 1000
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    ideal = count * SECONDS / AT_ONCE
    print(json.dumps({"ideal": inside / ideal, "seconds": seconds, "memory": most}))


if __name__ == "__main__":
    main()
