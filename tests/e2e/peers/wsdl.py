"""An independent library reads the same description: the same operations, and our examples are messages to it.

Arguments: a WSDL, the folder with the examples, what `import-wsdl --format json` printed."""

import json
import sys
from pathlib import Path

from lxml import etree
from zeep import Client

wsdl, folder, listed = sys.argv[1:4]
client = Client(wsdl)
ours = {one["operation"]: one for one in json.loads(Path(listed).read_text())["operations"]}
theirs = {}
for service in client.wsdl.services.values():
    for port in service.ports.values():
        for name, operation in port.binding._operations.items():
            theirs.setdefault(name, (operation, set()))[1].add("1.2" if "Soap12" in type(port.binding).__name__ else "1.1")
assert set(ours) == set(theirs), (sorted(ours), sorted(theirs))


def shape(element):
    """Names in order, with the depth, as far as the schema goes."""
    return [(etree.QName(one).namespace, etree.QName(one).localname) for one in element.iter(etree.Element)]


for name, (operation, versions) in theirs.items():
    mine = ours[name]
    assert (operation.soapaction or "").strip('"') == mine["action"], (name, operation.soapaction)
    assert set(mine["versions"]) == versions, (name, mine["versions"], versions)
    envelope = etree.parse(str(Path(folder) / f"{mine['name']}.request.xml"), etree.XMLParser(remove_blank_text=True)).getroot()
    body = envelope[-1][0]
    if operation.style != "document":
        parts = [child.tag for child in body]
        assert parts == [part for part in operation.input.body.type.elements and [e[0] for e in operation.input.body.type.elements]], parts
        continue
    element = operation.input.body
    assert element.qname.text == body.tag, (element.qname.text, body.tag)
    read = element.parse(body, client.wsdl.types)
    again = etree.Element("again")
    element.render(again, read)
    assert shape(again[0]) == shape(body), f"{name}: {shape(again[0])} {shape(body)}"
print(len(theirs))
