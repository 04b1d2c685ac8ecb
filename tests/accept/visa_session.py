"""PyVISA as a host's engineer uses it: `visa_session.py RESOURCE`, with all errors looked for.

A process of its own, because PyVISA waits where it stands. What it was told goes to standard
output as JSON.
"""

import json
import sys
from typing import Any

import pyvisa
from pyvisa.resources import MessageBasedResource
from pyvisa_py.protocols import hislip

PATIENCE_MS = 10_000


def talk(source: Any) -> dict[str, Any]:
    """What works over every kind of connection."""
    told = {"identity": source.query("*IDN?")}
    source.write("*CLS;*ESE 5")
    told["kept"] = source.query("*ESE?")
    source.write("NONSENSE")
    told["error"] = source.query("SYST:ERR?")
    told["no error"] = source.query("SYST:ERR?")
    while source.query("SOUR:STAT?") != "DEGRADED":  # as a rack with nothing but its stage is
        pass
    source.write("SYST:SERV ON")
    source.write("STAG:POS 60UM,70UM,80UM")
    told["done"] = source.query("*OPC?")
    told["stands at"] = source.query_ascii_values("STAG:POS?")
    source.write("SYST:SERV OFF")
    headers = source.query_binary_values("SYST:HELP:HEAD?", datatype="B", container=bytes)
    told["headers"] = headers.decode().split()
    source.write_binary_values("SITE:IMP ", b"{}", datatype="B")
    told["block error"] = source.query("SYST:ERR?")
    return told


def over_hislip(source: Any, resources: Any) -> dict[str, Any]:
    """Status byte, service request, interruption and clear, which need more than a stream."""
    told: dict[str, Any] = {"idle": source.read_stb()}
    source.write("*ESE?")
    while (status := source.read_stb()) == 0:
        pass
    told["message available"] = status
    source.read()
    told["read"] = source.read_stb()
    source.write("*CLS;*ESE 1;*SRE 32;*OPC")
    client = resources.visalib.sessions[source.session].interface
    told["request"] = hislip.AsyncServiceRequest(client._async).server_status  # noqa: SLF001
    told["polls"] = [source.read_stb(), source.read_stb()]
    source.query("*CLS;*SRE 0;*SRE?")
    client._send_data_packet(b"*SRE 8;*SR")  # noqa: SLF001 - half a message
    source.clear()
    told["after clear"] = source.query("*SRE?")
    source.write("*IDN?")
    source.write("*SRE?")
    told["interrupting"] = source.read()
    hislip.AsyncInterrupted(client._async)  # noqa: SLF001 - must be taken off the channel
    told["interrupted"] = source.query("SYST:ERR?")
    told["locks"] = [client.async_lock_request(1.0), client.async_lock_info()]
    told["locks"].append(client.async_lock_release())
    return told


def main(name: str) -> None:
    """All that this kind of connection can."""
    resources = pyvisa.ResourceManager("@py")
    with resources.open_resource(name, timeout=PATIENCE_MS) as source:
        assert isinstance(source, MessageBasedResource)
        source.read_termination = source.write_termination = "\n"
        told = talk(source)
        if "hislip" in name:
            told |= over_hislip(source, resources)
    resources.close()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
