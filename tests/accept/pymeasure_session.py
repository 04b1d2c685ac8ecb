"""PyMeasure's generic SCPI instrument: `pymeasure_session.py RESOURCE`, told as JSON."""

import json
import sys

from pymeasure.instruments import Instrument, SCPIMixin


class Source(SCPIMixin, Instrument):  # type: ignore[misc]
    """What a laboratory writes for a new instrument in five lines."""

    enable = Instrument.control(
        "*ESE?", "*ESE %d", "Event status enable.", check_set_errors=True, check_get_errors=True
    )

    def __init__(self, adapter: str) -> None:
        ends = {"read_termination": "\n", "write_termination": "\n"}
        super().__init__(adapter, "source", visa_library="@py", **ends)


def main(resource: str) -> None:
    """Ask, set, offend, and look for errors each time."""
    source = Source(resource)
    told = {"id": source.id, "options": source.options}
    told["power-on"] = int(source.ask("*ESR?"))
    source.enable = 5
    kept = source.enable
    source.clear()
    told["set and checked"] = [int(kept), int(source.ask("SYST:ERR:COUN?"))]
    source.write("*ESE 256")
    refused = source.check_errors()
    told["refused"] = [[int(number), text.strip().strip('"')] for number, text in refused]
    told["complete"] = source.complete
    told["next error"] = list(source.next_error)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
