using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

const string service = "{{base}}/sandbox"; // production: "{{base}}"
const string account = "SBX00"; // production: "{{account}}"

static string Part(byte[] bytes) =>
    Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
static string Json(object value) => Part(JsonSerializer.SerializeToUtf8Bytes(value));

var now = DateTimeOffset.UtcNow;
var condition = new {
    personId = "A190000017", applyCode = "1", applyYyymmdd = "1080617", issueSiteId = "63000",
};
var text = Json(new { alg = "RS256", typ = "JWT" }) + "." + Json(new {
    orgId = "{{ubn}}", apId = account, userId = "teller01", iss = Environment.GetEnvironmentVariable("ISS_KEY"),
    sub = "綠色便民專案", aud = now.ToOffset(TimeSpan.FromHours(8)).ToString("yyyy'/'MM'/'dd HH':'mm':'ss"),
    jobId = "V2C201", opType = "RW", iat = now.ToUnixTimeSeconds() - 180, exp = now.ToUnixTimeSeconds() + 180,
    jti = Guid.NewGuid().ToString("N"), conditionMap = JsonSerializer.Serialize(condition),
});
using var key = RSA.Create();
key.ImportFromPem(File.ReadAllText("private-key.pem"));
var signed = Encoding.ASCII.GetBytes(text);
var signature = key.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
using var client = new HttpClient();
using var request = new HttpRequestMessage(HttpMethod.Get, service + "/integration/rwv2c2");
request.Headers.Add("Authorization", "Bearer " + text + "." + Part(signature));
request.Headers.Add("sris-consumerAdminId", "00000000");
Console.WriteLine(await (await client.SendAsync(request)).Content.ReadAsStringAsync());
