"""An OpenCode that somebody else runs."""

from dataclasses import dataclass, field

from adapters.opencode.client import OpenCodeClient
from adapters.opencode.executable import check_version


@dataclass
class ExternalOpenCode:
    """Stands where `OpenCodeServer` stands; it is looked at, never started or ended."""

    url: str
    password: str | None = None
    _client: OpenCodeClient | None = field(default=None, init=False)

    async def client(self) -> OpenCodeClient:
        """Checked once. Raises `OpenCodeUnreachable`, `OpenCodeRejected` (password) or `OpenCodeUnsupported`."""
        if self._client is None:
            client = OpenCodeClient(self.url, self.password)
            try:
                check_version(await client.version(), self.url)
            except BaseException:
                await client.aclose()
                raise
            self._client = client
        return self._client

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
