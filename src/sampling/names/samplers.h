#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace t2v {

enum class SamplerKind { kUniPC, kEuler, kLcm, kDpm };

/// A solver: its word on the command line, its class in diffusers, and the class's name for the shift.
struct Sampler {
  SamplerKind kind;
  std::string name;
  std::string class_name;
  std::string shift_key;
};

const std::vector<Sampler>& samplers();

const Sampler& sampler_of(SamplerKind kind);

/// The solver with that word, one of sampler_names(). Error (kUsage) for another word.
const Sampler& sampler_named(const std::string& name);

/// The solver whose class scheduler_config.json names. Error (kInput) for another class.
const Sampler& sampler_of(const Config& scheduler_config);

/// The shift that scheduler_config.json gives `sampler`. The key is the name that the sampler's class uses; a
/// file of another class may have it under the other class's name, since diffusers keeps the keys of the
/// class that a scheduler was made from. Error (kInput) unless it is above 0.
double shift_of(const Config& scheduler_config, const Sampler& sampler);

}  // namespace t2v
