"""Airbyte's CDK: a declarative source with an offset increment, read without a destination."""

import logging
from typing import Any

from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from told import FIELDS, PASSWORD, TABLE, USER, Tally, main

SCHEMA = {
    "type": "object",
    "additionalProperties": True,
    "properties": {name: {"type": ["null", "string"]} for name in FIELDS},
}


def _manifest(url: str, page: int) -> dict[str, Any]:
    requester = {
        "type": "HttpRequester",
        "url_base": url,
        "path": TABLE,
        "http_method": "GET",
        "authenticator": {"type": "BasicHttpAuthenticator", "username": USER, "password": PASSWORD},
        "request_parameters": {
            "sysparm_query": "ORDERBYsys_id",
            "sysparm_fields": ",".join(FIELDS),
            "sysparm_exclude_reference_link": "true",
            "sysparm_no_count": "true",
            "sysparm_suppress_pagination_header": "true",
        },
    }
    paginator = {
        "type": "DefaultPaginator",
        "pagination_strategy": {"type": "OffsetIncrement", "page_size": page},
        "page_size_option": _option("sysparm_limit"),
        "page_token_option": _option("sysparm_offset"),
    }
    selector = {
        "type": "RecordSelector",
        "extractor": {"type": "DpathExtractor", "field_path": ["result"]},
    }
    stream = {
        "type": "DeclarativeStream",
        "name": "incident",
        "primary_key": "sys_id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": requester,
            "record_selector": selector,
            "paginator": paginator,
        },
        "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMA},
    }
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["incident"]},
        "streams": [stream],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }


def _option(name: str) -> dict[str, str]:
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Every record message of a full refresh."""
    stream = AirbyteStream(
        name="incident", json_schema=SCHEMA, supported_sync_modes=[SyncMode.full_refresh]
    )
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream,
                sync_mode=SyncMode.full_refresh,
                destination_sync_mode=DestinationSyncMode.append,
            )
        ]
    )
    manifest = _manifest(url, setting["page"])
    source = ConcurrentDeclarativeSource(
        catalog=catalog, config={}, state=[], source_config=manifest
    )
    logger = logging.getLogger("airbyte")
    logger.setLevel(logging.ERROR)
    messages = source.read(logger, {}, catalog, [])
    tally.records(m.record.data for m in messages if m.type == Type.RECORD)


main({"pull": pull})
