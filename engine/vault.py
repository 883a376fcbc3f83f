"""Keys of people and cases. What is sealed here can be read only with the subject's own key, and erasing is destroying that key.

AES-256-GCM (NIST SP 800-38D) with 96-bit random nonces; each subject's key is wrapped by the master key, which lives outside the database
(RFC 5869 HKDF separates the purposes). The first byte of a sealed value names the algorithm, so that SM4 can follow.
"""

import hashlib
import hmac
import json
import os
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant, canonical, new_id
from engine.exceptions import Erased, MasterKeyMissing, SealBroken

AES_GCM = b"\x01"
NONCE = 12


class SubjectKey(Base):
    """The wrapped key of one person, client or case. `wrapped` is empty once destroyed."""

    __tablename__ = "subject_key"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(Instant)
    destroyed_at: Mapped[datetime | None] = mapped_column(Instant)


class Vault:
    """Seals and opens under subjects' keys. Holds the master key in memory, never in the database."""

    def __init__(self, master_key: bytes):
        """`master_key`: 32 random bytes."""
        self._wrapping = AESGCM(_derive(master_key, "wrap"))
        self._own = AESGCM(_derive(master_key, "system"))
        self._index_key = _derive(master_key, "index")

    @classmethod
    def from_file(cls, path: Path, create: bool = False) -> "Vault":
        """Read the master key (64 hexadecimal digits); with `create`, make it once, readable by the owner only."""
        path = Path(path)
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(os.urandom(32).hex() + "\n")
            except FileExistsError:  # another process was first; its key counts
                pass
        try:
            return cls(bytes.fromhex(path.read_text().strip()))
        except (OSError, ValueError) as error:
            raise MasterKeyMissing(path=str(path)) from error

    def new_key(self, session: Session, county_id: str, subject: str, now: datetime) -> SubjectKey:
        """A fresh key for `subject` ("client/<id>", "instance/<id>", "person/<id>"), added to the session."""
        key_id = new_id()
        wrapped = self._encrypt(self._wrapping, os.urandom(32), f"key:{key_id}:{subject}")
        key = SubjectKey(id=key_id, county_id=county_id, subject=subject, wrapped=wrapped, created_at=now, destroyed_at=None)
        session.add(key)
        return key

    def seal(self, key: SubjectKey, value, place: str) -> bytes:
        """Encrypt a JSON-able value; it opens only at the same `place` ("table:row:column")."""
        return self._encrypt(self._cipher(key), canonical(value).encode(), place)

    def open(self, key: SubjectKey, sealed: bytes, place: str):
        """The value sealed at `place`. Raises Erased (key destroyed) or SealBroken (changed, moved, wrong master key)."""
        return json.loads(self._decrypt(self._cipher(key), sealed, place))

    def seal_own(self, value, place: str) -> bytes:
        """Seal under the installation's key: for what belongs to no subject, such as stored answers."""
        return self._encrypt(self._own, canonical(value).encode(), place)

    def open_own(self, sealed: bytes, place: str):
        """Open what `seal_own` sealed."""
        return json.loads(self._decrypt(self._own, sealed, place))

    def index(self, county_id: str, purpose: str, text: str) -> str:
        """A keyed token (HMAC-SHA-256, 128 bits, hexadecimal) that finds `text` without storing it."""
        message = f"{county_id}\x00{purpose}\x00{text}".encode(errors="surrogatepass")  # no text may break a look-up
        return hmac.new(self._index_key, message, hashlib.sha256).hexdigest()[:32]

    def destroy(self, key: SubjectKey, now: datetime) -> None:
        """Erase the subject: nothing sealed under this key can ever be opened again."""
        key.wrapped = b""
        key.destroyed_at = now

    def unwraps(self, key_id: str, subject: str, wrapped: bytes) -> bool:
        """Whether these bytes are a key that this master key wrapped, for this subject."""
        try:
            return bool(self._decrypt(self._wrapping, wrapped, f"key:{key_id}:{subject}"))
        except (SealBroken, ValueError, TypeError):  # no bytes, or too few
            return False

    def _cipher(self, key: SubjectKey) -> AESGCM:
        cipher = key.__dict__.get("_cipher_cache")  # dies with the row object, so a destroyed key is not remembered
        if cipher is None or not key.wrapped:
            if not key.wrapped:
                raise Erased()
            cipher = AESGCM(self._decrypt(self._wrapping, key.wrapped, f"key:{key.id}:{key.subject}"))
            key.__dict__["_cipher_cache"] = cipher
        return cipher

    @staticmethod
    def _encrypt(cipher: AESGCM, plain: bytes, place: str) -> bytes:
        nonce = os.urandom(NONCE)
        return AES_GCM + nonce + cipher.encrypt(nonce, plain, place.encode())

    @staticmethod
    def _decrypt(cipher: AESGCM, sealed: bytes, place: str) -> bytes:
        if sealed[:1] != AES_GCM:
            raise SealBroken()
        try:
            return cipher.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], place.encode())
        except InvalidTag as error:
            raise SealBroken() from error


def _derive(master_key: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"shuibo/{purpose}".encode()).derive(master_key)
