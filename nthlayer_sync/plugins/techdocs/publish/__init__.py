"""Sites that are built here and published where Backstage reads them: a folder, S3 or Google Cloud Storage.

The layout is that of TechDocs's own publishers: `<namespace>/<kind>/<name>/…` in lower case, and in it
`techdocs_metadata.json`.
https://github.com/backstage/backstage/tree/master/plugins/techdocs-node/src/stages/publish
"""
