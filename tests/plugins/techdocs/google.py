"""A stand-in for Google Cloud Storage: the JSON API's objects, and OAuth 2 for service accounts, as documented.

https://cloud.google.com/storage/docs/json_api/v1/objects and
https://developers.google.com/identity/protocols/oauth2/service-account#httprest
Anything that they do not document is answered with 400, so that nobody gets used to it.
"""

import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import translate
from hashlib import md5
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sdk.web import served

BUCKET = "acme-techdocs"
ACCOUNT = "nthlayer@acme.iam.gserviceaccount.com"
_LIST = {"prefix", "matchGlob", "fields", "maxResults", "pageToken"}
_OBJECTS = f"/storage/v1/b/{BUCKET}/o"


@dataclass
class Google:
    """The one bucket. `fail` gives an answer instead of ours; `fail_write` says whether a write to a name is refused.

    `asked` are method and path of all requests.
    """

    url: str = ""
    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    most: int = 1000
    fail: Callable[[str, str], web.Response | None] = lambda method, path: None
    fail_write: Callable[[str], bool] = lambda name: False
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def key_file(self, folder: Path) -> Path:
        """The key of the service account, as Google hands it out."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / "key.json"
        fields = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": "k1",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "token_uri": f"{self.url}/token",
        }
        file.write_text(json.dumps(fields, indent=2))
        return file

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        if (answer := self.fail(request.method, request.path)) is not None:
            return answer
        if request.path == "/token":
            return await self._token(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return _error(401, "Invalid Credentials")
        if request.method == "POST" and request.path == f"/upload{_OBJECTS}":
            return await self._insert(request)
        if request.path == _OBJECTS and request.method == "GET":
            return self._list(request)
        name = request.path.removeprefix(f"{_OBJECTS}/")
        # The name of an object is one part of the path, so its slashes have to be written as %2F.
        if not request.path.startswith(f"{_OBJECTS}/") or "/" in request.raw_path.partition(f"{_OBJECTS}/")[2]:
            return _error(404, "Not Found")
        if name not in self.objects:
            return _error(404, f"No such object: {BUCKET}/{name}")
        if request.method == "DELETE":
            if self.fail_write(name):
                return _error(403, f"{ACCOUNT} does not have storage.objects.delete access")
            del self.objects[name]
            return web.Response(status=204)
        if request.method == "GET" and request.query.get("alt") == "media":
            kind, data = self.objects[name]
            return web.Response(body=data, headers={"Content-Type": kind})
        return _error(400, "this stand-in knows no such request")

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        try:
            claims = jwt.decode(
                str(form["assertion"]), self.key.public_key(), ["RS256"], audience=f"{self.url}/token", issuer=ACCOUNT
            )
        except jwt.PyJWTError as error:
            return web.json_response({"error": "invalid_grant", "error_description": str(error)}, status=400)
        scope = str(claims["scope"])
        if claims["exp"] - claims["iat"] > 3600 or "https://www.googleapis.com/auth/devstorage.read_write" not in scope:
            return web.json_response({"error": "invalid_scope"}, status=400)
        token = f"ya29.token-number-{len(self.tokens)}"
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    async def _insert(self, request: web.Request) -> web.Response:
        if request.query.get("uploadType") != "media" or not request.query.get("name"):
            return _error(400, "Required")
        name = request.query["name"]
        if self.fail_write(name):
            return _error(403, f"{ACCOUNT} does not have storage.objects.create access")
        self.objects[name] = request.headers["Content-Type"], await request.read()
        return web.json_response(self._resource(name))

    def _list(self, request: web.Request) -> web.Response:
        if set(request.query) - _LIST:
            return _error(400, "Unknown parameter")
        fields = re.fullmatch(r"items\(([a-zA-Z0-9,]+)\),nextPageToken", request.query["fields"])
        assert fields
        names = sorted(n for n in self.objects if n.startswith(request.query.get("prefix", "")))
        if glob := request.query.get("matchGlob"):
            # * stands for no slash here: cloud.google.com/storage/docs/json_api/v1/objects/list
            pattern = re.compile(translate(glob).replace(".*", "[^/]*"))
            names = [name for name in names if pattern.match(name)]
        start = int(request.query.get("pageToken") or 0)
        most = min(self.most, int(request.query.get("maxResults") or 1000))
        page = names[start : start + most]
        rows = [{k: v for k, v in self._resource(n).items() if k in fields[1].split(",")} for n in page]
        more = {"nextPageToken": str(start + most)} if start + most < len(names) else {}
        return web.json_response({**({"items": rows} if rows else {}), **more})

    def _resource(self, name: str) -> dict[str, Any]:
        kind, data = self.objects[name]
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": BUCKET,
            "contentType": kind,
            "size": str(len(data)),
            "md5Hash": b64encode(md5(data).digest()).decode(),
        }


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": status, "message": message}}, status=status)


@asynccontextmanager
async def google() -> AsyncIterator[Google]:
    """The stand-in on a port of its own."""
    stand_in = Google()
    async with served(stand_in.handle) as url:
        stand_in.url = url
        yield stand_in
