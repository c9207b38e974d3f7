//! Descriptions of every shape, read and written again.

use super::*;
use hub_kit::types::{Kind, Shape, Types};
use std::fmt::Write as _;

/// Reads a description whose documents are given as name and text; the first is asked for.
fn read(files: &[(&str, &str)]) -> Result<Service, Problem> {
    let mut documents = Documents::of(files[0].0, Allowed::default());
    while let Some(wanted) = documents.wanted().map(ToOwned::to_owned) {
        match files.iter().find(|(name, _)| *name == wanted) {
            Some((_, text)) => documents.bring(text.as_bytes())?,
            None => return Err(documents.missing("there is no such file")),
        }
    }
    documents.read()
}

/// A description around a schema, with one operation `Ask` that takes and gives the element `Ask`.
fn around(schema: &str) -> String {
    format!(
        "<w:definitions xmlns:w='{WSDL}' xmlns:s='{SOAP11}' xmlns:x='{XSD}' xmlns:t='urn:t' targetNamespace='urn:t'>\
         <w:types>{schema}</w:types>\
         <w:message name='M'><w:part name='p' element='t:Ask'/></w:message>\
         <w:portType name='P'><w:operation name='Ask'><w:input message='t:M'/><w:output message='t:M'/></w:operation></w:portType>\
         <w:binding name='B' type='t:P'><s:binding transport='http://schemas.xmlsoap.org/soap/http'/>\
         <w:operation name='Ask'><s:operation soapAction='a'/><w:input><s:body use='literal'/></w:input>\
         <w:output><s:body use='literal'/></w:output></w:operation></w:binding>\
         </w:definitions>"
    )
}

/// A type and what it holds as text: names with their namespaces, marks for `optional`, `list`, `nil`, `choice`.
fn view(types: &Types, key: &str, depth: usize) -> String {
    let mut out = String::new();
    let Some(one) = types.get(key) else { return out };
    let pad = depth * 2;
    match &one.shape {
        Shape::Simple(simple) => {
            let _ = write!(out, "{} {:?}", holds(types, &simple.base), simple.one_of);
            if let Some(most) = simple.max_length {
                let _ = write!(out, " up to {most}");
            }
            if simple.list {
                out.push_str(" list");
            }
        }
        Shape::Array(items) => {
            let _ = write!(out, "array of {}", holds(types, items));
        }
        Shape::Complex(_) => {
            if let Some(kind) = types.text(key) {
                let _ = write!(out, "text {}", holds(types, kind));
            }
            for attribute in types.attributes(key) {
                let default = attribute.default.as_deref().map(|text| format!("={text}")).unwrap_or_default();
                let ns = attribute.namespace.as_deref().map(|ns| format!("{{{ns}}}")).unwrap_or_default();
                let mark = if attribute.optional { "?" } else { "" };
                let _ = write!(
                    out,
                    "\n{:pad$}@{ns}{}{mark}{default} {}",
                    "",
                    attribute.name,
                    holds(types, &attribute.kind)
                );
            }
            for field in types.fields(key) {
                let marks = [(field.optional, "?"), (field.list, "*"), (field.nil, "~")];
                let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
                let choice = field.choice.as_deref().map(|word| format!(" |{word}")).unwrap_or_default();
                let ns = field.namespace.as_deref().map(|ns| format!("{{{ns}}}")).unwrap_or_default();
                let _ = write!(out, "\n{:pad$}{ns}{}{marks}{choice} ", "", field.name);
                match &field.kind {
                    Kind::Named(inner) if depth < 6 && types.builtin(&field.kind).is_none() => {
                        out.push_str(&view(types, inner, depth + 1));
                    }
                    Kind::Named(inner) if types.get(inner).is_some_and(|one| matches!(one.shape, Shape::Simple(_))) => {
                        out.push_str(&view(types, inner, depth + 1));
                    }
                    kind => out.push_str(&holds(types, kind)),
                }
            }
            if types.takes_any(key) {
                let _ = write!(out, "\n{:pad$}any", "");
            }
        }
    }
    out
}

fn holds(types: &Types, kind: &Kind) -> String {
    match kind {
        Kind::Builtin(builtin) => builtin.word().to_owned(),
        Kind::Named(key) => types.get(key).map_or_else(|| "?".to_owned(), |one| format!("<{}>", one.name)),
    }
}

/// What the element `Ask` of a schema holds.
fn asked(schema: &str) -> String {
    let text = around(schema);
    let service = read(&[("a.wsdl", &text)]).unwrap_or_else(|problem| panic!("{problem}"));
    view(&service.types, &service.operations[0].input.type_key, 0).trim().to_owned()
}

const T: &str = "<x:schema targetNamespace='urn:t' elementFormDefault='qualified'>";

#[test]
fn sequences_choices_groups_and_attributes_are_read() {
    let schema = format!(
        "{T}<x:element name='Ask' type='t:A'/>\
         <x:complexType name='A'><x:complexContent><x:extension base='t:Base'><x:sequence>\
           <x:group ref='t:G'/>\
           <x:choice><x:element name='c1' type='x:string'/><x:element name='c2' type='x:int'/></x:choice>\
           <x:choice minOccurs='0'><x:element name='d1' type='x:date'/><x:sequence><x:element name='d2' type='x:date'/></x:sequence></x:choice>\
           <x:element ref='t:R' maxOccurs='unbounded'/>\
           <x:sequence minOccurs='0' maxOccurs='unbounded'><x:element name='many' type='x:decimal'/></x:sequence>\
           <x:element name='un' form='unqualified' type='x:boolean' nillable='1'/>\
           <x:any/></x:sequence>\
           <x:attributeGroup ref='t:AG'/><x:attribute name='own' type='t:Code' use='required'/></x:extension></x:complexContent></x:complexType>\
         <x:complexType name='Base'><x:all><x:element name='first' type='x:string' minOccurs='0'/></x:all><x:attribute name='kept'/></x:complexType>\
         <x:group name='G'><x:sequence><x:element name='g' type='t:Code'/></x:sequence></x:group>\
         <x:attributeGroup name='AG'><x:attribute name='way' type='x:string' default='in'/><x:attribute ref='t:mark'/></x:attributeGroup>\
         <x:attribute name='mark' type='x:int'/>\
         <x:element name='R' nillable='true' type='x:dateTime'/>\
         <x:simpleType name='Code'><x:restriction base='x:string'><x:enumeration value='A'/><x:enumeration value='B'/><x:maxLength value='9'/></x:restriction></x:simpleType>\
         </x:schema>"
    );
    let wanted = "@kept? string\n@way?=in string\n@{urn:t}mark? int\n@own <Code>\n\
        {urn:t}first? string\n\
        {urn:t}g string [\"A\", \"B\"] up to 9\n\
        {urn:t}c1? |choice_1 string\n{urn:t}c2? |choice_1 int\n\
        {urn:t}d1? date\n{urn:t}d2? date\n\
        {urn:t}R*~ date_time\n\
        {urn:t}many?* decimal\n\
        un~ boolean\nany";
    assert_eq!(asked(&schema), wanted);
}

#[test]
fn simple_content_restrictions_lists_unions_and_recursion_are_read() {
    let schema = format!(
        "{T}<x:element name='Ask'><x:complexType><x:sequence>\
           <x:element name='amount' type='t:Money'/><x:element name='narrow' type='t:Narrow'/>\
           <x:element name='codes'><x:simpleType><x:list itemType='x:int'/></x:simpleType></x:element>\
           <x:element name='either'><x:simpleType><x:union memberTypes='x:int x:date'/></x:simpleType></x:element>\
           <x:element name='child' type='t:Node' minOccurs='0'/><x:element name='free'/>\
         </x:sequence></x:complexType></x:element>\
         <x:complexType name='Money'><x:simpleContent><x:extension base='x:decimal'><x:attribute name='currency' use='required' type='x:string'/></x:extension></x:simpleContent></x:complexType>\
         <x:complexType name='Wide'><x:sequence><x:element name='a' type='x:string'/><x:element name='b' type='x:string'/></x:sequence><x:attribute name='w'/></x:complexType>\
         <x:complexType name='Narrow'><x:complexContent><x:restriction base='t:Wide'><x:sequence><x:element name='a' type='x:string'/></x:sequence></x:restriction></x:complexContent></x:complexType>\
         <x:complexType name='Node'><x:sequence><x:element name='node' type='t:Node' minOccurs='0' maxOccurs='unbounded'/></x:sequence></x:complexType>\
         </x:schema>"
    );
    let view = asked(&schema);
    for wanted in [
        "{urn:t}amount text decimal\n  @currency string\n",
        "{urn:t}narrow \n  @w? string\n  {urn:t}a string\n",
        "{urn:t}codes int [] list\n",
        "{urn:t}either string []\n",
        "{urn:t}child? \n  {urn:t}node?* \n    {urn:t}node?* ",
        "\n{urn:t}free any",
    ] {
        assert!(view.contains(wanted), "{wanted:?} in {view}");
    }
}

#[test]
fn an_abstract_head_stands_for_its_substitutes() {
    let schema = format!(
        "{T}<x:element name='Ask'><x:complexType><x:sequence><x:element ref='t:Head'/></x:sequence></x:complexType></x:element>\
         <x:element name='Head' abstract='true' type='x:string'/>\
         <x:element name='One' substitutionGroup='t:Head' type='x:string'/><x:element name='Two' substitutionGroup='t:Head' type='x:int'/></x:schema>"
    );
    assert_eq!(asked(&schema), "{urn:t}One? string\n{urn:t}Two? int");
}

#[test]
fn unqualified_is_the_default_and_namespaces_of_imports_are_kept() {
    let schema = "<x:schema targetNamespace='urn:u' xmlns:u='urn:u'><x:complexType name='U'><x:sequence><x:element name='in_u' type='x:string'/></x:sequence></x:complexType>\
         <x:element name='g' type='x:string'/></x:schema>\
         <x:schema targetNamespace='urn:t' xmlns:u='urn:u'><x:import namespace='urn:u'/>\
         <x:element name='Ask'><x:complexType><x:sequence><x:element name='a' type='u:U'/><x:element ref='u:g'/></x:sequence></x:complexType></x:element></x:schema>";
    assert_eq!(asked(schema), "a \n  in_u string\n{urn:u}g string");
}

#[test]
fn what_is_missing_is_named_with_its_file_and_line() {
    for (schema, wanted) in [
        (
            format!("{T}\n<x:element name='Ask' type='t:Gone'/></x:schema>"),
            "a.wsdl:2: there is no type `Gone` in the namespace `urn:t`",
        ),
        (
            format!("{T}\n\n<x:element name='Ask' type='q:Gone'/></x:schema>"),
            "a.wsdl:3: the prefix of `q:Gone` is bound to no namespace",
        ),
        (format!("{T}</x:schema>"), "a.wsdl:1: there is no element `Ask` in the namespace `urn:t`"),
        (
            format!("{T}<x:element name='Ask' type='x:strin'/></x:schema>"),
            "a.wsdl:1: there is no type `strin` in XML Schema",
        ),
        (
            format!("{T}\n<x:include schemaLocation='no.xsd'/></x:schema>"),
            "a.wsdl:2: `no.xsd` cannot be read: there is no such file",
        ),
    ] {
        let text = around(&schema);
        assert_eq!(
            read(&[("a.wsdl", &text)]).map(|_| ()).map_err(|problem| problem.to_string()),
            Err(wanted.to_owned())
        );
    }
    let wsdl2 = "<d:description xmlns:d='http://www.w3.org/ns/wsdl'/>";
    assert!(read(&[("a", wsdl2)]).is_err_and(|problem| problem.message.contains("WSDL 2.0")));
}

#[test]
fn a_schema_without_a_namespace_takes_that_of_each_that_includes_it() {
    let part = format!(
        "<x:schema xmlns:x='{XSD}'><x:complexType name='P'><x:sequence><x:element name='p' type='Q'/></x:sequence></x:complexType>\
        <x:simpleType name='Q'><x:restriction base='x:string'><x:enumeration value='1'/></x:restriction></x:simpleType></x:schema>"
    );
    let one = format!(
        "<x:schema xmlns:x='{XSD}' xmlns:o='urn:one' targetNamespace='urn:one'><x:include schemaLocation='part.xsd'/>\
        <x:include schemaLocation='./part.xsd'/><x:element name='o' type='o:P'/></x:schema>"
    );
    let main = around(
        "<x:schema targetNamespace='urn:t' elementFormDefault='qualified' xmlns:o='urn:one'><x:include schemaLocation='part.xsd'/>\
         <x:import namespace='urn:one' schemaLocation='one.xsd'/>\
         <x:element name='Ask'><x:complexType><x:sequence><x:element ref='o:o'/><x:element name='t' type='t:P'/></x:sequence></x:complexType></x:element></x:schema>",
    );
    let service = read(&[("a.wsdl", &main), ("one.xsd", &one), ("part.xsd", &part)]).unwrap();
    let view = view(&service.types, "Ask", 0);
    assert_eq!(view.trim(), "{urn:one}o \n  p string [\"1\"]\n{urn:t}t \n  p string [\"1\"]");
    let names: Vec<_> = service.types.iter().map(|one| (one.key.as_str(), one.namespace.as_deref())).collect();
    assert!(names.contains(&("P", Some("urn:one"))) && names.contains(&("P_2", Some("urn:t"))), "{names:?}");
}

#[test]
fn types_that_hold_each_other_in_a_row_of_thousands_are_read() {
    let mut schema = format!("{T}<x:element name='Ask' type='t:N0'/>");
    for number in 0..15_000 {
        let _ = write!(
            schema,
            "<x:complexType name='N{number}'><x:sequence><x:element name='n' type='t:N{}'/></x:sequence></x:complexType>",
            number + 1
        );
    }
    schema.push_str("<x:complexType name='N15000'/></x:schema>");
    let text = around(&schema);
    assert_eq!(read(&[("a.wsdl", &text)]).unwrap().types.iter().count(), 15_001);
}

#[test]
fn what_is_written_reads_as_the_same() {
    let schema = format!(
        "<x:schema targetNamespace='urn:o' xmlns:o='urn:o'><x:element name='far' type='o:Far'/><x:complexType name='Far'><x:sequence><x:element name='un' type='x:string'/></x:sequence></x:complexType></x:schema>\
         {T}<x:element name='Ask'><x:complexType><x:sequence>\
         <x:element name='b' type='t:B' maxOccurs='unbounded'/><x:element xmlns:o='urn:o' ref='o:far'/>\
         <x:choice><x:element name='c' type='x:int'/><x:element name='d' type='t:S'/></x:choice>\
         <x:element name='in'><x:complexType><x:sequence><x:element name='deep' type='x:date' nillable='true'/></x:sequence></x:complexType></x:element>\
         <x:any/></x:sequence></x:complexType></x:element>\
         <x:complexType name='A'><x:sequence><x:element name='a' type='x:string' minOccurs='0'/></x:sequence></x:complexType>\
         <x:complexType name='B'><x:complexContent><x:extension base='t:A'><x:sequence><x:element name='m' type='t:M'/></x:sequence><x:attribute name='k' default='&quot;&lt;&amp;' type='x:string'/></x:extension></x:complexContent></x:complexType>\
         <x:complexType name='M'><x:simpleContent><x:extension base='x:decimal'><x:attribute name='cur' use='required' type='x:string'/></x:extension></x:simpleContent></x:complexType>\
         <x:simpleType name='S'><x:restriction base='x:string'><x:enumeration value='Ä&amp;1'/><x:maxLength value='4'/></x:restriction></x:simpleType></x:schema>"
    );
    let text = around(&schema);
    let first = read(&[("a.wsdl", &text)]).unwrap();
    let ask =
        PublishedOperation { name: "Ask", action: "urn:a&b", input: ("Ask", "Ask"), output: Some(("Ask", "Ask")) };
    let written = write(&Published {
        name: "Asking",
        namespace: "urn:t",
        types: &first.types,
        operations: vec![ask],
        fault: None,
        address: "https://hub.example.com/soap/x?a=1&b=2",
    });
    let second = read(&[("b.wsdl", &written)]).unwrap_or_else(|problem| panic!("{problem}\n{written}"));
    assert_eq!(view(&second.types, "Ask", 0), view(&first.types, "Ask", 0), "{written}");
    let operation = &second.operations[0];
    assert_eq!((operation.action.as_str(), operation.versions.as_slice()), ("urn:a&b", &["1.1", "1.2"][..]));
    let addresses: Vec<&str> = second.endpoints.iter().map(|end| end.address.as_str()).collect();
    assert_eq!(addresses, ["https://hub.example.com/soap/x?a=1&b=2"; 2]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let mut documents = Documents::of("a", Allowed::default());
        let _ = documents.bring(&bytes).and_then(|()| documents.read().map(|_| ()));
    }

    #[test]
    fn any_schema_ends_without_panic(parts in proptest::collection::vec(0..PIECES.len(), 0..12)) {
        let schema: String = parts.iter().map(|part| PIECES[*part]).collect();
        let text = around(&format!("{T}<x:element name='Ask' type='t:A'/>{schema}</x:schema>"));
        let _ = read(&[("a.wsdl", &text)]);
    }
}

/// Pieces that refer to each other in every way.
const PIECES: &[&str] = &[
    "<x:complexType name='A'><x:complexContent><x:extension base='t:B'/></x:complexContent></x:complexType>",
    "<x:complexType name='B'><x:complexContent><x:extension base='t:A'/></x:complexContent></x:complexType>",
    "<x:complexType name='A'><x:complexContent><x:restriction base='t:A'><x:group ref='t:G'/></x:restriction></x:complexContent></x:complexType>",
    "<x:complexType name='A'><x:group ref='t:G'/><x:attributeGroup ref='t:AG'/></x:complexType>",
    "<x:group name='G'><x:sequence><x:group ref='t:G'/></x:sequence></x:group>",
    "<x:group name='G'><x:choice><x:element ref='t:H'/></x:choice></x:group>",
    "<x:attributeGroup name='AG'><x:attributeGroup ref='t:AG'/></x:attributeGroup>",
    "<x:element name='H' substitutionGroup='t:H'/>",
    "<x:element name='I' substitutionGroup='t:H'><x:complexType><x:sequence><x:element ref='t:H'/></x:sequence></x:complexType></x:element>",
    "<x:simpleType name='A'><x:restriction base='t:A'/></x:simpleType>",
    "<x:simpleType name='B'><x:list itemType='t:B'/></x:simpleType>",
    "<x:complexType name='A'><x:simpleContent><x:extension base='t:A'/></x:simpleContent></x:complexType>",
];
