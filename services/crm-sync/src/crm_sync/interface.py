"""The HTTP routes of crm-sync, and what they need."""

from collections.abc import Sequence

from crm_sync.customers import api as customers_api
from crm_sync.documents import SERVICE
from huiqun.audit import api as audit_api
from huiqun.channel.directory.handlers import Directory
from huiqun.privacy.erasure import api as person_requests_api
from huiqun.service.api import HttpInterface
from huiqun.tasks import api as tasks_api
from huiqun.web import Router

DESCRIPTION = "Customer profiles, two-way with the CRMs."
ROUTERS = (
    customers_api.router,  # /api/v1/customers
    audit_api.router,  # /api/v1/audit
    person_requests_api.router,  # /api/v1/person-requests
    tasks_api.router,  # /api/v1/tasks
)


def interface(directory: Directory, routers: Sequence[Router] = ROUTERS) -> HttpInterface:
    """Routes of the service, with what they need."""
    return HttpInterface(service=SERVICE, description=DESCRIPTION, routers=routers, provided=(directory,))
