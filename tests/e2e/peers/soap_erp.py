"""An ERP that speaks SOAP by an independent library, for the hub to call.

Argument: the port. `/11` and `/12` are one service in SOAP 1.1 and 1.2, which checks every message against its schema
and wants a WS-Security digest; `/legacy` answers in GBK, whatever the version, and `/gateway` is a broken gateway.
"""

import base64
import datetime
import hashlib
import io
import logging
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from lxml import etree
from spyne import Application, ComplexModel, Date, Decimal, Fault, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication

logging.basicConfig(level=logging.CRITICAL)
TNS = "urn:heron:hr"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PEOPLE = {}
NONCES = set()


class Employee(ComplexModel):
    __namespace__ = TNS
    _type_info = [
        ("employeeNo", Unicode(min_occurs=1, nullable=False)),
        ("legalName", Unicode(min_occurs=1)),
        ("hireDate", Date(min_occurs=0)),
        ("leftOn", Date(min_occurs=1, nillable=True)),
        ("baseSalary", Decimal(min_occurs=0)),
        ("tag", Unicode(min_occurs=0, max_occurs="unbounded")),
    ]


PEOPLE["E00001"] = Employee(
    employeeNo="E00001",
    legalName="张伟<>&\"𠮷",
    hireDate=datetime.date(2020, 3, 15),
    baseSalary="15000.50",
    tag=["one"],
)


class Heron(ServiceBase):
    @rpc(Unicode(min_occurs=1), _returns=Employee)
    def GetEmployee(ctx, employeeNo):
        if employeeNo == "BUSY":
            raise Fault("Server.BUSY", "系统繁忙")
        if employeeNo not in PEOPLE:
            raise Fault("Client.EMP_NOT_FOUND", "员工不存在")
        return PEOPLE[employeeNo]

    @rpc(Employee, _returns=Employee)
    def AddEmployee(ctx, employee):
        PEOPLE[employee.employeeNo] = employee
        return employee


def application(protocol):
    app = Application([Heron], TNS, in_protocol=protocol(validator="lxml"), out_protocol=protocol())
    return WsgiApplication(app)


def believed(body):
    """Whether a message proves the password by a digest that is new."""
    root = etree.fromstring(body)
    token = root.find(f".//{{{WSSE}}}UsernameToken")
    if token is None:
        return False
    nonce = base64.b64decode(token.findtext(f"{{{WSSE}}}Nonce") or "")
    created = token.findtext(f"{{{WSU}}}Created") or ""
    if not nonce or not created:
        return False
    wanted = base64.b64encode(hashlib.sha1(nonce + created.encode() + b"hub<secret>").digest()).decode()
    now = datetime.datetime.now(datetime.timezone.utc)
    made = datetime.datetime.fromisoformat(created.replace("Z", "+00:00"))
    expires = root.findtext(f".//{{{WSU}}}Timestamp/{{{WSU}}}Expires").replace("Z", "+00:00")
    fresh = nonce not in NONCES and abs((now - made).total_seconds()) < 300
    NONCES.add(nonce)
    in_time = datetime.datetime.fromisoformat(expires) > now
    user = token.findtext(f"{{{WSSE}}}Username") == "hub"
    return fresh and in_time and user and token.findtext(f"{{{WSSE}}}Password") == wanted


REFUSED = {
    "/11": ("500 Internal Server Error", "text/xml; charset=utf-8", f"""<e:Envelope
 xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode xmlns:w="{WSSE}">w:FailedAuthentication</faultcode>
 <faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>"""),
    "/12": ("400 Bad Request", "application/soap+xml; charset=utf-8", f"""<e:Envelope
 xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode>
 <e:Value xmlns:w="{WSSE}">w:FailedAuthentication</e:Value></e:Subcode></e:Code><e:Reason><e:Text xml:lang="en">no</e:Text>
 </e:Reason></e:Fault></e:Body></e:Envelope>"""),
}
LEGACY = """<?xml version="1.0" encoding="gb2312"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>
<GetEmployeeResponse xmlns="urn:heron:hr"><GetEmployeeResult><employeeNo>E7</employeeNo><legalName>李镕</legalName>
</GetEmployeeResult></GetEmployeeResponse></S:Body></S:Envelope>"""
SERVICES = {"/11": application(Soap11), "/12": application(Soap12)}


def answer(start, status, content_type, body):
    start(status, [("content-type", content_type), ("content-length", str(len(body)))])
    return [body]


def serve(environ, start):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if path == "/legacy":
        return answer(start, "200 OK", "text/xml", LEGACY.encode("gb18030"))
    if path == "/gateway":
        return answer(start, "502 Bad Gateway", "text/html", b"<html><body>Bad Gateway</body></html>")
    if path not in SERVICES:
        return answer(start, "200 OK", "text/plain", b"up")
    if not believed(body):
        status, content_type, text = REFUSED[path]
        return answer(start, status, content_type, text.encode())
    environ["wsgi.input"] = io.BytesIO(body)
    return SERVICES[path](environ, start)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", int(sys.argv[1]), serve, handler_class=Quiet).serve_forever()
