// A company's and an officer's program on the types that were generated from the document. It compiles only where the
// document says what the service does, and runs against the demo: IDCHECK_TEST_DEMO_JSON.
import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Card = { kind: string; state: string; slot: string; pin: string; unifiedBusinessNumber: string; companyName: string };
type Officer = { username: string; password: string; totpSecret: string };
type Demo = { baseUrl: string; softcardUrl: string; cards: Card[]; officers: Officer[] };

const demo: Demo = JSON.parse(readFileSync(process.env["IDCHECK_TEST_DEMO_JSON"]!, "utf8"));
const card = demo.cards.find((one) => one.kind === "company" && one.state === "valid")!;
const officer = demo.officers.find((one) => one.username === "reviewer1")!;
const open = createClient<paths>({ baseUrl: demo.baseUrl, headers: { "accept-language": "en" } });

// RFC 6238 with the secret in base 32.
const totp = (secret: string): string => {
  const bits = [...secret.replace(/=+$/, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g)!.map((octet) => parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19]! & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
};

// The local component's signature by the card.
const signature = async (tbs: string): Promise<string> => {
  const request = {
    func: "MakeSignature", signatureType: "PKCS7", tbs, tbsEncoding: "NONE", hashAlgorithm: "SHA256", withCardSN: "true",
    pin: card.pin, nonce: "", slotDescription: card.slot,
  };
  const body = new URLSearchParams({ tbsPackage: JSON.stringify(request) });
  const answer = (await (await fetch(`${demo.softcardUrl}/sign`, { method: "POST", body })).json()) as { signature: string };
  return answer.signature;
};

const act = async (name: components["schemas"]["Act"], content: components["schemas"]["ActContent"]) => {
  const body = { act: name, unifiedBusinessNumber: card.unifiedBusinessNumber, content };
  const challenge = await open.POST("/api/v1/challenges", { body });
  assert.ok(challenge.data, JSON.stringify(challenge.error));
  const { id, tbs } = challenge.data;
  const proof = await open.POST("/api/v1/challenges/{id}/proof", {
    params: { path: { id } }, body: { signature: await signature(tbs) },
  });
  assert.ok(proof.data, JSON.stringify(proof.error));
  return proof.data.result;
};

const consent = { noticeVersion: "108-06", conductVersion: "108-06" };
const application: components["schemas"]["ApplyContent"] = {
  companyName: card.companyName,
  hostAddresses: ["127.0.0.1"],
  contact: { name: "王小明", mobile: "0912345678", email: "it@example.com" },
  purpose: { authority: "金融監督管理委員會", rule: "金融機構防制洗錢辦法", description: "開戶時確認客戶身分" },
  consent,
};

// What is wrong is told by its place, in the language that was asked for.
const wrong = await open.POST("/api/v1/challenges", {
  body: { act: "apply", unifiedBusinessNumber: card.unifiedBusinessNumber, content: { ...application, hostAddresses: ["10.0.0.1"] } },
});
assert.equal(wrong.response.status, 422);
assert.deepEqual(wrong.error?.errors?.map((one) => one.pointer), ["/content/hostAddresses/0"]);

const filed = await act("apply", application);
assert.ok("application" in filed);
assert.equal(filed.application.state, "received");

const session = await open.POST("/api/v1/officer/session", {
  body: { username: officer.username, password: officer.password, totp: totp(officer.totpSecret) },
});
assert.ok(session.data, JSON.stringify(session.error));
const desk = createClient<paths>({ baseUrl: demo.baseUrl, headers: { authorization: `Bearer ${session.data.token}` } });
const queue = await desk.GET("/api/v1/officer/applications");
assert.ok(queue.data?.applications.some((item) => item.id === filed.application.id));
const path = { id: filed.application.id };
const claimed = await desk.POST("/api/v1/officer/applications/{id}/claim", { params: { path } });
assert.ok(claimed.data, JSON.stringify(claimed.error));
const stale = await desk.POST("/api/v1/officer/applications/{id}/approve", { params: { path }, body: { version: 99 } });
assert.equal(stale.error?.status, 409);
const approved = await desk.POST("/api/v1/officer/applications/{id}/approve", {
  params: { path }, body: { version: claimed.data.version },
});
assert.equal(approved.data?.state, "approved");

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const publicKeyPem = publicKey.export({ type: "spki", format: "pem" }).toString();
const registered = await act("registerKey", { publicKeyPem, profile: "strict", environment: "sandbox", label: "測試機" });
assert.ok("key" in registered && registered.sandbox);
const { issKey } = registered.sandbox;

const question: components["schemas"]["VerificationQuestion"] = {
  personId: "A190000017", applyCode: "1", applyDate: "2019-06-17", issueSiteId: "63000",
};
const body = JSON.stringify(question);
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = Math.floor(Date.now() / 1000);
const input = [
  { alg: "EdDSA", kid: registered.key.id },
  {
    iss: issKey, sub: "user1", aud: demo.baseUrl, iat: now, exp: now + 120, jti: randomUUID(),
    digest: createHash("sha256").update(body).digest("base64url"),
  },
].map(part).join(".");
const token = `${input}.${sign(null, Buffer.from(input), privateKey).toString("base64url")}`;
const answer = await open.POST("/sandbox/api/v1/verifications", {
  headers: { authorization: `Bearer ${token}` }, body: question, bodySerializer: () => body,
});
assert.equal(answer.data?.result, "match", JSON.stringify(answer.error));
console.log(JSON.stringify({ code: answer.data.code }));
