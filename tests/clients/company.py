"""The same on the client that was generated for Python, by the company that has a case already.

Prints the result of a question to the sandbox. The demo's file is IDCHECK_TEST_DEMO_JSON.
"""

import base64
import hashlib
import json
import os
import time
import uuid

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from idcheck_api import AuthenticatedClient, Client
from idcheck_api.api.applicant import issue_challenge, prove_challenge
from idcheck_api.api.public import read_register, read_signed_register
from idcheck_api.api.verification import verify_sandbox
from idcheck_api.models import (
    Act,
    ChallengeRequest,
    KeyResult,
    Problem,
    ProofRequest,
    RegisterKeyContent,
    VerificationQuestion,
)

demo = json.load(open(os.environ["IDCHECK_TEST_DEMO_JSON"], encoding="utf-8"))
card = next(one for one in demo["cards"] if one["kind"] == "company" and one["state"] == "valid")
client = Client(base_url=demo["baseUrl"])


def signature(tbs):
    request = {
        "func": "MakeSignature", "signatureType": "PKCS7", "tbs": tbs, "tbsEncoding": "NONE", "hashAlgorithm": "SHA256",
        "withCardSN": "true", "pin": card["pin"], "nonce": "", "slotDescription": card["slot"],
    }
    answer = httpx.post(f"{demo['softcardUrl']}/sign", data={"tbsPackage": json.dumps(request)})
    return answer.json()["signature"]


def challenge(content):
    body = ChallengeRequest(act=Act.REGISTERKEY, unified_business_number=card["unifiedBusinessNumber"], content=content)
    return issue_challenge.sync(client=client, body=body)


private_key = Ed25519PrivateKey.generate()
pem = private_key.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()
key = {"profile": "strict", "environment": "sandbox", "label": "Python"}
refused = challenge(RegisterKeyContent.from_dict({**key, "publicKeyPem": "no key"}))
assert isinstance(refused, Problem) and refused.status == 422, refused
assert [error.pointer for error in refused.errors] == ["/content/publicKeyPem"], refused

issued = challenge(RegisterKeyContent.from_dict({**key, "publicKeyPem": pem}))
proof = prove_challenge.sync(issued.id, client=client, body=ProofRequest(signature=signature(issued.tbs)))
assert isinstance(proof.result, KeyResult), proof

names = [entry.unified_business_number for entry in read_register.sync(client=client).organisations]
assert card["unifiedBusinessNumber"] in names, names
assert read_signed_register.sync(client=client).count(".") == 2

question = VerificationQuestion.from_dict(
    {"personId": "A190000017", "applyCode": "1", "applyDate": "2019-06-17", "issueSiteId": "63000"}
)
# As the client's HTTP library writes it.
sent = httpx.Request("POST", demo["baseUrl"], json=question.to_dict()).content
now = int(time.time())
claims = {
    "iss": proof.result.sandbox.iss_key, "sub": "user1", "aud": demo["baseUrl"], "iat": now, "exp": now + 120,
    "jti": uuid.uuid4().hex, "digest": base64.urlsafe_b64encode(hashlib.sha256(sent).digest()).rstrip(b"=").decode(),
}
token = jwt.encode(claims, private_key, algorithm="EdDSA")
answer = verify_sandbox.sync(client=AuthenticatedClient(base_url=demo["baseUrl"], token=token), body=question)
print(json.dumps({"code": answer.code}))
