package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	service = "{{base}}/sandbox" // production: "{{base}}"
	account = "SBX00"            // production: "{{account}}"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func part(value any) string {
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(value)))
}

func main() {
	now := time.Now()
	jti := make([]byte, 16)
	must(rand.Read(jti))
	condition := must(json.Marshal(map[string]string{
		"personId": "A190000017", "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000",
	}))
	text := part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"orgId": "{{ubn}}", "apId": account, "userId": "teller01", "iss": os.Getenv("ISS_KEY"),
		"sub": "綠色便民專案", "jobId": "V2C201", "opType": "RW",
		"aud": now.In(time.FixedZone("Taipei", 8*3600)).Format("2006/01/02 15:04:05"),
		"iat": now.Unix() - 180, "exp": now.Unix() + 180, "jti": hex.EncodeToString(jti),
		"conditionMap": string(condition),
	})
	block, _ := pem.Decode(must(os.ReadFile("private-key.pem")))
	key := must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*rsa.PrivateKey)
	digest := sha256.Sum256([]byte(text))
	signature := must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]))
	request := must(http.NewRequest("GET", service+"/integration/rwv2c2", nil))
	request.Header.Set("Authorization", "Bearer "+text+"."+base64.RawURLEncoding.EncodeToString(signature))
	request.Header.Set("sris-consumerAdminId", "00000000")
	reply := must(http.DefaultClient.Do(request))
	fmt.Println(string(must(io.ReadAll(reply.Body))))
}
