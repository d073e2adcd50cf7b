#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace t2v {

enum class SamplerKind { kUniPC, kEuler, kLcm, kDpm };

/// A solver: its name in t2v, its class in diffusers, and the name of the shift in that class.
struct Sampler {
  SamplerKind kind;
  std::string name;
  std::string class_name;
  std::string shift_key;
};

const std::vector<Sampler>& samplers();

const Sampler& sampler_of(SamplerKind kind);

/// The solver of a name, one of sampler_names(). Error (kUsage) for another name.
const Sampler& sampler_named(const std::string& name);

/// The solver whose class scheduler_config.json names. Error (kInput) for another class.
const Sampler& sampler_of(const Config& scheduler_config);

/// The shift that scheduler_config.json gives `sampler`. Reads the key of the sampler's class. A file of
/// another class may have the other key instead, because diffusers keeps the keys of the first class of a
/// scheduler. Error (kInput) for a shift that is not above 0.
double shift_of(const Config& scheduler_config, const Sampler& sampler);

}  // namespace t2v
