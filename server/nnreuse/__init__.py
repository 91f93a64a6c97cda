"""nnreuse: finds nn.Module instances that are called or held more than once, and repairs the slips."""

__version__ = "0.1.0"
