"""Drives the hub through a client that openapi-python-client has generated: api_client.py FOLDER URL KEY."""

import sys

folder, url, key = sys.argv[1:]
sys.path.insert(0, folder)

from hr_hub_client import AuthenticatedClient  # noqa: E402
from hr_hub_client.api.records import get_application, list_applications, list_candidates  # noqa: E402
from hr_hub_client.api.subscriptions import create_subscription, list_subscriptions  # noqa: E402
from hr_hub_client.models import Application, NewSubscription, Problem  # noqa: E402

client = AuthenticatedClient(base_url=url, token=key)

seen, cursor, pages = [], None, 0
while True:
    wanted = {"cursor": cursor} if cursor else {}
    page = list_applications.sync(client=client, limit=2, **wanted)
    seen += [one.id for one in page.data]
    pages += 1
    cursor = page.next_cursor
    if cursor is None:
        break
assert len(seen) == len(set(seen)) >= 3 and pages >= 2, (seen, pages)
print("paged")

application = get_application.sync(str(seen[0]), client=client)
assert isinstance(application, Application) and application.id == seen[0] and application.version >= 1
assert application.sources[0].connection_id == "greenhouse-main", application.sources
people = list_candidates.sync(client=client, connection="greenhouse-main")
assert people.data and people.data[0].name.full, people
print("read")

# A word that came after the client was generated is read as any other.
later = Application.from_dict({"id": str(seen[0]), "version": 1, "stage_kind": {"value": "TELEPATHY"}, "aura": "green"})
assert later.stage_kind.value == "TELEPATHY" and later.additional_properties["aura"] == "green"
print("open")

answer = get_application.sync_detailed("0193a5c1-0000-7000-8000-000000000000", client=client)
assert answer.status_code == 404 and isinstance(answer.parsed, Problem), answer
assert answer.parsed.code == "not_found" and answer.parsed.type_.startswith("/docs/problems/"), answer.parsed
print("problem")

made = create_subscription.sync(
    client=client, body=NewSubscription(url="http://127.0.0.1:9/hooks", types=["hr.application.*"])
)
assert made.secret.startswith("whsec_") and made.status == "active", made
assert any(one.id == made.id for one in list_subscriptions.sync(client=client).data)
print("subscribed")
