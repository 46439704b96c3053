"""One model of the network as it was observed: who is who, what leads where, what is let through.

It looks things up and judges nothing. Plan, path, checks and drawing all ask it.
"""
