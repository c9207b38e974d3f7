//! Messages, operations, and how they are bound.

use super::Published;
use super::out::Out;

pub(super) fn messages(out: &mut Out, published: &Published<'_>) {
    let mut message = |name: String, part: &str, element: &str| {
        out.open("wsdl:message", &[("name", name)]);
        out.empty("wsdl:part", &[("name", part.to_owned()), ("element", format!("tns:{element}"))]);
        out.close("wsdl:message");
    };
    for operation in &published.operations {
        message(format!("{}In", operation.name), "parameters", operation.input.0);
        if let Some((element, _)) = operation.output {
            message(format!("{}Out", operation.name), "parameters", element);
        }
    }
    if let Some((element, _)) = published.fault {
        message(format!("{element}Message"), "fault", element);
    }
}

pub(super) fn port_type(out: &mut Out, published: &Published<'_>) {
    out.open("wsdl:portType", &[("name", format!("{}PortType", published.name))]);
    for operation in &published.operations {
        out.open("wsdl:operation", &[("name", operation.name.to_owned())]);
        out.empty("wsdl:input", &[("message", format!("tns:{}In", operation.name))]);
        if operation.output.is_some() {
            out.empty("wsdl:output", &[("message", format!("tns:{}Out", operation.name))]);
            if let Some((element, _)) = published.fault {
                let message = format!("tns:{element}Message");
                out.empty("wsdl:fault", &[("name", element.to_owned()), ("message", message)]);
            }
        }
        out.close("wsdl:operation");
    }
    out.close("wsdl:portType");
}

pub(super) fn binding(out: &mut Out, published: &Published<'_>, version: &str, prefix: &str) {
    let Published { name, .. } = published;
    let literal = [("use", "literal".to_owned())];
    out.open("wsdl:binding", &[("name", format!("{name}Soap{version}")), ("type", format!("tns:{name}PortType"))]);
    let transport = "http://schemas.xmlsoap.org/soap/http".to_owned();
    out.empty(&format!("{prefix}:binding"), &[("style", "document".to_owned()), ("transport", transport)]);
    for operation in &published.operations {
        out.open("wsdl:operation", &[("name", operation.name.to_owned())]);
        let action = [("soapAction", operation.action.to_owned()), ("style", "document".to_owned())];
        out.empty(&format!("{prefix}:operation"), &action);
        for side in ["wsdl:input", "wsdl:output"].iter().take(1 + usize::from(operation.output.is_some())) {
            out.open(side, &[]);
            out.empty(&format!("{prefix}:body"), &literal);
            out.close(side);
        }
        if let Some((element, _)) = published.fault.filter(|_| operation.output.is_some()) {
            let fault = [("name", element.to_owned()), ("use", "literal".to_owned())];
            out.open("wsdl:fault", &fault[..1]);
            out.empty(&format!("{prefix}:fault"), &fault);
            out.close("wsdl:fault");
        }
        out.close("wsdl:operation");
    }
    out.close("wsdl:binding");
}
