from connector.sandbox.answers import Answer, Request
from connector.sandbox.instance import Instance


def handle(instance: Instance, request: Request) -> Answer:
    return Answer(200)
