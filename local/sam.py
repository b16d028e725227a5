"""Run `sam local` with AWS, imin and an OIDC issuer at addresses that Lambda's containers can reach.

`python -m local.sam SAM start-api --warm-containers LAZY` runs `SAM local start-api …` on the output of `make build`, with
another environment and architecture. Containers reach this machine at the bridge's address; set `HOST_ADDRESS` if that address
doesn't work (Docker Desktop).
"""

import contextlib
import ipaddress
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from local.dependencies import Dependencies, number, serve, start_dependencies
from local.template import Loader

BUILD = Path(__file__).parent.parent / ".aws-sam" / "build"
BRIDGE = ["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]


def main(sam: str, command: str, *arguments: str) -> None:
    """Start the dependencies, run sam until it ends, and exit with its status."""
    host = os.environ.get("HOST_ADDRESS") or bridge_address()
    port, issuer_port = number("PORT", 3000), number("ISSUER_PORT", 3003)
    with contextlib.ExitStack() as running:
        dependencies = start_dependencies(running, host, f"http://127.0.0.1:{port}", f"http://{host}:{issuer_port}")
        if dependencies.issuer:
            serve(running, dependencies.issuer, host, issuer_port)
        template = write_template(dependencies)
        options = ["--port", str(port)] if command.startswith("start-") else []
        full_command = [sam, "local", command, "--template", str(template), "--region", "eu-west-2", *options, *arguments]
        print(f"issuer http://{host}:{issuer_port}, imin {dependencies.settings['IMIN_BASE_URL']}", file=sys.stderr, flush=True)
        process = subprocess.Popen(full_command)  # noqa: S603 - the command in the arguments
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, lambda *_: process.terminate())  # sam ignores SIGINT in the background
        status = process.wait()
    sys.exit(0 if status == -signal.SIGTERM else status)


def bridge_address() -> str:
    """Return this machine's address on the containers' network. Exit with 1 if no container engine responds."""
    try:
        output = subprocess.run(BRIDGE, check=True, capture_output=True).stdout  # noqa: S603 - a constant command
    except (OSError, subprocess.CalledProcessError):
        sys.exit("sam local needs a container engine, and none responds: is Docker running?")
    (network, *_) = json.loads(output)
    return str(network.get("Gateway") or ipaddress.ip_network(network["Subnet"])[1])


def write_template(dependencies: Dependencies) -> Path:
    """Write a copy of the built template with the functions' effective environment, for this machine's processor."""
    document = yaml.load((BUILD / "template.yaml").read_text(), Loader)  # noqa: S506 - a safe loader
    document["Parameters"]["Architecture"]["Default"] = "x86_64" if platform.machine() in {"x86_64", "AMD64"} else "arm64"
    document["Globals"]["Function"].pop("Environment", None)
    for function in dependencies.functions:
        properties = document["Resources"][function.name]["Properties"]
        properties["Environment"] = {"Variables": {**function.environment, **_endpoint_variables(dependencies)}}
    path = BUILD / "template.local.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _endpoint_variables(dependencies: Dependencies) -> dict[str, str]:
    return {name: value for name, value in dependencies.aws_variables.items() if name.startswith("AWS_ENDPOINT_URL")}


if __name__ == "__main__":
    main(*sys.argv[1:])
