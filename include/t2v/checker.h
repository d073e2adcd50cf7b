#pragma once

#include <memory>
#include <string>

#include "t2v/generate.h"

namespace t2v {

/// check() for many requests. The headers of a model are read once, and each folder is tried once.
class Checker {
 public:
  Checker();
  ~Checker();

  /// As the function check(). Error (kUsage, kInput, kOutput).
  CheckedRequest check(const GenerateRequest& request);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

/// The settings of a request as one line of JSON, as its clip will record them. Rendering adds the device and
/// the encoder.
std::string settings_of(const CheckedRequest& request);

/// The value that the clip will record as "model_sha256". The weights are read unless their hashes are known.
/// "", with a warning, if a file cannot be read.
std::string model_sha256(const CheckedRequest& request);

/// Whether the clip is there with every frame. A clip that was cut short or lacks a picture is found out;
/// other damage is not, because no frame is decoded. Error (kBug, kResource).
bool is_whole(const CheckedRequest& request);

/// Whether the preview is there and belongs to the same output.
bool is_own_preview(const Outputs& outputs);

}  // namespace t2v
