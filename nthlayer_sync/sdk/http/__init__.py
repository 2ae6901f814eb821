"""The one way to other systems over HTTP: bounded in time, size and rate, and never led elsewhere.

web        the connections of this process; gives each system its tool
tool       asks one system, again where that can help and does no harm
call       what is asked and what is answered
errors     what can come instead of an answer
manners    how hard a system may be asked
pace       requests a second: no faster than the system bears
breaker    a system that is down is left alone for a while
line       one request over aiohttp
verdict    what a status means
text       what a system says, fit for a message
"""

from nthlayer_sync.sdk.http.call import Answer, Call, at
from nthlayer_sync.sdk.http.errors import BadRequest, Conflict, NotThere, Refused, Resting, TooLarge, Unsure
from nthlayer_sync.sdk.http.manners import Clock, Manners
from nthlayer_sync.sdk.http.tool import Authorize, Facts, Tool
from nthlayer_sync.sdk.http.web import Web, nobody

__all__ = [
    "Answer",
    "Authorize",
    "BadRequest",
    "Call",
    "Clock",
    "Conflict",
    "Facts",
    "Manners",
    "NotThere",
    "Refused",
    "Resting",
    "TooLarge",
    "Tool",
    "Unsure",
    "Web",
    "at",
    "nobody",
]
