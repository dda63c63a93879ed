"""How the product is doing: health for clients, metrics for Prometheus, probes for balancers."""
