# The pages for programmers, /docs. What programs read (names, codes) is the same in all languages.
docs-link = For programmers
docs-nav = Documentation
docs-guide = First query
docs-reference = Reference
docs-reference-lead = Every call and every member. For generators of clients:
docs-errors = Errors
docs-errors-lead = Every error outside the legacy profile is application/problem+json. Its type stays the same; title and what to do are in Chinese or English by Accept-Language.
docs-problems = Types
docs-remedy = What to do
docs-violations = Fields
docs-violations-lead = Where fields are refused, errors lists each with a pointer, one of these codes and its message.
docs-sandbox = Sandbox
docs-compatibility = What stays
docs-body = Body
docs-optional = optional
docs-schemas = Schemas
