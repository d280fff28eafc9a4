"""The HTTP routes of engagement, and what they need."""

from collections.abc import Sequence

from engagement.audience import api as audience_api
from engagement.documents import SERVICE
from huiqun.channel.directory.handlers import Directory
from huiqun.privacy.erasure import api as person_requests_api
from huiqun.service.api import HttpInterface
from huiqun.tasks import api as tasks_api
from huiqun.web import Router

DESCRIPTION = "Campaigns, benefits, points and the service desk."
ROUTERS = (
    audience_api.router,  # /api/v1/groups/{group_id}/activity
    person_requests_api.router,  # /api/v1/person-requests
    tasks_api.router,  # /api/v1/tasks
)


def interface(directory: Directory, routers: Sequence[Router] = ROUTERS) -> HttpInterface:
    """Routes of the service, with what they need."""
    return HttpInterface(service=SERVICE, description=DESCRIPTION, routers=routers, provided=(directory,))
