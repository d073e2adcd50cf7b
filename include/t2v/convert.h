#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "t2v/run.h"

namespace t2v {

// The words that a ConvertRequest may hold.
inline const std::vector<std::string> kConvertedDtypes = {"float32", "bfloat16", "float16", "fp8"};
inline const std::vector<std::string> kLayouts = {"diffusers", "comfy"};

/// A conversion: input, output and form.
struct ConvertRequest {
  std::filesystem::path input;   ///< a checkpoint, or a part of one: folder or file
  std::filesystem::path output;  ///< a folder; or, for one component, a .safetensors file
  std::string dtype;             ///< one of kConvertedDtypes; empty: as stored, quantised numbers as float32
  std::string layout = "diffusers";  ///< one of kLayouts: names of files and tensors
};

struct ConvertResult {
  std::vector<std::filesystem::path> files;  ///< files of weights
  int64_t bytes = 0;                         ///< bytes of weights
};

/// The files that convert() would write, planned from headers alone.
struct ConvertPlan {
  struct File {
    std::filesystem::path path;
    int64_t tensors = 0;  ///< 0 for a configuration, or a file of the tokenizer
    int64_t bytes = 0;    ///< bytes of weights, without the header
  };
  std::vector<File> files;
  int64_t bytes = 0;      ///< bytes of all files
  int64_t disk_free = 0;  ///< free bytes for the output; 0 if unknown
};

/// Plans convert() without writing. Error as convert().
ConvertPlan plan_convert(const ConvertRequest& request);

/// Writes a checkpoint in another layout or dtype, a part of a tensor at a time: memory stays below 1 GB for
/// any size. Numbers that keep their dtype keep their bits. Parts that a model computes in float32 stay
/// float32. A VAE beside other components keeps its numbers, because it computes in float32. The output must
/// not exist. A failed conversion leaves no output. Error (kUsage, kInput, kOutput); Stopped.
ConvertResult convert(const ConvertRequest& request, const RunControl& control);

}  // namespace t2v
