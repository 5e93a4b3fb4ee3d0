"""The staff web app's static files. Everything it shows comes from the services' own APIs."""
