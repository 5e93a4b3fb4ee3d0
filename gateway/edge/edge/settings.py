"""What the edge is told by its environment. Every variable begins with PRAXIS_; a missing one is named on start."""

from ipaddress import ip_address
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

Target = Literal["local", "compose", "kubernetes"]


class Address(NamedTuple):
    """Where something listens. `tls` when the other side must be spoken to over TLS (`https://host:port`)."""

    host: str
    port: int
    tls: bool = False

    @property
    def is_ip(self) -> bool:
        """True when the host needs no look-up."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True


def _address(value: object) -> Address:
    if isinstance(value, Address):
        return value
    text = str(value)
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("expected host:port, or https://host[:port]")
    port = parts.port or (443 if parts.scheme == "https" else None)
    if port is None:
        raise ValueError("expected host:port, the port is missing")
    return Address(parts.hostname, port, parts.scheme == "https")


def _origin(value: object) -> str:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("expected an origin such as https://praxis.example, without a path")
    return f"{parts.scheme}://{parts.netloc}"


AddressField = Annotated[Address, NoDecode, BeforeValidator(_address)]
Origin = Annotated[str, BeforeValidator(_origin)]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class Settings(BaseSettings):
    """Where the edge listens, whom it stands in front of, and how much it lets through."""

    model_config = SettingsConfigDict(env_prefix="PRAXIS_", extra="ignore")

    public_url: Origin = Field(description="origin of the app as browsers see it")
    s3_public_url: Origin = Field(description="origin of the files as browsers see it")
    issuer: str = Field(default="", description="issuer of the tokens; the public URL unless told otherwise")
    edge_bind: AddressField = Field(description="where the app's origin listens")
    files_bind: AddressField = Field(description="where the files' origin listens")
    health_bind: Annotated[AddressField | None, NoDecode] = Field(default=None, description="plain HTTP for probes")
    s3_bucket: BucketName | None = Field(default=None, description="the only bucket the file origin passes on")

    upstream_clients: AddressField
    upstream_workflow: AddressField
    upstream_timebilling: AddressField
    upstream_documents: AddressField
    upstream_portal: AddressField
    upstream_identity: AddressField
    upstream_live: AddressField
    upstream_web: AddressField
    upstream_s3: AddressField

    tls_cert_file: str | None = Field(default=None, description="PEM chain; with it the edge speaks TLS")
    tls_key_file: str | None = None
    upstream_ca_file: str = Field(default="/etc/ssl/certs/ca-certificates.crt", description="trusted behind https")
    edge_hosts: str = Field(default="", description="further host names of the app, comma separated")
    edge_trusted_proxies: int = Field(default=0, ge=0, description="proxies in front that append x-forwarded-for")
    edge_max_body_bytes: int = Field(default=1_000_000, ge=1024, description="largest request to an API or page")
    edge_rate: int = Field(default=200, ge=0, description="requests per second and address; 0 lifts the limit")
    edge_sign_in_rate: int = Field(default=30, ge=0, description="sign-in tries per minute and address; 0 lifts it")
    edge_trace_sampling: float = Field(default=100, ge=0, le=100, description="per cent of new traces recorded")
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT", description="collector, OTLP over HTTP"
    )

    @field_validator(
        "otel_exporter_otlp_endpoint", "tls_cert_file", "tls_key_file", "s3_bucket", "health_bind", mode="before"
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("PRAXIS_TLS_CERT_FILE and PRAXIS_TLS_KEY_FILE come together")
        if self.public_url == self.s3_public_url:
            raise ValueError("PRAXIS_S3_PUBLIC_URL must be another origin than PRAXIS_PUBLIC_URL")
        self.issuer = self.issuer or self.public_url
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first: what the target says is only a default."""
        return env_settings, init_settings

    @property
    def https(self) -> bool:
        """True when browsers reach the app over TLS, ended here or at a proxy in front."""
        return self.public_url.startswith("https://")

    @property
    def hosts(self) -> list[str]:
        """Host names under which the app answers, without ports."""
        own = urlsplit(self.public_url).hostname or ""
        names = [own, *(name.strip() for name in self.edge_hosts.split(",") if name.strip())]
        if own in ("127.0.0.1", "localhost"):
            names += ["127.0.0.1", "localhost"]
        return list(dict.fromkeys(names))

    @property
    def collector(self) -> Address | None:
        """The telemetry collector, when one is configured."""
        endpoint = self.otel_exporter_otlp_endpoint
        return _address(endpoint) if endpoint else None

    @property
    def upstreams(self) -> dict[str, Address]:
        """Cluster name -> address, of everything that answers /readyz."""
        names = ("clients", "workflow", "timebilling", "documents", "portal", "identity", "live", "web")
        return {name: getattr(self, f"upstream_{name}") for name in names}


# The names that compose.yaml and deploy/k8s give the processes are the same, so one set serves both.
_CONTAINERS: dict[str, object] = {
    "edge_bind": "0.0.0.0:8080",
    "files_bind": "0.0.0.0:8081",
    "health_bind": "0.0.0.0:8082",
    "upstream_clients": "clients-http:8000",
    "upstream_workflow": "workflow-http:8000",
    "upstream_timebilling": "timebilling-http:8000",
    "upstream_documents": "documents-http:8000",
    "upstream_portal": "portal-http:8000",
    "upstream_identity": "identity-http:8000",
    "upstream_live": "identity-live:8000",
    "upstream_web": "web:8000",
}

DEFAULTS: dict[Target, dict[str, object]] = {
    # On one's own machine everybody has the same address: benchmarks, the demo's seeding, the tests.
    "local": {"edge_rate": 0, "edge_sign_in_rate": 600},
    "compose": _CONTAINERS | {"upstream_s3": "minio:9000"},
    "kubernetes": _CONTAINERS,
}


def load(target: Target) -> Settings:
    """Settings from the environment over the target's defaults. Raises pydantic's ValidationError."""
    return Settings(**DEFAULTS[target])  # type: ignore[arg-type]  # validated by pydantic, as the environment's are
