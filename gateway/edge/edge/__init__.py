"""The edge of Praxis: Envoy's configuration, rendered from one template for every place it runs."""
