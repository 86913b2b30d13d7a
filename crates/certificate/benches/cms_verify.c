/* Verifies one CMS message over and over for three seconds, chain and CRLs included; prints the rate.
   Arguments: message (DER), trusted certificates (PEM), CRLs (PEM) ... */
#include <stdio.h>
#include <time.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static int failed(const char *what)
{
    fprintf(stderr, "%s\n", what);
    ERR_print_errors_fp(stderr);
    return 1;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static unsigned char message[65536];
    X509_STORE *store = X509_STORE_new();
    FILE *file = fopen(argv[1], "rb");
    long length = file ? (long)fread(message, 1, sizeof message, file) : 0;
    if (length <= 0 || store == NULL)
        return failed("message");
    fclose(file);
    if (X509_STORE_load_file(store, argv[2]) != 1)
        return failed("certificates");
    for (int i = 3; i < argc; i++)
        if (X509_STORE_load_file(store, argv[i]) != 1)
            return failed("CRL");
    X509_VERIFY_PARAM *rules = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_ANY);

    long count = 0;
    double start = seconds();
    do {
        const unsigned char *at = message;
        CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, length);
        BIO *content = BIO_new(BIO_s_mem());
        if (cms == NULL || CMS_verify(cms, NULL, store, NULL, content, CMS_BINARY) != 1)
            return failed("verification");
        BIO_free(content);
        CMS_ContentInfo_free(cms);
        count++;
    } while (seconds() - start < 3.0);
    printf("%.1f\n", count / (seconds() - start));
    return 0;
}
