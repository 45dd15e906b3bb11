"""aiosnow: an asynchronous stream of pages; writes gathered, so many at a time."""

import asyncio
import warnings
from typing import Any

warnings.simplefilter("ignore")

import aiosnow  # noqa: E402  # its import warns, see above
from aiosnow.models import fields  # noqa: E402  # its import warns, see above
from told import FIELDS, PASSWORD, USER, Tally, main, wanted  # noqa: E402  # its import warns, see above

Incident = type(
    "Incident",
    (aiosnow.TableModel,),
    {name: fields.String(is_primary=name == "sys_id") for name in FIELDS},
)


def _model(url: str) -> Any:
    host = url.removeprefix("http://")
    client = aiosnow.Client(host, basic_auth=(USER, PASSWORD), use_ssl=False)
    return Incident(client, table_name="incident")


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Its own stream of pages, one after the other."""

    async def run() -> None:
        async with _model(url) as model:
            stream = model.stream(
                "ORDERBYsys_id",
                limit=1_000_000_000,
                page_size=setting["page"],
                params=setting.get("params", {}),
            )
            async for _response, record in stream:
                tally.page([(record["sys_id"], record["number"])])

    asyncio.run(run())


def write(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """`update()` of so many records at a time."""

    async def run() -> None:
        async with _model(url) as model:
            gate = asyncio.Semaphore(setting["gathered"])

            async def one(sys_id: str, values: dict[str, str]) -> tuple[str, str]:
                async with gate:
                    reply = await model.update(sys_id, values)
                    return reply.data["sys_id"], "written"

            updates = wanted(setting["updates"])
            tally.page(await asyncio.gather(*(one(*update) for update in updates)))

    asyncio.run(run())


main({"pull": pull, "write": write})
