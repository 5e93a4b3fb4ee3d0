"""Access tokens: EdDSA JWTs that live ten minutes and carry what their bearer may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import jwt

from identity.staff.permissions import PORTAL
from identity.tokens.keys import SigningKeys

LIFETIME = 600  # seconds; also how long a change of roles takes to reach everybody


@dataclass(frozen=True)
class Mint:
    """Makes tokens of one issuer. Audiences never stand in for each other, so each kind has its own method."""

    keys: SigningKeys
    issuer: str

    def staff(
        self,
        *,
        staff_id: UUID,
        firm_id: UUID,
        name: str,
        permissions: Sequence[str],
        grade: str,
        session_id: UUID,
        now: datetime,
    ) -> str:
        """For a signed-in member of staff."""
        return self._sign(
            "staff",
            str(staff_id),
            now,
            firm=str(firm_id),
            name=name,
            permissions=list(permissions),
            grade=grade,
            sid=str(session_id),
        )

    def portal(self, *, contact_id: UUID, firm_id: UUID, client_ids: Sequence[UUID], now: datetime) -> str:
        """For a client's contact: their own portal, for these clients, and nothing else."""
        return self._sign(
            "portal",
            str(contact_id),
            now,
            firm=str(firm_id),
            permissions=[PORTAL],
            clients=[str(c) for c in client_ids],
        )

    def partner(
        self, *, api_client_id: UUID, firm_id: UUID, name: str, permissions: Sequence[str], now: datetime
    ) -> str:
        """For a partner system, within its scopes."""
        return self._sign(
            "partner", str(api_client_id), now, firm=str(firm_id), name=name, permissions=list(permissions)
        )

    def service(self, *, service: str, firm_id: UUID | None, now: datetime) -> str:
        """For one of Praxis's own services, which needs no permission to ask another: the callee names its callers."""
        firm = {"firm": str(firm_id)} if firm_id else {}
        return self._sign("service", f"service:{service}", now, name=service, permissions=[], **firm)

    def _sign(self, audience: str, subject: str, now: datetime, **claims: Any) -> str:
        issued = int(now.timestamp())
        payload = {
            "iss": self.issuer,
            "aud": audience,
            "sub": subject,
            "jti": str(uuid4()),
            "iat": issued,
            "exp": issued + LIFETIME,
        } | claims
        return jwt.encode(payload, self.keys.active, algorithm="EdDSA", headers={"kid": self.keys.active_id})
