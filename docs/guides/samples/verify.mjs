import { createSign, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

const service = "{{base}}/sandbox"; // production: "{{base}}"
const account = "SBX00"; // production: "{{account}}"

const now = Math.floor(Date.now() / 1000);
const taipei = new Date(Date.now() + 8 * 3600 * 1000).toISOString();
const condition = { personId: "A190000017", applyCode: "1", applyYyymmdd: "1080617", issueSiteId: "63000" };
const claims = {
  orgId: "{{ubn}}", apId: account, userId: "teller01", iss: process.env.ISS_KEY, sub: "綠色便民專案",
  aud: taipei.slice(0, 19).replaceAll("-", "/").replace("T", " "), jobId: "V2C201", opType: "RW",
  iat: now - 180, exp: now + 180, jti: randomUUID().replaceAll("-", ""),
  conditionMap: JSON.stringify(condition),
};
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const text = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
const signature = createSign("RSA-SHA256").update(text).sign(readFileSync("private-key.pem"), "base64url");
const reply = await fetch(`${service}/integration/rwv2c2`, { headers: {
  authorization: `Bearer ${text}.${signature}`, "sris-consumerAdminId": "00000000",
  "content-type": "application/json",
} });
console.log(await reply.text());
