"""Reads an answer as a peer does; prints MB per second of processor time: soap.py lxml|zeep FILE WORKERS"""
import sys
import time

from lxml import etree

name, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(path, "rb") as file:
    data = file.read()
WD = "urn:heron:bsvc"


def schema():
    from zeep import xsd

    def element(local, kind, **more):
        return xsd.Element(f"{{{WD}}}{local}", kind, **more)

    def record(*parts, attributes=()):
        return xsd.ComplexType(xsd.Sequence(list(parts)), [xsd.Attribute(f"{{{WD}}}{a}", xsd.String()) for a in attributes])

    ident = xsd.ComplexType([xsd.Element("_value_1", xsd.String())], [xsd.Attribute(f"{{{WD}}}type", xsd.String())])
    text = xsd.String()
    reference = record(element("ID", text, max_occurs="unbounded"), attributes=["Descriptor"])
    names = record(element("First_Name", text), element("Last_Name", text), element("Local_Name", text))
    personal = record(element("Name_Data", names), element("Birth_Date", text))
    position = record(
        element("Position_ID", text), element("Position_Title", text), element("Business_Title", text),
        element("Organization_Reference", reference), element("Amount", xsd.Decimal()), element("Currency", text),
        attributes=["Effective_Date"],
    )
    data_type = record(element("Worker_ID", text), element("Personal_Data", personal), element("Position_Data", position, max_occurs="unbounded"))
    worker = record(element("Worker_Reference", reference), element("Worker_Data", data_type))
    answer = record(element("Worker", worker, max_occurs="unbounded"))
    return element("Response_Data", answer)


def by_lxml():
    root = etree.fromstring(data)
    return sum(1 for worker in root.iter(f"{{{WD}}}Worker") if worker.findtext(f"{{{WD}}}Worker_Data/{{{WD}}}Worker_ID"))


if name == "zeep":
    from zeep import Settings
    from zeep.loader import parse_xml
    from zeep.xsd.schema import Schema

    described, context = schema(), Schema(settings=Settings(strict=False))

    def run():
        root = parse_xml(data, None)
        found = described.parse(root.find(f".//{{{WD}}}Response_Data"), context)
        return len(found.Worker)
else:
    run = by_lxml

times = 3 if name == "zeep" else 20
begun = time.process_time()
for _ in range(times):
    found = run()
    assert found == count, found
print(len(data) * times / 1e6 / (time.process_time() - begun))
