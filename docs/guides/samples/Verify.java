import java.net.URI;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.*;
import java.time.format.DateTimeFormatter;
import java.util.*;

public class Verify {
    static final String SERVICE = "{{base}}/sandbox"; // production: "{{base}}"
    static final String ACCOUNT = "SBX00"; // production: "{{account}}"

    static String part(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static String json(String text) {
        return part(text.getBytes(StandardCharsets.UTF_8));
    }

    public static void main(String[] arguments) throws Exception {
        long now = Instant.now().getEpochSecond();
        var taipei = ZonedDateTime.now(ZoneId.of("Asia/Taipei"));
        String aud = taipei.format(DateTimeFormatter.ofPattern("uuuu/MM/dd HH:mm:ss"));
        String condition = "{\"personId\":\"A190000017\",\"applyCode\":\"1\","
            + "\"applyYyymmdd\":\"1080617\",\"issueSiteId\":\"63000\"}";
        String claims = String.format("{\"orgId\":\"{{ubn}}\",\"apId\":\"" + ACCOUNT + "\","
            + "\"userId\":\"teller01\",\"iss\":\"%s\","
            + "\"sub\":\"綠色便民專案\",\"aud\":\"%s\",\"jobId\":\"V2C201\",\"opType\":\"RW\","
            + "\"iat\":%d,\"exp\":%d,"
            + "\"jti\":\"%s\",\"conditionMap\":\"%s\"}", System.getenv("ISS_KEY"), aud, now - 180, now + 180,
            UUID.randomUUID().toString().replace("-", ""), condition.replace("\"", "\\\""));
        String text = json("{\"alg\":\"RS256\",\"typ\":\"JWT\"}") + "." + json(claims);
        String pem = Files.readString(Path.of("private-key.pem")).replaceAll("-----[^-]+-----|\\s", "");
        Signature signature = Signature.getInstance("SHA256withRSA");
        var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
        signature.initSign(KeyFactory.getInstance("RSA").generatePrivate(spec));
        signature.update(text.getBytes(StandardCharsets.US_ASCII));
        HttpRequest request = HttpRequest.newBuilder(URI.create(SERVICE + "/integration/rwv2c2"))
            .header("Authorization", "Bearer " + text + "." + part(signature.sign()))
            .header("sris-consumerAdminId", "00000000").header("Content-Type", "application/json").build();
        var body = HttpResponse.BodyHandlers.ofString();
        System.out.println(HttpClient.newHttpClient().send(request, body).body());
    }
}
