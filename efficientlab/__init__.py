"""efficientlab: labs on application-specific efficient vision, and the package they build on.

One idea behind all of them: keep the task-critical representation, but avoid dense computation where
the data is redundant or sparse.
"""

__version__ = "0.1.0"
