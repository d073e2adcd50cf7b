#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace t2v {

/// Encodes pictures of one size as the bytes of .png files.
class PngEncoder {
 public:
  /// `doing` begins the text of errors. Error (kOutput).
  PngEncoder(int64_t width, int64_t height, std::string doing);
  ~PngEncoder();

  /// One picture, [height][width][3]. Error (kOutput).
  std::string encode(const uint8_t* rgb);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace t2v
