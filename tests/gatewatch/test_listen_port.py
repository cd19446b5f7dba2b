"""A port that is taken is told before anything is started."""

from __future__ import annotations

import socket

import pytest

from gatewatch.listen_port import PortTaken, refuse_taken
from tests.ports import free_port


def test_a_free_port_is_left_free() -> None:
    port = free_port()
    refuse_taken("127.0.0.1", port, "--api-port")
    refuse_taken("127.0.0.1", port, "--api-port")


def test_a_taken_port_is_named_with_the_setting_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        message = f"^cannot listen on 127.0.0.1:{port}: Address already in use; choose another port with --api-port$"
        with pytest.raises(PortTaken, match=message):
            refuse_taken("127.0.0.1", port, "--api-port")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(PortTaken, match="Cannot assign requested address"):
        refuse_taken("192.0.2.1", 8060, "--api-port")
