#pragma once

#include <cstdint>
#include <filesystem>
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

/// The file of a clip; of a sequence of pictures, the first. Error (kUsage) for a name that check() refuses.
std::filesystem::path first_file(const std::filesystem::path& output, int64_t num_frames);

/// The file that holds the settings of a clip: the clip, or the .json beside a sequence of pictures. Error as
/// first_file().
std::filesystem::path settings_file(const std::filesystem::path& output);

/// Whether a file is the clip, a picture of its sequence, or the settings beside it. Error as first_file().
bool is_of_clip(const std::filesystem::path& output, int64_t num_frames, const std::filesystem::path& file);

}  // namespace t2v
