"""Fixtures of the demo's tests: a stack for each module, and a new phone for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.demo.app import Demo, open_demo
from tests.stack import Stack, start_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack with one execution environment for each function."""
    with start_stack(tmp_path_factory.mktemp("demo"), CONCURRENCY="1") as started:
        yield started


@pytest.fixture
def app(stack: Stack, browser: Browser) -> Iterator[Demo]:
    """Open the app on a phone."""
    with open_demo(stack, browser) as demo:
        yield demo
