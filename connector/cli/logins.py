"""What `init` asks and writes for each way to log in, and where its secrets will be looked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.messages import _, mark


@dataclass(frozen=True)
class Question:
    """One setting of `[instance]`, asked or given as an option; `default` is what --yes takes.

    `text` is translated where it is said.
    """

    text: str
    default: str


QUESTIONS: Mapping[str, Question] = {
    "client_id": Question(mark("Id of the OAuth client"), "travesia.integration"),
    "user": Question(mark("User of the integration"), "travesia.integration"),
    "jwt_key_file": Question(
        mark("File of the private key that signs (PEM, no passphrase)"),
        "/run/secrets/travesia-jwt-key.pem",
    ),
    "client_certificate": Question(
        mark("File of the client certificate (PEM)"), "/etc/travesia/client.pem"
    ),
    "client_key": Question(
        mark("File of its private key (PEM, no passphrase)"), "/run/secrets/travesia-client-key.pem"
    ),
}


@dataclass(frozen=True)
class Login:
    """A way to log in: the settings it is asked for, and the secrets it needs."""

    asks: tuple[str, ...]
    secrets: tuple[str, ...]


LOGINS: Mapping[str, Login] = {
    "basic": Login(("user",), ("password",)),
    "oauth_client_credentials": Login(("client_id",), ("client_secret",)),
    "oauth_password": Login(("client_id", "user"), ("client_secret", "password")),
    "oauth_refresh_token": Login(("client_id",), ("client_secret", "refresh_token")),
    "oauth_jwt": Login(("client_id", "user", "jwt_key_file"), ("client_secret",)),
    "api_key": Login((), ("api_key",)),
    "mutual_tls": Login(("client_certificate", "client_key"), ()),
}


def secret_settings(login: Login, folder: Path | None) -> dict[str, str]:
    """Where the secrets will be: in variables, or in a folder with a file for each."""
    if folder is None:
        return {f"{name}_env": variable(name) for name in login.secrets}
    return {f"{name}_file": str(folder / name) for name in login.secrets}


def variable(secret: str) -> str:
    """The environment variable that holds a secret unless the settings name another."""
    return f"TRAVESIA_{secret.upper()}"


def preparations(
    login: Login, answers: Mapping[str, str], folder: Path | None
) -> list[tuple[str, str]]:
    """What a person does before the first call: a command or a file, and what it is for."""
    in_variable, in_file = (
        _("{secret}, only in your environment"),
        _("{secret}, alone in this file"),
    )
    steps = [
        (f"export {variable(name)}=…", in_variable.format(secret=_named(name)))
        if folder is None
        else (str(folder / name), in_file.format(secret=_named(name)))
        for name in login.secrets
    ]
    for key in ("jwt_key_file", "client_key"):
        if key in answers:
            steps.append((answers[key], _("the private key, readable by this user alone")))
    return steps


def _named(secret: str) -> str:
    names = {
        "password": _("the password"),
        "client_secret": _("the OAuth client's secret"),
        "refresh_token": _("the refresh token"),
        "api_key": _("the API key"),
    }
    return names[secret]
