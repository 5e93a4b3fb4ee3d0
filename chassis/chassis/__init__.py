import warnings

# connexion imports a test client that says so; nobody who runs a command wants to read it.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient` is deprecated")
