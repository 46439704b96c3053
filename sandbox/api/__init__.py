"""The control plane: the only place that knows moto."""
