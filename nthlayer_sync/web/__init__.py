"""What the daemon says over HTTP, and to whom.

route      one thing that can be asked for, and what its handler is given; the API is a table of them
api/       the table: what can be asked about entities, plans, runs
hooks/     what other systems may send, each in its own way
page/      the same for people: views of their own, for those without Backstage
health     what probes and Prometheus ask
auth/      who may come in
server     the application made of the table, and the port it listens on
endpoint   what happens to a request before and after its handler
problem    every refusal as problem+json
etags      an answer that the client has already is not sent again
cursor     where the next page of a list begins
openapi    the document that describes the table
reference  the same as a page for people
html       pages from templates
"""
