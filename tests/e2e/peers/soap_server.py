"""An independent SOAP library calls the hub by nothing but its description.

Arguments: the address of the description, a file with the published contract, user, password."""

import sys
from datetime import date, datetime, timezone
from decimal import Decimal

from zeep import Client
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

url, contract, user, password = sys.argv[1:5]


def view(client):
    """What the library makes of a description: operations, actions, the shape of every message and type."""
    seen = {}
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            for name, operation in port.binding._operations.items():
                seen[(port.name, name)] = (
                    operation.soapaction,
                    operation.style,
                    operation.input.signature(),
                    operation.output.signature(as_output=True),
                    sorted(operation.faults),
                )
    types = {str(kind.qname): kind.signature(schema=client.wsdl.types) for kind in client.wsdl.types.types if kind.qname}
    elements = {str(e.qname): e.signature(schema=client.wsdl.types) for e in client.wsdl.types.elements}
    ours = "{http://hub.example.com/integration/push/v1}"
    return seen, *({k: v for k, v in each.items() if k.startswith(ours)} for each in (types, elements))


published, served = view(Client(contract)), view(Client(url))
for theirs, ours in zip(published, served):
    assert theirs == ours, f"{theirs}\n{ours}"
print("contract")

for port in ("HubPushSoap11Port", "HubPushSoap12Port"):
    client = Client(url, service_name="HubPushService", port_name=port, wsse=UsernameToken(user, password, use_digest=True))
    service = client.service
    header = {"sourceSystem": "ZEEP", "batchId": port, "sentAt": datetime(2025, 11, 1, 8, tzinfo=timezone.utc)}
    good = {
        "employeeNo": f"Z<1>&\"'{port}", "legalName": "𠮷野 <&> 玥", "idNumber": "110199199003070009", "departmentCode": "D001",
        "hireDate": date(2020, 3, 15), "baseSalary": Decimal("15000.50"), "currency": "CNY", "change": "UPSERT",
    }
    bad = {**good, "employeeNo": f"Z2 {port}", "idNumber": "110199199003070008"}
    first = service.PushEmployees(header=header, employee=[good, bad, good])
    assert (first.batchId, first.accepted, first.duplicate) == (port, 1, False), first
    rejected = [(row["index"], row.employeeNo, row.code) for row in first.rejected]
    assert rejected == [(1, f"Z2 {port}", "ID_CHECKSUM"), (2, good["employeeNo"], "DUPLICATE_IN_FILE")], rejected
    again = service.PushEmployees(header=header, employee=[good, bad, good])
    assert (again.accepted, again.duplicate, len(again.rejected)) == (1, True, 2), again
    try:
        service.PushEmployees(header=header, employee=[bad])
        raise SystemExit("a batch with other content was taken")
    except Fault as fault:
        code = fault.detail.find(".//{*}code")
        assert code is not None and code.text == "BATCH_CONFLICT", fault.message
    status = service.GetPushStatus(batchId=port)
    assert status.state in ("RECEIVED", "PROCESSING", "DONE") and (status.accepted, status.rejected) == (1, 2), status
    item = {"employeeNo": good["employeeNo"], "grossPay": Decimal("100.10"), "netPay": Decimal("90.05"), "currency": "CNY",
            "paidOn": date(2025, 11, 10)}
    paid = service.PushPayrollResult(header={**header, "batchId": f"{port}-pay"}, period="2025-10",
                                     item=[item, {**item, "employeeNo": "x", "netPay": Decimal("101")}])
    assert (paid.accepted, [row.code for row in paid.rejected]) == (1, ["AMOUNT"]), paid
    stranger = Client(url, service_name="HubPushService", port_name=port, wsse=UsernameToken(user, "wrong", use_digest=True))
    try:
        stranger.service.GetPushStatus(batchId=port)
        raise SystemExit("a wrong password was believed")
    except Fault as fault:
        codes = [str(fault.code), *(code.text for code in fault.subcodes or [])]
        assert any("FailedAuthentication" in code for code in codes), codes
    print(port)
