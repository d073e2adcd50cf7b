#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "t2v/request.h"

namespace t2v {

/// Size and length of a clip that the model can make.
struct CheckedSize {
  int64_t height = 0, width = 0;  ///< pixels
  int64_t num_frames = 0;
  double fps = 0;  ///< frames a second

  auto operator<=>(const CheckedSize&) const = default;
};

/// Sampling with every value decided.
struct CheckedSampling {
  int64_t num_inference_steps = 0;
  double guidance_scale = 1;  ///< at most 1: no guidance
  /// For the low-noise expert. Empty: the model has one expert, or both experts use guidance_scale.
  std::optional<double> guidance_scale_2 = {};
  /// The noise level, 0 to 1, from which the high-noise expert works; empty: the model has one expert.
  std::optional<double> boundary_ratio = {};
  std::string sampler = {};  ///< one of sampler_names()
  double flow_shift = 1;
  std::vector<double> sigmas = {};  ///< one a step, or empty: the sampler's own
  bool legacy_sigmas = false;       ///< as in Sampling
  uint64_t seed = 0;

  auto operator<=>(const CheckedSampling&) const = default;
};

/// A request that check() returned: every value is decided, and every file of the model is found.
struct CheckedRequest {
  std::string prompt = {};
  std::string negative_prompt = {};  ///< used when guidance_scale > 1
  ModelChoice model = {};            ///< with the paths of the files, in the cache or elsewhere
  Conditions conditions = {};
  CheckedSize size = {};
  CheckedSampling sampling = {};
  StepCaching caching = {};  ///< with the options that the preset has for the mode
  Machine machine = {};
  Encoding encoding = {};
  Outputs outputs = {};
  std::vector<std::string> arguments = {};
  std::filesystem::path preset = {};  ///< file of the preset
};

}  // namespace t2v
