#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "t2v/generate.h"

namespace t2v {

/// check() for many requests: what it reads of a model is read once for all requests that name the same
/// files, and each folder is tried once.
class Checker {
 public:
  Checker();
  ~Checker();

  /// As the function check(). Error (kUsage, kInput, kOutput).
  GenerateRequest check(const GenerateRequest& request);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

/// The settings of a request that check() returned, as one line of JSON: what its clip will record, but for
/// what only rendering tells (device, encoder).
std::string settings_of(const GenerateRequest& checked);

/// What its clip will record as "model_sha256": that of the weights, which are read unless their hashes are
/// known. "", with a warning, if that cannot be.
std::string model_sha256(const GenerateRequest& checked);

/// The file that its clip will be; of a sequence of pictures, the first.
std::filesystem::path first_file(const GenerateRequest& checked);

/// The file that will hold the settings of its clip: the clip, or the .json beside a sequence of pictures.
std::filesystem::path settings_file(const GenerateRequest& checked);

/// Whether its clip is there with every frame, none of which is decoded: what was cut short or lacks a
/// picture is told, other damage is not. Error (kBug, kResource).
bool is_whole(const GenerateRequest& checked);

/// Whether the preview that it names is there from a run of the same output.
bool is_own_preview(const GenerateRequest& request);

/// Whether a file is, or will be, the clip of a request, a picture of its sequence or the settings beside it.
/// Error (kUsage) for an output that check() refuses.
bool is_of_clip(const GenerateRequest& request, const std::filesystem::path& file);

}  // namespace t2v
