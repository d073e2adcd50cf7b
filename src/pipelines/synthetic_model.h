#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "checkpoints/component.h"

namespace t2v {

/// A model with the tensors that its class has for `config`, and random values of the size that trained ones
/// have, stored as bfloat16 in memory. Its numbered blocks are one and the same in the file, and as many as
/// the configuration says once they are loaded. `component`: "transformer", "text_encoder", or "vae", of
/// which only the decoder is there. Error (kInput) for a configuration that is out of range.
Component synthetic_model(std::string_view component, const nlohmann::json& config, uint64_t seed = 0);

}  // namespace t2v
