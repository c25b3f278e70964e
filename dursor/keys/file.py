"""Keys in one encrypted file, for machines without a keyring."""

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
MOST_ITERATIONS = 10_000_000  # a file that asks for more is not ours
VERSION = 1
HINT = f"export {VARIABLE}=PASSPHRASE"


@dataclass(frozen=True)
class _Sealed:
    """The file's content: JSON with a checksum, so that damage is told from a wrong passphrase."""

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
        return json.dumps({**body, "checksum": _checksum(body)}, indent=1).encode() + b"\n"

    @classmethod
    def load(cls, data: bytes) -> _Sealed:
        """Read the file's bytes; ValueError when they are damaged."""
        try:
            content = json.loads(data)
            checksum = content.pop("checksum")
            if checksum != _checksum(content) or content["version"] != VERSION:
                raise ValueError
            salt = base64.b64decode(content["salt"], validate=True)
            sealed = cls(salt, content["iterations"], content["data"].encode("ascii"))
            if not ITERATIONS <= sealed.iterations <= MOST_ITERATIONS or len(salt) < 16:
                raise ValueError
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError from error
        return sealed


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=4)
def _derived(passphrase: Secret, salt: bytes, iterations: int) -> bytes:
    """Derive the Fernet key; slow on purpose, so once a process."""
    raw = passphrase.reveal().encode("utf-8", "surrogateescape")
    return base64.urlsafe_b64encode(hashlib.pbkdf2_hmac("sha256", raw, salt, iterations))


class EncryptedFile:
    """Secrets in PATH: Fernet under a key that PBKDF2 derives from a passphrase.

    The passphrase is that of the environment, or what ASK gives when it is called with a question
    (None: there is nobody to ask).
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
        """Whether there is a passphrase, or somebody to ask for it."""
        return bool(self._env.get(VARIABLE)) or self._ask is not None

    def get(self, name: str) -> Secret | None:
        """Read a secret; None when there is none of this name."""
        sealed = self._sealed()
        if sealed is None:
            return None
        found = self._opened(sealed).get(name)
        return None if found is None else Secret(found)

    def set(self, name: str, secret: Secret) -> None:
        """Keep a secret, in place of the one that had the name."""
        self._passphrase(new=not self.path.exists())  # before the lock: somebody may be typing
        with hold_lock(self._lock):
            sealed = self._sealed()
            secrets = {} if sealed is None else self._opened(sealed)
            self._write(sealed, {**secrets, name: secret.reveal()})

    def delete(self, name: str) -> bool:
        """Forget a secret; False when there was none."""
        if not self.path.exists():
            return False
        self._passphrase(new=False)
        with hold_lock(self._lock):
            sealed = self._sealed()
            secrets = {} if sealed is None else self._opened(sealed)
            if secrets.pop(name, None) is None:
                return False
            self._write(sealed, secrets)
            return True

    @property
    def _lock(self) -> Path:
        return self.path.with_name(f".{self.path.name}.lock")

    def _sealed(self) -> _Sealed | None:
        try:
            return _Sealed.load(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self._damaged() from error
        except OSError as error:
            raise InternalError(
                f"cannot read {self.path}: {error.strerror}", hint=f"ls -ld {self.path}"
            ) from error

    def _opened(self, sealed: _Sealed) -> dict[str, str]:
        from cryptography.fernet import Fernet, InvalidToken

        passphrase = self._passphrase(new=False)
        try:
            plain = Fernet(_derived(passphrase, sealed.salt, sealed.iterations)).decrypt(
                sealed.token
            )
        except InvalidToken as error:
            self._typed = None
            raise self._wrong() from error
        secrets: dict[str, str] = json.loads(plain)
        return secrets

    def _write(self, sealed: _Sealed | None, secrets: Mapping[str, str]) -> None:
        from cryptography.fernet import Fernet

        salt = os.urandom(16) if sealed is None else sealed.salt
        iterations = self.iterations if sealed is None else sealed.iterations
        key = _derived(self._passphrase(new=sealed is None), salt, iterations)
        token = Fernet(key).encrypt(json.dumps(secrets).encode())
        replace_file(self.path, _Sealed(salt, iterations, token).dump(), mode=0o600)

    def _passphrase(self, *, new: bool) -> Secret:
        if given := self._env.get(VARIABLE):
            return Secret(given)
        if self._typed is None:
            self._typed = self._asked(new=new)
        return self._typed

    def _asked(self, *, new: bool) -> Secret:
        if self._ask is None:
            raise AuthError(
                f"there is no passphrase for the encrypted key file {self.path}", hint=HINT
            )
        typed = self._ask("New passphrase for the key file: " if new else "Passphrase: ")
        if not typed:
            raise AuthError("an empty passphrase protects nothing", hint=HINT)
        if new and self._ask("Once more: ") != typed:
            raise AuthError("the two passphrases differ", hint="try again")
        return Secret(typed)

    def _wrong(self) -> AuthError:
        where = VARIABLE if self._env.get(VARIABLE) else "the passphrase"
        return AuthError(
            f"{where} does not open {self.path}",
            hint=f"give the passphrase it was made with, or delete {self.path} and set keys anew",
        )

    def _damaged(self) -> AuthError:
        return AuthError(
            f"{self.path} is damaged", hint=f"delete {self.path} and run dursor models set-key"
        )
