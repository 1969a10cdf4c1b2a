"""What an operator decides about one installation, in `config.yaml`; nothing in it is secret."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import yaml

from kuimen.entrypoints.installation.errors import ConfigurationError
from kuimen.entrypoints.installation.home import InstallationHome, write_private

OVERLAYS = ("", "fictitious")
LANGUAGES = ("zh-hans", "en")
CURRENCIES = ("CNY", "USD", "HKD", "EUR")
MAIL_SECURITY = ("starttls", "tls", "none")
HIGHEST_PORT = 65535
LISTS = ("allowed_hosts", "alert_recipients")
UNNAMED = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings of one installation. Every field has a default except who the institution is.

    Attributes:
        mail_host: the mail server for alerts; empty, no alert is mailed. Its password, where `mail_user` is set, stands
            in the file `credentials/mail_password` of the home.
        mail_security: how the connection is encrypted; `none` only without `mail_user`.
        alert_recipients: who is told of unprotected personal data that a scan finds.
    """

    institution_id: UUID = UNNAMED
    institution_name: str = ""
    overlay: str = ""
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    language: str = "zh-hans"
    behind_https: bool = False
    currency: str = "CNY"
    mail_host: str = ""
    mail_port: int = 587
    mail_security: str = "starttls"
    mail_user: str = ""
    mail_from: str = ""
    alert_recipients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be served."""
        if self.overlay not in OVERLAYS:
            raise ConfigurationError(f"overlay must be empty or one of {', '.join(OVERLAYS[1:])}")
        if not 0 < self.port <= HIGHEST_PORT:
            raise ConfigurationError("port must lie between 1 and 65535")
        if self.currency not in CURRENCIES:
            raise ConfigurationError(f"currency must be one of {', '.join(CURRENCIES)}")
        if self.language not in LANGUAGES:
            raise ConfigurationError(f"language must be one of {', '.join(LANGUAGES)}")
        self._check_mail()

    def _check_mail(self) -> None:
        if self.mail_security not in MAIL_SECURITY:
            raise ConfigurationError(f"mail_security must be one of {', '.join(MAIL_SECURITY)}")
        if not 0 < self.mail_port <= HIGHEST_PORT:
            raise ConfigurationError("mail_port must lie between 1 and 65535")
        if self.mail_user and self.mail_security == "none":
            raise ConfigurationError("mail_user needs mail_security starttls or tls: no password goes out in clear")
        if self.mail_host and not (self.mail_from and self.alert_recipients):
            raise ConfigurationError("mail_host needs mail_from and alert_recipients")
        if any(
            "@" not in one or any(map(str.isspace, one))
            for one in (*self.alert_recipients, *filter(None, [self.mail_from]))
        ):
            raise ConfigurationError("mail_from and alert_recipients must be plain addresses")


def load(home: InstallationHome, *, environment: Mapping[str, str] | None = None) -> Configuration:
    """Read the configuration; without a file the defaults hold, so that tools work before `kuimen init`.

    ``KUIMEN_OVERLAY`` in the environment wins over the file.

    Raises:
        ConfigurationError: the file is no YAML mapping, or holds an unknown or unusable field.
    """
    try:
        found = yaml.safe_load(home.config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError(f"{home.config} is not valid YAML") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{home.config} must be a mapping of names to values")
    variables = os.environ if environment is None else environment
    if "KUIMEN_OVERLAY" in variables:
        found["overlay"] = variables["KUIMEN_OVERLAY"]
    unknown = sorted(set(found) - set(Configuration.__dataclass_fields__))
    if unknown:
        raise ConfigurationError(f"{home.config} holds unknown fields: {', '.join(map(str, unknown))}")
    try:
        return Configuration(**_typed(found))
    except (TypeError, ValueError):
        raise ConfigurationError(f"{home.config}: a field has the wrong type") from None


def save(home: InstallationHome, configuration: Configuration) -> None:
    """Write the configuration at once and durably."""
    fields = {**asdict(configuration), "institution_id": str(configuration.institution_id)}
    for name in LISTS:
        fields[name] = list(fields[name])
    write_private(home.config, yaml.safe_dump(fields, allow_unicode=True, sort_keys=False).encode())


def _typed(found: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(found)
    if "institution_id" in fields:
        fields["institution_id"] = UUID(str(fields["institution_id"]))
    for name in LISTS:
        if name in fields:
            fields[name] = tuple(map(str, fields[name]))
    if "behind_https" in fields and not isinstance(fields["behind_https"], bool):
        raise ConfigurationError("behind_https must be true or false")
    for name in ("port", "mail_port"):
        if name in fields:
            fields[name] = int(fields[name])
    return fields
