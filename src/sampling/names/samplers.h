#pragma once

#include <string>

#include "core/config.h"

namespace t2v {

/// A solver: its word on the command line, its class in diffusers, and what that class calls the shift.
struct Sampler {
  std::string name;
  std::string class_name;
  std::string shift_key;
};

/// The solver with that word, one of kSamplers. Error (kUsage) for another word.
const Sampler& sampler_named(const std::string& name);

/// The solver whose class scheduler_config.json names. Error (kInput) for another class.
const Sampler& sampler_of(const Config& scheduler_config);

/// The shift that scheduler_config.json gives `sampler`: under the key of its class or, when the file is of
/// a class with the other key, under that one, since diffusers keeps the keys of the class that a scheduler
/// was made from. Error (kInput) unless it is above 0.
double shift_of(const Config& scheduler_config, const Sampler& sampler);

}  // namespace t2v
