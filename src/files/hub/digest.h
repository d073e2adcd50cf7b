#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace t2v {

/// The hash that names a blob, computed piece by piece: sha256 of the bytes, or what git calls a blob's id
/// (sha1 of "blob SIZE\0" and the bytes).
class Digest {
 public:
  /// Of the kind that a hash of that many hexadecimal digits is of: 64 or 40. `size` is that of all the
  /// bytes.
  Digest(size_t hexadecimal_digits, int64_t size);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void add(std::string_view bytes);
  /// In lower-case hexadecimal; nothing may be added after that.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace t2v
