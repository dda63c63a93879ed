"""The product's own state: health for clients, metrics for Prometheus, probes for load balancers."""
