"""The static tracer: constructor and forward interpreted on abstract values; a Trace comes out.

Pure: no I/O, no threads, and no exception for anything that user code may contain. What is not known stays unknown.
"""
