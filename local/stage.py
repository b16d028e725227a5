"""Look up or protect a deployed stage: `python -m local.stage url|protect STAGE`. `samconfig.toml` has its stack and region."""

import sys
import tomllib
from pathlib import Path

import boto3

SETTINGS = Path(__file__).parent.parent / "samconfig.toml"


def main(command: str, stage: str) -> None:
    """Print the API's URL, or turn on the termination protection of the stack, which `sam deploy` can't."""
    parameters = tomllib.loads(SETTINGS.read_text())[stage]["global"]["parameters"]
    stack = parameters["stack_name"]
    client = boto3.client("cloudformation", region_name=parameters["region"])
    if command == "protect":
        client.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
        return
    (description,) = client.describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    print(outputs["ApiUrl"])


if __name__ == "__main__":
    main(*sys.argv[1:])
