"""The control plane: the only place that knows moto.

``server.serve`` answers EC2 and STS calls on a listening socket and hands every change on as a
``sandbox.state.State``, which ``snapshot.snapshot`` reads out of moto. The other modules, one noun
each, are what AWS does and moto does not: they subclass moto's classes, ``replacements`` puts the
subclasses in moto's place, and ``requests`` joins their answers into one EC2 endpoint.

moto is pinned to one release: these are its internals. ``tests/sandbox/test_api_*.py`` are the
contract, and say what a newer release has to be checked for.
"""
