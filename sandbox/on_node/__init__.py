"""Programs of a node whose own could not work there: each says what it really did in this sandbox.

They run on the node, by this computer's ``/usr/bin/python3`` whatever its version (3.8 or later), and import
nothing but the standard library and each other. ``sandbox.stand_ins`` puts them there.
"""
