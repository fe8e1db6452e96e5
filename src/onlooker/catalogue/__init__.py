"""The tables of what exists, as plain data: role implementations of the application and methods from papers.

Importing this imports no model and opens no file.
"""

from onlooker.catalogue.methods import (
    METHODS,
    MethodEntry,
    Paper,
    build,
    compare_weights,
    find_method,
    list_methods,
    load_definition,
)
from onlooker.catalogue.role_entry import (
    ENTRY_POINT_GROUP,
    ROLES,
    HubModel,
    Option,
    Profile,
    Role,
    RoleEntry,
)
from onlooker.catalogue.role_rows import PROFILES
from onlooker.catalogue.roles import (
    check_role,
    create,
    find_role_entry,
    profile,
    role_entries,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "METHODS",
    "PROFILES",
    "ROLES",
    "HubModel",
    "MethodEntry",
    "Option",
    "Paper",
    "Profile",
    "Role",
    "RoleEntry",
    "build",
    "check_role",
    "compare_weights",
    "create",
    "find_method",
    "find_role_entry",
    "list_methods",
    "load_definition",
    "profile",
    "role_entries",
]
