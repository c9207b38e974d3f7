"""Lets scim2-tester look at a SCIM server: scim_tester.py URL KEY SEED. One line of JSON per check and what came of it."""

import json
import random
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server, checkers

url, key, seed = sys.argv[1:]
# Values that are picked from a list follow from the seed, so that a failure can be had again.
random.seed(int(seed))


def tell(**what):
    print(json.dumps(what, default=repr))


# What the tester could look at; the first one only calls the others.
for name in checkers.__all__:
    if name != "resource_type_tests":
        tell(known=name)

with Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
    for result in check_server(SyncSCIMClient(http)):
        data = None if result.status.name == "SUCCESS" else result.data
        tell(
            check=result.title,
            of=result.resource_type,
            status=result.status.name,
            reason=result.reason,
            data=getattr(data, "text", data),
        )
