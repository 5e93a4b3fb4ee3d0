"""`./praxis bench NAME`."""

import importlib
import sys

SCENARIOS = {
    "log-time": "bench.log_time",
    "relay": "bench.relay",
    "pdf": "bench.pdf",
    "billing": "bench.billing",
    "question": "bench.question",
    "apply": "bench.apply",
    "boards": "bench.boards",
    "clients": "bench.clients",
    "typeahead": "bench.typeahead",
    "reports": "bench.reports",
    "live": "bench.live",
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in SCENARIOS:
        print(f"scenarios: {', '.join(SCENARIOS)}")
        sys.exit(2 if name else 0)
    importlib.import_module(SCENARIOS[name]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
