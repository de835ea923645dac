#ifndef FORECASTLE_COPENSSL_SHIM_H
#define FORECASTLE_COPENSSL_SHIM_H

#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

// What takes OSSL_PARAM is called from here: a parameter keeps the pointer to its key, and a string of Swift's would be
// gone by the time it is read. `properties` may be NULL. Each function answers 1 or NULL as the calls below it do.

/// HKDF, extraction and expansion in one: the pseudorandom key stays inside the library.
static inline int copenssl_hkdf(
    EVP_KDF *kdf, const char *digest, const char *properties, const void *key, size_t key_bytes, const void *salt,
    size_t salt_bytes, const void *info, size_t info_bytes, void *output, size_t output_bytes) {
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    if (context == NULL) return 0;
    int mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
    OSSL_PARAM params[7], *p = params;
    *p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0);
    if (properties != NULL) *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_PROPERTIES, (char *)properties, 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_bytes);
    if (salt_bytes > 0) *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_bytes);
    if (info_bytes > 0) *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_bytes);
    *p = OSSL_PARAM_construct_end();
    int done = EVP_KDF_derive(context, (unsigned char *)output, output_bytes, params);
    EVP_KDF_CTX_free(context);
    return done;
}

/// A fresh key pair on `group`.
static inline EVP_PKEY *copenssl_generate_key(OSSL_LIB_CTX *library, const char *properties, const char *group) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, "EC", properties);
    OSSL_PARAM params[2];
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0);
    params[1] = OSSL_PARAM_construct_end();
    if (context == NULL || EVP_PKEY_keygen_init(context) != 1 || EVP_PKEY_CTX_set_params(context, params) != 1
        || EVP_PKEY_generate(context, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/// A public key on `group` from a point in any of SEC 1's forms; NULL where the point is none of the curve's.
static inline EVP_PKEY *copenssl_public_key(
    OSSL_LIB_CTX *library, const char *properties, const char *group, const void *point, size_t point_bytes) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, "EC", properties);
    OSSL_PARAM params[3];
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, point_bytes);
    params[2] = OSSL_PARAM_construct_end();
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/// The public point, uncompressed: `04`, then both coordinates. 1 when it has exactly `point_bytes`.
static inline int copenssl_uncompressed_point(EVP_PKEY *key, void *point, size_t point_bytes) {
    size_t written = 0;
    if (EVP_PKEY_set_utf8_string_param(
            key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1
        || EVP_PKEY_get_octet_string_param(
               key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, (unsigned char *)point, point_bytes, &written) != 1)
        return 0;
    return written == point_bytes && ((unsigned char *)point)[0] == POINT_CONVERSION_UNCOMPRESSED;
}

#endif
