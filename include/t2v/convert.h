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

/// What to convert, into what.
struct ConvertRequest {
  std::filesystem::path input;   ///< a checkpoint, or a part of one: folder or file
  std::filesystem::path output;  ///< a folder; or, for one component, a .safetensors file
  std::string dtype;             ///< one of kConvertedDtypes; empty: as stored, quantised numbers as float32
  std::string layout = "diffusers";  ///< one of kLayouts: how files and tensors are named
};

struct ConvertResult {
  std::vector<std::filesystem::path> files;  ///< of weights
  int64_t bytes = 0;                         ///< of weights
};

/// What convert() would write, told from headers alone.
struct ConvertPlan {
  struct File {
    std::filesystem::path path;
    int64_t tensors = 0;  ///< 0: configuration, or of the tokenizer
    int64_t bytes = 0;    ///< of weights without their header
  };
  std::vector<File> files;
  int64_t bytes = 0;      ///< of all of them
  int64_t disk_free = 0;  ///< where they go; 0 if unknown
};

/// Error as convert() before it writes; nothing is written.
ConvertPlan plan_convert(const ConvertRequest& request);

/// Writes a checkpoint in another layout or other numbers, a part of a tensor at a time: memory stays below 1
/// GB whatever the size. Numbers that keep their type keep their bits; where a model computes in bfloat16 but
/// for some parts in float32, those parts stay float32. A VAE beside other components keeps its numbers: it
/// always computes in float32. The output must not exist; it is whole or not there at all. Error (kUsage,
/// kInput, kOutput); Stopped.
ConvertResult convert(const ConvertRequest& request, const RunControl& control);

}  // namespace t2v
