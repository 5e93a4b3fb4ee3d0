"""The local launcher behind `./praxis`: real servers, all services, on this machine's loopback."""
