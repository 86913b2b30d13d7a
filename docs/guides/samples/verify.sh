service={{base}}/sandbox # production: {{base}}
account=SBX00 # production: {{account}}
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
now=$(date +%s)
condition='{"personId":"A190000017","applyCode":"1","applyYyymmdd":"1080617","issueSiteId":"63000"}'
quoted=$(printf %s "$condition" | sed 's/"/\\"/g')
header=$(printf '{"alg":"RS256","typ":"JWT"}' | b64)
claims=$(b64 <<END
{"orgId":"{{ubn}}","apId":"$account","userId":"teller01","iss":"$ISS_KEY","sub":"綠色便民專案",
 "aud":"$(TZ=Asia/Taipei date '+%Y/%m/%d %H:%M:%S')","jobId":"V2C201","opType":"RW",
 "iat":$((now - 180)),"exp":$((now + 180)),"jti":"$(openssl rand -hex 16)","conditionMap":"$quoted"}
END
)
signature=$(printf %s "$header.$claims" | openssl dgst -sha256 -sign private-key.pem -binary | b64)
curl -sS -H "Authorization: Bearer $header.$claims.$signature" -H "sris-consumerAdminId: 00000000" \
  -H "Content-Type: application/json" "$service/integration/rwv2c2"
