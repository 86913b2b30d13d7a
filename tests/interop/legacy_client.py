"""A client that is not ours: asks in the legacy profile with PyJWT, in every way that clients are known to write.

Prints a JSON list of cases; exits with 1 when one of them is not answered with result 1.
"""

import argparse
import hashlib
import http.client
import json
import sys
import time
import urllib.parse
import uuid
from datetime import datetime, timedelta, timezone

import jwt

TAIPEI = timezone(timedelta(hours=8))


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("base-url", "key", "org-id", "ap-id", "iss-key", "person-id", "apply-code", "apply-date", "issue-site"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def condition(args, order=("personId", "applyCode", "applyYyymmdd", "issueSiteId"), **dump):
    values = {
        "personId": args.person_id,
        "applyCode": args.apply_code,
        "applyYyymmdd": args.apply_date,
        "issueSiteId": args.issue_site,
    }
    return json.dumps({name: values[name] for name in order}, **dump)


def claims(args, seconds=180, aud_milliseconds=False, jti=None, user="user1", **condition_options):
    now = int(time.time())
    aud = datetime.now(TAIPEI).strftime("%Y/%m/%d %H:%M:%S.%f" if aud_milliseconds else "%Y/%m/%d %H:%M:%S")
    return {
        "orgId": args.org_id,
        "apId": args.ap_id,
        "userId": user,
        "iss": args.iss_key,
        "sub": "綠色便民專案",
        "aud": aud[:-3] if aud_milliseconds else aud,
        "jobId": "V2C201",
        "opType": "RW",
        "iat": now - seconds,
        "exp": now + seconds,
        "jti": jti or uuid.uuid4().hex,
        "conditionMap": condition(args, **condition_options),
    }


class RawUtf8(json.JSONEncoder):
    """Writes the subject as UTF-8 instead of escapes."""

    def __init__(self, **options):
        options["ensure_ascii"] = False
        super().__init__(**options)


def ask(args, payload, path="/integration/rwv2c2", headers=None, encoder=None, token_type="JWT"):
    with open(args.key, encoding="ascii") as file:
        key = file.read()
    header = {"typ": token_type} if token_type else {"typ": None}
    token = jwt.encode(payload, key, algorithm="RS256", headers=header, json_encoder=encoder)
    sent = {"Authorization": f"Bearer {token}", "sris-consumerAdminId": "00000000", "Content-Type": "application/json"}
    for name, value in (headers or {}).items():
        sent.pop(name, None)
        if value is not None:
            sent[value[0]] = value[1] if value[1] is not None else f"Bearer {token}"
    # http.client writes header names as they are given; urllib would capitalise them.
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(args.base_url).netloc, timeout=10)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders()
    return json.load(connection.getresponse())


def cases(args):
    yield "plain", claims(args), {}
    yield "trailing slash", claims(args), {"path": "/integration/rwv2c2/"}
    yield "tabs and newlines", claims(args, indent="\t"), {}
    yield "spaces", claims(args, indent=4), {}
    yield "compact", claims(args, separators=(",", ":")), {}
    yield "other order", claims(args, order=("issueSiteId", "applyYyymmdd", "applyCode", "personId")), {}
    yield "raw UTF-8", claims(args), {"encoder": RawUtf8}
    yield "aud with milliseconds", claims(args, aud_milliseconds=True), {}
    for seconds in (150, 180, 300, 600):
        yield f"plus minus {seconds} s", claims(args, seconds=seconds), {}
    yield "jti md5", claims(args, jti=hashlib.md5(str(time.time()).encode()).hexdigest()), {}
    yield "jti uuid", claims(args, jti=str(uuid.uuid4())), {}
    yield "no typ", claims(args), {"token_type": None}
    yield "no content type", claims(args), {"headers": {"Content-Type": None}}
    yield "header names in lower case", claims(args), {"headers": {"Authorization": ("authorization", None)}}
    yield "user counts up", claims(args, user="000000000042"), {}


def main():
    args = arguments()
    results = []
    for name, payload, options in cases(args):
        answer = ask(args, payload, **options)
        good = answer.get("rdCode") == "RS7009" and answer["responseData"].get("checkIdCardApply") == "1"
        results.append({"case": name, "good": good, "answer": answer})
    print(json.dumps(results, ensure_ascii=False, indent=1))
    return 0 if all(result["good"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
