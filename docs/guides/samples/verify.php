<?php
$service = '{{base}}/sandbox'; // production: '{{base}}'
$account = 'SBX00'; // production: '{{account}}'
function part(string $bytes): string {
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}
$now = time();
$condition = [
    'personId' => 'A190000017', 'applyCode' => '1', 'applyYyymmdd' => '1080617', 'issueSiteId' => '63000',
];
$claims = [
    'orgId' => '{{ubn}}', 'apId' => $account, 'userId' => 'teller01', 'iss' => getenv('ISS_KEY'),
    'sub' => '綠色便民專案',
    'aud' => (new DateTime('now', new DateTimeZone('Asia/Taipei')))->format('Y/m/d H:i:s'),
    'jobId' => 'V2C201', 'opType' => 'RW',
    'iat' => $now - 180, 'exp' => $now + 180, 'jti' => bin2hex(random_bytes(16)),
    'conditionMap' => json_encode($condition),
];
$text = part(json_encode(['alg' => 'RS256', 'typ' => 'JWT'])) . '.' . part(json_encode($claims));
$key = openssl_pkey_get_private(file_get_contents('private-key.pem'));
openssl_sign($text, $signature, $key, OPENSSL_ALGO_SHA256);
echo file_get_contents($service . '/integration/rwv2c2', false, stream_context_create(['http' => [
    'header' => ['Authorization: Bearer ' . $text . '.' . part($signature), 'sris-consumerAdminId: 00000000'],
    'ignore_errors' => true,
]]));
