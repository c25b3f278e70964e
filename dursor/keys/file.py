"""An encrypted file of keys for machines without a keyring."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dursor.domain import KeySource, Secret
from dursor.errors import AuthError, InternalError
from dursor.files import hold_lock, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

VARIABLE = "DURSOR_ENCRYPTION_KEY"
ITERATIONS = 600_000
MAX_ITERATIONS = 10_000_000
VERSION = 1
HINT = f"export {VARIABLE}=PASSPHRASE"


@dataclass(frozen=True)
class _Sealed:
    """The file's JSON; a checksum distinguishes damage from a wrong passphrase."""

    salt: bytes
    iterations: int
    token: bytes

    def dump(self) -> bytes:
        body = {
            "version": VERSION,
            "kdf": "pbkdf2-hmac-sha256",
            "iterations": self.iterations,
            "salt": base64.b64encode(self.salt).decode(),
            "data": self.token.decode(),
        }
        return json.dumps({**body, "checksum": _compute_checksum(body)}, indent=1).encode() + b"\n"

    @classmethod
    def load(cls, data: bytes) -> _Sealed:
        """Read the file's bytes; ValueError if they are damaged."""
        try:
            content = json.loads(data)
            checksum = content.pop("checksum")
            if checksum != _compute_checksum(content) or content["version"] != VERSION:
                raise ValueError
            salt = base64.b64decode(content["salt"], validate=True)
            sealed = cls(salt, content["iterations"], content["data"].encode("ascii"))
            if not ITERATIONS <= sealed.iterations <= MAX_ITERATIONS or len(salt) < 16:
                raise ValueError
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError from error
        return sealed


def _compute_checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=4)
def _derive_key(passphrase: Secret, salt: bytes, iterations: int) -> bytes:
    """Derive the Fernet key; slow on purpose, so it is cached."""
    raw = passphrase.reveal().encode("utf-8", "surrogateescape")
    return base64.urlsafe_b64encode(hashlib.pbkdf2_hmac("sha256", raw, salt, iterations))


class EncryptedFile:
    """Secrets in PATH, encrypted by Fernet with a key that PBKDF2 derives from a passphrase.

    The passphrase comes from the environment or from ASK, which is called with a prompt (None:
    nobody can be asked).
    """

    source = KeySource.FILE

    def __init__(
        self,
        path: Path,
        env: Mapping[str, str],
        ask: Callable[[str], str] | None = None,
        *,
        iterations: int = ITERATIONS,
    ) -> None:
        if iterations < ITERATIONS:
            raise ValueError(f"fewer than {ITERATIONS} iterations")
        self.path = path
        self.iterations = iterations
        self._env = env
        self._ask = ask
        self._typed: Secret | None = None

    @property
    def has_passphrase(self) -> bool:
        """Whether a passphrase is set or can be asked for."""
        return bool(self._env.get(VARIABLE)) or self._ask is not None

    def get(self, name: str) -> Secret | None:
        """Read a secret; None if it does not exist."""
        value = self._decrypt(self._load()).get(name)
        return None if value is None else Secret(value)

    def set(self, name: str, secret: Secret) -> None:
        """Store a secret and replace the former one."""
        self._get_passphrase(new=not self.path.exists())  # before locking: typing takes time
        with hold_lock(self._lock):
            sealed = self._load()
            secrets = self._decrypt(sealed)
            self._write(sealed, {**secrets, name: secret.reveal()})

    def delete(self, name: str) -> bool:
        """Delete a secret; False if it did not exist."""
        if not self.path.exists():
            return False
        self._get_passphrase(new=False)
        with hold_lock(self._lock):
            sealed = self._load()
            secrets = self._decrypt(sealed)
            if secrets.pop(name, None) is None:
                return False
            self._write(sealed, secrets)
            return True

    @property
    def _lock(self) -> Path:
        return self.path.with_name(f".{self.path.name}.lock")

    def _load(self) -> _Sealed | None:
        try:
            return _Sealed.load(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise AuthError(
                f"{self.path} is damaged", hint=f"rm {self.path} && dursor models set-key MODEL"
            ) from error
        except OSError as error:
            raise InternalError(
                f"cannot read {self.path}: {error.strerror}", hint=f"ls -ld {self.path}"
            ) from error

    def _decrypt(self, sealed: _Sealed | None) -> dict[str, str]:
        if sealed is None:
            return {}
        from cryptography.fernet import Fernet, InvalidToken

        passphrase = self._get_passphrase(new=False)
        try:
            plain = Fernet(_derive_key(passphrase, sealed.salt, sealed.iterations)).decrypt(
                sealed.token
            )
        except InvalidToken as error:
            self._typed = None
            raise self._explain_wrong() from error
        secrets: dict[str, str] = json.loads(plain)
        return secrets

    def _write(self, sealed: _Sealed | None, secrets: Mapping[str, str]) -> None:
        from cryptography.fernet import Fernet

        salt = os.urandom(16) if sealed is None else sealed.salt
        iterations = self.iterations if sealed is None else sealed.iterations
        key = _derive_key(self._get_passphrase(new=sealed is None), salt, iterations)
        token = Fernet(key).encrypt(json.dumps(secrets).encode())
        replace_file(self.path, _Sealed(salt, iterations, token).dump(), mode=0o600)

    def _get_passphrase(self, *, new: bool) -> Secret:
        if passphrase := self._env.get(VARIABLE):
            return Secret(passphrase)
        if self._typed is None:
            self._typed = self._prompt(new=new)
        return self._typed

    def _prompt(self, *, new: bool) -> Secret:
        if self._ask is None:
            raise AuthError(f"no passphrase for the encrypted key file {self.path}", hint=HINT)
        typed = self._ask("New passphrase for the key file: " if new else "Passphrase: ")
        if not typed:
            raise AuthError("the passphrase is empty", hint=HINT)
        if new and self._ask("Repeat the passphrase: ") != typed:
            raise AuthError("the two passphrases differ", hint="try again")
        return Secret(typed)

    def _explain_wrong(self) -> AuthError:
        source = VARIABLE if self._env.get(VARIABLE) else "the passphrase"
        return AuthError(
            f"{source} cannot decrypt {self.path}",
            hint=f"use its original passphrase, or rm {self.path} && dursor models set-key MODEL",
        )
