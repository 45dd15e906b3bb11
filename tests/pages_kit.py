"""A person on the sandbox's pages, without a browser: logs in, opens, sends forms."""

import re
from html import unescape

import requests

from tests.sandbox_instance import PASSWORD

_WORD = re.compile(r'name="sysparm_ck" value="(\w*)"')


class Visitor(requests.Session):
    """Keeps its cookies, as a browser does, and puts the page's own word into what it sends."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.trust_env = False

    def open(self, path: str) -> str:
        """The page's HTML."""
        answer = self.get(self.base + path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def log_in(self, user: str, password: str = PASSWORD) -> requests.Response:
        """Come in."""
        form = {"user_name": user, "user_password": password}
        return self.post(f"{self.base}/login.do", data=form)

    def word(self) -> str:
        """The word of this session's forms."""
        found = _WORD.search(self.open("/upload.do"))
        return found[1] if found else ""

    def submit(self, path: str, **fields: str) -> requests.Response:
        """Send a form of that page."""
        return self.post(self.base + path, data={"sysparm_ck": self.word(), **fields})

    def upload(self, content: bytes) -> requests.Response:
        """Choose a file on the upload page and send it."""
        file = {"attachFile": ("set.xml", content, "text/xml")}
        return self.post(f"{self.base}/upload.do", data={"sysparm_ck": self.word()}, files=file)

    def import_set(self, content: bytes) -> str:
        """Upload, preview, commit; the path of the set's form."""
        answer = self.upload(content)
        assert answer.status_code == 200, answer.text
        path = answer.url.removeprefix(self.base)
        for command in ("preview", "commit"):
            answer = self.submit(path, _set=command)
            assert answer.status_code == 200, text_of(answer.text)
        return path


def text_of(html: str) -> str:
    """What a page says, without its marks and its style."""
    body = html.partition("</style>")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
