"""A mail server on this computer: TLS or STARTTLS with a certificate of its own for `localhost`, a password, no plain text.

    smtp_server.py PORT MODE FOLDER     MODE is `tls` or `starttls`

Writes its certificate to FOLDER/ca.pem, then FOLDER/ready; each mail that it took to FOLDER/<n>.eml. While FOLDER/hold is there, it
takes a mail and does not say so.
"""

import asyncio
import datetime
import ipaddress
import pathlib
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "idcheck", "the mail server's password"


def certificate(folder: pathlib.Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *kept))
    (folder / "ca.pem").write_bytes(made.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


class Taking:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server, session, envelope):
        count = len(list(self.folder.glob("*.eml")))
        tls = session.ssl or server.transport.get_extra_info("ssl_object")
        about = f"X-Test-Tls: {tls is not None}\r\nX-Test-User: {session.auth_data.login.decode()}\r\n"
        (self.folder / f"{count}.part").write_bytes(about.encode() + envelope.content)
        (self.folder / f"{count}.part").rename(self.folder / f"{count}.eml")
        while (self.folder / "hold").exists():
            await asyncio.sleep(0.05)
        return "250 taken"


def authenticated(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, auth_data=data)


def main() -> None:
    port, mode, folder = int(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    context = certificate(folder)
    only = {"auth_required": True, "authenticator": authenticated}
    if mode == "tls":
        only |= {"ssl_context": context, "auth_require_tls": False}
    else:
        only |= {"tls_context": context, "require_starttls": True}
    Controller(Taking(folder), hostname="127.0.0.1", port=port, **only).start()
    (folder / "ready").touch()
    # The test ends it; left alone it ends by itself.
    asyncio.run(asyncio.sleep(300))


main()
