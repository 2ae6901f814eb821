"""The description of the API: valid, whole, and readable."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from nthlayer_sync.settings.serve import AccessSettings, BackstageAccess, OidcAccess, TokenSettings
from nthlayer_sync.web.openapi import document
from tests.web.conftest import Serve
from tests.web.test_routes import ROUTES

EVERYBODY = AccessSettings(
    tokens=(TokenSettings(name="ci", sha256="0" * 64),),
    backstage=BackstageAccess(url="https://backstage.example.com"),
    oidc=OidcAccess(issuer="https://login.example.com/", audience="nthlayer"),
)


@pytest.mark.parametrize("access", [AccessSettings(), EVERYBODY])
def test_it_is_valid(access: AccessSettings) -> None:
    OpenAPIV31SpecValidator(document(ROUTES, access)).validate()


def test_the_whole_api_is_valid() -> None:
    from nthlayer_sync.web.api import ROUTES

    OpenAPIV31SpecValidator(document(ROUTES, EVERYBODY)).validate()


def test_it_tells_what_a_route_takes_and_gives() -> None:
    found = document(ROUTES, EVERYBODY)
    dogs = found["paths"]["/api/v1/dogs"]
    by_name = {each["name"]: each for each in dogs["get"]["parameters"]}
    assert list(by_name) == ["cursor", "limit", "kind", "size", "from", "If-None-Match"]
    assert by_name["limit"]["schema"]["maximum"] == 500
    assert by_name["limit"]["description"] == "Entries of a page."
    assert dogs["get"]["security"] == [{"token": []}, {"backstage": []}, {"oidc": []}]
    assert dogs["get"]["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Page_Dog_"
    }
    assert "304" in dogs["get"]["responses"]
    assert dogs["post"]["requestBody"]["required"]
    assert dogs["post"]["x-role"] == "operator"
    assert set(dogs["post"]["responses"]) >= {"201", "413", "415", "422", "default"}
    one = found["paths"]["/api/v1/dogs/{name}"]["get"]
    assert (one["operationId"], one["summary"]) == ("one_dog", "A dog")
    assert one["description"].startswith("Any dog.")
    assert one["parameters"][0]["required"]
    assert found["paths"]["/api/v1/dogs/{name}/wash"]["post"]["responses"]["204"] == {"description": "Done."}
    assert found["paths"]["/api/v1/fail/{how}"]["get"]["security"] == []
    assert "text/event-stream" in found["paths"]["/api/v1/bark"]["get"]["responses"]["200"]["content"]
    assert set(found["components"]["schemas"]) == {"Dog", "FieldProblem", "Page_Dog_", "Problem", "Sent"}
    schemes = found["components"]["securitySchemes"]
    assert schemes["oidc"]["openIdConnectUrl"] == "https://login.example.com/.well-known/openid-configuration"


async def test_it_is_served_to_everybody(serve: Serve) -> None:
    client = await serve(ROUTES, EVERYBODY)
    said = await client.get("/api/v1/openapi.json")
    assert said.headers["Content-Type"] == "application/openapi+json"
    assert said.json["openapi"] == "3.1.1"
    assert "/api/v1/openapi.json" in said.json["paths"]
    again = await client.get("/api/v1/openapi.json", headers={"If-None-Match": said.headers["ETag"]})
    assert again.status == 304


async def test_the_page_for_people(serve: Serve) -> None:
    client = await serve(ROUTES, EVERYBODY)
    said = await client.get("/api/v1/")
    text = said.body.decode()
    assert said.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in text
    assert "<style" not in text
    assert "style=" not in text
    assert not re.findall(r"(?:src|href)=\"(?!#|/api/|data:,)", text)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(ids)
    for route in ROUTES:
        assert route.path in text
        assert route.summary in text
    style = await client.get("/api/v1/reference.css")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert b"light-dark" in style.body
    assert (await client.get("/api/v1")).body == said.body


async def test_what_is_described_is_escaped(serve: Serve) -> None:
    from dataclasses import replace

    class Evil(BaseModel):
        """`<script>` in a description."""

    evil = replace(ROUTES[2], summary="<script>alert(1)</script>", answer=Evil)
    client = await serve((evil,), EVERYBODY)
    text = (await client.get("/api/v1/")).body
    assert b"<script>" not in text
    assert b"<code>&lt;script&gt;</code> in a description" in text
