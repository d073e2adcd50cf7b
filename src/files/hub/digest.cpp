#include "files/hub/digest.h"

#include <openssl/evp.h>

#include "t2v/error.h"

namespace t2v {

struct Digest::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();

  Context() = default;
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

namespace {

void check(int ok, const char* what) {
  if (ok != 1) throw Error(ErrorCode::kBug, {.doing = "hashing", .got = std::string("a failing ") + what});
}

}  // namespace

Digest::Digest(size_t hexadecimal_digits, int64_t size) : context_(std::make_unique<Context>()) {
  const bool sha256 = hexadecimal_digits == 64;
  check(EVP_DigestInit_ex(context_->evp, sha256 ? EVP_sha256() : EVP_sha1(), nullptr), "EVP_DigestInit_ex");
  if (!sha256) add("blob " + std::to_string(size) + std::string(1, '\0'));
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()), "EVP_DigestUpdate");
}

std::string Digest::finish() {
  static constexpr char kHex[] = "0123456789abcdef";
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  check(EVP_DigestFinal_ex(context_->evp, bytes, &length), "EVP_DigestFinal_ex");
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += {kHex[bytes[i] >> 4], kHex[bytes[i] & 15]};
  return text;
}

}  // namespace t2v
