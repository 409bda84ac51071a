"""Look for known vulnerabilities in the locked dependencies.

Exit status 1 only for a hole that is known: without a way to the advisories nothing can be said, and
that must not keep anybody from working. It is said, though.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = "requirements-dev.lock"  # it includes what is in the other
SECONDS = 60


def main() -> int:
    """Audit the lock file and print what was found."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    # Beside the interpreter, since a home may be missing or closed.
    command += ["--cache-dir", str(Path(sys.prefix) / "audit-cache")]
    command += ["--progress-spinner", "off", "--timeout", "5", "--requirement", LOCK]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        print(f"audit: NOT DONE, the advisories did not come within {SECONDS} seconds")
        return 0
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"audit: NOT DONE, the advisories cannot be had: {reason[:200]}")
        return 0
    found = [(package, hole) for package in report["dependencies"] for hole in package.get("vulns", ())]
    for package, hole in found:
        mended = ", ".join(hole["fix_versions"]) or "no release yet"
        print(f"audit: {package['name']} {package['version']}: {hole['id']}, mended in {mended}")
    if not found:
        print(f"audit: no known holes in {len(report['dependencies'])} packages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
