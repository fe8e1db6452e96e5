"""Damaged pictures and videos restored from file to file: what `onlooker restore` runs, for Python.

from onlooker.restoring import RestoreRequest, restore

print(restore(RestoreRequest("old.jpg", weights="runs/restorer")).share)
"""

from onlooker.restoring.request import RestoreRequest
from onlooker.restoring.run import restore
from onlooker.restoring.values import Region, Restoration
from onlooker.restoring.weights import open_restorer

__all__ = ["Region", "Restoration", "RestoreRequest", "open_restorer", "restore"]
