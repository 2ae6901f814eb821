"""YAML, both ways: read from strangers (`read`), written for machines (`emit`), edited in people's files (`splice`)."""
