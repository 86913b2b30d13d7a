# pip install PyJWT cryptography
import json, os, time, urllib.request, uuid
from datetime import datetime, timedelta, timezone
import jwt

service = "{{base}}/sandbox"  # production: "{{base}}"
account = "SBX00"  # production: "{{account}}"

now = int(time.time())
taipei = datetime.now(timezone(timedelta(hours=8)))
condition = {"personId": "A190000017", "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000"}
claims = {
    "orgId": "{{ubn}}", "apId": account, "userId": "teller01", "iss": os.environ["ISS_KEY"],
    "sub": "綠色便民專案", "aud": taipei.strftime("%Y/%m/%d %H:%M:%S"), "jobId": "V2C201", "opType": "RW",
    "iat": now - 180, "exp": now + 180, "jti": uuid.uuid4().hex, "conditionMap": json.dumps(condition),
}
token = jwt.encode(claims, open("private-key.pem").read(), algorithm="RS256")
request = urllib.request.Request(service + "/integration/rwv2c2", headers={
    "Authorization": "Bearer " + token, "sris-consumerAdminId": "00000000", "Content-Type": "application/json",
})
print(urllib.request.urlopen(request).read().decode())
